"""`emla run` in processes of their own, and a partner whose answers a test decides."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import urllib3

from connector.runtime.assembly import open_home_store
from connector.settings import Home
from tests.as4.access_points import Inbox

PATIENCE = 60.0
_EMLA = "import sys; from connector.cli import main; sys.exit(main())"


def until(look: Callable[[], Any], patience: float = PATIENCE) -> Any:
    """What `look` finds, as soon as that is something."""
    deadline = time.monotonic() + patience
    while not (found := look()):
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)
    return found


@dataclass
class Run:
    """A connector that runs."""

    process: subprocess.Popen[bytes]
    home: Home
    log: Path

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.home.settings.gateway.listen.rpartition(":")
        return host, int(port)

    def children(self) -> list[psutil.Process]:
        """Its worker processes, and what serves them."""
        try:
            return psutil.Process(self.process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return []

    def workers(self) -> list[int]:
        """Process ids of workers that are at work, in the order in which they began."""
        events = (json.loads(line) for line in self.log.read_text("utf-8").splitlines())
        return [e["pid"] for e in events if e["event"] == "worker.started"]

    def events(self) -> list[str]:
        lines = self.log.read_text("utf-8").splitlines()
        return [json.loads(line)["event"] for line in lines]

    def stop(self, patience: float = 30.0) -> int:
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(patience)


@contextmanager
def running(home: Home, *, ready: bool = True) -> Iterator[Run]:
    """`emla run` for that home; killed at the end if it is still there."""
    log = home.folder / "run.log"
    with log.open("wb") as sink:
        process = subprocess.Popen(
            [sys.executable, "-c", _EMLA, "run", "--home", str(home.folder)],
            stdout=subprocess.DEVNULL,
            stderr=sink,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    run = Run(process, home, log)
    try:
        if ready:
            until(lambda: process.poll() is not None or "run.started" in log.read_text("utf-8"))
            assert process.poll() is None, log.read_text("utf-8")
        yield run
    finally:
        family = run.children()
        if process.poll() is None:
            process.kill()
            process.wait()
        for each in family:
            if each.is_running():
                each.kill()


def health(home: Home, scheme: str = "http", **options: Any) -> dict[str, str]:
    """What the endpoint says of itself. Raises urllib3's errors if there is none."""
    pool = urllib3.PoolManager(timeout=5, retries=False, **options)
    told: dict[str, str] = pool.request(
        "GET", f"{scheme}://{home.settings.gateway.listen}/health"
    ).json()
    return told


def can_bind(address: tuple[str, int]) -> bool:
    """Whether nobody listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return False
        return True


def states(home: Home) -> dict[str, int]:
    """Messages by state, read from the store beside the running connector."""
    store = open_home_store(home)
    try:
        return store.counts()
    finally:
        store.close()


@dataclass
class Slow(Inbox):
    """A partner that takes its time over each message."""

    seconds: float = 1.0
    begun: list[str] = field(default_factory=list)

    def receive(self, message: Any, raw: bytes) -> bool:
        self.begun.append(message.message_id)
        time.sleep(self.seconds)
        return super().receive(message, raw)
