"""Hostile business documents of a partner with legitimate keys, end to end: each refused by the
code that names it, the sender told why, the next message delivered."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree

from connector.directory.authorities import Directory, Office
from connector.evidence.types import Reason
from connector.exchange.context import Connector
from connector.signature.algorithms import RSA_SHA1, SHA1
from connector.signature.pki import Authority
from connector.xml import parse
from tests.attack.hostile import NOW, OTHER, Rig, content, signed_anew, with_parts
from tests.network import sample
from tests.signature.forging import EXCLUSIVE, handmade, over

Forge = Callable[[bytes, Rig], bytes]
"""From a genuine signed envelope to a hostile one."""


@dataclass(frozen=True)
class Attack:
    """What is done to the envelope, and what BR must say."""

    forge: Forge
    code: str
    reason: Reason
    seconds: float = 8.0


FORMAT, SIGNATURE = Reason.INVALID_MESSAGE_FORMAT, Reason.INVALID_USER_SIGNATURE


def _inserted(data: bytes, before: bytes, new: bytes) -> bytes:
    assert before in data
    return data.replace(before, new + before, 1)


def _with_doctype(doctype: bytes, reference: bytes) -> Forge:
    def forge(data: bytes, _: Rig) -> bytes:
        changed = _inserted(data, b"</SubjectMatter>", reference)
        return _inserted(changed, b"<Envelope", doctype)

    return forge


_LAUGHS = b"<!DOCTYPE x [<!ENTITY a0 'ha'>%b]>" % b"".join(
    b"<!ENTITY a%d '%b'>" % (n, b"&a%d;" % (n - 1) * 10) for n in range(1, 12)
)


def _resigned(change: Callable[[bytes], bytes]) -> Forge:
    """Changed, then signed by the sender as if nothing had been."""

    def forge(data: bytes, rig: Rig) -> bytes:
        return signed_anew(change(data), rig.de.connector.keys.signature)

    return forge


def _signature(data: bytes) -> bytes:
    return data[data.index(b"<ds:Signature") : data.index(b"</Envelope>")]


def _wrapped(data: bytes, _: Rig) -> bytes:
    """The signed original hidden in the signature's own Object, a forged document around it."""
    signature = _signature(data)
    body = data.partition(b"?>")[2].replace(signature, b"")
    moved = signature.replace(
        b"</ds:Signature>", b"<ds:Object>" + body + b"</ds:Object></ds:Signature>"
    )
    return data.replace(signature, moved).replace(b"bank-operations", b"interception", 1)


def _original_beside(data: bytes, _: Rig) -> bytes:
    """The signed original as the first child of a forged root that carries its signature."""
    body = data.partition(b"?>")[2].strip()
    start = body[: body.index(b">") + 1]
    forged = body.replace(b"bank-operations", b"interception", 1)
    return start + body.replace(_signature(data), b"") + forged[len(start) :]


def _only_the_header(data: bytes, rig: Rig) -> bytes:
    """Signed by the sender itself, but only in part: the rest may be exchanged later."""
    bare = data.replace(_signature(data), b"").replace(b"<Header>", b'<Header Id="h">', 1)
    root = parse(bare)
    header = next(child for child in root if str(child.tag).endswith("}Header"))
    signature = handmade(
        rig.de.connector.keys.signature, [over(etree.tostring(header), "#h", (EXCLUSIVE,))]
    )
    return bare.replace(b"</Envelope>", signature + b"</Envelope>")


def _expired(data: bytes, _: Rig) -> bytes:
    key = OTHER.issue(
        "expired",
        NOW,
        not_before=datetime(2020, 1, 1, tzinfo=UTC),
        not_after=datetime(2021, 1, 1, tzinfo=UTC),
    )
    return signed_anew(data, key)


def _short_key(data: bytes, _: Rig) -> bytes:
    private = rsa.generate_private_key(65537, 1024)
    return signed_anew(data, OTHER.issue("short", NOW, private=private))


