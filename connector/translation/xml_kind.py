"""XML documents with namespaces; names in paths carry the prefixes that the mapping declares."""

from __future__ import annotations

import re
from typing import Any, Final

from lxml import etree

from connector.envelope.place import line_of
from connector.errors import ConnectorError, unacceptable
from connector.translation.compiled import Order
from connector.translation.kind import (
    Document,
    line_at,
    named_below,
    named_place,
    require_name,
    require_size,
    too_deep,
    too_many,
)
from connector.translation.mapping import LimitsTable, XmlTable
from connector.translation.node import TEXT, Node, Outcome
from connector.translation.walking import in_order
from connector.xml import Element, Limits, parse, serialize

NO_NAMESPACE: Final = "{}"
"""Before names without a namespace, where names without a prefix have one."""
XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_TYPE: Final = f"{{{XSI}}}type"
_HINTS: Final = {f"{{{XSI}}}schemaLocation", f"{{{XSI}}}noNamespaceSchemaLocation"}
_ENCODING_ERRORS: Final = {
    etree.ErrorTypes.ERR_UNKNOWN_ENCODING,
    etree.ErrorTypes.ERR_UNSUPPORTED_ENCODING,
    etree.ErrorTypes.ERR_ENCODING_NAME,
    etree.ErrorTypes.ERR_INVALID_ENCODING,
}
_HINT_REASON: Final = "A hint where a schema lies is no content."


