"""How much memory a message with a large attachment takes, in every process of both connectors.

python -m tests.runtime.memory MEBIBYTES [WORKERS] sends one attachment of that size from DE to BR,
and prints the peak resident set of each process (MiB), before and after, and the time taken.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.settings import Home
from tests.network import homes, sample
from tests.runtime.running import Run, running, states, until

MEBIBYTE: Final = 1024 * 1024
LIMIT_MIB: Final = 300
"""What each process may take for an attachment of 2 GiB."""


@dataclass(frozen=True)
class Peak:
    """Of one process, in MiB (VmHWM)."""

    process: str
    small: float
    """After a message without attachments."""
    large: float
    """After the large one."""


def exchange(folder: Path, mebibytes: int, workers: int = 0) -> tuple[list[Peak], float]:
    """Send a small message, then one with an attachment of that many MiB (a sparse file, but every
    byte of it travels); the peaks of all processes, and the seconds that the large one took."""
    made = homes(folder, "DE", "BR", common={"run": {"workers": workers}})
    with running(made["DE"]) as de, running(made["BR"]) as br:
        document = sample("emergency-request")
        (made["DE"].folder / "intake" / "small.xml").write_bytes(document)
        # Longer than the first rung of the retry ladder: one try may fail on a busy machine.
        until(lambda: states(made["DE"]).get("DELIVERED") == 1, 200)
        small = {**_peaks("DE", de), **_peaks("BR", br)}
        _put(made["DE"], document, mebibytes)
        started = time.monotonic()
        until(lambda: states(made["DE"]).get("DELIVERED") == 2, 60 + mebibytes)
        seconds = time.monotonic() - started
        large = {**_peaks("DE", de), **_peaks("BR", br)}
        assert large.keys() == small.keys(), "a process was replaced"
        _check(made["BR"], mebibytes)
        assert de.stop() == br.stop() == 0
    return [Peak(name, small[name], large[name]) for name in small], seconds


def _put(home: Home, document: bytes, mebibytes: int) -> None:
    case = home.folder / "intake" / ".case"
    case.mkdir()
    (case / "document.xml").write_bytes(document)
    with (case / "disk.img").open("wb") as file:
        file.truncate(mebibytes * MEBIBYTE)
        file.seek(mebibytes * MEBIBYTE // 2)
        file.write(b"somewhere in the middle")
    case.rename(case.with_name("case"))


def _check(home: Home, mebibytes: int) -> None:
    """What was delivered is what was sent."""
    (image,) = (home.folder / "delivered").glob("*/attachments/disk.img")
    expected = hashlib.sha256()
    half = mebibytes * MEBIBYTE // 2
    middle = b"somewhere in the middle"
    zeros = bytes(MEBIBYTE)
    for left in (half, mebibytes * MEBIBYTE - half - len(middle)):
        for _ in range(left // MEBIBYTE):
            expected.update(zeros)
        expected.update(zeros[: left % MEBIBYTE])
        if left == half:
            expected.update(middle)
    with image.open("rb") as file:
        assert hashlib.file_digest(file, "sha256").digest() == expected.digest()


def _peaks(country: str, run: Run) -> dict[str, float]:
    """Of the main process and of each worker."""
    named = {f"{country} main": run.process.pid}
    named |= {f"{country} worker {n}": pid for n, pid in enumerate(run.workers(), 1)}
    return {name: _high_water(pid) for name, pid in named.items()}


def _high_water(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def main() -> int:
    """Print the figures; 1 if a process has taken more than it may."""
    mebibytes = int(sys.argv[1])
    workers = int(sys.argv[2]) if len(sys.argv) > 2 else 0
    folder = Path(tempfile.mkdtemp(prefix="emla-memory-"))
    try:
        peaks, seconds = exchange(folder, mebibytes, workers)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for peak in peaks:
        print(f"{peak.process:12} {peak.small:7.1f} MiB, with {mebibytes} MiB {peak.large:7.1f}")
    print(f"{seconds:.1f} s")
    return int(any(peak.large > LIMIT_MIB for peak in peaks))


if __name__ == "__main__":
    sys.exit(main())
