"""The formats a connector knows: telling them apart, reading and writing documents in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import Final

from connector.errors import ConnectorError, Problem, misconfigured, unacceptable
from connector.errors import Kind as ErrorKind
from connector.translation.account import Account
from connector.translation.codelists import CodeList, read_code_lists
from connector.translation.compilation import Compiler
from connector.translation.compiled import Program
from connector.translation.csv_kind import CsvKind
from connector.translation.csv_layout import read_layout
from connector.translation.engine import Run, Side
from connector.translation.envelope_tree import envelope_place, read_tree, write_tree
from connector.translation.json_kind import JsonKind
from connector.translation.kind import Kind, named_below
from connector.translation.mapping import MAPPING_FILE, MessageName
from connector.translation.mapping import Mapping as MappingFile
from connector.translation.mapping_file import read_mapping
from connector.translation.node import Node, Outcome
from connector.translation.paths import Path
from connector.translation.walking import find
from connector.translation.xml_kind import XmlKind
from connector.xml import Element

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentReference:
    """A file that a document says it comes with."""

    name: str
    id: str | None
    media_type: str | None
    role: str | None
    sha256: str | None
    """Lower-case hexadecimal, where the document states it."""
    place: str
    """Where the document names it."""
    line: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Read:
    """A national document as an envelope."""

    format: str
    message: MessageName
    envelope: Element
    """`Envelope` without what the connector completes: ids, time, sizes and digests."""
    account: Account
    problems: tuple[Problem, ...]
    """What keeps it from being sent, with places in the national document."""
    warnings: tuple[Problem, ...]
    attachments: tuple[AttachmentReference, ...]

    def require(self) -> Read:
        """Itself. Raises `ConnectorError` (unacceptable) with all problems if there are any."""
        if self.problems:
            raise ConnectorError(ErrorKind.UNACCEPTABLE, *self.problems)
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """An envelope as a national document."""

    format: str
    data: bytes
    filename: str
    media_type: str
    account: Account
    problems: tuple[Problem, ...]
    """What the format demands and the envelope does not have, with places in the envelope."""
    warnings: tuple[Problem, ...]
    """What is not in the document, or not exactly; it travels in the signed envelope."""


_MEDIA_TYPES: Final = {"xml": "application/xml", "json": "application/json", "csv": "text/csv"}


@dataclass(frozen=True, kw_only=True)
class Format:
    """One national format, ready to run."""

    mapping: MappingFile
    folder: FilePath
    lists: Mapping[str, CodeList]
    kind: Kind
    reading: Mapping[MessageName, Program]
    writing: Mapping[MessageName, Program]
    markers: Mapping[MessageName, tuple[tuple[Path, tuple[str, ...]], ...]]

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return self.mapping.format.name

    def is_root(self, node: Node) -> bool:
        """Whether a tree's root is one of this format."""
        xml = self.mapping.xml
        return xml is None or node.name in {
            xml.root,
            *(table.root for table in self.mapping.messages.values() if table.root),
        }

    def root_of(self, message: MessageName) -> str:
        """Name of the root element of documents that are written."""
        if self.mapping.xml is None:
            return ""
        return self.mapping.messages[message].root or self.mapping.xml.root

    def message_of(self, root: Node) -> MessageName | None:
        """The message type of a document: the first whose marks are all there."""
        for message, markers in self.markers.items():
            if self.mapping.xml is not None and root.name != self.root_of(message):
                continue
            if all(_marked(root, path, values) for path, values in markers):
                return message
        return None

    def is_identified(self, root: Node) -> bool:
        """Whether the marks of the format are there."""
        if not self.is_root(root):
            return False
        own = self.mapping.identify.match
        markers = next(iter(self.markers.values()), ())
        return all(_marked(root, path, values) for path, values in markers[: len(own)])


