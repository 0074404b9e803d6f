"""An attachment never sits in memory: what each process takes for one, in proportion to the limit
for 2 GiB (which `python -m tests.runtime.memory 2048` measures itself, in about a minute)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runtime.memory import LIMIT_MIB, exchange

MEBIBYTES = 384


@pytest.mark.parametrize("workers", [0, 1])
def test_no_process_grows_with_an_attachment(tmp_path: Path, workers: int) -> None:
    peaks, _ = exchange(tmp_path, MEBIBYTES, workers)
    assert len(peaks) == 2 * (1 + workers)
    for peak in peaks:
        assert peak.large < LIMIT_MIB, peak
        assert peak.large - peak.small < LIMIT_MIB * MEBIBYTES / 2048, peak
