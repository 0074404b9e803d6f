"""Elements of a page, made as a tree: whatever is text is escaped when the tree is written."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from lxml import etree, html

from connector.xml import Element

Content = Element | str | None
_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def tag(name: str, /, *content: Content | Iterable[Content], **attributes: str) -> Element:
    """An element: strings become text, None nothing, iterables their items.

    Attributes are written as Python can: `class_` is `class`, `stroke_width` is `stroke-width`.
    """
    element = etree.Element(name)
    for key, value in attributes.items():
        element.set(key.rstrip("_").replace("_", "-"), _clean(value))
    for each in content:
        if each is None or isinstance(each, str | etree._Element):
            _append(element, each)
        else:
            for item in each:
                _append(element, item)
    return element


def _append(element: Element, content: Content) -> None:
    if content is None:
        return
    if not isinstance(content, str):
        element.append(content)
        return
    text = _clean(content)
    if len(element):
        element[-1].tail = (element[-1].tail or "") + text
    else:
        element.text = (element.text or "") + text


def _clean(text: str) -> str:
    """Without what no page can hold."""
    return _FORBIDDEN.sub("\ufffd", text)


def document(root: Element) -> bytes:
    """The page as HTML 5 in UTF-8."""
    written: bytes = html.tostring(
        root, encoding="utf-8", method="html", doctype="<!DOCTYPE html>", pretty_print=False
    )
    return written + b"\n"
