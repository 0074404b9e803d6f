"""A document in another format, with the account of every field."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from connector.errors import Problem, unacceptable
from connector.examination.drafting import Surroundings, beside, draft, unsigned
from connector.examination.recognition import Document, DocumentKind
from connector.translation.account import Account
from connector.translation.formats import Formats
from connector.xml import Element, serialize

ENVELOPE: Final = "envelope"
"""Name of the format that is no national one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Translation:
    """What became of a document."""

    data: bytes
    filename: str
    """As the format would name it."""
    media_type: str
    accounts: tuple[Account, ...]
    """Into the envelope, out of it, or both."""
    problems: tuple[Problem, ...]
    """What makes the document unfit to be sent or delivered; then `data` must not be used."""
    warnings: tuple[Problem, ...]
    left_open: tuple[Problem, ...] = ()
    """What is missing in the envelope that was made (see `Draft`)."""

    def as_json(self, *, values: bool = False) -> dict[str, Any]:
        """Plain data without the document itself."""
        return {
            "filename": self.filename,
            "media_type": self.media_type,
            "accounts": [each.as_json(values=values) for each in self.accounts],
            "problems": [each.as_json() for each in self.problems],
            "warnings": [each.as_json() for each in self.warnings],
            "left_open": [each.as_json() for each in self.left_open],
        }


def translate(
    document: Document,
    to: str,
    formats: Formats,
    around: Surroundings,
    *,
    origin: str | None = None,
    attachments: Sequence[Path] | None = None,
) -> Translation:
    """The document in the format `to` (or as an envelope).

    `origin` names the format it is in, if it is not to be found out; `attachments` None takes
    those that lie beside the document. Raises `ConnectorError`: `translation.*` where the document
    cannot be read, `translation.no-such-format` (configuration), `translate.same-format`,
    `translate.not-translatable`.
    """
    if to != ENVELOPE:
        formats[to]  # a wrong name is told before anything is read
    if document.kind is DocumentKind.ENVELOPE and origin in {None, ENVELOPE}:
        if to == ENVELOPE:
            raise _same(document, to)
        return _written(unsigned(document), to, formats, file=document.name)
    if document.kind is not DocumentKind.NATIONAL and origin is None:
        raise unacceptable(
            "translate.not-translatable",
            f"It is no document that is translated: {document.title}.",
            mend="Give a national document or an envelope.",
            file=document.name,
        )
    if to in {origin, document.format} and origin in {None, document.format}:
        raise _same(document, to)
    if attachments is None:
        first = formats.read(document.data, origin or document.format or "", filename=document.name)
        attachments = beside(document, (each.name for each in first.attachments))
    made = draft(document, formats, around, format=origin, attachments=attachments)
    if to == ENVELOPE or made.problems:
        return Translation(
            data=serialize(made.envelope),
            filename="envelope.xml",
            media_type="application/xml",
            accounts=(made.read.account,),
            problems=made.problems,
            warnings=made.warnings,
            left_open=made.left_open,
        )
    written = _written(made.envelope, to, formats)
    return Translation(
        data=written.data,
        filename=written.filename,
        media_type=written.media_type,
        accounts=(made.read.account, *written.accounts),
        problems=written.problems,
        warnings=(*made.warnings, *written.warnings),
        left_open=made.left_open,
    )


def _written(
    envelope: Element, to: str, formats: Formats, *, file: str | None = None
) -> Translation:
    """`file` is where the envelope stands; without one its lines mean nothing to anybody."""
    written = formats.write(envelope, to)

    def placed(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
        return tuple(replace(p, file=file, line=p.line if file else None) for p in problems)

    return Translation(
        data=written.data,
        filename=written.filename,
        media_type=written.media_type,
        accounts=(written.account,),
        problems=placed(written.problems),
        warnings=placed(written.warnings),
    )


def _same(document: Document, to: str) -> Exception:
    return unacceptable(
        "translate.same-format",
        f"It is {to} already.",
        mend="Name another format.",
        file=document.name,
    )
