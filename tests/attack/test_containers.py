"""Hostile containers and tokens of a partner with legitimate keys, end to end."""

from __future__ import annotations

import hashlib
import io
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import pytest

from connector.container.asic import MEDIA_TYPE
from connector.container.opening import ASIC
from connector.container.sealing import MIMETYPE_FILE, SIGNATURES, SIGNED_CONTENT
from connector.container.signed_token import build_token
from connector.evidence.types import Reason
from connector.signature import xades
from connector.signature.pki import Authority
from gateway_client.model import UserMessage
from tests.attack.hostile import NOW, Content, Hostile, Rig, content, token_about, with_parts
from tests.container.archives import Member, archive
from tests.network import ATTACHMENTS, sample

FORMAT, SIGNATURE = Reason.INVALID_MESSAGE_FORMAT, Reason.INVALID_USER_SIGNATURE
Forge = Callable[[UserMessage, Hostile], UserMessage]
FILES = [Content(name, data) for name, data in ATTACHMENTS.items()]
ORIGINAL = Content("r.xml", sample())


def sealed(own: Hostile, inner: bytes, *more: Member) -> bytes:
    """A container around any bytes, with the sender's true signature over them."""
    signature = xades.sign_detached(
        [(SIGNED_CONTENT, "application/zip", hashlib.sha256(inner).digest())],
        own.connector.keys.seal,
        NOW,
    )
    signatures = b'<asic:XAdESSignatures xmlns:asic="%b">%b</asic:XAdESSignatures>' % (
        ASIC.encode(),
        signature,
    )
    return archive(
        Member(MIMETYPE_FILE.encode(), MEDIA_TYPE.encode()),
        Member(SIGNED_CONTENT.encode(), inner),
        Member(SIGNATURES.encode(), signatures),
        *more,
    )


def holding(*members: Member) -> Forge:
    """Everything that belongs into the container, and these files as well, truly signed."""

    def forge(message: UserMessage, own: Hostile) -> UserMessage:
        files = [
            Member(b"envelope.xml", content(message.payloads[0])),
            *(Member(f.name.encode(), f.data) for f in (*FILES, ORIGINAL)),
        ]
        return with_parts(message, container=sealed(own, archive(*files, *members)))

    return forge


def replaced(part: int, change: Callable[[bytes], bytes]) -> Forge:
    """A part with other bytes."""

    def forge(message: UserMessage, own: Hostile) -> UserMessage:
        before = content(message.payloads[part])
        after = change(before)
        assert before != after
        names = ("envelope", "container", "token")
        return with_parts(message, **{names[part]: after})  # type: ignore[arg-type]

    return forge


def flipped(data: bytes) -> bytes:
    """One bit of an attachment in the container."""
    at = data.index(b"Beschluss")
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def of_another_message(part: int) -> Forge:
    def forge(message: UserMessage, own: Hostile) -> UserMessage:
        names = ("envelope", "container", "token")
        other = content(_other(own).payloads[part])
        return with_parts(message, **{names[part]: other})  # type: ignore[arg-type]

    return forge


@cache
def _other(own: Hostile) -> UserMessage:
    return own.genuine(sample("emergency-request"), {})


def truly_sealed(*files: Content) -> Forge:
    """The sender seals other files than its envelope lists."""
    return lambda message, own: own.resealed(message, files=files)


def token_for_other_bytes(message: UserMessage, own: Hostile) -> UserMessage:
    token = token_about(own.connector, b"another document")
    signed = build_token(token, own.connector.keys.seal, NOW)
    return with_parts(message, token=signed)


def token_names(name: str) -> Forge:
    def forge(message: UserMessage, own: Hostile) -> UserMessage:
        token = token_about(own.connector, content(message.payloads[0]))
        other = replace(token, document=replace(token.document, filename=name))
        return with_parts(message, token=build_token(other, own.connector.keys.seal, NOW))

    return forge


def _stranger(message: UserMessage, own: Hostile) -> UserMessage:
    key = Authority.root("Nobody", NOW).issue("evil", NOW)
    return own.resealed(message, key=key)


def _zeros(name: bytes, mebibytes: int, **lies: int) -> Member:
    return Member(name, b"\0" * (mebibytes << 20), deflate=True, **lies)  # type: ignore[arg-type]


