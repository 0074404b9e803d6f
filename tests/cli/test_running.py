"""Commands that work on a running connector's home."""

from __future__ import annotations

RUNNING = ["demo"]
