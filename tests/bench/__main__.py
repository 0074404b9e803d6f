"""python -m tests.bench: messages a second end to end, beside what the signatures alone allow."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
from pathlib import Path

from rich.console import Console

from connector.runtime.logs import configure_logs
from connector.signature.pki import KeyType
from tests.bench.measuring import (
    EMBEDDED,
    Results,
    measure_ceiling,
    measure_rate,
    measure_stages,
)
from tests.bench.network import Engines
from tests.bench.report import as_json, show

_KEYS = {"rsa-2048": KeyType.RSA_2048, "p-256": KeyType.P256}


def main(arguments: list[str]) -> int:
    """Run what is asked for. Exit status 2 if a service is missing."""
    options = _options(arguments)
    configure_logs(level=logging.ERROR)
    console = Console(stderr=options.json == "-", width=None if sys.stdout.isatty() else 130)
    engines = _engines(options.engines, console)
    if engines is None:
        return 2
    results = Results(cores=len(os.sched_getaffinity(0)))
    for name in options.keys.split(","):
        console.print(f"[bold]{name}[/]: counting and timing key operations ...")
        limit = measure_ceiling(_KEYS[name])
        if options.breakdown:
            console.print(f"  stages, {options.breakdown} messages ...")
            found = measure_stages(_KEYS[name], options.breakdown)
            results.breakdowns[name] = (options.breakdown, found)
        for each in engines:
            console.print(f"  {each.name}, {options.messages} messages ...")
            results.runs += measure_rate(
                each,
                _KEYS[name],
                limit,
                options.messages,
                workers=options.workers,
                feeders=options.feeders,
                stored=options.growth,
                tell=console.print,
            )
    show(results, console)
    if options.json == "-":
        print(json.dumps(as_json(results), indent=2))
    elif options.json:
        Path(options.json).write_text(json.dumps(as_json(results), indent=2) + "\n", "utf-8")
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    add = parser.add_argument
    add("--messages", type=int, default=2000, help="per measurement (default: %(default)s)")
    add("--engines", default="embedded,served", help="embedded (SQLite), served (RabbitMQ and "
        "PostgreSQL, as deploy/bench.sh starts them); default: both")  # fmt: skip
    add("--keys", default="rsa-2048,p-256", help="default: %(default)s")
    add("--workers", type=int, default=1, help="worker processes a connector; default: 1")
    add("--feeders", type=int, default=1, help="processes that hand documents over; default: 1")
    add("--breakdown", type=int, default=200, help="messages for the table of stages; 0: none")
    add("--growth", type=int, default=0, metavar="N", help="measure again with N more messages in "
        "both stores")  # fmt: skip
    add("--json", metavar="FILE", help="write the results there, too (-: standard output)")
    return parser.parse_args(arguments)


def _engines(wanted: str, console: Console) -> list[Engines] | None:
    found = []
    for name in wanted.split(","):
        if name == "embedded":
            found.append(EMBEDDED)
            continue
        amqp = os.environ.get("EMLA_TEST_AMQP")
        postgresql = os.environ.get("EMLA_TEST_POSTGRESQL")
        if not (amqp and postgresql):
            console.print("RabbitMQ and PostgreSQL are missing: run deploy/bench.sh.")
            return None
        found.append(Engines("RabbitMQ + PostgreSQL", amqp, postgresql))
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
