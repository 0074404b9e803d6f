"""Trusted lists: the list of lists, its pivots, national lists; what happens when one is bad."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import Kind, transient
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority, KeyType
from connector.signature.trusted_list import read_list
from connector.signature.trusted_lists import (
    Loaded,
    TrustedLists,
    TrustedListSettings,
)
from connector.xml import parse
from tests.signature.conftest import TestPki
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.trusted_list_making import LOTL, QTST, Listed, Pointed, listed

DAY = timedelta(days=1)
POLICY = AlgorithmPolicy()
HOME, PIVOT, OLDER = (
    f"https://lists.example/{n}.xml" for n in ("lotl", "lotl-pivot-2", "lotl-pivot-1")
)
BELGIUM, FRANCE = "https://lists.example/be.xml", "https://lists.example/fr.xml"


def operator(name: str) -> SigningKey:
    """Signs lists with a certificate of its own, as operators do."""
    return Authority.root(name, NOW, key_type=KeyType.P256).issue(name, NOW, key_type=KeyType.P256)


EU, NEXT, LAST, BE, FR, STRANGER = map(
    operator, ("EU 1", "EU 2", "EU 3", "Belgium", "France", "Stranger")
)


@dataclass
class Web:
    """What can be fetched."""

    pages: dict[str, bytes] = field(default_factory=dict)

    def get(self, url: str, *, limit: int) -> bytes:
        if url not in self.pages:
            raise transient("web.unreachable", f"{url} cannot be reached.")
        return self.pages[url]

    def post(
        self, url: str, body: bytes, content_type: str, *, limit: int, accept: str | None = None
    ) -> bytes:
        raise AssertionError("nothing is posted")


def self_pointer(*signers: SigningKey) -> Pointed:
    return Pointed(HOME, "EU", tuple(each.certificate for each in signers), LOTL)


@pytest.fixture
def web(pki: TestPki) -> Web:
    national = (Pointed(BELGIUM, "BE", (BE.certificate,)), Pointed(FRANCE, "FR", (FR.certificate,)))
    return Web(
        {
            HOME: listed(EU, "EU", pointers=(self_pointer(EU), *national)),
            BELGIUM: listed(BE, "BE", services=[Listed(pki.root.key.certificate)]),
            FRANCE: listed(FR, "FR", services=[Listed(pki.issuer.key.certificate, QTST)]),
        }
    )


def lists(
    web: Web, folder: Path, *, signers: tuple[SigningKey, ...] = (EU,), **how: object
) -> TrustedLists:
    folder.mkdir(exist_ok=True)
    settings = TrustedListSettings(
        location=str(how.pop("location", HOME)),
        signers=tuple(each.certificate for each in signers),
        folder=folder,
        **how,  # type: ignore[arg-type]
    )
    return TrustedLists(settings, web, now=lambda: NOW)


def codes(loaded: Loaded) -> list[str]:
    return [problem.code for problem in loaded.problems]


def test_signers_and_authorities(web: Web, tmp_path: Path, pki: TestPki) -> None:
    loaded = lists(web, tmp_path).refresh()
    assert [each.territory for each in loaded.lists] == ["BE", "FR"]
    assert loaded.problems == ()
    trust = loaded.signer_trust()
    assert trust.anchors == (pki.root.key.certificate,)
    trust.validate(pki.key.certificate, pki.key.intermediates, NOW, POLICY)
    assert loaded.timestamp_trust().anchors == (pki.issuer.key.certificate,)
    (service, _) = loaded.services
    assert (service.name, service.provider) == ("Service", "Provider")


def test_only_some_territories(web: Web, tmp_path: Path) -> None:
    loaded = lists(web, tmp_path, territories=frozenset({"FR"})).refresh()
    assert [each.territory for each in loaded.lists] == ["FR"]
    loaded = lists(web, tmp_path, territories=frozenset({"XX"})).refresh()
    assert codes(loaded) == ["trusted-list.empty"]


def test_from_files(web: Web, tmp_path: Path, pki: TestPki) -> None:
    path = tmp_path / "be.xml"
    path.write_bytes(web.pages[BELGIUM])
    loaded = lists(Web(), tmp_path / "kept", location=path, signers=(BE,)).refresh()
    assert loaded.signer_trust().anchors == (pki.root.key.certificate,)


def test_a_service_counts_while_its_state_is_good(web: Web, tmp_path: Path, pki: TestPki) -> None:
    states = (("withdrawn", NOW - 0.5 * DAY), ("granted", NOW - 0.9 * DAY))
    web.pages[BELGIUM] = listed(
        BE, "BE", services=[Listed(pki.root.key.certificate, states=states)]
    )
    trust = lists(web, tmp_path).refresh().signer_trust()

    def check(days: float) -> None:
        at = NOW - days * DAY
        trust.validate(pki.key.certificate, pki.key.intermediates, at, POLICY)

    check(0.7)
    for days in (0, 0.4, 0.95):
        with refused("certificate.unknown-issuer"):
            check(days)


# --- Pivots ---


def with_pivots(web: Web) -> None:
    """The EU's signer changed twice: each pivot is signed by the former, and names the next."""
    web.pages[OLDER] = listed(EU, "EU", pointers=[self_pointer(NEXT)], sequence=1)
    web.pages[PIVOT] = listed(NEXT, "EU", pointers=[self_pointer(LAST)], sequence=2)
    web.pages[HOME] = listed(
        LAST,
        "EU",
        pointers=[self_pointer(LAST), Pointed(BELGIUM, "BE", (BE.certificate,))],
        information=[PIVOT, OLDER, "https://journal.example/"],
        sequence=3,
    )


