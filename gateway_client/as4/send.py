"""Making a user message ready to travel: compress, digest, sign; encryption happens on the way.

The envelope comes first and holds the digests of what follows, so large payloads are compressed to
a scratch file before anything is sent; small ones stay in memory. A prepared message can be sent
several times, each time under a new content key.
"""

from __future__ import annotations

import hashlib
import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, Final

from connector.errors import misconfigured, transient, unacceptable
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.keys import SigningKey
from gateway_client.as4.compression import CHUNK, GZIP, gzip
from gateway_client.as4.ebms import OWN_PROPERTIES, PartInfo, user_messaging
from gateway_client.as4.encryption import EncryptedSource, content_key
from gateway_client.as4.octets import is_text
from gateway_client.as4.soap import CONTENT_TYPE, empty_body, envelope
from gateway_client.as4.wssecurity import (
    Attachment,
    SignedParts,
    encryption_markup,
    security_header,
    sign,
)
from gateway_client.mime import OutgoingPart, RelatedWriter
from gateway_client.model import Payload, PayloadSource, UserMessage
from gateway_client.pmode.model import PMode

SMALL: Final = 1024 * 1024
"""Payloads of up to this size are worked on in memory."""
OCTETS: Final = "application/octet-stream"
_CONTENT_ID: Final = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._~!$&'()*+,;=:-"
)
"""Characters that neither a URL nor a MIME header has to escape."""


