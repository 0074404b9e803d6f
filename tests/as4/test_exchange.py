"""Whole exchanges between two access points over sockets."""

from __future__ import annotations

import os
from pathlib import Path

from gateway_client.model import TEST_ACTION, TEST_SERVICE, Property, Service
from tests.as4.access_points import Inbox, blue_endpoint, message, payload, pmode, red_client


def content(inbox: Inbox, id: str = "m1@red") -> list[bytes]:
    return [p.source.open().read() for p in inbox.messages[id].payloads]


def test_a_message_arrives_and_its_receipt_comes_back(tmp_path: Path) -> None:
    inbox = Inbox()
    xml, photo = b"<a>\r\n" + b"text" * 1000 + b"</a>", os.urandom(3_000_000)
    sent = message(
        payload(xml, "p1", "application/xml", Property("type", "envelope")),
        payload(photo, "p2", "image/jpeg"),
        payload(photo[:2_000_000] * 2, "p3", "application/pdf"),
    )
    with blue_endpoint(inbox) as url:
        client = red_client(pmode(url), tmp_path)
        submission = client.submit(sent)
        client.close()
    assert submission.delivered and submission.message_id == sent.message_id
    assert submission.receipt is not None and b"NonRepudiationInformation" in submission.receipt
    got = inbox.messages[sent.message_id]
    assert content(inbox) == [xml, photo, photo[:2_000_000] * 2]
    assert [p.mime_type for p in got.payloads] == [
        "application/xml",
        "image/jpeg",
        "application/pdf",
    ]
    assert got.payloads[0].properties == (Property("type", "envelope"),)
    assert got.properties == sent.properties and got.sender == sent.sender
    assert list(tmp_path.iterdir()) == []


def test_the_test_service_is_answered_and_not_delivered(tmp_path: Path) -> None:
    inbox = Inbox()
    ping = message(
        payload(b"ping"), service=Service(TEST_SERVICE), action=TEST_ACTION, id="ping@red"
    )
    with blue_endpoint(inbox) as url:
        client = red_client(pmode(url), tmp_path)
        submission = client.submit(ping)
        client.close()
    assert submission.delivered and submission.receipt is not None
    assert inbox.calls == 0 and all(w.aborted and not w.committed for w in inbox.writers)