def test_pivots(web: Web, tmp_path: Path) -> None:
    with_pivots(web)
    loaded = lists(web, tmp_path).refresh()
    assert [each.territory for each in loaded.lists] == ["BE"] and loaded.problems == ()


def test_a_false_pivot(web: Web, tmp_path: Path) -> None:
    """Whoever writes a list of lists cannot name pivots of his own."""
    with_pivots(web)
    web.pages[PIVOT] = listed(STRANGER, "EU", pointers=[self_pointer(LAST)], sequence=2)
    with refused("trusted-list.missing", Kind.CONFIGURATION):
        lists(web, tmp_path).refresh()


def test_no_pivots_but_another_signer(web: Web, tmp_path: Path) -> None:
    web.pages[HOME] = listed(STRANGER, "EU", pointers=[self_pointer(STRANGER)])
    with refused("trusted-list.missing", Kind.CONFIGURATION):
        lists(web, tmp_path).refresh()


# --- The last good one ---


@pytest.mark.parametrize(
    ("broken", "code"),
    [
        ("gone", "web.unreachable"),
        ("stranger", "trusted-list.not-signed"),
        ("altered", "trusted-list.not-signed"),
        ("words", "trusted-list.not-signed"),
        ("older", "trusted-list.older"),
    ],
)
def test_the_last_good_list_is_kept(
    web: Web, tmp_path: Path, pki: TestPki, broken: str, code: str
) -> None:
    good = Listed(pki.root.key.certificate)
    web.pages[BELGIUM] = listed(BE, "BE", services=[good], sequence=5)
    source = lists(web, tmp_path)
    source.refresh()
    evil = Listed(STRANGER.certificate)
    match broken:
        case "gone":
            del web.pages[BELGIUM]
        case "stranger":
            web.pages[BELGIUM] = listed(STRANGER, "BE", services=[evil], sequence=6)
        case "altered":
            web.pages[BELGIUM] = web.pages[BELGIUM].replace(b"Provider", b"Provided", 1)
        case "words":
            web.pages[BELGIUM] = b"words"
        case "older":
            web.pages[BELGIUM] = listed(BE, "BE", services=[evil], sequence=4)
    loaded = source.refresh()
    assert codes(loaded) == [code]
    assert loaded.signer_trust().anchors == (pki.root.key.certificate,)
    assert [each.sequence for each in loaded.lists if each.territory == "BE"] == [5]
    # The same without network at all, after a restart.
    again = lists(Web(), tmp_path).kept()
    assert again.signer_trust().anchors == (pki.root.key.certificate,)


def test_everything_down(web: Web, tmp_path: Path, pki: TestPki) -> None:
    lists(web, tmp_path).refresh()
    loaded = lists(Web(), tmp_path).refresh()
    assert loaded.signer_trust().anchors == (pki.root.key.certificate,)
    assert set(codes(loaded)) == {"web.unreachable"}


def test_a_kept_file_that_somebody_altered(web: Web, tmp_path: Path) -> None:
    lists(web, tmp_path).refresh()
    for path in tmp_path.glob("*.xml"):
        path.write_bytes(path.read_bytes().replace(b"granted", b"withdrawn"))
    loaded = lists(web, tmp_path).kept()
    assert "trusted-list.not-signed" in codes(loaded)
    assert loaded.services == ()


def test_out_of_date(web: Web, tmp_path: Path, pki: TestPki) -> None:
    web.pages[BELGIUM] = listed(
        BE, "BE", services=[Listed(pki.root.key.certificate)], next_update=NOW - DAY
    )
    loaded = lists(web, tmp_path).refresh()
    assert codes(loaded) == ["trusted-list.outdated"]
    assert len(loaded.lists) == 2


@pytest.mark.parametrize(
    "document",
    [
        b"<a/>",
        b'<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"/>',
        b'<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#"><SchemeInformation>'
        b"<TSLSequenceNumber>x</TSLSequenceNumber></SchemeInformation></TrustServiceStatusList>",
    ],
)
def test_no_list(document: bytes) -> None:
    with refused("trusted-list.malformed"):
        read_list(parse(document))
