"""Documents that follow an XSD, made at random from the XSD itself.

    documents = Documents(folder_with_xsds)
    root = documents.make("nachricht.gds.basisnachricht.0005006", random.Random(7), richness=0.5)

Covers what the schemas of XJustiz use: sequences, choices, extension and restriction of types,
enumerations, fixed values. Recursion ends at a depth.
"""

from __future__ import annotations

import random
import re
import string
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from lxml import etree

from connector.xml import Element

_X = "{http://www.w3.org/2001/XMLSchema}"
_LETTERS = string.ascii_letters + " äöüÄÖÜßéèçñłşžőĐ'-."
_DEEP = 14


class Documents:
    """Makes documents from the schemas in a folder."""

    def __init__(self, folder: Path) -> None:
        self._types: dict[str, Element] = {}
        self._elements: dict[str, Element] = {}
        for file in sorted(folder.glob("*.xsd")):
            for each in etree.parse(str(file)).getroot():
                if each.tag in (f"{_X}complexType", f"{_X}simpleType"):
                    self._types[each.get("name", "")] = each
                elif each.tag == f"{_X}element":
                    self._elements[each.get("name", "")] = each

    def make(self, name: str, source: random.Random, richness: float) -> Element:
        """A document with the root element `name`; the richer, the more optional content."""
        declaration = self._elements[name]
        space = declaration.getroottree().getroot().get("targetNamespace")
        root = etree.Element(f"{{{space}}}{name}", nsmap={"tns": space})
        self._content(root, declaration, source, richness, 0)
        return root

    def _content(
        self, element: Element, declared: Element, source: random.Random, rich: float, depth: int
    ) -> None:
        complex_type = declared.find(f"{_X}complexType")
        if complex_type is None:
            named = self._types.get(_local(declared.get("type")))
            complex_type = (
                named if named is not None and named.tag.endswith("complexType") else None
            )
        if complex_type is None:
            element.text = declared.get("fixed") or self._value(declared, source)
            return
        for part in self._parts(complex_type):
            if part.tag == f"{_X}attribute":
                self._attribute(element, part, source, rich)
            else:
                self._particle(element, part, source, rich, depth)

    def _parts(self, complex_type: Element) -> Iterator[Element]:
        """Model groups and attributes, those of a base type first; a restriction replaces them."""
        for part in complex_type:
            if part.tag == f"{_X}complexContent":
                derived = part[0]
                if derived.tag == f"{_X}extension":
                    yield from self._parts(self._types[_local(derived.get("base"))])
                yield from self._parts(derived)
            elif part.tag in (f"{_X}sequence", f"{_X}choice", f"{_X}attribute"):
                yield part

    def _particle(
        self, parent: Element, part: Element, source: random.Random, rich: float, depth: int
    ) -> None:
        for _ in range(_times(part, source, rich, depth)):
            if part.tag == f"{_X}sequence":
                for each in part:
                    if isinstance(each.tag, str) and each.tag != f"{_X}annotation":
                        self._particle(parent, each, source, rich, depth)
            elif part.tag == f"{_X}choice":
                self._particle(parent, source.choice(list(part)), source, rich, depth)
            elif part.tag == f"{_X}element":
                child = etree.SubElement(parent, _name_of(part))
                self._content(child, part, source, rich, depth + 1)
            else:
                raise AssertionError(f"not known here: {part.tag}")

    def _attribute(
        self, element: Element, declared: Element, source: random.Random, rich: float
    ) -> None:
        if declared.get("use") == "required" or source.random() < rich:
            value = declared.get("fixed") or self._value(declared, source)
            element.set(declared.get("name", ""), value)

    def _value(self, declared: Element, source: random.Random) -> str:
        inner = declared.find(f"{_X}simpleType")
        named = _local(declared.get("type"))
        simple = inner if inner is not None else self._types.get(named)
        if simple is None:
            return _BUILT_IN[named](source)
        restriction = simple.find(f"{_X}restriction")
        codes = [each.get("value", "") for each in restriction.iterchildren(f"{_X}enumeration")]
        if codes:
            return source.choice(codes)
        return _special(simple.get("name", ""), source)


def _times(part: Element, source: random.Random, rich: float, depth: int) -> int:
    least = int(part.get("minOccurs", "1"))
    most = part.get("maxOccurs", "1")
    if depth > _DEEP or source.random() > rich:
        return least
    return source.randint(least, least + 2 if most == "unbounded" else int(most))


def _name_of(declared: Element) -> str:
    schema = declared.getroottree().getroot()
    qualified = declared.get("form", schema.get("elementFormDefault")) == "qualified"
    if declared.getparent().getparent().getparent().get("base") == "xoev-code:Code":
        qualified = False  # restrictions of the code type keep its unqualified names
    name = declared.get("name", "")
    return f"{{{schema.get('targetNamespace')}}}{name}" if qualified else name


def _local(name: str | None) -> str:
    return (name or "").rpartition(":")[2]


def _text(source: random.Random) -> str:
    return "".join(source.choice(_LETTERS) for _ in range(source.randint(0, 12)))


def _date(source: random.Random) -> str:
    return f"{source.randint(1900, 2030)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"


def _time(source: random.Random) -> str:
    return f"{source.randint(0, 23):02}:{source.randint(0, 59):02}:{source.randint(0, 59):02}"


_BUILT_IN: dict[str, Callable[[random.Random], str]] = {
    "string": _text,
    "normalizedString": _text,
    "token": lambda source: _text(source).strip() or "x",
    "anyURI": lambda source: f"urn:example:{source.randint(0, 9)}",
    "boolean": lambda source: source.choice(["true", "false", "1", "0"]),
    "integer": lambda source: str(source.randint(-5, 500)),
    "positiveInteger": lambda source: str(source.randint(1, 500)),
    "double": lambda source: f"{source.random() * 1000:.2f}",
    "date": _date,
    "time": _time,
    "dateTime": lambda source: (
        f"{_date(source)}T{_time(source)}{source.choice(['', 'Z', '+01:00'])}"
    ),
    "gYear": lambda source: str(source.randint(1900, 2030)),
    "duration": lambda source: f"PT{source.randint(0, 9)}H",
}


def _special(name: str, source: random.Random) -> str:
    """Values of types that are told by a pattern."""
    if name.endswith("UUIDType"):
        return str(uuid.UUID(int=source.getrandbits(128)))
    if name.endswith("Datumsangabe"):
        return _date(source)[: source.choice([4, 7, 10])]
    if re.fullmatch("datatype[A-E]", name):
        return _text(source) + source.choice(["", "", "", "Ā", "C̀", "’"])
    raise AssertionError(f"no values for the type {name}")


def leaves(element: Element) -> Iterator[Any]:
    """Every element without children, for counting."""
    for each in element.iter():
        if isinstance(each.tag, str) and not len(each):
            yield each
