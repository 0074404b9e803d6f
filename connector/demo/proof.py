"""Whether the evidences of a message are there on both sides, and what each of them proves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.x509.oid import NameOID

from connector.delivery.folder import folder_name
from connector.demo.watch import EXPECTED, Passage, Side
from connector.errors import ConnectorError, Problem
from connector.evidence.read import check_message, read_evidence
from connector.exchange.records import EvidenceOrigin, EvidenceRecord, PartRole
from connector.settings import Home
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.policy_file import load_policy
from connector.signature.trust import TrustStore
from connector.store.payloads import FilePayloads

_BY_SENDER: Final = "SUBMISSION_ACCEPTANCE"
"""The one evidence that the sender's connector issues; the others come from the receiver's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """An evidence that one side holds, and what came of verifying it."""

    holder: str
    """Country of the connector that has it."""
    type: str
    issued_here: bool
    at: datetime
    """EventTime."""
    issuer: str
    """Party that issued it; empty if it could not be read."""
    signed_by: str
    """Common name in the signer's certificate."""
    method: str
    """Signature method, without its namespace."""
    sha256: str
    problems: tuple[Problem, ...]

    @property
    def valid(self) -> bool:
        """Signature, issuer and document are what they must be."""
        return not self.problems


@dataclass(frozen=True)
class Judge:
    """Verifies what one side holds, by that side's own trust."""

    home: Home
    payloads: FilePayloads
    trust: TrustStore
    policy: AlgorithmPolicy
    now: datetime

    @classmethod
    def of(cls, home: Home, payloads: FilePayloads, now: datetime) -> Judge:
        """Raises `trust.*`, `policy.*` where the home's files cannot be read."""
        section = home.settings.trust
        policy = load_policy(home.path(section.policy) if section.policy else None)
        trust = TrustStore.from_folder(home.path(section.folder))
        return cls(home, payloads, trust, policy, now)


def proofs(passage: Passage, judges: Mapping[str, Judge]) -> tuple[list[Proof], list[Problem]]:
    """Every evidence of both sides, and what is missing. `judges` by country."""
    found: list[Proof] = []
    missing: list[Problem] = []
    sides = (passage.sender, passage.receiver) if passage.receiver else (passage.sender,)
    for side in sides:
        judge = judges[side.country]
        of_side = [_proof(passage, side, each, judge) for each in side.evidences]
        found += of_side
        missing += _missing(passage, side, of_side)
        missing += _not_told(passage, side, judge)
    return found, missing


def _proof(passage: Passage, side: Side, record: EvidenceRecord, judge: Judge) -> Proof:
    issuer = signed_by = method = ""
    problems: list[Problem] = []
    try:
        read = read_evidence(
            judge.payloads.read(record.payload), judge.trust, judge.policy, judge.now
        )
        issuer = read.evidence.issuer.names[0] if read.evidence.issuer.names else ""
        signed_by = _common_name(read.signature.certificate)
        method = read.signature.signature_method.rpartition("#")[2]
        envelope = side.parts_of(PartRole.ENVELOPE)
        check_message(read.evidence, bytes.fromhex(envelope[0].payload.sha256) if envelope else b"")
        problems += _contradictions(passage, record, read.evidence.type.value, issuer)
        problems += read.weaknesses
    except ConnectorError as error:
        problems += error.problems
    return Proof(
        holder=side.country,
        type=record.type,
        issued_here=record.origin is EvidenceOrigin.ISSUED,
        at=record.at,
        issuer=issuer,
        signed_by=signed_by,
        method=method,
        sha256=record.payload.sha256,
        problems=tuple(problems),
    )


def _contradictions(
    passage: Passage, record: EvidenceRecord, kind: str, issuer: str
) -> Iterable[Problem]:
    message = passage.record
    expected = message.from_party if kind == _BY_SENDER else message.to_party
    if kind != record.type:
        yield Problem(
            code="demo.evidence-type", what=f"The evidence says {kind}, the store {record.type}."
        )
    if issuer != expected:
        yield Problem(
            code="demo.evidence-issuer",
            what=f"{kind} was issued by {issuer!r}; only {expected} can attest that.",
        )


def _missing(passage: Passage, side: Side, found: Iterable[Proof]) -> Iterable[Problem]:
    types = [proof.type for proof in found]
    for kind in EXPECTED:
        if types.count(kind) != 1:
            yield Problem(
                code="demo.evidence-missing",
                what=f"{side.country} holds {types.count(kind)} evidences {kind} about the "
                f"{passage.record.message_type} {passage.message_id}; it must be one.",
            )
    for kind in types:
        if kind not in EXPECTED:
            yield Problem(
                code="demo.evidence-negative",
                what=f"{side.country} holds a {kind} about the {passage.record.message_type} "
                f"{passage.message_id}.",
            )


def told_folder(home: Home, message_id: str) -> Path:
    """Where a national system finds the evidences about a message."""
    return home.path(home.settings.delivery.path) / "evidences" / folder_name(message_id)


def _not_told(passage: Passage, side: Side, judge: Judge) -> Iterable[Problem]:
    """The national system must have got the very evidences that the connector has."""
    folder = told_folder(judge.home, passage.message_id)
    files = sorted(folder.glob("*.xml")) if folder.is_dir() else []
    told = {hashlib.sha256(file.read_bytes()).hexdigest() for file in files}
    for record in side.evidences:
        if record.payload.sha256 not in told:
            yield Problem(
                code="demo.evidence-not-told",
                what=f"The national system of {side.country} did not get the {record.type} about "
                f"{passage.message_id}, or another one in its place.",
                file=str(folder),
            )


def _common_name(certificate: x509.Certificate) -> str:
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else certificate.subject.rfc4514_string()
