"""XAdES signatures of every packaging, level and kind of key: DSS judges ours, and we DSS's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from connector.errors import ConnectorError
from connector.signature import xades
from connector.signature.algorithms import (
    ECDSA_SHA256,
    ECDSA_SHA384,
    ECDSA_SHA512,
    ED25519,
    RSA_PSS_SHA256,
    RSA_PSS_SHA384,
    RSA_PSS_SHA512,
    RSA_SHA256,
    RSA_SHA384,
    RSA_SHA512,
)
from connector.signature.pki import KeyType
from connector.signature.xades_levels import Level, level_of
from connector.signature.xades_unsigned import SIGNATURE
from connector.validation import SignatureReport
from connector.xml import parse
from tests.interop.artefacts import NOW, Signer, signer
from tests.interop.dss_side import STAMPS, judged, made_by_dss, reported, validated
from tests.interop.key_files import PASSWORD, keystore
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.signatures import (
    FORMATS,
    PACKAGINGS,
    XML,
    Surroundings,
    raised,
    signature_documents,
    signed,
    stamped,
    verified,
)

JUDGED = "DSS judges signatures of emla"
JUDGE = "emla judges signatures of DSS"


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_dss_judges(
    dss: Peer, place: Surroundings, matrix: Recorder, packaging: str, level: Level
) -> None:
    matrix(JUDGED, packaging, f"{place.kind} {level.name}")
    data = signed(packaging, place.signing())
    if level > Level.B:
        data = raised(packaging, data, level, place.services, place.pki)
    judged(dss, place, packaging, data, level)


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("form", FORMATS)
def test_we_judge(
    dss: Peer, place: Surroundings, matrix: Recorder, form: str, level: Level
) -> None:
    matrix(JUDGE, form, f"{place.kind} {level.name}")
    data = made_by_dss(dss, place, form, level)
    (found,) = verified(form, data, place.store, place.pki.now)
    assert found.certificate == place.key.certificate and not found.weaknesses
    ((document, _),) = signature_documents(form, data)
    assert level_of(next(parse(document).iter(SIGNATURE))) is level
    assert stamped(form, data) == STAMPS[level]
    assert total_passed(reported(form, data, place, level), place, level)


def total_passed(report: SignatureReport, place: Surroundings, level: Level) -> bool:
    """Whether our own validation finds nothing wrong."""
    assert report.conclusion.passed, report.conclusion
    assert report.level == level.name and report.certificate == place.key.certificate
    assert all(each.conclusion.passed for each in report.timestamps), report.timestamps
    assert len(report.timestamps) == len(STAMPS[level])
    assert not report.weaknesses
    return True


@pytest.mark.parametrize("level", Level)
@pytest.mark.parametrize("form", ["pades", "cades", "cades, detached"])
def test_we_judge_other_forms(
    dss: Peer, place: Surroundings, matrix: Recorder, form: str, level: Level
) -> None:
    matrix(JUDGE, form, f"{place.kind} {level.name}")
    data = made_by_dss(dss, place, form, level)
    report = reported(form, data, place, level)
    assert total_passed(report, place, level)


ALTERATIONS = {
    "enveloped": ("Größe".encode(), "größe".encode()),
    "enveloped, beside others": ("Größe".encode(), "größe".encode()),
    "element": ("Größe".encode(), "größe".encode()),
    "enveloping, element": ("Größe".encode(), "größe".encode()),
    "enveloping, octets": (b"AAECAwQF", b"AAECAwQG"),
    "detached": (b"Anlage", b"anlage"),
}


@pytest.mark.parametrize("packaging", ALTERATIONS)
def test_dss_finds_what_was_altered(dss: Peer, place: Surroundings, packaging: str) -> None:
    """Or else its judgement would be worth nothing."""
    old, new = ALTERATIONS[packaging]
    data = signed(packaging, place.signing()).replace(old, new, 1)
    for said in validated(dss, place.folder / "altered.xml", data, place.trust):
        assert said["indication"] in {"TOTAL_FAILED", "INDETERMINATE"}
        assert not (said["intact"] and said["valid"])


@pytest.mark.parametrize("form", ["enveloped", "enveloping", "detached"])
def test_we_find_what_was_altered(dss: Peer, place: Surroundings, form: str) -> None:
    old, new = ALTERATIONS[{"enveloping": "enveloping, octets"}.get(form, form)]
    data = made_by_dss(dss, place, form, Level.B)
    altered = data.replace(old, new, 1)
    assert altered != data
    with pytest.raises(ConnectorError, match=r"signature\.(digest|value)-mismatch"):
        verified(form, altered, place.store, place.pki.now)


# --- Every algorithm, at level B -----------------------------------------------------------------

METHODS = [
    (KeyType.RSA_2048, RSA_SHA256, "SHA256", False),
    (KeyType.RSA_2048, RSA_SHA384, "SHA384", False),
    (KeyType.RSA_3072, RSA_SHA512, "SHA512", False),
    (KeyType.RSA_2048, RSA_PSS_SHA256, "SHA256", True),
    (KeyType.RSA_2048, RSA_PSS_SHA384, "SHA384", True),
    (KeyType.RSA_3072, RSA_PSS_SHA512, "SHA512", True),
    (KeyType.P256, ECDSA_SHA256, "SHA256", False),
    (KeyType.P384, ECDSA_SHA384, "SHA384", False),
    (KeyType.P521, ECDSA_SHA512, "SHA512", False),
    (KeyType.BRAINPOOL_256, ECDSA_SHA256, "SHA256", False),
    (KeyType.BRAINPOOL_384, ECDSA_SHA384, "SHA384", False),
    (KeyType.BRAINPOOL_512, ECDSA_SHA512, "SHA512", False),
    (KeyType.ED25519, ED25519, "SHA512", False),
]
ALGORITHMS = "signature algorithms, level B"


def algorithm_name(kind: KeyType, method: str) -> str:
    return f"{method.partition('#')[2]} by {kind}"


def trusted(made: Signer, folder: Path) -> Path:
    folder.mkdir()
    certificate = made.root.key.certificate.public_bytes(Encoding.PEM)
    (folder / "root.pem").write_bytes(certificate)
    return folder


@pytest.mark.parametrize(("kind", "method", "digest", "pss"), METHODS)
def test_dss_knows_the_algorithm(
    dss: Peer, tmp_path: Path, matrix: Recorder,
    kind: KeyType, method: str, digest: str, pss: bool,
) -> None:  # fmt: skip
    matrix(ALGORITHMS, algorithm_name(kind, method), "emla, judged by DSS")
    made = signer(kind)
    data = xades.sign_enveloped(parse(XML), made.key, NOW, signature_method=method)
    trust = trusted(made, tmp_path / "trust")
    (said,) = validated(dss, tmp_path / "signed.xml", data, trust)
    assert said["indication"] == "TOTAL_PASSED", said
    assert not said["errors"] and not said["warnings"], said


@pytest.mark.parametrize(("kind", "method", "digest", "pss"), METHODS)
def test_we_know_the_algorithm(
    dss: Peer, tmp_path: Path, matrix: Recorder,
    kind: KeyType, method: str, digest: str, pss: bool,
) -> None:  # fmt: skip
    matrix(ALGORITHMS, algorithm_name(kind, method), "DSS, judged by emla")
    made = signer(kind)
    xml, out = tmp_path / "x.xml", tmp_path / "signed.xml"
    xml.write_bytes(XML)
    dss.ask(
        "sign", format="enveloped", files=[xml], out=out, digest=digest, pss=pss,
        keystore=keystore(made.key, tmp_path / "k.p12"), password=PASSWORD,
        trust=trusted(made, tmp_path / "trust"),
    )  # fmt: skip
    (found,) = verified("enveloped", out.read_bytes(), made.trust, datetime.now(UTC))
    assert found.signature_method == method and found.certificate == made.key.certificate
