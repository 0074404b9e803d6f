"""The report as ETSI TS 119 102-2 wants it (namespace of version 1.4.1), for other software."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree

from connector.signature.algorithms import SHA256
from connector.signature.certificates import name_of
from connector.signature.dsig_model import DS
from connector.signature.xades_statements import XADES, SignaturePolicy
from connector.validation.report import (
    Conclusion,
    SignatureReport,
    Stamped,
    TimestampReport,
    ValidationReport,
)
from connector.xml import Element, serialize

VR: Final = "http://uri.etsi.org/19102/v1.4.1#"
_URN: Final = "urn:etsi:019102:"
_V: Final = f"{{{VR}}}"
_D: Final = f"{{{DS}}}"
_X: Final = f"{{{XADES}}}"
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_NAMES: Final = {"vr": VR, "ds": DS, "xades": XADES}
_ATTRIBUTES: Final = {
    Stamped.CONTENT: "AllDataObjectsTimeStamp",
    Stamped.SIGNATURE: "SignatureTimeStamp",
    Stamped.ARCHIVE: "ArchiveTimeStamp",
    Stamped.DOCUMENT: "DocTimeStamp",
}


def as_xml(report: ValidationReport) -> bytes:
    """An XML document with one SignatureValidationReport for each signature, countersignatures
    among them, and the certificates and timestamps that they refer to."""
    root = etree.Element(f"{_V}ValidationReport", nsmap=_NAMES)
    objects = _Objects(report)
    for signature in _all(report.signatures):
        _signature(root, signature, report, objects)
    if not report.signatures:
        # The standard wants at least one: that of a document without any.
        nothing = etree.SubElement(root, f"{_V}SignatureValidationReport")
        status = etree.SubElement(nothing, f"{_V}SignatureValidationStatus")
        _text(status, "MainIndication", f"{_URN}mainindication:indeterminate")
    objects.write(root)
    return serialize(root)


def _all(signatures: Iterable[SignatureReport]) -> Iterable[SignatureReport]:
    for signature in signatures:
        yield signature
        yield from _all(signature.countersignatures)


class _Objects:
    """Validation objects, each once."""

    def __init__(self, report: ValidationReport) -> None:
        self._report = report
        self._found: dict[str, tuple[str, bytes | None, datetime | None]] = {
            _document_id(report): ("signedData", None, None)
        }

    def certificate(self, certificate: x509.Certificate) -> str:
        der = certificate.public_bytes(Encoding.DER)
        return self._add("C", "certificate", der, None)

    def timestamp(self, stamp: TimestampReport) -> str:
        proven = stamp.time if stamp.conclusion.passed else None
        return self._add("T", "timestamp", stamp.token, proven)

    def _add(self, letter: str, kind: str, octets: bytes, proves: datetime | None) -> str:
        name = f"{letter}-{hashlib.sha256(octets).hexdigest()}"
        self._found.setdefault(name, (kind, octets, proves))
        return name

    def write(self, root: Element) -> None:
        """SignatureValidationObjects."""
        parent = etree.SubElement(root, f"{_V}SignatureValidationObjects")
        for name, (kind, octets, proves) in self._found.items():
            each = etree.SubElement(parent, f"{_V}ValidationObject", id=name)
            _text(each, "ObjectType", f"{_URN}validationObject:{kind}")
            shown = etree.SubElement(each, f"{_V}ValidationObjectRepresentation")
            if octets is None:
                _digest(shown, bytes.fromhex(self._report.sha256))
            else:
                _text(shown, "base64", _base64(octets))
            if proves is not None:
                provided = etree.SubElement(each, f"{_V}POEProvisioning")
                _text(provided, "POETime", _time(proves))
                _reference(provided, "ValidationObject", _document_id(self._report))


def _signature(
    root: Element, signature: SignatureReport, report: ValidationReport, objects: _Objects
) -> None:
    own = etree.SubElement(root, f"{_V}SignatureValidationReport")
    _identifier(own, signature, root)
    evaluated = etree.SubElement(own, f"{_V}ValidationConstraintsEvaluationReport")
    policy = etree.SubElement(evaluated, f"{_V}SignatureValidationPolicy")
    identified = etree.SubElement(policy, f"{_V}SignaturePolicyIdentifier")
    etree.SubElement(identified, f"{_X}SignaturePolicyImplied")
    _text(policy, "PolicyName", report.policy)
    times = etree.SubElement(own, f"{_V}ValidationTimeInfo")
    _text(times, "ValidationTime", _time(report.time))
    best = etree.SubElement(times, f"{_V}BestSignatureTime")
    _text(best, "POETime", _time(signature.best_signature_time or report.time))
    _text(best, "TypeOfProof", f"{_URN}poetype:validation")
    document = etree.SubElement(own, f"{_V}SignersDocument")
    _digest(document, bytes.fromhex(report.sha256))
    _reference(document, "SignersDocumentRef", _document_id(report))
    _attributes(own, signature, objects)
    if signature.certificate is not None:
        signer = etree.SubElement(own, f"{_V}SignerInformation")
        _reference(signer, "SignerCertificate", objects.certificate(signature.certificate))
        _text(signer, "Signer", name_of(signature.certificate))
    process = etree.SubElement(own, f"{_V}SignatureValidationProcess")
    kind = {"B": "Basic", "T": "LTVM"}.get(signature.level, "LTA")
    _text(process, "SignatureValidationProcessID", f"{_URN}validationprocess:{kind}")
    _status(own, signature.conclusion, signature.path, objects)


def _identifier(own: Element, signature: SignatureReport, root: Element) -> None:
    number = len(root)
    identifier = etree.SubElement(own, f"{_V}SignatureIdentifier", id=f"S-{number}")
    _digest(identifier, hashlib.sha256(signature.value).digest())
    if signature.value:
        value = etree.SubElement(identifier, f"{_D}SignatureValue")
        value.text = _base64(signature.value)
    _text(identifier, "HashOnly", "false")
    _text(identifier, "DocHashOnly", "false")
    _text(identifier, "DAIdentifier", signature.id)


def _attributes(own: Element, signature: SignatureReport, objects: _Objects) -> None:
    found = etree.Element(f"{_V}SignatureAttributes")
    said = signature.statements
    if signature.signing_time is not None:
        _text(_attribute(found, "SigningTime"), "Time", _time(signature.signing_time))
    if signature.certificate is not None:
        certificate = _attribute(found, "SigningCertificate")
        _reference(certificate, "AttributeObject", objects.certificate(signature.certificate))
    for commitment in said.commitments:
        indication = _attribute(found, "CommitmentTypeIndication")
        _text(indication, "CommitmentTypeIdentifier", commitment.identifier)
    if isinstance(said.policy, SignaturePolicy):
        _text(_attribute(found, "SigPolicyIdentifier"), "SigPolicyId", said.policy.identifier)
    if said.place is not None:
        place = _attribute(found, "SignatureProductionPlace")
        for part in (said.place.city, said.place.country):
            if part:
                _text(place, "AddressString", part)
    for role in said.roles:
        details = etree.SubElement(_attribute(found, "SignerRole"), f"{_V}RoleDetails")
        _text(details, "Role", role)
        _text(details, "EndorsementType", "claimed")
    for stamp in signature.timestamps:
        signed = stamp.of is Stamped.CONTENT
        attribute = _attribute(found, _ATTRIBUTES[stamp.of], signed=signed)
        _reference(attribute, "AttributeObject", objects.timestamp(stamp))
        if stamp.time is not None:
            _text(attribute, "TimeStampValue", _time(stamp.time))
    if len(found):
        own.append(found)


def _attribute(parent: Element, name: str, *, signed: bool = True) -> Element:
    return etree.SubElement(parent, _V + name, Signed=str(signed).lower())


def _status(
    own: Element, conclusion: Conclusion, path: tuple[x509.Certificate, ...], objects: _Objects
) -> None:
    status = etree.SubElement(own, f"{_V}SignatureValidationStatus")
    _text(status, "MainIndication", f"{_URN}mainindication:{conclusion.indication.lower()}")
    if conclusion.sub is not None:
        _text(status, "SubIndication", f"{_URN}subindication:{conclusion.sub}")
    data = etree.SubElement(status, f"{_V}AssociatedValidationReportData")
    if path:
        names = [objects.certificate(each) for each in path]
        _reference(data, "TrustAnchor", names[-1])
        chain = etree.SubElement(data, f"{_V}CertificateChain")
        _reference(chain, "SigningCertificate", names[0])
        for name in names[1:-1]:
            _reference(chain, "IntermediateCertificate", name)
        if len(names) > 1:
            _reference(chain, "TrustAnchor", names[-1])
    if conclusion.why:
        additional = etree.SubElement(data, f"{_V}AdditionalValidationReportData")
        for sentence in conclusion.why:
            reported = etree.SubElement(additional, f"{_V}ReportData")
            _text(reported, "Type", "urn:emla:validation:reason")
            _text(reported, "Value", sentence)


def _reference(parent: Element, name: str, to: str) -> None:
    etree.SubElement(parent, _V + name, VOReference=to)


def _digest(parent: Element, digest: bytes) -> None:
    found = etree.SubElement(parent, f"{_V}DigestAlgAndValue")
    etree.SubElement(found, f"{_D}DigestMethod", Algorithm=SHA256)
    etree.SubElement(found, f"{_D}DigestValue").text = _base64(digest)


def _text(parent: Element, name: str, value: str) -> None:
    # Strangers' names may hold characters that XML does not.
    etree.SubElement(parent, _V + name).text = _NOT_XML.sub("\ufffd", value)


def _document_id(report: ValidationReport) -> str:
    return f"D-{report.sha256}"


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
