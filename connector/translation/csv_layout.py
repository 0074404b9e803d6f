"""The header file of a CSV format: which kinds of records there are, with which columns.

One line for each column, in order: kind of record, the kind it belongs to, name of the column,
greatest length. The names of these four columns are given by the mapping (`[csv.layout_columns]`).
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from connector.errors import misconfigured
from connector.translation.mapping import CsvTable


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a record."""

    name: str
    length: int | None
    """Greatest number of characters."""


@dataclass(frozen=True, slots=True)
class Record:
    """One kind of record: its first cell holds `name`, its columns follow."""

    name: str
    parent: str | None
    """The kind of record it belongs to; it follows that record in the file."""
    columns: tuple[Column, ...]


Layout = dict[str, Record]


def read_layout(folder: Path, table: CsvTable) -> Layout:
    """The layout in the mapping's folder, in the order of the file.

    Raises `mapping.unreadable`, `mapping.invalid-layout` (configuration).
    """
    file = folder / table.layout
    names = table.layout_columns
    try:
        with file.open(encoding=table.encoding, newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter=table.delimiter, strict=True))
    except (OSError, UnicodeDecodeError, LookupError, csv.Error) as error:
        raise misconfigured(
            "mapping.unreadable",
            f"The header file cannot be read: {error}",
            mend=f"It must be CSV in {table.encoding}, divided by {table.delimiter!r}.",
            file=str(file),
        ) from error
    parents: dict[str, str | None] = {}
    columns: dict[str, list[Column]] = {}
    for number, row in enumerate(rows, 2):
        try:
            record, name = row[names.record].strip(), row[names.field].strip()
            parent, length = row[names.parent].strip() or None, row[names.length].strip()
            column = Column(name, int(length) if length else None)
        except (KeyError, AttributeError, ValueError) as error:
            raise _invalid(f"The line is incomplete: {error}.", file, number) from error
        if not record or not name:
            raise _invalid("Record or column has no name.", file, number)
        if parent is not None and parent not in columns:
            raise _invalid(f"The record {parent} comes later or not at all.", file, number)
        if parents.setdefault(record, parent) != parent:
            raise _invalid(f"{record} belongs to {parents[record]} elsewhere.", file, number)
        if name in (each.name for each in columns.get(record, ())):
            raise _invalid(f"The column {name} of {record} stands twice.", file, number)
        columns.setdefault(record, []).append(column)
    return {name: Record(name, parents[name], tuple(each)) for name, each in columns.items()}


def _invalid(what: str, file: Path, line: int) -> Exception:
    return misconfigured(
        "mapping.invalid-layout", what, mend="Correct the header file.", file=str(file), line=line
    )
