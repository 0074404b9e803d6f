"""What the gateway brings: taken whole and once, or refused before it is anything."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connector.errors import ConnectorError
from connector.exchange.records import Lane, PartRole
from connector.exchange.states import State
from gateway_client.as4.send import BytesSource
from gateway_client.model import Payload, Property, UserMessage
from tests.exchange.attesting import party
from tests.exchange.world import World

Change = Callable[[UserMessage], UserMessage]


def on_the_wire(pair: World, **options: Any) -> UserMessage:
    """A request of DE as its gateway would have it."""
    pair.wire.held = []
    pair.de.accept(**options)
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    return message


def labelled(name: str, description: str, data: bytes = b"<x/>", id: str = "p9") -> Payload:
    labels = (Property("name", name), Property("description", description))
    return Payload(id, "application/xml", BytesSource(data), labels)


def refused(pair: World, message: UserMessage) -> str:
    before = pair.br.store.counts()
    with pytest.raises(ConnectorError) as caught:
        pair.wire.bring(message)
    assert pair.br.store.counts() == before
    return caught.value.code


def turned_away(pair: World, message: UserMessage) -> str:
    """The code with which a message is turned away after it was taken."""
    pair.wire.bring(message)
    pair.settle()
    record = pair.br.received(message.message_id)
    assert pair.br.state(record) is State.TURNED_AWAY
    assert pair.br.types(record) == ["RELAY_REMMD_REJECTION"]
    assert not pair.br.delivered(record).exists()
    code: str = json.loads(record.problem or "")["code"]
    return code


def test_again_is_a_duplicate(pair: World) -> None:
    message = on_the_wire(pair)
    assert pair.wire.bring(message) is True
    assert pair.wire.bring(message) is False
    pair.settle()
    assert pair.wire.bring(message) is False
    assert pair.br.events(pair.br.received(message.message_id)).count("received") == 1


def test_another_message_under_a_used_id(pair: World) -> None:
    """Its sender must not get a receipt for what will never be delivered."""
    first, second = on_the_wire(pair), on_the_wire(pair)
    pair.wire.bring(first)
    assert refused(pair, replace(second, message_id=first.message_id)) == "wire.message-id-reused"
    pair.settle()
    assert refused(pair, replace(second, message_id=first.message_id)) == "wire.message-id-reused"
    stranger = replace(first, sender=party("connector-fr"))
    assert refused(pair, stranger) == "wire.message-id-reused"
    assert pair.wire.bring(first) is False


def test_for_somebody_else(pair: World) -> None:
    message = replace(on_the_wire(pair), recipient=party("connector-de"))
    pair.wire.receptions["connector-de"], kept = (
        pair.br.reception,
        pair.wire.receptions["connector-de"],
    )
    try:
        assert refused(pair, message) == "wire.wrong-recipient"
    finally:
        pair.wire.receptions["connector-de"] = kept


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: replace(m, payloads=()), "wire.no-content"),
        (lambda m: replace(m, payloads=m.payloads[1:3]), "wire.no-content"),
        (
            lambda m: replace(m, payloads=(*m.payloads, labelled("messageContent", ""))),
            "wire.doubled-part",
        ),
        (lambda m: replace(m, payloads=(*m.payloads, m.payloads[1])), "wire.doubled-part"),
        (lambda m: replace(m, payloads=(*m.payloads, m.payloads[2])), "wire.doubled-part"),
    ],
    ids=["nothing", "no document", "two documents", "two containers", "two tokens"],
)
def test_what_is_no_message_of_the_exchange(pair: World, change: Change, code: str) -> None:
    assert refused(pair, change(on_the_wire(pair))) == code


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda m: replace(m, payloads=m.payloads[:1]), "wire.missing-part"),
        (lambda m: replace(m, payloads=(*m.payloads[:2], m.payloads[3])), "wire.missing-part"),
        (
            lambda m: replace(m, payloads=(*m.payloads, labelled("evil.exe", "evil.exe"))),
            "wire.unsealed-part",
        ),
        (
            lambda m: replace(m, payloads=(*m.payloads, labelled("beschluss.pdf", ""))),
            "wire.unsealed-part",
        ),
    ],
    ids=["no container", "no token", "a file beside", "a file of a listed name beside"],
)
def test_what_is_not_whole_or_not_sealed(pair: World, change: Change, code: str) -> None:
    assert turned_away(pair, change(on_the_wire(pair))) == code


@pytest.mark.parametrize("field", ["originalSender", "finalRecipient"])
def test_a_header_that_says_otherwise(pair: World, field: str) -> None:
    message = on_the_wire(pair)
    properties = tuple(
        replace(p, value="urn:emla:authority:fr:beci") if p.name == field else p
        for p in message.properties
    )
    assert turned_away(pair, replace(message, properties=properties)) == "wire.other-authority"


def test_a_signed_envelope_under_another_id(pair: World) -> None:
    message = replace(on_the_wire(pair), message_id="fresh@connector-de.emla")
    assert turned_away(pair, message) == "wire.other-message-id"


def test_the_urgency_that_a_sender_states_is_its_lane(pair: World) -> None:
    for urgency, lane in (
        ("emergency", Lane.EMERGENCY),
        ("urgent", Lane.URGENT),
        ("at once!!", Lane.ROUTINE),
        (None, Lane.ROUTINE),
    ):
        message = on_the_wire(pair)
        others = tuple(p for p in message.properties if p.name != "urgency")
        stated = (Property("urgency", urgency),) if urgency else ()
        pair.wire.bring(replace(message, properties=(*others, *stated)))
        assert pair.br.received(message.message_id).lane is lane
        pair.settle()


def test_everything_that_came_is_kept(pair: World) -> None:
    message = on_the_wire(pair)
    pair.wire.bring(message)
    record = pair.br.received(message.message_id)
    parts = pair.br.parts(record)
    roles = [part.role for part in parts]
    assert roles == [
        PartRole.ENVELOPE,
        PartRole.CONTAINER,
        PartRole.TOKEN_XML,
        PartRole.EVIDENCE,
        PartRole.SOAP,
    ]
    for payload, part in zip(message.payloads, parts, strict=False):
        with payload.source.open() as stream:
            assert pair.br.store.payloads.read(part.payload) == stream.read()
