"""Validating CMS signatures: CAdES (ETSI EN 319 122-1), alone or as the heart of PAdES.

Integrity is checked by pyHanko, trust by the same process as for XAdES. Archive timestamps are read
by `cades_archive.py`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final

from asn1crypto import cms, core  # type: ignore[import-untyped]
from cryptography import x509
from pyhanko.sign.ades.report import AdESFailure
from pyhanko.sign.general import find_cms_attribute_iter
from pyhanko.sign.validation.errors import SignatureValidationError
from pyhanko.sign.validation.generic_cms import extract_self_reported_ts, validate_sig_integrity

from connector.errors import ConnectorError, Problem, unacceptable
from connector.signature.algorithms import SIGNATURE_METHODS, Family
from connector.signature.certificates import MALFORMED, asn1, public_key
from connector.signature.revocation import RevocationData
from connector.signature.timestamps import Token, read_token
from connector.validation.basis import Basis
from connector.validation.cades_archive import archive_stamps
from connector.validation.in_time import Evidence, InTime, Stamp
from connector.validation.indications import SubIndication
from connector.validation.paths import Material
from connector.validation.policy import NEVER, Algorithms
from connector.validation.report import PASSED, Conclusion, SignatureReport, Stamped
from connector.validation.report import ValidationReport as Report

MAX_BYTES: Final = 16 * 1024 * 1024
MAX_SIGNERS: Final = 32
_FAMILIES: Final = {
    "rsassa_pkcs1v15": Family.RSA,
    "rsassa_pss": Family.RSA_PSS,
    "ecdsa": Family.ECDSA,
    "ed25519": Family.ED25519,
}
_SIGNING_CERTIFICATE: Final = {"signing_certificate", "signing_certificate_v2"}
_OLD_ARCHIVES: Final = {"1.2.840.113549.1.9.16.2.27", "1.2.840.113549.1.9.16.2.48"}
"""archive-time-stamp and its second version, which EN 319 122-1 does not want any more."""

Content = Callable[[], Iterable[bytes]]
"""The signed octets, in pieces; may be asked for several times."""


def validate_cms(
    data: bytes, basis: Basis, *, content: Content | None = None, name: str = "document.p7m"
) -> Report:
    """Every signature in a CMS SignedData (DER or BER); `content` is what a detached one signs.

    Raises `ConnectorError` (unacceptable) only if `data` is no SignedData: `cms.malformed`,
    `cms.too-large`.
    """
    signed, held = read_signed_data(data)
    signatures = []
    for number, signer in enumerate(signed["signer_infos"], 1):
        given = content if held is None else partial(_whole, held)
        signatures.append(
            validate_signer(signed, signer, given, basis, number=number, format="CAdES")
        )
    return Report(
        document=name,
        sha256=hashlib.sha256(data).hexdigest(),
        time=basis.at,
        policy=basis.policy.name,
        signatures=tuple(signatures),
    )


def _whole(octets: bytes) -> Iterable[bytes]:
    return (octets,)


def read_signed_data(data: bytes) -> tuple[Any, bytes | None]:
    """The SignedData in `data`, and the content if it holds it.

    Raises `cms.malformed`, `cms.too-large`.
    """
    if len(data) > MAX_BYTES:
        raise unacceptable("cms.too-large", f"The signature has {len(data)} bytes.")
    try:
        info = cms.ContentInfo.load(data)
        if info["content_type"].native != "signed_data":
            raise ValueError("no SignedData")
        signed = info["content"]
        own = signed["encap_content_info"]["content"]
        held = None if isinstance(own, core.Void) else bytes(own)
        # Parsed through at once, since later it would fail in the midst of something.
        _ = (signed["certificates"].native, signed["crls"].native)
        signers = len(list(signed["signer_infos"]))
    except MALFORMED as error:
        raise unacceptable(
            "cms.malformed",
            f"Not a CMS signature: {str(error)[:200]}",
            mend="Ask the sender for the file as it was signed.",
        ) from error
    if signers > MAX_SIGNERS:
        raise unacceptable("cms.malformed", f"The signature has {signers} signers.")
    return signed, held


def validate_signer(
    signed: Any,
    signer: Any,
    content: Content | None,
    basis: Basis,
    *,
    number: int = 1,
    format: str,
    also: Material | None = None,
    later: tuple[Stamp, ...] = (),
) -> SignatureReport:
    """One SignerInfo; `also` and `later` are what a PDF adds: validation data, timestamps."""
    report = SignatureReport(
        id=f"signer-{number}", format=format, level="B", conclusion=PASSED, covers=("the content",)
    )
    try:
        report, evidence = _examined(report, signed, signer, content)
    except _Concluded as found:
        return replace(report, conclusion=found.conclusion, covers=())
    except (ConnectorError, SignatureValidationError, *MALFORMED) as error:
        conclusion = Conclusion(SubIndication.FORMAT_FAILURE, (str(error)[:300],))
        return replace(report, conclusion=conclusion, covers=())
    if also is not None:
        evidence.material.certificates.update(also.certificates)
        evidence.material.revocation = evidence.material.revocation + also.revocation
    stamps = evidence.stamps + later
    report = replace(report, level=_level(stamps, evidence.material))
    return InTime(replace(evidence, stamps=stamps), basis).validated(report)


class _Concluded(Exception):
    """Nothing further can be examined."""

    def __init__(self, sub: SubIndication, why: str) -> None:
        super().__init__(why)
        self.conclusion = Conclusion(sub, (why,))


def _examined(
    report: SignatureReport, signed: Any, signer: Any, content: Content | None
) -> tuple[SignatureReport, Evidence]:
    certificates = _certificates(signed)
    certificate = next((each for each in certificates if _is_meant(signer["sid"], each)), None)
    if certificate is None:
        raise _Concluded(
            SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
            "The signature does not bring the certificate of its signer.",
        )
    if content is None:
        raise _Concluded(SubIndication.SIGNED_DATA_NOT_FOUND, "What is signed is not there.")
    _check_integrity(signed, signer, certificate, content)
    attributes = signer["signed_attrs"]
    names = {each["type"].native for each in attributes}
    value: bytes = signer["signature"].native
    weaknesses: tuple[Problem, ...] = ()
    if not names & _SIGNING_CERTIFICATE:
        weaknesses = (_no_signing_certificate(),)
    report = replace(
        report,
        certificate=certificate,
        signature_method=_method(signer),
        value=value,
        signing_time=extract_self_reported_ts(signer),
        weaknesses=weaknesses,
    )
    others = _unsigned_names(signer)
    if others & _OLD_ARCHIVES:
        report = replace(report, weaknesses=(*report.weaknesses, _archive_not_used()))
    return report, Evidence(
        value=value,
        certificate=certificate,
        material=Material(set(certificates), _revocation(signed)),
        stamps=(*_stamps(signer, content, value), *archive_stamps(signed, signer, content)),
        algorithms_end=partial(_end, signer, certificate),
    )


def _check_integrity(
    signed: Any, signer: Any, certificate: x509.Certificate, content: Content
) -> None:
    name = signer["digest_algorithm"]["algorithm"].native
    digest = _digest(content, name)
    kind = signed["encap_content_info"]["content_type"].native
    try:
        intact, valid = validate_sig_integrity(signer, asn1(certificate), kind, digest)
    except SignatureValidationError as error:
        sub = getattr(error, "ades_subindication", None) or AdESFailure.FORMAT_FAILURE
        raise _Concluded(SubIndication[sub.name], str(error)) from error
    if not intact:
        raise _Concluded(SubIndication.HASH_FAILURE, "The content is not what was signed.")
    if not valid:
        raise _Concluded(
            SubIndication.SIG_CRYPTO_FAILURE,
            "The signature value does not fit: it was altered, or made by another key.",
        )


def _digest(content: Content, name: str) -> bytes:
    made = hashlib.new(name)
    for piece in content():
        made.update(piece)
    return made.digest()


def _certificates(signed: Any) -> list[x509.Certificate]:
    found = (each.chosen.dump() for each in signed["certificates"] if each.name == "certificate")
    return [x509.load_der_x509_certificate(der) for der in found]


def _is_meant(sid: Any, certificate: x509.Certificate) -> bool:
    own, said = asn1(certificate), sid.chosen
    if sid.name == "subject_key_identifier":
        return bool(own.key_identifier == said.native)
    return bool(own.issuer == said["issuer"] and own.serial_number == said["serial_number"].native)


def _revocation(signed: Any) -> RevocationData:
    crls, ocsps = [], []
    for each in signed["crls"] or ():
        if each.name == "crl":
            crls.append(each.chosen.dump())
        elif each.chosen["other_rev_info_format"].native == "ocsp_response":
            ocsps.append(each.chosen["other_rev_info"].dump())
    return RevocationData(tuple(ocsps), tuple(crls))


def _stamps(signer: Any, content: Content, value: bytes) -> Iterator[Stamp]:
    for token in _tokens(signer["signed_attrs"], "content_time_stamp"):
        yield Stamp(Stamped.CONTENT, token, partial(_digest, content), tuple)
    known: Callable[[], Iterable[bytes]] = partial(_whole, value)
    for token in _tokens(signer["unsigned_attrs"], "signature_time_stamp_token"):
        yield Stamp(Stamped.SIGNATURE, token, partial(_digest, known), known)


def _tokens(attributes: Any, name: str) -> list[Token]:
    return [read_token(each.dump()) for each in find_cms_attribute_iter(attributes, name)]


def _unsigned_names(signer: Any) -> set[str]:
    return {each["type"].dotted for each in signer["unsigned_attrs"] or ()}


def _end(signer: Any, certificate: x509.Certificate, algorithms: Algorithms) -> datetime:
    if _method(signer) is None:
        return NEVER
    name = signer["digest_algorithm"]["algorithm"].native
    return min(algorithms.digest(name), algorithms.key(public_key(certificate)))


def _method(signer: Any) -> str | None:
    """The XMLDSig URI of the signature's algorithm."""
    family = _FAMILIES.get(signer["signature_algorithm"].signature_algo)
    digest = signer["digest_algorithm"]["algorithm"].native
    for uri, method in SIGNATURE_METHODS.items():
        if method.family is family and (method.hash is None or method.hash.name == digest):
            return uri
    return None


def _level(stamps: tuple[Stamp, ...], material: Material) -> str:
    kinds = {stamp.of for stamp in stamps}
    if any(kind.archives for kind in kinds):
        return "LTA"
    if Stamped.SIGNATURE not in kinds:
        return "B"
    return "LT" if material.revocation else "T"


def _no_signing_certificate() -> Problem:
    return Problem(
        code="signature.no-signing-certificate",
        what="The signature does not say which certificate it belongs to (no ESS attribute).",
        mend="Ask for a CAdES baseline signature (EN 319 122-1).",
    )


def _archive_not_used() -> Problem:
    return Problem(
        code="timestamp.archive-not-used",
        what="An archive timestamp of an old form (before archive-time-stamp-v3) is not evaluated.",
        mend="Extend the signature anew, or archive it in an ASiC container.",
    )