def _marked(root: Node, path: Path, values: tuple[str, ...]) -> bool:
    return any((each.value or "").strip() in values for each in find(root, path))


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
        return Read(
            format=format,
            message=message,
            envelope=write_tree(goal, chosen.reading[message].order),
            account=_account(chosen, run, reading=True),
            problems=tuple(run.problems),
            warnings=tuple(run.warnings),
            attachments=tuple(_references(header, chosen.kind.place)),
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
        return Written(
            format=format,
            data=document.data,
            filename=_filename(chosen.mapping.format.filename, origin),
            media_type=_MEDIA_TYPES.get(chosen.mapping.format.kind, "application/octet-stream"),
            account=_account(chosen, run, reading=False),
            problems=tuple(run.problems),
            warnings=tuple(run.warnings),
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
    run.warnings.append(Problem(code="translation.inexact", what=what, path=envelope_place(origin)))


def _references(header: Node, place: Callable[[Node], str]) -> Iterable[AttachmentReference]:
    for each in header.kids.get("Attachment", ()):
        found = {name: kids[0] for name, kids in each.kids.items()}
        name = found.get("Name")
        if name is None or name.value is None:
            continue
        origin = name.made_from
        yield AttachmentReference(
            name=name.value,
            id=_value(found.get("Id")),
            media_type=_value(found.get("MediaType")),
            role=_value(found.get("Role")),
            sha256=_value(found.get("Sha256")),
            place=place(origin) if origin is not None else "",
            line=origin.line if origin is not None else None,
        )


def _value(node: Node | None) -> str | None:
    return node.value if node is not None else None


def _filename(pattern: str, envelope: Node) -> str:
    def fill(found: re.Match[str]) -> str:
        node: Node | None = envelope
        for name in found[1].split("/"):
            node = node.first(name) if node is not None else None
        return (node.value if node is not None else None) or "unnamed"

    stem, dot, extension = pattern.rpartition(".")
    name = _UNSAFE.sub("-", re.sub(r"\{([A-Za-z/]+)\}", fill, stem)).strip(".-")[:120]
    return f"{name or 'document'}{dot}{extension}"


KindMaker = Callable[[MappingFile, FilePath], Kind]


def _xml(mapping: MappingFile, folder: FilePath) -> Kind:
    if mapping.xml is None:
        raise _no_table("xml", folder)
    return XmlKind(mapping.xml, mapping.format.limits)


def _json(mapping: MappingFile, folder: FilePath) -> Kind:
    return JsonKind(mapping.json_, mapping.format.limits)


def _csv(mapping: MappingFile, folder: FilePath) -> Kind:
    if mapping.csv is None:
        raise _no_table("csv", folder)
    return CsvKind(mapping.csv, read_layout(folder, mapping.csv), mapping.format.limits)


KINDS: Final[Mapping[str, KindMaker]] = {"xml": _xml, "json": _json, "csv": _csv}
"""Kinds of documents; another one is added here."""


def _no_table(kind: str, folder: FilePath) -> ConnectorError:
    return misconfigured(
        "mapping.invalid",
        f"A format of the kind {kind} needs a table [{kind}].",
        mend="See docs/mapping.md.",
        file=str(folder / MAPPING_FILE),
        path=kind,
    )


def load_format(folder: FilePath) -> Format:
    """The format in `folder`. Raises `ConnectorError` (configuration) with all that is wrong."""
    mapping = read_mapping(folder)
    file = str(folder / MAPPING_FILE)
    maker = KINDS.get(mapping.format.kind)
    if maker is None:
        raise misconfigured(
            "mapping.invalid",
            f"There is no kind of document {mapping.format.kind!r}.",
            mend=f"Known kinds: {', '.join(KINDS)}.",
            file=file,
            path="format.kind",
        )
    kind = maker(mapping, folder)
    lists = read_code_lists(folder / "codes")
    compiler = Compiler(mapping, lists, kind.arrays, kind.typed, file)
    compiled = Format(
        mapping=mapping,
        folder=folder,
        lists=lists,
        kind=kind,
        reading={each: compiler.reading(each) for each in mapping.messages},
        writing={each: compiler.writing(each) for each in mapping.messages},
        markers={each: tuple(compiler.markers(each)) for each in mapping.messages},
    )
    if compiler.problems:
        raise ConnectorError(ErrorKind.CONFIGURATION, *compiler.problems)
    return compiled


def load_formats(folders: Iterable[FilePath], *, strict: bool = False) -> Formats:
    """All formats in `folders`: each a mapping's folder, or a folder of such.

    Raises `ConnectorError` (configuration): `mapping.*` with file and key.
    """
    found: dict[str, Format] = {}
    for folder in folders:
        own = (folder / MAPPING_FILE).is_file()
        places = [folder] if own else sorted(p.parent for p in folder.glob(f"*/{MAPPING_FILE}"))
        for place in places:
            each = load_format(place)
            if each.name in found:
                raise misconfigured(
                    "mapping.name-twice",
                    f"Two formats are named {each.name}.",
                    mend="Rename one of them.",
                    file=str(place / MAPPING_FILE),
                )
            found[each.name] = each
    return Formats(found, strict)
