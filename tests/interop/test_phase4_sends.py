"""phase4 sends to our access point: eDelivery AS4 1.15, and what else a peer may choose."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from gateway_client.model import TEST_ACTION, TEST_SERVICE, Property
from tests.as4.access_points import (
    BLUE_KEY,
    RED_KEY,
    Inbox,
    blue_endpoint,
)
from tests.as4.big_exchange import Generated, Measuring
from tests.interop.key_files import KeyFiles
from tests.interop.matrix import Recorder
from tests.interop.peers import Peer
from tests.interop.phase4_side import (
    BIG,
    STRANGER,
    TO_US,
    XML,
    File,
    contents,
    described,
    row_of,
)


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
    matrix("phase4", row_of(count), TO_US)
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


FORMS = {
    "signer by issuer and serial": {"signer_named_by": "issuer-serial"},
    "signer by key identifier": {"signer_named_by": "ski-key-id"},
    "signer by thumbprint": {"signer_named_by": "thumbprint-id"},
    "signer by embedded certificate": {"signer_named_by": "x509-key-id"},
    "signer with whole path": {"whole_path": True},
    "receiver by issuer and serial": {"receiver_named_by": "issuer-serial"},
    "receiver by key identifier": {"receiver_named_by": "ski-key-id"},
    "receiver by thumbprint": {"receiver_named_by": "thumbprint-id"},
    "RSA-SHA512, AES-256-GCM": {
        "signature": "rsa-sha-512", "digest": "sha-512", "encryption": "aes256-gcm",
    },
    "RSA-PSS": {"signature": "rsa-sha-256-mgf1"},
}  # fmt: skip
"""What else phase4, and with it other peers, may choose."""


@pytest.mark.parametrize("form", FORMS)
def test_phase4_sends_in_other_forms(
    phase4: Peer, files: KeyFiles, tmp_path: Path, matrix: Recorder, form: str
) -> None:
    matrix("phase4", form, TO_US)
    inbox = Inbox()
    sent = described(*written(tmp_path, ("application/xml", XML)), id="f@phase4")
    with blue_endpoint(inbox) as url:
        answer = send(phase4, files, url, sent, **FORMS[form])
    assert receipted(answer)
    assert inbox.messages["f@phase4"].payloads[0].source.open().read() == XML


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
