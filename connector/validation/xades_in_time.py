"""Trust in a XAdES signature: now, or with the proofs that its timestamps give, when it was made
(ETSI EN 319 102-1, clauses 5.5.4 and 5.6.3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.revocation import RevocationData
from connector.signature.timestamps import Token
from connector.signature.xades_imprints import (
    archive_timestamp_octets,
    content_timestamp_octets,
    digest_of,
    signature_timestamp_octets,
)
from connector.signature.xades_statements import XADES
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE_TIMESTAMP,
    read_timestamp,
    read_values,
    unsigned_properties,
)
from connector.validation.acceptance import check_acceptance, check_order, oddities
from connector.validation.basis import Basis
from connector.validation.certificates import CertificateChecks, CertificateResult
from connector.validation.existence import Existence
from connector.validation.paths import Material, parsed
from connector.validation.report import SignatureReport, Stamped, TimestampReport
from connector.validation.tokens import TokenChecks
from connector.validation.xades_basic import Facts
from connector.xml import Element

_CONTENT_TIMESTAMPS: Final = (
    f"{{{XADES}}}SignedDataObjectProperties/{{{XADES}}}AllDataObjectsTimeStamp"
)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """A timestamp of the signature, and what it is about."""

    of: Stamped
    element: Element
    c14n: str
    token: Token


class InTime:
    """Trust in one intact signature: now, or when it was made."""

    def __init__(self, facts: Facts, basis: Basis) -> None:
        assert facts.parsed is not None and facts.certificate is not None
        self._facts = facts
        self._basis = basis
        self._value = facts.parsed.value
        self._certificate = facts.certificate
        self._existence = Existence(basis.at)
        self._stamps = list(_stamps(facts))
        values = [read_values(each) for each in unsigned_properties(facts.element)]
        material = Material(set(facts.sent), RevocationData())
        for each in values:
            material.certificates |= parsed(each.certificates)
            material.revocation = material.revocation + each.revocation
        for stamp in self._stamps:
            material.certificates.update(stamp.token.certificates)
        self._material = material
        self._checks = CertificateChecks(
            basis.trust, basis.policy, material, basis.revocation, self._existence
        )
        self._tokens = TokenChecks(
            CertificateChecks(
                basis.timestamp_trust, basis.policy, material, basis.revocation, self._existence
            ),
            basis.policy,
            self._existence,
            basis.at,
        )

    def validated(self, report: SignatureReport) -> SignatureReport:
        """The report with its conclusion, path, best signature time and timestamps."""
        stamps = self._check_timestamps()
        best = self._existence.of(self._value)
        reports = tuple(stamps)
        now = self._checks.now(self._certificate, self._basis.at)
        result = self._with_proof(now, best)
        conclusion = result.conclusion
        if conclusion.passed:
            assert self._facts.parsed is not None
            conclusion = check_acceptance(
                self._facts.parsed,
                self._certificate,
                best,
                self._basis.policy,
                report.statements.policy,
            )
        if conclusion.passed or (conclusion.sub and conclusion.sub.may_improve):
            conclusion = check_order(reports, self._certificate, conclusion, now.since)
        return replace(
            report,
            conclusion=conclusion,
            path=result.path,
            best_signature_time=best,
            timestamps=reports,
            weaknesses=(*report.weaknesses, *oddities(reports, report.signing_time, best)),
        )

    # --- Timestamps, the last first: each may prove when those before it existed ---

    def _check_timestamps(self) -> list[TimestampReport]:
        found: dict[int, TimestampReport] = {}
        order = sorted(
            range(len(self._stamps)),
            key=lambda number: (self._stamps[number].of is not Stamped.ARCHIVE, -number),
        )
        for number in order:
            stamp = self._stamps[number]
            checked = self._tokens.check(stamp.token, stamp.of, partial(self._imprint, stamp))
            found[number] = checked
            if not checked.conclusion.passed:
                continue
            if stamp.of is Stamped.SIGNATURE:
                self._existence.prove([self._value], stamp.token.time)
            elif stamp.of is Stamped.ARCHIVE:
                self._existence.prove(self._archived(stamp.element), stamp.token.time)
        return [found[number] for number in sorted(found)]

    def _imprint(self, stamp: _Stamp, hash_name: str) -> bytes:
        signature, contents = self._facts.element, self._basis.contents
        if stamp.of is Stamped.SIGNATURE:
            octets = signature_timestamp_octets(signature, stamp.c14n)
        elif stamp.of is Stamped.ARCHIVE:
            octets = archive_timestamp_octets(
                signature, contents, before=stamp.element, c14n=stamp.c14n
            )
        else:
            octets = content_timestamp_octets(signature, contents, stamp.c14n)
        return digest_of(octets, hash_name)

    def _archived(self, before: Element) -> Iterator[bytes]:
        """All that an archive timestamp proves to have existed (5.6.2.3)."""
        yield self._value
        yield from (_der(each) for each in self._facts.sent)
        for each in unsigned_properties(self._facts.element):
            if each is before:
                return
            values = read_values(each)
            yield from values.certificates
            yield from values.revocation.ocsps
            yield from values.revocation.crls
            for token in _tokens_in(each):
                yield token.der
                yield from (_der(certificate) for certificate in token.certificates)

    # --- The signature itself ---

    def _with_proof(self, now: CertificateResult, best: datetime) -> CertificateResult:
        conclusion = now.conclusion
        if conclusion.sub is None or not conclusion.sub.may_improve or best >= self._basis.at:
            return now
        return self._checks.past(self._certificate, self._basis.at, best, now)


def _stamps(facts: Facts) -> Iterator[_Stamp]:
    assert facts.properties is not None
    kinds = {SIGNATURE_TIMESTAMP: Stamped.SIGNATURE, ARCHIVE_TIMESTAMP: Stamped.ARCHIVE}
    for element in facts.properties.element.iterfind(_CONTENT_TIMESTAMPS):
        stamp = read_timestamp(element)
        for token in stamp.tokens:
            yield _Stamp(Stamped.CONTENT, element, stamp.c14n, token)
    for element in unsigned_properties(facts.element):
        if element.tag in kinds:
            stamp = read_timestamp(element)
            for token in stamp.tokens:
                yield _Stamp(kinds[element.tag], element, stamp.c14n, token)


def _tokens_in(element: Element) -> tuple[Token, ...]:
    if element.tag not in {SIGNATURE_TIMESTAMP, ARCHIVE_TIMESTAMP}:
        return ()
    return read_timestamp(element).tokens


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
