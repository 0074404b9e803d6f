"""Reading a signed evidence: the signature first, then what it covers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from connector.errors import Problem, unacceptable
from connector.evidence.model import Evidence, MessageDetails
from connector.evidence.parse import parse_evidence
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.trust import TrustStore
from connector.xml import parse


@dataclass(frozen=True, slots=True)
class ReadEvidence:
    """An evidence whose signature has been verified."""

    evidence: Evidence
    signature: xades.Verified
    weaknesses: tuple[Problem, ...]
    """Deviations of its form, and what the policy let pass in its signature."""


def read_evidence(
    data: bytes, trust: TrustStore, policy: AlgorithmPolicy, at: datetime
) -> ReadEvidence:
    """Verify an evidence's signature, then read what the signature covers, in either spelling.

    Raises `ConnectorError` (unacceptable): `xml.*`, `signature.*`, `evidence.*`.
    """
    verified = xades.verify_enveloped(parse(data, file="evidence"), trust, policy, at)
    evidence, weaknesses = parse_evidence(verified.root)
    return ReadEvidence(evidence, verified, (*weaknesses, *verified.weaknesses))


def check_message(
    evidence: Evidence, sha256: bytes, content: Callable[[], bytes] | None = None
) -> None:
    """Make sure that an evidence is about the business document with this digest.

    `content` gives the document's bytes; it is only asked where the evidence has a digest of
    another algorithm than SHA-256. Raises `evidence.no-digest`, `evidence.digest-algorithm`,
    `evidence.other-message`.
    """
    message = evidence.message
    if not message.digest:
        raise unacceptable(
            "evidence.no-digest",
            f"The evidence {evidence.identifier} does not say which document it is about.",
        )
    if message.digest != _digest(message, sha256, content):
        raise unacceptable(
            "evidence.other-message",
            f"The evidence {evidence.identifier} is about another document: its digest is "
            f"{message.digest.hex()}.",
            path="SenderMessageDetails/DigestValue",
        )


def _digest(message: MessageDetails, sha256: bytes, content: Callable[[], bytes] | None) -> bytes:
    if message.digest_algorithm == "SHA-256":
        return sha256
    if content is not None and message.digest_algorithm in {"SHA-384", "SHA-512"}:
        return hashlib.new(message.digest_algorithm.replace("-", ""), content()).digest()
    raise unacceptable(
        "evidence.digest-algorithm",
        f"A digest by {message.digest_algorithm!r} does not prove which document is meant.",
        mend="Ask the sender for evidences with SHA-256.",
    )
