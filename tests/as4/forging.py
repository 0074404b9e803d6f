"""Takes messages apart, changes them, puts them together again, lets an access point have them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from connector.errors import ConnectorError
from connector.signature.algorithms import EXC_C14N, RSA_SHA256, SHA256
from connector.signature.keys import SigningKey
from connector.signature.xmldsig import (
    ATTACHMENT_CONTENT,
    Reference,
    Transform,
    build_signature,
    x509_data,
)
from gateway_client.as4.ebms import PartInfo, user_messaging
from gateway_client.as4.encryption import EncryptedSource, content_key
from gateway_client.as4.receive import Received, Reception
from gateway_client.as4.send import prepare
from gateway_client.as4.soap import empty_body, envelope
from gateway_client.as4.wssecurity import (
    Attachment,
    SignedParts,
    encryption_markup,
    security_header,
)
from gateway_client.mime import PartBegins, PartData, RelatedReader
from gateway_client.model import UserMessage
from gateway_client.pmode.model import AES128_GCM, PMode, PModes
from tests.as4.access_points import (
    BLUE_KEY,
    NOW,
    RED_KEY,
    Inbox,
    Source,
    decryption,
    pmode,
)

C14N = (Transform(EXC_C14N),)
CONTENT = (Transform(ATTACHMENT_CONTENT),)


@dataclass
class Part:
    content_id: str
    content_type: str
    data: bytes


def sent(message: UserMessage, mode: PMode | None = None, key: SigningKey = RED_KEY) -> list[Part]:
    """The MIME parts that Red sends for `message`, the envelope first."""
    with TemporaryDirectory() as scratch:
        terms = mode or pmode("x")
        prepared = prepare(message, terms, key, scratch=Path(scratch), token="t0")
        entity = prepared.entity("e0")
        if isinstance(entity.content, bytes):
            return [Part("", entity.content_type, entity.content)]
        reader, parts = RelatedReader(entity.content_type), []
        for event in reader.feed(b"".join(entity.content)):
            if isinstance(event, PartBegins):
                parts.append(Part(event.content_id, event.headers["content-type"], b""))
            elif isinstance(event, PartData):
                parts[-1].data += event.data
        prepared.close()
        return parts


def joined(parts: Iterable[Part], boundary: str = "edge") -> tuple[str, bytes]:
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {p.content_type}\r\n".encode()
        + f"Content-ID: <{p.content_id}>\r\n\r\n".encode()
        + p.data
        + b"\r\n"
        for p in parts
    )
    return f'multipart/related; boundary="{boundary}"', body + f"--{boundary}--\r\n".encode()


def take(
    entity: tuple[str, bytes],
    inbox: Inbox | None = None,
    mode: PMode | None = None,
    *,
    limit: int = 1 << 30,
    piece: int = 1 << 20,
) -> Received:
    """What Blue makes of it, with all writers let go if it refuses."""
    inbox = inbox or Inbox()
    reception: Reception | None = None
    try:
        reception = Reception(
            entity[0],
            PModes((mode or pmode(own=BLUE_KEY),)),
            decryption(BLUE_KEY),
            inbox,
            now=NOW,
            max_payload_bytes=limit,
        )
        for start in range(0, len(entity[1]), piece):
            reception.feed(entity[1][start : start + piece])
        return reception.finish()
    except BaseException:
        if reception is not None:
            reception.abort()
        raise


def refused(entity: tuple[str, bytes], mode: PMode | None = None, **options: Any) -> str:
    """The code with which Blue refuses, after making sure that nothing was let out."""
    inbox = Inbox()
    with pytest.raises(ConnectorError) as caught:
        take(entity, inbox, mode, **options)
    assert inbox.calls == 0
    assert not any(w.committed for w in inbox.writers)
    assert all(w.aborted for w in inbox.writers)
    return caught.value.code


def altered(parts: Sequence[Part], change: Callable[[bytes], bytes]) -> list[Part]:
    """The same with the envelope changed, which must change something."""
    first, *others = parts
    data = change(first.data)
    assert data != first.data
    return [Part(first.content_id, first.content_type, data), *others]


def reference(uri: str, octets: bytes, transforms: tuple[Transform, ...] = C14N) -> Reference:
    return Reference(uri, hashlib.sha256(octets).digest(), SHA256, transforms)


@dataclass
class Forge:
    """Builds a message piece by piece; every attribute may be changed before `parts`."""

    message: UserMessage
    contents: dict[str, bytes]
    """As they travel, before encryption."""
    compressed: bool = False
    key: SigningKey = RED_KEY
    signature_method: str = RSA_SHA256
    encrypt: bool = True
    token: bytes = b""
    key_info: bytes = b""
    body: bytes = b""
    media_type: str = "application/octet-stream"
    infos: tuple[PartInfo, ...] | None = None
    references: tuple[Reference, ...] | None = None
    extra: bytes = b""

    def messaging(self) -> bytes:
        infos = self.infos
        if infos is None:
            infos = tuple(
                PartInfo(name, self.media_type, self.compressed) for name in self.contents
            )
        return user_messaging(self.message, infos, "M")

    def all_references(self) -> tuple[Reference, ...]:
        return (
            reference("#M", self.messaging()),
            reference("#B", self.body or empty_body("B")),
            *(reference(f"cid:{n}", c, CONTENT) for n, c in self.contents.items()),
        )

    def parts(self) -> list[Part]:
        signature = build_signature(
            self.all_references() if self.references is None else self.references,
            self.key,
            signature_method=self.signature_method,
            key_info=self.key_info or x509_data(self.key.certificates[:1]),
        )
        attachments = [Attachment(n, self.media_type, b"") for n in self.contents]
        content, encryption = content_key(AES128_GCM), b""
        if self.encrypt and attachments:
            encryption = encryption_markup(
                content, AES128_GCM, attachments, BLUE_KEY.certificate, id_suffix="f"
            )
        security = security_header(SignedParts(self.token, signature, ()), encryption)
        soap = envelope(self.messaging(), security + self.extra, self.body or empty_body("B"))
        parts = [Part("root", "application/soap+xml", soap)]
        for name, data in self.contents.items():
            sealed = EncryptedSource(Source(data), content).open().read
            out = b"".join(iter(sealed, b"")) if self.encrypt else data
            kind = "application/octet-stream" if self.encrypt else self.media_type
            parts.append(Part(name, kind, out))
        return parts
