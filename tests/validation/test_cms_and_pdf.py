"""CAdES and PAdES, made by pyHanko and by openssl: what they sign, when, and whether it counts."""

from __future__ import annotations

import asyncio
import io
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, crl, keys, ocsp, tsp
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import serialization as ser
from fpdf import FPDF
from pyhanko.pdf_utils.generic import ArrayObject, NumberObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.signers import PdfSignatureMetadata, PdfTimeStamper, SimpleSigner, sign_pdf
from pyhanko.sign.timestamps import TimeStamper
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko_certvalidator.registry import SimpleCertificateStore

from connector.errors import ConnectorError
from connector.signature.fetching import HttpFetcher
from connector.signature.revocation_checking import gather
from connector.validation import SubIndication, ValidationReport
from connector.validation.cms_signatures import validate_cms
from connector.validation.pdf_signatures import validate_pdf
from tests.signature.certomancer_pki import EXPIRY, NOW, REVOKED_SINCE, Pki
from tests.signature.refusals import refused
from tests.validation.making import QUICK, basis, only, revocation

S = SubIndication
DAY = timedelta(days=1)
BEFORE = REVOKED_SINCE - 30 * DAY
CONTENT = b"Rechtshilfeersuchen"


class Stamper(TimeStamper):
    """Asks the PKI's authority."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    async def async_request_tsa_response(self, req: Any) -> Any:
        answer = HttpFetcher(QUICK).post(
            self._url, req.dump(), "application/timestamp-query", limit=10**6
        )
        return tsp.TimeStampResp.load(answer)


def signer(ca: Pki, label: str) -> SimpleSigner:
    private = ca.keys["signer"].private_bytes(
        ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    )
    store = SimpleCertificateStore()
    store.register(_asn1(ca, "ca"))
    return SimpleSigner(
        signing_cert=_asn1(ca, label),
        signing_key=keys.PrivateKeyInfo.load(private),
        cert_registry=store,
    )


def _asn1(ca: Pki, label: str) -> Any:
    return asn1_x509.Certificate.load(ca.certificate(label).public_bytes(ser.Encoding.DER))


# --- CAdES ---


def cades(
    ca: Pki,
    label: str = "signer",
    *,
    stamped: bool = False,
    detached: bool = False,
    at: Any = NOW,
    content: bytes = CONTENT,
) -> bytes:
    ca.at(at)
    stamper = Stamper(ca.tsa()) if stamped else None
    made = asyncio.run(
        signer(ca, label).async_sign_general_data(
            content, "sha256", detached=detached, timestamper=stamper, use_cades=True
        )
    )
    encoded: bytes = made.dump()
    return encoded


def checked(data: bytes, ca: Pki, at: Any = NOW, **more: Any) -> ValidationReport:
    ca.at(at)
    return validate_cms(data, basis(ca, at), **more)


@pytest.mark.parametrize("detached", [False, True])
@pytest.mark.parametrize("stamped", [False, True])
def test_cades(ca: Pki, detached: bool, stamped: bool) -> None:
    content = (lambda: [CONTENT[:5], CONTENT[5:]]) if detached else None
    found = only(checked(cades(ca, stamped=stamped, detached=detached), ca, content=content))
    assert found.conclusion.passed, found.conclusion
    assert (found.format, found.level) == ("CAdES", "T" if stamped else "B")
    assert found.certificate == ca.certificate("signer")
    # pyHanko writes the time of its own clock.
    assert {weakness.code for weakness in found.weaknesses} <= {"signature.from-the-future"}


def test_cades_of_other_content(ca: Pki) -> None:
    detached = cades(ca, detached=True)
    found = only(checked(detached, ca, content=lambda: [b"other"]))
    assert found.conclusion.sub is S.HASH_FAILURE
    assert only(checked(detached, ca)).conclusion.sub is S.SIGNED_DATA_NOT_FOUND
    altered = cades(ca).replace(CONTENT, CONTENT.upper())
    assert only(checked(altered, ca)).conclusion.sub is S.HASH_FAILURE


def test_cades_altered_attributes(ca: Pki) -> None:
    info = cms.ContentInfo.load(cades(ca))
    signer_info = info["content"]["signer_infos"][0]
    value = bytearray(signer_info["signature"].native)
    value[-1] ^= 1
    signer_info["signature"] = bytes(value)
    assert only(checked(info.dump(force=True), ca)).conclusion.sub is S.SIG_CRYPTO_FAILURE


def test_cades_revoked_later(ca: Pki) -> None:
    assert only(checked(cades(ca, "revoked", at=BEFORE), ca)).conclusion.sub is S.REVOKED_NO_POE
    proven = cades(ca, "revoked", stamped=True, at=BEFORE)
    found = only(checked(proven, ca))
    assert found.conclusion.passed and found.best_signature_time == BEFORE
    late = cades(ca, "revoked", stamped=True, at=REVOKED_SINCE + DAY)
    assert only(checked(late, ca)).conclusion.sub is S.REVOKED_NO_POE


def test_cms_by_openssl(ca: Pki, tmp_path: Path) -> None:
    """Plain CMS, no CAdES: counts, with a note."""
    key = ca.keys["signer"].private_bytes(
        ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(key)
    (tmp_path / "cert.pem").write_bytes(ca.certificate("signer").public_bytes(ser.Encoding.PEM))
    (tmp_path / "ca.pem").write_bytes(ca.certificate("ca").public_bytes(ser.Encoding.PEM))
    (tmp_path / "in").write_bytes(CONTENT)
    subprocess.run(
        ["openssl", "cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-in", "in",
         "-signer", "cert.pem", "-inkey", "key.pem", "-certfile", "ca.pem", "-outform", "DER",
         "-out", "out"],
        cwd=tmp_path, check=True, capture_output=True,
    )  # fmt: skip
    found = only(checked((tmp_path / "out").read_bytes(), ca))
    assert found.conclusion.passed, found.conclusion
    assert "signature.no-signing-certificate" in [w.code for w in found.weaknesses]


@pytest.mark.parametrize("data", [b"", b"0\x80", b"words", CONTENT * 100])
def test_no_cms(ca: Pki, data: bytes) -> None:
    with refused("cms.malformed"):
        checked(data, ca)


# --- PAdES ---


def pdf() -> bytes:
    document = FPDF()
    document.add_page()
    document.set_font("helvetica")
    document.cell(text="Rechtshilfeersuchen")
    return bytes(document.output())


def pades(
    ca: Pki, label: str = "signer", *, stamped: bool = False, at: Any = NOW, data: bytes = b""
) -> bytes:
    ca.at(at)
    meta = PdfSignatureMetadata(
        field_name=f"Signature-{at:%Y%m%d}", md_algorithm="sha256", subfilter=SigSeedSubFilter.PADES
    )
    writer = IncrementalPdfFileWriter(io.BytesIO(data or pdf()))
    stamper = Stamper(ca.tsa()) if stamped else None
    out = sign_pdf(writer, meta, signer(ca, label), timestamper=stamper)
    found: bytes = out.getvalue()
    return found


def archived(ca: Pki, data: bytes, label: str, at: Any) -> bytes:
    """With validation data and a document timestamp."""
    ca.at(at)
    source = revocation(ca)
    paths = [
        tuple(ca.certificate(name) for name in names)
        for names in ((label, "ca", "root"), ("tsa", "root"))
    ]
    known = gather(paths[0], source) + gather(paths[1], source)
    buffer = io.BytesIO(data)
    DocumentSecurityStore.add_dss(
        buffer, sig_contents=None, certs=[_asn1(ca, n) for n in (label, "ca", "root", "tsa")],
        ocsps=[ocsp.OCSPResponse.load(der) for der in known.ocsps],
        crls=[crl.CertificateList.load(der) for der in known.crls],
    )  # fmt: skip
    buffer.seek(0)
    stamper = PdfTimeStamper(Stamper(ca.tsa()), field_name=f"Stamp-{at:%Y%m%d}")
    out = stamper.timestamp_pdf(IncrementalPdfFileWriter(buffer), "sha256")
    found: bytes = out.getvalue()
    return found


def looked_at(data: bytes, ca: Pki, at: Any = NOW, *, online: bool = True) -> ValidationReport:
    ca.at(at)
    return validate_pdf(data, basis(ca, at, online=online))


def test_pades(ca: Pki) -> None:
    found = only(looked_at(pades(ca), ca))
    assert found.conclusion.passed, found.conclusion
    assert (found.format, found.level, found.covers) == ("PAdES", "B", ("the whole document",))
    found = only(looked_at(pades(ca, stamped=True), ca))
    assert (found.level, found.conclusion.sub) == ("T", None)
    found = only(looked_at(archived(ca, pades(ca, stamped=True), "signer", NOW), ca))
    assert (found.level, found.conclusion.sub) == ("LTA", None), found
    assert [stamp.conclusion.passed for stamp in found.timestamps] == [True, True]


def test_pades_altered(ca: Pki) -> None:
    data = pades(ca)
    at = data.index(b"/MediaBox") + 11
    altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    assert only(looked_at(altered, ca)).conclusion.sub in {S.HASH_FAILURE, S.FORMAT_FAILURE}


def test_pades_twice(ca: Pki) -> None:
    once = pades(ca, at=NOW - DAY)
    twice = pades(ca, data=once)
    first, second = looked_at(twice, ca).signatures
    assert first.conclusion.passed, first.conclusion
    assert first.covers == ("revision 2 of the document",)
    assert second.conclusion.passed
    assert second.covers == ("the whole document",)


def test_pades_changed_afterwards(ca: Pki) -> None:
    """A page that shows something else, put in behind the signature."""
    writer = IncrementalPdfFileWriter(io.BytesIO(pades(ca)))
    pages = writer.root["/Pages"]
    pages["/MediaBox"] = ArrayObject([NumberObject(number) for number in (0, 0, 99, 99)])
    writer.update_container(pages)
    out = io.BytesIO()
    writer.write(out)
    assert only(looked_at(out.getvalue(), ca)).conclusion.sub is S.SIG_CONSTRAINTS_FAILURE


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("revoked", S.REVOKED_NO_POE),
        ("expired", S.OUT_OF_BOUNDS_NO_POE),
        ("stranger", S.NO_CERTIFICATE_CHAIN_FOUND),
    ],
)
def test_pades_certificates(ca: Pki, label: str, expected: SubIndication) -> None:
    made = pades(ca, "signer")
    assert only(looked_at(made, ca)).conclusion.passed
    if label == "stranger":
        other = signer(ca, label)
        private = ca.keys["stranger"].private_bytes(
            ser.Encoding.DER, ser.PrivateFormat.PKCS8, ser.NoEncryption()
        )
        other = SimpleSigner(
            signing_cert=_asn1(ca, label),
            signing_key=keys.PrivateKeyInfo.load(private),
            cert_registry=SimpleCertificateStore(),
        )
        meta = PdfSignatureMetadata(field_name="S", subfilter=SigSeedSubFilter.PADES)
        made = sign_pdf(IncrementalPdfFileWriter(io.BytesIO(pdf())), meta, other).getvalue()
    else:
        made = pades(ca, label)
    assert only(looked_at(made, ca)).conclusion.sub is expected


def test_pades_years_later(ca: Pki) -> None:
    """Signer, then revoked or expired: what was archived in time still counts, offline too."""
    for label in ("revoked", "expired"):
        made = pades(ca, label, stamped=True, at=BEFORE)
        bare = only(looked_at(made, ca, NOW, online=False)).conclusion.sub
        assert bare in {S.TRY_LATER, S.OUT_OF_BOUNDS_NO_POE}
        kept = archived(ca, made, label, BEFORE)
        assert only(looked_at(kept, ca, NOW)).conclusion.passed
        found = only(looked_at(kept, ca, NOW, online=False))
        assert found.conclusion.passed, found.conclusion
        assert found.best_signature_time == BEFORE
    assert NOW > EXPIRY


@pytest.mark.parametrize("data", [b"", b"words", b"%PDF-1.7\n", pdf()[:300]])
def test_no_pdf(ca: Pki, data: bytes) -> None:
    with pytest.raises(ConnectorError) as caught:
        looked_at(data, ca)
    assert caught.value.code == "pdf.malformed"
