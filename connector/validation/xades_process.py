"""Validating the XAdES signatures of a document (ETSI EN 319 102-1, clauses 5.3, 5.5 and 5.6)."""

from __future__ import annotations

import copy
import hashlib
from dataclasses import replace
from typing import Final

from connector.errors import ConnectorError
from connector.signature.dsig_model import DS, refused
from connector.signature.xades_levels import level_of
from connector.signature.xades_several import countersignatures
from connector.validation.basis import Basis
from connector.validation.in_time import InTime
from connector.validation.report import Conclusion, SignatureReport, ValidationReport
from connector.validation.xades_basic import (
    Facts,
    check_form,
    check_integrity,
    concluded,
    names_of,
)
from connector.validation.xades_evidence import xades_evidence
from connector.xml import Element, parse

MAX_SIGNATURES: Final = 64
_SIGNATURE: Final = f"{{{DS}}}Signature"


def validate_xml(data: bytes, basis: Basis, *, name: str = "document.xml") -> ValidationReport:
    """Every signature in an XML document, countersignatures within those that they belong to.

    Raises `ConnectorError` (unacceptable) only if `data` is no acceptable XML: `xml.*`,
    `signature.several` (more than 64).
    """
    root = parse(data)
    signatures = list(root.iter(_SIGNATURE))
    if len(signatures) > MAX_SIGNATURES:
        raise refused("several", f"The document has {len(signatures)} signatures.", root)
    outer = [
        number
        for number, each in enumerate(signatures)
        if all(above.tag != _SIGNATURE for above in each.iterancestors())
    ]
    return ValidationReport(
        document=name,
        sha256=hashlib.sha256(data).hexdigest(),
        time=basis.at,
        policy=basis.policy.name,
        signatures=tuple(validate_signature(signatures[number], basis) for number in outer),
    )


def validate_signature(signature: Element, basis: Basis) -> SignatureReport:
    """One ds:Signature where it stands; its document stays as it is."""
    facts = Facts(signature)
    conclusion = check_form(facts)
    if conclusion.passed:
        # References that take the signature out of its document do so in a copy.
        apart = Facts(_copied(signature))
        check_form(apart)
        conclusion = check_integrity(apart, basis.contents)
        facts.weaknesses, facts.covered = apart.weaknesses, apart.covered
        covers = names_of(apart.covered, apart.element)
    else:
        covers = ()
    report = _described(facts, conclusion, covers)
    if not conclusion.passed:
        return replace(report, countersignatures=_countersignatures(signature, basis))
    try:
        evidence = xades_evidence(facts, basis.contents)
        report = InTime(evidence, basis).validated(report)
    except ConnectorError as error:
        # Unsigned properties that cannot be read: nothing that anybody signed.
        report = replace(report, conclusion=concluded(error))
    return replace(report, countersignatures=_countersignatures(signature, basis))


def _described(facts: Facts, conclusion: Conclusion, covers: tuple[str, ...]) -> SignatureReport:
    known, properties = facts.parsed, facts.properties
    value = known.value if known is not None else b""
    identity = facts.element.get("Id") or f"v-{hashlib.sha256(value).hexdigest()[:16]}"
    report = SignatureReport(
        id=identity,
        format="XAdES",
        level=_level(facts.element),
        conclusion=conclusion,
        certificate=facts.certificate,
        signature_method=known.signature_method if known is not None else None,
        value=value,
        signing_time=properties.signing_time if properties is not None else None,
        covers=covers,
        weaknesses=facts.weaknesses,
    )
    return report if facts.statements is None else replace(report, statements=facts.statements)


def _level(signature: Element) -> str:
    try:
        return level_of(signature).name
    except ConnectorError:
        return "B"


def _countersignatures(signature: Element, basis: Basis) -> tuple[SignatureReport, ...]:
    return tuple(validate_signature(each, basis) for each in countersignatures(signature))


def _copied(signature: Element) -> Element:
    tree = signature.getroottree()
    number = next(n for n, each in enumerate(tree.iter(_SIGNATURE)) if each is signature)
    return next(each for n, each in enumerate(copy.deepcopy(tree).iter(_SIGNATURE)) if n == number)
