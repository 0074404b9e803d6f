"""The connectors of a demonstration: one process each, that runs what `emla run` runs.

They are forked from a server process that has imported everything and opened nothing, so that the
three of them start as fast as one.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError, misconfigured
from connector.settings import Home, load

LOG_NAME: Final = "emla.log"
"""In the connector's home."""
_CONTEXT: Final = multiprocessing.get_context("forkserver")
_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 10
_LOOK_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True)
class _Running:
    home: Home
    process: BaseProcess

    @property
    def log(self) -> Path:
        return self.home.folder / LOG_NAME


def warm_up() -> None:
    """Begin the imports that connectors need, while the caller does something else."""
    _CONTEXT.set_forkserver_preload(["connector.runtime.service"])
    forkserver.ensure_running()


class Connectors:
    """Running connectors; leaving the block stops them all, whatever happened in it."""

    def __init__(self, homes: Mapping[str, Home]) -> None:
        """`homes` by country."""
        self._homes = homes
        self._running: dict[str, _Running] = {}

    def __enter__(self) -> Connectors:
        """Start all; `wait_until_listening` says when they are there."""
        try:
            for country, home in self._homes.items():
                process = _CONTEXT.Process(
                    target=_run, args=(home.folder,), name=f"emla-{country.lower()}"
                )
                process.start()
                self._running[country] = _Running(home, process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def check(self) -> None:
        """Raises `demo.connector-ended` with the last lines of its log if one has ended."""
        for country, running in self._running.items():
            if not running.process.is_alive():
                raise misconfigured(
                    "demo.connector-ended",
                    f"The connector of {country} ended by itself (exit status "
                    f"{running.process.exitcode}): {_last_lines(running.log)}",
                    mend=f"Its log is {running.log}.",
                )

    def wait_until_listening(self) -> None:
        """Return when each endpoint listens.

        Raises `ConnectorError` (configuration) `demo.connector-ended`, `demo.connector-silent`.
        """
        deadline = time.monotonic() + _START_SECONDS
        for country, running in self._running.items():
            while not _listens(running.home):
                self.check()
                if time.monotonic() > deadline:
                    raise misconfigured(
                        "demo.connector-silent",
                        f"The connector of {country} did not listen on "
                        f"{running.home.settings.gateway.listen} within {_START_SECONDS} s.",
                        mend=f"Its log is {running.log}.",
                    )
                time.sleep(_LOOK_SECONDS)

    def stop(self) -> None:
        """Let each finish what is in hand; end those that do not."""
        for running in self._running.values():
            running.process.terminate()
        deadline = time.monotonic() + _STOP_SECONDS
        for running in self._running.values():
            running.process.join(max(0.0, deadline - time.monotonic()))
            if running.process.is_alive():
                running.process.kill()
                running.process.join()


def _listens(home: Home) -> bool:
    host, _, port = home.settings.gateway.listen.rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False


def _last_lines(log: Path) -> str:
    try:
        lines = log.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        return "it wrote no log"
    return " | ".join(lines[-3:]) or "its log is empty"


def _run(folder: Path) -> None:
    """A connector's process: logs into its home, stops when told to or when nobody watches."""
    log = os.open(folder / LOG_NAME, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    threading.Thread(target=_stop_with_parent, daemon=True).start()

    from connector.runtime.logs import configure_logs
    from connector.runtime.service import Service

    configure_logs()
    try:
        service = Service(load(folder))
        service.start()
    except ConnectorError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(error.kind.exit_status) from error
    service.wait()


def _stop_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