ATTACKS = {
    "external entity": Attack(
        _with_doctype(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b"&e;"),
        "xml.doctype",
        FORMAT,
    ),
    "external DTD": Attack(
        _with_doctype(b'<!DOCTYPE Envelope SYSTEM "http://127.0.0.1:9/evil.dtd">', b""),
        "xml.doctype",
        FORMAT,
    ),
    "entities that expand": Attack(_with_doctype(_LAUGHS, b"&a11;"), "xml.doctype", FORMAT),
    "larger than a document may be": Attack(
        lambda data, _: data + b" " * (64 * 1024 * 1024), "xml.too-large", FORMAT, 20
    ),
    "a text of 11 MB": Attack(
        lambda data, _: _inserted(data, b"</Facts>", b"x" * 11_000_000),
        "xml.malformed",
        FORMAT,
    ),
    "nested 10,000 deep": Attack(
        lambda data, _: _inserted(data, b"</Envelope>", b"<a>" * 10_000 + b"</a>" * 10_000),
        "xml.malformed",
        FORMAT,
    ),
    "100,000 attributes": Attack(
        lambda data, _: _inserted(
            data, b"</Envelope>", b"<a %b/>" % b" ".join(b'a%d="x"' % n for n in range(100_000))
        ),
        "xml.too-many-attributes",
        FORMAT,
    ),
    "20,000 namespaces": Attack(
        lambda data, _: _inserted(
            data,
            b"</Envelope>",
            b"<a %b/>" % b" ".join(b'xmlns:a%d="urn:%d"' % (n, n) for n in range(20_000)),
        ),
        "xml.too-many-attributes",
        FORMAT,
    ),
    "2,000,000 elements": Attack(
        lambda data, _: _inserted(data, b"</Envelope>", b"<a/>" * 2_000_000),
        "xml.too-many-elements",
        FORMAT,
        20,
    ),
    "no XML": Attack(lambda data, _: b"%PDF-1.7", "xml.malformed", FORMAT),
    "nothing": Attack(lambda data, _: b"", "xml.malformed", FORMAT),
    "not signed": Attack(
        lambda data, _: data.replace(_signature(data), b""), "signature.missing", SIGNATURE
    ),
    "altered after it was signed": Attack(
        lambda data, _: data.replace(b"BR1800360305000010009795493C1", b"BR9" + b"0" * 26),
        "signature.digest-mismatch",
        SIGNATURE,
    ),
    "a measure more after it was signed": Attack(
        lambda data, _: data.replace(
            b"</Request>", b"<UseLimitation>None.</UseLimitation></Request>"
        ),
        "signature.digest-mismatch",
        SIGNATURE,
    ),
    "wrapped: the original in the signature": Attack(
        _wrapped, "signature.digest-mismatch", SIGNATURE
    ),
    "wrapped: the original beside": Attack(
        _original_beside, "signature.digest-mismatch", SIGNATURE
    ),
    "signed in part": Attack(_only_the_header, "signature.not-covered", SIGNATURE),
    "two signatures": Attack(
        lambda data, _: data.replace(b"</Envelope>", _signature(data) + b"</Envelope>"),
        "signature.several",
        SIGNATURE,
    ),
    "signed by somebody unknown": Attack(
        lambda data, _: signed_anew(data, Authority.root("Nobody", NOW).issue("evil", NOW)),
        "certificate.unknown-issuer",
        SIGNATURE,
    ),
    "expired certificate": Attack(
        _expired, "certificate.expired", Reason.USER_CERT_EXPIRED_OR_REVOKED
    ),
    "signed with SHA-1": Attack(
        lambda data, rig: signed_anew(
            data, rig.de.connector.keys.signature, signature_method=RSA_SHA1
        ),
        "signature.weak-algorithm",
        SIGNATURE,
    ),
    "digested with SHA-1": Attack(
        lambda data, rig: signed_anew(data, rig.de.connector.keys.signature, digest_method=SHA1),
        "signature.weak-algorithm",
        SIGNATURE,
    ),
    "RSA key of 1024 bits": Attack(_short_key, "signature.weak-key", SIGNATURE),
    "signed, but against the schema": Attack(
        _resigned(lambda data: data.replace(b"<Country>DE</Country>", b"<Country>D</Country>", 1)),
        "envelope.schema",
        FORMAT,
    ),
    "signed, but against a rule": Attack(
        _resigned(lambda data: data.replace(b"<ObjectRef>acc1", b"<ObjectRef>acc9", 1)),
        "envelope.rule.EMLA-R-27",
        FORMAT,
    ),
    "of a version that does not exist": Attack(
        _resigned(lambda data: data.replace(b' version="1.0">', b' version="9.0">', 1)),
        "envelope.version-unsupported",
        FORMAT,
    ),
    "signed, but no envelope": Attack(
        _resigned(lambda data: b"<invoice xmlns='urn:x'/>"), "envelope.not-an-envelope", FORMAT
    ),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_refused_and_the_next_one_delivered(attacked: Rig, attack: Attack) -> None:
    message = attacked.de.genuine()
    hostile = attack.forge(content(message.payloads[0]), attacked)
    assert hostile != content(message.payloads[0])
    started = time.monotonic()
    code, reason = attacked.turned_away(with_parts(message, envelope=hostile))
    assert time.monotonic() - started < 3 * attack.seconds
    assert code == attack.code
    assert reason is attack.reason


def test_comments_in_a_value_do_not_change_what_is_delivered(attacked: Rig) -> None:
    """`drci<!-- -->.evil`: comments are not signed, so that anybody may put them in."""
    message = attacked.de.genuine()
    data = content(message.payloads[0])
    commented = data.replace(b"Musterstadt", b"Muster<!-- x -->stadt")
    assert commented != data
    # Signature and content hold, but it is another document than the one in the container.
    code, _ = attacked.turned_away(with_parts(message, envelope=commented))
    assert code == "container.other-document"


# --- Who speaks for whom -----------------------------------------------------------------------


def _as(rig: Rig, **parties: str) -> Connector:
    """DE's connector with a directory of its own making: authorities of a country served by
    another party, and one more in DE and BR."""
    known = [
        replace(a, party=parties.get(a.country, a.party))
        for a in rig.de.connector.directory.authorities
    ]
    template = known[0]
    added = [
        replace(
            template,
            identifier=f"urn:emla:authority:{c}:nobody",
            country=c.upper(),
            role=Office.CENTRAL,
            party=f"connector-{c}",
        )
        for c in ("de", "br")
    ]
    return replace(rig.de.connector, directory=Directory([*known, *added]))


@pytest.mark.parametrize(
    ("parties", "sender", "receiver", "code", "reason"),
    [
        (
            {"FR": "connector-de"},
            "urn:emla:authority:fr:beci",
            None,
            "directory.wrong-party",
            Reason.POLICY_VIOLATION,
        ),
        (
            {"FR": "connector-br"},
            None,
            "urn:emla:authority:fr:beci",
            "directory.wrong-party",
            Reason.POLICY_VIOLATION,
        ),
        (
            {},
            "urn:emla:authority:de:nobody",
            None,
            "directory.unknown-sender",
            Reason.POLICY_VIOLATION,
        ),
        (
            {},
            None,
            "urn:emla:authority:br:nobody",
            "directory.unknown-authority",
            Reason.UNKNOWN_RECIPIENT,
        ),
    ],
    ids=[
        "in the name of another country",
        "to an authority elsewhere",
        "unknown sender",
        "unknown recipient",
    ],
)
def test_authorities(
    attacked: Rig,
    parties: dict[str, str],
    sender: str | None,
    receiver: str | None,
    code: str,
    reason: Reason,
) -> None:
    named = {
        "SendingAuthority_Identifier_Value": sender,
        "ReceivingAuthority_Identifier_Value": receiver,
    }
    document = sample(**{path: text for path, text in named.items() if text})
    message = attacked.de.genuine(document, connector=_as(attacked, **parties))
    assert attacked.turned_away(message) == (code, reason)


def test_a_signed_envelope_again_under_a_fresh_id(attacked: Rig) -> None:
    """Replayed so that no access point takes it for a duplicate."""
    message = attacked.de.genuine()
    attacked.de.send(message)
    assert attacked.ended(message.message_id).state == "HANDED_OVER"
    again = replace(message, message_id="fresh-" + message.message_id)
    code, reason = attacked.turned_away(again)
    assert (code, reason) == ("wire.other-message-id", FORMAT)
