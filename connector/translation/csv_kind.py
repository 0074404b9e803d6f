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

from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind
from connector.translation.compiled import Order
from connector.translation.csv_layout import Layout, Record
from connector.translation.kind import Document, line_at, require_size, step_place, too_many
from connector.translation.mapping import CsvTable, LimitsTable
from connector.translation.node import Node

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r]")
_MARKED: Final = re.compile(r"'+[=+\-@\t\r]")
_REFERENCE: Final = re.compile(r"&#(\d{1,7});")
_UTF8_IN_8BIT: Final = re.compile(rb"\xc3[\xa1-\xaa\xac\xad\xaf-\xba\xbc-\xbf]|\xef\xbb\xbf")
"""Accented letters in UTF-8; in windows-1252 the same bytes are a capital A with tilde and a sign,
which no language has."""
_SHORTENED: Final = " […]"


class CsvKind:
    """Reads and writes record files; places are `PES[2].nome` with the line."""

    arrays = False
    typed = False

    def __init__(self, table: CsvTable, layout: Layout, limits: LimitsTable) -> None:
        self._table = table
        self._layout = layout
        self._limits = limits

    def looks_like(self, data: bytes) -> bool:
        """Whether the first line begins with a kind of record of the layout."""
        first = data[:1000].split(self._table.delimiter.encode())[0]
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
        text = self._decoded(data, file)
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

    def _decoded(self, data: bytes, file: str | None) -> str:
        encoding = self._table.encoding
        if found := _UTF8_IN_8BIT.search(data):
            raise _wrong_encoding(
                f"From byte {found.start()} on it is UTF-8, where {encoding} is agreed.",
                data,
                found.start(),
                f"Save the whole document as {encoding}.",
                file,
            )
        try:
            return data.decode(encoding)
        except UnicodeDecodeError as error:
            raise _wrong_encoding(
                f"Byte {error.start} (0x{data[error.start]:02X}) does not exist in {encoding}.",
                data,
                error.start,
                f"Save the document as {encoding}.",
                file,
            ) from error

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
        changed: list[tuple[Node, str]] = []
        rows: list[list[str]] = []
        self._write_records(root, None, rows, changed)
        out = io.StringIO(newline="")
        writer = csv.writer(
            out, delimiter=self._table.delimiter, lineterminator=self._table.line_end
        )
        writer.writerows(rows)
        return Document(out.getvalue().encode(self._table.encoding), tuple(changed))

    def _encodable(self, cell: str) -> str:
        if cell.isascii():
            return cell
        encoding = self._table.encoding
        return cell.encode(encoding, "xmlcharrefreplace").decode(encoding)

    def _write_records(
        self,
        node: Node,
        parent: str | None,
        rows: list[list[str]],
        changed: list[tuple[Node, str]],
    ) -> None:
        for record in self._layout.values():
            if record.parent != parent:
                continue
            for kid in node.kids.get(record.name, ()):
                cells = [record.name]
                for column in record.columns:
                    cell = kid.first(column.name)
                    value = cell.value if cell is not None and cell.value else ""
                    if cell is not None and column.length and len(value) > column.length:
                        keep = column.length - len(_SHORTENED)
                        value = value[:keep] + _SHORTENED if keep > 0 else value[: column.length]
                        note = f"Shortened to {column.length} characters; whole in the envelope."
                        changed.append((cell, note))
                    cells.append(self._encodable(_harmless(value)))
                rows.append(cells)
                self._write_records(kid, record.name, rows, changed)

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


def _wrong_encoding(
    what: str, data: bytes, offset: int, mend: str, file: str | None
) -> ConnectorError:
    return unacceptable(
        "translation.wrong-encoding", what, mend=mend, file=file, line=line_at(data, offset)
    )


def _restored(cell: str) -> str:
    if cell[:1] == "'" and _MARKED.match(cell):
        cell = cell[1:]
    if "&#" in cell:
        cell = _REFERENCE.sub(_sign, cell)
    return cell


def _sign(found: re.Match[str]) -> str:
    number = int(found[1])
    return chr(number) if number < 0x110000 and not 0xD800 <= number < 0xE000 else found[0]


def _harmless(value: str) -> str:
    value = _REFERENCE.sub(lambda found: "&#38;" + found[0][1:], value)
    return "'" + value if _FORMULA.match(value) else value
