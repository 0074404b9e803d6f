"""Receiving a user message: bytes in, a verified message out (sans-I/O).

The envelope comes first and is verified before anything that follows it is looked at. Payloads are
decrypted, digested and decompressed as they arrive, into writers that show nothing until all of
the message is proven: Messaging, Body and every payload under the partner's signature, and every
eb:PartInfo with its part.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from connector.errors import ConnectorError, unacceptable
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.keys import DecryptionKey
from connector.signature.xmldsig import Reference
from connector.xml import canonical
from gateway_client.as4.compression import GZIP
from gateway_client.as4.ebms import PartInfo, UserHeader
from gateway_client.as4.ebms_reading import read_messaging
from gateway_client.as4.encryption import Decryptor
from gateway_client.as4.incoming_part import IncomingPart
from gateway_client.as4.namespaces import SOAP
from gateway_client.as4.octets import digest_of
from gateway_client.as4.soap import CONTENT_TYPE, MAX_ENVELOPE, Envelope, read_envelope
from gateway_client.as4.wss_reading import (
    Authenticated,
    SecurityHeader,
    authenticate,
    read_security,
)
from gateway_client.mime import PartBegins, PartData, PartEnds, RelatedReader, media_type
from gateway_client.model import Payload, PayloadSource, Receiver, UserMessage
from gateway_client.pmode.model import PMode, PModes

_ENVELOPE_TYPES: Final = frozenset({CONTENT_TYPE})


@dataclass(frozen=True, slots=True)
class Received:
    """A message that was verified and taken."""

    message: UserMessage
    pmode: PMode
    references: tuple[Reference, ...]
    """Of its signature: what the receipt repeats."""
    fresh: bool
    """False if it had been received before, or is not for delivery at all (`is_ping`)."""


class Reception:
    """One HTTP request's body: `feed` it in pieces, then `finish`; `abort` when it fails.

    After a `ConnectorError`, `message` (as far as it was readable) and `pmode` (once the sender
    is proven) tell whom the error concerns.
    """

    def __init__(
        self,
        content_type: str,
        pmodes: PModes,
        decryption: DecryptionKey | None,
        receiver: Receiver,
        *,
        now: datetime,
        max_payload_bytes: int,
    ) -> None:
        """Raises `mime....` and `as4.mime-type` (unacceptable) for a type that is no AS4."""
        self._pmodes = pmodes
        self._decryption = decryption
        self._receiver = receiver
        self._now = now
        self._left = max_payload_bytes
        self.message: UserMessage | None = None
        self.pmode: PMode | None = None
        self._raw = bytearray()
        self._parts: dict[str, PartInfo] = {}
        self._done: dict[str, IncomingPart] = {}
        self._current: IncomingPart | None = None
        self._envelope: Envelope | None = None
        self._authenticated: Authenticated | None = None
        self._header: UserHeader | None = None
        self._security: SecurityHeader | None = None
        self._content_key: bytes | None = None
        name, _ = media_type(content_type)
        self._mime = None if name in _ENVELOPE_TYPES else RelatedReader(content_type)

    def feed(self, data: bytes) -> None:
        """The next bytes of the body. Raises `ConnectorError`, see the module's parts."""
        if self._mime is None:
            self._grow(data)
            return
        for event in self._mime.feed(data):
            match event:
                case PartBegins():
                    self._begin(event)
                case PartData():
                    if self._current is not None:
                        self._current.feed(event.data)
                    else:
                        self._grow(event.data)
                case PartEnds():
                    self._end()

    def finish(self) -> Received:
        """The body is complete: hand the message to the receiver if all of it is proven.

        Raises `ConnectorError` where it is not, and what the receiver raises.
        """
        if self._mime is None:
            self._open_envelope()
        else:
            self._mime.close()
        header, authenticated, pmode = self._header, self._authenticated, self.pmode
        if header is None or authenticated is None or pmode is None:
            raise _mime("root", "The message has no parts.")
        if missing := set(self._parts) - set(self._done):
            raise _mime("missing", f"{sorted(missing)[0]!r} is announced and does not come.")
        if header.message.is_ping:
            self.abort()
            return Received(header.message, pmode, authenticated.references, fresh=False)
        payloads = tuple(self._payload(part) for part in header.parts)
        message = replace(header.message, payloads=payloads)
        fresh = self._receiver.receive(message, bytes(self._raw))
        return Received(message, pmode, authenticated.references, fresh)

    def abort(self) -> None:
        """Discard what has been written. Safe at any time."""
        for part in (*self._done.values(), self._current):
            if part is not None:
                part.abort()

    def _grow(self, data: bytes) -> None:
        self._raw += data
        if len(self._raw) > MAX_ENVELOPE:
            raise unacceptable(
                "as4.header-too-large", f"The SOAP envelope has more than {MAX_ENVELOPE} bytes."
            )

    def _begin(self, part: PartBegins) -> None:
        if self._header is None:
            if part.media_type not in _ENVELOPE_TYPES:
                raise _mime("root", f"The first part is {part.media_type!r}, no SOAP 1.2 envelope.")
            return
        content_id = part.content_id
        info = self._parts.get(content_id)
        if info is None:
            raise _mime("unknown-part", f"No eb:PartInfo announces the part {content_id!r}.")
        self._current = self._incoming(info, content_id, part.headers.get("content-type", ""))

    def _end(self) -> None:
        if self._current is None:
            self._open_envelope()
            return
        part, self._current = self._current, None
        self._done[part.content_id] = part  # first, so that `abort` finds it
        part.close()
        self._left -= part.written

    def _open_envelope(self) -> None:
        """Verify what came first, and with it what is to follow."""
        envelope = read_envelope(bytes(self._raw))
        header = read_messaging(envelope.messaging)
        if not isinstance(header, UserHeader):
            raise unacceptable(
                "as4.feature-signal",
                "Signal messages are not accepted here; receipts and errors travel as answers.",
            )
        self.message = header.message
        pmode = self._pmodes.governing(header.message)
        security = read_security(envelope.security, at=self._now)
        terms = pmode.security
        self._authenticated = authenticate(security, envelope, terms.trust, terms.policy, self._now)
        self.pmode = pmode
        self._parts = {p.content_id: p for p in header.parts if p.content_id is not None}
        _check_coverage(set(self._parts), set(self._authenticated.attachments))
        _check_body(envelope, header.parts)
        self._check_encryption(security, pmode)
        self._envelope, self._header, self._security = envelope, header, security

    def _check_encryption(self, security: SecurityHeader, pmode: PMode) -> None:
        encryption = security.encryption
        encrypted = set() if encryption is None else set(encryption.attachments)
        if strange := encrypted - set(self._parts):
            raise _mime("unknown-part", f"No eb:PartInfo announces {sorted(strange)[0]!r}.")
        if pmode.security.encrypt and (plain := set(self._parts) - encrypted):
            raise unacceptable(
                "as4.policy-not-encrypted",
                f"The payload {sorted(plain)[0]!r} is not encrypted, as the PMode demands.",
            )
        if encryption is None:
            return
        for item in encryption.attachments.values():
            if item.method not in pmode.security.encryption_accepted:
                raise unacceptable(
                    "as4.policy-encryption", f"Payloads must not be encrypted with {item.method!r}."
                )
        if self._decryption is None:
            raise unacceptable("as4.decryption-no-key", "No key to decrypt with is configured.")
        self._content_key = self._decryption.unwrap(encryption.wrapped_key)

    def _incoming(self, info: PartInfo, content_id: str, content_type: str) -> IncomingPart:
        assert self._authenticated is not None and self._security is not None
        reference = self._authenticated.attachments[content_id]
        encryption = self._security.encryption
        encrypted = None if encryption is None else encryption.attachments.get(content_id)
        decryptor = None
        travels_as = content_type
        if encrypted is not None:
            assert self._content_key is not None
            decryptor = Decryptor(self._content_key, encrypted.method)
            travels_as = encrypted.media_type or ""
        if info.compressed:
            travels_as = GZIP
        return IncomingPart(
            content_id,
            self._receiver.writer(),
            digest_of(travels_as, DIGEST_METHODS[reference.digest_method]),
            reference.digest,
            decryptor=decryptor,
            compressed=info.compressed,
            media_type=info.mime_type or media_type(travels_as)[0],
            limit=self._left,
        )

    def _payload(self, info: PartInfo) -> Payload:
        if info.content_id is None:
            return self._body_payload(info)
        part = self._done[info.content_id]
        return Payload(info.content_id, part.media_type, part.commit(), info.properties)

    def _body_payload(self, info: PartInfo) -> Payload:
        assert self._envelope is not None and self._envelope.body_content is not None
        writer = self._receiver.writer()
        try:
            writer.write(canonical(self._envelope.body_content))
            source: PayloadSource = writer.commit()
        except BaseException:
            writer.abort()
            raise
        return Payload("", info.mime_type or "application/xml", source, info.properties)


