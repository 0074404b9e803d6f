"""AES-GCM over payloads as streams (XML Encryption 1.1, 5.2.4): IV, ciphertext, tag."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import AEADDecryptionContext, Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import GCM

from connector.errors import ConnectorError, unacceptable
from gateway_client.as4.compression import CHUNK
from gateway_client.model import PayloadSource
from gateway_client.pmode.model import AES128_GCM, AES256_GCM

KEY_BYTES: Final = {AES128_GCM: 16, AES256_GCM: 32}
_IV: Final = 12
_TAG: Final = 16


def content_key(method: str) -> bytes:
    """A new random key for `method`, to be used for one transmission of one message."""
    return os.urandom(KEY_BYTES[method])


@dataclass(frozen=True, slots=True)
class EncryptedSource:
    """A payload source as its ciphertext. Each opening encrypts anew, under an IV of its own."""

    plain: PayloadSource
    key: bytes

    @property
    def size(self) -> int:
        """Length of the ciphertext with IV and tag, in bytes."""
        return self.plain.size + _IV + _TAG

    def open(self) -> BinaryIO:
        """The ciphertext as a stream."""
        return cast(BinaryIO, _CiphertextStream(self.plain.open(), self.key))


class _CiphertextStream:
    """What of BinaryIO a reader of chunks needs."""

    def __init__(self, plain: BinaryIO, key: bytes) -> None:
        self._plain = plain
        self._pieces = self._encrypted(key)

    def __enter__(self) -> _CiphertextStream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def read(self, size: int = -1) -> bytes:
        """The next piece, whatever `size` says; empty at the end."""
        return next(self._pieces, b"")

    def close(self) -> None:
        """Closes the plain stream too."""
        self._plain.close()

    def _encrypted(self, key: bytes) -> Iterator[bytes]:
        iv = os.urandom(_IV)
        encryptor = Cipher(AES(key), GCM(iv)).encryptor()
        held = iv
        while chunk := self._plain.read(CHUNK - _IV - _TAG):
            if len(held) > _IV:
                yield held
                held = b""
            held += encryptor.update(chunk)
        yield held + encryptor.finalize() + encryptor.tag


class Decryptor:
    """Decrypts a stream. Nothing that it gives may be used before `close` has returned."""

    def __init__(self, key: bytes, method: str) -> None:
        """Raises `as4.decryption-failed` if the key does not have the method's length."""
        if len(key) != KEY_BYTES[method]:
            raise _failed()
        self._key = key
        self._held = b""
        self._decryptor: AEADDecryptionContext | None = None

    def feed(self, data: bytes) -> bytes:
        """Plain bytes; the last 16 bytes seen are held back, for they may be the tag."""
        held = self._held + data
        if self._decryptor is None:
            if len(held) < _IV:
                self._held = held
                return b""
            self._decryptor = Cipher(AES(self._key), GCM(held[:_IV])).decryptor()
            held = held[_IV:]
        self._held = held[-_TAG:]
        return self._decryptor.update(memoryview(held)[:-_TAG])

    def close(self) -> None:
        """Raises `as4.decryption-failed` unless the tag proves every byte."""
        if self._decryptor is None or len(self._held) < _TAG:
            raise _failed()
        try:
            self._decryptor.finalize_with_tag(self._held)
        except InvalidTag as error:
            raise _failed() from error


def _failed() -> ConnectorError:
    # One answer for every cause: what exactly failed would help an attacker only.
    return unacceptable(
        "as4.decryption-failed",
        "A payload cannot be decrypted.",
        mend="It was altered on the way, or encrypted for another certificate.",
    )
