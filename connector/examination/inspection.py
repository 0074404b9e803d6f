"""What is in a document, as a tree for people. Nothing of it is verified: see `verification`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from connector.container.extraction import read_small
from connector.container.opening import Layout, content_window, read_content
from connector.container.payloads import BytesSource, opened_seekable
from connector.container.zip_reading import DEFAULT_LIMITS, Window
from connector.container.zip_records import STORED, Entry
from connector.envelope.place import line_of
from connector.errors import ConnectorError, unacceptable
from connector.examination.container_signatures import any_layout
from connector.examination.judgement import named
from connector.examination.recognition import Document, DocumentKind, recognise
from connector.examination.summaries import Fact, summary
from connector.examination.xml_signatures import SIGNATURE, claimed
from connector.translation.formats import Formats
from connector.translation.node import Node
from connector.xml import Element

MAX_ITEMS: Final = 50_000
"""A document with more fields is not shown in full."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A thing in a document, with what is in it."""

    label: str
    value: str = ""
    note: str = ""
    """Beside the value, e.g. the size of a file."""
    line: int | None = None
    items: tuple[Item, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data; what is empty left out."""
        plain: dict[str, Any] = {
            "label": self.label,
            "value": self.value,
            "note": self.note,
            "line": self.line,
            "items": [each.as_json() for each in self.items],
        }
        return {name: value for name, value in plain.items() if value not in ("", None, [])}


def inspect(document: Document, formats: Callable[[], Formats]) -> Item:
    """The tree of a document. Raises `ConnectorError` (unacceptable) where it cannot be read:
    `container.*`, `translation.*`, `inspect.too-many-items`."""
    try:
        return _whole(document, formats)
    except ConnectorError as error:
        raise ConnectorError(error.kind, *named(error.problems, document.name)) from error


def _whole(document: Document, formats: Callable[[], Formats]) -> Item:
    facts = tuple(Item(label=label, value=value) for label, value in summary(document))
    if document.kind is DocumentKind.CONTAINER:
        items = _container(document)
    elif document.kind is DocumentKind.PDF:
        items = ()
    elif document.kind is DocumentKind.NATIONAL and document.mapped:
        chosen = formats()[document.format or ""]
        items = _nodes(chosen.kind.read(document.data, file=document.name), _Counter())
    else:
        assert document.root is not None
        items = _elements(document.root, _Counter())
    content = Item(label="content", items=items)
    return Item(
        label=document.name,
        value=document.title,
        note=_bytes(document.source.size),
        items=(*facts, content) if items else facts,
    )


class _Counter:
    """Keeps a document from filling memory with items."""

    def __init__(self) -> None:
        self._left = MAX_ITEMS

    def one(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise unacceptable(
                "inspect.too-many-items",
                f"The document has more than {MAX_ITEMS} fields.",
                mend="Look at it with an XML or JSON tool.",
            )


def _elements(element: Element, counter: _Counter) -> tuple[Item, ...]:
    """Attributes and children of an element."""
    made = []
    for name, value in element.attrib.items():
        counter.one()
        made.append(Item(label=f"@{etree.QName(name).localname}", value=str(value)))
    for child in element.iterchildren("*"):
        counter.one()
        label = etree.QName(child).localname
        if child.tag == SIGNATURE:
            made.append(_signature(child))
            continue
        text = (child.text or "").strip()
        items = _elements(child, counter)
        made.append(Item(label=label, value=text, line=line_of(child), items=items))
    return tuple(made)


def _signature(element: Element) -> Item:
    told = claimed(element, ())
    said = [
        ("signer", told.signer.subject if told.signer else ""),
        ("issuer", told.signer.issuer if told.signer else ""),
        ("algorithm", told.algorithm),
        ("signing time", told.signing_time.isoformat() if told.signing_time else ""),
    ]
    return Item(
        label="Signature",
        note="not verified; see emla verify",
        line=line_of(element),
        items=tuple(Item(label=label, value=value) for label, value in said if value),
    )


def _nodes(node: Node, counter: _Counter) -> tuple[Item, ...]:
    """The fields of a national document, in its order."""
    made = []
    for child in sorted(node.children(), key=lambda each: each.order):
        counter.one()
        items = _nodes(child, counter)
        made.append(Item(label=child.name, value=child.value or "", line=child.line, items=items))
    return tuple(made)


def _container(document: Document) -> tuple[Item, ...]:
    with opened_seekable(document.source) as stream:
        window = Window(stream, 0, stream.seek(0, io.SEEK_END))
        layout = any_layout(window, DEFAULT_LIMITS)
        files: tuple[Item, ...]
        if isinstance(layout, Layout):
            with content_window(window, layout.content) as content:
                entries = read_content(content, DEFAULT_LIMITS)
                inside = tuple(_file(document, content, entry) for entry in entries)
            note = f"{_bytes(layout.content.size)}, {len(inside)} files"
            files = (Item(label=layout.content.name, note=note, items=inside),)
        else:
            files = tuple(_file(document, window, entry) for entry in layout.documents)
    signatures = tuple(_signature(each) for each in layout.signatures)
    return (*files, Item(label="signatures", items=signatures))


def _file(document: Document, window: Window, entry: Entry) -> Item:
    note = _bytes(entry.size)
    if entry.method != STORED:
        note += f", packed {_bytes(entry.compressed)}"
    title, facts = "", tuple[Fact, ...]()
    if entry.size <= DEFAULT_LIMITS.max_small_file:
        inside = _inside(f"{document.name}!{entry.name}", window, entry)
        if inside is not None:
            title, facts = inside.title, tuple(summary(inside))
    return Item(
        label=entry.name,
        value=title,
        note=note,
        items=tuple(Item(label=label, value=value) for label, value in facts),
    )


def _inside(name: str, window: Window, entry: Entry) -> Document | None:
    try:
        data = read_small(window, entry, DEFAULT_LIMITS.max_small_file)
        return recognise(name, BytesSource(data), lambda: Formats({}))
    except ConnectorError:
        return None  # an attachment; whether it is sound is for others to say


def _bytes(size: int) -> str:
    return f"{size:,} bytes".replace(",", " ")
