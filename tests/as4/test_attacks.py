"""Messages that must not be believed: each refused with the error that names it."""

from __future__ import annotations

import gzip
import re
from dataclasses import replace
from datetime import timedelta

import pytest

from connector.errors import ConnectorError, transient, unacceptable
from connector.signature.algorithms import RSA_SHA1
from gateway_client.as4.ebms import PartInfo, user_messaging
from gateway_client.as4.errors import CATALOGUE, ebms_error_for
from gateway_client.model import PartyId
from gateway_client.pmode.model import PartnerTrust
from tests.as4.access_points import (
    BLUE_KEY,
    NOW,
    RED_KEY,
    ROOT,
    Inbox,
    message,
    payload,
    pmode,
    secured,
)
from tests.as4.forging import CONTENT, Forge, Part, altered, joined, reference, refused, sent, take

TWO = message(payload(b"one" * 100, "p1"), payload(b"two" * 100, "p2"))
BLUE_MODE = pmode(own=BLUE_KEY)


def forge(**changes: object) -> Forge:
    return replace(Forge(TWO, {"p1": b"one", "p2": b"two"}), **changes)  # type: ignore[arg-type]


def test_the_forge_itself_makes_good_messages() -> None:
    inbox = Inbox()
    assert take(joined(forge().parts()), inbox).fresh
    assert [bytes(w.data) for w in inbox.writers] == [b"one", b"two"]


def test_an_unsigned_part() -> None:
    references = forge().all_references()[:-1]
    assert refused(joined(forge(references=references).parts())) == "as4.policy-not-signed"


@pytest.mark.parametrize("left_out", [0, 1])
def test_messaging_or_body_unsigned(left_out: int) -> None:
    references = list(forge().all_references())
    del references[left_out]
    made = forge(references=tuple(references))
    assert refused(joined(made.parts())) == "as4.policy-not-signed"


def test_the_original_moved_aside_and_a_forged_copy_in_its_place() -> None:
    original = Forge(TWO, {"p1": b"one", "p2": b"two"})
    signed = original.messaging()
    parts = original.parts()
    forged_header = user_messaging(
        replace(TWO, action="Request", conversation_id="forged"),
        (PartInfo("p1", "text/plain", False), PartInfo("p2", "text/plain", False)),
        "M2",
    )
    wrapped = b'<w:Wrapper xmlns:w="urn:w">' + signed + b"</w:Wrapper>"
    moved = altered(parts, lambda d: d.replace(signed, wrapped + forged_header))
    assert refused(joined(moved)) == "as4.policy-not-signed"
    same_id = forged_header.replace(b'"M2"', b'"M"')
    doubled = altered(parts, lambda d: d.replace(signed, wrapped + same_id))
    assert refused(joined(doubled)) == "signature.duplicate-id"


def test_an_altered_header_and_an_altered_body() -> None:
    parts = sent(TWO)
    changed = altered(parts, lambda d: d.replace(b">c1<", b">c2<"))
    assert refused(joined(changed)) == "signature.digest-mismatch"
    body = altered(parts, lambda d: d.replace(b"></env:Body>", b"> </env:Body>"))
    assert refused(joined(body)) == "signature.digest-mismatch"


def test_swapped_attachments() -> None:
    root, first, second = sent(TWO)
    swapped = [
        root,
        Part(second.content_id, first.content_type, first.data),
        Part(first.content_id, second.content_type, second.data),
    ]
    assert refused(joined(swapped)) == "signature.digest-mismatch"


def test_one_payload_under_two_spellings_of_its_content_id() -> None:
    infos = (PartInfo("p1", None, False), PartInfo("%701", None, False))
    assert refused(joined(forge(infos=infos).parts())) == "as4.value-href"
    twice = (*forge().all_references(), reference("cid:%701", b"one", CONTENT))
    assert refused(joined(forge(references=twice).parts())) == "as4.security-references"


