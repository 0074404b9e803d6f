"""EU DSS judges what a connector sends: envelopes, containers, tokens, evidences."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.pki import KeyType
from tests.interop.artefacts import JUDGED, SIGNED_XML, container, signed_token_pdf, signer
from tests.interop.dss_side import validated
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer

KINDS = [KeyType.RSA_2048, KeyType.P256, KeyType.ED25519]


@pytest.fixture
def trust(tmp_path: Path) -> Path:
    """A folder with the root of each kind of key."""
    folder = tmp_path / "trust"
    folder.mkdir()
    for kind in KINDS:
        certificate = signer(kind).root.key.certificate
        (folder / f"{kind}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder


def passed(said: Mapping[str, Any]) -> bool:
    """Whether DSS has nothing to find fault with."""
    assert said["indication"] == "TOTAL_PASSED", said
    assert said["structure_valid"] and not said["errors"] and not said["warnings"], said
    return True


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SIGNED_XML)
def test_signed_xml(
    dss: Peer, tmp_path: Path, trust: Path, matrix: Recorder, kind: KeyType, name: str
) -> None:
    matrix(JUDGED, name, f"DSS {kind}")
    signed = SIGNED_XML[name](signer(kind).key)
    (said,) = validated(dss, tmp_path / "signed.xml", signed, trust)
    assert passed(said) and said["format"] == "XAdES-BASELINE-B"
    altered = signed.replace(b"DE", b"FR", 1)
    assert altered != signed
    (said,) = validated(dss, tmp_path / "altered.xml", altered, trust)
    assert (said["indication"], said["sub_indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")


def altered_content(container: bytes) -> bytes:
    """The same container, sound as an archive, with other content."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(container)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if entry.filename == "SignedContent.zip":
                content = content.replace(b"Ersuchen.xml", b"Ersuchen.xmI")
            new.writestr(entry, content)
    return target.getvalue()


@pytest.mark.parametrize("kind", KINDS)
def test_container(dss: Peer, tmp_path: Path, trust: Path, matrix: Recorder, kind: KeyType) -> None:
    matrix(JUDGED, "container (ASiC-S)", f"DSS {kind}")
    key = signer(kind).key
    data = container(key, signed_token_pdf(kind, key))
    (said,) = validated(dss, tmp_path / "container.asics", data, trust)
    assert passed(said)
    assert said["format"] == "XAdES-BASELINE-B"
    assert said["scopes"][0] == "FULL SignedContent.zip"
    (said,) = validated(dss, tmp_path / "altered.asics", altered_content(data), trust)
    assert (said["indication"], said["sub_indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")


@pytest.mark.parametrize("kind", KINDS)
def test_token_pdf(dss: Peer, tmp_path: Path, trust: Path, matrix: Recorder, kind: KeyType) -> None:
    matrix(JUDGED, "token, PDF", f"DSS {kind}")
    data = signed_token_pdf(kind, signer(kind).key)
    (said,) = validated(dss, tmp_path / "token.pdf", data, trust)
    assert passed(said) and said["format"] == "PAdES-BASELINE-B"
    altered = data.replace(b"/Title", b"/Tit1e")
    (said,) = validated(dss, tmp_path / "altered.pdf", altered, trust)
    assert (said["indication"], said["sub_indication"]) == ("TOTAL_FAILED", "HASH_FAILURE")
