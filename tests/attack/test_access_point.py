"""Hostile AS4 messages against the running endpoint: refused at the door by the code and the ebMS
error that name it; and what is replayed is delivered once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from cryptography.hazmat.primitives.asymmetric import rsa

from connector.errors import ConnectorError, unacceptable
from connector.evidence.build import build_evidence, follow_up
from connector.evidence.parse import parse_evidence
from connector.evidence.types import EvidenceType
from connector.exchange.records import Direction, MessageRecord
from connector.exchange.states import State
from connector.exchange.wire import PARTY_TYPE, ROLE
from connector.signature.algorithms import RSA_SHA1, SHA1
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority
from connector.xml import parse
from gateway_client.as4.send import BytesSource, prepare
from gateway_client.model import Party, PartyId, Payload, UserMessage
from gateway_client.pmode.model import PMode
from tests.attack.hostile import EXPIRED_TRANSPORT, NOW, Rig, content, posing_as, wait_for
from tests.exchange.attesting import carrying
from tests.network import put, sample


def secured(mode: PMode, **changes: Any) -> PMode:
    return replace(mode, security=replace(mode.security, **changes))


# --- Who knocks ----------------------------------------------------------------------------------


def test_a_sender_without_agreement(attacked: Rig) -> None:
    message = _from(attacked.de.genuine(), "connector-xx")
    mode = posing_as(attacked.de.mode, "connector-xx")
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(message, mode))
    assert refused == ("pmode.unknown-sender", "EBMS:0010")


def test_a_partner_posing_as_another_one(attacked: Rig) -> None:
    """DE signs with its own key, and says it is FR."""
    message = _from(attacked.de.genuine(), "connector-fr")
    mode = posing_as(attacked.de.mode, "connector-fr")
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(message, mode))
    assert refused == ("as4.security-untrusted", "EBMS:0101")


def test_a_message_for_another_party(attacked: Rig) -> None:
    fr = Party(PartyId("connector-fr", PARTY_TYPE), ROLE)
    message = replace(attacked.de.genuine(), recipient=fr)
    mode = replace(attacked.de.mode, responder=fr)
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(message, mode))
    assert refused == ("pmode.unknown-recipient", "EBMS:0010")


def _from(message: UserMessage, party: str) -> UserMessage:
    return replace(message, sender=Party(PartyId(party, PARTY_TYPE), ROLE))


def _issued_by_nobody() -> SigningKey:
    return Authority.root("Nobody", NOW).issue("connector-de", NOW, encipherment=True)


def _short() -> SigningKey:
    private = rsa.generate_private_key(65537, 1024)
    return Authority.root("Nobody", NOW).issue("short", NOW, private=private)


@pytest.mark.parametrize(
    ("party", "key", "changes", "code", "error"),
    [
        ("connector-de", _issued_by_nobody, {}, "as4.security-untrusted", "EBMS:0101"),
        ("connector-de", _short, {}, "as4.security-untrusted", "EBMS:0101"),
        ("connector-fr", lambda: EXPIRED_TRANSPORT, {}, "certificate.expired", "EBMS:0101"),
        (
            "connector-de",
            None,
            {"signature_method": RSA_SHA1},
            "signature.weak-algorithm",
            "EBMS:0103",
        ),
        ("connector-de", None, {"digest_method": SHA1}, "signature.weak-algorithm", "EBMS:0103"),
        ("connector-de", None, {"encrypt": False}, "as4.policy-not-encrypted", "EBMS:0103"),
    ],
    ids=[
        "another CA",
        "RSA-1024",
        "expired",
        "signed with SHA-1",
        "digested with SHA-1",
        "not encrypted",
    ],
)
def test_keys_and_algorithms(
    attacked: Rig,
    party: str,
    key: Callable[[], SigningKey] | None,
    changes: dict[str, Any],
    code: str,
    error: str,
) -> None:
    message = _from(attacked.de.genuine(), party)
    mode = secured(posing_as(attacked.de.mode, party), **changes)
    signing = key() if key else None
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(message, mode, signing))
    assert refused == (code, error)


def test_encrypted_for_somebody_else(attacked: Rig) -> None:
    own = attacked.de.assembly.transport.certificate
    mode = secured(attacked.de.mode, encrypt_for=own)
    message = attacked.de.genuine()
    code, error = attacked.refused_at_the_door(lambda: attacked.de.send(message, mode))
    assert error == "EBMS:0102", code


# --- What is brought -----------------------------------------------------------------------------


def test_a_gzip_bomb(attacked: Rig) -> None:
    """200 MB of zeros travel as 200 KB; 96 MiB are accepted in all."""
    message = attacked.de.genuine()
    bomb = replace(message.payloads[0], source=BytesSource(b"\0" * 200_000_000))
    hostile = replace(message, payloads=(bomb, *message.payloads[1:]))
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(hostile))
    assert refused == ("as4.decompression-bomb", "EBMS:0303")
    scratch = attacked.homes["BR"].folder / "payloads" / "scratch"
    assert not [p for p in scratch.rglob("*") if p.is_file() and p.stat().st_size > 1_000_000]


def test_bombs_that_only_together_are_too_large(attacked: Rig) -> None:
    message = attacked.de.genuine()
    zeros = BytesSource(b"\0" * 20_000_000)
    more = tuple(Payload(f"bomb{n}", "text/plain", zeros) for n in range(8))
    hostile = replace(message, payloads=(*message.payloads, *more))
    refused = attacked.refused_at_the_door(lambda: attacked.de.send(hostile))
    assert refused == ("as4.decompression-bomb", "EBMS:0303")


def entity(rig: Rig, message: UserMessage) -> tuple[str, bytes]:
    """The very bytes that DE's access point would send."""
    scratch = rig.de.assembly.store.payloads.scratch()
    prepared = prepare(message, rig.de.mode, rig.de.assembly.transport, scratch=scratch, token="t")
    made = prepared.entity("e")
    data = made.content if isinstance(made.content, bytes) else b"".join(made.content)
    prepared.close()
    return made.content_type, data


