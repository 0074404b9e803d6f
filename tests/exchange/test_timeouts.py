"""What time does, with a clock that is set by hand: the right evidence, for the right reason, not a
second too early, and told to the national system in order."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from lxml import etree

from connector.errors import transient
from connector.evidence.read import read_evidence
from connector.evidence.types import EvidenceType, Reason
from connector.exchange.records import MessageRecord
from connector.exchange.states import State
from tests.exchange.world import Side, World, world
from tests.network import sample
from tests.reference import reference

A = "SUBMISSION_ACCEPTANCE"


def reasons(side: Side, record: MessageRecord) -> dict[str, Reason | None]:
    """First reason by type, read from the signed evidences themselves."""
    found: dict[str, Reason | None] = {}
    for each in side.evidences(record):
        data = side.store.payloads.read(each.payload)
        connector = side.connector
        evidence = read_evidence(data, connector.trust, connector.policy, connector.clock())
        assert evidence.evidence.type == each.type and evidence.evidence.event_time == each.at
        if evidence.evidence.reasons:
            found.setdefault(each.type, evidence.evidence.reasons[0].reason)
    return found


def warned(side: Side, record: MessageRecord) -> list[str]:
    details = ((e.event, json.loads(e.detail or "{}")) for e in side.timeline(record))
    return [event for event, detail in details if detail.get("warning")]


def submitted(pair: World) -> MessageRecord:
    """A request that DE's gateway has taken, and that lies on the wire."""
    pair.wire.held = []
    sent = pair.de.accept()
    pair.de.work()
    assert pair.de.state(sent) is State.SUBMITTED
    return sent


def let_go(pair: World) -> None:
    """What lies on the wire arrives."""
    held, pair.wire.held = pair.wire.held or [], None
    for message in held:
        pair.wire.bring(message)


@pytest.fixture
def no_delivery(pair: World) -> Iterator[None]:
    """BR's folder cannot be written to."""
    folder = pair.br.home.folder / "delivered"
    aside = folder.with_name("aside")
    folder.rename(aside)
    folder.write_text("in the way")
    yield
    if folder.is_file():
        folder.unlink()
        aside.rename(folder)


def restore(pair: World) -> None:
    folder = pair.br.home.folder / "delivered"
    folder.unlink()
    folder.with_name("aside").rename(folder)


def test_no_answer_of_the_other_connector(pair: World) -> None:
    sent = submitted(pair)
    pair.tick(minutes=59, seconds=59)
    assert warned(pair.de, sent) == []
    pair.tick(seconds=1)
    assert warned(pair.de, sent) == ["relay-warn"] and pair.de.told(sent) == [A]
    pair.tick(hours=10, minutes=59, seconds=59)
    assert pair.de.state(sent) is State.SUBMITTED
    pair.tick(seconds=1)
    assert pair.de.state(sent) is State.REJECTED
    assert pair.de.told(sent) == [A, "RELAY_REMMD_FAILURE"]
    assert reasons(pair.de, sent) == {"RELAY_REMMD_FAILURE": Reason.RELAY_REMMD_TIMEOUT}
    assert pair.de.timers(sent) == {}
    # Evidence that comes after all is recorded and handed on, and moves nothing.
    let_go(pair)
    pair.settle()
    assert pair.de.state(sent) is State.REJECTED
    late = ["RELAY_REMMD_ACCEPTANCE", "DELIVERY"]
    assert pair.de.told(sent) == [A, "RELAY_REMMD_FAILURE", *late]
    assert pair.br.state(pair.br.received(sent.ebms_id)) is State.HANDED_OVER


def test_accepted_there_but_never_delivered(pair: World, no_delivery: None) -> None:
    sent, received = pair.send()
    assert pair.br.state(received) is State.VERIFIED
    assert pair.de.told(sent) == [A, "RELAY_REMMD_ACCEPTANCE"]
    pair.tick(hours=12)
    assert warned(pair.de, sent) == ["delivery-warn"]
    pair.tick(hours=11, minutes=59, seconds=59)
    assert pair.de.state(sent) is State.RELAYED and pair.br.state(received) is State.VERIFIED
    # Both clocks run out in the same second: here, and there.
    pair.tick(seconds=1)
    assert pair.de.state(sent) is State.REJECTED
    assert reasons(pair.de, sent)["NON_DELIVERY"] is Reason.DELIVERY_EVIDENCE_TIMEOUT
    assert pair.br.state(received) is State.TURNED_AWAY
    assert reasons(pair.br, received) == {"NON_DELIVERY": Reason.R_REMMD_MALFUNCTION}
    assert pair.de.types(sent).count("NON_DELIVERY") == 2
    assert pair.de.told(sent)[:3] == [A, "RELAY_REMMD_ACCEPTANCE", "NON_DELIVERY"]
    restore(pair)
    pair.tick(minutes=1)
    pair.tick(hours=7)
    assert pair.br.state(received) is State.TURNED_AWAY
    assert not pair.br.delivered(received).exists()
    assert pair.br.told(received) == [A, "RELAY_REMMD_ACCEPTANCE", "NON_DELIVERY"]


