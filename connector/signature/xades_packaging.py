"""XAdES signatures in every packaging, several of them in one document, and countersignatures.

sign_beside(root, signing)              over the whole document, others may sign beside it
sign_element(root, id, signing)         over one element of the document
sign_enveloping(content, ..., signing)  with the content inside the signature
sign_files(files, signing)              over files outside
countersign(signature, signing)         over another signature's value, to be put into that one
sign_other_signature(signature, ...)    the same, to be put anywhere into the same document
"""

from __future__ import annotations

import copy
import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.signature.algorithms import DIGEST_METHODS, EXC_C14N, SHA256
from connector.signature.dsig_checking import SameDocument, drop_signatures
from connector.signature.dsig_model import BASE64, DS, XPATH, Transform, refused
from connector.signature.dsig_reading import canonical_octets
from connector.signature.dsig_writing import canonical_attribute
from connector.signature.keys import SigningKey
from connector.signature.timestamps import TimestampAuthority
from connector.signature.xades_signing import Item, make_signature, with_last_child
from connector.signature.xades_statements import NOTHING, XADES, Statements
from connector.xml import Element

COUNTERSIGNED_TYPE: Final = "http://uri.etsi.org/01903#CountersignedSignature"
OBJECT_TYPE: Final = f"{DS}Object"

_EXCLUSIVE: Final = Transform(EXC_C14N)
_ALL_BUT_SIGNATURES: Final = (Transform(XPATH), _EXCLUSIVE)
_SIGNATURE: Final = f"{{{DS}}}Signature"
_VALUE: Final = f"{{{DS}}}SignatureValue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """Who signs, when, how, and what is said with it."""

    key: SigningKey
    time: datetime
    statements: Statements = NOTHING
    signature_method: str | None = None
    """URI; the key's default where None."""
    digest_method: str = SHA256
    """URI."""
    content_authority: TimestampAuthority | None = None
    """Where the content is stamped before it is signed (xades:AllDataObjectsTimeStamp): proof that
    the signature is not older. None: it is not."""

    def digest(self, octets: bytes) -> bytes:
        """The digest of `octets` by the chosen method."""
        return hashlib.new(DIGEST_METHODS[self.digest_method], octets).digest()

    def sign(
        self,
        items: Sequence[Item],
        octets: Iterable[bytes] | None = None,
        *,
        objects: bytes = b"",
        beside: int = 0,
    ) -> bytes:
        """A ds:Signature over `items`; `octets` are what they are digests of, one after the other.

        Raises `signature.wrong-key` (configuration), and what the content's authority raises.
        """
        return make_signature(
            items,
            self.key,
            self.time,
            signature_method=self.signature_method,
            digest_method=self.digest_method,
            statements=self.statements,
            objects=objects,
            beside=beside,
            content_timestamp=self._stamped(octets),
        )

    def _stamped(self, octets: Iterable[bytes] | None) -> bytes | None:
        authority = self.content_authority
        if authority is None or octets is None:
            return None
        made = hashlib.new(DIGEST_METHODS[authority.digest_method])
        for piece in octets:
            made.update(piece)
        return authority.stamp(made.digest())


@dataclass(frozen=True, slots=True)
class SignedFile:
    """A file outside the signature."""

    uri: str
    """As it is written: a file's name must be percent-encoded by the caller."""
    media_type: str
    digest: bytes
    """By `Signing.digest_method`, of the file's bytes."""
    content: Callable[[], Iterable[bytes]] | None = None
    """The bytes in pieces; needed where the content is to be stamped."""


def sign_beside(root: Element, signing: Signing, *, media_type: str = "text/xml") -> bytes:
    """The document in UTF-8 with one more signature as the root's last child.

    It covers everything but signatures, so that each authority that forwards a document can add
    its own, in any order, and each can be extended later without breaking the others. The first
    signature must have been made by this function, too. Comments are kept, but are not signed.
    Raises `signature.wrong-key` (configuration), `xml.not-canonicalisable`.
    """
    content, others = root, sum(1 for _ in root.iter(_SIGNATURE))
    if others:
        content = copy.deepcopy(root.getroottree()).getroot()
        drop_signatures(content)
    beside = content.getprevious() is not None or content.getnext() is not None
    octets = canonical_octets(content.getroottree() if beside else content, _EXCLUSIVE)
    item = Item("", media_type, signing.digest(octets), _ALL_BUT_SIGNATURES)
    return with_last_child(root, signing.sign([item], [octets], beside=others))


