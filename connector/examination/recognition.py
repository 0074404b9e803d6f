"""What a file is, told by its content: its name does not count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from connector.envelope.xml_read import ROOT as ENVELOPE_ROOT
from connector.errors import ConnectorError, unacceptable
from connector.evidence.types import REM
from connector.examination.sources import read_whole
from connector.translation.formats import Formats
from connector.translation.official_files import schema_declaring
from connector.xml import Element, parse
from gateway_client.model import PayloadSource

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_PDF: Final = b"%PDF-"
_MARKS: Final = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks."""


class DocumentKind(StrEnum):
    """What there is to look at."""

    ENVELOPE = "envelope"
    CONTAINER = "container"
    TOKEN = "token"  # noqa: S105 - a kind of document
    EVIDENCE = "evidence"
    PDF = "pdf"
    NATIONAL = "national"
    """A document in one of the known national formats."""


TITLES: Final[Mapping[DocumentKind, str]] = {
    DocumentKind.ENVELOPE: "e-MLA envelope",
    DocumentKind.CONTAINER: "container (ASiC)",
    DocumentKind.TOKEN: "TrustOK token",
    DocumentKind.EVIDENCE: "ETSI REM evidence",
    DocumentKind.PDF: "PDF",
    DocumentKind.NATIONAL: "national document",
}
"""In words for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file whose kind is known."""

    name: str
    """How people are told of it, usually its path."""
    kind: DocumentKind
    source: PayloadSource
    data: bytes = b""
    """All of it; empty for a container, which may be larger than memory."""
    root: Element | None = None
    """Of XML. Shared: whoever changes it parses `data` again."""
    format: str | None = None
    """Name of the national format."""
    mapped: bool = True
    """False if only the official schemas of the format know this message, not its mapping."""

    @property
    def title(self) -> str:
        """What it is, in words."""
        title = TITLES[self.kind]
        return f"{title}, format {self.format}" if self.format else title


def recognise(name: str, source: PayloadSource, formats: Callable[[], Formats]) -> Document:
    """What the file is. `formats` is only asked for what no other kind of document looks like.

    Raises `ConnectorError` (unacceptable): `document.unknown` if it is nothing that is known,
    `document.empty`, `document.too-large`, `xml.*` where XML is malformed or refused, and what
    `Formats.identify` says of documents that are malformed in their own way.
    """
    with source.open() as stream:
        head = stream.read(1024)
    if head.startswith(_ZIP):
        return Document(name=name, kind=DocumentKind.CONTAINER, source=source)
    data = read_whole(source, name)
    if head.startswith(_PDF):
        return Document(name=name, kind=DocumentKind.PDF, source=source, data=data)
    root = parse(data, file=name) if _is_markup(head) else None
    if root is not None and (kind := _kind_of(root)) is not None:
        return Document(name=name, kind=kind, source=source, data=data, root=root)
    found, mapped = _format_of(name, data, root, formats())
    return Document(
        name=name,
        kind=DocumentKind.NATIONAL,
        source=source,
        data=data,
        root=root,
        format=found,
        mapped=mapped,
    )


def _is_markup(head: bytes) -> bool:
    for mark in _MARKS:
        head = head.removeprefix(mark)
    return head.replace(b"\0", b"").lstrip()[:1] == b"<"


def _kind_of(root: Element) -> DocumentKind | None:
    tag = str(root.tag)
    if tag == ENVELOPE_ROOT:
        return DocumentKind.ENVELOPE
    if tag == "TrustOkToken":
        return DocumentKind.TOKEN
    return DocumentKind.EVIDENCE if tag.startswith(f"{{{REM}}}") else None


def _format_of(name: str, data: bytes, root: Element | None, formats: Formats) -> tuple[str, bool]:
    """The national format, and whether its mapping knows the document."""
    try:
        return formats.identify(data, name), True
    except ConnectorError as error:
        if error.code != "translation.unknown-format":
            raise
        if found := _declared(root, formats):
            return found, False
        raise _unknown(name, error, formats) from error


def _declared(root: Element | None, formats: Formats) -> str:
    """The format whose official schemas, as far as they are there, declare the root element."""
    for name, each in formats.by_name.items():
        schemas = each.official
        if (
            root is not None
            and schemas is not None
            and schema_declaring(root, schemas.folder, schemas.xsd) is not None
        ):
            return name
    return ""


def _unknown(name: str, error: ConnectorError, formats: Formats) -> ConnectorError:
    known = ", ".join(sorted(formats.by_name)) or "none"
    return unacceptable(
        "document.unknown",
        error.problems[0].what,
        mend="Known are envelopes, containers, tokens and evidences, and the national formats "
        f"{known}.",
        file=name,
    )
