"""What may stand in a mapping file (`mapping.toml`), checked by pydantic; see docs/mapping.md."""

from __future__ import annotations

import tomllib
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from connector.errors import ConnectorError, Kind, Problem, misconfigured
from connector.translation.node import Scalar

MAPPING_FILE = "mapping.toml"


class Direction(StrEnum):
    """Which way a rule works: into the envelope, out of it, or both."""

    BOTH = "both"
    IN = "in"
    OUT = "out"

    @property
    def reads(self) -> bool:
        """Whether it works from the national document to the envelope."""
        return self is not Direction.OUT

    @property
    def writes(self) -> bool:
        """Whether it works from the envelope to the national document."""
        return self is not Direction.IN


class MessageName(StrEnum):
    """Message types: the names of the envelope's body elements."""

    REQUEST = "Request"
    ACKNOWLEDGEMENT = "Acknowledgement"
    CLARIFICATION_REQUEST = "ClarificationRequest"
    CLARIFICATION = "Clarification"
    RESPONSE = "Response"


def _listed(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Texts = Annotated[tuple[str, ...], BeforeValidator(_listed)]
"""One text, or several as a list."""
Match = dict[str, Texts]
"""Fields, each with the values it may have; the first is the one that is written."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class LimitsTable(_Table):
    """How large a document may be before it is refused."""

    max_bytes: int = 16 * 1024 * 1024
    max_depth: int = 64
    """Levels of elements or objects."""
    max_fields: int = 200_000
    """Elements, attributes, members or cells."""


class FormatTable(_Table):
    """What the format is."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]*$")
    title: str
    kind: str
    """`xml`, `json` or `csv`."""
    version: str
    """Of the national format."""
    country: str | None = Field(default=None, pattern=r"^[A-Z]{2}$")
    filename: str
    """Name for documents that are written; `{Header/MessageId}` and the like are filled in."""
    zone: str | None = None
    """Time zone of moments that do not say theirs, e.g. `Europe/Paris`."""
    valid_from: date | None = None
    valid_until: date | None = None
    limits: LimitsTable = LimitsTable()


class XmlTable(_Table):
    """For `kind = "xml"`."""

    root: str
    """Name of the root element, with its prefix."""
    namespaces: dict[str, str]
    """Prefixes that paths use and that are written."""
    default_prefix: str | None = None
    """The prefix whose namespace is written as the default one."""


class JsonTable(_Table):
    """For `kind = "json"`."""

    indent: int | None = Field(default=2, ge=0, le=8)


class LayoutColumns(_Table):
    """Names of the columns of the header file."""

    record: str = "record"
    field: str = "field"
    parent: str = "parent"
    length: str = "length"


class CsvTable(_Table):
    """For `kind = "csv"`."""

    layout: str
    """The header file: one line for each column of each kind of record."""
    layout_columns: LayoutColumns = LayoutColumns()
    encoding: str = "windows-1252"
    delimiter: str = Field(default=";", min_length=1, max_length=1)
    line_end: Literal["\r\n", "\n"] = "\r\n"


class MessageTable(_Table):
    """How a message type is told in the national document."""

    match: Match = {}
    root: str | None = None
    """Root element, where it differs by message type (XML)."""


class OrderTable(_Table):
    """Order of children in documents that are written, where the rules do not give it."""

    path: str
    children: tuple[Texts, ...]
    """Names in order; names in an inner list stand in any order, as they came."""


class NumberTable(_Table):
    """How a number is written."""

    decimal: str = "."
    group: str = ""


class Rule(_Table):
    """One line of a mapping: where a field comes from, where it goes, how it changes."""

    id: str = ""
    source: Texts = ()
    target: Texts = ()
    direction: Direction = Direction.BOTH
    messages: tuple[MessageName, ...] = ()
    required: bool = False
    value: str | None = None
    default: str | None = None
    default_out: str | None = None
    codes: str | None = None
    date: Texts | None = None
    moment: Texts | None = None
    zone: str | None = None
    number: NumberTable | None = None
    boolean: tuple[str, str] | None = None
    local_id: bool = False
    generate: str | None = None
    join: str | None = None
    split: str | None = None
    separator: str | None = None
    source_pattern: str | None = None
    target_pattern: str | None = None
    type: Scalar = Scalar.STRING
    write_also: dict[str, str] = {}
    if_source: str | None = None
    if_target: str | None = None
    annex: str | None = None
    drop: str | None = None
    lost: str | None = None

    @model_validator(mode="after")
    def _makes_sense(self) -> Rule:
        reasons = [name for name in ("annex", "drop", "lost") if getattr(self, name) is not None]
        if reasons:
            self._check_reason(reasons)
        elif self.value is not None:
            if bool(self.source) == bool(self.target):
                raise ValueError("a constant has a source or a target, not both")
        elif self.generate is not None:
            if self.source or len(self.target) != 1:
                raise ValueError("'generate' goes with one target and no source")
        elif not (self.source and self.target):
            raise ValueError("source or target is missing; say annex, drop, lost or value")
        if not reasons and len(self.source) > 1 and (self.join is None or len(self.target) != 1):
            raise ValueError("several sources need 'join' and one target")
        if not reasons and len(self.target) > 1 and (self.split is None or len(self.source) != 1):
            raise ValueError("several targets need 'split' and one source")
        kinds = ("codes", "date", "moment", "number", "boolean", "local_id")
        chosen = [name for name in kinds if getattr(self, name)]
        if len(chosen) > 1:
            raise ValueError(f"{' and '.join(chosen)} exclude each other")
        return self

    def _check_reason(self, reasons: list[str]) -> None:
        if len(reasons) > 1:
            raise ValueError(f"{' and '.join(reasons)} exclude each other")
        if not getattr(self, reasons[0]).strip():
            raise ValueError(f"{reasons[0]!r} needs a reason")
        side, other = (
            (self.target, self.source) if reasons[0] == "lost" else (self.source, self.target)
        )
        if not side or other:
            named = "target" if reasons[0] == "lost" else "source"
            raise ValueError(f"{reasons[0]!r} goes with a {named} and nothing else")


