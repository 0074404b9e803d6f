"""The timestamps and validation data of a XAdES signature (ETSI EN 319 132-1, 5.3 to 5.5)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.certificates import public_key
from connector.signature.revocation import RevocationData
from connector.signature.timestamps import Token
from connector.signature.xades_imprints import (
    Contents,
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
from connector.validation.in_time import Evidence, Stamp
from connector.validation.paths import Material, parsed
from connector.validation.policy import Algorithms
from connector.validation.report import Stamped
from connector.validation.xades_basic import Facts
from connector.xml import Element

_CONTENT_TIMESTAMPS: Final = (
    f"{{{XADES}}}SignedDataObjectProperties/{{{XADES}}}AllDataObjectsTimeStamp"
)


def xades_evidence(facts: Facts, contents: Contents) -> Evidence:
    """What came along with a signature whose form has been checked.

    Raises `ConnectorError` (unacceptable) where unsigned properties cannot be read.
    """
    assert facts.parsed is not None and facts.certificate is not None
    material = Material(set(facts.sent), RevocationData())
    for each in unsigned_properties(facts.element):
        values = read_values(each)
        material.certificates |= parsed(values.certificates)
        material.revocation = material.revocation + values.revocation
    return Evidence(
        value=facts.parsed.value,
        certificate=facts.certificate,
        material=material,
        stamps=tuple(_stamps(facts, contents)),
        algorithms_end=partial(_end, facts),
        policy=facts.statements.policy if facts.statements is not None else None,
    )


def _end(facts: Facts, algorithms: Algorithms) -> datetime:
    assert facts.parsed is not None and facts.certificate is not None
    method = facts.parsed.signature_method
    digests = (algorithms.digest_method(each.digest_method) for each in facts.parsed.references)
    return min(algorithms.signature(method, public_key(facts.certificate)), *digests)


def _stamps(facts: Facts, contents: Contents) -> Iterator[Stamp]:
    assert facts.properties is not None and facts.parsed is not None
    signature, value = facts.element, facts.parsed.value
    for element in facts.properties.element.iterfind(_CONTENT_TIMESTAMPS):
        stamp = read_timestamp(element)
        octets = partial(content_timestamp_octets, signature, contents, stamp.c14n)
        for token in stamp.tokens:
            yield Stamp(Stamped.CONTENT, token, partial(_imprint, octets), tuple)
    for element in unsigned_properties(signature):
        if element.tag == SIGNATURE_TIMESTAMP:
            stamp = read_timestamp(element)
            octets = partial(signature_timestamp_octets, signature, stamp.c14n)
            for token in stamp.tokens:
                known: Callable[[], Iterable[bytes]] = partial(tuple[bytes], (value,))
                yield Stamp(Stamped.SIGNATURE, token, partial(_imprint, octets), known)
        elif element.tag == ARCHIVE_TIMESTAMP:
            stamp = read_timestamp(element)
            octets = partial(
                archive_timestamp_octets, signature, contents, before=element, c14n=stamp.c14n
            )
            for token in stamp.tokens:
                proves = partial(_archived, facts, element)
                yield Stamp(Stamped.ARCHIVE, token, partial(_imprint, octets), proves)


def _imprint(octets: partial[Iterator[bytes]], hash_name: str) -> bytes:
    return digest_of(octets(), hash_name)


def _archived(facts: Facts, before: Element) -> Iterable[bytes]:
    """All that an archive timestamp proves to have existed (EN 319 102-1, 5.6.2.3)."""
    assert facts.parsed is not None
    yield facts.parsed.value
    yield from (_der(each) for each in facts.sent)
    for each in unsigned_properties(facts.element):
        if each is before:
            return
        values = read_values(each)
        yield from values.certificates
        yield from values.revocation.ocsps
        yield from values.revocation.crls
        for token in _tokens_in(each):
            yield token.der
            yield from (_der(certificate) for certificate in token.certificates)


def _tokens_in(element: Element) -> tuple[Token, ...]:
    if element.tag not in {SIGNATURE_TIMESTAMP, ARCHIVE_TIMESTAMP}:
        return ()
    return read_timestamp(element).tokens


def _der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)
