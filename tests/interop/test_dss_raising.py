"""EU DSS and emla raise each other's signatures from B to LTA, and renew archive timestamps."""

from __future__ import annotations

from datetime import timedelta

import pytest

from connector.signature.xades_levels import Level
from tests.interop.dss_side import STAMPS, judged, made_by_dss, raised_by_dss
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.signatures import Surroundings, raised, signed, stamped, verified

UPGRADES = "DSS and emla raise each other's signatures"
SAME = {
    "enveloped": "enveloped",
    "enveloping, octets": "enveloping",
    "enveloping, element": "enveloping, element",
    "detached": "detached",
    "ASiC-S": "asic-s",
    "ASiC-E": "asic-e",
}
"""Our packagings by DSS's."""


@pytest.mark.parametrize("packaging", SAME)
def test_dss_raises_ours(dss: Peer, place: Surroundings, matrix: Recorder, packaging: str) -> None:
    form = SAME[packaging]
    matrix(UPGRADES, packaging, f"{place.kind} DSS raises emla's")
    data = signed(packaging, place.signing())
    for level in (Level.T, Level.LT, Level.LTA):
        data = raised_by_dss(dss, place, form, data, level)
        (found,) = verified(form, data, place.store, place.pki.now)
        assert found.certificate == place.key.certificate
        assert stamped(form, data) == STAMPS[level]
    judged(dss, place, packaging, data, Level.LTA)


@pytest.mark.parametrize("packaging", SAME)
def test_we_raise_dsss(dss: Peer, place: Surroundings, matrix: Recorder, packaging: str) -> None:
    form = SAME[packaging]
    matrix(UPGRADES, packaging, f"{place.kind} emla raises DSS's")
    data = made_by_dss(dss, place, form, Level.B)
    for level in (Level.T, Level.LT, Level.LTA):
        data = raised(packaging, data, level, place.services, place.pki)
        assert stamped(form, data) == STAMPS[level]
    judged(dss, place, packaging, data, Level.LTA)


@pytest.mark.parametrize("packaging", SAME)
def test_in_turns(dss: Peer, place: Surroundings, matrix: Recorder, packaging: str) -> None:
    """B by DSS, T by us, LT by DSS, LTA by us, its archive timestamp renewed by both."""
    form = SAME[packaging]
    matrix(UPGRADES, packaging, f"{place.kind} in turns")
    data = made_by_dss(dss, place, form, Level.B)
    turns = ((Level.T, 1), (Level.LT, 0), (Level.LTA, 1), (Level.LTA, 0), (Level.LTA, 1))
    for level, ours in turns:
        place.pki.at(place.pki.now + timedelta(seconds=1))
        if ours:
            data = raised(packaging, data, level, place.services, place.pki)
        else:
            data = raised_by_dss(dss, place, form, data, level)
    judged(dss, place, packaging, data, Level.LTA)
    assert stamped(form, data) == ["SignatureTimeStamp"] + 3 * ["ArchiveTimeStamp"]
