"""Judging the signatures of a PDF (PAdES, EN 319 142-1; ISO 32000-1, 12.8).

A signature states the byte range that it covers, and its value is the one gap in it. So what is
signed can be told from the bytes alone: nothing of a stranger's PDF is interpreted or inflated.
Which signers and algorithms count is for our own trust store and policy to say, as everywhere.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, Problem, unacceptable
from connector.examination.judgement import Basis, Judgement, Signer, Verdict, digest_name, path_of
from connector.signature.algorithms import DIGEST_METHODS, AlgorithmPolicy, Family, weakness

FORM: Final = "PAdES"
_BYTE_RANGE: Final = re.compile(rb"/ByteRange\s*\[\s*(\d+)\s+(\d+)\s+(\d+)\s+(\d+)\s*\]")
_TIME: Final = re.compile(rb"/M\s*\(D:(\d{14})(Z|[+-]\d\d'\d\d)?")
_AROUND: Final = 1024
_VALUE: Final = re.compile(rb"<((?:[0-9A-Fa-f]{2})+)>")
_MAX_SIGNATURES: Final = 32
_FAMILIES: Final = {
    "rsassa_pkcs1v15": Family.RSA,
    "rsassa_pss": Family.RSA_PSS,
    "ecdsa": Family.ECDSA,
    "ed25519": Family.ED25519,
}
"""By the names that asn1crypto gives to the algorithms of CMS."""
_URIS: Final = {name: uri for uri, name in DIGEST_METHODS.items()}


@dataclass(frozen=True, slots=True)
class _Signature:
    """One signature dictionary, found by its byte range."""

    signed: tuple[bytes, bytes]
    """Before and behind the value."""
    value: bytes
    """The CMS message, perhaps with padding."""
    end: int
    """Where the signed bytes end."""
    moment: datetime | None
    """When it says it was made."""


def judge_pdf(data: bytes, basis: Basis) -> tuple[Judgement, ...]:
    """Every signature of the PDF, in the order in which they were made.

    Raises `ConnectorError` (unacceptable): `pdf.too-many-signatures`, `pdf.byte-range`.
    """
    found = sorted(_signatures(data), key=lambda each: each.end)
    return tuple(_judge(each, basis, size=len(data), last=each is found[-1]) for each in found)


def _signatures(data: bytes) -> Iterator[_Signature]:
    matches = list(_BYTE_RANGE.finditer(data))
    if len(matches) > _MAX_SIGNATURES:
        raise unacceptable("pdf.too-many-signatures", f"The PDF has {len(matches)} signatures.")
    for match in matches:
        start, first, second, rest = map(int, match.groups())
        gap = data[first:second]
        inside = start == 0 and first < second and second + rest <= len(data)
        if not inside or (hexadecimal := _VALUE.fullmatch(gap)) is None:
            raise unacceptable(
                "pdf.byte-range",
                "A signature of the PDF covers other bytes than all but its own value.",
                mend="Ask for a PDF that is signed as a whole.",
            )
        yield _Signature(
            (data[:first], data[second : second + rest]),
            bytes.fromhex(hexadecimal[1].decode("ascii")),
            second + rest,
            _moment(data[max(0, match.start() - _AROUND) : match.end() + _AROUND]),
        )


def _moment(around: bytes) -> datetime | None:
    """Entry M of the signature dictionary (ISO 32000-1, 7.9.4 and 12.8.1)."""
    if (found := _TIME.search(around)) is None:
        return None
    digits, zone = found[1].decode("ascii"), (found[2] or b"Z").decode("ascii").replace("'", "")
    try:
        return datetime.strptime(digits + (zone if zone != "Z" else "+0000"), "%Y%m%d%H%M%S%z")
    except ValueError:
        return None


def _judge(signature: _Signature, basis: Basis, *, size: int, last: bool) -> Judgement:
    # Imported here: it takes half a second, and few commands need it.
    from asn1crypto import cms  # type: ignore[import-untyped]
    from pyhanko.sign.general import extract_signer_info
    from pyhanko.sign.validation.generic_cms import (
        extract_certs_for_validation,
        extract_self_reported_ts,
        validate_sig_integrity,
    )

    try:
        signed_data = cms.ContentInfo.load(signature.value)["content"]
        info = extract_signer_info(signed_data)
        certificates = extract_certs_for_validation(signed_data)
        certificate = x509.load_der_x509_certificate(certificates.signer_cert.dump())
        others = [x509.load_der_x509_certificate(c.dump()) for c in certificates.other_certs]
        algorithm = info["digest_algorithm"]["algorithm"].native
        digest = hashlib.new(algorithm)
        for part in signature.signed:
            digest.update(part)
        holds = validate_sig_integrity(info, certificates.signer_cert, "data", digest.digest())
        family = info["signature_algorithm"].signature_algo
        moment = extract_self_reported_ts(info) or signature.moment
    except Exception as error:  # of many kinds, all about what the signature is made of
        problem = Problem(
            code="pdf.signature-unreadable", what=f"The signature cannot be read: {error}"
        )
        return Judgement(verdict=Verdict.INVALID, form=FORM, problems=(problem,))
    broken = tuple(_faults(*holds, whole=signature.end == size or not last))
    weak, weaknesses = _digest(algorithm, basis.policy)
    path, distrust = _trusted(certificate, others, basis)
    verdict = Verdict.INVALID if broken else Verdict.INTACT if weak or distrust else Verdict.VALID
    covers = "the whole PDF"
    if not last:
        covers = "an earlier version of the PDF"
        weaknesses += (_older(),)
    name = _FAMILIES.get(family, family)
    return Judgement(
        verdict=verdict,
        form=FORM,
        signer=Signer.of(certificate),
        path=path,
        algorithm=name if name == Family.ED25519 else f"{name} with {digest_name(algorithm)}",
        digests=(digest_name(algorithm),),
        signing_time=moment,
        covers=() if broken else (covers,),
        problems=(*broken, *weak, *distrust),
        weaknesses=weaknesses,
    )


def _faults(intact: bool, valid: bool, *, whole: bool) -> Iterator[Problem]:
    altered = "It was altered on the way. Ask for it again."
    if not intact:
        yield Problem(
            code="signature.digest-mismatch",
            what="The PDF is not what was signed: its digest differs.",
            mend=altered,
        )
    if not valid:
        yield Problem(
            code="signature.value-mismatch",
            what="The signature value does not fit what was signed.",
            mend=altered,
        )
    if not whole:
        yield Problem(
            code="signature.not-covered",
            what="The signature does not cover the whole PDF.",
            mend="Something was added after signing. Ask for the PDF as it was signed.",
        )


def _digest(
    algorithm: str, policy: AlgorithmPolicy
) -> tuple[tuple[Problem, ...], tuple[Problem, ...]]:
    """Why the digest algorithm does not count, and what is weak about one that does."""
    uri = _URIS.get(algorithm, algorithm)
    try:
        policy.digest_method(uri)
    except ConnectorError as error:
        return error.problems, ()
    noted = weakness(uri)
    return (), (noted,) if noted else ()


def _trusted(
    certificate: x509.Certificate, others: Sequence[x509.Certificate], basis: Basis
) -> tuple[tuple[str, ...], tuple[Problem, ...]]:
    try:
        return path_of(basis.trust.validate(certificate, others, basis.at, basis.policy)), ()
    except ConnectorError as error:
        return (), error.problems


def _older() -> Problem:
    return Problem(
        code="pdf.signed-again",
        what="The PDF was added to and signed again after this signature.",
        mend="What counts is the last signature.",
    )
