"""What the envelope's XSD says that a mapping needs: order, repetition, obligation, codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Final

from connector.shipped import shipped
from connector.translation.paths import Path as TreePath
from connector.xml import Element, parse

_XS: Final = "{http://www.w3.org/2001/XMLSchema}"


@dataclass(frozen=True)
class Shape:
    """An element of the envelope and those below it."""

    name: str
    type: str
    required: bool = True
    repeats: bool = False
    in_choice: bool = False
    open: bool = False
    """Holds elements of other namespaces."""
    codes: frozenset[str] = frozenset()
    collapse: bool = False
    """White space does not count: a token, a date, a code."""
    children: Mapping[str, Shape] = field(default_factory=dict)

    @property
    def is_leaf(self) -> bool:
        """Whether it holds a value."""
        return not self.children and not self.open

    def at(self, names: tuple[str, ...]) -> Shape | None:
        """The shape below, by names."""
        shape: Shape | None = self
        for name in names:
            if shape is None:
                return None
            shape = shape.children.get(name)
        return shape


class _Schema:
    """Named types of all files of the schema."""

    def __init__(self, folder: Path) -> None:
        roots = [parse(file.read_bytes()) for file in sorted(folder.glob("*.xsd"))]
        self.types: dict[str, Element] = {}
        self.envelope: Element | None = None
        for root in roots:
            for each in root:
                if each.tag in (f"{_XS}complexType", f"{_XS}simpleType"):
                    self.types[each.get("name", "")] = each
                elif each.tag == f"{_XS}element" and each.get("name") == "Envelope":
                    self.envelope = each

    def shape(self, element: Element) -> Shape:
        name, type_name = element.get("name", ""), element.get("type", "")
        parent = element.getparent()
        complex_type = element.find(f"{_XS}complexType")
        if complex_type is None:
            complex_type = self.types.get(type_name)
        is_complex = complex_type is not None and complex_type.tag == f"{_XS}complexType"
        children: dict[str, Shape] = {}
        is_open = False
        if is_complex and complex_type is not None:
            children = {e.get("name", ""): self.shape(e) for e in _elements(complex_type)}
            is_open = complex_type.find(f"{_XS}sequence/{_XS}any") is not None
        codes = [e.get("value", "") for e in self._facets(type_name, "enumeration")]
        return Shape(
            name=name,
            type=type_name,
            required=element.get("minOccurs", "1") != "0",
            repeats=element.get("maxOccurs", "1") != "1",
            in_choice=parent is not None and parent.tag == f"{_XS}choice",
            open=is_open,
            codes=frozenset(codes),
            collapse=not is_complex and type_name != "Text",
            children=children,
        )

    def _facets(self, type_name: str, facet: str) -> list[Element]:
        found = self.types.get(type_name)
        if found is None or found.tag != f"{_XS}simpleType":
            return []
        return found.findall(f"{_XS}restriction/{_XS}{facet}")


def _elements(complex_type: Element) -> list[Element]:
    found = []
    for part in complex_type:
        if part.tag in (f"{_XS}sequence", f"{_XS}choice"):
            found += _elements(part)
        elif part.tag == f"{_XS}element":
            found.append(part)
    return found


@cache
def envelope_shape(version: str = "1.0") -> Shape:
    """The shape of `Envelope`, read once from the shipped schema."""
    schema = _Schema(shipped("schemas") / "emla" / version)
    if schema.envelope is None:
        raise ValueError(f"the schema {version} has no Envelope")
    return schema.shape(schema.envelope)


def walk(shapes: tuple[Shape, ...], path: TreePath) -> tuple[Shape, ...]:
    """The shapes from the root down to what the path leads to. Raises ValueError."""
    found = [shapes[0]] if path.absolute else list(shapes)
    for step in path.steps:
        if step.name == "..":
            found.pop()
        elif step.name != ".":
            child = found[-1].children.get(step.name) if found else None
            if child is None:
                raise ValueError(
                    f"the envelope has no {path.text!r} here: {step.name!r} is unknown"
                )
            if step.repeats and not child.repeats:
                raise ValueError(f"the envelope's {step.name!r} in {path.text!r} does not repeat")
            found.append(child)
        for test in step.tests:
            tested = found[-1].at(test.names) if found else None
            if tested is None:
                raise ValueError(f"the envelope has no {'/'.join(test.names)!r} in {path.text!r}")
            if tested.codes and not tested.codes.issuperset(test.values):
                raise ValueError(f"{test.values}: no code of {'/'.join(test.names)!r}")
    if not found:
        raise ValueError(f"{path.text!r} leaves the envelope")
    return tuple(found)
