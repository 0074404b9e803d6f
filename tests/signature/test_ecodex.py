"""One real message of the e-CODEX connector: its token, container and evidence."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from connector.signature import xades
from connector.signature.algorithms import RSA_SHA1, RSA_SHA256, SHA1, AlgorithmPolicy
from connector.signature.certificates import from_base64
from connector.signature.dsig_model import DS
from connector.signature.trust import TrustStore
from connector.xml import Element, parse
from tests.reference import reference
from tests.signature.refusals import refused

AT = datetime(2026, 1, 1, tzinfo=UTC)
STRICT = AlgorithmPolicy()
WITH_SHA1 = AlgorithmPolicy(permitted=frozenset({SHA1, RSA_SHA1}))


def message(name: str) -> bytes:
    return reference("ecodex-connector", "message", name).read_bytes()


def container() -> tuple[Element, bytes]:
    """Its ds:Signature, and the digest of what it seals."""
    path = reference("ecodex-connector", "message", "container-signed-xades-baseline-b.asics")
    with zipfile.ZipFile(path) as archive:
        signatures = parse(archive.read("META-INF/signatures.xml"))
        return signatures[0], sha256(archive.read("SignedContent.zip")).digest()


@pytest.fixture
def trust() -> TrustStore:
    """The connector's self-signed certificate, trusted by itself."""
    text = container()[0].findtext(f".//{{{DS}}}X509Certificate")
    assert text
    return TrustStore([], pinned=[from_base64(text)])


def test_the_token(trust: TrustStore) -> None:
    root = parse(message("Token.xml"))
    found = xades.verify_enveloped(root, trust, WITH_SHA1, AT)
    assert found.signing_time == datetime(2020, 4, 6, 19, 57, 38, tzinfo=UTC)
    assert {w.code for w in found.weaknesses} == {"signature.weak-algorithm"}
    assert found.root.findtext("Document/Filename") == "name"
    assert found.root.find(f".//{{{DS}}}Signature") is None


def test_sha1_is_refused_by_default(trust: TrustStore) -> None:
    for name in ("Token.xml", "SUBMISSION_ACCEPTANCE.xml"):
        with refused("signature.weak-algorithm"):
            xades.verify_enveloped(parse(message(name)), trust, STRICT, AT)


def test_an_altered_token(trust: TrustStore) -> None:
    altered = message("Token.xml").replace(b"<Country>AT<", b"<Country>DE<")
    with refused("signature.digest-mismatch"):
        xades.verify_enveloped(parse(altered), trust, WITH_SHA1, AT)


def test_the_container(trust: TrustStore) -> None:
    signature, digest = container()
    found = xades.verify_detached(signature, {"SignedContent.zip": digest}, trust, STRICT, AT)
    assert found.signature_method == RSA_SHA256
    assert found.weaknesses == ()


def test_the_container_of_strangers() -> None:
    signature, digest = container()
    with refused("certificate.unknown-issuer"):
        xades.verify_detached(signature, {"SignedContent.zip": digest}, TrustStore([]), STRICT, AT)


def test_the_evidence_was_changed_after_signing(trust: TrustStore) -> None:
    """It looks re-indented: its SignedInfo does not fit its value."""
    with refused("signature.value-mismatch"):
        xades.verify_enveloped(parse(message("SUBMISSION_ACCEPTANCE.xml")), trust, WITH_SHA1, AT)
