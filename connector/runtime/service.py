"""`emla run`: endpoint, intake, timers and workers of one connector, until it is told to stop.

Workers hold no state, so the processes beside the main one may be killed at any time; the main one
starts them again. SIGTERM and SIGINT drain: nothing new is begun, what is in hand is finished.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from typing import Final

import structlog
import uvicorn

from connector.intake.folder import FolderIntake, Folders
from connector.runtime import watch
from connector.runtime.assembly import Assembly, assemble
from connector.runtime.listening import listen, tls_options
from connector.runtime.workers import WorkerProcesses, work
from connector.settings import Home
from gateway_client.as4.endpoint import EndpointLimits, as4_app

log = structlog.get_logger("emla.run")

_SECOND: Final = 1.0


class Service:
    """A running connector. `start`, then `wait` or `stop`."""

    def __init__(self, home: Home) -> None:
        """Opens everything that the settings name. Raises as `assemble`."""
        self.home = home
        self.assembly: Assembly = assemble(home)
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._workers: WorkerProcesses | None = None
        self._server: uvicorn.Server | None = None

    def start(self) -> None:
        """Bring up endpoint, intake, timers and workers; returns when the endpoint listens.

        Raises `gateway.cannot-listen`, `gateway.tls`, `queue.url` (configuration), `intake.folder`
        (transient); everything is closed again then.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        settings, assembly = self.home.settings, self.assembly
        connector = assembly.connector
        if settings.gateway.kind == "as4":
            self._serve()
        intake = FolderIntake(
            connector,
            Folders(
                self.home.path(settings.intake.path),
                self.home.path(settings.intake.accepted),
                self.home.path(settings.intake.refused),
            ),
            settings.intake.settle,
        )
        settle = max(0.05, min(_SECOND, settings.intake.settle.total_seconds() / 2))
        self._repeat("intake", intake.run_once, settle, 10.0)
        self._repeat("timers", lambda: watch.fire_timers(connector), _SECOND, 30.0)
        self._repeat("fetched", watch.FetchWatch(connector).notice, _SECOND, 30.0)
        if (pull := assembly.pull) is not None:
            every = settings.gateway.poll.total_seconds()
            reception = assembly.reception
            self._repeat("poll", lambda: watch.poll(pull, reception), every, every * 30)
        if settings.run.workers == 0:
            queue = assembly.queue()
            self._thread("worker", lambda: work(connector, queue, self._stop))
        else:
            workers = WorkerProcesses(self.home.folder, settings.run.workers)
            self._workers = workers
            self._thread("keeper", lambda: workers.keep(self._stop))
        log.info("run.started", party=settings.connector.party, country=settings.connector.country)

    def _repeat(self, name: str, work: Callable[[], int], every: float, at_most: float) -> None:
        self._thread(
            name, lambda: watch.repeat(name, work, self._stop, every=every, at_most=at_most)
        )

    def _thread(self, name: str, work: Callable[[], None]) -> None:
        thread = threading.Thread(target=work, name=name, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _serve(self) -> None:
        section, assembly = self.home.settings.gateway, self.assembly
        app = as4_app(
            assembly.pmodes,
            assembly.transport,
            assembly.decryption,
            assembly.reception,
            path=section.path,
            limits=EndpointLimits(max_message_bytes=section.max_message_bytes),
        )
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=int(self.home.settings.run.drain.total_seconds()),
            **tls_options(self.home),
        )
        server = uvicorn.Server(config)
        listener = listen(section.listen)
        self._server = server
        self._thread("endpoint", lambda: server.run([listener]))
        while not server.started:
            if not self._threads[-1].is_alive():
                raise RuntimeError("the endpoint's server ended while it started")
            time.sleep(0.02)

    @property
    def worker_pids(self) -> list[int]:
        """Process ids of the worker processes."""
        return self._workers.pids if self._workers else []

    def wait(self) -> None:
        """Until SIGTERM or SIGINT; then drain."""

        def handle(number: int, _: object) -> None:
            log.info("run.draining", signal=signal.Signals(number).name)
            self._stop.set()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, handle)
        while not self._stop.wait(_SECOND):
            pass
        self.stop()

    def stop(self) -> None:
        """Finish what is in hand, within the time that the settings give; close everything."""
        self._stop.set()
        if self._server is not None:
            self._server.should_exit = True
        deadline = time.monotonic() + self.home.settings.run.drain.total_seconds()
        if self._workers is not None:
            self._workers.stop(deadline)
        for thread in self._threads:
            thread.join(max(0.1, deadline - time.monotonic()))
        self.assembly.close()
        log.info("run.stopped")