class XmlKind:
    """Reads and writes XML; places are paths of names with positions."""

    arrays = False
    typed = False

    def __init__(self, table: XmlTable, limits: LimitsTable) -> None:
        self._limits = limits
        namespaces = {"xsi": XSI, **table.namespaces}
        self._uris = namespaces
        self._prefixes = {uri: prefix for prefix, uri in namespaces.items()}
        self._root = table.root
        default = table.default_prefix
        self._bare = NO_NAMESPACE if "" in namespaces else ""
        self._written: Any = {
            (None if prefix == default else table.written.get(prefix, prefix) or None): uri
            for prefix, uri in table.namespaces.items()
        }
        self._names: dict[str, str] = {}

    def looks_like(self, data: bytes) -> bool:
        """Whether it begins as XML does."""
        start = data[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
        return start[:1] == b"<" or data[:2] in (b"\xff\xfe", b"\xfe\xff")

    def seen(self, data: bytes) -> str:
        """The root element."""
        root = parse(data)
        return f"XML with the root element {root.tag}"

    def read(self, data: bytes, *, file: str | None = None) -> Node:
        """Raises as `connector.xml.parse`, and `translation.too-large`, `.wrong-encoding`,
        `.too-deep`, `.too-many-fields`, `xml.comment-in-value`."""
        require_size(data, self._limits, file)
        if data.count(b"<") > 2 * self._limits.max_fields + 2:
            raise too_many(self._limits, file)  # before memory is spent on them
        limits = Limits(max_bytes=self._limits.max_bytes, max_elements=self._limits.max_fields)
        try:
            root = parse(data, limits=limits, file=file)
        except ConnectorError as error:
            raise _encoding_error(data, error, file) from error
        if data.count(b"<") + data.count(b"=") > self._limits.max_fields:
            fields = sum(1 + len(each.attrib) for each in root.iter(etree.Element))
            if fields > self._limits.max_fields:
                raise too_many(self._limits, file)
        node = Node(self.name(root.tag), None, 0, line_of(root))
        self._fill(node, root, 0, 1, file)
        return node

    def name(self, tag: str, *, attribute: bool = False) -> str:
        """`prefix:local` for the tag of a known namespace, `{uri}local` for another."""
        if tag[0] == "{":
            known = self._names.get(tag)
            if known is None:
                require_name(tag, None)
                uri, _, local = tag[1:].partition("}")
                prefix = self._prefixes.get(uri)
                known = tag if prefix is None else f"{prefix}:{local}" if prefix else local
                if len(self._names) < 10_000:
                    self._names[tag] = known
            tag = known
        elif not attribute:
            tag = self._bare + tag
        return f"@{tag}" if attribute else tag

    def _fill(self, node: Node, element: Element, count: int, depth: int, file: str | None) -> int:
        """Attributes, children and text of `element`; the number of nodes so far."""
        if depth > self._limits.max_depth:
            raise too_deep(self._limits, file)
        for key, value in element.attrib.items():
            count += 1
            attribute = node.add(self.name(str(key), attribute=True), count, line_of(element))
            attribute.value = self._type_name(element, str(value)) if key == _TYPE else str(value)
            if key in _HINTS:
                attribute.settle(Outcome.DROPPED, "", _HINT_REASON)
        text, commented = element.text or "", False
        for child in element:
            if isinstance(child.tag, str):
                count += 1
                inner = node.add(self.name(child.tag), count, line_of(child))
                count = self._fill(inner, child, count, depth + 1, file)
            else:
                commented = True
            text += child.tail or ""
        has_text = bool(text.strip())
        if commented and has_text:
            raise unacceptable(
                "xml.comment-in-value",
                "A comment or processing instruction stands where a value is read.",
                mend="Remove it.",
                file=file,
                line=line_of(element),
                path=named_place(node),
            )
        if has_text or not node.kids:
            mixed = any(name[0] != "@" for name in node.kids)
            (node.add(TEXT, count, line_of(element)) if mixed else node).value = text
        return count

    def _type_name(self, element: Element, value: str) -> str:
        """An xsi:type with the mapping's prefix, whatever the document's is."""
        prefix, colon, local = value.strip().rpartition(":")
        uri = element.nsmap.get(prefix if colon else None)
        return self.name(f"{{{uri}}}{local}" if uri else local)

    def write(self, root: Node, order: Order) -> Document:
        """UTF-8, two blanks a level, the namespaces of the mapping declared on the root."""
        element = etree.Element(self._tag(root.name), nsmap=self._written)
        self._build(element, root, order)
        etree.indent(element)
        return Document(serialize(element) + b"\n")

    def _build(self, element: Element, node: Node, order: Order | None) -> None:
        last: Element | None = None
        for kid in in_order(node, order):
            if kid.name[0] == "@":
                name = kid.name[1:]
                key = self._tag(name) if ":" in name or name[0] == "{" else name
                element.set(key, self._attribute(name, kid.value or ""))
            elif kid.name == TEXT:
                if last is None:
                    element.text = (element.text or "") + (kid.value or "")
                else:
                    last.tail = (last.tail or "") + (kid.value or "")
            else:
                last = etree.SubElement(element, self._tag(kid.name))
                below = order.children.get(kid.name) if order is not None else None
                self._build(last, kid, below)
        if node.value:
            element.text = node.value

    def _attribute(self, name: str, value: str) -> str:
        if name != "xsi:type":
            return value
        prefix, colon, local = value.rpartition(":")
        bare = not colon or self._written.get(None) == self._uris.get(prefix)
        return local if bare else value

    def _tag(self, name: str) -> str:
        if name[0] == "{":
            return name.removeprefix(NO_NAMESPACE)
        prefix, colon, local = name.rpartition(":")
        if colon:
            return f"{{{self._uris[prefix]}}}{local}"
        return f"{{{self._uris['']}}}{local}" if "" in self._uris else name

    def place(self, node: Node) -> str:
        """`xj:nachricht/xj:beteiligung[2]/@id`."""
        return named_place(node)

    def below(self, node: Node, path: str) -> str:
        """That form for what is not there."""
        return named_below(node, path)


def _encoding_error(data: bytes, error: ConnectorError, file: str | None) -> ConnectorError:
    cause = error.__cause__
    if getattr(cause, "code", None) not in _ENCODING_ERRORS:
        return error
    place = ""
    line = error.problems[0].line
    if b"encoding" not in data[:200] or re.search(rb"encoding=.utf-?8", data[:200], re.I):
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as wrong:
            place = f" Byte {wrong.start} (0x{data[wrong.start]:02X}) is not UTF-8."
            line = line_at(data, wrong.start)
    return unacceptable(
        "translation.wrong-encoding",
        f"The document is not in the encoding that it declares.{place}",
        mend="Correct the encoding, or the declaration in the first line.",
        file=file,
        line=line,
    )