def test_parts_that_nobody_announced_are_missing_or_come_twice() -> None:
    root, first, second = sent(TWO)
    stranger = Part("p3", "text/plain", b"boo")
    assert refused(joined([root, first, stranger, second])) == "as4.mime-unknown-part"
    assert refused(joined([root, first])) == "as4.mime-missing"
    assert refused(joined([root, first, second, second])) == "mime.duplicate-content-id"
    assert refused(joined([first, root, second])) == "as4.mime-root"


def test_a_payload_that_the_signature_covers_and_the_header_hides() -> None:
    infos = (PartInfo("p1", "text/plain", False),)
    assert refused(joined(forge(infos=infos).parts())) == "as4.value-references"


@pytest.mark.parametrize(
    ("pattern", "times", "code"),
    [
        (rb"<eb:Messaging.*</eb:Messaging>", 2, "as4.header-doubled"),
        (rb"<eb:Messaging.*</eb:Messaging>", 0, "as4.header-no-messaging"),
        (rb"<wsse:Security .*</wsse:Security>", 2, "as4.header-doubled"),
        (rb"<wsse:Security .*</wsse:Security>", 0, "as4.security-missing"),
        (rb"<ds:Signature .*</ds:Signature>", 2, "as4.security-signatures"),
        (rb"<ds:Signature .*</ds:Signature>", 0, "as4.security-signatures"),
        (rb"<eb:MessageId>.*</eb:MessageId>", 2, "as4.header-unexpected"),
        (rb"<eb:MessageId>.*</eb:MessageId>", 0, "as4.header-missing"),
        (rb"<eb:From>.*</eb:From>", 2, "as4.header-missing"),
        (rb"<eb:PartyId type=\"[^\"]*\">red</eb:PartyId>", 2, "as4.value-party-ids"),
        (rb"<eb:UserMessage>.*</eb:UserMessage>", 2, "as4.header-count"),
        (rb"<eb:UserMessage>.*</eb:UserMessage>", 0, "as4.header-count"),
        (rb"<xenc:EncryptedKey .*</xenc:EncryptedKey>", 0, "as4.decryption-malformed"),
        (rb"<xenc:EncryptedKey .*</xenc:EncryptedKey>", 2, "as4.decryption-malformed"),
        (rb"<wsse:BinarySecurityToken .*</wsse:BinarySecurityToken>", 2, "as4.security-token"),
        (rb"<wsse:BinarySecurityToken .*</wsse:BinarySecurityToken>", 0, "as4.security-key-info"),
        (rb"<env:Body .*</env:Body>", 2, "as4.header-not-soap"),
    ],
)
def test_doubled_and_missing_elements(pattern: bytes, times: int, code: str) -> None:
    changed = altered(
        sent(TWO), lambda d: re.sub(pattern, lambda m: m[0] * times, d, count=1, flags=re.S)
    )
    assert refused(joined(changed)) == code


