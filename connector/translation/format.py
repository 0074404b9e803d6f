"""One national format, ready to run: its programs, code lists and official schemas."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path as FilePath
from typing import Final

from connector.errors import ConnectorError, Problem, misconfigured
from connector.errors import Kind as ErrorKind
from connector.translation.codelists import CodeList, read_code_lists
from connector.translation.compilation import Compiler
from connector.translation.compiled import Program
from connector.translation.csv_kind import CsvKind
from connector.translation.csv_layout import read_layout
from connector.translation.json_kind import JsonKind
from connector.translation.kind import Kind
from connector.translation.mapping import MAPPING_FILE, MessageName
from connector.translation.mapping import Mapping as MappingFile
from connector.translation.mapping_file import read_mapping
from connector.translation.node import Node
from connector.translation.official import (
    OfficialSchemas,
    faults,
    load_official,
    validate_official,
)
from connector.translation.paths import Path
from connector.translation.walking import find
from connector.translation.xml_kind import XmlKind
from connector.xml import Limits, parse

OFFICIAL_FILE: Final = "official.toml"
"""What the format's authors publish to check documents with; beside the mapping."""
MEDIA_TYPES: Final = {"xml": "application/xml", "json": "application/json", "csv": "text/csv"}
"""Of documents, by their kind."""


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
    official: OfficialSchemas | None = None
    """Official schemas, where a folder for them is configured."""
    has_official: bool = False
    """Whether there are any that could be."""

    @property
    def name(self) -> str:
        """By which it is chosen."""
        return self.mapping.format.name

    @property
    def media_type(self) -> str:
        """Of its documents."""
        return MEDIA_TYPES[self.mapping.format.kind]

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
        return self._otherwise(root)

    def _otherwise(self, root: Node) -> MessageName | None:
        """What a document is that has none of the fields which tell message types."""
        known = len(self.mapping.identify.match)
        told = [path for markers in self.markers.values() for path, _ in markers[known:]]
        if any(find(root, path) for path in told):
            return None
        messages = self.mapping.messages.items()
        return next((message for message, table in messages if table.otherwise), None)

    def is_identified(self, root: Node) -> bool:
        """Whether the marks of the format are there."""
        if not self.is_root(root):
            return False
        own = self.mapping.identify.match
        markers = next(iter(self.markers.values()), ())
        return all(_marked(root, path, values) for path, values in markers[: len(own)])

    def check_official(self, data: bytes, file: str | None, *, own: bool = False) -> Checked:
        """What the official schemas say of a document in this format; `own` if it was written
        here, so that a fault is one of the mapping.

        Raises `ConnectorError` (configuration) `official.*` if they cannot be used.
        """
        if not self.has_official:
            return Checked()
        limits = self.mapping.format.limits
        root = parse(
            data, limits=Limits(max_bytes=limits.max_bytes, max_elements=limits.max_fields)
        )
        found = validate_official(root, self.official, file=file)
        wrong = faults(found)
        hints = tuple(each for each in found if each not in wrong)
        if own:
            mend = f"The mapping {self.name} must be corrected: it wrote this."
            wrong = tuple(replace(each, mend=mend) for each in wrong)
        return Checked(wrong, hints)


@dataclass(frozen=True, slots=True)
class Checked:
    """What the official schemas say of a document."""

    faults: tuple[Problem, ...] = ()
    hints: tuple[Problem, ...] = ()
    """Also that nothing was checked, because nobody said where the schemas are."""


def _marked(root: Node, path: Path, values: tuple[str, ...]) -> bool:
    return any((each.value or "").strip() in values for each in find(root, path))


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


def load_format(folder: FilePath, *, official: Mapping[str, FilePath] | None = None) -> Format:
    """The format in `folder`; `official` says by name where its official schemas are kept.

    Raises `ConnectorError` (configuration) with all that is wrong.
    """
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
    schemas = (official or {}).get(mapping.format.name)
    description = folder / OFFICIAL_FILE
    if schemas is not None and not description.is_file():
        raise misconfigured(
            "official.description",
            f"Nothing says which official schemas hold for {mapping.format.name}.",
            mend=f"Write {OFFICIAL_FILE} beside its mapping, or name no folder for this format.",
            file=str(description),
        )
    compiled = Format(
        mapping=mapping,
        folder=folder,
        lists=lists,
        kind=kind,
        reading={each: compiler.reading(each) for each in mapping.messages},
        writing={each: compiler.writing(each) for each in mapping.messages},
        markers={each: tuple(compiler.markers(each)) for each in mapping.messages},
        official=load_official(description, schemas),
        has_official=description.is_file(),
    )
    if compiler.problems:
        raise ConnectorError(ErrorKind.CONFIGURATION, *compiler.problems)
    return compiled
