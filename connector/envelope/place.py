"""Where an element stands, by names: `Envelope/Request/Person[2]/Position`."""

from __future__ import annotations

from typing import Any

from lxml import etree

from connector.xml import Element


def path_of(element: Element) -> str:
    """The element's path by local names, with a position where a name is repeated."""
    steps = []
    node: Element | None = element
    while node is not None:
        steps.append(_step(node))
        node = node.getparent()
    return "/".join(reversed(steps))


def _step(node: Element) -> str:
    if not isinstance(node.tag, str):
        return "comment()"
    name = etree.QName(node).localname
    before = sum(1 for _ in node.itersiblings(node.tag, preceding=True))
    alone = not before and next(node.itersiblings(node.tag), None) is None
    return name if alone else f"{name}[{before + 1}]"


def line_of(element: Element) -> int | None:
    """The line that the element began on in the file it was parsed from."""
    line: Any = element.sourceline
    return line if isinstance(line, int) else None
