"""xmlsec1 and signxml agree on the XMLDSig layer of everything that we sign."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding
from lxml import etree
from signxml import SignatureConfiguration, SignatureMethod, XMLVerifier

from connector.signature.pki import KeyType
from connector.signature.xades_packaging import Signing
from connector.signature.xades_properties import XADES
from connector.signature.xmldsig import parse_signature
from gateway_client.as4.namespaces import EB, SOAP
from gateway_client.as4.send import prepare
from gateway_client.as4.signals import receipt_envelope
from tests.as4.access_points import RED_KEY, message, pmode
from tests.interop.artefacts import JUDGED, NOW, SIGNED_XML, signer
from tests.interop.matrix import Recorder
from tests.interop.signatures import CONTAINERS, CONTENT, FILE, PACKAGINGS, signed

KINDS = [KeyType.RSA_2048, KeyType.P256]
"""Neither of the two knows Ed25519."""
DS = "http://www.w3.org/2000/09/xmldsig#"
D = f"{{{DS}}}"
WITH_IDS = (
    f"{XADES}:SignedProperties",
    f"{DS}:Object",
    "urn:emla:facts",
    f"{EB}:Messaging",
    f"{SOAP}:Body",
)
"""Elements whose Ids are referred to: xmlsec1 has no schema to know it by."""


@pytest.fixture(scope="session")
def xmlsec1() -> str:
    found = shutil.which("xmlsec1")
    if found is None:
        reason = "xmlsec1 is not installed (apt install xmlsec1)"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


def accepts(xmlsec1: str, data: bytes, folder: Path, *options: str | Path) -> bool:
    """Whether xmlsec1 accepts the first signature, its files lying in `folder`."""
    path = folder / "signed.xml"
    path.write_bytes(data)
    ids = [option for name in WITH_IDS for option in ("--id-attr:Id", name)]
    done = subprocess.run(
        [xmlsec1, "--verify", *ids, *options, path],
        capture_output=True, text=True, check=False, cwd=folder,
    )  # fmt: skip
    return done.returncode == 0


def trusting(folder: Path, kind: KeyType) -> tuple[str, Path]:
    """The options that make the root of `kind` the trust anchor."""
    path = folder / "root.pem"
    path.write_bytes(signer(kind).root.key.certificate.public_bytes(Encoding.PEM))
    return "--trusted-pem", path


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SIGNED_XML)
def test_xmlsec1(xmlsec1: str, tmp_path: Path, matrix: Recorder, name: str, kind: KeyType) -> None:
    matrix(JUDGED, name, f"xmlsec1 {kind}")
    data = SIGNED_XML[name](signer(kind).key)
    options = trusting(tmp_path, kind)
    assert accepts(xmlsec1, data, tmp_path, *options)
    assert not accepts(xmlsec1, data.replace(b"DE", b"FR", 1), tmp_path, *options)


def signxml_accepts(data: bytes, kind: KeyType) -> bool:
    """Whether signxml accepts the signature with the signer's certificate."""
    references = len(parse_signature(next(etree.fromstring(data).iter(f"{D}Signature"))).references)
    expected = SignatureConfiguration(
        expect_references=references,
        signature_methods=frozenset({SignatureMethod(signer(kind).key.algorithm)}),
    )
    try:
        XMLVerifier().verify(data, x509_cert=signer(kind).key.certificate, expect_config=expected)
    except Exception as refusal:  # whatever it raises
        assert "igest mismatch" in str(refusal), refusal
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SIGNED_XML)
def test_signxml(matrix: Recorder, name: str, kind: KeyType) -> None:
    matrix(JUDGED, name, f"signxml {kind}")
    data = SIGNED_XML[name](signer(kind).key)
    assert signxml_accepts(data, kind)
    assert not signxml_accepts(data.replace(b"DE", b"FR", 1), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_xmlsec1_packagings(
    xmlsec1: str, tmp_path: Path, matrix: Recorder, packaging: str, kind: KeyType
) -> None:
    matrix(JUDGED, f"signature, {packaging}", f"xmlsec1 {kind}")
    data = signed(packaging, Signing(key=signer(kind).key, time=NOW))
    files = [tmp_path / FILE]
    files[0].write_bytes(CONTENT)
    if packaging in CONTAINERS:
        with zipfile.ZipFile(io.BytesIO(data)) as container:
            container.extractall(tmp_path)
            data = container.read("META-INF/signatures.xml")
            files = [tmp_path / name for name in container.namelist()]
    options = trusting(tmp_path, kind)
    assert accepts(xmlsec1, data, tmp_path, *options)
    for old, new in (("Größe", "größe"), ("AAECAwQF", "AAECAwQG")):
        data = data.replace(old.encode(), new.encode())
    for file in files:
        file.write_bytes(file.read_bytes() + b" ")
    assert not accepts(xmlsec1, data, tmp_path, *options)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("packaging", ["enveloped", "element", "enveloping, element"])
def test_signxml_packagings(matrix: Recorder, packaging: str, kind: KeyType) -> None:
    """It knows no filters, and nothing that is not XML."""
    matrix(JUDGED, f"signature, {packaging}", f"signxml {kind}")
    data = signed(packaging, Signing(key=signer(kind).key, time=NOW))
    assert signxml_accepts(data, kind)
    assert not signxml_accepts(data.replace("Größe".encode(), "größe".encode()), kind)


def test_xmlsec1_as4(xmlsec1: str, tmp_path: Path, matrix: Recorder) -> None:
    """The WS-Security signature of a message and of a receipt. It cannot resolve attachments, so
    the message has none; nor a SecurityTokenReference, so it is told the certificate."""
    certificate = tmp_path / "red.pem"
    certificate.write_bytes(RED_KEY.certificate.public_bytes(Encoding.PEM))
    options = ("--pubkey-cert-pem", certificate)
    mode = pmode("x")
    prepared = prepare(message(), mode, RED_KEY, scratch=tmp_path, token="t0")
    prepared.close()
    content = prepared.entity("t1").content
    assert isinstance(content, bytes)
    receipt = receipt_envelope(
        "m1@red", prepared.references, mode, RED_KEY, signal_id="s@red", token="r", now=NOW
    )
    matrix(JUDGED, "AS4 message and receipt", "xmlsec1 rsa2048")
    for data, old in ((content, b"urn:mla"), (receipt, b"m1@red")):
        assert accepts(xmlsec1, data, tmp_path, *options)
        assert not accepts(xmlsec1, data.replace(old, old[::-1]), tmp_path, *options)
