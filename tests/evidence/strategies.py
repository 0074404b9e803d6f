"""Evidences of every kind, as hypothesis makes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import strategies as st

from connector.evidence.model import (
    Address,
    Entity,
    EventReason,
    Evidence,
    MessageDetails,
    PostalAddress,
)
from connector.evidence.types import EvidenceType, Reason

# What XML 1.0 can carry, and no more.
LETTERS = st.characters(
    exclude_categories=["Cs"], exclude_characters="".join(map(chr, range(32))) + "\x7f\ufffe\uffff"
)
TEXT = st.text(LETTERS, min_size=1, max_size=40).map(str.strip).filter(bool)
IDS = st.uuids().map(str)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-3.5))])
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=ZONES)
ADDRESSES = st.builds(
    Address,
    st.one_of(TEXT, st.sampled_from(["0204:12-34", "a@b.de", "urn:x:y", "100%", "a b#c#d", ":"])),
    st.sampled_from(["mailto", "urn"]),
    st.one_of(st.just(""), TEXT.filter(lambda text: text != "displayName")),
)
POSTAL = st.builds(
    PostalAddress,
    streets=st.lists(TEXT, min_size=1, max_size=2).map(tuple),
    locality=TEXT,
    postal_code=TEXT,
    country=st.sampled_from(["DE", "BR"]),
    state=st.one_of(st.just(""), TEXT),
)
ENTITIES = st.builds(
    Entity,
    names=st.lists(TEXT, max_size=2).map(tuple),
    postal=st.one_of(st.none(), POSTAL),
    addresses=st.lists(ADDRESSES, min_size=1, max_size=2).map(tuple),
)
MESSAGES = st.builds(
    MessageDetails,
    subject=st.text(LETTERS, max_size=60),
    ua_identifier=st.one_of(st.just(""), TEXT),
    remmd_identifier=TEXT,
    digest=st.binary(min_size=32, max_size=32),
    is_notification=st.booleans(),
)
DETAILS = TEXT.filter(lambda text: text.split(": ")[0] not in Reason.__members__)
REASONS = st.lists(
    st.builds(EventReason, st.sampled_from(Reason), DETAILS), min_size=1, max_size=3
).map(tuple)


@st.composite
def evidences(draw: st.DrawFn) -> Evidence:
    """Any evidence that the strict profile can carry without loss."""
    kind = draw(st.sampled_from(EvidenceType))
    return Evidence(
        type=kind,
        identifier=draw(IDS),
        issuer=draw(ENTITIES),
        event_time=draw(TIMES),
        submission_time=draw(st.one_of(st.none(), TIMES)),
        reply_to=draw(st.one_of(st.none(), ADDRESSES)),
        sender=draw(ENTITIES),
        recipients=draw(st.lists(ENTITIES, min_size=1, max_size=3).map(tuple)),
        message=draw(MESSAGES),
        reasons=() if kind.positive else draw(REASONS),
    )
