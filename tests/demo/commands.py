"""The real command, run as a person runs it, and what is left of it afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil

EMLA = Path(sys.executable).with_name("emla")
SIZE = "300kB"


def emla_demo(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [EMLA, "demo", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )


def begin(*arguments: str | Path) -> subprocess.Popen[str]:
    """In a session of its own, as a terminal starts it."""
    return subprocess.Popen(
        [EMLA, "demo", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def wait_for_line(process: subprocess.Popen[str], word: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if word in line:
            return
    raise AssertionError(f"ended with {process.wait()} before it said {word!r}")


def connectors(homes: Path) -> list[psutil.Process]:
    """Processes that write into a connector's log."""
    logs = {str(log) for log in homes.glob("*/emla.log")}
    return [psutil.Process(pid) for pid in psutil.pids() if _writes(pid, logs)]


def _writes(pid: int, logs: set[str]) -> bool:
    try:
        return any(str(link.readlink()) in logs for link in Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return False


def nothing_left_of(process: subprocess.Popen[str], seconds: float = 20) -> bool:
    """Whether all processes of its session are gone, or go within that time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_is_of(pid, process.pid) for pid in psutil.pids()):
            return True
        time.sleep(0.1)
    return False


def _is_of(pid: int, session: int) -> bool:
    try:
        return os.getsid(pid) == session and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except (ProcessLookupError, psutil.NoSuchProcess):
        return False
