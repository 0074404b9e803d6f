"""The header: what is written is read the same, is canonical, and is valid."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.errors import ConnectorError, unacceptable
from connector.xml import canonical, parse
from gateway_client.as4.ebms import (
    PartInfo,
    SignalMessage,
    UserHeader,
    error_markup,
    signal_messaging,
    user_messaging,
)
from gateway_client.as4.ebms_reading import read_messaging
from gateway_client.as4.errors import CATALOGUE, ebms_error_for
from gateway_client.as4.receipt import receipt_markup
from gateway_client.model import Party, PartyId, Property, Service, UserMessage
from tests.as4.access_points import NOW, message
from tests.as4.forging import CONTENT, reference
from tests.as4.schemas import ebbp_schema, ebms_schema

characters = st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufffe\uffff")
anything = st.text(characters | st.sampled_from("\t\n\r<>&\"'"), min_size=1, max_size=40)
names = st.text(characters, min_size=1, max_size=40).map(str.strip).filter(bool)
parties = st.builds(Party, st.builds(PartyId, names, st.none() | names), names)
properties = st.lists(st.builds(Property, anything, anything, st.none() | anything), max_size=4)
content_ids = st.text("abcxyz0189._-@", min_size=1, max_size=20)
infos = st.lists(
    st.builds(PartInfo, content_ids, names, st.booleans(), properties.map(tuple)),
    max_size=4,
    unique_by=lambda p: p.content_id,
)
messages = st.builds(
    UserMessage,
    message_id=names,
    timestamp=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)).map(
        lambda d: d.replace(microsecond=d.microsecond // 1000 * 1000, tzinfo=UTC)
    ),
    sender=parties,
    recipient=parties,
    service=st.builds(Service, names, st.none() | names),
    action=names,
    conversation_id=st.just("") | names,
    ref_to_message_id=st.none() | names,
    agreement_ref=st.none() | names,
    mpc=st.none() | st.just("urn:mpc"),
    properties=properties.map(tuple),
)


@settings(max_examples=200, deadline=None)
@given(messages, infos)
def test_round_trip_and_canonical_form(made: UserMessage, parts: list[PartInfo]) -> None:
    octets = user_messaging(made, parts, "id1")
    around = b'<o:o xmlns:o="urn:o" xmlns:eb="urn:other">' + octets + b"</o:o>"
    element = parse(around)[0]
    assert canonical(element) == octets
    assert read_messaging(element) == UserHeader(made, tuple(parts))


def test_headers_are_valid(tmp_path: Path) -> None:
    schema = ebms_schema(tmp_path)
    full = message(
        ref_to_message_id="m0", agreement_ref="urn:agreement", mpc="urn:mpc", id="m1@red"
    )
    parts = [
        PartInfo("p1", "application/xml", True, (Property("type", "x", "string"),)),
        PartInfo(None, None, False),
    ]
    schema.assertValid(parse(user_messaging(full, parts, "m")))
    schema.assertValid(parse(user_messaging(message(properties=()), [], "m")))
    for entry in CATALOGUE.values():
        signal = signal_messaging(
            "m",
            message_id="s1",
            timestamp=NOW,
            ref_to_message_id=None,
            content=error_markup(entry, "what\nwas <wrong>", "m1@red"),
        )
        schema.assertValid(parse(signal))
        read = read_messaging(parse(signal))
        assert isinstance(read, SignalMessage)
        assert [(e.code, e.severity, e.detail) for e in read.errors] == [
            (entry.code, entry.severity, "what was <wrong>")
        ]


def test_receipts_are_valid(tmp_path: Path) -> None:
    references = [reference("#M", b"m"), reference("cid:p&1", b"p", CONTENT)]
    octets = signal_messaging(
        "m",
        message_id="s1",
        timestamp=NOW,
        ref_to_message_id="m1@red",
        content=receipt_markup(references),
    )
    root = parse(octets)
    assert canonical(root) == octets
    ebms_schema(tmp_path).assertValid(root)
    information = root.find(".//{*}NonRepudiationInformation")
    assert information is not None
    ebbp_schema(tmp_path).assertValid(parse(etree.tostring(information)))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ((b"</eb:MessageId>", b"</eb:MessageId><eb:Surprise/>"), "as4.header-unexpected"),
        ((b'href="cid:p1"', b'href="http://x/y"'), "as4.external-payload"),
        ((b'href="cid:p1"', b'href="cid:"'), "as4.value-href"),
        ((b"application/gzip", b"application/zip"), "as4.value-compression"),
        ((b'name="MimeType"', b'name="Other"'), "as4.value-compression"),
        ((b">m1@red<", b"> <"), "as4.header-empty"),
        ((b">m1@red<", b">" + b"m" * 5000 + b"<"), "as4.header-too-long"),
        ((b"eb:UserMessage>", b"eb:Other>"), "as4.header-unknown"),
        ((b'name="originalSender"', b""), "as4.header-missing"),
        ((b"<eb:Timestamp>20", b"<eb:Timestamp>"), "xml.date-time"),
    ],
)
def test_headers_that_break_the_rules(change: tuple[bytes, bytes], code: str) -> None:
    octets = user_messaging(message(), [PartInfo("p1", "text/xml", True)], "m")
    assert change[0] in octets
    with pytest.raises(ConnectorError) as caught:
        read_messaging(parse(octets.replace(*change)))
    assert caught.value.code == code


def test_what_cannot_be_written() -> None:
    for made, code in (
        (message(properties=(Property("a", ""),)), "as4.empty-value"),
        (message(id=""), "as4.empty-value"),
        (message(action="a\x00b"), "xml.character"),
    ):
        with pytest.raises(ConnectorError) as caught:
            user_messaging(made, [], "m")
        assert caught.value.code == code


def test_errors_say_what_is_wrong_to_the_partner() -> None:
    error = unacceptable("as4.value-role", "Wrong role.")
    text = error_markup(ebms_error_for(error), "Wrong role.", None)
    assert 'errorCode="EBMS:0003"' in text and 'shortDescription="ValueInconsistent"' in text
