"""Verifying XAdES signatures of every packaging: several beside each other, enveloping ones, those
over an element, and countersignatures. (One over a whole document or over files: xades_verifying.)
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.dsig_checking import SameDocument
from connector.signature.dsig_model import DS, Covered, refused
from connector.signature.trust import TrustStore
from connector.signature.xades_packaging import COUNTERSIGNED_TYPE
from connector.signature.xades_statements import XADES, Statements, read_statements
from connector.signature.xades_verifying import (
    Verified,
    VerifiedDocument,
    verify_enveloped,
    verify_signature,
)
from connector.xml import Element

MAX_SIGNATURES: Final = 32

_X: Final = f"{{{XADES}}}"
_SIGNATURE: Final = f"{{{DS}}}Signature"
_VALUE: Final = f"{{{DS}}}SignatureValue"
_PROPERTIES: Final = f"{{{DS}}}Object/{_X}QualifyingProperties"
_COUNTERSIGNATURES: Final = (
    f"{_PROPERTIES}/{_X}UnsignedProperties/{_X}UnsignedSignatureProperties"
    f"/{_X}CounterSignature/{_SIGNATURE}"
)


@dataclass(frozen=True, slots=True)
class Endorsed:
    """A document that several have signed, each the same content."""

    root: Element
    """Exactly what was signed: the signatures and all comments have been taken out."""
    octets: bytes
    signatures: tuple[VerifiedDocument, ...]
    """In the order of the document. At least one."""


def verify_beside(
    root: Element, trust: TrustStore, policy: AlgorithmPolicy, at: datetime
) -> Endorsed:
    """Verify all signatures that are children of `root`: each has to count, and to cover the whole
    document but signatures. `root` stays as it is.

    Raises as `xades.verify_enveloped`, and `signature.not-covered` for a signature somewhere else.
    """
    children = [number for number, child in enumerate(root) if child.tag == _SIGNATURE]
    if not 0 < len(children) <= MAX_SIGNATURES:
        raise refused("missing", f"The document has {len(children)} signatures.", root)
    for signature in root.iter(_SIGNATURE):
        inside = any(above.tag == _SIGNATURE for above in signature.iterancestors())
        if not inside and signature.getparent() is not root:
            raise refused(
                "not-covered", "A signature stands where no other would cover it.", signature
            )
    found = []
    for number in children:
        own = copy.deepcopy(root.getroottree()).getroot()
        found.append(verify_enveloped(own, trust, policy, at, signature=own[number], several=True))
    first = found[0]
    if any(each.octets != first.octets for each in found):
        raise refused("not-covered", "The signatures do not cover the same content.", root)
    return Endorsed(first.root, first.octets, tuple(found))


def verify_enveloping(
    root: Element, trust: TrustStore, policy: AlgorithmPolicy, at: datetime
) -> Verified:
    """Verify a document that is a signature with its content inside; `covered` has the content:
    octets that came as Base64, or the ds:Object with the element.

    Raises as `xades.verify_enveloped`; `signature.not-covered` for a ds:Object that is not signed.
    """
    if root.tag != _SIGNATURE or root.getparent() is not None:
        raise refused("missing", "The document is no enveloping signature.", root)
    verified = verify_signature(root, SameDocument(root), trust, policy, at, inside=True)
    contents = [
        child
        for child in root.iterchildren(f"{{{DS}}}Object")
        if child.find(f"{_X}QualifyingProperties") is None
    ]
    covered = [item.node for item in verified.covered]
    if not contents or any(content not in covered for content in contents):
        raise refused("not-covered", "The signature does not cover all that it holds.", root)
    return verified


def verify_elements(
    signature: Element, trust: TrustStore, policy: AlgorithmPolicy, at: datetime
) -> tuple[Verified, tuple[Element, ...]]:
    """Verify a signature over elements of the same document; the elements that are signed, with
    comments, which are not. Raises as `xades.verify_enveloped`."""
    document = SameDocument(signature.getroottree().getroot())
    verified = verify_signature(signature, document, trust, policy, at)
    nodes = tuple(item.node for item in verified.covered if item.node is not None)
    if not nodes or len(nodes) != len(verified.covered):
        raise refused("not-covered", "The signature covers no element, or not only.", signature)
    return verified, nodes


def countersignatures(signature: Element) -> Sequence[Element]:
    """The ds:Signature elements that are embedded in `signature` as countersignatures."""
    return signature.findall(_COUNTERSIGNATURES)


def verify_countersignature(
    countersignature: Element,
    signature: Element,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
) -> Verified:
    """Verify that `countersignature`, embedded or elsewhere in the document, covers the value of
    `signature`. Raises as `xades.verify_enveloped`."""
    document = SameDocument(signature.getroottree().getroot())
    verified = verify_signature(countersignature, document, trust, policy, at, inside=True)
    if not any(_countersigns(item, signature) for item in verified.covered):
        raise refused(
            "not-covered", "The countersignature belongs to another signature.", countersignature
        )
    return verified


def _countersigns(item: Covered, signature: Element) -> bool:
    value = signature.find(_VALUE)
    return item.node is value and item.reference.type == COUNTERSIGNED_TYPE


def statements(verified: Verified) -> Statements:
    """What the signer states in a signature that has been verified.

    Raises as `read_statements`.
    """
    properties = verified.element.find(f"{_PROPERTIES}/{_X}SignedProperties")
    if properties is None:
        raise refused("not-xades", "The signature has no SignedProperties.", verified.element)
    return read_statements(properties)
