"""retrieveMessage is destructive: what arrives, what is refused, and that nothing gets lost."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from connector.errors import ConnectorError, Kind, transient, unacceptable
from gateway_client.domibus import DomibusGateway
from gateway_client.domibus.spool import Spool
from gateway_client.model import PartyId, Property, UserMessage
from tests.domibus import standin as plugin
from tests.domibus.messages import MemoryReceiver
from tests.domibus.standin import Behaviour, Repeated, Standin, Stored, answer_with, fault

CONTENTS: dict[str | None, plugin.Content] = {
    "cid:message": b"<request/>",
    "cid:Attachment%201": b"\r\n--" + plugin.BOUNDARY.encode()[:-1] + b"\0" * 3_000_000,
    "cid:empty": b"",
    None: b"<in-body/>",
}


@pytest.fixture
def receiver() -> MemoryReceiver:
    return MemoryReceiver()


def spool_files(tmp_path: Path) -> set[str]:
    return {p.suffix for p in (tmp_path / "spool").rglob("*") if p.suffix}


def test_message_arrives_as_it_was_sent(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver, tmp_path: Path
) -> None:
    standin.deliver("ä/&1@x", CONTENTS, more="<eb:RefToMessageId>r@x</eb:RefToMessageId>")
    assert client.poll(receiver) == ["ä/&1@x"]
    message, raw = receiver.taken["ä/&1@x"]
    assert receiver.contents("ä/&1@x") == list(CONTENTS.values())
    assert [p.content_id for p in message.payloads] == ["message", "Attachment%201", "empty", ""]
    assert {p.mime_type for p in message.payloads} == {"text/xml"}
    assert message.payloads[1].properties == (Property("name", "part 1"),)
    assert message.sender.id == PartyId("blue", "urn:x:type")
    assert message.ref_to_message_id == "r@x"
    assert message.timestamp.isoformat() == "2026-03-01T12:30:00.250000+00:00"
    assert message.property("finalRecipient") == "at"
    assert raw.startswith(b"<soap:Envelope")
    assert not any(writer.aborted for writer in receiver.writers)
    assert spool_files(tmp_path) == set()
    assert client.poll(receiver) == []


def test_what_one_submits_another_receives(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    from tests.domibus.messages import message, payload

    sent = message("m@x", payload("a", b"1" * 70_000), payload("b", b"", "a/b"))
    client.submit(sent)
    standin.waiting |= standin.submitted
    assert client.poll(receiver) == ["m@x"]
    arrived = receiver.taken["m@x"][0]
    assert receiver.contents("m@x") == [b"1" * 70_000, b""]
    assert replace(arrived, payloads=()) == replace(sent, payloads=())
    assert [(p.content_id, p.mime_type, p.properties) for p in arrived.payloads] == [
        (p.content_id, p.mime_type, p.properties) for p in sent.payloads
    ]


def test_order_and_limit(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    for n in range(5):
        standin.deliver(f"m{n}", {"cid:a": b"x"})
    assert client.poll(receiver, limit=2) == ["m0", "m1"]
    assert client.poll(receiver) == ["m2", "m3", "m4"]


def test_message_seen_before_is_acknowledged_again(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    for _ in range(2):
        standin.deliver("m", {"cid:a": b"x"})
        assert client.poll(receiver) == ["m"]
    assert receiver.seen_again == ["m"]


def proper(contents: dict[str | None, plugin.Content] | None = None, **swapped: str) -> Behaviour:
    """The right answer with changes, as a behaviour."""
    contents = contents or {"cid:a": b"x"}
    stored = Stored(plugin.header("m", contents), contents)
    status, kind, body = answer_with(stored)
    text = b"".join(part for part in body if isinstance(part, bytes))
    for old, new in swapped.items():
        old_bytes = OLD[old].encode()
        assert old_bytes in text
        text = text.replace(old_bytes, new.encode())
    return Behaviour(status, kind, text)


OLD = {
    "href": 'href="cid:a"',
    "payload_id": 'payloadId="cid:a"',
    "include": "%40cxf",
    "part": "Content-ID: <0f2b6c-1@cxf.apache.org>",
    "message_id": "<eb:MessageId>m<",
    "messaging": "eb:Messaging",
    "action": "<eb:Action>Form_A</eb:Action>",
    "timestamp": "2026-03-01T12:30:00.250Z",
    "end": plugin.TAIL.decode(),
    "value": '<value><xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include"',
    "answer": "b:retrieveMessageResponse",
    "root": "<soap:Envelope",
}
REFUSED = [
    (proper(href='href="cid:b"'), "domibus.payload-unannounced"),
    (proper(href=""), "domibus.payload-unannounced"),
    (proper(payload_id='payloadId="cid:b"'), "domibus.payload-unannounced"),
    (proper(href='href="cid:a"/><eb:PartInfo href="cid:b"'), "domibus.payload-missing"),
    (proper(include="%40other"), "domibus.part-unreferenced"),
    (proper(part="Content-ID: <other>"), "domibus.part-unreferenced"),
    (proper(part="X: y"), "domibus.part-unreferenced"),
    (
        proper(end=plugin.TAIL.decode()[:-2] + "\r\n\r\nmore" + plugin.TAIL.decode()),
        "domibus.part-unreferenced",
    ),
    (
        proper({"cid:a": b"x", "cid:b": b"y"}, part="Content-ID: <0f2b6c-2@cxf.apache.org>"),
        "mime.duplicate-content-id",
    ),
    (proper(message_id="<eb:MessageId>other<"), "domibus.wrong-message"),
    (
        proper(message_id="<eb:MessageId>m</eb:MessageId><eb:MessageId>m<"),
        "domibus.header-unreadable",
    ),
    (proper(message_id="<eb:MessageId>m<!-- -->m<"), "xml.comment-in-value"),
    (proper(messaging="eb:Other"), "domibus.header-unreadable"),
    (proper(action=""), "domibus.header-unreadable"),
    (proper(timestamp="yesterday"), "xml.date-time"),
    (
        proper(value='<value>eA==<xop:Include xmlns:xop="http://www.w3.org/2004/08/xop/include"'),
        "domibus.content-unreadable",
    ),
    (proper(value="<value><Include"), "domibus.content-unreadable"),
    (proper(answer="b:submitResponse"), "domibus.answer-unreadable"),
    (proper(end=""), "mime.truncated"),
    (proper(end="\r\n--"), "mime.truncated"),
    (proper(root="<!DOCTYPE x><soap:Envelope"), "xml.doctype"),
    (proper(root="<<soap:Envelope"), "xml.malformed"),
    (Behaviour(200, body=b"\0" * 1000), "xml.malformed"),
    (Behaviour(200, body=b"x" * (17 << 20)), "domibus.envelope-too-large"),
    (Behaviour(200, "multipart/related", b"x"), "mime.no-boundary"),
    (Behaviour(200, "multipart/related; boundary=x", b"<html>"), "mime.malformed"),
]


@pytest.mark.parametrize(("behaviour", "code"), REFUSED)
def test_answer_that_is_refused_is_kept_for_a_person(
    standin: Standin,
    client: DomibusGateway,
    receiver: MemoryReceiver,
    tmp_path: Path,
    behaviour: Behaviour,
    code: str,
) -> None:
    standin.deliver("m", {"cid:a": b"x"})
    standin.deliver("good", {"cid:a": b"x"})
    standin.next("retrieveMessage", replace(behaviour, after=True))
    with pytest.raises(ConnectorError) as caught:
        client.poll(receiver)
    assert (caught.value.kind, caught.value.code) == (Kind.UNACCEPTABLE, code)
    assert list(receiver.taken) == ["good"]
    (why,) = (tmp_path / "spool" / "refused").glob("*.json")
    assert json.loads(why.read_text())[0]["code"] == code
    kept = why.with_suffix(".answer").read_bytes()
    assert kept == behaviour.content_type.encode() + b"\n\n" + behaviour.body
    assert client.poll(receiver) == []
    assert all(writer.committed or writer.aborted for writer in receiver.writers)


def test_proper_answer_as_behaviour_is_taken(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    """The cases above are refused for their change alone."""
    standin.deliver("m", {"cid:a": b"x"})
    standin.next("retrieveMessage", replace(proper(), after=True))
    assert client.poll(receiver) == ["m"]


@pytest.mark.parametrize("cut", [0, 30, 1500, 900_000, 1_000_600])
def test_connection_cut_half_way(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver, cut: int
) -> None:
    standin.deliver("m", {"cid:a": b"x" * 1_000_000})
    standin.next("retrieveMessage", Behaviour(cut_after=cut))
    with pytest.raises(ConnectorError) as caught:
        client.poll(receiver)
    assert (caught.value.kind, caught.value.code) == (Kind.TRANSIENT, "domibus.connection-lost")
    assert standin.waiting == {}, "the gateway counts it as downloaded"
    assert receiver.taken == {}
    assert client.poll(receiver) == ["m"]
    assert receiver.contents("m") == [b"x" * 1_000_000]


def test_message_that_the_gateway_does_not_give_again(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver, tmp_path: Path
) -> None:
    standin.retention = False
    standin.deliver("m", {"cid:a": b"x" * 100_000})
    standin.next("retrieveMessage", Behaviour(cut_after=50_000))
    with pytest.raises(ConnectorError):
        client.poll(receiver)
    with pytest.raises(ConnectorError, match="retention_downloaded") as caught:
        client.poll(receiver)
    assert (caught.value.kind, caught.value.code) == (
        Kind.UNACCEPTABLE,
        "domibus.retrieval-lost",
    )
    assert client.poll(receiver) == [], "told once"
    assert spool_files(tmp_path) == {".json", ".partial", ".asked"}


def test_message_that_another_client_has_taken(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver, tmp_path: Path
) -> None:
    standin.retention = False
    standin.deliver("m", {"cid:a": b"x"})
    standin.next("retrieveMessage", replace(fault("EBMS_0004", "not pending"), after=True))
    assert client.poll(receiver) == []
    assert spool_files(tmp_path) == set()


def test_message_that_the_gateway_cannot_give_does_not_hold_up_others(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    for name in ("bad", "good"):
        standin.deliver(name, {"cid:a": b"x"})
    standin.next("retrieveMessage", fault("EBMS_0004", "payload store down"))
    with pytest.raises(ConnectorError, match="payload store down") as caught:
        client.poll(receiver)
    assert caught.value.kind is Kind.TRANSIENT
    assert list(receiver.taken) == ["good"]
    assert client.poll(receiver) == ["bad"]


@pytest.mark.parametrize(
    ("behaviour", "kind"),
    [
        (Behaviour(503, "text/html"), Kind.TRANSIENT),
        (Behaviour(401, "text/html"), Kind.CONFIGURATION),
        (Behaviour(200, "text/html", b"<html>log in</html>"), Kind.TRANSIENT),
    ],
)
@pytest.mark.parametrize("operation", ["listPendingMessages", "retrieveMessage"])
def test_gateway_out_of_order(
    standin: Standin,
    client: DomibusGateway,
    receiver: MemoryReceiver,
    operation: str,
    behaviour: Behaviour,
    kind: Kind,
) -> None:
    standin.deliver("m", {"cid:a": b"x"})
    standin.next(operation, replace(behaviour))
    with pytest.raises(ConnectorError) as caught:
        client.poll(receiver)
    assert caught.value.kind is kind
    assert client.poll(receiver) == ["m"]


def test_receiver_that_fails_gets_the_message_again(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver
) -> None:
    def full(message: UserMessage) -> None:
        raise transient("store.disk-full", "No space left.")

    standin.deliver("m", {"cid:a": b"x"})
    receiver.before = full
    for _ in range(2):
        with pytest.raises(ConnectorError, match=r"store\.disk-full"):
            client.poll(receiver)
    receiver.before = lambda message: None
    assert client.poll(receiver) == ["m"]
    assert standin.calls.count("retrieveMessage") == 1, "the spool has it"


def test_receiver_that_refuses(
    standin: Standin, client: DomibusGateway, receiver: MemoryReceiver, tmp_path: Path
) -> None:
    def refuse(message: UserMessage) -> None:
        if message.message_id == "bad":
            raise unacceptable("token.missing", "No token.")

    receiver.before = refuse
    for name in ("bad", "good"):
        standin.deliver(name, {"cid:a": b"x"})
    with pytest.raises(ConnectorError) as caught:
        client.poll(receiver)
    assert (caught.value.kind, caught.value.code) == (Kind.UNACCEPTABLE, "token.missing")
    assert list(receiver.taken) == ["good"]
    assert spool_files(tmp_path) == {".json", ".answer"}


def test_message_above_the_limit(
    standin: Standin,
    connect: Callable[..., DomibusGateway],
    receiver: MemoryReceiver,
    tmp_path: Path,
) -> None:
    standin.deliver("big", {"cid:a": Repeated(b"x" * 65536, 64)})
    standin.deliver("m", {"cid:a": b"x"})
    client = connect(max_message_bytes=1 << 20)
    with pytest.raises(ConnectorError) as caught:
        client.poll(receiver)
    assert caught.value.code == "domibus.message-too-large"
    assert list(receiver.taken) == ["m"]
    assert client.poll(receiver) == []
    # As the message says: with a higher limit, and its note put back, it comes.
    (note,) = (tmp_path / "spool" / "refused").glob("*.asked")
    note.rename(tmp_path / "spool" / note.name)
    assert connect().poll(receiver) == ["big"]


def test_spool_in_use(standin: Standin, client: DomibusGateway, tmp_path: Path) -> None:
    standin.deliver("m", {"cid:a": b"x"})
    with Spool(tmp_path / "spool").claimed() as ours:
        assert ours
        assert client.poll(MemoryReceiver()) == []
    assert client.poll(MemoryReceiver()) == ["m"]


def test_spool_without_place(client: DomibusGateway, standin: Standin, tmp_path: Path) -> None:
    standin.deliver("m", {"cid:a": b"x"})
    entry = Spool(tmp_path / "spool").entry("m")
    entry.path("draft").mkdir()
    with pytest.raises(ConnectorError) as caught:
        client.poll(MemoryReceiver())
    assert (caught.value.kind, caught.value.code) == (Kind.TRANSIENT, "domibus.spool")
    assert "m" in standin.waiting, "nothing is fetched that cannot be kept"


POLLER = """
import sys
from pathlib import Path
from gateway_client.domibus import Access, DomibusGateway
from tests.domibus.messages import MemoryReceiver

