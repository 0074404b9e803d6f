"""We send to phase4: eDelivery AS4 1.15."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConnectorError, Kind
from connector.signature.keys import SigningKey
from gateway_client.model import TEST_ACTION, TEST_SERVICE, Payload, Service
from gateway_client.pmode.model import PartnerTrust, PMode, Retry
from tests.as4.access_points import (
    BLUE_KEY,
    RED_KEY,
    message,
    payload,
    pmode,
    red_client,
    secured,
)
from tests.as4.big_exchange import Generated
from tests.interop.key_files import KeyFiles
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.phase4_side import (
    BIG,
    FROM_US,
    STRANGER,
    XML,
    contents,
    row_of,
)


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
    matrix("phase4", row_of(count), FROM_US)
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