def test_altered_ciphertext_is_never_let_out() -> None:
    root, first, second = sent(TWO)
    for at in (0, 12, len(second.data) // 2, len(second.data) - 1):
        data = bytearray(second.data)
        data[at] ^= 1
        parts = [root, first, Part(second.content_id, second.content_type, bytes(data))]
        assert refused(joined(parts)) == "as4.decryption-failed"
    for length in (0, 5, 20, len(second.data) - 1):
        parts = [root, first, Part(second.content_id, second.content_type, second.data[:length])]
        assert refused(joined(parts)) == "as4.decryption-failed"


def test_a_payload_in_plain_text_where_encryption_is_agreed() -> None:
    plain = sent(TWO, secured(pmode("x"), encrypt=False))
    assert refused(joined(plain)) == "as4.policy-not-encrypted"
    assert take(joined(plain), mode=secured(BLUE_MODE, encrypt=False)).fresh


def test_encrypted_for_somebody_else() -> None:
    parts = sent(TWO, secured(pmode("x"), encrypt_for=RED_KEY.certificate))
    assert refused(joined(parts)) == "encryption.unwrap"


def test_a_gzip_bomb_and_other_things_that_are_no_gzip() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    one = message(payload(b""))
    made = Forge(one, {"p1": bomb}, compressed=True)
    assert refused(joined(made.parts()), limit=1_000_000) == "as4.decompression-bomb"
    two_members = gzip.compress(b"a") + gzip.compress(b"b")
    made = Forge(one, {"p1": two_members}, compressed=True)
    assert refused(joined(made.parts())) == "as4.decompression-trailing-data"
    made = Forge(one, {"p1": gzip.compress(b"a" * 100)[:-4]}, compressed=True)
    assert refused(joined(made.parts())) == "as4.decompression-failed"
    made = Forge(one, {"p1": b"plain"}, compressed=True)
    assert refused(joined(made.parts())) == "as4.decompression-failed"


def test_payloads_together_larger_than_allowed() -> None:
    assert take(joined(sent(TWO)), limit=600).fresh
    assert refused(joined(sent(TWO)), limit=599) == "as4.decompression-bomb"
    plain = joined(forge().parts())
    assert refused(plain, limit=5) == "as4.payload-too-large"


def test_mime_bombs() -> None:
    content_type, body = joined(sent(TWO))
    many = b"".join(b"--edge\r\n\r\n\r\n" for _ in range(2000))
    root = body[: body.index(b"--edge", 10)]
    assert refused((content_type, root + many)) == "mime.too-many-parts"
    long_header = b"--edge\r\nX: " + b"a" * 100_000 + b"\r\n\r\n"
    assert refused((content_type, long_header)) == "mime.malformed"
    headers = b"--edge\r\n" + b"".join(b"X%d: a\r\n" % i for i in range(500)) + b"\r\n"
    assert refused((content_type, headers)) == "mime.malformed"
    huge = b"--edge\r\nContent-Type: application/soap+xml\r\n\r\n" + b" " * 9_000_000
    assert refused((content_type, huge)) == "as4.header-too-large"
    assert refused(("application/soap+xml", b" " * 9_000_000)) == "as4.header-too-large"


@pytest.mark.parametrize(
    ("content_type", "code"),
    [
        ("multipart/related", "mime.no-boundary"),
        ("multipart/related; boundary=", "mime.no-boundary"),
        ("text/plain", "mime.not-related"),
        ("", "mime.not-related"),
        ("multipart/related; boundary=other", "mime.malformed"),
        (f"multipart/related; boundary={'b' * 5000}", "mime.malformed"),
    ],
)
def test_boundaries(content_type: str, code: str) -> None:
    assert refused((content_type, joined(sent(TWO))[1])) == code


def test_cut_off_and_empty_bodies() -> None:
    content_type, body = joined(sent(TWO))
    for length in range(0, len(body) - 4, 97):
        with pytest.raises(ConnectorError) as caught:
            take((content_type, body[:length]))
        assert caught.value.code in {"mime.truncated", "mime.malformed"}
    assert refused((content_type, b"--edge--\r\n")) in {"as4.mime-root", "mime.malformed"}


def test_any_piecemeal_delivery_gives_the_same_message() -> None:
    entity = joined(sent(TWO))
    for piece in (1, 7, 64, 1000):
        inbox = Inbox()
        assert take(entity, inbox, piece=piece).fresh
        assert [bytes(w.data) for w in inbox.writers] == [b"one" * 100, b"two" * 100]


def test_unknown_sender_and_other_things_that_were_not_agreed() -> None:
    def refusal(**changes: object) -> str:
        return refused(joined(Forge(replace(TWO, **changes), {}).parts()))  # type: ignore[arg-type]

    eve = replace(TWO.sender, id=PartyId("eve"))
    assert refusal(sender=eve) == "pmode.unknown-sender"
    assert refusal(recipient=eve) == "pmode.unknown-recipient"
    assert refusal(action="Other") == "pmode.no-match"
    assert refusal(sender=replace(TWO.sender, role="boss")) == "as4.value-role"
    assert refusal(mpc="urn:other") == "as4.value-mpc"
    agreed = replace(BLUE_MODE, agreement="urn:agreement")
    parts = joined(Forge(TWO, {}).parts())
    assert refused(parts, agreed) == "as4.value-agreement"


def test_signers_that_are_not_the_partner() -> None:
    other = ROOT.issue("red", NOW)  # of the same CA, with the same name
    assert refused(joined(sent(TWO, key=other))) == "as4.security-untrusted"
    old = ROOT.issue("old", NOW, not_before=NOW - timedelta(9), not_after=NOW - timedelta(1))
    trusted = secured(BLUE_MODE, trust=PartnerTrust(certificates=(old.certificate,)))
    assert refused(joined(sent(TWO, key=old)), trusted) == "certificate.expired"


def test_a_stolen_certificate_with_another_key() -> None:
    thief = ROOT.issue("thief", NOW)
    made = forge(key=replace(thief, certificate=RED_KEY.certificate))
    assert refused(joined(made.parts())) == "signature.value-mismatch"


def test_a_sha1_signature() -> None:
    made = forge(signature_method=RSA_SHA1)
    assert refused(joined(made.parts())) == "signature.weak-algorithm"


def test_a_header_block_that_must_be_understood() -> None:
    env = "http://www.w3.org/2003/05/soap-envelope"
    block = f'<x:Route xmlns:x="urn:x" xmlns:env="{env}" env:mustUnderstand="true"/>'.encode()
    assert refused(joined(forge(extra=block).parts())) == "as4.must-understand"
    harmless = block.replace(b'"true"', b'"false"')
    assert take(joined(forge(extra=harmless).parts())).fresh


def test_an_expired_security_timestamp() -> None:
    wsu = re.search(rb'xmlns:wsu="([^"]*)"', sent(TWO)[0].data)
    assert wsu is not None
    stamp = (
        b"<wsu:Timestamp><wsu:Created>%b</wsu:Created><wsu:Expires>%b</wsu:Expires></wsu:Timestamp>"
    )

    def stamped(created: timedelta, expires: timedelta) -> tuple[str, bytes]:
        times = [(NOW + t).isoformat().encode() for t in (created, expires)]
        return joined(forge(token=stamp % tuple(times)).parts())

    assert take(stamped(timedelta(0), timedelta(minutes=5))).fresh
    assert refused(stamped(timedelta(-2), timedelta(-1))) == "as4.security-timestamp"
    assert refused(stamped(timedelta(1), timedelta(2))) == "as4.security-timestamp"


def test_xml_attacks_on_the_envelope() -> None:
    soap = ("application/soap+xml", b"")
    bomb = b'<!DOCTYPE e [<!ENTITY a "b">]><env:Envelope/>'
    assert refused((soap[0], bomb)) == "xml.doctype"
    assert refused((soap[0], b"<a>" * 300)) == "xml.malformed"
    assert refused(soap) == "xml.malformed"
    commented = altered(sent(TWO), lambda d: d.replace(b">red<", b">red<!-- -->.evil<"))
    assert refused(joined(commented)) == "xml.comment-in-value"


def test_every_refusal_has_an_error_of_the_catalogue() -> None:
    expected = {
        "as4.policy-not-signed": "EBMS:0103",
        "signature.digest-mismatch": "EBMS:0101",
        "signature.weak-algorithm": "EBMS:0103",
        "as4.security-untrusted": "EBMS:0101",
        "certificate.expired": "EBMS:0101",
        "as4.decryption-failed": "EBMS:0102",
        "encryption.unwrap": "EBMS:0102",
        "as4.decompression-bomb": "EBMS:0303",
        "mime.truncated": "EBMS:0007",
        "as4.mime-missing": "EBMS:0007",
        "as4.header-doubled": "EBMS:0009",
        "xml.doctype": "EBMS:0009",
        "pmode.unknown-sender": "EBMS:0010",
        "as4.value-role": "EBMS:0003",
        "as4.external-payload": "EBMS:0011",
        "envelope.unknown": "EBMS:0001",
    }
    found = {code: ebms_error_for(unacceptable(code, "x")).code for code in expected}
    assert found == expected
    assert ebms_error_for(transient("store.full", "x")).code == "EBMS:0202"
    assert all(entry.code == code for code, entry in CATALOGUE.items())
