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
_SIGNS = {"passed": "ok", "failed": "FAILED", "skipped": "-"}


@pytest.fixture
def matrix(record_property: Callable[[str, object], None]) -> Recorder:
    """Say which field of the matrix this test fills: peer, row, column."""

    def record(peer: str, row: str, column: str) -> None:
        record_property(_NAME, (peer, row, column))

    return record


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print the matrix, if any interoperability test ran."""
    fields: dict[str, dict[str, dict[str, str]]] = {}
    for outcome, sign in _SIGNS.items():
        for report in terminalreporter.stats.get(outcome, ()):
            for name, value in getattr(report, "user_properties", ()):
                if name == _NAME and (report.when == "call" or outcome != "passed"):
                    peer, row, column = value
                    fields.setdefault(peer, {}).setdefault(row, {})[column] = sign
    for peer in sorted(fields):
        terminalreporter.section(f"interoperability: {peer}", sep="-")
        for line in table(fields[peer]):
            terminalreporter.write_line(line)


def table(rows: dict[str, dict[str, str]]) -> list[str]:
    """`rows` (by row and column) as lines of equal columns, in order of appearance."""
    columns = sorted({column for row in rows.values() for column in row})
    width = max(map(len, rows))
    lines = ["  ".join([" " * width, *columns])]
    for name in sorted(rows):
        fields = [rows[name].get(column, "").ljust(len(column)) for column in columns]
        lines.append("  ".join([name.ljust(width), *fields]).rstrip())
    return lines
