"""A national document as the envelope that the connector would make of it, as far as that can be
told without the running connector."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from connector.directory.authorities import Directory
from connector.envelope.binding import NAMESPACE
from connector.envelope.check import check
from connector.envelope.identify import identify
from connector.envelope.xml_read import without_signatures
from connector.envelope.xml_write import write_element
from connector.errors import ConnectorError, Problem
from connector.examination.recognition import Document
from connector.exchange.context import Identity
from connector.exchange.records import PayloadRef
from connector.intake.attachments import Attached, attach
from connector.intake.completion import Facts, complete
from connector.intake.submission import NO_WISHES, GivenFile
from connector.translation.formats import Formats, Read
from connector.xml import Element, parse, serialize

_CHUNK: Final = 1024 * 1024
_E: Final = f"{{{NAMESPACE}}}"
_STATED: Final = ("Name", "Size", "Sha256")
_SHA256: Final = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What completes a document: the connector's own data, or nothing but examples."""

    directory: Directory
    identity: Identity | None
    """None without a home: then whoever serves the sender is taken for the connector."""
    now: datetime
    new_id: Callable[[], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document as an envelope."""

    read: Read
    envelope: Element
    complete: bool
    """Whether the envelope is whole and valid; else parts of the header are missing."""
    problems: tuple[Problem, ...]
    """What keeps the document from being sent, with places in the document."""
    warnings: tuple[Problem, ...]
    left_open: tuple[Problem, ...]
    """What kept the envelope from being completed here, though the connector may well do it:
    attachments that did not come along, a directory that is not there."""


def draft(
    document: Document,
    formats: Formats,
    around: Surroundings,
    *,
    format: str | None = None,
    attachments: Sequence[Path] = (),
) -> Draft:
    """Read a national document and complete it as intake does.

    `attachments` are files that come with it; of those that do not, what the document itself says
    of size and digest is taken for true. Raises `ConnectorError` where the document cannot be read
    at all (see `Formats.read`).
    """
    name = format or document.format or formats.identify(document.data, document.name)
    read = formats.read(document.data, name, filename=document.name)
    raw = Draft(
        read=read,
        envelope=read.envelope,
        complete=False,
        problems=read.problems,
        warnings=read.warnings,
        left_open=(),
    )
    if read.problems:
        return raw
    given = [given_file(path) for path in attachments]
    # Completing takes the tree apart; what is left open is told from the tree as it was read.
    working = parse(serialize(read.envelope))
    original = GivenFile(name=Path(document.name).name, payload=_ref_of(document.data))
    media_type = formats[name].media_type

    def attached(files: Sequence[GivenFile]) -> tuple[list[Attached], list[Problem]]:
        return attach(working, original, media_type, files, read.attachments, file=document.name)

    _, missing = attached(given)
    found, unstated = attached([*given, *_stated(working, given)])
    raw = replace(raw, left_open=tuple(missing))
    return raw if unstated else _completed(document, raw, around, working, found)


def _stated(draft: Element, given: Sequence[GivenFile]) -> Iterator[GivenFile]:
    """The attachments that did not come along, as far as the document tells size and digest."""
    came = {each.name for each in given}
    for each in draft.iterfind(f"{_E}Header/{_E}Attachment"):
        name, size, sha256 = (each.findtext(f"{_E}{tag}") or "" for tag in _STATED)
        if name not in came and size.isdecimal() and _SHA256.fullmatch(sha256):
            yield GivenFile(name=name, payload=PayloadRef(sha256=sha256, size=int(size)))


def _completed(
    document: Document,
    raw: Draft,
    around: Surroundings,
    working: Element,
    attached: Sequence[Attached],
) -> Draft:
    read = raw.read
    facts = Facts(
        identity=around.identity or _identity(read, around.directory),
        directory=around.directory,
        ebms_id=around.new_id(),
        now=around.now,
        wishes=NO_WISHES,
        answered=None,
        attached=attached,
    )
    try:
        envelope = complete(working, facts)
    except ConnectorError as error:
        located = read.account.locate(error.problems, file=document.name)
        if around.identity is None or _is_answer(read):
            return replace(raw, left_open=(*raw.left_open, *located))
        return replace(raw, problems=located)
    element = write_element(envelope)
    wrong = read.account.locate(check(element), file=document.name)
    return replace(raw, envelope=element, complete=not wrong, problems=wrong)


def beside(document: Document, read_names: Iterable[str]) -> list[Path]:
    """The files of these names in the document's own folder."""
    folder = Path(document.name).parent
    return [
        path
        for name in dict.fromkeys(read_names)
        if Path(name).name == name and (path := folder / name).is_file()
    ]


def given_file(path: Path) -> GivenFile:
    """A file of any size, digested."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
            size += len(piece)
    return GivenFile(name=path.name, payload=PayloadRef(sha256=digest.hexdigest(), size=size))


def unsigned(document: Document) -> Element:
    """The envelope in `document` without its signatures, none of which is looked at."""
    return without_signatures(parse(document.data, file=document.name))


def _ref_of(data: bytes) -> PayloadRef:
    return PayloadRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data))


def _is_answer(read: Read) -> bool:
    """Much of an answer's header comes from what it answers, which only the store knows."""
    told = identify(read.envelope)
    return told is not None and told.message_type != "Request"


def _identity(read: Read, directory: Directory) -> Identity:
    told = identify(read.envelope)
    sender = directory.find(told.sender) if told else None
    return Identity(
        country=sender.country if sender else "",
        party=sender.party if sender else "",
        name="",
        authority=sender.identifier if sender else "",
        street="",
        locality="",
        postal_code="",
    )
