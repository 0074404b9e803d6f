"""What the timestamps of a XAdES signature are about, octet by octet (ETSI EN 319 132-1).

SignatureTimeStamp: clause 5.3. ArchiveTimeStamp: clause 5.5.2.2 (all that it covers stands in the
signature). AllDataObjectsTimeStamp: clause 5.2.8.1.
"""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from connector.errors import unacceptable
from connector.signature.algorithms import C14N, EXC_C14N
from connector.signature.dsig_checking import SameDocument, is_same_document
from connector.signature.dsig_model import (
    CANONICALISATIONS,
    DS,
    Reference,
    Transform,
    refused,
)
from connector.signature.dsig_reading import canonical_octets, parse_signature
from connector.signature.xades_properties import SIGNED_PROPERTIES_TYPE
from connector.signature.xades_unsigned import QUALIFYING, unsigned_properties
from connector.xml import Element

Contents = Callable[[Reference], Iterable[bytes] | None]
"""The bytes of what a reference to something outside the document means, in pieces; None if it is
not known."""

_D: Final = f"{{{DS}}}"
_SIGNATURE: Final = f"{_D}Signature"
_DEFAULT: Final = Transform(C14N)


def nothing_outside(reference: Reference) -> None:
    """The `Contents` of a document that refers to nothing outside itself."""


def method(uri: str) -> Transform:
    """The canonicalisation of a timestamp. Raises `signature.unknown-algorithm`."""
    if uri not in CANONICALISATIONS | {""}:
        raise unacceptable(
            "signature.unknown-algorithm",
            f"The canonicalisation {uri!r} of a timestamp is not accepted.",
        )
    return Transform(uri or C14N)


def digest_of(octets: Iterable[bytes], hash_name: str) -> bytes:
    """The digest of octets that come in pieces."""
    made = hashlib.new(hash_name)
    for piece in octets:
        made.update(piece)
    return made.digest()


def signature_timestamp_octets(signature: Element, c14n: str = EXC_C14N) -> Iterator[bytes]:
    """What a SignatureTimeStamp is about: the value of the signature."""
    value = signature.find(f"{_D}SignatureValue")
    if value is None:
        raise refused("malformed", "The signature has no value.", signature)
    yield canonical_octets(value, method(c14n))


def archive_timestamp_octets(
    signature: Element,
    contents: Contents,
    *,
    before: Element | None = None,
    c14n: str = EXC_C14N,
) -> Iterator[bytes]:
    """What an ArchiveTimeStamp is about: all that is signed, the signature, and the unsigned
    properties `before` it (all of them for one that is yet to be made).

    Raises `signature.unresolved`, `signature.transform-refused`, `signature.not-covered`, and as
    `parse_signature`.
    """
    how = method(c14n)
    yield from _references(signature, contents, how, with_properties=True)
    for name in ("SignedInfo", "SignatureValue", "KeyInfo"):
        found = signature.find(_D + name)
        if found is not None:
            yield canonical_octets(found, how)
    for each in unsigned_properties(signature):
        if each is before:
            break
        yield canonical_octets(each, how)
    for each in signature.iterchildren(f"{_D}Object"):
        if each.find(QUALIFYING) is None:
            yield canonical_octets(each, how)


def content_timestamp_octets(
    signature: Element, contents: Contents, c14n: str = EXC_C14N
) -> Iterator[bytes]:
    """What an AllDataObjectsTimeStamp is about: all that is signed but the SignedProperties."""
    yield from _references(signature, contents, method(c14n), with_properties=False)


def _references(
    signature: Element, contents: Contents, how: Transform, *, with_properties: bool
) -> Iterator[bytes]:
    for reference in parse_signature(signature).references:
        if not with_properties and reference.type == SIGNED_PROPERTIES_TYPE:
            continue
        octets = reference_octets(signature, reference, how)
        if octets is not None:
            yield octets
            continue
        given = contents(reference)
        if given is None:
            raise refused(
                "unresolved", f"The signature covers {reference.uri!r}, which is not there."
            )
        yield from given


def reference_octets(
    signature: Element, reference: Reference, default: Transform = _DEFAULT
) -> bytes | None:
    """What a reference into the same document means; None for one to something else.

    Enveloped references take the signature out of the document, hence it is done in a copy.
    Raises as `SameDocument.octets`.
    """
    if not is_same_document(reference):
        return None
    tree = signature.getroottree()
    number = next(n for n, each in enumerate(tree.iter(_SIGNATURE)) if each is signature)
    copied = copy.deepcopy(tree)
    own = next(each for n, each in enumerate(copied.iter(_SIGNATURE)) if n == number)
    document = SameDocument(copied.getroot(), several=True)
    return document.octets(reference, own, default)[1]
