"""XAdES signatures of every packaging, level and kind of key: DSS judges ours, and we DSS's."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.signature.pki import KeyType
from connector.signature.xades_levels import Level, level_of
from connector.signature.xades_unsigned import SIGNATURE
from connector.xml import parse
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.signatures import (
    CONTAINERS,
    CONTENT,
    FILE,
    FORMATS,
    PACKAGINGS,
    PASSWORD,
    XML,
    Surroundings,
    raised,
    signature_documents,
    signed,
    stamped,
    surroundings,
    verified,
)
from tests.signature.certomancer_pki import running

KINDS = [KeyType.RSA_2048, KeyType.P256, KeyType.ED25519]
JUDGED = "DSS judges signatures of emla"
JUDGE = "emla judges signatures of DSS"


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[KeyType, Surroundings]]:
    """A PKI for each kind of key, its clock at the time of the start."""
    now = datetime.now(UTC).replace(microsecond=0)
    with ExitStack() as stack:
        made = {}
        for kind in KINDS:
            folder = tmp_path_factory.mktemp(f"pki-{kind}")
            pki = stack.enter_context(running(folder, kind))
            pki.at(now)
            made[kind] = surroundings(pki, kind, folder / "files")
        yield made


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, places: dict[KeyType, Surroundings]) -> Surroundings:
    return places[request.param]


def judged(dss: Peer, place: Surroundings, packaging: str, data: bytes, level: Level) -> None:
    """DSS has to find everything valid, from what is in the signature where that is enough."""
    path = place.folder / f"signed{'.zip' if packaging in CONTAINERS else '.xml'}"
    path.write_bytes(data)
    more: dict[str, Any] = {"crls": place.crls} if level < Level.LT else {}
    if packaging == "detached":
        (place.folder / FILE).write_bytes(CONTENT)
        more["detached"] = [place.folder / FILE]
    answer = dss.ask("validate", file=path, trust=place.trust, revocation=True, **more)
    assert len(answer["signatures"]) == (2 if packaging == "enveloped, beside others" else 1)
    for said in answer["signatures"]:
        assert said["indication"] == "TOTAL_PASSED", said
        assert said["format"] == f"XAdES-BASELINE-{level.name}", said
        assert said["structure_valid"] and not said["errors"] and not said["warnings"], said


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


# --- DSS signs -----------------------------------------------------------------------------------


def made_by_dss(dss: Peer, place: Surroundings, form: str, level: Level, **more: Any) -> bytes:
    """What DSS makes of the same content."""
    out = place.folder / "by-dss"
    dss.ask(
        "sign",
        format=form,
        level=level.name,
        files=content_files(form, place.folder),
        out=out,
        keystore=place.keystore,
        tsa=place.tsa,
        password=PASSWORD,
        trust=place.trust,
        crls=place.crls,
        **{"digest": "SHA512" if place.kind is KeyType.ED25519 else "SHA256", **more},
    )
    return out.read_bytes()


def content_files(form: str, folder: Path) -> list[Path]:
    xml, file, archive = folder / "envelope.xml", folder / FILE, folder / "SignedContent.zip"
    xml.write_bytes(XML)
    file.write_bytes(CONTENT)
    with zipfile.ZipFile(archive, "w") as inner:
        inner.write(xml, xml.name)
        inner.write(file, file.name)
    return {
        "enveloped": [xml],
        "enveloping": [file],
        "enveloping, element": [xml],
        "detached": [file],
        "asic-s": [archive],
        "asic-e": [xml, file],
    }[form]


STAMPS = {
    Level.B: [],
    Level.T: ["SignatureTimeStamp"],
    Level.LT: ["SignatureTimeStamp"],
    Level.LTA: ["SignatureTimeStamp", "ArchiveTimeStamp"],
}


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
