"""The results as tables for people and as JSON for machines."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

from tests.bench.measuring import Ceiling, Results, Run

TARGET = 0.30
"""Of the ceiling."""


def show(results: Results, console: Console) -> None:
    """Print everything."""
    console.print(_rates(results.runs))
    seen: dict[str, Ceiling] = {run.keys: run.ceiling for run in results.runs}
    for keys, limit in seen.items():
        console.print(_operations(keys, limit))
    for keys, (messages, breakdown) in results.breakdowns.items():
        table = Table(
            title=f"Where the time goes: {keys}, {messages} messages in one process",
            title_justify="left",
        )
        table.add_column("stage")
        for name in ("calls a message", "processor ms a message", "share", "on the clock, ms"):
            table.add_column(name, justify="right")
        told = 0.0
        for label, stage in sorted(breakdown.stages.items(), key=lambda item: -item[1].cpu):
            told += stage.cpu
            table.add_row(
                label,
                f"{stage.calls / messages:.1f}",
                f"{1000 * stage.cpu / messages:.2f}",
                f"{stage.cpu / breakdown.total:.1%}",
                f"{1000 * stage.wall / messages:.1f}",
            )
        rest = breakdown.total - told
        table.add_row(
            "everything else (event loop, watching, threads)",
            "",
            f"{1000 * rest / messages:.2f}",
            f"{rest / breakdown.total:.1%}",
            "",
        )
        table.add_row("together", "", f"{1000 * breakdown.total / messages:.2f}", "", "")
        console.print(table)


def _rates(runs: list[Run]) -> Table:
    table = Table(title="Messages through both connectors", title_justify="left")
    table.add_column("engines")
    table.add_column("keys")
    for name in (
        "in store",
        "messages",
        "a second",
        "ceiling",
        "share",
        "processor ms each",
        "after the 100th",
        "at the end",
    ):
        table.add_column(name, justify="right")
    for run in runs:
        style = "green" if run.share >= TARGET else "yellow"
        table.add_row(
            run.engines,
            run.keys,
            str(run.stored_before),
            str(run.timing.messages),
            f"{run.timing.rate:.1f}",
            f"{run.ceiling.rate:.0f}",
            f"[{style}]{run.share:.0%}[/]",
            f"{run.cpu:.1f}",
            f"{run.first:.1f}",
            f"{run.last:.1f}",
        )
    return table


def _operations(keys: str, limit: Ceiling) -> Table:
    table = Table(
        title=f"The ceiling with {keys}: key operations of one message, {limit.cores} cores busy",
        title_justify="left",
    )
    table.add_column("operation")
    for name in ("number", "ms each", "ms together"):
        table.add_column(name, justify="right")
    for operation, count in sorted(limit.operations.items()):
        each = 1000 * limit.seconds[operation]
        table.add_row(" ".join(operation), str(count), f"{each:.3f}", f"{count * each:.2f}")
    table.add_row("together", "", "", f"{limit.milliseconds:.2f}")
    return table


def as_json(results: Results) -> dict[str, Any]:
    """Everything, in plain values."""
    return {
        "cores": results.cores,
        "python": results.python,
        "target": TARGET,
        "runs": [
            {
                "engines": run.engines,
                "keys": run.keys,
                "stored_before": run.stored_before,
                "messages": run.timing.messages,
                "seconds": run.timing.seconds,
                "rate": run.timing.rate,
                "ceiling": run.ceiling.rate,
                "share": run.share,
                "cpu_ms": run.cpu,
                "cpu_ms_after_100th": run.first,
                "cpu_ms_at_the_end": run.last,
                "operations": {
                    " ".join(operation): {
                        "count": count,
                        "ms": 1000 * run.ceiling.seconds[operation],
                    }
                    for operation, count in run.ceiling.operations.items()
                },
            }
            for run in results.runs
        ],
        "stages": {
            keys: {
                "messages": messages,
                "cpu_ms": 1000 * breakdown.total / messages,
                "stages": {
                    label: {
                        "calls": stage.calls / messages,
                        "cpu_ms": 1000 * stage.cpu / messages,
                        "wall_ms": 1000 * stage.wall / messages,
                    }
                    for label, stage in breakdown.stages.items()
                },
            }
            for keys, (messages, breakdown) in results.breakdowns.items()
        },
    }