def _quine_like(message: UserMessage, own: Hostile) -> UserMessage:
    """SignedContent.zip itself compressed out of all proportion."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as outer:
        outer.writestr(zipfile.ZipInfo(MIMETYPE_FILE), MEDIA_TYPE)
        outer.writestr(SIGNED_CONTENT, b"\0" * (200 << 20), zipfile.ZIP_DEFLATED)
        outer.writestr(SIGNATURES, b"<x/>")
    return with_parts(message, container=out.getvalue())


@dataclass(frozen=True)
class Attack:
    forge: Forge
    code: str
    reason: Reason = FORMAT


ATTACKS = {
    "one bit of an attachment": Attack(replaced(1, flipped), "container.corrupt"),
    "no archive": Attack(replaced(1, lambda _: b"%PDF-1.7 no archive"), "container.no-zip"),
    "cut off": Attack(replaced(1, lambda data: data[: len(data) // 2]), "container.no-zip"),
    "something before the archive": Attack(
        replaced(1, lambda data: b"#!/bin/sh\n" + data), "container.gap"
    ),
    "something behind the archive": Attack(
        replaced(1, lambda data: data + b"<script>"), "container.comment"
    ),
    "of another message": Attack(of_another_message(1), "token.other-document"),
    "of another message, with its token": Attack(
        lambda message, own: of_another_message(2)(of_another_message(1)(message, own), own),
        "container.other-document",
    ),
    "sealed by somebody unknown": Attack(_stranger, "certificate.unknown-issuer", SIGNATURE),
    "an attachment that is not the one listed": Attack(
        truly_sealed(replace(FILES[1], data=b"%PDF forged"), FILES[0], FILES[2], ORIGINAL),
        "container.attachment-altered",
    ),
    "an attachment missing": Attack(
        truly_sealed(*FILES[1:], ORIGINAL), "container.attachment-missing"
    ),
    "an attachment that is not listed": Attack(
        truly_sealed(*FILES, ORIGINAL, Content("malware.exe", b"MZ")),
        "container.attachment-unlisted",
    ),
    "a file that no signature covers": Attack(
        lambda message, own: with_parts(
            message,
            container=sealed(
                own, archive(Member(b"envelope.xml", b"x")), Member(b"evil.exe", b"MZ")
            ),
        ),
        "container.unsigned-entry",
    ),
    "zip slip": Attack(holding(Member(b"../../../etc/cron.d/evil", b"x")), "container.entry-name"),
    "zip slip, absolute": Attack(holding(Member(b"/etc/passwd", b"x")), "container.entry-name"),
    "zip slip, backslashes": Attack(
        holding(Member(b"..\\..\\evil.exe", b"x")), "container.entry-name"
    ),
    "a symbolic link": Attack(
        holding(Member(b"link", b"/etc/passwd", made_by=0x031E, attributes=0o120777 << 16)),
        "container.special-file",
    ),
    "one name twice": Attack(
        holding(Member(b"beschluss.pdf", b"another")), "container.duplicate-name"
    ),
    "one name in two cases": Attack(
        holding(Member(b"Beschluss.PDF", b"another")), "container.duplicate-name"
    ),
    "100 MB of zeros in 100 KB": Attack(holding(_zeros(b"zeros", 100)), "container.zip-bomb"),
    "a bomb that says it is small": Attack(
        holding(_zeros(b"zeros", 100, size=1000)), "container.size-disagrees"
    ),
    "a bomb as SignedContent.zip": Attack(_quine_like, "container.zip-bomb"),
    "2,000 files": Attack(
        holding(*(Member(b"%d" % n, b"") for n in range(2000))), "container.too-many-entries"
    ),
    "encrypted": Attack(holding(Member(b"secret", b"x", flags=1)), "container.encrypted"),
    "headers that disagree": Attack(
        holding(Member(b"a.pdf", b"x", local={"name": b"b.pdf"})), "container.headers-disagree"
    ),
    "token for another document": Attack(token_for_other_bytes, "token.other-document"),
    "token for an attachment": Attack(token_names("beschluss.pdf"), "token.other-document"),
    "token for a file that is not there": Attack(
        token_names("../envelope.xml"), "container.document-missing"
    ),
    "token of another message": Attack(of_another_message(2), "token.other-document"),
    "token altered": Attack(
        replaced(2, lambda data: data.replace(b"SUCCESSFUL", b"NOT_SUCCESSFUL", 1)),
        "signature.digest-mismatch",
        SIGNATURE,
    ),
    "token with an entity": Attack(
        replaced(2, lambda _: b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'),
        "xml.doctype",
    ),
    "token not signed": Attack(
        replaced(2, lambda data: data[: data.index(b"<ds:Signature")] + b"</TrustOkToken>"),
        "signature.missing",
        SIGNATURE,
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_refused_and_the_next_one_delivered(attacked: Rig, attack: Attack) -> None:
    message = attacked.de.genuine()
    hostile = attack.forge(message, attacked.de)
    before = disk_used(attacked)
    started = time.monotonic()
    assert attacked.turned_away(hostile) == (attack.code, attack.reason)
    assert time.monotonic() - started < 30
    sent = sum(payload.source.size for payload in hostile.payloads)
    assert disk_used(attacked) - before < 3 * sent + 4_000_000  # the next message's parts, too


def disk_used(rig: Rig) -> int:
    folder = rig.homes["BR"].folder / "payloads"
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def test_the_forge_itself_makes_good_messages(attacked: Rig) -> None:
    """Else what it makes might be refused for another reason than the one that is tried."""
    for forge in (
        holding(),
        truly_sealed(*FILES, ORIGINAL),
        lambda message, own: with_parts(
            message,
            token=build_token(
                token_about(own.connector, content(message.payloads[0])),
                own.connector.keys.seal,
                NOW,
            ),
        ),
    ):
        message = forge(attacked.de.genuine(), attacked.de)
        attacked.de.send(message)
        record = attacked.ended(message.message_id)
        assert record.state == "HANDED_OVER", record.problem
