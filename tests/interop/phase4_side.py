"""How phase4 is told what to do: its keys as files, and messages as it takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

from connector.signature.keys import SigningKey
from gateway_client.as4.namespaces import INITIATOR, RESPONDER
from tests.as4.access_points import BLUE, PARTY_TYPE, RED, SERVICE

PASSWORD = "secret"


@dataclass(frozen=True, slots=True)
class File:
    """A payload that phase4 is to send."""

    path: Path
    media_type: str
    content_id: str
    compressed: bool = True


class KeyFiles:
    """Keys and certificates in the forms that Java reads, each written once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._count = 0

    def keystore(self, key: SigningKey) -> Path:
        """A PKCS#12 file with key and certificate."""
        path = self._new("p12")
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


def described(*files: File, id: str, **changes: Any) -> dict[str, Any]:
    """A message from red to blue."""
    return {
        "id": id,
        "conversation": "c1",
        "party_type": PARTY_TYPE,
        "from": RED.value,
        "from_role": INITIATOR,
        "to": BLUE.value,
        "to_role": RESPONDER,
        "service": SERVICE.value,
        "service_type": SERVICE.type,
        "action": "Request",
        "properties": [
            {"name": "originalSender", "value": "urn:a"},
            {"name": "finalRecipient", "value": "urn:b", "type": "x"},
        ],
        "payloads": _payloads(files),
        **changes,
    }


def _payloads(files: Sequence[File]) -> list[dict[str, Any]]:
    return [
        {
            "file": file.path,
            "content_id": file.content_id,
            "media_type": file.media_type,
            "compressed": file.compressed,
        }
        for file in files
    ]
