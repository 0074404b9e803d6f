"""JSON documents (RFC 8259), read strictly: UTF-8, no member twice, bounded depth."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind
from connector.translation.compiled import Order
from connector.translation.kind import (
    Document,
    line_at,
    require_name,
    require_size,
    too_deep,
    too_many,
)
from connector.translation.mapping import JsonTable, LimitsTable
from connector.translation.node import ARRAY, Node, Scalar

_BOM: Final = b"\xef\xbb\xbf"


_STRING: Final = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\\?\Z)', re.DOTALL)
MAX_ESCAPES: Final = 1_000_000
"""Each becomes an object of its own while a text is read."""
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MODEST: Final = re.compile(r"-?\d{1,20}(?:\.\d{1,20})?(?:[eE][+-]?\d\d?)?", re.ASCII)


class _Members(list[tuple[str, Any]]):
    """An object as it was written, duplicates and all."""


class _Number(str):
    """A number as it was written; a whole one as XML writes it (`2.0` and `2e0` are `2`)."""

    __slots__ = ()


def _real(text: str) -> _Number:
    if _MODEST.fullmatch(text) and (number := Decimal(text)) == number.to_integral_value():
        return _Number(int(number))
    return _Number(text)


def _refuse_constant(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


_DECODER: Final = json.JSONDecoder(
    object_pairs_hook=_Members,
    parse_int=_Number,
    parse_float=_real,
    parse_constant=_refuse_constant,
    strict=True,
)


class JsonKind:
    """Reads and writes JSON objects; places are JSON pointers (RFC 6901)."""

    arrays = True
    typed = True

    def __init__(self, table: JsonTable, limits: LimitsTable) -> None:
        self._table = table
        self._limits = limits

    def looks_like(self, data: bytes) -> bool:
        """Whether the first sign is a brace."""
        return data[:1000].removeprefix(_BOM).lstrip()[:1] == b"{"

    def seen(self, data: bytes) -> str:
        """The names of the outermost members."""
        names = [name[:40] for name in self.read(data).kids]
        more = " …" if len(names) > 12 else ""
        return f"a JSON object with the members {', '.join(names[:12])}{more}"

    def read(self, data: bytes, *, file: str | None = None) -> Node:
        """Raises `translation.too-large`, `.wrong-encoding`, `.malformed`, `.duplicate-key`,
        `.too-deep`, `.too-many-fields`."""
        require_size(data, self._limits, file)
        text = _decoded(data, file)
        _require_few(text, self._limits, file)
        try:
            content = _DECODER.decode(text)
        except RecursionError as error:
            raise too_deep(self._limits, file) from error
        except ValueError as error:
            line = error.lineno if isinstance(error, json.JSONDecodeError) else None
            raise _malformed(f"The document is no JSON: {error}", file, line) from error
        if not isinstance(content, _Members):
            raise _malformed("The document is not a JSON object.", file, 1)
        return _Reading(self, self._limits, file).root(content)

    def write(self, root: Node, order: Order) -> Document:
        """UTF-8, members in the order of the mapping's rules."""
        data = json.dumps(_plain(root, order), ensure_ascii=False, indent=self._table.indent)
        return Document(data.encode("utf-8") + b"\n")

    def place(self, node: Node) -> str:
        """A JSON pointer."""
        steps: list[str] = []
        here = node
        while here.parent is not None:
            name = here.name
            if name.endswith(ARRAY):
                steps.append(str(here.position()[0]))
                name = name.removesuffix(ARRAY)
            if name:
                steps.append(name.replace("~", "~0").replace("/", "~1"))
            here = here.parent
        return "".join(f"/{step}" for step in reversed(steps))

    def below(self, node: Node, path: str) -> str:
        """A JSON pointer to what is not there."""
        if path.startswith("/"):
            return path.replace(ARRAY, "")
        return f"{self.place(node)}/{path.replace(ARRAY, '')}"


def _decoded(data: bytes, file: str | None) -> str:
    try:
        return data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise unacceptable(
            "translation.wrong-encoding",
            f"Byte {error.start} (0x{data[error.start]:02X}) is not UTF-8.",
            mend="Save the document as UTF-8, as JSON demands.",
            file=file,
            line=line_at(data, error.start),
        ) from error


