"""CSV of records: each line begins with the kind of record; a header file names the columns.

Cells that a spreadsheet would run as a formula are written with an apostrophe before them, and
signs that the encoding does not have as `&#1054;`; both are undone when read.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from connector.errors import ConnectorError, Problem
from connector.errors import Kind as ErrorKind
from connector.translation.compiled import Order
from connector.translation.csv_encoding import decoded, encoded, without_mark
from connector.translation.csv_layout import Layout, Record
from connector.translation.kind import Document, require_size, step_place, too_many
from connector.translation.mapping import CsvTable, LimitsTable
from connector.translation.node import Node

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r\n]")
_REFERENCE: Final = re.compile(r"&#(\d{1,7});")
_LONE_RETURN: Final = re.compile(r"\r(?!\n)")
_SHORTENED: Final = " […]"
_RUNNING_TEXT: Final = 100
"""Columns at least this long hold words, which may be cut; a part of a code, a date or a number
would be another one."""


class CsvKind:
    """Reads and writes record files; places are `PES[2].nome` with the line."""

    arrays = False
    typed = False

    def __init__(self, table: CsvTable, layout: Layout, limits: LimitsTable) -> None:
        self._table = table
        self._layout = layout
        self._limits = limits
        # The library's own bound of 128 KiB a cell holds for the whole process.
        csv.field_size_limit(max(csv.field_size_limit(), limits.max_bytes))

    def looks_like(self, data: bytes) -> bool:
        """Whether the first line begins with a kind of record of the layout."""
        first = without_mark(data[:1000]).split(self._table.delimiter.encode())[0]
        return first.strip(b'"').decode("latin-1") in self._layout

    def seen(self, data: bytes) -> str:
        """The first line."""
        line = data[:200].split(b"\n")[0].decode("latin-1").strip()
        return f"text whose first line is {line[:80]!r}"

    # reading ------------------------------------------------------------------------------------

    def read(self, data: bytes, *, file: str | None = None) -> Node:
        """Raises `translation.too-large`, `.wrong-encoding`, `.malformed` (every line that is
        wrong), `.too-many-fields`."""
        require_size(data, self._limits, file)
        text = decoded(data, self._table.encoding, file)
        root = Node("", None)
        open_records: dict[str, Node] = {}
        problems: list[Problem] = []
        count = 0
        for line, cells in self._rows(text, file):
            record = self._layout.get(cells[0])
            what = _wrong(record, cells, open_records)
            if record is None or what:
                problems.append(_malformed(what, file, line))
                if len(problems) >= 100:
                    break
                continue
            parent = root if record.parent is None else open_records[record.parent]
            count += 1
            node = parent.add(record.name, count, line)
            self._forget_below(record, open_records)
            open_records[record.name] = node
            for column, cell in zip(record.columns, cells[1:], strict=True):
                if cell:  # an empty cell is no field
                    count += 1
                    node.add(column.name, count, line).value = _restored(cell)
            if count > self._limits.max_fields:
                raise too_many(self._limits, file)
        if problems:
            raise ConnectorError(ErrorKind.UNACCEPTABLE, *problems)
        return root

    def _rows(self, text: str, file: str | None) -> Iterator[tuple[int, list[str]]]:
        reader = csv.reader(
            io.StringIO(text, newline=""), delimiter=self._table.delimiter, strict=True
        )
        line = 1
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                raise ConnectorError(
                    ErrorKind.UNACCEPTABLE,
                    _malformed(f"The line is no CSV: {error}.", file, line),
                ) from error
            if cells:
                yield line, cells
            line = reader.line_num + 1

    def _forget_below(self, record: Record, open_records: dict[str, Node]) -> None:
        """A new record closes those that belonged to the one before it."""
        for name in list(open_records):
            parent = self._layout[name].parent
            while parent is not None:
                if parent == record.name:
                    open_records.pop(name, None)
                parent = self._layout[parent].parent

    # writing ------------------------------------------------------------------------------------

    def write(self, root: Node, order: Order) -> Document:
        """Records in the order of the layout, each followed by those that belong to it."""
        out = io.StringIO(newline="")
        writing = _Writing(self._table, self._layout)
        writing.records(root, None)
        writer = csv.writer(
            out, delimiter=self._table.delimiter, lineterminator=self._table.line_end
        )
        writer.writerows(writing.rows)
        data = out.getvalue().encode(self._table.encoding)
        return Document(data, tuple(writing.changed), tuple(writing.left_out))

    # places -------------------------------------------------------------------------------------

    def place(self, node: Node) -> str:
        """`PES[2].nome`; several levels are divided by `/`."""
        steps = []
        here = node
        while here.parent is not None:
            steps.append(step_place(here))
            here = here.parent
        steps.reverse()
        if node.kids or len(steps) < 2:
            return "/".join(steps)
        return "/".join(steps[:-1]) + "." + steps[-1]

    def below(self, node: Node, path: str) -> str:
        """That form for a cell or record that is not there."""
        steps = [step.split("[")[0] for step in path.strip("/").split("/")]
        base = "" if path.startswith("/") else self.place(node)
        if steps[-1] not in self._layout:
            records = "/".join([*([base] if base else []), *steps[:-1]])
            return f"{records}.{steps[-1]}" if records else steps[-1]
        return "/".join([*([base] if base else []), *steps])


class _Writing:
    """One document becoming rows."""

    def __init__(self, table: CsvTable, layout: Layout) -> None:
        self._encoding = table.encoding
        self._layout = layout
        self.rows: list[list[str]] = []
        self.changed: list[tuple[Node, str]] = []
        self.left_out: list[tuple[Node, str]] = []

    def records(self, node: Node, parent: str | None) -> None:
        """The records below `node`, of the kinds that belong to `parent`."""
        for record in self._layout.values():
            if record.parent != parent:
                continue
            for kid in node.kids.get(record.name, ()):
                cells = (self._cell(kid.first(each.name), each.length) for each in record.columns)
                self.rows.append([record.name, *cells])
                self.records(kid, record.name)

    def _cell(self, cell: Node | None, length: int | None) -> str:
        if cell is None or not cell.value:
            return ""
        text = self._encodable(_harmless(cell.value))
        if length is None or len(text) <= length:
            return text
        if length < _RUNNING_TEXT:
            what = f"Left out: longer than {length} characters; it is in the envelope."
            self.left_out.append((cell, what))
            return ""
        note = f"Shortened to {length} characters; whole in the envelope."
        self.changed.append((cell, note))
        return self._cut(cell.value, length)

    def _cut(self, value: str, length: int) -> str:
        """As much of the value as fits, sign by sign: half a reference would be another sign."""
        mark = self._encodable(_SHORTENED)
        room = length - len(mark)
        for size in range(min(len(value), room), 0, -1):
            text = self._encodable(_harmless(value[:size]))
            if len(text) <= room:
                return text + mark
        return ""

    def _encodable(self, text: str) -> str:
        if "\r" in text:  # outside quotes, some readers take it for the end of a line
            text = _LONE_RETURN.sub("&#13;", text)
        return encoded(text, self._encoding)


def _wrong(record: Record | None, cells: list[str], open_records: dict[str, Node]) -> str:
    if record is None:
        return f"{cells[0][:40]!r} is no kind of record of this format."
    expected = len(record.columns) + 1
    if len(cells) != expected:
        return f"The record {record.name} has {len(cells)} cells; {expected} are expected."
    if record.parent is not None and record.parent not in open_records:
        return f"The record {record.name} must follow a {record.parent} that it belongs to."
    return ""


def _malformed(what: str, file: str | None, line: int) -> Problem:
    return Problem(
        code="translation.malformed",
        what=what,
        mend="Compare the line with the header file.",
        file=file,
        line=line,
    )


def _restored(cell: str) -> str:
    if "&#" in cell:
        cell = _REFERENCE.sub(_sign, cell)
    return cell[1:] if cell[:1] == "'" and _MARKED.match(cell) else cell


def _sign(found: re.Match[str]) -> str:
    number = int(found[1])
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]


def _harmless(value: str) -> str:
    value = _REFERENCE.sub(lambda found: "&#38;" + found[0][1:], value)
    return "'" + value if _FORMULA.match(value) else value