class Slow(MemoryReceiver):
    def receive(self, message, raw):
        print("receiving", flush=True)
        sys.stdin.read()

    def writer(self):
        print("writing", flush=True)
        return super().writer()

print("polling", flush=True)
access = Access(url=sys.argv[1], user="plugin", password="secret")
DomibusGateway(access, Path(sys.argv[2])).poll(Slow())
"""


@pytest.mark.parametrize("moment", ["answering", "writing", "receiving"])
def test_client_killed_between_retrieval_and_commit(
    standin: Standin,
    client: DomibusGateway,
    receiver: MemoryReceiver,
    tmp_path: Path,
    moment: str,
) -> None:
    standin.deliver("m", {"cid:a": b"x" * 5_000_000})
    if moment == "answering":
        standin.next("retrieveMessage", Behaviour(503, hang=60, after=True))
    process = subprocess.Popen(
        [sys.executable, "-c", POLLER, standin.url, str(tmp_path / "spool")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    if moment == "answering":
        deadline = time.monotonic() + 30
        while "m" in standin.waiting and time.monotonic() < deadline:
            time.sleep(0.02)
    else:
        while process.stdout.readline().strip() != moment:
            assert process.poll() is None
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert standin.waiting == {}, "the gateway counts it as downloaded"
    assert client.poll(receiver) == ["m"]
    assert receiver.contents("m") == [b"x" * 5_000_000]
    assert client.poll(receiver) == []
