"""A scratch folder for each process, locked while the process lives.

What a killed process left behind is removed when the next one starts; what a living one is
writing is not touched.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Scratch:
    """A fresh folder below `top`. Raises OSError if that cannot be made."""

    def __init__(self, top: Path) -> None:
        top.mkdir(mode=0o700, exist_ok=True)
        with _alone(top / "claim.lock"):
            for old in top.iterdir():
                if old.is_dir() and not _is_in_use(old):
                    _remove(old)
            self.folder = Path(tempfile.mkdtemp(dir=top))
            self._lock = os.open(_lock_of(self.folder), os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX)

    def close(self) -> None:
        """Remove the folder."""
        if self._lock >= 0:
            _remove(self.folder)
            os.close(self._lock)
            self._lock = -1


@contextmanager
def _alone(file: Path) -> Iterator[None]:
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _lock_of(folder: Path) -> Path:
    return folder.with_name(f"{folder.name}.lock")


def _is_in_use(folder: Path) -> bool:
    try:
        handle = os.open(_lock_of(folder), os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False


def _remove(folder: Path) -> None:
    # A folder that cannot be removed now is tried again at the next start.
    shutil.rmtree(folder, ignore_errors=True)
    _lock_of(folder).unlink(missing_ok=True)
