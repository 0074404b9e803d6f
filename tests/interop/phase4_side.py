"""How phase4 is told what to do: its keys as files, and messages as it takes them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway_client.as4.namespaces import INITIATOR, RESPONDER
from tests.as4.access_points import BLUE, NOW, PARTY_TYPE, RED, ROOT, SERVICE

TO_US = "phase4 to emla"
FROM_US = "emla to phase4"
STRANGER = ROOT.issue("stranger", NOW, encipherment=True)
XML = b"<a>\r\n" + "Größe".encode() * 1000 + b"</a>\n"
BIG = 100
"""MiB."""


@dataclass(frozen=True, slots=True)
class File:
    """A payload that phase4 is to send."""

    path: Path
    media_type: str
    content_id: str
    compressed: bool = True


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


def contents() -> list[tuple[str, bytes]]:
    """Media types and contents that have gone wrong between access points before."""
    return [
        ("application/xml", XML),
        ("text/xml", XML.replace(b"\r\n", b"\n")),
        ("text/plain", b"line\r\nline\nline\r"),
        ("application/pdf", os.urandom(100_000)),
        ("image/jpeg", os.urandom(100_000)),
        ("application/gzip", os.urandom(2_000)),
        ("application/vnd.etsi.asic-s+zip", os.urandom(50_000)),
        ("application/octet-stream", b""),
        ("application/octet-stream", bytes(range(256)) * 300),
        ("application/json", b'{"a": "\xc3\xa4"}'),
    ]


def row_of(count: int) -> str:
    """The row of the matrix for so many payloads."""
    return f"{count:2} payload{'s' if count != 1 else ''}"
