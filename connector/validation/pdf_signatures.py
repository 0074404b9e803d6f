"""Validating the signatures of a PDF: PAdES (ETSI EN 319 142-1). pyHanko reads the file and judges
what was changed after a signature; trust is decided by the same process as for XAdES.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

from asn1crypto import cms  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.serialization import Encoding
from pyhanko.pdf_utils.misc import PdfError
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader
from pyhanko.sign.diff_analysis import ModificationLevel
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.errors import NoDSSFoundError, SignatureValidationError
from pyhanko.sign.validation.pdf_embedded import EmbeddedPdfSignature
from pyhanko.sign.validation.status import SignatureCoverageLevel

from connector.errors import ConnectorError, Problem, unacceptable
from connector.signature.certificates import MALFORMED
from connector.signature.revocation import RevocationData
from connector.signature.timestamps import read_token
from connector.validation.basis import Basis
from connector.validation.cms_signatures import validate_signer
from connector.validation.in_time import Stamp
from connector.validation.indications import SubIndication
from connector.validation.paths import Material, parsed
from connector.validation.report import Conclusion, SignatureReport, Stamped, ValidationReport

MAX_BYTES: Final = 256 * 1024 * 1024
MAX_SIGNATURES: Final = 64
_UNREADABLE: Final = (
    PdfError,
    SignatureValidationError,
    *MALFORMED,
    AttributeError,
    RecursionError,
)


def validate_pdf(data: bytes, basis: Basis, *, name: str = "document.pdf") -> ValidationReport:
    """Every signature of a PDF.

    Raises `ConnectorError` (unacceptable) only if `data` cannot be read as a PDF at all:
    `pdf.malformed`, `pdf.too-large`, `pdf.too-many-signatures`.
    """
    if len(data) > MAX_BYTES:
        raise unacceptable("pdf.too-large", f"The PDF has {len(data)} bytes.")
    try:
        reader = PdfFileReader(io.BytesIO(data))
        embedded = list(reader.embedded_signatures)
    except _UNREADABLE as error:
        raise unacceptable(
            "pdf.malformed",
            f"The PDF cannot be read: {str(error)[:200]}",
            mend="Ask the sender for the file as it was signed.",
        ) from error
    if len(embedded) > MAX_SIGNATURES:
        raise unacceptable("pdf.too-many-signatures", f"The PDF has {len(embedded)} signatures.")
    store = _Store(reader, embedded)
    return ValidationReport(
        document=name,
        sha256=hashlib.sha256(data).hexdigest(),
        time=basis.at,
        policy=basis.policy.name,
        signatures=tuple(
            _signature(data, number, each, store, basis)
            for number, each in enumerate(embedded, 1)
            if each.sig_object_type != "/DocTimeStamp"
        ),
    )


def _signature(
    data: bytes, number: int, embedded: EmbeddedPdfSignature, store: _Store, basis: Basis
) -> SignatureReport:
    given = embedded.field_name or f"signature-{number}"
    # pyHanko gives bytes for a string in no encoding that PDF knows.
    name = given.decode("latin-1") if isinstance(given, bytes) else str(given)
    broken = SignatureReport(
        id=name, format="PAdES", level="B",
        conclusion=Conclusion(SubIndication.FORMAT_FAILURE, ("The signature cannot be read.",)),
    )  # fmt: skip
    try:
        embedded.compute_integrity_info()  # type: ignore[no-untyped-call]
        allowed = bool(embedded.summarise_integrity_info()["docmdp_ok"])
        report = validate_signer(
            embedded.signed_data,
            embedded.signer_info,
            partial(_covered, data, embedded.byte_range),
            basis,
            number=number,
            format="PAdES",
            also=store.material,
            later=tuple(store.stamps_after(data, embedded)),
        )
    except (*_UNREADABLE, ConnectorError) as error:
        why = (f"The signature cannot be read: {str(error)[:200]}",)
        return replace(broken, conclusion=Conclusion(SubIndication.FORMAT_FAILURE, why))
    report = replace(report, id=name)
    if report.certificate is None or not report.covers:
        return report
    return _with_coverage(report, embedded, allowed, store.fields)


def _with_coverage(
    report: SignatureReport, embedded: EmbeddedPdfSignature, allowed: bool, signatures: set[str]
) -> SignatureReport:
    coverage = embedded.coverage
    if coverage is SignatureCoverageLevel.ENTIRE_FILE:
        return replace(report, covers=("the whole document",))
    report = replace(report, covers=(f"revision {embedded.signed_revision + 1} of the document",))
    if coverage < SignatureCoverageLevel.ENTIRE_REVISION:
        return _failed(report, "The signature does not cover all of the document as it was then.")
    level = getattr(embedded.diff_result, "modification_level", ModificationLevel.OTHER)
    if not allowed:
        return _failed(report, "The document was changed after it was signed, in what it shows.")
    if level is ModificationLevel.FORM_FILLING and _only(embedded, signatures):
        return report
    if level in {ModificationLevel.FORM_FILLING, ModificationLevel.ANNOTATIONS}:
        problem = Problem(
            code="pdf.changed",
            what="Forms were filled in or remarks made after the document was signed.",
            mend="Compare with the signed revision.",
        )
        return replace(report, weaknesses=(*report.weaknesses, problem))
    return report


def _only(embedded: EmbeddedPdfSignature, signatures: set[str]) -> bool:
    """Whether the fields filled in later are those of further signatures and timestamps: EU DSS
    makes a new field for each."""
    changed = set(getattr(embedded.diff_result, "changed_form_fields", ()))
    return bool(changed) and changed <= signatures


def _failed(report: SignatureReport, why: str) -> SignatureReport:
    if not report.conclusion.passed and not (
        report.conclusion.sub and report.conclusion.sub.may_improve
    ):
        return report
    return replace(report, conclusion=Conclusion(SubIndication.SIG_CONSTRAINTS_FAILURE, (why,)))


def _covered(data: bytes, ranges: Iterable[int]) -> Iterable[bytes]:
    """The bytes in the ByteRange of a signature."""
    numbers = [int(number) for number in ranges]
    view = memoryview(data)
    return [
        bytes(view[start : start + length])
        for start, length in zip(numbers[::2], numbers[1::2], strict=True)
    ]


@dataclass(slots=True)
class _Store:
    """What the PDF holds beside its signatures: validation data and document timestamps."""

    reader: PdfFileReader
    embedded: list[EmbeddedPdfSignature]

    @property
    def material(self) -> Material:
        """Of the document security store as it is now."""
        return _material(self.reader)

    @property
    def fields(self) -> set[str]:
        """Names of the form fields that hold signatures and timestamps."""
        return {each.field_name for each in self.embedded}

    def stamps_after(self, data: bytes, signature: EmbeddedPdfSignature) -> Iterable[Stamp]:
        """The document timestamps that cover a signature."""
        for each in self.embedded:
            later = each.signed_revision > signature.signed_revision
            if each.sig_object_type != "/DocTimeStamp" or not later:
                continue
            info = cms.ContentInfo({"content_type": "signed_data", "content": each.signed_data})
            octets = partial(_covered, data, each.byte_range)
            yield Stamp(
                Stamped.DOCUMENT,
                read_token(info.dump()),
                partial(_imprint, octets),
                partial(self._proven, each, signature),
            )

    def _proven(
        self, stamp: EmbeddedPdfSignature, signature: EmbeddedPdfSignature
    ) -> Iterable[bytes]:
        yield signature.signer_info["signature"].native
        at_that_time = HistoricalResolver(self.reader, revision=stamp.signed_revision)
        found = _material(at_that_time)
        yield from (each.public_bytes(Encoding.DER) for each in found.certificates)
        yield from found.revocation.crls
        yield from found.revocation.ocsps
        for other in self.embedded:
            if other.signed_revision >= stamp.signed_revision:
                continue
            for each in other.signed_data["certificates"]:
                yield each.chosen.dump()
            if other.sig_object_type == "/DocTimeStamp":
                info = cms.ContentInfo(
                    {"content_type": "signed_data", "content": other.signed_data}
                )
                yield info.dump()
        for each in signature.signer_info["unsigned_attrs"] or ():
            if each["type"].native == "signature_time_stamp_token":
                for token in each["values"]:
                    yield token.dump()
                    yield from (c.chosen.dump() for c in token["content"]["certificates"])


def _material(handler: Any) -> Material:
    try:
        store = DocumentSecurityStore.read_dss(handler)
    except NoDSSFoundError:
        return Material(set(), RevocationData())
    return Material(
        parsed(each.get_object().data for each in store.certs.values()),
        RevocationData(
            tuple(each.get_object().data for each in store.ocsps),
            tuple(each.get_object().data for each in store.crls),
        ),
    )


def _imprint(octets: partial[Iterable[bytes]], hash_name: str) -> bytes:
    made = hashlib.new(hash_name)
    for piece in octets():
        made.update(piece)
    return made.digest()
