"""Keys and certificates as files that Java reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from connector.signature.keys import SigningKey

PASSWORD = "secret"


def keystore(key: SigningKey, path: Path) -> Path:
    """A PKCS#12 file with key, certificate and intermediates."""
    path.write_bytes(
        pkcs12.serialize_key_and_certificates(
            b"key",
            key.private,
            key.certificate,
            key.intermediates,
            serialization.BestAvailableEncryption(PASSWORD.encode()),
        )
    )
    return path


class KeyFiles:
    """Keys and certificates in the forms that Java reads, each written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def keystore(self, key: SigningKey) -> Path:
        """A PKCS#12 file with key and certificate."""
        return keystore(key, self._new("p12"))

    def certificate(self, certificate: x509.Certificate) -> Path:
        """A PEM file."""
        path = self._new("pem")
        path.write_bytes(certificate.public_bytes(Encoding.PEM))
        return path

    def trust(self, *certificates: x509.Certificate) -> Path:
        """A folder of PEM files."""
        folder = self._new("trust")
        folder.mkdir()
        for number, each in enumerate(certificates):
            (folder / f"{number}.pem").write_bytes(each.public_bytes(Encoding.PEM))
        return folder

    def access_point(self, own: SigningKey, *trusted: x509.Certificate) -> dict[str, Any]:
        """What each command needs to know of keys."""
        return {
            "keystore": self.keystore(own),
            "password": PASSWORD,
            "trust": self.trust(*trusted),
        }

    def _new(self, suffix: str) -> Path:
        self._count += 1
        return self._folder / f"{self._count}.{suffix}"
