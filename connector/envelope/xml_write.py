"""From the model to XML: UTF-8, one namespace, not indented, for the bytes are to be signed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from lxml import etree

from connector.envelope.binding import NAMESPACE, Extension, Leaf, plan
from connector.envelope.model import VERSION, Envelope
from connector.errors import ConnectorError, unacceptable
from connector.xml import Element, canonical, parse

_START: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<Envelope xmlns="{NAMESPACE}" version="{VERSION}">'
)
# Without a default namespace, so that foreign elements of no namespace keep to that.
_FOREIGN_START: Final = f'<e:Extension xmlns="" xmlns:e="{NAMESPACE}">'
_FOREIGN_END: Final = "</e:Extension>"


def write(envelope: Envelope) -> bytes:
    """The document as bytes. `read(parse(write(e))) == e` holds for every envelope it writes.

    Raises `ConnectorError` (unacceptable): `envelope.value` for what XML or the schema's plain
    types cannot hold, with the path; `xml.character`. Call `check` for all other rules.
    """
    pieces = [_START]
    _fill(pieces, envelope, "Envelope")
    pieces.append("</Envelope>\n")
    return "".join(pieces).encode()


def write_element(envelope: Envelope) -> Element:
    """The document as a fresh tree, e.g. to be signed. Raises as `write` and `xml.parse`."""
    return parse(write(envelope))


@cache
def _steps(cls: type) -> tuple[tuple[str, bool, dict[type | None, tuple[str, str, Any]]], ...]:
    """For each field: its name, whether it repeats, and by class of the value (None: a leaf) the
    start tag, the end tag, and the leaf if it is one."""
    return tuple(
        (
            slot.field,
            slot.many,
            {
                None if isinstance(content, Leaf) else content: (f"<{name}>", f"</{name}>", content)
                for name, content in slot.elements.items()
            },
        )
        for slot in plan(cls).slots
    )


def _fill(pieces: list[str], value: Any, path: str) -> None:
    cls: type = type(value)
    for field, repeats, forms in _steps(cls):
        found = getattr(value, field)
        if found is None:
            continue
        leaf_form = forms.get(None)
        for each in found if repeats else (found,):
            if leaf_form is not None:
                start, end, leaf = leaf_form
                pieces += (start, _encoded(leaf, each, path, field), end)
            else:
                start, end, _ = forms[type(each)]
                if isinstance(each, Extension):
                    pieces += (_FOREIGN_START, *_foreign(each, path), _FOREIGN_END)
                else:
                    pieces.append(start)
                    _fill(pieces, each, f"{path}/{start[1:-1]}")
                    pieces.append(end)


def _encoded(leaf: Leaf, value: Any, path: str, field: str) -> str:
    try:
        return leaf.encode(value)
    except ValueError as error:
        raise unacceptable(
            "envelope.value", f"{field} of {path} cannot be written: {error}", path=path
        ) from error


def _foreign(extension: Extension, path: str) -> Iterator[str]:
    for content in extension.content:
        try:
            element = parse(content)  # one whole element, or it could close ours
        except ConnectorError as error:
            raise unacceptable(
                "envelope.value", f"The Extension of {path} is not XML: {error}", path=path
            ) from error
        if etree.QName(element).namespace in (None, NAMESPACE):
            raise unacceptable(
                "envelope.value",
                f"The Extension of {path} holds {element.tag}.",
                mend="Use a namespace of your own.",
                path=path,
            )
        yield canonical(element).decode()
