"""From XML to the model. Whoever reads a document from a stranger runs `check` first."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from lxml import etree

from connector.envelope.binding import NAMESPACE, Extension, Leaf, Plan, plan
from connector.envelope.model import VERSION, Envelope
from connector.envelope.place import path_of
from connector.errors import ConnectorError, unacceptable
from connector.xml import Element, canonical, text_of

ROOT: Final = f"{{{NAMESPACE}}}Envelope"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})
_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def read(root: Element) -> Envelope:
    """The envelope in `root`. Signatures after the body are not part of the model.

    Raises `ConnectorError` (unacceptable): `envelope.not-an-envelope`,
    `envelope.version-unsupported`, `envelope.element-missing`, `envelope.element-unexpected`,
    `envelope.value`, `xml.comment-in-value`, each with path and line.
    """
    require_envelope(root)
    envelope: Envelope = build(Envelope, root, signed=True)
    return envelope


def without_signatures(root: Element) -> Element:
    """`root` itself, without the signatures beside the body. None of them is looked at."""
    for signature in list(root.iterchildren(_SIGNATURE)):
        root.remove(signature)
    return root


def require_envelope(root: Element) -> None:
    """Raises `envelope.not-an-envelope` or `envelope.version-unsupported`."""
    if root.tag != ROOT:
        raise unacceptable(
            "envelope.not-an-envelope",
            f"The root element is {root.tag}, not Envelope of {NAMESPACE}.",
            mend="Translate a national document first (emla translate).",
            line=root.sourceline,
        )
    if (version := root.get("version")) != VERSION:
        raise unacceptable(
            "envelope.version-unsupported",
            f"The envelope has version {version!r}; this connector knows {VERSION}.",
            mend=f"Ask the sender for version {VERSION}, or update this connector.",
            line=root.sourceline,
            path="Envelope/@version",
        )


def build(
    cls: type,
    element: Element,
    *,
    signed: bool = False,
    replace: Mapping[str, Any] = _NOTHING,
    default: Mapping[str, Any] = _NOTHING,
) -> Any:
    """An object of the class `cls` of the model from its element.

    `replace` are fields whose elements are not looked at, `default` fields that may be missing;
    `signed` allows signatures among the children. Raises as `read`.
    """
    of_class = plan(cls)
    slots, by_tag = of_class.slots, of_class.by_tag
    found: dict[str, Any] = {}
    position = 0
    for child in element:
        name = child.tag
        if not isinstance(name, str):  # a comment or processing instruction between elements
            continue
        if (known := by_tag.get(name)) is None:
            if signed and name == _SIGNATURE:
                continue
            raise _unexpected(child, "does not belong here")
        index, content = known
        slot = slots[index]
        field = slot.field
        if field in replace:
            continue
        if index < position:
            raise _unexpected(child, "is out of order")
        position = index
        value = _leaf(content, child) if isinstance(content, Leaf) else _nested(content, child)
        if field not in found:
            found[field] = [value] if slot.many else value
        elif slot.many:
            found[field].append(value)
        else:
            raise _unexpected(child, "stands more than once")
    return _made(cls, of_class, {**default, **found, **replace}, element)


def _made(cls: type, of_class: Plan, found: dict[str, Any], element: Element) -> Any:
    for slot in of_class.slots:
        if slot.field not in found:
            if slot.required:
                names = " or ".join(slot.elements)
                raise unacceptable(
                    "envelope.element-missing",
                    f"{etree.QName(element).localname} has no {names}.",
                    mend=f"Add {names}.",
                    path=path_of(element),
                    line=element.sourceline,
                )
        elif slot.many:
            found[slot.field] = tuple(found[slot.field])
    return cls(**found)


def _nested(cls: type, element: Element) -> Any:
    if cls is Extension:
        children = (child for child in element if isinstance(child.tag, str))
        return Extension(content=tuple(canonical(child) for child in children))
    return build(cls, element)


def _leaf(leaf: Leaf, element: Element) -> Any:
    try:
        return leaf.decode(text_of(element))
    except ValueError as error:
        raise unacceptable(
            "envelope.value",
            f"{etree.QName(element).localname} cannot be read: {error}",
            path=path_of(element),
            line=element.sourceline,
        ) from error


def _unexpected(child: Element, why: str) -> ConnectorError:
    return unacceptable(
        "envelope.element-unexpected",
        f"{child.tag} {why}.",
        mend="Follow the schema emla.xsd; content of your own belongs into Extension.",
        path=path_of(child),
        line=child.sourceline,
    )
