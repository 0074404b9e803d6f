"""Documents by their content, and the entries of containers."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

import pytest

from connector.signature.algorithms import SHA256
from connector.signature.dsig_model import DS
from connector.signature.xades_levels import Level, extend
from connector.signature.xades_packaging import SignedFile, Signing, as_document, sign_files
from connector.validation import SubIndication
from connector.validation.documents import Entries, validate_container, validate_document
from tests.signature.certomancer_pki import NOW, Pki
from tests.signature.refusals import refused
from tests.validation.making import basis, key, only, services, signed
from tests.validation.test_cms_and_pdf import CONTENT, cades, pades

S = SubIndication
FILES = {"mimetype": b"application/vnd.etsi.asic-e+zip", "a b.xml": b"<a/>", "c.bin": bytes(99)}


def test_told_apart_by_content(ca: Pki) -> None:
    for data, form in ((signed(ca), "XAdES"), (pades(ca), "PAdES"), (cades(ca), "CAdES")):
        found = only(validate_document(data, basis(ca), name="x"))
        assert found.format == form
        assert found.conclusion.passed
    with refused("document.unknown"):
        validate_document(b"PK\3\4", basis(ca), name="x")


def entries(files: dict[str, bytes]) -> Entries:
    def reading(content: bytes) -> list[bytes]:
        return [content[:3], content[3:]]

    return {name: lambda content=content: reading(content) for name, content in files.items()}  # type: ignore[misc]


def xades_container(ca: Pki, level: Level) -> dict[str, bytes]:
    items = [
        SignedFile("a%20b.xml", "text/xml", sha256(FILES["a b.xml"]).digest()),
        SignedFile("c.bin", "application/octet-stream", sha256(FILES["c.bin"]).digest()),
    ]
    document = as_document(sign_files(items, Signing(key=key(ca), time=NOW)))

    def contents(reference: object) -> list[bytes] | None:
        uri = getattr(reference, "uri", "")
        return [FILES[uri.replace("%20", " ")]]

    document = extend(document, level, services(ca), NOW, contents=contents)
    return {**FILES, "META-INF/signatures001.xml": document}


@pytest.mark.parametrize("level", [Level.B, Level.LTA])
def test_container_with_xades(ca: Pki, level: Level) -> None:
    files = xades_container(ca, level)
    found = only(validate_container(entries(files), basis(ca), name="x.asice"))
    assert found.conclusion.passed, found.conclusion
    assert found.level == level.name
    assert found.covers == ("a%20b.xml", "c.bin")
    altered = {**files, "c.bin": b"other"}
    found = only(validate_container(entries(altered), basis(ca), name="x.asice"))
    assert found.conclusion.sub is S.HASH_FAILURE
    del altered["c.bin"]
    found = only(validate_container(entries(altered), basis(ca), name="x.asice"))
    assert found.conclusion.sub is S.SIGNED_DATA_NOT_FOUND


def test_simple_container_with_cades(ca: Pki) -> None:
    files = {
        "mimetype": b"application/vnd.etsi.asic-s+zip",
        "document.txt": CONTENT,
        "META-INF/signature.p7s": cades(ca, detached=True),
    }
    found = only(validate_container(entries(files), basis(ca), name="x.asics"))
    assert found.conclusion.passed and found.covers == ("document.txt",)
    files["document.txt"] = b"other"
    found = only(validate_container(entries(files), basis(ca), name="x.asics"))
    assert found.conclusion.sub is S.HASH_FAILURE


def test_extended_container_with_cades(ca: Pki) -> None:
    """The signature covers a manifest, and that the files."""

    def manifest(content: bytes) -> bytes:
        value = b64encode(sha256(content).digest()).decode()
        return (
            '<asic:ASiCManifest xmlns:asic="http://uri.etsi.org/02918/v1.2.1#" '
            f'xmlns:ds="{DS}"><asic:SigReference URI="META-INF/signature1.p7s"/>'
            f'<asic:DataObjectReference URI="a%20b.xml"><ds:DigestMethod Algorithm="{SHA256}"/>'
            f"<ds:DigestValue>{value}</ds:DigestValue></asic:DataObjectReference>"
            "</asic:ASiCManifest>"
        ).encode()

    signature = cades(ca, detached=True, content=manifest(FILES["a b.xml"]))
    files = {
        **FILES,
        "META-INF/ASiCManifest1.xml": manifest(FILES["a b.xml"]),
        "META-INF/signature1.p7s": signature,
    }
    found = only(validate_container(entries(files), basis(ca), name="x.asice"))
    assert found.conclusion.passed, found.conclusion
    assert found.covers == ("a b.xml",)
    altered = {**files, "a b.xml": b"<b/>"}
    found = only(validate_container(entries(altered), basis(ca), name="x.asice"))
    assert found.conclusion.sub is S.HASH_FAILURE
    altered["META-INF/ASiCManifest1.xml"] = manifest(b"<b/>")
    found = only(validate_container(entries(altered), basis(ca), name="x.asice"))
    assert found.conclusion.sub is S.HASH_FAILURE