def _check_coverage(announced: set[str], signed: set[str]) -> None:
    if unsigned := announced - signed:
        raise unacceptable(
            "as4.policy-not-signed", f"The payload {sorted(unsigned)[0]!r} is not signed."
        )
    if strange := signed - announced:
        raise unacceptable(
            "as4.value-references",
            f"The signature covers {sorted(strange)[0]!r}, which no eb:PartInfo announces.",
        )


def _check_body(envelope: Envelope, parts: Sequence[PartInfo]) -> None:
    announced = any(part.content_id is None for part in parts)
    content = envelope.body_content
    if announced and content is None:
        raise unacceptable("as4.value-body", "A payload is announced in an empty SOAP Body.")
    if content is not None and not announced:
        if content.tag == f"{{{SOAP}}}Fault":
            raise unacceptable("as4.feature-fault", "SOAP faults are not accepted here.")
        raise unacceptable("as4.value-body", "No eb:PartInfo announces what the SOAP Body holds.")
    if content is not None and str(content.tag).endswith("}EncryptedData"):
        raise unacceptable(
            "as4.feature-encrypted-body",
            "Encrypted content of the SOAP Body is not accepted.",
            mend="Send encrypted payloads as MIME parts, as eDelivery AS4 does.",
        )


def _mime(code: str, what: str) -> ConnectorError:
    return unacceptable(f"as4.mime-{code}", what)
