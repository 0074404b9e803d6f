"""The matrix at the end of a run: peer by peer, each case by column, and what came of it.

A test says with the fixture `matrix` which field it fills; the field is good if the test passes.
Fields travel as properties of test reports, so that they reach the process that prints.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Recorder = Callable[[str, str, str], None]
"""Takes the peer, the row and the column."""

_NAME = "interop"
_SIGNS = {"passed": "ok", "failed": "FAILED", "skipped": "-", "xfailed": "no"}


@pytest.fixture
def matrix(record_property: Callable[[str, object], None]) -> Recorder:
    """Say which field of the matrix this test fills: peer, row, column."""

    def record(peer: str, row: str, column: str) -> None:
        # Plain strings: others do not travel between processes.
        record_property(_NAME, (str(peer), str(row), str(column)))

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the matrix, if any interoperability test ran."""
    found = [
        (report, sign)
        for outcome, sign in _SIGNS.items()
        for report in terminalreporter.stats.get(outcome, ())
        if getattr(report, "when", None) == "call" or outcome != "passed"
    ]
    fields: dict[str, dict[str, dict[str, str]]] = {}
    for report, sign in sorted(found, key=lambda pair: getattr(pair[0], "start", 0.0)):
        for name, value in getattr(report, "user_properties", ()):
            if name == _NAME:
                peer, row, column = value
                fields.setdefault(peer, {}).setdefault(row, {})[column] = sign
    for peer in sorted(fields):
        terminalreporter.section(f"interoperability: {peer}", sep="-")
        for line in table(fields[peer]):
            terminalreporter.write_line(line)


def table(rows: dict[str, dict[str, str]]) -> list[str]:
    """`rows` (by row and column) as lines of equal columns, in order of appearance."""
    columns = list(dict.fromkeys(column for row in rows.values() for column in row))
    width = max(map(len, rows))
    lines = ["  ".join([" " * width, *(column.ljust(6) for column in columns)]).rstrip()]
    for name, row in rows.items():
        fields = [row.get(column, "").ljust(max(len(column), 6)) for column in columns]
        lines.append("  ".join([name.ljust(width), *fields]).rstrip())
    return lines
