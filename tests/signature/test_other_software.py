"""xmlsec1 and signxml verify what we sign, and we verify what they sign."""

from __future__ import annotations

import shutil
import subprocess
from base64 import b64encode
from hashlib import sha512
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from lxml import etree
from signxml import (
    CanonicalizationMethod,
    SignatureConfiguration,
    SignatureMethod,
    XMLVerifier,
)
from signxml.xades import XAdESSignatureConfiguration, XAdESSigner, XAdESVerifier

from connector.signature import xades
from connector.signature.algorithms import (
    C14N,
    ECDSA_SHA256,
    EXC_C14N,
    RSA_PSS_SHA256,
    RSA_SHA256,
    RSA_SHA512,
    SHA512,
)
from connector.signature.dsig_model import (
    DS,
    ENVELOPED,
    FILTER2,
    NOT_SIGNATURE,
    SUBTRACT_SIGNATURES,
    XPATH,
)
from connector.signature.keys import SigningKey
from connector.signature.pki import KeyType
from connector.signature.xades_statements import XADES
from connector.xml import parse
from tests.signature.conftest import TestPki, made
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.test_xades import FILES, POLICY, REQUEST, verified

SIGNED_PROPERTIES = f"{XADES}:SignedProperties"


@pytest.fixture(scope="session")
def xmlsec1() -> str:
    found = shutil.which("xmlsec1")
    if found is None:
        pytest.skip("xmlsec1 is not installed (apt install xmlsec1)")
    return found


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)


def accepts(xmlsec1: str, path: Path, pki: TestPki, folder: Path) -> bool:
    """Whether xmlsec1 accepts the signature and its certificate path."""
    ca = folder / "ca.pem"
    ca.write_bytes(pki.root.key.certificate.public_bytes(Encoding.PEM))
    done = run(
        xmlsec1, "--verify", "--trusted-pem", ca, "--id-attr:Id", SIGNED_PROPERTIES,
        "--verification-gmt-time", f"{NOW:%Y-%m-%d %H:%M:%S}", path,
    )  # fmt: skip
    return done.returncode == 0


METHODS = [
    (KeyType.RSA_2048, None),
    (KeyType.RSA_2048, RSA_SHA512),
    (KeyType.P256, None),
    (KeyType.P384, None),
]


@pytest.mark.parametrize(("key_type", "method"), METHODS)
def test_xmlsec1_verifies_enveloped(
    xmlsec1: str, tmp_path: Path, key_type: KeyType, method: str | None
) -> None:
    pki = made(key_type)
    path = tmp_path / "signed.xml"
    signed = xades.sign_enveloped(parse(REQUEST), pki.key, NOW, signature_method=method)
    path.write_bytes(signed)
    assert accepts(xmlsec1, path, pki, tmp_path)
    path.write_bytes(signed.replace(b"mehr", b"more"))
    assert not accepts(xmlsec1, path, pki, tmp_path)


def test_xmlsec1_verifies_detached(xmlsec1: str, tmp_path: Path, rsa_pki: TestPki) -> None:
    content = tmp_path / "content.zip"
    content.write_bytes(b"zip")
    items = [(f"{content}", "application/zip", FILES["SignedContent.zip"])]
    path = tmp_path / "signatures.xml"
    path.write_bytes(b"<s>" + xades.sign_detached(items, rsa_pki.key, NOW) + b"</s>")
    assert accepts(xmlsec1, path, rsa_pki, tmp_path)
    content.write_bytes(b"other")
    assert not accepts(xmlsec1, path, rsa_pki, tmp_path)


def template(key: SigningKey, c14n: str, removal: str, method: str, older: bool) -> bytes:
    """A document whose signature xmlsec1 is to fill in: SHA-512, and whatever else is asked."""
    names = ("SigningCertificate", "") if older else ("SigningCertificateV2", "V2")
    xpath = {
        XPATH: f"<ds:XPath>{NOT_SIGNATURE}</ds:XPath>",
        FILTER2: f'<XPath xmlns="{FILTER2}" Filter="subtract">{SUBTRACT_SIGNATURES}</XPath>',
    }.get(removal, "")
    digest = b64encode(sha512(key.certificates[0]).digest()).decode()
    return f"""<e:request xmlns:e="urn:emla" xmlns:unused="urn:u" xmlns="urn:d">
<e:facts>Größe</e:facts>
<ds:Signature xmlns:ds="{DS}" Id="sig"><ds:SignedInfo>
  <ds:CanonicalizationMethod Algorithm="{c14n}"/><ds:SignatureMethod Algorithm="{method}"/>
  <ds:Reference Id="r" URI=""><ds:Transforms>
    <ds:Transform Algorithm="{removal}">{xpath}</ds:Transform>
    <ds:Transform Algorithm="{c14n}"/></ds:Transforms>
    <ds:DigestMethod Algorithm="{SHA512}"/><ds:DigestValue/></ds:Reference>
  <ds:Reference URI="#props" Type="http://uri.etsi.org/01903#SignedProperties">
    <ds:Transforms><ds:Transform Algorithm="{c14n}"/></ds:Transforms>
    <ds:DigestMethod Algorithm="{SHA512}"/><ds:DigestValue/></ds:Reference>
</ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo>
<ds:Object><xades:QualifyingProperties xmlns:xades="{XADES}" Target="#sig">
  <xades:SignedProperties Id="props"><xades:SignedSignatureProperties>
    <xades:SigningTime>2026-03-14T10:26:53+01:00</xades:SigningTime>
    <xades:{names[0]}><xades:Cert><xades:CertDigest><ds:DigestMethod Algorithm="{SHA512}"/>
      <ds:DigestValue>{digest}</ds:DigestValue></xades:CertDigest></xades:Cert></xades:{names[0]}>
  </xades:SignedSignatureProperties></xades:SignedProperties>
</xades:QualifyingProperties></ds:Object></ds:Signature></e:request>""".encode()


