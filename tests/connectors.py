"""Connectors as processes, with what a test needs to kill them and to see what they do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from connector.runtime.assembly import open_home_store
from connector.settings import Home
from connector.store import SqlStore

ROOT = Path(__file__).parents[1]


class ConnectorProcess:
    """One connector: its main process, and the workers beside it."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.log = home.folder / "log.jsonl"
        self.log.touch()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the main process, which starts the workers."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.connector_process", str(self.home.folder)],
                cwd=ROOT,
                stdout=log,
                stderr=log,
            )

    def wait_until_up(self, workers: int) -> None:
        """Until so many workers have said that they work."""
        wait_for(lambda: len(self.workers()) >= workers, 60, lambda: self.log.read_text()[-3000:])

    def events(self, name: str) -> Iterator[dict[str, Any]]:
        """Lines of the log of that event."""
        for line in self.log.read_text("utf-8", "replace").splitlines():
            if f'"event": "{name}"' in line:
                yield json.loads(line)

    def workers(self) -> list[int]:
        """Process ids of workers that have begun to work and are alive."""
        started = [each["pid"] for each in self.events("worker.started")]
        return [pid for pid in started if _is_alive(pid)]

    def kill_worker(self, pid: int) -> None:
        """SIGKILL; the main process starts another."""
        os.kill(pid, signal.SIGKILL)

    def kill(self) -> None:
        """SIGKILL to the main process. Its workers end by themselves."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """SIGTERM: it finishes what is in hand, and leaves nothing behind."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(60) == 0
        wait_for(lambda: not self.workers(), 5)

    def end(self) -> None:
        """Kill whatever is left of it."""
        if self._process is not None and self._process.poll() is None:
            self.kill()
        for pid in self.workers():
            os.kill(pid, signal.SIGKILL)

    def store(self) -> SqlStore:
        """The connector's store, opened beside it."""
        return open_home_store(self.home)


def _is_alive(pid: int) -> bool:
    try:
        return b"multiprocessing" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def wait_for(
    condition: Callable[[], bool], seconds: float, story: Callable[[], object] = lambda: ""
) -> None:
    """Wait until `condition`; fails the test with `story` after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {story()}")
        time.sleep(0.1)
