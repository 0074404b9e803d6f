"""Signal messages that an access point answers with: receipts and errors, as whole envelopes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from connector.errors import ConnectorError
from connector.signature.keys import SigningKey
from connector.signature.xmldsig import Reference
from gateway_client.as4.ebms import error_markup, signal_messaging
from gateway_client.as4.errors import ebms_error_for
from gateway_client.as4.receipt import receipt_markup
from gateway_client.as4.soap import empty_body, envelope
from gateway_client.as4.wssecurity import security_header, sign
from gateway_client.pmode.model import PMode


def receipt_envelope(
    ref_to_message_id: str,
    references: Sequence[Reference],
    pmode: PMode,
    key: SigningKey,
    *,
    signal_id: str,
    token: str,
    now: datetime,
) -> bytes:
    """A signed receipt for the message whose signature had `references`.

    `signal_id` is the receipt's own eb:MessageId, `token` a random string for its wsu:Ids.
    """
    messaging = signal_messaging(
        f"_messaging-{token}",
        message_id=signal_id,
        timestamp=now,
        ref_to_message_id=ref_to_message_id,
        content=receipt_markup(references),
    )
    return _signed(messaging, pmode, key, token)


def error_envelope(
    error: ConnectorError,
    ref_to_message_id: str | None,
    pmode: PMode | None,
    key: SigningKey,
    *,
    signal_id: str,
    token: str,
    now: datetime,
) -> bytes:
    """An ebMS error for a refusal of ours; signed if the sender is proven (`pmode` is known).

    Strangers get it unsigned: whoever can have signatures made for nothing can keep us busy.
    """
    first = error.problems[0]
    # Of our own trouble the partner learns no more than that there is some.
    detail = first.code if ebms_error_for(error).passes else f"{first.what} [{first.code}]"
    messaging = signal_messaging(
        f"_messaging-{token}",
        message_id=signal_id,
        timestamp=now,
        ref_to_message_id=ref_to_message_id,
        content=error_markup(ebms_error_for(error), detail, ref_to_message_id),
    )
    if pmode is None:
        return envelope(messaging, b"", empty_body(f"_body-{token}"))
    return _signed(messaging, pmode, key, token)


def _signed(messaging: bytes, pmode: PMode, key: SigningKey, token: str) -> bytes:
    body = empty_body(f"_body-{token}")
    signed = sign(
        (f"_messaging-{token}", messaging),
        (f"_body-{token}", body),
        (),
        key,
        id_suffix=token,
        digest_method=pmode.security.digest_method,
        signature_method=pmode.security.signature_method,
    )
    return envelope(messaging, security_header(signed), body)