class Group(_Table):
    """Rules under a common place; with `[]` they run once for each of its occurrences."""

    id: str
    source: str = "."
    target: str = "."
    direction: Direction = Direction.BOTH
    messages: tuple[MessageName, ...] = ()
    required: bool = False
    if_source: str | None = None
    if_target: str | None = None
    use: Texts = ()
    """Blocks whose rules and groups follow its own."""
    rules: tuple[Rule, ...] = ()
    groups: tuple[Group, ...] = ()


class Block(_Table):
    """Rules and groups that several groups use: an address, a contact."""

    id: str
    use: Texts = ()
    rules: tuple[Rule, ...] = ()
    groups: tuple[Group, ...] = ()


class IdentifyTable(_Table):
    """How documents of the format are told from others."""

    match: Match = {}


class Mapping(_Table):
    """A whole mapping file."""

    format: FormatTable
    identify: IdentifyTable = IdentifyTable()
    xml: XmlTable | None = None
    json_: JsonTable = Field(default=JsonTable(), alias="json")
    csv: CsvTable | None = None
    messages: dict[MessageName, MessageTable] = Field(min_length=1)
    order: tuple[OrderTable, ...] = ()
    include: tuple[str, ...] = ()
    """Further files with groups and blocks, in order."""
    block: tuple[Block, ...] = ()
    group: tuple[Group, ...] = ()


def read_mapping(folder: Path) -> Mapping:
    """The mapping in `folder`, with the groups of the files it includes.

    Raises `ConnectorError` (configuration): `mapping.unreadable`, `mapping.invalid` with one
    problem for each key that is wrong.
    """
    file = folder / MAPPING_FILE
    raw = read_toml(file)
    for name in raw.get("include", ()):
        more = read_toml(folder / str(name))
        if others := sorted(set(more) - {"group", "block"}):
            raise misconfigured(
                "mapping.invalid",
                f"An included file holds groups and blocks, not {', '.join(others)}.",
                mend=f"Move the rest to {MAPPING_FILE}.",
                file=str(folder / str(name)),
            )
        for table in ("group", "block"):
            raw.setdefault(table, []).extend(more.get(table, ()))
    return _expanded(validated(Mapping, raw, file), file)


def _expanded(mapping: Mapping, file: Path) -> Mapping:
    """The mapping with the blocks put into the groups that use them."""
    blocks = {block.id: block for block in mapping.block}

    def parts(
        each: Group | Block, within: tuple[str, ...]
    ) -> tuple[tuple[Rule, ...], tuple[Group, ...]]:
        rules, groups = each.rules, tuple(whole(group, within) for group in each.groups)
        for name in each.use:
            if name not in blocks or name in within:
                what = "holds itself" if name in within else "does not exist"
                raise misconfigured(
                    "mapping.invalid",
                    f"The block {name!r} {what}.",
                    mend="Correct 'use'.",
                    file=str(file),
                    path=f"{each.id}.use",
                )
            more_rules, more_groups = parts(blocks[name], (*within, name))
            rules, groups = rules + more_rules, groups + more_groups
        return rules, groups

    def whole(group: Group, within: tuple[str, ...]) -> Group:
        rules, groups = parts(group, within)
        return group.model_copy(update={"rules": rules, "groups": groups, "use": ()})

    return mapping.model_copy(update={"group": tuple(whole(g, ()) for g in mapping.group)})


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises `mapping.unreadable`."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise misconfigured(
            "mapping.unreadable",
            f"The file cannot be read: {error}",
            mend="It must be TOML 1.0 in UTF-8.",
            file=str(file),
        ) from error


M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], raw: dict[str, Any], file: Path) -> M:
    """`raw` as a `model`. Raises `mapping.invalid` with a problem for each wrong key."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ConnectorError(
            Kind.CONFIGURATION,
            *(
                Problem(
                    code="mapping.invalid",
                    what=str(each["msg"]).removeprefix("Value error, "),
                    mend="See docs/mapping.md for what may stand here.",
                    file=str(file),
                    path=_key(each["loc"]),
                )
                for each in error.errors(include_url=False, include_context=False)
            ),
        ) from error


def _key(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
