"""Large payloads stream: what a process holds does not grow with them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("mebibytes", "media_type"),
    [(1024, "application/vnd.etsi.asic-s+zip"), (128, "application/pdf")],
)
def test_memory(mebibytes: int, media_type: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.as4.big_exchange", str(mebibytes), media_type],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    peak = int(done.stdout.splitlines()[-1].split()[0])
    assert peak < 300, f"{peak} MiB for both access points together"
