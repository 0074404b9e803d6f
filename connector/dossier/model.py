"""A dossier as plain data, before it is written and after it has been read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connector.exchange.records import MessageRecord, PayloadRef
from connector.validation.report import ValidationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierFile:
    """A stored file of a message, and where it lies in the dossier."""

    path: str
    """With folders, below the dossier's top."""
    media_type: str
    payload: PayloadRef
    what: str
    """For people: `original document`, `attachment`, `evidence RELAY_REMMD_ACCEPTANCE` …"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """A signed file, and what its validation found."""

    file: DossierFile
    report: ValidationReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One step of the chain of custody, as an evidence attests it."""

    at: datetime
    event: str
    """The evidence's type, e.g. `DELIVERY`."""
    positive: bool
    giver: str
    taker: str
    attested_by: str
    """Who issued the evidence."""
    reason: str
    """Empty for what went well."""
    evidence: Signed


@dataclass(frozen=True, slots=True, kw_only=True)
class DossierMessage:
    """One message of the case with all that belongs to it."""

    record: MessageRecord
    folder: str
    files: Sequence[DossierFile]
    transfers: Sequence[Transfer]
    """In the order in which they happened."""
    signed: Sequence[Signed]
    """Envelope, container, token: in this order, as far as they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dossier:
    """The case as this connector knows it."""

    about: str
    """Id of the message that was asked for."""
    conversation_id: str
    made_at: datetime
    made_by: str
    """Name of the connector."""
    messages: Sequence[DossierMessage]
    """Oldest first."""

    @property
    def files(self) -> Sequence[DossierFile]:
        """The files of all messages."""
        return [file for message in self.messages for file in message.files]


def summary(dossier: Dossier) -> dict[str, Any]:
    """`dossier.json`: what machines read."""
    return {
        "dossier": 1,
        "about": dossier.about,
        "conversation": dossier.conversation_id,
        "madeAt": dossier.made_at.isoformat(),
        "madeBy": dossier.made_by,
        "messages": [_message(each) for each in dossier.messages],
    }


def _message(message: DossierMessage) -> dict[str, Any]:
    record = message.record
    return {
        "id": record.id,
        "ebmsId": record.ebms_id,
        "type": record.message_type,
        "direction": record.direction.value,
        "state": record.state,
        "sender": record.sender,
        "recipient": record.recipient,
        "reference": record.backend_id,
        "refTo": record.ref_to,
        "folder": message.folder,
        "files": [
            {
                "path": file.path,
                "what": file.what,
                "mediaType": file.media_type,
                "size": file.payload.size,
                "sha256": file.payload.sha256,
            }
            for file in message.files
        ],
        "signatures": [_signed(each) for each in message.signed],
        "transfers": [
            {
                "at": each.at.isoformat(),
                "event": each.event,
                "from": each.giver,
                "to": each.taker,
                "attestedBy": each.attested_by,
                **({"reason": each.reason} if each.reason else {}),
                **_signed(each.evidence),
            }
            for each in message.transfers
        ],
    }


def _signed(signed: Signed) -> dict[str, Any]:
    return {
        "file": signed.file.path,
        "indication": signed.report.indication.value,
        "signatures": [
            {
                "signer": each.certificate.subject.rfc4514_string() if each.certificate else None,
                "issuer": each.certificate.issuer.rfc4514_string() if each.certificate else None,
                "method": each.signature_method,
                "claimedTime": each.signing_time.isoformat() if each.signing_time else None,
                "level": each.level,
                "subIndication": each.conclusion.sub.value if each.conclusion.sub else None,
            }
            for each in signed.report.signatures
        ],
    }
