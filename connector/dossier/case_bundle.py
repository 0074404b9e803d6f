"""The evidence items of a case and their provenance as a CASE/UCO bundle in JSON-LD.

The ontology is CASE 1.4 on UCO 1.4 (https://caseontology.org). Every file is an ObservableObject
with its hash, every message a provenance record, every transfer an investigative action.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from connector.dossier.model import Dossier, DossierFile, DossierMessage, Transfer

_CONTEXT: Final = {
    "case-investigation": "https://ontology.caseontology.org/case/investigation/",
    "kb": "urn:emla:dossier:",
    "uco-action": "https://ontology.unifiedcyberontology.org/uco/action/",
    "uco-core": "https://ontology.unifiedcyberontology.org/uco/core/",
    "uco-identity": "https://ontology.unifiedcyberontology.org/uco/identity/",
    "uco-observable": "https://ontology.unifiedcyberontology.org/uco/observable/",
    "uco-types": "https://ontology.unifiedcyberontology.org/uco/types/",
    "uco-vocabulary": "https://ontology.unifiedcyberontology.org/uco/vocabulary/",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}


def case_bundle(dossier: Dossier) -> bytes:
    """The bundle, in UTF-8. The same dossier gives the same bytes."""
    objects = [
        *_organizations(dossier),
        *(each for message in dossier.messages for each in _message(message)),
        {
            "@id": _id("investigation", dossier.conversation_id),
            "@type": "case-investigation:Investigation",
            "uco-core:name": f"Mutual legal assistance {dossier.conversation_id}",
            "uco-core:object": [
                {"@id": _id("provenance", message.folder)} for message in dossier.messages
            ],
        },
    ]
    bundle = {
        "@context": _CONTEXT,
        "@graph": [
            {
                "@id": _id("bundle", dossier.about),
                "@type": "uco-core:Bundle",
                "uco-core:name": f"Dossier of message {dossier.about}",
                "uco-core:description": f"Made by {dossier.made_by}.",
                "uco-core:objectCreatedTime": _time(dossier.made_at),
                "uco-core:object": [{"@id": each["@id"]} for each in objects],
            },
            *objects,
        ],
    }
    return json.dumps(bundle, ensure_ascii=False, indent=2).encode()


def _organizations(dossier: Dossier) -> Iterable[dict[str, Any]]:
    names: dict[str, None] = {}
    for message in dossier.messages:
        for transfer in message.transfers:
            names |= dict.fromkeys((transfer.giver, transfer.taker, transfer.attested_by))
    for name in names:
        yield {
            "@id": _id("organization", name),
            "@type": "uco-identity:Organization",
            "uco-core:name": name,
        }


def _message(message: DossierMessage) -> Iterable[dict[str, Any]]:
    for file in message.files:
        yield _file(file)
    yield {
        "@id": _id("provenance", message.folder),
        "@type": "case-investigation:ProvenanceRecord",
        "uco-core:description": (
            f"{message.record.message_type} {message.record.ebms_id} from "
            f"{message.record.sender} to {message.record.recipient}"
        ),
        "case-investigation:exhibitNumber": message.folder.rpartition("/")[2],
        "uco-core:object": [{"@id": _id("file", file.path)} for file in message.files],
    }
    for number, transfer in enumerate(message.transfers, 1):
        yield _action(message, number, transfer)


def _file(file: DossierFile) -> dict[str, Any]:
    return {
        "@id": _id("file", file.path),
        "@type": "uco-observable:File",
        "uco-core:description": file.what,
        "uco-core:hasFacet": [
            {
                "@id": _id("file-facet", file.path),
                "@type": "uco-observable:FileFacet",
                "uco-observable:fileName": file.path.rpartition("/")[2],
                "uco-observable:filePath": file.path,
                "uco-observable:sizeInBytes": file.payload.size,
            },
            {
                "@id": _id("content-facet", file.path),
                "@type": "uco-observable:ContentDataFacet",
                "uco-observable:mimeType": file.media_type,
                "uco-observable:sizeInBytes": file.payload.size,
                "uco-observable:hash": {
                    "@id": _id("hash", file.path),
                    "@type": "uco-types:Hash",
                    "uco-types:hashMethod": {
                        "@type": "uco-vocabulary:HashNameVocab",
                        "@value": "SHA256",
                    },
                    "uco-types:hashValue": {
                        "@type": "xsd:hexBinary",
                        "@value": file.payload.sha256,
                    },
                },
            },
        ],
    }


def _action(message: DossierMessage, number: int, transfer: Transfer) -> dict[str, Any]:
    return {
        "@id": _id("action", f"{message.folder}/{number}"),
        "@type": "case-investigation:InvestigativeAction",
        "uco-core:name": transfer.event,
        "uco-core:description": (
            f"From {transfer.giver} to {transfer.taker}, attested by {transfer.attested_by}: "
            f"{transfer.evidence.report.indication.value}."
        ),
        "uco-action:startTime": _time(transfer.at),
        "uco-action:endTime": _time(transfer.at),
        "uco-action:performer": {"@id": _id("organization", transfer.attested_by)},
        "uco-action:participant": [
            {"@id": _id("organization", transfer.giver)},
            {"@id": _id("organization", transfer.taker)},
        ],
        "uco-action:object": [{"@id": _id("provenance", message.folder)}],
        "uco-action:result": [{"@id": _id("file", transfer.evidence.file.path)}],
    }


def _time(moment: datetime) -> dict[str, str]:
    return {"@type": "xsd:dateTime", "@value": moment.isoformat()}


def _id(kind: str, name: str) -> str:
    """An identifier made from what is identified (UUID version 8 of RFC 9562, from SHA-256)."""
    digest = bytearray(hashlib.sha256(f"{kind}\0{name}".encode()).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x80
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    parts = (text[:8], text[8:12], text[12:16], text[16:20], text[20:])
    return f"kb:{kind}-{'-'.join(parts)}"
