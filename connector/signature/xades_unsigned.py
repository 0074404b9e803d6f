"""The unsigned properties of a XAdES signature (ETSI EN 319 132-1, 5.3 to 5.5): reading them, and
putting more in without touching any other byte of the document.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from xml.parsers import expat

from lxml import etree

from connector.errors import unacceptable
from connector.signature.algorithms import EXC_C14N
from connector.signature.dsig_model import DS, refused
from connector.signature.dsig_reading import base64_value
from connector.signature.revocation import RevocationData
from connector.signature.timestamps import Token, read_token
from connector.signature.xades_statements import XADES
from connector.xml import Element, parse

XADES141: Final = "http://uri.etsi.org/01903/v1.4.1#"
MAX_PROPERTIES: Final = 256

_X: Final = f"{{{XADES}}}"
_X141: Final = f"{{{XADES141}}}"
_D: Final = f"{{{DS}}}"
SIGNATURE: Final = f"{_D}Signature"
QUALIFYING: Final = f"{_X}QualifyingProperties"
SIGNATURE_TIMESTAMP: Final = f"{_X}SignatureTimeStamp"
ARCHIVE_TIMESTAMP: Final = f"{_X141}ArchiveTimeStamp"
_CERTIFICATE_VALUES: Final = frozenset({f"{_X}CertificateValues", f"{_X}AttrAuthoritiesCertValues"})
_REVOCATION_VALUES: Final = frozenset({f"{_X}RevocationValues", f"{_X}AttributeRevocationValues"})
_CONTAINERS: Final = frozenset(
    {f"{_X141}TimeStampValidationData", f"{_X141}AnyValidationData", f"{_X}AnyValidationData"}
)
_C14N_METHOD: Final = f"{_D}CanonicalizationMethod"


@dataclass(frozen=True, slots=True)
class PropertyTimestamp:
    """A timestamp among the properties."""

    element: Element
    """xades:SignatureTimeStamp, xades141:ArchiveTimeStamp …"""
    c14n: str
    """URI of the canonicalisation of what is stamped."""
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Values:
    """Validation data among the properties, none of it verified."""

    certificates: tuple[bytes, ...] = ()
    """DER."""
    revocation: RevocationData = field(default_factory=RevocationData)

    def __add__(self, other: Values) -> Values:
        return Values(
            tuple(dict.fromkeys(self.certificates + other.certificates)),
            self.revocation + other.revocation,
        )


def unsigned_properties(signature: Element) -> Sequence[Element]:
    """The children of UnsignedSignatureProperties, in order. Raises `signature.malformed`."""
    found = signature.findall(
        f"{_D}Object/{QUALIFYING}/{_X}UnsignedProperties/{_X}UnsignedSignatureProperties"
    )
    if len(found) > 1:
        raise refused("malformed", "UnsignedSignatureProperties come more than once.", found[1])
    children = [child for each in found for child in each if isinstance(child.tag, str)]
    if len(children) > MAX_PROPERTIES:
        raise refused("malformed", f"{len(children)} unsigned properties.", signature)
    return children


def read_timestamp(element: Element) -> PropertyTimestamp:
    """A timestamp property with its tokens. Raises `signature.malformed`, `signature.comment`,
    `timestamp.malformed`."""
    method = element.find(_C14N_METHOD)
    encapsulated = element.findall(f"{_X}EncapsulatedTimeStamp")
    if not encapsulated:
        raise refused("malformed", "A timestamp property holds no RFC 3161 token.", element)
    c14n = "" if method is None else method.get("Algorithm", "")
    tokens = tuple(read_token(base64_value(each)) for each in encapsulated)
    return PropertyTimestamp(element, c14n, tokens)


def read_values(element: Element) -> Values:
    """The certificates, CRLs and OCSP responses in a property; none if it holds no such thing.

    Raises `signature.malformed`, `signature.comment`.
    """
    if element.tag in _CONTAINERS:
        found = Values()
        for child in element:
            if isinstance(child.tag, str):
                found = found + read_values(child)
        return found
    if element.tag in _CERTIFICATE_VALUES:
        inner = element.iterchildren(f"{_X}EncapsulatedX509Certificate")
        return Values(tuple(base64_value(each) for each in inner))
    if element.tag in _REVOCATION_VALUES:
        crls = element.iterfind(f"{_X}CRLValues/{_X}EncapsulatedCRLValue")
        ocsps = element.iterfind(f"{_X}OCSPValues/{_X}EncapsulatedOCSPValue")
        return Values(
            revocation=RevocationData(
                tuple(base64_value(each) for each in ocsps),
                tuple(base64_value(each) for each in crls),
            )
        )
    return Values()


# --- Writing ---


def timestamp_markup(kind: str, name: str, token: bytes) -> bytes:
    """A timestamp property; `kind` is `SIGNATURE_TIMESTAMP` or `ARCHIVE_TIMESTAMP`."""
    qualified = etree.QName(kind)
    prefix = "xades" if qualified.namespace == XADES else "xades141"
    declared = "" if prefix == "xades" else f' xmlns:xades="{XADES}"'
    tag = f"{prefix}:{qualified.localname}"
    return (
        f'<{tag} xmlns:{prefix}="{qualified.namespace}"{declared} Id="{name}">'
        f'<ds:CanonicalizationMethod xmlns:ds="{DS}" Algorithm="{EXC_C14N}"/>'
        f"<xades:EncapsulatedTimeStamp>{_base64(token)}</xades:EncapsulatedTimeStamp></{tag}>"
    ).encode()


def values_markup(values: Values) -> bytes:
    """CertificateValues and RevocationValues of the signature; nothing if there are none."""
    return _values(values, f' xmlns:xades="{XADES}"').encode()


def timestamp_values_markup(values: Values, of: str) -> bytes:
    """TimeStampValidationData (5.5.1) for the timestamp whose Id is `of`; nothing if empty."""
    inner = _values(values, "")
    if not inner:
        return b""
    return (
        f'<xades141:TimeStampValidationData xmlns:xades141="{XADES141}" xmlns:xades="{XADES}"'
        f' URI="#{of}">{inner}</xades141:TimeStampValidationData>'
    ).encode()


def _values(values: Values, declared: str) -> str:
    parts = []
    if values.certificates:
        inner = "".join(_encapsulated("X509Certificate", der) for der in values.certificates)
        parts.append(f"<xades:CertificateValues{declared}>{inner}</xades:CertificateValues>")
    if values.revocation:
        crls = "".join(_encapsulated("CRLValue", der) for der in values.revocation.crls)
        ocsps = "".join(_encapsulated("OCSPValue", der) for der in values.revocation.ocsps)
        inner = (f"<xades:CRLValues>{crls}</xades:CRLValues>" if crls else "") + (
            f"<xades:OCSPValues>{ocsps}</xades:OCSPValues>" if ocsps else ""
        )
        parts.append(f"<xades:RevocationValues{declared}>{inner}</xades:RevocationValues>")
    return "".join(parts)


def _encapsulated(kind: str, der: bytes) -> str:
    return f"<xades:Encapsulated{kind}>{_base64(der)}</xades:Encapsulated{kind}>"


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def with_properties(document: bytes, number: int, markup: bytes) -> bytes:
    """`document` with `markup` as the last of the unsigned properties of its `number`-th signature
    (from 0, in document order, each ds:Signature counted). No other byte is touched.

    Raises `signature.missing`, `signature.malformed`, `signature.encoding`.
    """
    place = _Place(number)
    place.find(document)
    encoding = (parse(document).getroottree().docinfo.encoding or "UTF-8").upper()
    if encoding.startswith(("UTF-16", "UTF-32", "UCS")):
        raise unacceptable(
            "signature.encoding",
            f"A signature in a document in {encoding} cannot be extended.",
            mend="Sign the document in UTF-8.",
        )
    for name in place.missing:
        declared = f' xmlns:xades="{XADES}"'.encode() if name == place.missing[-1] else b""
        markup = b"<xades:%b%b>%b</xades:%b>" % (name.encode(), declared, markup, name.encode())
    return document[: place.offset] + markup + document[place.offset :]


class _Place:
    """Finds the byte at which further properties go in, by a second parser that knows offsets.

    The document has been through `connector.xml.parse` already: no DOCTYPE, bounded.
    """

    def __init__(self, number: int) -> None:
        self._wanted = number
        self._seen = -1
        self._path: list[str] = []
        self._depth: int | None = None
        """Of the wanted signature."""
        self._began = -1
        self.offset = -1
        self.missing: tuple[str, ...] = ()
        """Elements that must be made around what is put in, the innermost first."""

    def find(self, document: bytes) -> None:
        parser = expat.ParserCreate(namespace_separator=" ")
        self._parser = parser
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        try:
            parser.Parse(document, True)
        except expat.ExpatError as error:
            raise unacceptable("xml.malformed", f"Not well-formed: {error}") from error
        if self.offset < 0:
            raise unacceptable(
                "signature.missing",
                f"The document has no XAdES signature number {self._wanted + 1}.",
                mend="Sign the document first.",
            )

    def _start(self, name: str, attributes: object) -> None:
        self._path.append(name)
        self._began = self._parser.CurrentByteIndex
        if name == f"{DS} Signature":
            self._seen += 1
            if self._seen == self._wanted:
                self._depth = len(self._path)

    def _end(self, name: str) -> None:
        inside = self._path[self._depth :] if self._depth is not None else []
        if self._depth is not None and inside == list(_DOWN[: len(inside)]) and len(inside) > 1:
            if self._parser.CurrentByteIndex == self._began:
                raise unacceptable(
                    "signature.malformed",
                    f"The signature's {name.partition(' ')[2]} is an empty element.",
                )
            if self.offset < 0 and inside[1] == _DOWN[1]:
                self.offset = self._parser.CurrentByteIndex
                missing = _DOWN[len(inside) :]
                self.missing = tuple(each.partition(" ")[2] for each in reversed(missing))
        if self._depth is not None and len(self._path) == self._depth:
            self._depth = None
        self._path.pop()


_DOWN: Final = (
    f"{DS} Object",
    f"{XADES} QualifyingProperties",
    f"{XADES} UnsignedProperties",
    f"{XADES} UnsignedSignatureProperties",
)
