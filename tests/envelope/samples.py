"""The shipped samples of envelopes, and changing them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lxml import etree

from connector.envelope import NAMESPACE
from connector.shipped import shipped
from connector.xml import Element, parse, serialize

FOLDER: Final = shipped("samples") / "envelope"
SAMPLES: Final = sorted(FOLDER.glob("*.xml"))
_E: Final = f"{{{NAMESPACE}}}"
_NAME: Final = re.compile(r"(?<![\w.'-])([A-Z][A-Za-z0-9]+)(?=[\[/\]]|$)")

Change = Callable[[Element], None]


def sample(name: str) -> Element:
    """A fresh tree of `samples/envelope/<name>.xml`."""
    return parse((FOLDER / f"{name}.xml").read_bytes())


def names(folder: Path = FOLDER) -> list[str]:
    """The samples' names."""
    return [file.stem for file in sorted(folder.glob("*.xml"))]


def at(root: Element, path: str) -> Element:
    """The element at `Envelope/Header/Attachment[2]`, or at a path from the root on."""
    steps = path.removeprefix("Envelope/")
    found = root if steps == "Envelope" else root.find(_NAME.sub(rf"{_E}\1", steps))
    assert found is not None, path
    return found


def put(path: str, text: str) -> Change:
    """Give the element at `path` another text."""

    def change(root: Element) -> None:
        at(root, path).text = text

    return change


def remove(*paths: str) -> Change:
    """Take elements out."""

    def change(root: Element) -> None:
        for each in [at(root, path) for path in paths]:
            parent = each.getparent()
            assert parent is not None
            parent.remove(each)

    return change


def empty(path: str) -> Change:
    """Take out all that the element at `path` holds."""

    def change(root: Element) -> None:
        for child in list(at(root, path)):
            at(root, path).remove(child)

    return change


def after(path: str, markup: str) -> Change:
    """Put elements after the one at `path`, `<Name>…</Name>` in the envelope's namespace."""

    def change(root: Element) -> None:
        place = at(root, path)
        for each in reversed(list(_elements(markup))):
            place.addnext(each)

    return change


def into(path: str, markup: str) -> Change:
    """Put elements last into the one at `path`."""

    def change(root: Element) -> None:
        at(root, path).extend(_elements(markup))

    return change


def again(path: str) -> Change:
    """Put a copy of the element at `path` after it."""

    def change(root: Element) -> None:
        place = at(root, path)
        place.addnext(parse(etree.tostring(place, with_tail=False)))

    return change


def both(*changes: Change) -> Change:
    """One after the other."""

    def change(root: Element) -> None:
        for each in changes:
            each(root)

    return change


def changed(name: str, change: Change) -> tuple[Element, list[str]]:
    """The sample after `change`, indented and parsed afresh so that lines are true; the lines."""
    root = sample(name)
    change(root)
    etree.indent(root)
    data = serialize(root)
    return parse(data), data.decode().splitlines()


def _elements(markup: str) -> list[Element]:
    return list(parse(f'<x xmlns="{NAMESPACE}">{markup}</x>'.encode()))