def _require_few(text: str, limits: LimitsTable, file: str | None) -> None:
    """Before anything is built: a few bytes become a few hundred as objects."""
    if (escapes := text.count("\\")) > MAX_ESCAPES:
        raise unacceptable(
            "translation.too-large",
            f"The document has {escapes} escape sequences; {MAX_ESCAPES} are allowed.",
            mend="Write letters as they are, in UTF-8.",
            file=file,
        )
    if sum(map(text.count, ",[{")) > limits.max_fields:
        bare = _STRING.sub("", text)
        if sum(map(bare.count, ",[{")) > limits.max_fields:
            raise too_many(limits, file)


def _malformed(what: str, file: str | None, line: int | None) -> ConnectorError:
    return unacceptable(
        "translation.malformed", what, mend="Correct the syntax.", file=file, line=line
    )


class _Reading:
    """One document being turned into nodes."""

    def __init__(self, kind: JsonKind, limits: LimitsTable, file: str | None) -> None:
        self._kind = kind
        self._limits = limits
        self._file = file
        self._count = 0
        self._duplicates: list[Problem] = []

    def root(self, content: _Members) -> Node:
        root = Node("", None)
        self._members(root, content, 1)
        if self._duplicates:
            raise ConnectorError(ErrorKind.UNACCEPTABLE, *self._duplicates)
        return root

    def _members(self, node: Node, members: _Members, depth: int) -> None:
        if depth > self._limits.max_depth:
            raise too_deep(self._limits, self._file)
        if len({name for name, _ in members}) != len(members):
            self._note_duplicates(node, [name for name, _ in members])
        for name, value in members:
            require_name(name, self._file)
            if name.endswith(ARRAY) or _SURROGATE.search(name):
                raise self._unspeakable(node, name)
            if isinstance(value, list) and not isinstance(value, _Members):
                self._items(node, name + ARRAY, value, depth)
            else:
                self._value(node, name, value, depth)

    def _items(self, node: Node, name: str, items: Sequence[Any], depth: int) -> None:
        if depth > self._limits.max_depth:
            raise too_deep(self._limits, self._file)
        for item in items:
            if isinstance(item, list) and not isinstance(item, _Members):
                self._items(node.add(name, self._next()), ARRAY, item, depth + 1)
            else:
                self._value(node, name, item, depth)

    def _value(self, node: Node, name: str, value: Any, depth: int) -> None:
        child = node.add(name, self._next())
        if isinstance(value, _Members):
            self._members(child, value, depth + 1)
        elif isinstance(value, _Number):
            child.value, child.scalar = str(value), Scalar.NUMBER
        elif isinstance(value, bool):
            child.value, child.scalar = ("true" if value else "false"), Scalar.BOOLEAN
        elif value is None:
            child.value, child.scalar = "", Scalar.NULL
        elif _SURROGATE.search(value):
            raise self._unspeakable(child, value)
        else:
            child.value = value

    def _unspeakable(self, node: Node, text: str) -> ConnectorError:
        return unacceptable(
            "translation.malformed",
            f"{text[:40]!a} cannot stand in a document of this kind.",
            mend="Remove half characters (\\ud800 to \\udfff), and [] at the end of names.",
            file=self._file,
            path=self._kind.place(node),
        )

    def _next(self) -> int:
        self._count += 1
        if self._count > self._limits.max_fields:
            raise too_many(self._limits, self._file)
        return self._count

    def _note_duplicates(self, node: Node, names: list[str]) -> None:
        doubled = [name for name, count in Counter(names).items() if count > 1]
        for name in doubled[: 100 - len(self._duplicates)]:
            self._duplicates.append(
                Problem(
                    code="translation.duplicate-key",
                    what=f"The member {name[:80]!r} stands twice in one object.",
                    mend="Remove one: readers would not agree which of them counts.",
                    file=self._file,
                    path=f"{self._kind.place(node)}/{ascii(name[:80])[1:-1]}",
                )
            )


def _plain(node: Node, order: Order) -> Any:
    if not node.kids:
        return _scalar(node)
    content: dict[str, Any] = {}
    ranks = order.ranks
    for name in sorted(node.kids, key=lambda each: ranks.get(each, len(ranks))):
        below = order.children.get(name, _NO_ORDER)
        kids = node.kids[name]
        if name.endswith(ARRAY):
            content[name.removesuffix(ARRAY)] = [_plain(kid, below) for kid in kids]
        else:
            content[name] = _plain(kids[0], below)
    return content


_NO_ORDER: Final = Order()


def _scalar(node: Node) -> Any:
    value = node.value or ""
    match node.scalar:
        case Scalar.NUMBER:
            return float(value) if any(c in value for c in ".eE") else int(value)
        case Scalar.BOOLEAN:
            return value == "true"
        case Scalar.NULL:
            return None
        case _:
            return value