@dataclass(frozen=True, slots=True)
class BytesSource:
    """A payload in memory."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """A new stream at the first byte."""
        return io.BytesIO(self.data)


@dataclass(frozen=True, slots=True)
class _ScratchSource:
    """A payload in a file."""

    path: Path
    size: int

    def open(self) -> BinaryIO:
        return self.path.open("rb")


class PreparedMessage:
    """A signed message; `close` it when it need not be sent any more."""

    def __init__(
        self,
        *,
        pmode: PMode,
        messaging: bytes,
        body: bytes,
        signed: SignedParts,
        attachments: tuple[tuple[Attachment, PayloadSource], ...],
        scratch: ExitStack,
    ) -> None:
        self.references = signed.references
        self._pmode = pmode
        self._messaging = messaging
        self._body = body
        self._signed = signed
        self._attachments = attachments
        self._scratch = scratch

    def entity(self, token: str) -> Entity:
        """What is sent over HTTP; `token` is random and new for each transmission.

        Raises `pmode.no-encryption-certificate` (configuration).
        """
        terms = self._pmode.security
        encryption = b""
        sources = [source for _, source in self._attachments]
        described = [attachment for attachment, _ in self._attachments]
        types = [attachment.media_type for attachment in described]
        if terms.encrypt and described:
            if terms.encrypt_for is None:
                raise misconfigured(
                    "pmode.no-encryption-certificate",
                    f"PMode {self._pmode.id!r} encrypts and names no certificate to encrypt for.",
                    mend="Name the partner's encryption certificate.",
                )
            key = content_key(terms.encryption_method)
            encryption = encryption_markup(
                key, terms.encryption_method, described, terms.encrypt_for, id_suffix=token
            )
            sources = [EncryptedSource(source, key) for source in sources]
            types = [OCTETS] * len(sources)
        soap = envelope(self._messaging, security_header(self._signed, encryption), self._body)
        soap_type = f"{CONTENT_TYPE}; charset=UTF-8"
        if not described:
            return Entity(soap_type, len(soap), soap)
        root = OutgoingPart(
            content_id=f"soap-{token}@emla", content_type=soap_type, source=BytesSource(soap)
        )
        parts = tuple(
            OutgoingPart(content_id=attachment.content_id, content_type=kind, source=source)
            for attachment, source, kind in zip(described, sources, types, strict=True)
        )
        writer = RelatedWriter(
            parts=(root, *parts), boundary=f"--={token}", parameters=(("type", CONTENT_TYPE),)
        )
        return Entity(writer.content_type, len(writer), writer)

    def close(self) -> None:
        """Remove scratch files."""
        self._scratch.close()


@dataclass(frozen=True, slots=True)
class Entity:
    """An HTTP entity of known length."""

    content_type: str
    length: int
    """Bytes."""
    content: bytes | RelatedWriter


def prepare(
    message: UserMessage, pmode: PMode, key: SigningKey, *, scratch: Path, token: str
) -> PreparedMessage:
    """Compress, digest and sign `message` as `pmode` says; large payloads go through `scratch`.

    `token` is a random string for the message's wsu:Ids. Raises `ConnectorError`:
    `as4.content-id`, `as4.payload-in-body`, `as4.empty-value`, `xml.character` (unacceptable),
    `as4.scratch` (transient), `signature.wrong-key` (configuration).
    """
    with ExitStack() as stack:
        hash_name = DIGEST_METHODS[pmode.security.digest_method]
        packed = [_pack(p, pmode, hash_name, scratch, stack) for p in message.payloads]
        ids = [attachment.content_id for attachment, _, _ in packed]
        if len(set(ids)) != len(ids):
            raise unacceptable("as4.content-id", "Two payloads have the same content id.")
        messaging = user_messaging(message, (info for _, _, info in packed), f"_messaging-{token}")
        body = empty_body(f"_body-{token}")
        signed = sign(
            (f"_messaging-{token}", messaging),
            (f"_body-{token}", body),
            [attachment for attachment, _, _ in packed],
            key,
            id_suffix=token,
            digest_method=pmode.security.digest_method,
            signature_method=pmode.security.signature_method,
        )
        attachments = tuple((attachment, source) for attachment, source, _ in packed)
        return PreparedMessage(
            pmode=pmode,
            messaging=messaging,
            body=body,
            signed=signed,
            attachments=attachments,
            scratch=stack.pop_all(),
        )


def _pack(
    payload: Payload, pmode: PMode, hash_name: str, scratch: Path, stack: ExitStack
) -> tuple[Attachment, PayloadSource, PartInfo]:
    content_id = payload.content_id
    if not content_id:
        raise unacceptable(
            "as4.payload-in-body",
            "A payload has no content id; eDelivery AS4 leaves the SOAP Body empty.",
            mend="Give every payload a content id.",
        )
    if set(content_id) - _CONTENT_ID:
        raise unacceptable(
            "as4.content-id", f"{content_id[:200]!r} cannot be a content id.", mend="Use a UUID."
        )
    compression = pmode.compression
    compressed = compression.enabled and payload.mime_type.lower() not in compression.exempt
    digest = hashlib.new(hash_name)
    source = payload.source
    if compressed:
        with source.open() as stream:
            pieces = gzip(stream, compression.level)
            source = _spooled(pieces, payload.source.size, digest, scratch, stack)
    else:
        with source.open() as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
    info = PartInfo(
        content_id,
        payload.mime_type,
        compressed,
        tuple(p for p in payload.properties if p.name not in OWN_PROPERTIES),
    )
    travels_as = GZIP if compressed else payload.mime_type
    if is_text(travels_as):
        travels_as = OCTETS  # so that no receiver normalises what we digest as it is
    return Attachment(content_id, travels_as, digest.digest()), source, info


def _spooled(
    pieces: Iterator[bytes],
    size: int,
    digest: hashlib._Hash,
    scratch: Path,
    stack: ExitStack,
) -> PayloadSource:
    """`pieces` where they can be read again, digested on the way."""
    if size <= SMALL:
        data = b"".join(pieces)
        digest.update(data)
        return BytesSource(data)
    try:
        named = tempfile.NamedTemporaryFile(dir=scratch, prefix="as4-")  # noqa: SIM115 the stack's
        file: IO[bytes] = stack.enter_context(named)
        length = 0
        for piece in pieces:
            digest.update(piece)
            length += file.write(piece)
        file.flush()
    except OSError as error:
        raise transient(
            "as4.scratch",
            f"A payload cannot be prepared in {scratch}: {error.strerror}.",
            mend="Make room on that file system.",
        ) from error
    return _ScratchSource(Path(file.name), length)
