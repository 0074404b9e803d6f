"""What counts as a receipt, and what an answer that is none means."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from connector.errors import ConnectorError, Kind, transient, unacceptable
from connector.signature.keys import SigningKey
from connector.signature.xmldsig import Reference
from connector.xml import parse
from gateway_client.as4.answers import check_answer
from gateway_client.as4.ebms import SignalMessage
from gateway_client.as4.namespaces import EB
from gateway_client.as4.receipt import check_receipt, receipt_markup
from gateway_client.as4.send import prepare
from gateway_client.as4.signals import error_envelope, receipt_envelope
from gateway_client.as4.soap import empty_body, envelope
from tests.as4.access_points import BLUE_KEY, NOW, RED_KEY, ROOT, message, payload, pmode
from tests.as4.forging import sent

SOAP = "application/soap+xml; charset=UTF-8"
MODE = pmode("x")


def references() -> tuple[Reference, ...]:
    prepared = prepare(message(payload(b"x")), MODE, RED_KEY, scratch=Path("/"), token="t0")
    prepared.close()
    return prepared.references


SENT = references()


def receipt(
    confirmed: tuple[Reference, ...] = SENT, ref: str = "m1@red", key: SigningKey = BLUE_KEY
) -> bytes:
    return receipt_envelope(ref, confirmed, MODE, key, signal_id="s@b", token="r", now=NOW)


def outcome(body: bytes, status: int = 200, content_type: str = SOAP, **more: Any) -> str:
    """The code of the refusal with its kind, or nothing for a good receipt."""
    try:
        check_answer(
            status,
            content_type,
            body,
            message_id="m1@red",
            references=SENT,
            pmode=MODE,
            at=NOW,
            private=more.get("private", False),
        )
    except ConnectorError as error:
        return f"{error.code} {error.kind}"
    return ""


def test_a_receipt() -> None:
    assert outcome(receipt()) == ""


INVALID = "as4.invalid-receipt transient"


@pytest.mark.parametrize(
    "body",
    [
        receipt(ref="m2@red"),
        receipt(SENT[:-1]),
        receipt(SENT[1:]),
        receipt((*SENT, replace(SENT[-1], uri="cid:other"))),
        receipt((*SENT, SENT[0])),
        receipt((*SENT[:-1], replace(SENT[-1], digest=b"\0" * 32))),
        receipt((*SENT[:-1], replace(SENT[-1], digest_method="urn:none"))),
        receipt(key=ROOT.issue("blue", NOW)),
        receipt().replace(b"m1@red", b"m1@blu"),
        receipt().replace(b"ebbp:NonRepudiationInformation", b"ebbp:Other"),
        receipt()[: receipt().index(b"<wsse:Security")]
        + receipt()[receipt().index(b"</env:Header>") :],
    ],
)
def test_receipts_that_prove_nothing(body: bytes) -> None:
    assert outcome(body) == INVALID


def test_a_receipt_may_say_more_than_it_must() -> None:
    """phase4 writes its version beside the non-repudiation information."""
    markup = receipt_markup(SENT).replace("<eb:Receipt>", f'<eb:Receipt xmlns:eb="{EB}">')
    said = markup.replace("</eb:Receipt>", '<v:v xmlns:v="urn:v" v:n="4"/></eb:Receipt>')
    twice = markup.replace("</eb:Receipt>", markup[markup.index("<ebbp") :], 1)
    for text, good in ((markup, True), (said, True), (twice, False)):
        signal = SignalMessage("s@b", NOW, "m1@red", receipt=parse(text.encode()))
        with nullcontext() if good else pytest.raises(ConnectorError, match="has 2 non-repud"):
            check_receipt(signal, "m1@red", SENT)


def test_our_own_receipt_sent_back_is_none() -> None:
    assert outcome(receipt(key=RED_KEY)) == INVALID
    assert outcome(sent(message())[0].data) == "as4.no-receipt transient"


@pytest.mark.parametrize(
    ("status", "content_type", "body", "expected"),
    [
        (200, "", b"", "as4.no-receipt transient"),
        (202, SOAP, b"", "as4.no-receipt transient"),
        (204, "", b"", "as4.no-receipt transient"),
        (200, "text/html", b"<html>", "as4.no-receipt transient"),
        (200, SOAP, b"garbage", "as4.no-receipt transient"),
        (200, SOAP, envelope(b"", b"", empty_body("b")), "as4.no-receipt transient"),
        (503, "text/plain", b"later", "as4.no-answer transient"),
        (404, "text/html", b"<html>", "as4.no-answer transient"),
        (500, SOAP, b"garbage", "as4.no-answer transient"),
        (413, "text/plain", b"", "as4.http-refused unacceptable"),
        (400, "text/plain", b"", "as4.http-refused unacceptable"),
    ],
)
def test_answers_without_a_receipt(
    status: int, content_type: str, body: bytes, expected: str
) -> None:
    assert outcome(body, status, content_type) == expected


def refusal(error: ConnectorError, *, signed: bool) -> bytes:
    mode = MODE if signed else None
    return error_envelope(error, "m1@red", mode, BLUE_KEY, signal_id="s@b", token="r", now=NOW)


def test_errors() -> None:
    for_good, passing = unacceptable("as4.value-role", "Wrong."), transient("store.full", "Full.")
    assert outcome(refusal(for_good, signed=True)) == "as4.refused-by-partner unacceptable"
    assert outcome(refusal(for_good, signed=True), 500) == "as4.refused-by-partner unacceptable"
    assert outcome(refusal(passing, signed=True)) == "as4.refused-by-partner transient"
    # Anyone on the way could have written an unsigned one: it must not kill a message.
    assert outcome(refusal(for_good, signed=False)) == "as4.refused-by-partner transient"
    unsigned = refusal(for_good, signed=False)
    assert outcome(unsigned, private=True) == "as4.refused-by-partner unacceptable"


def test_an_error_says_what_the_partner_said() -> None:
    body = refusal(unacceptable("as4.value-role", "The role is wrong."), signed=True)
    with pytest.raises(
        ConnectorError, match=r"EBMS:0003 ValueInconsistent\. The role is wrong"
    ) as e:
        check_answer(
            200, SOAP, body, message_id="m", references=SENT, pmode=MODE, at=NOW, private=False
        )
    assert e.value.kind is Kind.UNACCEPTABLE


def test_our_own_trouble_is_not_told_in_detail() -> None:
    body = refusal(transient("store.full", "/secret/path is full."), signed=True)
    assert b"secret" not in body and b"EBMS:0202" in body
