"""Worker processes beside the main one: started, watched, started again, told to stop.

They hold no state and may be killed at any time. Each is forked from a server process that has
imported everything and opened nothing, so that a new one works within a fraction of a second.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Final

import structlog

from connector.errors import ConnectorError
from connector.exchange.context import Connector
from connector.exchange.ports import Queue
from connector.exchange.worker import Worker
from connector.runtime.assembly import assemble
from connector.settings import load

log = structlog.get_logger("emla.run")

_LOOK_SECONDS: Final = 0.5
"""How soon a process that has ended is noticed."""
_CONTEXT: Final = multiprocessing.get_context("forkserver")


class WorkerProcesses:
    """`count` worker processes of the home in `folder`."""

    def __init__(self, folder: Path, count: int) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._stopping = False
        _CONTEXT.set_forkserver_preload([__name__])
        self._processes = [self._start() for _ in range(count)]

    def _start(self) -> BaseProcess:
        process = _CONTEXT.Process(target=_run, args=(self._folder,), name="emla-worker")
        process.start()
        return process

    @property
    def pids(self) -> list[int]:
        """Process ids."""
        return [process.pid for process in self._processes if process.pid is not None]

    def keep(self, stop: threading.Event) -> None:
        """Start again whatever ends, until `stop` is set."""
        while not stop.wait(_LOOK_SECONDS):
            with self._lock:
                self._replace_ended()

    def _replace_ended(self) -> None:
        for place, process in enumerate(self._processes):
            if not process.is_alive() and not self._stopping:
                log.warning("worker.ended", pid=process.pid, exit_status=process.exitcode)
                self._processes[place] = self._start()

    def stop(self, deadline: float) -> None:
        """Let each finish the job in hand; end those that are not done by `deadline` (monotonic
        seconds)."""
        with self._lock:
            self._stopping = True
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(max(0.0, deadline - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()


def work(connector: Connector, queue: Queue, stop: threading.Event) -> None:
    """Work until `stop` is set, on a queue connection of this thread's own; then close it."""
    try:
        Worker(connector, queue).run(stop)
    finally:
        queue.close()


def _run(folder: Path) -> None:
    """A worker process: works until it is told to stop, or its parent is gone."""
    from connector.runtime.logs import configure_logs

    configure_logs()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    threading.Thread(target=_stop_with_parent, args=(stop,), daemon=True).start()
    try:
        assembly = assemble(load(folder))
    except ConnectorError as error:
        log.error("worker.cannot-start", problem=str(error))
        raise SystemExit(error.kind.exit_status) from error
    log.info("worker.started", pid=os.getpid())
    try:
        work(assembly.connector, assembly.queue(), stop)
    finally:
        assembly.close()


def _stop_with_parent(stop: threading.Event) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    stop.set()
