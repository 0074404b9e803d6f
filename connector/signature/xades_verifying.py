"""Verifying XAdES signatures (ETSI EN 319 132-1; EN 319 102-1, clause 5.3, without revocation).

A signature counts if it covers what the caller needs, all of it; its SignedProperties name the
certificate that verifies it; and that certificate leads to a trust anchor at the given time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import unquote

from cryptography import x509
from lxml import etree

from connector.errors import Problem
from connector.signature.algorithms import DIGEST_METHODS, SHA256, AlgorithmPolicy
from connector.signature.certificates import public_key
from connector.signature.dsig_checking import SameDocument, check_references
from connector.signature.dsig_model import DS, Covered, Digested, Reference, refused
from connector.signature.dsig_reading import parse_signature, verify_signature_value
from connector.signature.trust import TrustPath, TrustStore
from connector.signature.xades_properties import (
    SIGNED_PROPERTIES_TYPE,
    SignedProperties,
    read_signed_properties,
    sent_certificates,
    signing_certificate,
)
from connector.xml import Element

Digests = Mapping[str, bytes] | Callable[[str, str], bytes | None]
"""SHA-256 of each file by its name, all of which must be covered; or a function from name and
digest algorithm (as hashlib calls it) to a digest, None for a file that it does not know."""

MAX_REFERENCES: Final = 256
_CLOCKS_DIFFER: Final = timedelta(minutes=10)
_SIGNATURE: Final = f"{{{DS}}}Signature"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A signature that counts, and what it covers."""

    element: Element
    """The ds:Signature."""
    certificate: x509.Certificate
    path: TrustPath
    signing_time: datetime | None
    """As the signer claims; nothing proves it."""
    signature_method: str
    covered: tuple[Covered, ...]
    """The content that is signed, without the signature's own properties."""
    roles: tuple[str, ...]
    """As the signer claims."""
    weaknesses: tuple[Problem, ...]
    """What a policy let pass, or what is not as the standard wants it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifiedDocument(Verified):
    """A document of which every part is signed."""

    root: Element
    """Exactly what was signed: the signature and all comments have been taken out."""
    octets: bytes
    """The same in canonical form, the very bytes that were digested."""


def verify_enveloped(
    root: Element,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
    *,
    signature: Element | None = None,
    several: bool = False,
) -> VerifiedDocument:
    """Verify the signature that is a child of `root`, and that it covers the whole document.

    The signature and all comments are taken out of `root`: what remains is what was signed. Where
    the root has several signatures, `signature` says which one; with `several`, signatures that
    leave each other out are accepted, and all of them are taken out. `at` is when the certificate
    must be valid.

    Raises `ConnectorError` (unacceptable): `signature.missing`, `signature.several`,
    `signature.not-covered`, `signature.no-certificate`, `signature.certificate-mismatch`,
    `signature.not-xades`, what `xmldsig.parse_signature`, `verify_signature_value` and
    `check_references` raise (`signature.*`), and `TrustStore.validate` (`certificate.*`).
    """
    if root.getparent() is not None:
        raise ValueError("a part of a document was given, not its root")
    if signature is None:
        signature = _only_signature(root)
    elif signature.getparent() is not root:
        raise refused("missing", "The signature is no child of the document's root.", signature)
    verified = verify_signature(signature, SameDocument(root, several=several), trust, policy, at)
    (content,) = verified.covered if len(verified.covered) == 1 else (None,)
    if content is None or content.node is not root or content.octets is None:
        raise refused(
            "not-covered",
            "The signature does not cover the whole document, or more than that.",
            root,
            "Only a signature over the document itself is accepted.",
        )
    etree.strip_tags(root, etree.Comment)
    return VerifiedDocument(
        **{field.name: getattr(verified, field.name) for field in fields(verified)},
        root=root,
        octets=content.octets,
    )


def verify_detached(
    signature: Element,
    digests: Digests,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
) -> Verified:
    """Verify a ds:Signature over files, whose digests the caller has made from their bytes.

    Raises as `verify_enveloped`: `signature.unresolved` for a file that is not there,
    `signature.not-covered` if a file of the mapping is not signed.
    """
    document = SameDocument(signature.getroottree().getroot())
    verified = verify_signature(signature, document, trust, policy, at, digests=digests)
    inside = [item for item in verified.covered if item.node is not None]
    if inside or not verified.covered:
        raise refused("not-covered", "The signature does not cover files, or not only.", signature)
    if isinstance(digests, Mapping):
        names = {_name(item.reference, digests) for item in verified.covered}
        for missing in digests.keys() - names:
            raise refused("not-covered", f"The signature does not cover {missing!r}.", signature)
    return verified


def _only_signature(root: Element) -> Element:
    found = list(root.iterchildren(_SIGNATURE))
    if not found:
        raise refused("missing", "The document is not signed.", root, "Ask for a signed one.")
    if len(found) > 1:
        raise refused("several", f"The document has {len(found)} signatures.", found[1])
    return found[0]


def verify_signature(
    signature: Element,
    document: SameDocument,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
    *,
    digests: Digests | None = None,
    inside: bool = False,
) -> Verified:
    """Verify a signature, whatever it covers: the caller has to look at `covered`, in which what
    stands inside the signature itself is named only if `inside`. Raises as `verify_enveloped`."""
    parsed = parse_signature(signature, max_references=MAX_REFERENCES)
    properties = read_signed_properties(parsed)
    sent = sent_certificates(parsed)
    certificate, weaknesses = signing_certificate(properties, sent, policy)
    # From here on the certificate is a claim that the following either proves or refuses.
    weaknesses += verify_signature_value(parsed, public_key(certificate), policy)
    # Strangers are turned away here, before they can make us digest anything.
    others = [each for each in sent if each is not certificate]
    path = trust.validate(certificate, others, at, policy)
    covered, weak_digests = check_references(
        parsed, document, policy, resolve=None if digests is None else _resolver(digests)
    )
    signed = [item for item in covered if item.node is properties.element]
    if len(signed) != 1 or signed[0].reference.type != SIGNED_PROPERTIES_TYPE:
        raise refused(
            "not-covered", "The signature does not cover its SignedProperties.", signature
        )
    return Verified(
        element=signature,
        certificate=certificate,
        path=path,
        signing_time=properties.signing_time,
        signature_method=parsed.signature_method,
        covered=tuple(
            item
            for item in covered
            if item is not signed[0] and (inside or not _within(item.node, signature))
        ),
        roles=properties.roles,
        weaknesses=(*weaknesses, *weak_digests, *_time_weakness(properties, at)),
    )


def _within(node: Element | None, signature: Element) -> bool:
    """Whether `node` is part of the signature itself (its KeyInfo, its Objects)."""
    if node is None:
        return False
    return node is signature or any(above is signature for above in node.iterancestors())


def _resolver(digests: Digests) -> Callable[[Reference], Digested | None]:
    def resolve(reference: Reference) -> Digested | None:
        name = _name(reference, digests)
        method = reference.digest_method
        if not isinstance(digests, Mapping):
            digest = digests(name, DIGEST_METHODS[method])
        elif name in digests and method != SHA256:
            raise refused(
                "digest-method",
                f"{name!r} is covered with {method}, but was digested with SHA-256.",
                mend="Ask the sender to use SHA-256.",
            )
        else:
            digest = digests.get(name)
        return None if digest is None else Digested(digest, method)

    return resolve


def _name(reference: Reference, digests: Digests) -> str:
    """The file that a reference means: its URI as it is, or percent-decoded."""
    uri = reference.uri or ""
    return uri if isinstance(digests, Mapping) and uri in digests else unquote(uri)


def _time_weakness(properties: SignedProperties, at: datetime) -> tuple[Problem, ...]:
    if properties.signing_time is None or properties.signing_time <= at + _CLOCKS_DIFFER:
        return ()
    return (
        Problem(
            code="signature.from-the-future",
            what=f"The signature claims to be made at {properties.signing_time.isoformat()}.",
            mend="Compare the clocks of both sides.",
        ),
    )
