"""Making XAdES-B-B signatures (ETSI EN 319 132-1, clauses 4 and 6)."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from connector.signature.algorithms import DIGEST_METHODS, EXC_C14N, SHA256
from connector.signature.dsig_model import DS, ENVELOPED, Reference, Transform
from connector.signature.dsig_reading import canonical_octets
from connector.signature.dsig_writing import build_signature, x509_data
from connector.signature.keys import SigningKey
from connector.signature.xades_properties import SIGNED_PROPERTIES_TYPE
from connector.signature.xades_statements import (
    NOTHING,
    XADES,
    Statements,
    content_statements,
    data_object_format,
    signature_statements,
)
from connector.xml import Element

_EXCLUSIVE: Final = Transform(EXC_C14N)
_WHOLE_DOCUMENT: Final = (Transform(ENVELOPED), _EXCLUSIVE)


def sign_enveloped(
    root: Element,
    key: SigningKey,
    signing_time: datetime,
    *,
    signature_method: str | None = None,
    digest_method: str = SHA256,
    media_type: str = "text/xml",
    roles: Sequence[str] = (),
) -> bytes:
    """The document of `root` in UTF-8 with a signature over all of it as the root's last child.

    `root` stays as it is. `roles` are claimed, not proven (xades:ClaimedRole). Comments are kept,
    but are not signed. Raises `signature.wrong-key` (configuration), `xml.not-canonicalisable`.
    """
    beside = root.getprevious() is not None or root.getnext() is not None
    octets = canonical_octets(root.getroottree() if beside else root, _EXCLUSIVE)
    digest = hashlib.new(DIGEST_METHODS[digest_method], octets).digest()
    signature = make_signature(
        [Item("", media_type, digest, _WHOLE_DOCUMENT)],
        key,
        signing_time,
        signature_method=signature_method,
        digest_method=digest_method,
        statements=Statements(roles=tuple(roles)) if roles else NOTHING,
    )
    return with_last_child(root, signature)


def sign_detached(
    items: Sequence[tuple[str, str, bytes]],
    key: SigningKey,
    signing_time: datetime,
    *,
    signature_method: str | None = None,
    roles: Sequence[str] = (),
) -> bytes:
    """A ds:Signature over files: (URI, media type, SHA-256 digest of the bytes) for each.

    URIs are written as they are: a file's name must be percent-encoded by the caller. The result
    is to be put into a document without changing a byte of it. Raises as `sign_enveloped`.
    """
    return make_signature(
        [Item(uri, media_type, digest) for uri, media_type, digest in items],
        key,
        signing_time,
        signature_method=signature_method,
        digest_method=SHA256,
        statements=Statements(roles=tuple(roles)) if roles else NOTHING,
    )


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that is signed."""

    uri: str
    media_type: str | None
    """None for what has no format of its own: a signature that is countersigned."""
    digest: bytes
    transforms: tuple[Transform, ...] = ()
    type: str | None = None


def make_signature(
    items: Sequence[Item],
    key: SigningKey,
    signing_time: datetime,
    *,
    signature_method: str | None,
    digest_method: str,
    statements: Statements,
    objects: bytes = b"",
    beside: int = 0,
    content_timestamp: bytes | None = None,
) -> bytes:
    """A ds:Signature over `items`; `objects` are further ds:Object elements in canonical form, and
    `content_timestamp` is the DER of a token about the octets of all items, one after the other.

    `beside` is the number of signatures that are there already: it keeps Ids apart if somebody
    signs the same again in the same second. Raises `signature.wrong-key` (configuration).
    """
    when = signing_time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    identity = hashlib.sha256(when.encode() + key.certificate_sha256)
    if beside:
        identity.update(b"%d" % beside)
    for item in items:
        identity.update(item.uri.encode() + b"\0" + item.digest)
    name = f"id-{identity.hexdigest()[:32]}"
    properties = _signed_properties(
        name, items, key, when, statements, content_timestamp=content_timestamp
    )
    references = [
        Reference(
            item.uri, item.digest, digest_method, item.transforms, item.type, f"{name}-r{number}"
        )
        for number, item in enumerate(items)
    ]
    references.append(
        Reference(
            f"#{name}-p",
            hashlib.new(DIGEST_METHODS[digest_method], properties).digest(),
            digest_method,
            (_EXCLUSIVE,),
            type=SIGNED_PROPERTIES_TYPE,
        )
    )
    return build_signature(
        references,
        key,
        signature_method=signature_method,
        id=name,
        value_id=f"{name}-v",
        key_info=x509_data(key.certificates),
        objects=b'<ds:Object><xades:QualifyingProperties xmlns:xades="%b" Target="#%b">%b'
        b"</xades:QualifyingProperties></ds:Object>%b"
        % (XADES.encode(), name.encode(), properties, objects),
    )


