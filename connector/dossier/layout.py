"""Where the files of a message lie once they are outside the store: in a dossier, in an export."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from connector.container.names import entry_names
from connector.exchange.records import EvidenceRecord, Part, PartRole

_PLACES: Final = {
    PartRole.ORIGINAL: ("original", "document as it was handed over"),
    PartRole.ATTACHMENT: ("attachments", "attachment"),
    PartRole.NATIONAL: ("delivered", "document as it was delivered"),
    PartRole.ENVELOPE: ("proofs", "signed envelope"),
    PartRole.CONTAINER: ("proofs", "sealed container"),
    PartRole.TOKEN_XML: ("proofs", "TrustOK token"),
    PartRole.TOKEN_PDF: ("proofs", "TrustOK token for people"),
    PartRole.REPORT: ("reports", "report of the connector"),
    PartRole.RECEIPT: ("transport", "receipt of the partner's gateway"),
    PartRole.SOAP: ("transport", "transport header as received"),
}
"""Evidences are laid out from their own records, in the order in which they came."""


def placed(parts: Sequence[Part]) -> Iterator[tuple[Part, str]]:
    """Each part with its path, sorted by folder; no two have the same."""
    taken: dict[str, set[str]] = {}
    for role, (folder, _) in _PLACES.items():
        of_role = [part for part in parts if part.role is role]
        names = entry_names(
            (part.name for part in of_role), reserved=taken.setdefault(folder, set())
        )
        taken[folder] |= set(names)
        for part, name in zip(of_role, names, strict=True):
            yield part, f"{folder}/{name}"


def what_is(part: Part) -> str:
    """What a part is, in words."""
    _, what = _PLACES[part.role]
    return f"{what} ({part.description})" if part.description else what


def evidence_paths(evidences: Sequence[EvidenceRecord]) -> Iterator[tuple[EvidenceRecord, str]]:
    """Each evidence with its path, in order."""
    for number, evidence in enumerate(evidences, 1):
        yield evidence, f"evidences/{number:02d}-{evidence.type}.xml"
