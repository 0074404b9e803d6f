"""Signatures that do not count, or only because of their timestamps: EU DSS and emla come to the
same indication and sub-indication.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import cms, core
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.xades_levels import Level
from connector.validation.basis import Basis
from connector.validation.cades_archive import ARCHIVE_TIMESTAMP
from connector.validation.cms_signatures import validate_cms
from connector.validation.report import Stamped
from tests.interop.dss_side import made_by_dss
from tests.interop.dss_side import validated as judged_by_dss
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.signatures import Surroundings
from tests.signature.certomancer_pki import NOW, REVOKED_SINCE, Pki, running
from tests.validation.making import FETCHER, only, raised, signed, validated

FAULTS = "DSS and emla on signatures with faults"
DAY = timedelta(days=1)
BEFORE = REVOKED_SINCE - 30 * DAY
AUTHORITIES = ("root", "ca", "gone-ca", "narrow-ca", "second-ca")


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as pki:
        yield pki


def both(
    dss: Peer, ca: Pki, folder: Path, document: bytes, at: datetime = NOW
) -> tuple[str, str, str]:
    """Our sub-indication, DSS's, and what DSS gives as reason."""
    trust, crls = folder / "trust", folder / "crls"
    for each in (trust, crls):
        each.mkdir(exist_ok=True)
    (trust / "root.pem").write_bytes(ca.certificate("root").public_bytes(Encoding.PEM))
    ca.at(at)
    for name in AUTHORITIES:
        url = f"{ca.url}/pki/crls/{name}/latest.crl"
        (crls / f"{name}.crl").write_bytes(FETCHER.get(url, limit=10**6))
    found = only(validated(document, ca, at))
    more: dict[str, Any] = {"crls": crls, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "revocation": True}
    (said,) = judged_by_dss(dss, folder / "document.xml", document, trust, **more)
    theirs = said["sub_indication"] if said["indication"] != "TOTAL_PASSED" else "None"
    return str(found.conclusion.sub), theirs, f"{said['errors']} {said['warnings']}"


@pytest.mark.parametrize(
    "label", ["signer", "crl-signer", "revoked", "under-gone", "too-deep", "stranger"]
)
def test_certificates(dss: Peer, ca: Pki, matrix: Recorder, tmp_path: Path, label: str) -> None:
    matrix(FAULTS, label, "B")
    ours, theirs, why = both(dss, ca, tmp_path, signed(ca, label))
    assert ours == theirs, why


@pytest.mark.parametrize(
    ("label", "expected", "reason"),
    [
        # DSS takes no CRL from after the expiry for an answer, and stops there.
        ("expired", "OUT_OF_BOUNDS_NO_POE", "not known to contain information"),
        # Its default policy only warns of these; RFC 5280 makes them part of a valid path.
        ("cipher", "CHAIN_CONSTRAINTS_FAILURE", "does not have an expected key-usage"),
        ("outside", "CERTIFICATE_CHAIN_GENERAL_FAILURE", "do not satisfy the imposed name"),
    ],
)
def test_where_dss_is_of_another_mind(
    dss: Peer, ca: Pki, matrix: Recorder, tmp_path: Path, label: str, expected: str, reason: str
) -> None:
    """Both see the fault; what they call it differs."""
    matrix(FAULTS, label, "B, named differently")
    ours, _, why = both(dss, ca, tmp_path, signed(ca, label))
    assert ours == expected and reason in why


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("content", b"facts>", b"fact>"),
        ("signed properties", b"2026-03-14T09", b"2026-03-14T08"),
        ("reference", b'<ds:Reference Id="', b'<ds:Reference Id="x'),
    ],
)
def test_altered(
    dss: Peer, ca: Pki, matrix: Recorder, tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    matrix(FAULTS, f"altered {name}", "B")
    ours, theirs, why = both(dss, ca, tmp_path, signed(ca).replace(old, new))
    assert ours == theirs, why


@pytest.mark.parametrize(
    ("label", "level", "made"),
    [
        ("revoked", Level.T, BEFORE),
        ("revoked", Level.LT, BEFORE),
        ("revoked", Level.LTA, BEFORE),
        ("revoked", Level.T, REVOKED_SINCE + DAY),
        ("expired", Level.LT, BEFORE),
        ("expired", Level.LTA, BEFORE),
        ("signer", Level.LTA, BEFORE),
    ],
)
def test_years_later(
    dss: Peer,
    ca: Pki,
    matrix: Recorder,
    tmp_path: Path,
    label: str,
    level: Level,
    made: datetime,
) -> None:
    matrix(FAULTS, f"{label}, made {made:%Y-%m}", level.name)
    document = raised(ca, level, label, at=made)
    ours, theirs, why = both(dss, ca, tmp_path, document)
    assert ours == theirs, why


def without_crls(info: Any) -> None:
    info["content"]["crls"] = None


def without_signature_timestamp(info: Any) -> None:
    signer = info["content"]["signer_infos"][0]
    kept = [each for each in signer["unsigned_attrs"] if each["type"].dotted == ARCHIVE_TIMESTAMP]
    signer["unsigned_attrs"] = cms.CMSAttributes(kept)


def without_index(info: Any) -> None:
    signer = info["content"]["signer_infos"][0]
    for each in signer["unsigned_attrs"]:
        if each["type"].dotted == ARCHIVE_TIMESTAMP:
            token = cms.ContentInfo.load(each["values"][0].dump())
            token["content"]["signer_infos"][0]["unsigned_attrs"] = None
            each["values"] = cms.SetOfAny([core.Any.load(token.dump(force=True))])


@pytest.mark.parametrize("alter", [without_crls, without_signature_timestamp, without_index])
def test_archive_timestamps_of_cades(
    dss: Peer, place: Surroundings, matrix: Recorder, alter: Any
) -> None:
    """DSS's hold; whatever is taken away from what they are about is noticed."""
    matrix(FAULTS, f"CAdES-LTA {alter.__name__.replace('_', ' ')}", str(place.kind))
    data = made_by_dss(dss, place, "cades", Level.LTA)
    trust = place.store
    at = place.pki.now + timedelta(minutes=1)
    given = Basis(trust=trust, timestamp_trust=trust, at=at, revocation=place.services.revocation)
    found = only(validate_cms(data, given))
    assert found.conclusion.passed and found.level == "LTA"
    assert [stamp.conclusion.passed for stamp in found.timestamps] == [True, True]
    info = cms.ContentInfo.load(data)
    alter(info)
    # asn1crypto keeps the names that it knew at first use; pyHanko adds some of its own later.
    names = cms.CMSAttributeType
    names._reverse_map.update({name: oid for oid, name in names._map.items()})
    found = only(validate_cms(info.dump(force=True), given))
    archive = [stamp for stamp in found.timestamps if stamp.of is Stamped.ARCHIVE]
    assert [stamp.conclusion.passed for stamp in archive] == [False], archive
