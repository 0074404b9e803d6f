"""Raising XAdES signatures to the levels T, LT and LTA (ETSI EN 319 132-1, clause 6), and renewing
the archive timestamp. Nothing but unsigned properties is added: every byte stays as it is.

extend(document, Level.LTA, services)     the document with its signature at that level
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from connector.errors import ConnectorError, unacceptable
from connector.signature.algorithms import DIGEST_METHODS, AlgorithmPolicy
from connector.signature.dsig_model import refused
from connector.signature.dsig_reading import parse_signature
from connector.signature.revocation import Checking, RevocationData, RevocationSource
from connector.signature.revocation_checking import check_path, gather
from connector.signature.timestamps import TimestampAuthority
from connector.signature.trust import TrustStore
from connector.signature.xades_imprints import (
    Contents,
    archive_timestamp_octets,
    digest_of,
    nothing_outside,
    reference_octets,
    signature_timestamp_octets,
)
from connector.signature.xades_properties import (
    read_signed_properties,
    sent_certificates,
    signing_certificate,
)
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE,
    SIGNATURE_TIMESTAMP,
    PropertyTimestamp,
    Values,
    read_timestamp,
    read_values,
    timestamp_markup,
    timestamp_values_markup,
    unsigned_properties,
    values_markup,
    with_properties,
)
from connector.xml import Element, parse


class Level(IntEnum):
    """Baseline levels; each includes those before it."""

    B = 0
    """Signed."""
    T = 1
    """A timestamp proves that the signature existed."""
    LT = 2
    """All that is needed to validate it is inside."""
    LTA = 3
    """An archive timestamp protects all that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """What is needed to raise a signature."""

    authority: TimestampAuthority
    trust: TrustStore
    """For signers. Revocation is looked up by `revocation`, not by the store."""
    timestamp_trust: TrustStore
    """For the timestamp authorities."""
    revocation: RevocationSource
    checking: Checking = Checking.DECLARED
    policy: AlgorithmPolicy = field(default_factory=AlgorithmPolicy)


def level_of(signature: Element) -> Level:
    """The level whose properties are there; whether they hold is for the validation to say.

    Raises `signature.malformed`.
    """
    tags = [each.tag for each in unsigned_properties(signature)]
    if ARCHIVE_TIMESTAMP in tags:
        return Level.LTA
    if SIGNATURE_TIMESTAMP not in tags:
        return Level.B
    if any(read_values(each).revocation for each in unsigned_properties(signature)):
        return Level.LT
    return Level.T


def extend(
    document: bytes,
    level: Level,
    services: Services,
    at: datetime,
    *,
    number: int | None = None,
    contents: Contents = nothing_outside,
) -> bytes:
    """`document` with its signature raised to `level`; one that is at LTA gets a further archive
    timestamp, with the validation data of the last.

    `number` says which ds:Signature is meant (from 0, in document order); it may be left out where
    there is one that is no countersignature. `contents` gives what the signature covers outside.
    `at` is now: paths are validated then, or when the signature was stamped first.

    Raises `ConnectorError`: `signature.missing`, `signature.several`,
    `signature.covered-by-another`, what reading a signature raises, `certificate.*`, and from the
    services `timestamp.*` and `web.*` (transient).
    """
    root = parse(document)
    number = _number(root, number)
    _refuse_if_archived(root, number)
    several = sum(1 for _ in root.iter(SIGNATURE)) > 1
    fitted = _fitting(document) if several else set()
    raising = _Raising(document, number, services, at, contents)
    has = level_of(raising.signature())
    if has < Level.T <= level:
        raising.add_timestamp(SIGNATURE_TIMESTAMP)
    if has < Level.LT <= level:
        raising.add_values()
    if level is Level.LTA:
        if has is Level.LTA:
            raising.add_values_of_last_timestamp()
        raising.add_timestamp(ARCHIVE_TIMESTAMP)
    if several and fitted - _fitting(raising.document):
        raise _covered(raising.signature())
    return raising.document


def _number(root: Element, number: int | None) -> int:
    signatures = list(root.iter(SIGNATURE))
    if number is not None:
        if not 0 <= number < len(signatures):
            raise refused("missing", f"The document has no signature number {number + 1}.", root)
        return number
    outer = [
        index
        for index, each in enumerate(signatures)
        if all(above.tag != SIGNATURE for above in each.iterancestors())
    ]
    if len(outer) != 1:
        code = "several" if outer else "missing"
        raise refused(code, f"The document has {len(outer)} signatures; say which.", root)
    return outer[0]


def _refuse_if_archived(root: Element, number: int) -> None:
    """A countersignature under an archive timestamp must stay as it is, too."""
    inside = list(root.iter(SIGNATURE))[number]
    for above in inside.iterancestors(SIGNATURE):
        seen = False
        for each in unsigned_properties(above):
            seen = seen or each in set(inside.iterancestors())
            if seen and each.tag == ARCHIVE_TIMESTAMP:
                raise _covered(above)


