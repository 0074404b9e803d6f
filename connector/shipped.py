"""Where the files that emla ships are found: in a wheel beside the code, else atop the checkout."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def shipped(folder: str) -> Path:
    """The folder `schemas`, `mappings` or `samples`, wherever this installation keeps it."""
    inside = _PACKAGE / "_shipped" / folder
    return inside if inside.is_dir() else _PACKAGE.parent / folder
