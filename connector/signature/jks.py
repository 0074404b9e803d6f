"""Certificates out of Java key stores of the old form (JKS, JCEKS). PKCS#12 stores, which Java
writes today, are read by `cryptography`.

The form has no specification; this follows what `keytool` writes. Private keys are not read.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, misconfigured
from connector.signature.certificates import MALFORMED

MAGIC: Final = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce")
_KEY: Final = 1
_CERTIFICATE: Final = 2
_WHITENER: Final = b"Mighty Aphrodite"
_DIGEST: Final = 20
_MOST: Final = 10_000


def certificates(data: bytes, password: bytes | None) -> list[x509.Certificate]:
    """All certificates, those of chains among them; with a password the store's integrity is
    checked (by SHA-1: that is the form's own).

    Raises `ConnectorError` (configuration): `trust.unreadable`, `trust.wrong-password`.
    """
    if password is not None:
        _check(data, password)
    try:
        return _read(_Bytes(data[:-_DIGEST]))
    except (struct.error, IndexError, *MALFORMED) as error:
        raise _unreadable(str(error)) from error


def _check(data: bytes, password: bytes) -> None:
    try:
        wide = password.decode("utf-8").encode("utf-16-be")
    except UnicodeDecodeError as error:
        raise _unreadable("the password is not UTF-8") from error
    made = hashlib.sha1(wide + _WHITENER + data[:-_DIGEST]).digest()  # noqa: S324 see above
    if not hmac.compare_digest(made, data[-_DIGEST:]):
        raise misconfigured(
            "trust.wrong-password",
            "The key store was altered, or its password is another.",
            mend="Check the password file named in the settings.",
        )


class _Bytes:
    """Reads big-endian values one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def take(self, count: int) -> bytes:
        found = self._data[self._at : self._at + count]
        if len(found) != count:
            raise ValueError("it ends too early")
        self._at += count
        return found

    def number(self, form: str) -> int:
        (found,) = struct.unpack(form, self.take(struct.calcsize(form)))
        return int(found)

    def text(self) -> bytes:
        return self.take(self.number(">H"))


def _read(store: _Bytes) -> list[x509.Certificate]:
    if store.take(4) not in MAGIC:
        raise ValueError("it is no Java key store")
    version, count = store.number(">I"), store.number(">I")
    if version not in {1, 2} or count > _MOST:
        raise ValueError(f"version {version} with {count} entries")
    found = []
    for _ in range(count):
        kind = store.number(">I")
        store.text()  # alias
        store.take(8)  # date
        many = 1
        if kind == _KEY:
            store.take(store.number(">I"))
            many = store.number(">I")
        elif kind != _CERTIFICATE:
            raise ValueError(f"an entry of the kind {kind}")
        for _ in range(many):
            if version == 2:
                store.text()  # X.509
            found.append(x509.load_der_x509_certificate(store.take(store.number(">I"))))
    return found


def _unreadable(why: str) -> ConnectorError:
    return misconfigured("trust.unreadable", f"The Java key store cannot be read: {why}.")
