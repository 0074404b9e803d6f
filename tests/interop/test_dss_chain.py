"""The chain of transmission before EU DSS: authorities that sign beside each other, with what they
say, and those that countersign."""

from __future__ import annotations

from dataclasses import replace

import pytest
from lxml import etree

from connector.signature import xades_several
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.xades_levels import Level, extend
from connector.signature.xades_packaging import countersign, sign_beside
from connector.signature.xades_statements import (
    PROOF_OF_APPROVAL,
    PROOF_OF_RECEIPT,
    Commitment,
    ImpliedPolicy,
    Place,
    Statements,
)
from connector.signature.xades_unsigned import SIGNATURE, with_properties
from connector.xml import parse
from tests.interop.dss_side import signing_arguments, validated
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.signatures import XML, Surroundings

CHAIN = "chain of transmission"
SAID = [
    Statements(roles=("issuing authority",), commitments=(Commitment(PROOF_OF_APPROVAL),)),
    Statements(roles=("central authority",), note="Unverändert weitergeleitet. <1> & 2"),
    Statements(
        roles=("diplomatic mission", "courier"),
        commitments=(Commitment(PROOF_OF_RECEIPT, "received"),),
        place=Place("Wien", "AT"),
    ),
]


def chained(place: Surroundings) -> bytes:
    """A document that three have signed."""
    document = XML
    for said in SAID:
        document = sign_beside(parse(document), replace(place.signing(), statements=said))
    return document


def seen(dss: Peer, place: Surroundings, data: bytes, level: Level) -> list[dict[str, object]]:
    """What DSS says of each signature, all of which have to pass at `level`."""
    more = {"crls": place.crls} if level < Level.LT else {}
    path = place.folder / "chain.xml"
    found = validated(dss, path, data, place.trust, revocation=True, **more)
    for said in found:
        assert said["indication"] == "TOTAL_PASSED", said
        assert not said["errors"] and not said["warnings"], said
    return found


@pytest.mark.parametrize("level", [Level.B, Level.LTA])
def test_several_sign(dss: Peer, place: Surroundings, matrix: Recorder, level: Level) -> None:
    matrix(CHAIN, f"three sign beside each other, {level.name}", place.kind)
    data = chained(place)
    if level > Level.B:
        for number in range(len(SAID)):
            data = extend(data, level, place.services, place.pki.now, number=number)
    found = seen(dss, place, data, level)
    assert [said["format"] for said in found] == [f"XAdES-BASELINE-{level.name}"] * 3
    assert [said["roles"] for said in found] == [list(said.roles) for said in SAID]
    assert [said["commitments"] for said in found] == [[PROOF_OF_APPROVAL], [], [PROOF_OF_RECEIPT]]
    assert [said.get("city") for said in found] == [None, None, "Wien"]


def test_implied_policy(dss: Peer, place: Surroundings, matrix: Recorder) -> None:
    matrix(CHAIN, "implied signature policy", place.kind)
    how = replace(place.signing(), statements=Statements(policy=ImpliedPolicy()))
    assert len(seen(dss, place, sign_beside(parse(XML), how), Level.B)) == 1


@pytest.mark.parametrize("level", [Level.B, Level.LTA])
def test_we_countersign(dss: Peer, place: Surroundings, matrix: Recorder, level: Level) -> None:
    """The countersignature has to be there before the archive timestamp, which covers it."""
    matrix(CHAIN, f"emla countersigns, {level.name}", place.kind)
    data = chained(place)
    signature = list(parse(data).iter(SIGNATURE))[1]
    data = with_properties(data, 1, countersign(signature, place.signing()))
    if level > Level.B:
        data = extend(data, level, place.services, place.pki.now, number=1)
    path, more = place.folder / "chain.xml", {"crls": place.crls}
    found = validated(dss, path, data, place.trust, revocation=True, **more)
    assert all(said["indication"] == "TOTAL_PASSED" for said in found), found
    assert sorted(said["counter_signature"] for said in found) == [False, False, False, True]
    counted = [said["format"] for said in found if not said["counter_signature"]]
    assert counted == ["XAdES-BASELINE-B", f"XAdES-BASELINE-{level.name}", "XAdES-BASELINE-B"]


def test_dss_countersigns(dss: Peer, place: Surroundings, matrix: Recorder) -> None:
    matrix(CHAIN, "DSS countersigns", place.kind)
    path, out = place.folder / "chain.xml", place.folder / "countersigned.xml"
    path.write_bytes(chained(place))
    signature = list(parse(path.read_bytes()).iter(SIGNATURE))[1]
    dss.ask("countersign", file=path, out=out, id=signature.get("Id"), **signing_arguments(place))
    root = parse(out.read_bytes())
    check = (place.store, AlgorithmPolicy(), place.pki.now)
    (counter,) = xades_several.countersignatures(root[2])
    assert xades_several.verify_countersignature(counter, root[2], *check).certificate
    endorsed = xades_several.verify_beside(root, *check)
    assert [each.roles for each in endorsed.signatures] == [said.roles for said in SAID]
    assert etree.tostring(endorsed.root) == etree.tostring(parse(XML))