def posted(rig: Rig, content_type: str, data: bytes) -> tuple[int, bytes]:
    answer = urllib3.request(
        "POST",
        str(rig.de.mode.endpoint),
        body=data,
        headers={"Content-Type": content_type},
        timeout=30,
        retries=False,
    )
    return answer.status, answer.data


def post_refused(rig: Rig, content_type: str, data: bytes) -> tuple[str, str]:
    def send() -> None:
        _, answer = posted(rig, content_type, data)
        found = re.search(rb'errorCode="(EBMS:\d+)"', answer)
        assert found, answer[:500]
        raise _as_a_client_would(found[1].decode())

    return rig.refused_at_the_door(send)


def _as_a_client_would(error: str) -> ConnectorError:
    return unacceptable("as4.refused-by-partner", f"The partner refused the message: {error} x")


@pytest.mark.parametrize(
    ("old", "new", "code", "error"),
    [
        (b">urn:emla:services:<", b"", "", ""),
        (b"originalSender", b"originalSendor", "signature.digest-mismatch", "EBMS:0101"),
        (b":Action>Request<", b":Action>Response<", "signature.digest-mismatch", "EBMS:0101"),
        (b"<env:Body ", b"<env:Body a='' ", "signature.digest-mismatch", "EBMS:0101"),
    ],
    ids=["nothing", "a property", "the action", "the body"],
)
def test_an_envelope_altered_on_the_way(
    attacked: Rig, old: bytes, new: bytes, code: str, error: str
) -> None:
    kind, data = entity(attacked, attacked.de.genuine())
    if not code:
        status, answer = posted(attacked, kind, data)
        assert status == 200 and b"NonRepudiationInformation" in answer
        return
    assert old in data
    altered = data.replace(old, new, 1)
    assert post_refused(attacked, kind, altered) == (code, error)


def test_a_payload_altered_on_the_way(attacked: Rig) -> None:
    kind, data = entity(attacked, attacked.de.genuine())
    at = len(data) - 2000  # in the last payload, which is encrypted
    altered = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    code, error = post_refused(attacked, kind, altered)
    assert (code, error) == ("as4.decryption-failed", "EBMS:0102")


def test_a_payload_cut_off(attacked: Rig) -> None:
    kind, data = entity(attacked, attacked.de.genuine())
    code, error = post_refused(attacked, kind, data[:-500])
    assert error == "EBMS:0007", code


@pytest.mark.parametrize(
    "envelope",
    [
        b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>',
        b'<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><x>&b;</x>',
        b"<a>" * 5000,
        b"\xff\xfe\x00",
        b"",
    ],
    ids=["entity", "expansion", "deep", "binary", "empty"],
)
def test_what_is_no_soap(attacked: Rig, envelope: bytes) -> None:
    status, answer = posted(attacked, "application/soap+xml", envelope)
    assert status == 400 and b"EBMS:0009" in answer and b"root:" not in answer
    attacked.next_one_is_delivered()


def test_larger_than_is_accepted(attacked: Rig) -> None:
    status, _ = posted(attacked, "application/soap+xml", b" " * (97 * 1024 * 1024))
    assert status == 413
    attacked.next_one_is_delivered()


# --- Again and again -----------------------------------------------------------------------------