def _fitting(document: bytes) -> set[tuple[int, int]]:
    """Which same-document references of which signatures fit."""
    signatures = list(parse(document).iter(SIGNATURE))
    found = set()
    for number, signature in enumerate(signatures):
        try:
            references = parse_signature(signature).references
        except ConnectorError:
            continue  # no signature that anybody could rely on
        for index, reference in enumerate(references):
            try:
                octets = reference_octets(signature, reference)
            except ConnectorError:
                continue
            name = DIGEST_METHODS.get(reference.digest_method)
            if name and octets and hashlib.new(name, octets).digest() == reference.digest:
                found.add((number, index))
    return found


def _covered(other: Element) -> ConnectorError:
    return refused(
        "covered-by-another",
        "Another signature or timestamp covers this one, and would not fit any more.",
        other,
        "Extend a copy of what it covers, or sign beside it.",
    )


@dataclass(slots=True)
class _Raising:
    document: bytes
    number: int
    services: Services
    at: datetime
    contents: Contents

    def signature(self) -> Element:
        return list(parse(self.document).iter(SIGNATURE))[self.number]

    def _put(self, markup: bytes) -> None:
        if markup:
            self.document = with_properties(self.document, self.number, markup)

    def add_timestamp(self, kind: str) -> None:
        signature = self.signature()
        octets = (
            signature_timestamp_octets(signature)
            if kind == SIGNATURE_TIMESTAMP
            else archive_timestamp_octets(signature, self.contents)
        )
        authority = self.services.authority
        token = authority.stamp(digest_of(octets, DIGEST_METHODS[authority.digest_method]))
        self._put(timestamp_markup(kind, f"ts-{hashlib.sha256(token).hexdigest()[:32]}", token))

    def add_values(self) -> None:
        """Of the signature, then of its timestamps."""
        signature = self.signature()
        stamps = _timestamps(signature)
        parsed = parse_signature(signature)
        sent = sent_certificates(parsed)
        properties = read_signed_properties(parsed)
        certificate, _ = signing_certificate(properties, sent, self.services.policy)
        first = min(token.time for stamp in stamps for token in stamp.tokens)
        others = [each for each in sent if each != certificate]
        values = self._values(self.services.trust, certificate, others, min(first, self.at), sent)
        self._put(values_markup(values))
        for stamp in stamps:
            self._put_values_of(stamp)

    def add_values_of_last_timestamp(self) -> None:
        properties = list(unsigned_properties(self.signature()))
        if properties[-1].tag == ARCHIVE_TIMESTAMP:
            self._put_values_of(read_timestamp(properties[-1]))

    def _put_values_of(self, stamp: PropertyTimestamp) -> None:
        values = Values()
        for token in stamp.tokens:
            if not token.has_signer:
                raise unacceptable(
                    "timestamp.no-certificate", "A timestamp does not bring its certificate."
                )
            own, *others = token.certificates
            values = values + self._values(
                self.services.timestamp_trust, own, others, self.at, token.certificates
            )
        self._put(timestamp_values_markup(values, stamp.element.get("Id", "")))

    def _values(
        self,
        trust: TrustStore,
        certificate: x509.Certificate,
        others: list[x509.Certificate],
        at: datetime,
        known: tuple[x509.Certificate, ...],
    ) -> Values:
        """What is needed to validate `certificate` later, without what is `known` already."""
        services = self.services
        path = trust.validate(certificate, others, at, services.policy).certificates
        found = gather(path, services.revocation)
        found = found + _of_responders(found, path, services.revocation)
        check_path(path, found, at, services.checking)
        missing = (each for each in path if each not in known)
        return Values(tuple(each.public_bytes(Encoding.DER) for each in missing), found)


def _timestamps(signature: Element) -> list[PropertyTimestamp]:
    return [
        read_timestamp(each)
        for each in unsigned_properties(signature)
        if each.tag == SIGNATURE_TIMESTAMP
    ]


_NO_CHECK: Final = x509.OCSPNoCheck


def _of_responders(
    data: RevocationData, path: tuple[x509.Certificate, ...], source: RevocationSource
) -> RevocationData:
    """Revocation data of the OCSP responders themselves, where their certificates want any."""
    found = RevocationData()
    for der in data.ocsps:
        for responder in ocsp.load_der_ocsp_response(der).certificates:
            issuer = next((each for each in path if each.subject == responder.issuer), None)
            if issuer is None or responder in path:
                continue
            try:
                responder.extensions.get_extension_for_class(_NO_CHECK)
            except x509.ExtensionNotFound:
                found = found + source.find(responder, issuer)
    return found