def sign_element(
    root: Element, ids: Iterable[str], signing: Signing, *, media_type: str = "text/xml"
) -> bytes:
    """The document in UTF-8 with a signature over the elements with these Ids as the root's last
    child (detached, in the same document).

    Raises `signature.unresolved`, `signature.duplicate-id`, `signature.transform-refused` (an
    element that would hold the signature), `signature.wrong-key` (configuration).
    """
    document = SameDocument(root)
    items, signed = [], []
    for name in ids:
        element = document.element(f"#{name}")
        if element is root:
            raise refused(
                "transform-refused",
                "The root cannot be signed as a part of the document.",
                element,
                "Sign the whole document instead.",
            )
        octets = canonical_octets(element, _EXCLUSIVE)
        signed.append(octets)
        items.append(Item(f"#{name}", media_type, signing.digest(octets), (_EXCLUSIVE,)))
    others = sum(1 for _ in root.iter(_SIGNATURE))
    return with_last_child(root, signing.sign(items, signed, beside=others))


def sign_enveloping(
    content: Element | bytes, signing: Signing, *, media_type: str | None = None
) -> bytes:
    """A ds:Signature, to be a document of its own, that holds its content: an element as such,
    octets as Base64. Raises `signature.wrong-key` (configuration), `xml.not-canonicalisable`.
    """
    if isinstance(content, bytes):
        kind, transform, octets = media_type or "application/octet-stream", BASE64, content
        inner, encoding = b64encode(content), f' Encoding="{BASE64}"'
    else:
        kind, transform = media_type or "text/xml", EXC_C14N
        inner, encoding = canonical_octets(content, _EXCLUSIVE), ""
        octets = inner
    name = f"o-{hashlib.sha256(octets).hexdigest()[:32]}"
    head = f'<ds:Object%s{encoding} Id="{name}" MimeType="{canonical_attribute(kind)}">'
    tail = b"</ds:Object>"
    if transform == EXC_C14N:
        octets = (head % f' xmlns:ds="{DS}"').encode() + inner + tail
    item = Item(f"#{name}", kind, signing.digest(octets), (Transform(transform),), OBJECT_TYPE)
    return signing.sign([item], [octets], objects=(head % "").encode() + inner + tail)


def sign_files(files: Sequence[SignedFile], signing: Signing) -> bytes:
    """A ds:Signature over files, to be put into a document without changing a byte of it.

    Raises `signature.wrong-key` (configuration), and what the content's authority raises.
    """
    items = [Item(file.uri, file.media_type, file.digest) for file in files]
    if any(file.content is None for file in files):
        return signing.sign(items)
    pieces = (piece for file in files if file.content is not None for piece in file.content())
    return signing.sign(items, pieces)


def countersign(signature: Element, signing: Signing) -> bytes:
    """A xades:CounterSignature (EN 319 132-1, 5.2.7.2) for the unsigned properties of `signature`.

    Raises `signature.no-value-id`, `signature.wrong-key` (configuration).
    """
    return (
        f'<xades:CounterSignature xmlns:xades="{XADES}">'.encode()
        + sign_other_signature(signature, signing)
        + b"</xades:CounterSignature>"
    )


def sign_other_signature(signature: Element, signing: Signing) -> bytes:
    """A ds:Signature over the value of `signature`, to be put into the same document.

    Raises `signature.no-value-id` where that value has no Id by which it could be meant,
    `signature.wrong-key` (configuration).
    """
    value = signature.find(_VALUE)
    name = None if value is None else value.get("Id")
    if value is None or name is None:
        raise refused(
            "no-value-id",
            "The signature's ds:SignatureValue has no Id, so it cannot be countersigned.",
            signature,
            "Sign beside it instead.",
        )
    octets = canonical_octets(value, _EXCLUSIVE)
    item = Item(f"#{name}", None, signing.digest(octets), (_EXCLUSIVE,), COUNTERSIGNED_TYPE)
    return signing.sign([item])


def as_document(signature: bytes) -> bytes:
    """A ds:Signature as an XML document of its own."""
    return b'<?xml version="1.0" encoding="UTF-8"?>\n' + signature
