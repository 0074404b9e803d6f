"""Holding the files that came against those that the document names. Pure."""

from __future__ import annotations

import mimetypes
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from connector.container.names import TOKEN_PDF, entry_names
from connector.envelope.binding import NAMESPACE
from connector.envelope.codes import AttachmentRole
from connector.envelope.header import AttachmentInfo
from connector.envelope.xml_read import build
from connector.errors import Problem
from connector.exchange.departure import ENVELOPE_NAME
from connector.exchange.records import PayloadRef
from connector.intake.submission import GivenFile
from connector.translation.formats import AttachmentReference
from connector.xml import Element

_ATTACHMENT: Final = f"{{{NAMESPACE}}}Attachment"
_HEADER: Final = f"{{{NAMESPACE}}}Header"
_NAME: Final = f"{{{NAMESPACE}}}Name"
_ID: Final = f"{{{NAMESPACE}}}Id"
_UNKNOWN: Final = "application/octet-stream"
_NO_ID: Final = re.compile(r"[^A-Za-z0-9_.-]+")


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that travels with the message: what the header says of it, and its content."""

    info: AttachmentInfo
    payload: PayloadRef


def attach(
    draft: Element,
    original: GivenFile,
    original_media_type: str,
    files: Sequence[GivenFile],
    places: Sequence[AttachmentReference] = (),
    *,
    file: str | None = None,
) -> tuple[list[Attached], list[Problem]]:
    """What the header is to list, in order, and what is wrong.

    The files that the draft's header names come first, then those that came without being named
    (as annexes), last the document itself as it was handed over. Problems:
    `intake.attachment-missing`, `intake.attachment-differs`, `intake.name-twice`.
    """
    given = {_key(each.name): each for each in files}
    problems = _doubled(files)
    place_of = {each.name: each for each in places}
    found: list[Attached] = []
    taken_ids = {(_text(each, _ID)) for each in _stated(draft)}
    for element in _stated(draft):
        name = _text(element, _NAME)
        came = given.pop(_key(name), None)
        where = _where(place_of.get(name), file)
        if came is None:
            what = f"The document names the attachment {name!r}, which did not come with it."
            mend = "Hand it over together with the document, under exactly this name."
            problems.append(
                Problem(code="intake.attachment-missing", what=what, mend=mend, **where)
            )
            continue
        stated = place_of.get(name)
        if stated is not None and stated.sha256 and stated.sha256 != came.payload.sha256:
            what = f"{name!r} is another file than the one the document means (SHA-256)."
            mend = "Hand over the very file that the document was made with."
            problems.append(
                Problem(code="intake.attachment-differs", what=what, mend=mend, **where)
            )
        info: AttachmentInfo = build(
            AttachmentInfo,
            element,
            replace={"size": came.payload.size, "sha256": came.payload.sha256},
            default={
                "id": _free_id(name, taken_ids),
                "media_type": _media_type(name),
                "role": AttachmentRole.ANNEX,
            },
        )
        found.append(Attached(info, came.payload))
    for came in given.values():
        found.append(_plain(came, _media_type(came.name), AttachmentRole.ANNEX, taken_ids))
    found.append(_plain(original, original_media_type, AttachmentRole.ORIGINAL, taken_ids))
    return _with_entry_names(found), problems


def _with_entry_names(found: list[Attached]) -> list[Attached]:
    """Names as they will be in the container, so that header and container say the same."""
    names = entry_names((each.info.name for each in found), reserved=(TOKEN_PDF, ENVELOPE_NAME))
    return [
        replace(each, info=replace(each.info, name=name))
        for each, name in zip(found, names, strict=True)
    ]


def _plain(file: GivenFile, media_type: str, role: AttachmentRole, ids: set[str]) -> Attached:
    info = AttachmentInfo(
        id=_free_id("original" if role is AttachmentRole.ORIGINAL else file.name, ids),
        name=file.name,
        media_type=media_type,
        size=file.payload.size,
        sha256=file.payload.sha256,
        role=role,
    )
    return Attached(info, file.payload)


def _stated(draft: Element) -> list[Element]:
    header = draft.find(_HEADER)
    return [] if header is None else list(header.iterchildren(_ATTACHMENT))


def _text(element: Element, tag: str) -> str:
    return " ".join((element.findtext(tag) or "").split())


def _key(name: str) -> str:
    """Composed and decomposed letters are one name: file systems differ there."""
    return unicodedata.normalize("NFC", " ".join(name.split()))


def _doubled(files: Sequence[GivenFile]) -> list[Problem]:
    names = [_key(each.name) for each in files]
    return [
        Problem(
            code="intake.name-twice",
            what=f"Two attachments are named {name!r}.",
            mend="Give each file a name of its own.",
        )
        for name in dict.fromkeys(names)
        if names.count(name) > 1
    ]


def _where(place: AttachmentReference | None, file: str | None) -> Mapping[str, Any]:
    if place is None:
        return {"file": file}
    return {"file": file, "line": place.line, "path": place.place or None}


def _media_type(name: str) -> str:
    return mimetypes.guess_type(name, strict=False)[0] or _UNKNOWN


def _free_id(name: str, taken: set[str]) -> str:
    """An id for the header (`LocalId` of the schema) that looks like the file's name."""
    stem = _NO_ID.sub("-", name.rpartition(".")[0] or name).strip("-.")[:40]
    base = stem if stem[:1].isalpha() else f"file-{stem}".rstrip("-")
    candidate, count = base, 1
    while candidate in taken:
        count += 1
        candidate = f"{base}-{count}"
    taken.add(candidate)
    return candidate