def test_delivery_is_tried_again_until_the_folder_is_mended(pair: World, no_delivery: None) -> None:
    sent, received = pair.send()
    tries = len(pair.br.connector.ladder)
    for wait in pair.br.connector.ladder[: tries - 1]:
        assert pair.br.state(received) is State.VERIFIED
        pair.tick(seconds=wait.total_seconds())
    restore(pair)
    pair.tick(hours=6)
    assert pair.br.state(received) is State.HANDED_OVER
    assert pair.de.state(sent) is State.DELIVERED


def test_delivered_but_never_taken(pair: World) -> None:
    sent, received = pair.send()
    pair.tick(hours=24)
    assert warned(pair.de, sent) == ["retrieval-warn"]
    pair.tick(hours=11, minutes=59, seconds=59)
    assert pair.de.state(sent) is State.DELIVERED
    pair.tick(seconds=1)
    assert pair.de.state(sent) is State.NOT_RETRIEVED
    assert pair.br.state(received) is State.UNFETCHED
    for side, record in ((pair.de, sent), (pair.br, received)):
        assert reasons(side, record)["NON_RETRIEVAL"] is Reason.RETENTION_PERIOD_EXPIRED
    # Taken after all: noted, and nobody's outcome changes.
    pair.br.fetch(received)
    pair.tick(seconds=1)
    assert pair.br.state(received) is State.UNFETCHED
    assert pair.br.events(received)[-1] == "fetched"
    assert "RETRIEVAL" not in pair.br.types(received)


def test_the_gateway_never_takes_it(pair: World) -> None:
    accepted = pair.clock()
    pair.wire.failures = [transient("as4.no-answer", "Nobody is there.")] * 1000
    sent = pair.de.accept()
    pair.settle()
    waits = []
    for wait in pair.de.connector.ladder:
        due = pair.de.queue.waiting(sent.id)
        assert due is not None
        waits.append(due - pair.clock())
        pair.tick(seconds=wait.total_seconds())
    assert waits == list(pair.de.connector.ladder)
    assert pair.de.state(sent) is State.SEALED and pair.de.told(sent) == []
    (parked,) = [p for p in pair.de.queue.parked() if p.job.message_id == sent.id]
    assert json.loads(parked.reason)["code"] == "as4.no-answer"
    pair.clock.now = accepted + timedelta(hours=12, seconds=-1)
    pair.tick()
    assert pair.de.state(sent) is State.SEALED
    pair.tick(seconds=1)
    assert pair.de.state(sent) is State.REFUSED
    # SUBMISSION_ACCEPTANCE was made with the container, and is never told.
    assert pair.de.types(sent) == [A, "SUBMISSION_REJECTION"]
    assert pair.de.told(sent) == ["SUBMISSION_REJECTION"]
    assert reasons(pair.de, sent) == {"SUBMISSION_REJECTION": Reason.UNREACHABLE}
    pair.wire.failures = []
    assert pair.de.queue.replay(parked.job.id)
    pair.settle()
    assert pair.de.state(sent) is State.REFUSED
    assert not [m for m in pair.wire.sent if m.message_id == sent.ebms_id]


def test_damaged_before_it_could_be_verified(pair: World) -> None:
    """Our own trouble is not the sender's fault: it waits for a person, then for the clock."""
    sent = submitted(pair)
    let_go(pair)
    received = pair.br.received(sent.ebms_id)
    container = next(p for p in pair.br.parts(received) if p.role == "CONTAINER")
    path = pair.br.store.payloads.path(container.payload)
    whole = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(whole[:-1] + b"?")
    pair.settle()
    assert pair.br.state(received) is State.ARRIVED
    (parked,) = [p for p in pair.br.queue.parked() if p.job.message_id == received.id]
    assert json.loads(parked.reason)["code"] == "store.payload-altered"
    pair.tick(hours=24)
    assert pair.br.state(received) is State.TURNED_AWAY
    assert pair.br.types(received) == ["RELAY_REMMD_REJECTION"]
    assert reasons(pair.br, received) == {"RELAY_REMMD_REJECTION": Reason.R_REMMD_MALFUNCTION}
    assert pair.de.told(sent)[-1] == "RELAY_REMMD_REJECTION"


