"""What a ds:Signature says, as plain values (XMLDSig 1.1, clause 4)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from connector.errors import ConnectorError, unacceptable
from connector.signature.algorithms import C14N, EXC_C14N
from connector.xml import Element

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
WSU: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"

ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
NOT_SIGNATURE: Final = "not(ancestor-or-self::ds:Signature)"
"""The one XPath filter that is accepted: the enveloped-signature transform in other words, but
for all signatures at once."""
FILTER2: Final = "http://www.w3.org/2002/06/xmldsig-filter2"
SUBTRACT_SIGNATURES: Final = "/descendant::ds:Signature"
"""The one XPath Filter 2.0 that is accepted, to be subtracted: the same in the words of EU DSS."""
BASE64: Final = "http://www.w3.org/2000/09/xmldsig#base64"
"""What is signed are the octets that an element holds as Base64; always the only transform."""

_SWA: Final = "http://docs.oasis-open.org/wss/oasis-wss-SwAProfile-1.1#"
ATTACHMENT_CONTENT: Final = _SWA + "Attachment-Content-Signature-Transform"
ATTACHMENT_COMPLETE: Final = _SWA + "Attachment-Complete-Signature-Transform"
STR_TRANSFORM: Final = (
    "http://docs.oasis-open.org/wss/2004/01/"
    "oasis-200401-wss-soap-message-security-1.0#STR-Transform"
)

CANONICALISATIONS: Final = frozenset({EXC_C14N, C14N})
REMOVES_ALL: Final = frozenset({XPATH, FILTER2})
"""Transforms that drop every signature."""
REMOVALS: Final = REMOVES_ALL | {ENVELOPED}
FOREIGN: Final = frozenset({ATTACHMENT_CONTENT, ATTACHMENT_COMPLETE, STR_TRANSFORM})
"""Transforms that only a caller's resolver can apply."""
TRANSFORMS: Final = CANONICALISATIONS | REMOVALS | FOREIGN | {BASE64}
"""The closed list: whatever is not here is refused."""


@dataclass(frozen=True, slots=True)
class Transform:
    """One ds:Transform."""

    algorithm: str
    inclusive_prefixes: tuple[str, ...] = ()
    """ec:InclusiveNamespaces/@PrefixList, for exclusive C14N only."""
    c14n: str | None = None
    """The canonicalisation that an STR-Transform names."""


@dataclass(frozen=True, slots=True)
class Reference:
    """One ds:Reference."""

    uri: str | None
    digest: bytes
    digest_method: str
    """URI of the algorithm."""
    transforms: tuple[Transform, ...] = ()
    type: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ParsedSignature:
    """A ds:Signature as it came: well-formed, only known transforms, nothing verified yet."""

    element: Element
    id: str | None
    signed_info: bytes
    """Canonical, as the signature value covers it."""
    signature_method: str
    """URI of the algorithm."""
    value: bytes
    references: tuple[Reference, ...]
    key_info: Element | None
    """A claim of the sender's; nothing signs it."""
    objects: tuple[Element, ...]
    """Each ds:Object; only what a reference covers is signed."""


@dataclass(frozen=True, slots=True)
class Digested:
    """Given by a resolver that has digested the octets itself, while they streamed past."""

    digest: bytes
    method: str
    """URI of the algorithm that was used; it must be the reference's."""


@dataclass(frozen=True, slots=True)
class Covered:
    """What one reference was found to cover. Use these, never look anything up again."""

    reference: Reference
    node: Element | None
    """The element of a same-document reference; None for octets from outside."""
    octets: bytes | None
    """The very bytes that were digested; None where the resolver gave a digest."""


def refused(code: str, what: str, node: Element | None = None, mend: str = "") -> ConnectorError:
    """A refusal with the code `signature.<code>`, with the line where the node stands."""
    line = None if node is None else node.sourceline
    return unacceptable(f"signature.{code}", what, mend=mend, line=line)
