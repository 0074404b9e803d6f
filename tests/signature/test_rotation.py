"""Keys that follow one another, and warnings before certificates expire."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import Kind
from connector.signature.pki import Authority, KeyType
from connector.signature.rotation import KeyRing, expiries, expiry_warnings
from tests.signature.moments import NOW
from tests.signature.refusals import refused

DAY = timedelta(days=1)
ROOT = Authority.root("Root", NOW - 900 * DAY, key_type=KeyType.P256)
OLD, NEW = (
    ROOT.issue("x", NOW, key_type=KeyType.P256, not_before=NOW + a * DAY, not_after=NOW + b * DAY)
    for a, b in ((-300, 30), (-5, 360))
)
RING = KeyRing((NEW, OLD), overlap=10 * DAY)


@pytest.mark.parametrize(
    ("days", "expected"), [(-200, OLD), (-4, OLD), (4.9, OLD), (5, NEW), (29, NEW), (300, NEW)]
)
def test_the_new_key_is_used_once_partners_have_it(days: float, expected: object) -> None:
    assert RING.current(NOW + days * DAY) is expected


def test_sooner_if_nothing_else_is_left() -> None:
    late = ROOT.issue(
        "y", NOW, key_type=KeyType.P256, not_before=NOW + 29 * DAY, not_after=NOW + 99 * DAY
    )
    assert KeyRing((OLD, late), overlap=10 * DAY).current(NOW + 31 * DAY) is late


def test_none_is_valid() -> None:
    for days in (-301, 361):
        with refused("key.none-valid", Kind.CONFIGURATION):
            RING.current(NOW + days * DAY)
    with refused("key.none-valid", Kind.CONFIGURATION):
        KeyRing(()).current(NOW)


@given(st.floats(-299, 359))
def test_there_is_always_a_valid_one_while_any_is(days: float) -> None:
    at = NOW + days * DAY
    key = RING.current(at)
    assert key.certificate.not_valid_before_utc <= at <= key.certificate.not_valid_after_utc
    assert key.certificate in RING.published(at)


def test_warnings() -> None:
    future = ROOT.issue(
        "z", NOW, key_type=KeyType.P256, not_before=NOW + DAY, not_after=NOW + 900 * DAY
    )
    named = {
        "signature": [OLD.certificate],
        "container seal": [NEW.certificate],
        "evidence": [future.certificate],
    }
    assert [problem.code for problem in expiry_warnings(named, NOW)] == [
        "certificate.expires-soon",
        "certificate.not-yet-valid",
    ]
    (soon, _) = expiry_warnings(named, NOW)
    assert "signature" in soon.what and "in 30 days" in soon.what
    over = expiry_warnings(named, NOW + 31 * DAY, warn=DAY)
    assert [problem.code for problem in over] == ["certificate.expired"]
    assert [expiry.name for expiry in expiries(named, NOW)] == [
        "signature", "container seal", "evidence",
    ]  # fmt: skip
