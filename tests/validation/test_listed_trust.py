"""Trust from trusted lists: a signature counts if the service did when it was made."""

from __future__ import annotations

from datetime import timedelta

from connector.signature.trusted_list import Period, Service
from connector.signature.trusted_lists import trust_of_services
from connector.signature.xades_levels import Level
from connector.validation import SubIndication
from tests.signature.certomancer_pki import NOW, REVOKED_SINCE, Pki
from tests.signature.trusted_list_making import QC, QTST, STATUS
from tests.validation.making import only, raised, sub, validated

DAY = timedelta(days=1)
BEFORE = REVOKED_SINCE - 30 * DAY
TYPES = frozenset({QC, QTST})


def service(ca: Pki, label: str, *states: tuple[str, int]) -> Service:
    """Its states with the days from NOW on which they began, the present one first."""
    periods = tuple(Period(STATUS + status, NOW + days * DAY) for status, days in states)
    return Service(QC, label, "Provider", (ca.certificate(label),), periods)


def test_granted_when_it_was_signed(ca: Pki) -> None:
    """The service was withdrawn since: what a timestamp proves to be older still counts."""
    withdrawn = trust_of_services(
        [service(ca, "ca", ("withdrawn", -100), ("granted", -3000))], TYPES
    )
    proven, bare = raised(ca, Level.LTA, at=BEFORE), raised(ca, Level.B, at=BEFORE)
    assert sub(proven, ca, NOW, trust=withdrawn) is None
    assert sub(bare, ca, NOW, trust=withdrawn) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    late = trust_of_services([service(ca, "ca", ("granted", -100))], TYPES)
    assert sub(proven, ca, NOW, trust=late) is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
    assert sub(bare, ca, NOW, trust=late) is None


def test_a_timestamp_authority_by_itself(ca: Pki) -> None:
    """Lists often name the authority's own certificate; its timestamps count while it was good."""
    document = raised(ca, Level.T, "revoked", at=BEFORE)
    good = trust_of_services([service(ca, "tsa", ("granted", -3000))], TYPES)
    assert sub(document, ca, NOW, timestamp_trust=good) is None
    bad = trust_of_services([service(ca, "tsa", ("withdrawn", -3000))], TYPES)
    found = only(validated(document, ca, NOW, timestamp_trust=bad))
    assert found.conclusion.sub is SubIndication.REVOKED_NO_POE
    assert found.timestamps[0].conclusion.sub is SubIndication.NO_CERTIFICATE_CHAIN_FOUND