def test_the_same_bytes_again(attacked: Rig) -> None:
    """Delivered once; the receipt again, since the first one may have been lost."""
    message = attacked.de.genuine()
    kind, data = entity(attacked, message)
    answers = [posted(attacked, kind, data) for _ in range(3)]
    assert [status for status, _ in answers] == [200] * 3
    receipts = {re.search(rb"<ebbp:NonRep.*</ebbp:NonRep\w+>", a, re.S)[0] for _, a in answers}  # type: ignore[index]
    assert len(receipts) == 1
    record = attacked.ended(message.message_id)
    assert record.state == State.HANDED_OVER
    assert len(list(attacked.delivered(message.message_id))) == 1
    assert posted(attacked, kind, data)[0] == 200
    wait_for(lambda: len(attacked.de.evidences_about(message.message_id)) == 2)
    kinds = [kind for kind, _ in attacked.de.evidences_about(message.message_id)]
    assert kinds == [EvidenceType.RELAY_REMMD_ACCEPTANCE, EvidenceType.DELIVERY]


def test_another_message_under_an_id_that_was_used(attacked: Rig) -> None:
    first, second = attacked.de.genuine(), attacked.de.genuine()
    attacked.de.send(first)
    attacked.ended(first.message_id)
    stolen = replace(second, message_id=first.message_id)
    code, _ = attacked.refused_at_the_door(lambda: attacked.de.send(stolen))
    assert code == "wire.message-id-reused"


# --- Evidence ------------------------------------------------------------------------------------


@pytest.fixture
def asked(attacked: Rig) -> MessageRecord:
    """A request of BR that lies with DE, who will say what it likes about it."""
    document = sample(
        SendingAuthority_Identifier_Value="urn:emla:authority:br:drci",
        ReceivingAuthority_Identifier_Value="urn:emla:authority:de:bfj",
    )
    intake = attacked.homes["BR"].folder / "intake"
    known = {m.id for m in _ours(attacked)}
    put(intake / ".case", document).rename(intake / f"case-{len(known)}")
    return wait_for(  # type: ignore[no-any-return]
        lambda: next(
            (m for m in _ours(attacked) if m.id not in known and m.state == State.SUBMITTED), None
        )
    )


def _ours(rig: Rig) -> list[MessageRecord]:
    found = rig.br.assembly.store.messages(direction=Direction.OUTBOUND, limit=100_000)
    return [m for m in found if m.kind == "BUSINESS"]


def _said(rig: Rig, asked: MessageRecord, key: SigningKey, change: Any = None) -> UserMessage:
    """DELIVERY, as DE attests it."""
    message = rig.de.inbox.messages[asked.ebms_id]
    first = parse_evidence(parse(content(message.payloads[3])))[0]
    evidence = follow_up(
        first,
        EvidenceType.DELIVERY,
        identifier=f"said-{asked.id}-{id(key)}",
        issuer=first.issuer,
        at=NOW,
    )
    data = build_evidence(evidence, key, NOW)
    return carrying(asked, change(data) if change else data, "DELIVERY")


@pytest.mark.parametrize("forgery", ["key", "altered", "other message", "nobody's message"])
def test_a_forged_evidence(attacked: Rig, asked: MessageRecord, forgery: str) -> None:
    own = attacked.de.connector.keys.evidence
    stranger = Authority.root("Nobody", NOW).issue("evil", NOW)
    about = _ours(attacked)
    message, code = {
        "key": lambda: (_said(attacked, asked, stranger), "certificate.unknown-issuer"),
        "altered": lambda: (
            _said(attacked, asked, own, lambda d: d.replace(b"said-", b"sayd-")),
            "signature.digest-mismatch",
        ),
        "other message": lambda: (
            replace(_said(attacked, asked, own), ref_to_message_id=_another(about, asked).ebms_id),
            "evidence.other-message",
        ),
        "nobody's message": lambda: (
            replace(_said(attacked, asked, own), ref_to_message_id="x@y"),
            "evidence.unknown-message",
        ),
    }[forgery]()
    before = {m.id: m.state for m in about}
    attacked.de.send(message)
    record = attacked.ended(message.message_id)
    assert record.state == State.EVIDENCE_REFUSED
    assert json.loads(record.problem or "")["code"] == code
    assert {m.id: m.state for m in _ours(attacked)} == before
    # The true one counts all the same.
    attacked.de.send(_said(attacked, asked, own))
    wait_for(lambda: attacked.br.assembly.store.messages(text=asked.id)[0].state == "DELIVERED")
    attacked.next_one_is_delivered()


def _another(known: list[MessageRecord], asked: MessageRecord) -> MessageRecord:
    return next(m for m in known if m.id != asked.id)
