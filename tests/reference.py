"""Where third-party reference data lie, if they are there: beside the checkout, never in it."""

from __future__ import annotations

from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parents[2] / "shared" / "reference"


def reference(*parts: str) -> Path:
    """A file or folder of the reference data; skips the test where they are absent."""
    path = REFERENCE.joinpath(*parts)
    if not path.exists():
        pytest.skip(f"no reference data at ../shared/reference/{'/'.join(parts)}")
    return path
