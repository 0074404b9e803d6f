"""Evidences that come in: the true ones in any order, and those that must not be believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from connector.errors import transient, unacceptable
from connector.evidence.types import EvidenceType as E
from connector.evidence.types import Reason
from connector.exchange.attestation import take_in
from connector.exchange.records import MessageRecord
from connector.exchange.states import State
from connector.signature.pki import Authority
from gateway_client.as4.send import BytesSource
from gateway_client.model import Payload, Property, UserMessage
from tests.exchange.attesting import (
    attest,
    attested,
    carrying,
    lying_on_the_wire,
    party,
    signed,
    take,
)
from tests.exchange.world import World

A = "SUBMISSION_ACCEPTANCE"


def refused_with(pair: World, sent: MessageRecord, message: UserMessage) -> str:
    """The code with which an evidence is refused, after making sure that it did nothing."""
    before = pair.de.record(sent.id), pair.de.evidences(sent), pair.de.told(sent)
    record = take(pair, message)
    assert State(record.state) is State.EVIDENCE_REFUSED
    assert (pair.de.record(sent.id), pair.de.evidences(sent), pair.de.told(sent)) == before
    assert json.loads(pair.de.timeline(record)[-1].detail)["warning"] is True
    # What came is kept, whatever it is.
    for payload, part in zip(message.payloads, pair.de.parts(record), strict=False):
        with payload.source.open() as stream:
            assert pair.de.store.payloads.read(part.payload) == stream.read()
    code: str = json.loads(record.problem or "{}")["code"]
    return code


def test_acceptance_is_told_when_the_gateway_has_the_message_and_not_before(pair: World) -> None:
    pair.wire.failures = [transient("as4.no-answer", "Nobody is there.")] * 2
    sent = pair.de.accept()
    pair.settle()
    assert pair.de.types(sent) == [A] and pair.de.told(sent) == []
    pair.tick(seconds=30)
    assert pair.de.told(sent) == []
    pair.tick(minutes=2)
    assert pair.de.told(sent) == [A, "RELAY_REMMD_ACCEPTANCE", "DELIVERY"]


def test_acceptance_is_never_told_of_what_the_gateway_refused(pair: World) -> None:
    pair.wire.failures = [unacceptable("as4.refused-by-partner", "EBMS:0103. Weak algorithm.")]
    sent = pair.de.accept()
    pair.settle()
    assert pair.de.state(sent) is State.REFUSED
    assert pair.de.told(sent) == ["SUBMISSION_REJECTION"]
    rejection = pair.de.evidences(sent)[-1]
    assert rejection.reason.startswith(f"{Reason.GW_REJECTION}: EBMS:0103. Weak algorithm.")


@pytest.mark.parametrize(
    "order", list(permutations([E.RELAY_REMMD_ACCEPTANCE, E.DELIVERY, E.RETRIEVAL]))
)
def test_positive_evidences_in_any_order(pair: World, order: tuple[E, ...]) -> None:
    sent = lying_on_the_wire(pair)
    for kind in order:
        assert State(attest(pair, sent, kind).state) is State.EVIDENCE_APPLIED
    assert pair.de.state(sent) is State.RETRIEVED
    assert pair.de.told(sent) == [A, *order]
    assert pair.de.timers(sent) == {}


def test_non_delivery_that_overtakes_the_relay(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    attest(pair, sent, E.NON_DELIVERY, Reason.MAILBOX_FULL)
    assert pair.de.state(sent) is State.REJECTED
    attest(pair, sent, E.RELAY_REMMD_ACCEPTANCE)
    attest(pair, sent, E.DELIVERY)
    assert pair.de.state(sent) is State.REJECTED
    assert pair.de.told(sent) == [A, "NON_DELIVERY", "RELAY_REMMD_ACCEPTANCE", "DELIVERY"]
    pair.tick(hours=36)
    assert pair.de.types(sent)[-1] == "DELIVERY"


@pytest.mark.parametrize(
    ("kind", "outcome"),
    [
        (E.RELAY_REMMD_REJECTION, State.REJECTED),
        (E.RELAY_REMMD_FAILURE, State.REJECTED),
        (E.NON_DELIVERY, State.REJECTED),
        (E.NON_RETRIEVAL, State.NOT_RETRIEVED),
    ],
)
def test_negative_evidences(pair: World, kind: E, outcome: State) -> None:
    sent = lying_on_the_wire(pair)
    attest(pair, sent, kind, Reason.POLICY_VIOLATION)
    assert pair.de.state(sent) is outcome
    assert pair.de.evidences(sent)[-1].reason.startswith("POLICY_VIOLATION")


def test_the_same_message_twice(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    message = carrying(sent, signed(pair, attested(pair, sent, E.DELIVERY)), "DELIVERY")
    take(pair, message)
    assert pair.wire.bring(message) is False
    assert pair.de.types(sent) == [A, "DELIVERY"]


def test_the_same_evidence_in_another_message(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.DELIVERY))
    take(pair, carrying(sent, data, "DELIVERY"))
    again = take(pair, carrying(sent, data, "DELIVERY"))
    assert State(again.state) is State.EVIDENCE_APPLIED
    assert pair.de.types(sent) == [A, "DELIVERY"] == pair.de.told(sent)
    assert pair.de.events(sent).count("delivered") == 1


def test_a_second_evidence_of_a_kind_is_recorded_and_moves_nothing(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    attest(pair, sent, E.DELIVERY)
    attest(pair, sent, E.DELIVERY)
    assert pair.de.told(sent) == [A, "DELIVERY", "DELIVERY"]
    assert json.loads(pair.de.timeline(sent)[-1].detail)["unchanged"] is True


def test_what_the_signed_evidence_says_counts_not_the_name_of_its_part(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.NON_DELIVERY))
    take(pair, carrying(sent, data, "DELIVERY"))
    assert pair.de.state(sent) is State.REJECTED
    assert pair.de.types(sent)[-1] == "NON_DELIVERY"


def test_killed_between_the_message_and_its_evidence(pair: World) -> None:
    """The evidence is with its message, the national system has not been told."""
    sent = lying_on_the_wire(pair)
    folder = pair.de.home.folder / "delivered"
    folder.rename(folder.with_name("aside"))
    record = attest(pair, sent, E.DELIVERY)
    assert State(record.state) is State.EVIDENCE_ARRIVED
    assert pair.de.state(sent) is State.DELIVERED
    folder.with_name("aside").rename(folder)
    pair.tick(seconds=30)
    assert pair.de.state(record) is State.EVIDENCE_APPLIED
    assert pair.de.told(sent) == [A, "DELIVERY"]
    assert pair.de.events(sent).count("delivered") == 1


# --- Not to be believed -----------------------------------------------------------------------


def test_about_a_message_that_is_none_of_ours(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.DELIVERY))
    stranger = carrying(sent, data, "DELIVERY", ref_to_message_id="nobody@nowhere")
    assert refused_with(pair, sent, stranger) == "evidence.unknown-message"
    unreferred = carrying(sent, data, "DELIVERY", ref_to_message_id=None)
    assert refused_with(pair, sent, unreferred) == "evidence.unknown-message"


def test_about_an_evidence(pair: World) -> None:
    sent, received = pair.send()
    (message,) = [m for m in pair.wire.sent if m.ref_to_message_id == sent.ebms_id][:1]
    data = signed(pair, attested(pair, sent, E.RETRIEVAL))
    about = carrying(sent, data, "RETRIEVAL", ref_to_message_id=message.message_id)
    assert refused_with(pair, sent, about) == "evidence.unknown-message"
    assert pair.br.state(received) is State.HANDED_OVER


def test_of_another_party(pair: World) -> None:
    """FR, a partner as good as BR, speaks about what went to BR."""
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.DELIVERY))
    meddling = carrying(sent, data, "DELIVERY", sender=party("connector-fr"))
    assert refused_with(pair, sent, meddling) == "evidence.wrong-party"


def test_altered_after_it_was_signed(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.NON_DELIVERY))
    altered = data.replace(b"#NonDelivery", b"#Delivery")
    assert altered != data
    assert refused_with(pair, sent, carrying(sent, altered)) == "signature.digest-mismatch"


def test_signed_by_somebody_unknown(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    key = Authority.root("Nobody knows us", pair.clock()).issue("evil", pair.clock())
    data = signed(pair, attested(pair, sent, E.DELIVERY), key)
    assert refused_with(pair, sent, carrying(sent, data)) == "certificate.unknown-issuer"


def test_not_signed(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.DELIVERY))
    start, end = data.index(b"<ds:Signature"), data.index(b"</ds:Signature>")
    bare = data[:start] + data[end + len(b"</ds:Signature>") :]
    assert refused_with(pair, sent, carrying(sent, bare)) == "signature.missing"


def test_signed_with_a_certificate_that_has_expired(pair: World) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, E.DELIVERY))
    later = replace(pair.de.connector, clock=lambda: pair.clock() + timedelta(days=1000))
    message = carrying(sent, data, "DELIVERY")
    pair.wire.bring(message)
    record = take_in(later, pair.de.received(message.message_id))
    assert State(record.state) is State.EVIDENCE_REFUSED
    assert json.loads(record.problem or "{}")["code"] == "certificate.expired"
    assert pair.de.state(sent) is State.SUBMITTED


def test_about_another_document(pair: World) -> None:
    """True and signed, but of another message of the same sender: turned round to this one."""
    sent, other = lying_on_the_wire(pair), lying_on_the_wire(pair)
    data = signed(pair, attested(pair, other, E.DELIVERY))
    assert refused_with(pair, sent, carrying(sent, data)) == "evidence.other-message"
    evidence = attested(pair, sent, E.DELIVERY)
    empty = replace(evidence, message=replace(evidence.message, digest=b""))
    assert refused_with(pair, sent, carrying(sent, signed(pair, empty))) == "evidence.no-digest"


@pytest.mark.parametrize("kind", [E.SUBMISSION_ACCEPTANCE, E.SUBMISSION_REJECTION])
def test_what_only_the_sender_can_attest(pair: World, kind: E) -> None:
    sent = lying_on_the_wire(pair)
    data = signed(pair, attested(pair, sent, kind))
    assert refused_with(pair, sent, carrying(sent, data, kind.value)) == "evidence.not-theirs"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml.malformed"),
        (b"not xml at all", "xml.malformed"),
        (b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>', "xml.doctype"),
        (b"<x/>", "signature.missing"),
        (b" " * (64 * 1024 * 1024 + 1), "xml.too-large"),
    ],
    ids=["empty", "text", "xxe", "unsigned", "huge"],
)
def test_what_is_no_evidence(pair: World, data: bytes, code: str) -> None:
    sent = lying_on_the_wire(pair)
    assert refused_with(pair, sent, carrying(sent, data)) == code


# --- With a message ---------------------------------------------------------------------------


def _sent_with(pair: World, kind: str, data: bytes) -> MessageRecord:
    """A request of DE that comes with another evidence than its own."""

    def change(message: UserMessage) -> UserMessage:
        labels = (Property("name", kind), Property("description", kind))
        evidence = Payload("other", "text/xml", BytesSource(data), labels)
        return replace(message, payloads=(*message.payloads[:-1], evidence))

    pair.wire.change = change
    sent = pair.de.accept()
    pair.de.work(most=10)
    pair.wire.change = None
    pair.settle()
    return sent


def test_a_message_that_brings_its_own_delivery(pair: World) -> None:
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    (message,), pair.wire.held = pair.wire.held, None
    data = signed(pair, attested(pair, sent, E.DELIVERY), pair.de.connector.keys.evidence)
    labels = (Property("name", "DELIVERY"), Property("description", "DELIVERY"))
    brought = Payload("other", "text/xml", BytesSource(data), labels)
    pair.wire.bring(replace(message, payloads=(*message.payloads[:-1], brought)))
    pair.settle()
    received = pair.br.received(sent.ebms_id)
    assert pair.br.state(received) is State.TURNED_AWAY
    assert json.loads(received.problem or "")["code"] == "evidence.out-of-place"
    assert pair.de.told(sent) == [A, "RELAY_REMMD_REJECTION"]


def test_a_message_that_brings_the_acceptance_of_another_one(pair: World) -> None:
    other = lying_on_the_wire(pair)
    data = pair.de.store.payloads.read(pair.de.evidences(other)[0].payload)
    sent = _sent_with(pair, A, data)
    received = pair.br.received(sent.ebms_id)
    assert json.loads(received.problem or "")["code"] == "evidence.other-message"
    assert pair.de.state(sent) is State.REJECTED


def test_a_message_without_evidence_is_attested_all_the_same(pair: World) -> None:
    pair.wire.change = lambda message: (
        message if message.ref_to_message_id else replace(message, payloads=message.payloads[:-1])
    )
    sent, received = pair.send()
    assert pair.br.types(received) == ["RELAY_REMMD_ACCEPTANCE", "DELIVERY"]
    assert pair.de.state(sent) is State.DELIVERED
