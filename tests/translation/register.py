"""The register's format, its example of a request, and changing that."""

from __future__ import annotations

import csv
import io
from typing import Final

from connector.shipped import shipped
from connector.translation import Formats, Read, load_formats
from connector.translation.csv_layout import Layout, read_layout

MAPPING: Final = shipped("mappings") / "register-csv"
FORMATS: Final[Formats] = load_formats([MAPPING], strict=True)
REQUEST: Final = (MAPPING / "examples" / "request" / "document.csv").read_bytes()


def _layout() -> Layout:
    table = FORMATS["register-csv"].mapping.csv
    assert table is not None
    return read_layout(MAPPING, table)


LAYOUT: Final = _layout()


def read_document(data: bytes) -> Read:
    """As it comes from the register."""
    return FORMATS.read(data, "register-csv", filename="pedido.csv")


def rows(data: bytes) -> list[list[str]]:
    """The records of a document, as any reader of CSV sees them."""
    text = data.decode("windows-1252")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


def request(*changes: tuple[str, str, str]) -> bytes:
    """The example, with the first cell of `column` in records of a kind set to another value."""
    records = rows(REQUEST)
    for record, column, value in changes:
        index = 1 + [each.name for each in LAYOUT[record].columns].index(column)
        next(row for row in records if row[0] == record)[index] = value
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(records)
    return out.getvalue().encode("windows-1252")
