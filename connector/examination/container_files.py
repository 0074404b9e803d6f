"""Files in a container that have rules of their own, and the list of them in the envelope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from connector.container.extraction import ContainedFile
from connector.container.names import TOKEN_PDF
from connector.envelope.xml_read import read
from connector.errors import ConnectorError, Problem
from connector.examination.recognition import Document, DocumentKind, recognise
from connector.translation.formats import Formats
from connector.xml import Element

_SIGNED: Final = frozenset({DocumentKind.ENVELOPE, DocumentKind.TOKEN, DocumentKind.EVIDENCE})
_ENVELOPE: Final = "envelope.xml"


def signed_files(container: str, files: Sequence[ContainedFile]) -> Iterator[Document]:
    """The envelope, token and evidences among the files of a container, and the token's PDF.

    All else are attachments, whatever they look like. Files that are too large to be kept are none
    of these.
    """
    for file in files:
        try:
            inside = recognise(f"{container}!{file.name}", file.source, _no_formats)
        except ConnectorError:
            continue
        if inside.kind in _SIGNED or file.name == TOKEN_PDF:
            yield inside


def _no_formats() -> Formats:
    return Formats({})


def unlike_listed(root: Element, files: Sequence[ContainedFile]) -> Iterator[Problem]:
    """Where the files of a container are not those that the header of its envelope lists.

    Codes as on arrival: `container.attachment-missing`, `container.attachment-altered`,
    `container.attachment-unlisted`. Says nothing about an envelope that cannot be read.
    """
    try:
        header = read(root).header
    except ConnectorError:
        return
    path = "Envelope/Header/Attachment"
    given = {each.name: each for each in files if each.name != TOKEN_PDF}
    given.pop(_ENVELOPE, None)
    for stated in header.attachments:
        file = given.pop(stated.name, None)
        if file is None:
            what = f"The envelope lists {stated.name!r}, which is not in the container."
            yield Problem(code="container.attachment-missing", what=what, path=path)
        elif (file.size, file.sha256.hex()) != (stated.size, stated.sha256):
            what = f"{stated.name!r} is not the file that the envelope lists: its SHA-256 differs."
            yield Problem(code="container.attachment-altered", what=what, path=path)
    for name in given:
        what = f"The container holds {name!r}, which the envelope does not list."
        yield Problem(code="container.attachment-unlisted", what=what, path=path)