def _signed_properties(
    name: str,
    items: Sequence[Item],
    key: SigningKey,
    when: str,
    statements: Statements,
    *,
    content_timestamp: bytes | None,
) -> bytes:
    """xades:SignedProperties as exclusive C14N writes it: hence ds is declared where it is used."""
    of_content = "".join(
        data_object_format(f"{name}-r{number}", item.media_type, statements.note)
        for number, item in enumerate(items)
        if item.media_type is not None
    ) + content_statements(statements)
    if content_timestamp is not None:
        of_content += (
            f'<xades:AllDataObjectsTimeStamp Id="{name}-t">'
            f'<ds:CanonicalizationMethod xmlns:ds="{DS}" Algorithm="{EXC_C14N}">'
            "</ds:CanonicalizationMethod><xades:EncapsulatedTimeStamp>"
            f"{_base64(content_timestamp)}</xades:EncapsulatedTimeStamp>"
            "</xades:AllDataObjectsTimeStamp>"
        )
    if of_content:
        of_content = (
            f"<xades:SignedDataObjectProperties>{of_content}</xades:SignedDataObjectProperties>"
        )
    return (
        f'<xades:SignedProperties xmlns:xades="{XADES}" Id="{name}-p">'
        f"<xades:SignedSignatureProperties><xades:SigningTime>{when}</xades:SigningTime>"
        "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
        f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{SHA256}"></ds:DigestMethod>'
        f'<ds:DigestValue xmlns:ds="{DS}">{_base64(key.certificate_sha256)}</ds:DigestValue>'
        f"</xades:CertDigest><xades:IssuerSerialV2>{_base64(key.issuer_serial)}"
        "</xades:IssuerSerialV2></xades:Cert></xades:SigningCertificateV2>"
        f"{signature_statements(statements)}</xades:SignedSignatureProperties>{of_content}"
        "</xades:SignedProperties>"
    ).encode()


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def with_last_child(root: Element, fragment: bytes) -> bytes:
    """The document with `fragment` before the root's end tag, not a byte of the rest touched."""
    text = etree.tostring(root, encoding="UTF-8", with_tail=False)
    if text.endswith(b"/>"):
        start, end = text[:-2] + b">", b"</%b>" % _qualified_name(root)
    else:
        start, end = text[: (at := text.rindex(b"</"))], text[at:]
    before = b"".join(_beside(node) for node in reversed(list(root.itersiblings(preceding=True))))
    after = b"".join(_beside(node) for node in root.itersiblings())
    head = b'<?xml version="1.0" encoding="UTF-8"?>\n'
    return b"".join((head, before, start, fragment, end, after))


def _qualified_name(element: Element) -> bytes:
    name = etree.QName(element).localname
    return (f"{element.prefix}:{name}" if element.prefix else name).encode()


def _beside(node: Element) -> bytes:
    """A comment or processing instruction beside the root."""
    return etree.tostring(node, encoding="UTF-8", with_tail=False) + b"\n"
