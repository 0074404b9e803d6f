"""Writing a dossier: every file streamed from the store into one sealed container."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import unquote

from connector.container.asic_extended import ExtendedSeal, Item, seal_extended
from connector.container.payloads import BytesSource
from connector.container.sealing import (
    SIGNATURES_HEAD,
    SIGNATURES_TAIL,
    Document,
    Writable,
)
from connector.dossier.case_bundle import case_bundle
from connector.dossier.gathering import signatures_of
from connector.dossier.model import Dossier, summary
from connector.dossier.page import custody_page
from connector.dossier.page_pdf import custody_pdf
from connector.exchange.ports import PayloadStore
from connector.signature import xades
from connector.signature.dsig_model import Reference
from connector.signature.keys import SigningKey
from connector.signature.xades_levels import Level, Services, extend
from connector.validation.xml_report import as_xml
from gateway_client.model import PayloadSource

SUMMARY: Final = "dossier.json"
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """With what a dossier is sealed."""

    key: SigningKey
    services: Services | None
    """For the level LTA; without them the seal is at level B."""
    at: datetime


def dossier_documents(dossier: Dossier, payloads: PayloadStore) -> list[Document]:
    """What goes into the container, in order: overview, pages, bundle, files, reports."""

    def made(name: str, media_type: str, data: bytes) -> Document:
        return Document(name, media_type, BytesSource(data))

    text = json.dumps(summary(dossier), ensure_ascii=False, indent=2) + "\n"
    documents = [
        made(SUMMARY, "application/json", text.encode()),
        made("chain-of-custody.html", "text/html", custody_page(dossier)),
        made("chain-of-custody.pdf", "application/pdf", custody_pdf(dossier)),
        made("case.jsonld", "application/ld+json", case_bundle(dossier)),
    ]
    for file in dossier.files:
        documents.append(Document(file.path, file.media_type, payloads.source(file.payload)))
    for signed in signatures_of(dossier):
        name = f"validation/{signed.file.path.removeprefix('messages/')}.xml"
        documents.append(made(name, "application/xml", as_xml(signed.report)))
    return documents


def write_dossier(
    target: Writable,
    documents: Sequence[Document],
    sealing: Sealing,
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> ExtendedSeal:
    """Write the container, in constant memory; `progress` gets each number of bytes passed.

    At level LTA every file passes three times: digested, written, and once more for the archive
    timestamp. Raises `ConnectorError`: see `seal_extended`, `xades_levels.extend`.
    """
    sources = {document.name: document.source for document in documents}

    def sign(items: Sequence[Item]) -> bytes:
        signature = xades.sign_detached(items, sealing.key, sealing.at)
        if sealing.services is None:
            return signature
        whole = SIGNATURES_HEAD + signature + SIGNATURES_TAIL

        def contents(reference: Reference) -> Iterable[bytes] | None:
            source = sources.get(unquote(reference.uri or ""))
            return None if source is None else _pieces(source, progress)

        raised = extend(whole, Level.LTA, sealing.services, sealing.at, contents=contents)
        return raised[len(SIGNATURES_HEAD) : -len(SIGNATURES_TAIL)]

    return seal_extended(target, documents, sign, sealing.at, progress=progress)


def _pieces(source: PayloadSource, progress: Callable[[int], object]) -> Iterable[bytes]:
    with source.open() as stream:
        while piece := stream.read(_CHUNK):
            progress(len(piece))
            yield piece
