"""The formats a connector knows: telling them apart, reading and writing documents in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from connector.errors import Problem, misconfigured, unacceptable
from connector.translation.account import Account
from connector.translation.engine import Run
from connector.translation.envelope_tree import envelope_place, read_tree, write_tree
from connector.translation.findings import Side
from connector.translation.format import Format, load_format
from connector.translation.kind import Kind, named_below
from connector.translation.mapping import MAPPING_FILE, MessageName
from connector.translation.node import Node, Outcome
from connector.translation.results import AttachmentReference, Read, Written, references
from connector.translation.walking import find, use_tests
from connector.xml import Element

__all__ = [
    "AttachmentReference",
    "Format",
    "Formats",
    "Read",
    "Written",
    "load_format",
    "load_formats",
]

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True)
class Formats:
    """All formats, by name."""

    by_name: Mapping[str, Format]
    strict: bool = False
    """A field that no rule knows is an error instead of a warning."""

    def __getitem__(self, name: str) -> Format:
        try:
            return self.by_name[name]
        except KeyError:
            raise misconfigured(
                "translation.no-such-format",
                f"There is no format {name!r}.",
                mend=f"Known formats: {', '.join(sorted(self.by_name)) or 'none'}.",
            ) from None

    def identify(self, data: bytes, filename: str | None = None) -> str:
        """The name of the format that `data` is in.

        Raises `translation.unknown-format` with what was seen, and what a reader refuses where
        `data` is clearly of its kind (e.g. malformed JSON).
        """
        seen: dict[type[Kind], str] = {}
        for name, each in self.by_name.items():
            if not each.kind.looks_like(data):
                continue
            if each.is_identified(each.kind.read(data, file=filename)):
                return name
            seen.setdefault(type(each.kind), each.kind.seen(data))
        what = next(iter(seen.values()), f"{len(data)} bytes that begin with {data[:24]!r}")
        raise unacceptable(
            "translation.unknown-format",
            f"The document is {what}; no known format looks like that.",
            mend=f"Known formats: {', '.join(sorted(self.by_name)) or 'none'}.",
            file=filename,
        )

    def read(self, data: bytes, format: str, *, filename: str | None = None) -> Read:
        """A national document as an envelope, with the account of every field.

        Raises `ConnectorError` (unacceptable) where the document cannot be read at all:
        `translation.wrong-encoding`, `.malformed`, `.duplicate-key`, `.too-large`, `.too-deep`,
        `.unknown-format`, `.unknown-message-type`, `xml.*`. All else is in `Read.problems`.
        """
        chosen = self[format]
        root = chosen.kind.read(data, file=filename)
        message = self._message(chosen, root, filename)
        goal = Node("Envelope", None)
        kind_of_message = goal.add("Header").add("MessageType")
        kind_of_message.value = message
        for path, values in chosen.markers[message]:
            for mark in find(root, path):
                if (mark.value or "").strip() in values:
                    mark.settle(Outcome.MAPPED, "marker")
                    mark.uses.append(kind_of_message)
                    use_tests(path, mark, kind_of_message, "marker")
        side = Side(
            reading=True,
            place=chosen.kind.place,
            below=chosen.kind.below,
            strict=self.strict,
            file=filename,
        )
        run = Run(root, goal, side)
        run.program(chosen.reading[message])
        header = goal.first("Header") or goal.add("Header")
        official = chosen.check_official(data, filename)
        return Read(
            format=format,
            message=message,
            envelope=write_tree(goal, chosen.reading[message].order),
            account=_account(chosen, run, reading=True),
            problems=(*official.faults, *run.findings.problems),
            warnings=(*official.hints, *run.findings.warnings),
            attachments=tuple(references(header, chosen.kind.place)),
        )

    def write(self, envelope: Element, format: str) -> Written:
        """An envelope as a national document, with the account of every field of the envelope.

        Raises `translation.not-an-envelope`, `translation.message-not-supported`.
        """
        chosen = self[format]
        origin = read_tree(envelope)
        message = _body(origin)
        program = chosen.writing.get(message) if message is not None else None
        if message is None or program is None:
            raise unacceptable(
                "translation.message-not-supported",
                f"The format {format} has no {message or 'such message'}.",
                mend="Deliver the envelope itself, or add the message type to the mapping.",
            )
        goal = Node(chosen.root_of(message), None)
        goal.order = -1
        side = Side(
            reading=False, place=envelope_place, below=named_below, strict=self.strict, file=None
        )
        run = Run(origin, goal, side)
        header = origin.first("Header")
        told = header.first("MessageType") if header is not None else None
        if told is not None:
            told.settle(Outcome.MAPPED, "marker")
        run.program(program)
        document = chosen.kind.write(goal, program.order)
        for node, what in document.changed:
            _tell_change(run, node, what)
        for node, what in document.left_out:
            _tell_change(run, node, what, left_out=True)
        filename = _filename(chosen.mapping.format.filename, origin)
        official = chosen.check_official(document.data, filename, own=True)
        return Written(
            format=format,
            data=document.data,
            filename=filename,
            media_type=chosen.media_type,
            account=_account(chosen, run, reading=False),
            problems=(*run.findings.problems, *official.faults),
            warnings=(*official.hints, *run.findings.warnings),
        )

    def _message(self, chosen: Format, root: Node, filename: str | None) -> MessageName:
        if not chosen.is_identified(root):
            raise unacceptable(
                "translation.unknown-format",
                f"The document is not in the format {chosen.name} ({chosen.mapping.format.title}).",
                mend="Name the right format, or none so that it is found out.",
                file=filename,
                line=root.line,
            )
        message = chosen.message_of(root)
        if message is None:
            marks = chosen.mapping.messages.items()
            known = "; ".join(
                f"{name}: {', '.join(f'{p} = {v[0]}' for p, v in table.match.items())}"
                for name, table in marks
            )
            raise unacceptable(
                "translation.unknown-message-type",
                "The document does not say which kind of message it is.",
                mend=f"Known are {known}.",
                file=filename,
                line=root.line,
            )
        return message


def _account(chosen: Format, run: Run, *, reading: bool) -> Account:
    national, envelope = chosen.kind.place, envelope_place
    return Account(
        format=chosen.name,
        reading=reading,
        origin=run.origin,
        goal=run.goal,
        origin_place=national if reading else envelope,
        goal_place=envelope if reading else national,
    )


def _body(envelope: Node) -> MessageName | None:
    return next((each for each in MessageName if each in envelope.kids), None)


def _tell_change(run: Run, node: Node, what: str, *, left_out: bool = False) -> None:
    origin = node.made_from
    if origin is None:
        return
    origin.notes.append(what)
    if left_out and origin.uses == [node]:
        origin.outcome, origin.uses = Outcome.ANNEXED, []
    run.findings.warnings.append(
        Problem(code="translation.inexact", what=what, path=envelope_place(origin))
    )


def _filename(pattern: str, envelope: Node) -> str:
    def fill(found: re.Match[str]) -> str:
        node: Node | None = envelope
        for name in found[1].split("/"):
            node = node.first(name) if node is not None else None
        return (node.value if node is not None else None) or "unnamed"

    stem, dot, extension = pattern.rpartition(".")
    name = _UNSAFE.sub("-", re.sub(r"\{([A-Za-z/]+)\}", fill, stem)).strip(".-")[:120]
    return f"{name or 'document'}{dot}{extension}"


def load_formats(
    folders: Iterable[FilePath],
    *,
    strict: bool = False,
    official: Mapping[str, FilePath] | None = None,
) -> Formats:
    """All formats in `folders`: each a mapping's folder, or a folder of such.

    `official` says by format where its official schemas are kept; documents are checked against
    them when they are read and when they are written. Raises `ConnectorError` (configuration):
    `mapping.*` with file and key, `official.*`, `translation.no-such-format`.
    """
    kept = dict(official or {})
    found: dict[str, Format] = {}
    for folder in folders:
        own = (folder / MAPPING_FILE).is_file()
        places = [folder] if own else sorted(p.parent for p in folder.glob(f"*/{MAPPING_FILE}"))
        for place in places:
            each = load_format(place, official=kept)
            if each.name in found:
                raise misconfigured(
                    "mapping.name-twice",
                    f"Two formats are named {each.name}.",
                    mend="Rename one of them.",
                    file=str(place / MAPPING_FILE),
                )
            found[each.name] = each
    if unknown := sorted(set(kept) - set(found)):
        raise misconfigured(
            "translation.no-such-format",
            f"Official schemas are named for {', '.join(unknown)}, which is no format.",
            mend=f"Known formats: {', '.join(sorted(found)) or 'none'}.",
        )
    return Formats(found, strict)