def test_damaged_and_restored(pair: World) -> None:
    sent = submitted(pair)
    let_go(pair)
    received = pair.br.received(sent.ebms_id)
    token = next(p for p in pair.br.parts(received) if p.role == "TOKEN_XML")
    path = pair.br.store.payloads.path(token.payload)
    path.rename(path.with_suffix(".lost"))
    pair.settle()
    (parked,) = [p for p in pair.br.queue.parked() if p.job.message_id == received.id]
    assert json.loads(parked.reason)["code"] == "store.payload-missing"
    path.with_suffix(".lost").rename(path)
    pair.br.queue.replay(parked.job.id)
    pair.settle()
    assert pair.de.state(sent) is State.DELIVERED


def test_a_timer_that_fires_twice_is_one_event(pair: World) -> None:
    from connector.runtime import watch

    sent = submitted(pair)
    pair.clock.now += timedelta(hours=12)
    watch.fire_timers(pair.de.connector)
    watch.fire_timers(pair.de.connector)
    pair.settle()
    assert pair.de.types(sent) == [A, "RELAY_REMMD_FAILURE"]
    assert pair.de.events(sent).count("relay-due") == 1


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(
        etree.parse(str(reference("ecodex-connector", "xsd", "TS102640_v2.xsd")))
    )


def test_every_evidence_of_this_module_is_valid(shared: World, schema: etree.XMLSchema) -> None:
    """The last test on purpose: it looks at what those before it have left in both stores."""
    seen = set()
    for side in (shared.de, shared.br):
        for message in side.store.messages(limit=1000):
            for evidence in side.evidences(message):
                root = etree.fromstring(side.store.payloads.read(evidence.payload))
                # The schema's copy of XAdES is of 2005, and does not know SigningCertificateV2,
                # which EN 319 132-1 demands (and e-CODEX writes).
                root.remove(root.find("{http://www.w3.org/2000/09/xmldsig#}Signature"))
                assert schema.validate(root), (evidence.type, schema.error_log)
                seen.add(evidence.type)
    every = {e.value for e in EvidenceType}
    assert {A, "NON_DELIVERY", "RELAY_REMMD_FAILURE", "NON_RETRIEVAL"} <= seen <= every


def test_limits_that_are_switched_off(tmp_path: Path) -> None:
    off = dict.fromkeys(
        ("submission", "relay", "relay_warn", "delivery", "delivery_warn", "retrieval_warn"), "0s"
    )
    with world(tmp_path, common={"timeouts": {**off, "retrieval": "2d"}}) as made:
        sent = made.de.accept()
        assert made.de.timers(sent) == {}
        made.wire.held = []
        made.de.work()
        assert set(made.de.timers(sent)) == {"retrieval-due"}
        let_go(made)
        received = made.br.received(sent.ebms_id)
        assert made.br.timers(received) == {}
        made.clock.now += timedelta(days=1)
        made.br.work()
        assert set(made.br.timers(received)) == {"fetch-due"}
        shutil.rmtree(made.br.delivered(received))  # taken away whole: that is taken, too
        made.tick(days=2)
        # DELIVERY and RETRIEVAL were on their way before the clock ran out.
        assert made.br.state(received) is State.FETCHED
        assert made.de.state(sent) in {State.RETRIEVED, State.NOT_RETRIEVED}


def test_a_partner_that_speaks_the_dialect_of_ecodex(tmp_path: Path) -> None:
    """Evidences and token in its spelling to it; here everything is read in either."""
    with world(tmp_path) as made:
        home = made.de.connector
        assert home.profile("connector-br") == "strict"
        object.__setattr__(home, "profiles", {"connector-br": type(home.profile("")).ECODEX})
        sent, received = made.send(document=sample())
        made.br.fetch(received)
        made.tick(seconds=1)
        assert made.de.state(sent) is State.RETRIEVED
        first = made.de.evidences(sent)[0]
        text = made.de.store.payloads.read(first.payload)
        assert b"http:uri.etsi.org/02640/Event#Acceptance" in text and b"SHA-256" in text
        token = next(p for p in made.br.parts(received) if p.role == "TOKEN_XML")
        assert b'Algorithm="SHA-256"' in made.br.store.payloads.read(token.payload)
        report = next(p for p in made.br.parts(received) if p.name == "verification.json")
        told = json.loads(made.br.store.payloads.read(report.payload))
        assert {r["code"].partition(".")[0] for r in told["reservations"]} == {"token"}
