"""Gathering a case from the store: every message of its conversation, every signature validated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Final

from connector.container.payloads import opened_seekable
from connector.container.zip_reading import ContainerLimits, Window, read_structure
from connector.dossier.entries import entries_of
from connector.dossier.layout import evidence_paths, placed, what_is
from connector.dossier.model import Dossier, DossierFile, DossierMessage, Signed, Transfer
from connector.errors import ConnectorError
from connector.evidence.model import Entity
from connector.evidence.parse import parse_evidence
from connector.evidence.types import EvidenceType
from connector.exchange.ports import Store
from connector.exchange.records import (
    EvidenceRecord,
    Kind,
    MessageRecord,
    PartRole,
    PayloadRef,
)
from connector.validation.basis import Basis
from connector.validation.documents import validate_container, validate_document
from connector.validation.indications import SubIndication
from connector.validation.report import Conclusion, SignatureReport, ValidationReport
from connector.xml import parse

_SIGNED: Final = (PartRole.ENVELOPE, PartRole.CONTAINER, PartRole.TOKEN_XML)


def gather(
    store: Store,
    about: MessageRecord,
    basis: Basis,
    *,
    made_by: str,
    whole_case: bool = True,
) -> Dossier:
    """The case of `about`, or with `whole_case` off that message alone; nothing is written.

    A signature that does not validate is part of the dossier with its indication: it is for the
    judge to see. Raises `store.payload-missing`, `store.payload-altered`.
    """
    records = [about]
    if whole_case:
        found = store.messages(conversation_id=about.conversation_id, limit=10_000)
        records = sorted(
            (each for each in found if each.kind is Kind.BUSINESS), key=lambda r: r.created_at
        )
    return Dossier(
        about=about.id,
        conversation_id=about.conversation_id,
        made_at=basis.at,
        made_by=made_by,
        messages=[
            _message(store, record, number, basis) for number, record in enumerate(records, 1)
        ],
    )


def _message(store: Store, record: MessageRecord, number: int, basis: Basis) -> DossierMessage:
    with store.reading() as reading:
        parts = reading.parts(record.id)
        evidences = reading.evidences(record.id)
    folder = f"messages/{number:02d}-{record.message_type}-{record.id[:8]}"
    files = [
        (
            part,
            DossierFile(
                path=f"{folder}/{path}",
                media_type=part.media_type,
                payload=part.payload,
                what=what_is(part),
            ),
        )
        for part, path in placed(parts)
    ]
    signed = [
        Signed(file=file, report=_validated(store, file, basis))
        for role in _SIGNED
        for part, file in files
        if part.role is role
    ]
    transfers = []
    attested = []
    for evidence, path in evidence_paths(evidences):
        file = DossierFile(
            path=f"{folder}/{path}",
            media_type="text/xml",
            payload=evidence.payload,
            what=f"evidence {evidence.type}",
        )
        attested.append(file)
        transfers.append(_transfer(store, record, evidence, file, basis))
    return DossierMessage(
        record=record,
        folder=folder,
        files=[*(file for _, file in files), *attested],
        transfers=sorted(transfers, key=lambda each: each.at),
        signed=signed,
    )


def _validated(store: Store, file: DossierFile, basis: Basis) -> ValidationReport:
    """What a validation finds; a document that cannot even be read fails as to its form."""
    try:
        if file.media_type.endswith("+zip"):
            source = store.payloads.source(file.payload)
            with opened_seekable(source) as stream:
                window = Window(stream, 0, source.size)
                entries = read_structure(window, ContainerLimits(folders=True))
                return validate_container(entries_of(window, entries), basis, name=file.path)
        data = store.payloads.read(file.payload)
        return validate_document(data, basis, name=file.path)
    except ConnectorError as error:
        if error.code.startswith("store."):
            raise
        return unreadable(file.path, file.payload, basis, error)


def unreadable(
    path: str, payload: PayloadRef, basis: Basis, error: ConnectorError
) -> ValidationReport:
    """The report of a document whose signatures cannot be looked at."""
    failed = SignatureReport(
        id="none",
        format="unknown",
        level="none",
        conclusion=Conclusion(SubIndication.FORMAT_FAILURE, (str(error),)),
        value=hashlib.sha256(path.encode()).digest(),
    )
    return ValidationReport(
        document=path,
        sha256=payload.sha256,
        time=basis.at,
        policy=basis.policy.name,
        signatures=(failed,),
    )


def _transfer(
    store: Store,
    record: MessageRecord,
    known: EvidenceRecord,
    file: DossierFile,
    basis: Basis,
) -> Transfer:
    kind = EvidenceType[known.type]
    evidence, _ = parse_evidence(parse(store.payloads.read(known.payload), file=file.path))
    giver, taker = _ends(record, kind)
    return Transfer(
        at=known.at,
        event=known.type,
        positive=kind.positive,
        giver=giver,
        taker=taker,
        attested_by=_entity(evidence.issuer),
        reason=evidence.reason_text,
        evidence=Signed(file=file, report=_validated(store, file, basis)),
    )


def _ends(record: MessageRecord, kind: EvidenceType) -> tuple[str, str]:
    """Between whom a kind of evidence moves the message along the chain."""
    chain = (record.sender, record.from_party, record.to_party, record.recipient)
    if kind in (EvidenceType.SUBMISSION_ACCEPTANCE, EvidenceType.SUBMISSION_REJECTION):
        return chain[0], chain[1]
    if kind.priority <= EvidenceType.RELAY_REMMD_REJECTION.priority:
        return chain[1], chain[2]
    return chain[2], chain[3]


def _entity(entity: Entity) -> str:
    country = entity.postal.country if entity.postal else ""
    name = " ".join(entity.names) or entity.address
    return f"{name} ({country})" if country else name


def signatures_of(dossier: Dossier) -> Iterable[Signed]:
    """Every signed file with its report, evidences included."""
    for message in dossier.messages:
        yield from message.signed
        for transfer in message.transfers:
            yield transfer.evidence
