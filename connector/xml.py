"""The one XML parser of the connector: no DTD, no network, no entities, bounded in every direction.

Whatever is parsed here may come from a stranger. Parse once at the border, pass typed objects on.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from connector.errors import ConnectorError, Problem, unacceptable
from connector.errors import Kind as ErrorKind

Element = etree._Element


@dataclass(frozen=True, slots=True)
class Limits:
    """How large a document may be before it is refused."""

    max_bytes: int = 64 * 1024 * 1024
    """Bytes of the serialised document. Evidence never travels inside XML, so this is ample."""
    max_attributes: int = 256
    """Attributes and namespace declarations on one element."""
    max_elements: int = 1_000_000


DEFAULT_LIMITS = Limits()


def parser(*, keep_blank_text: bool = True) -> etree.XMLParser:
    """A fresh parser: a parser keeps state, so none is shared between documents."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        attribute_defaults=False,
        huge_tree=False,  # libxml2's own bounds: depth 256, text nodes of 10 MB
        recover=False,
        remove_blank_text=not keep_blank_text,
        collect_ids=False,  # `id()` must never find what we did not look for
    )


def parse(data: bytes, *, limits: Limits = DEFAULT_LIMITS, file: str | None = None) -> Element:
    """The root element of `data`.

    Raises `ConnectorError` (unacceptable): `xml.too-large`, `xml.doctype`, `xml.malformed`,
    `xml.too-many-attributes`, `xml.too-many-elements`.
    """
    if len(data) > limits.max_bytes:
        raise unacceptable(
            "xml.too-large",
            f"The XML document has {len(data)} bytes; {limits.max_bytes} are allowed.",
            mend="Send large content as an attachment.",
            file=file,
        )
    try:
        root = etree.fromstring(data, parser())
    except (etree.XMLSyntaxError, ValueError, LookupError) as error:
        raise _malformed(data, error, file) from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise _doctype(file)
    # Counting delimiters first keeps ordinary documents free of a walk over the tree.
    if data.count(b"=") > limits.max_attributes or data.count(b"<") > limits.max_elements:
        _check_shape(root, limits, file)
    return root


def _doctype(file: str | None) -> ConnectorError:
    return unacceptable(
        "xml.doctype",
        "The document has a DOCTYPE declaration, which is never accepted.",
        mend="Remove the DOCTYPE and all entity references.",
        file=file,
    )


def _malformed(data: bytes, error: Exception, file: str | None) -> ConnectorError:
    if b"<!DOCTYPE" in data[:4096] or b"<!ENTITY" in data[:65536]:
        return _doctype(file)
    line = error.lineno if isinstance(error, etree.XMLSyntaxError) else None
    return ConnectorError(
        ErrorKind.UNACCEPTABLE,
        Problem(
            code="xml.malformed",
            what=f"The document is not well-formed XML: {str(error)[:300]}",
            mend="Check the encoding and the place that is named.",
            file=file,
            line=line,
        ),
    )


def _check_shape(root: Element, limits: Limits, file: str | None) -> None:
    for count, element in enumerate(root.iter(), 1):
        if count > limits.max_elements:
            raise unacceptable(
                "xml.too-many-elements",
                f"The document has more than {limits.max_elements} elements.",
                file=file,
            )
        if isinstance(element.tag, str) and (
            len(element.attrib) > limits.max_attributes
            or len(element.nsmap) > limits.max_attributes
        ):
            raise unacceptable(
                "xml.too-many-attributes",
                f"An element has more than {limits.max_attributes} attributes or namespaces.",
                file=file,
                line=element.sourceline,
            )


def text_of(element: Element) -> str:
    """The element's text. Comments or processing instructions inside a value are refused,
    since they would let two readers see two values. Raises `xml.comment-in-value`."""
    if len(element):
        raise unacceptable(
            "xml.comment-in-value",
            f"{etree.QName(element).localname} holds markup or a comment where a value is read.",
            mend="Remove comments and processing instructions from values.",
            line=element.sourceline,
        )
    return element.text or ""


def serialize(root: Element) -> bytes:
    """The document as UTF-8 bytes with an XML declaration; never re-indented."""
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def canonical(element: Element, *, exclusive: bool = True) -> bytes:
    """Canonical XML 1.0 without comments (exclusive by default), as XMLDSig means it.

    Raises `xml.not-canonicalisable` where libxml2 gives up (tens of thousands of namespaces).
    """
    try:
        return etree.tostring(element, method="c14n", exclusive=exclusive, with_comments=False)
    except (etree.C14NError, ValueError) as error:
        raise unacceptable(
            "xml.not-canonicalisable", f"Cannot be canonicalised: {error}"
        ) from error
