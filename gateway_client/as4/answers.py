"""What a partner's answer to our message means: a receipt, an error, or nothing of use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from connector.errors import ConnectorError, Kind, Problem, transient
from connector.signature.xmldsig import Reference
from gateway_client.as4.ebms import ReportedError, SignalMessage
from gateway_client.as4.ebms_reading import read_messaging
from gateway_client.as4.errors import CATALOGUE, Severity
from gateway_client.as4.receipt import check_receipt
from gateway_client.as4.soap import CONTENT_TYPE, Envelope, read_envelope
from gateway_client.as4.wss_reading import authenticate, read_security
from gateway_client.mime import media_type
from gateway_client.pmode.model import PMode

_PERMANENT_STATUSES: Final = frozenset({400, 405, 406, 411, 413, 414, 415, 431, 505})
"""HTTP statuses that say that this very request will never be taken."""


def check_answer(
    status: int,
    content_type: str,
    body: bytes,
    *,
    message_id: str,
    references: Sequence[Reference],
    pmode: PMode,
    at: datetime,
    private: bool,
) -> None:
    """Return only if the answer is a valid receipt for what was sent.

    `private` says that the connection itself proves the partner (HTTPS): an error signal that is
    not signed counts as the partner's word only then.

    Raises `ConnectorError`: `as4.no-answer`, `as4.no-receipt`, `as4.invalid-receipt` (transient),
    `as4.refused-by-partner` (unacceptable, or transient where the ebMS error may pass),
    `as4.http-refused` (unacceptable).
    """
    envelope = _envelope(status, content_type, body)
    try:
        signal = read_messaging(envelope.messaging)
    except ConnectorError as error:
        raise _unusable(f"Its header cannot be read: {error.problems[0].what}") from error
    if not isinstance(signal, SignalMessage):
        raise _unusable("It is a user message.")
    proof: ConnectorError | None = None
    try:
        security = read_security(envelope.security, at=at)
        authenticate(security, envelope, pmode.security.trust, pmode.security.policy, at)
    except ConnectorError as error:
        proof = error
    failures = [e for e in signal.errors if e.severity != Severity.WARNING]
    if failures:
        raise _refused(failures, authentic=proof is None or private)
    if proof is not None:
        raise transient(
            "as4.invalid-receipt",
            f"The receipt is not proven to be the partner's: {proof.problems[0].what}",
            mend="If the partner has a new certificate, add it to those that are trusted.",
        ) from proof
    check_receipt(signal, message_id, references)


def _envelope(status: int, content_type: str, body: bytes) -> Envelope:
    if body and media_type(content_type)[0] == CONTENT_TYPE:
        try:
            return read_envelope(body)
        except ConnectorError as error:
            if 200 <= status < 300:
                raise _unusable(f"It is no AS4 message: {error.problems[0].what}") from error
    if 200 <= status < 300:
        raise transient(
            "as4.no-receipt",
            f"The partner answered with HTTP {status} and no receipt (EBMS:0301 MissingReceipt).",
            mend="The message is sent again; ask whether the partner sends receipts as responses.",
        )
    if status in _PERMANENT_STATUSES:
        raise ConnectorError(
            Kind.UNACCEPTABLE,
            Problem(
                code="as4.http-refused",
                what=f"The partner's server refused the request with HTTP {status}.",
                mend="Check the endpoint's URL, and the sizes that the partner accepts.",
            ),
        )
    raise transient("as4.no-answer", f"The partner's server answered with HTTP {status}.")


def _refused(failures: Sequence[ReportedError], *, authentic: bool) -> ConnectorError:
    """What the partner's access point said; whatever is not proven to be its word may pass."""
    first = failures[0]
    entry = CATALOGUE.get(first.code)
    name = first.short_description or (entry.short_description if entry else "")
    passes = not authentic or (entry is not None and entry.passes)
    problems = [
        Problem(
            code="as4.refused-by-partner",
            what=f"The partner refused the message: {first.code} {name}. {first.detail}".rstrip(),
            mend="Compare both sides' PModes and certificates, or ask the partner's operators.",
        )
    ]
    problems += [
        Problem(
            code="as4.refused-by-partner",
            what=f"Also: {e.code} {e.short_description}. {e.detail}".rstrip(),
        )
        for e in failures[1:]
    ]
    return ConnectorError(Kind.TRANSIENT if passes else Kind.UNACCEPTABLE, *problems)


def _unusable(what: str) -> ConnectorError:
    return transient("as4.no-receipt", f"The partner's answer is of no use. {what}")
