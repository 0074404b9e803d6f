"""phase4 and our access point, each sending to the other: eDelivery AS4 1.15."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConnectorError, Kind
from connector.signature.keys import SigningKey
from gateway_client.model import TEST_ACTION, TEST_SERVICE, Payload, Property, Service
from gateway_client.pmode.model import PartnerTrust, PMode, Retry
from tests.as4.access_points import (
    BLUE_KEY,
    NOW,
    RED_KEY,
    ROOT,
    Inbox,
    blue_endpoint,
    message,
    payload,
    pmode,
    red_client,
    secured,
)
from tests.as4.big_exchange import Generated, Measuring
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.phase4_side import File, KeyFiles, described

TO_US = "phase4 to emla"
FROM_US = "emla to phase4"
STRANGER = ROOT.issue("stranger", NOW, encipherment=True)
XML = b"<a>\r\n" + "Größe".encode() * 1000 + b"</a>\n"
BIG = 100
"""MiB."""


@pytest.fixture
def files(tmp_path: Path) -> KeyFiles:
    return KeyFiles(tmp_path)


def contents() -> list[tuple[str, bytes]]:
    """Media types and contents that have gone wrong between access points before."""
    return [
        ("application/xml", XML),
        ("text/xml", XML.replace(b"\r\n", b"\n")),
        ("text/plain", b"line\r\nline\nline\r"),
        ("application/pdf", os.urandom(100_000)),
        ("image/jpeg", os.urandom(100_000)),
        ("application/gzip", os.urandom(2_000)),
        ("application/vnd.etsi.asic-s+zip", os.urandom(50_000)),
        ("application/octet-stream", b""),
        ("application/octet-stream", bytes(range(256)) * 300),
        ("application/json", b'{"a": "\xc3\xa4"}'),
    ]


# --- phase4 sends --------------------------------------------------------------------------------


def send(
    phase4: Peer, files: KeyFiles, url: str, described: dict[str, Any], **changes: Any
) -> dict[str, Any]:
    """What phase4 says came of a message that it has sent as red."""
    arguments = {
        **files.access_point(RED_KEY, BLUE_KEY.certificate),
        "receiver": files.certificate(BLUE_KEY.certificate),
        "url": url,
        "message": described,
        **changes,
    }
    answer: dict[str, Any] = phase4.ask("send", **arguments)
    return answer


def written(folder: Path, *contents: tuple[str, bytes]) -> list[File]:
    made = []
    for number, (media_type, content) in enumerate(contents):
        path = folder / f"payload{number}"
        path.write_bytes(content)
        made.append(File(path, media_type, f"payload{number}@phase4", number % 3 != 2))
    return made


def receipted(answer: dict[str, Any]) -> bool:
    """Whether phase4 found our receipt signed, by us, over exactly what it had sent."""
    assert answer["result"] == "success", answer
    assert answer["errors"] == []
    assert answer["confirmed"] and answer["signature_verified"]
    assert answer["signer"] == "CN=blue"
    return True


@pytest.mark.parametrize("count", [0, 1, 2, 10])
def test_phase4_sends(
    phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder, count: int
) -> None:
    matrix("phase4", f"{count:2} payloads" if count != 1 else " 1 payload", TO_US)
    inbox, sent = Inbox(), contents()[:count]
    with blue_endpoint(inbox) as url:
        answer = send(phase4, files, url, described(*written(tmp_path, *sent), id="p1@phase4"))
    assert receipted(answer) and answer["ref_to"] == "p1@phase4"
    got = inbox.messages["p1@phase4"]
    assert [(p.mime_type, p.source.open().read()) for p in got.payloads] == sent
    assert got.properties == (
        Property("originalSender", "urn:a"),
        Property("finalRecipient", "urn:b", "x"),
    )
    assert (got.action, got.conversation_id) == ("Request", "c1")


def test_phase4_sends_much(phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder) -> None:
    matrix("phase4", f"{BIG} MiB", TO_US)
    generated, path = Generated(BIG), tmp_path / "big"
    expected = hashlib.sha256()
    with path.open("wb") as file, generated.open() as stream:
        while block := stream.read():
            expected.update(block)
            file.write(block)
    measuring = Measuring()
    with blue_endpoint(measuring) as url:  # type: ignore[arg-type]
        big = File(path, "application/octet-stream", "big@phase4", compressed=False)
        assert receipted(send(phase4, files, url, described(big, id="big@phase4")))
    assert measuring.size == generated.size
    assert measuring.digest.digest() == expected.digest()


def test_phase4_sends_twice(
    phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder
) -> None:
    matrix("phase4", "duplicate", TO_US)
    inbox = Inbox()
    again = described(*written(tmp_path, ("application/xml", XML)), id="twice@phase4")
    with blue_endpoint(inbox) as url:
        for _ in range(2):
            assert receipted(send(phase4, files, url, again))
    assert (len(inbox.messages), inbox.calls) == (1, 2)


def test_phase4_pings(phase4: Peer, files: KeyFiles, matrix: Recorder) -> None:
    matrix("phase4", "test service", TO_US)
    inbox = Inbox()
    ping = described(id="ping@phase4", service=TEST_SERVICE, service_type=None, action=TEST_ACTION)
    with blue_endpoint(inbox) as url:
        assert receipted(send(phase4, files, url, ping))
    assert inbox.calls == 0


REFUSED_SENDINGS = {
    "signed with another key": ({}, STRANGER, "EBMS:0101"),
    "encrypted for another key": ({"receiver": STRANGER.certificate}, RED_KEY, "EBMS:0102"),
    "not encrypted": ({"receiver": None}, RED_KEY, "EBMS:0103"),
    "unknown service": ({"service": "urn:other"}, RED_KEY, "EBMS:0010"),
}


@pytest.mark.parametrize("case", REFUSED_SENDINGS)
def test_phase4_is_refused(
    phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder, case: str
) -> None:
    matrix("phase4", case, TO_US)
    changes, key, code = REFUSED_SENDINGS[case]
    inbox = Inbox()
    service = {k: v for k, v in changes.items() if k == "service"}
    sent = described(*written(tmp_path, ("application/xml", XML)), id="r@phase4", **service)
    arguments = files.access_point(key, BLUE_KEY.certificate)
    receiver = changes.get("receiver", BLUE_KEY.certificate)
    if receiver is not None:
        arguments["receiver"] = files.certificate(receiver)
    with blue_endpoint(inbox) as url:
        answer = phase4.ask("send", url=url, message=sent, **arguments)
    assert not answer.get("receipt") and not inbox.messages
    assert [error["code"] for error in answer["errors"]] == [code], answer
    assert answer["ref_to"] == "r@phase4"


# --- phase4 receives -----------------------------------------------------------------------------


class Listener:
    """phase4 as blue's access point."""

    def __init__(self, phase4: Peer, files: KeyFiles, key: SigningKey, *trusted: Any) -> None:
        self._phase4 = phase4
        self.url: str = phase4.ask("listen", **files.access_point(key, *trusted))["url"]

    @property
    def messages(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._phase4.ask("received", url=self.url)["messages"]
        return found


@pytest.fixture
def blue(phase4: Peer, files: KeyFiles) -> Iterator[Listener]:
    listener = Listener(phase4, files, BLUE_KEY, RED_KEY.certificate)
    yield listener
    phase4.ask("close", url=listener.url)


def fresh(name: str) -> str:
    """An id that this phase4 has never seen."""
    return f"{name}-{uuid.uuid4().hex}@emla"


def submitted(mode: PMode, scratch: Path, *payloads: Payload, id: str, **changes: Any) -> bytes:
    """The receipt that our client accepted."""
    # phase4 refuses a second try, which would hide what was wrong with the first.
    client = red_client(replace(mode, retry=Retry(delays=()), answer_timeout=120), scratch)
    try:
        submission = client.submit(message(*payloads, id=id, **changes))
    finally:
        client.close()
    assert submission.delivered and submission.receipt is not None
    return submission.receipt


@pytest.mark.parametrize("count", [0, 1, 2, 10])
def test_phase4_receives(blue: Listener, tmp_path: Path, matrix: Recorder, count: int) -> None:
    matrix("phase4", f"{count:2} payloads" if count != 1 else " 1 payload", FROM_US)
    sent = contents()[:count]
    payloads = [payload(content, f"p{n}@emla", kind) for n, (kind, content) in enumerate(sent)]
    id = fresh("e")
    receipt = submitted(pmode(blue.url), tmp_path, *payloads, id=id)
    assert b"NonRepudiationInformation" in receipt
    (got,) = blue.messages
    assert (got["id"], got["from"], got["to"]) == (id, "red", "blue")
    assert (got["service"], got["action"]) == ("urn:mla", "Request")
    assert got["signature_verified"] and got["decrypted"] == (count > 0)
    assert [(p["media_type"], p["size"], p["sha256"]) for p in got["payloads"]] == [
        (kind, len(content), hashlib.sha256(content).hexdigest()) for kind, content in sent
    ]
    assert [p["value"] for p in got["properties"]] == ["urn:a", "urn:b"]


def test_phase4_receives_much(blue: Listener, tmp_path: Path, matrix: Recorder) -> None:
    matrix("phase4", f"{BIG} MiB", FROM_US)
    generated = Generated(BIG)
    expected = hashlib.sha256()
    with generated.open() as stream:
        while block := stream.read():
            expected.update(block)
    sent = Payload("big@emla", "image/jpeg", generated)
    submitted(pmode(blue.url), tmp_path, sent, id=fresh("big"))
    ((got,),) = (each["payloads"] for each in blue.messages)
    assert (got["size"], got["sha256"]) == (generated.size, expected.hexdigest())


def test_phase4_answers_the_test_service(blue: Listener, tmp_path: Path, matrix: Recorder) -> None:
    matrix("phase4", "test service", FROM_US)
    receipt = submitted(
        pmode(blue.url), tmp_path,
        id=fresh("ping"), service=Service(TEST_SERVICE), action=TEST_ACTION,
    )  # fmt: skip
    assert b"NonRepudiationInformation" in receipt
    assert blue.messages == []


def refused(mode: PMode, scratch: Path, id: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        submitted(mode, scratch, payload(XML), id=id)
    return caught.value


def test_phase4_gets_a_duplicate(blue: Listener, tmp_path: Path, matrix: Recorder) -> None:
    """phase4 refuses what it has instead of repeating the receipt (AS4 profile, 3.2)."""
    matrix("phase4", "duplicate", FROM_US)
    id = fresh("twice")
    submitted(pmode(blue.url), tmp_path, payload(XML), id=id)
    error = refused(pmode(blue.url), tmp_path, id)
    assert error.code == "as4.refused-by-partner" and "duplicate" in str(error)
    assert len(blue.messages) == 1


def test_phase4_refuses_a_stranger(
    phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder
) -> None:
    matrix("phase4", "signed with another key", FROM_US)
    other = Listener(phase4, files, BLUE_KEY, STRANGER.certificate)
    error = refused(pmode(other.url), tmp_path, fresh("s"))
    assert error.code == "as4.refused-by-partner" and "EBMS:01" in str(error)
    assert other.messages == []
    phase4.ask("close", url=other.url)


def test_phase4_cannot_decrypt(blue: Listener, tmp_path: Path, matrix: Recorder) -> None:
    matrix("phase4", "encrypted for another key", FROM_US)
    mode = secured(pmode(blue.url), encrypt_for=STRANGER.certificate)
    error = refused(mode, tmp_path, fresh("x"))
    assert error.code == "as4.refused-by-partner" and "EBMS:0102" in str(error)
    assert blue.messages == []


def test_a_receipt_signed_by_another_counts_for_nothing(
    blue: Listener, tmp_path: Path, matrix: Recorder
) -> None:
    matrix("phase4", "receipt by another key", FROM_US)
    mode = secured(pmode(blue.url), trust=PartnerTrust(certificates=(STRANGER.certificate,)))
    error = refused(mode, tmp_path, fresh("o"))
    assert (error.kind, error.code) == (Kind.TRANSIENT, "as4.invalid-receipt")
