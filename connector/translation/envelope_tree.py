"""The envelope's lxml tree as neutral nodes and back. Signatures are no fields."""

from __future__ import annotations

from typing import Any, Final

from lxml import etree

from connector.envelope.place import line_of
from connector.errors import unacceptable
from connector.translation.compiled import Order
from connector.translation.envelope_shape import Shape
from connector.translation.kind import named_place
from connector.translation.node import Node
from connector.translation.walking import in_order
from connector.xml import Element, canonical, text_of

NAMESPACE: Final = "urn:emla:envelope:1"
_NAMESPACES: Final[Any] = {None: NAMESPACE}
_E: Final = f"{{{NAMESPACE}}}"
_SIGNATURE: Final = "{http://www.w3.org/2000/09/xmldsig#}Signature"


def read_tree(envelope: Element) -> Node:
    """Raises `translation.not-an-envelope`, `xml.comment-in-value`."""
    if envelope.tag != f"{_E}Envelope":
        raise unacceptable(
            "translation.not-an-envelope",
            f"The root element is {envelope.tag}, not an e-MLA envelope.",
            mend="Hand over the element Envelope.",
        )
    root = Node("Envelope", None)
    _fill(root, envelope, 0)
    return root


def _fill(node: Node, element: Element, count: int) -> int:
    inner = False
    for child in element:
        tag = child.tag
        if not isinstance(tag, str) or tag == _SIGNATURE:
            continue
        inner = True
        count += 1
        if tag.startswith(_E):
            count = _fill(node.add(tag[len(_E) :], count, line_of(child)), child, count)
        else:  # content of partners' own is one field, markup and all
            node.add(tag, count, line_of(child)).value = canonical(child).decode()
    if not inner:
        node.value = text_of(element)
    return count


def write_tree(root: Node, order: Order, version: str = "1.0") -> Element:
    """The lxml tree, children in the schema's order."""
    envelope = etree.Element(f"{_E}Envelope", nsmap=_NAMESPACES)
    envelope.set("version", version)
    _build(envelope, root, order)
    return envelope


def _build(element: Element, node: Node, order: Order | None) -> None:
    kids = node.kids
    children = in_order(node, order) if len(kids) > 1 else node.children()
    for kid in children:
        inner = etree.SubElement(element, _E + kid.name)
        if kid.kids:
            below = order.children.get(kid.name) if order is not None else None
            _build(inner, kid, below)
        elif kid.value:
            inner.text = kid.value


def schema_order(shape: Shape) -> Order:
    """The order of children that the schema demands."""
    order = Order()
    for rank, (name, child) in enumerate(shape.children.items()):
        order.ranks[name] = rank
        order.children[name] = schema_order(child)
    return order


def envelope_place(node: Node) -> str:
    """`Envelope/Request/Person[2]/Position`, as `connector.envelope` writes it."""
    return named_place(node)
