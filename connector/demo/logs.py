"""What connectors have written into their logs, for whoever asks why something did not work."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from connector.demo.processes import LOG_NAME
from connector.errors import Problem
from connector.settings import Home

_SEVERE: Final = frozenset({"warning", "error", "critical"})
_NOT_SHOWN: Final = frozenset({"level", "timestamp", "event", "exception"})
_LAST: Final = 3


def complaints(homes: Mapping[str, Home]) -> Iterator[Problem]:
    """The last warnings of each connector. `homes` by country."""
    for country, home in homes.items():
        log = home.folder / LOG_NAME
        lines = log.read_text("utf-8", "replace").splitlines() if log.is_file() else []
        severe = [entry for line in lines if (entry := _entry(line)).get("level") in _SEVERE]
        for entry in severe[-_LAST:]:
            told = ", ".join(f"{k} {v}" for k, v in entry.items() if k not in _NOT_SHOWN)
            yield Problem(
                code="demo.log",
                what=f"The connector of {country} logged {entry.get('event')}: {told}",
                file=str(log),
            )


def _entry(line: str) -> dict[str, Any]:
    """A line of the log; empty for one that is no JSON object."""
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