@pytest.mark.parametrize("c14n", [EXC_C14N, C14N])
@pytest.mark.parametrize("removal", [ENVELOPED, XPATH, FILTER2])
@pytest.mark.parametrize(
    ("key_type", "method", "older"),
    [
        (KeyType.RSA_2048, RSA_SHA256, False),
        (KeyType.RSA_2048, RSA_SHA512, True),
        (KeyType.P256, ECDSA_SHA256, False),
    ],
)
def test_what_xmlsec1_signs(
    xmlsec1: str, tmp_path: Path, c14n: str, removal: str,
    key_type: KeyType, method: str, older: bool,
) -> None:  # fmt: skip
    pki = made(key_type)
    private = pki.key.private.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (tmp_path / "key.pem").write_bytes(private)
    (tmp_path / "template.xml").write_bytes(template(pki.key, c14n, removal, method, older))
    key_and_certificates = [f"{tmp_path}/key.pem"]
    for number, each in enumerate((pki.key.certificate, *pki.key.intermediates)):
        path = tmp_path / f"{number}.pem"
        path.write_bytes(each.public_bytes(Encoding.PEM))
        key_and_certificates.append(str(path))
    done = run(
        xmlsec1, "--sign", "--privkey-pem", ",".join(key_and_certificates),
        "--id-attr:Id", SIGNED_PROPERTIES, "--output", tmp_path / "signed.xml",
        tmp_path / "template.xml",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    signed = (tmp_path / "signed.xml").read_bytes()
    found = verified(signed, pki)
    assert found.signing_time == NOW
    assert found.signature_method == method
    assert found.weaknesses == ()
    with refused("signature.digest-mismatch"):
        verified(signed.replace(b"<e:facts>", b"<e:facts>not "), pki)


@pytest.mark.parametrize(("key_type", "method"), [*METHODS, (KeyType.RSA_2048, RSA_PSS_SHA256)])
def test_signxml_verifies(tmp_path: Path, key_type: KeyType, method: str | None) -> None:
    pki = made(key_type)
    signed = xades.sign_enveloped(parse(REQUEST), pki.key, NOW, signature_method=method)
    expected = XAdESSignatureConfiguration(
        expect_references=2,
        signature_methods=frozenset({SignatureMethod(method or pki.key.algorithm)}),
    )
    results = XAdESVerifier().verify(
        signed,
        x509_cert=pki.key.certificate,
        expect_config=expected,
    )
    assert [etree.QName(r.signed_xml).localname for r in results] == [
        "request",
        "SignedProperties",
    ]


def test_signxml_refuses_altered(rsa_pki: TestPki) -> None:
    signed = xades.sign_enveloped(parse(REQUEST), rsa_pki.key, NOW)
    with pytest.raises(Exception, match="Digest mismatch"):
        XMLVerifier().verify(
            signed.replace(b"mehr", b"more"),
            x509_cert=rsa_pki.key.certificate,
            expect_config=SignatureConfiguration(expect_references=2),
        )


@pytest.mark.parametrize("key_type", [KeyType.RSA_2048, KeyType.P256])
def test_what_signxml_signs(key_type: KeyType) -> None:
    pki = made(key_type)
    method = SignatureMethod(pki.key.algorithm)
    signer = XAdESSigner(
        signature_algorithm=method, c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_0
    )
    signed = etree.tostring(
        signer.sign(
            etree.fromstring(REQUEST),
            key=pki.key.private,
            cert=[pki.key.certificate, *pki.key.intermediates],
        )
    )
    # It signs its KeyInfo too, and writes the time of now.
    root = parse(signed)
    found = xades.verify_enveloped(root, pki.trust, POLICY, NOW.replace(year=2027))
    assert found.certificate == pki.key.certificate
    assert etree.tostring(found.root) == etree.tostring(parse(REQUEST))
