"""The first half of validating a XAdES signature: form, signing certificate, value, references
(ETSI EN 319 102-1, 5.2.2, 5.2.3 and 5.2.7). Time and trust come in `xades_process.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, Problem
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.certificates import public_key
from connector.signature.dsig_checking import SameDocument, check_references
from connector.signature.dsig_model import DS, Covered, Digested, ParsedSignature, Reference
from connector.signature.dsig_reading import parse_signature, verify_signature_value
from connector.signature.xades_imprints import Contents
from connector.signature.xades_packaging import COUNTERSIGNED_TYPE
from connector.signature.xades_properties import (
    SIGNED_PROPERTIES_TYPE,
    SignedProperties,
    read_signed_properties,
    sent_certificates,
    signing_certificate,
)
from connector.signature.xades_statements import Statements, read_statements
from connector.validation.indications import SubIndication
from connector.validation.policy import EVERYTHING
from connector.validation.report import PASSED, Conclusion
from connector.xml import Element

_SUBS: Final = {
    "signature.digest-mismatch": SubIndication.HASH_FAILURE,
    "signature.value-mismatch": SubIndication.SIG_CRYPTO_FAILURE,
    "signature.wrong-key": SubIndication.SIG_CRYPTO_FAILURE,
    "signature.unresolved": SubIndication.SIGNED_DATA_NOT_FOUND,
    "signature.no-certificate": SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
    "signature.certificate-mismatch": SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
    "certificate.malformed": SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
    "signature.hmac": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "signature.unknown-algorithm": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "signature.weak-algorithm": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "signature.weak-key": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "signature.unknown-key": SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    "signature.transform-refused": SubIndication.SIG_CONSTRAINTS_FAILURE,
    "signature.not-covered": SubIndication.SIG_CONSTRAINTS_FAILURE,
}


@dataclass(slots=True)
class Facts:
    """What is known of a signature so far; grows step by step, so that a report can tell what came
    before the step that failed."""

    element: Element
    parsed: ParsedSignature | None = None
    properties: SignedProperties | None = None
    statements: Statements | None = None
    sent: tuple[x509.Certificate, ...] = ()
    certificate: x509.Certificate | None = None
    covered: tuple[Covered, ...] = ()
    weaknesses: tuple[Problem, ...] = ()


def concluded(error: ConnectorError) -> Conclusion:
    """What a refusal of the lower layers means."""
    sub = _SUBS.get(error.code, SubIndication.FORMAT_FAILURE)
    return Conclusion(sub, tuple(str(problem) for problem in error.problems))


def check_form(facts: Facts) -> Conclusion:
    """Form, properties and signing certificate; fills in `facts`."""
    try:
        facts.parsed = parse_signature(facts.element)
        facts.properties = read_signed_properties(facts.parsed)
        facts.statements = read_statements(facts.properties.element)
        facts.sent = sent_certificates(facts.parsed)
        facts.certificate, facts.weaknesses = signing_certificate(
            facts.properties, facts.sent, EVERYTHING
        )
    except ConnectorError as error:
        return concluded(error)
    return PASSED


def check_integrity(facts: Facts, contents: Contents) -> Conclusion:
    """The value over SignedInfo, and SignedInfo over all that is signed; fills in `facts`.

    The signature may be taken out of its document: give it a copy.
    """
    parsed, properties = facts.parsed, facts.properties
    assert parsed is not None and properties is not None and facts.certificate is not None
    document = SameDocument(facts.element.getroottree().getroot(), several=True)
    try:
        weak = verify_signature_value(parsed, public_key(facts.certificate), EVERYTHING)
        covered, weak_digests = check_references(
            parsed, document, EVERYTHING, resolve=lambda each: _digested(each, contents)
        )
    except ConnectorError as error:
        return concluded(error)
    own = [item for item in covered if item.node is properties.element]
    if len(own) != 1 or own[0].reference.type != SIGNED_PROPERTIES_TYPE:
        return Conclusion(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            ("The signature does not cover its SignedProperties.",),
        )
    facts.covered = tuple(item for item in covered if item is not own[0])
    facts.weaknesses = (*facts.weaknesses, *weak, *weak_digests)
    if not facts.covered:
        return Conclusion(
            SubIndication.SIG_CONSTRAINTS_FAILURE, ("The signature covers no content.",)
        )
    return PASSED


def _digested(reference: Reference, contents: Contents) -> Digested | None:
    given: Iterable[bytes] | None = contents(reference)
    if given is None:
        return None
    made = hashlib.new(DIGEST_METHODS[reference.digest_method])
    for piece in given:
        made.update(piece)
    return Digested(made.digest(), reference.digest_method)


def names_of(covered: Iterable[Covered], signature: Element) -> tuple[str, ...]:
    """What is signed, for people."""
    return tuple(name for item in covered if (name := _name(item, signature)))


def _name(item: Covered, signature: Element) -> str | None:
    uri = item.reference.uri or ""
    if not uri:
        return "the whole document"
    if uri[0] != "#":
        return uri
    if item.reference.type == COUNTERSIGNED_TYPE:
        return f"the signature value {uri[1:]}"
    node = item.node
    if node is not None and node.tag == f"{{{DS}}}Object":
        return f"the content inside the signature ({node.get('MimeType') or uri[1:]})"
    inside = node is not None and signature in set(node.iterancestors())
    return None if inside else f"the element {uri[1:]}"
