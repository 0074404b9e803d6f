"""What may stand in a mapping file (`mapping.toml`), checked by pydantic; see docs/mapping.md."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

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
    written: dict[str, str] = {}
    """Prefixes that are written, where they are others than in paths. A namespace whose names have
    no prefix in paths (`""`) needs one here if the document has names without a namespace: those
    are `{}name` in paths."""


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
    otherwise: bool = False
    """Taken where a document has none of the fields that tell message types."""


class OrderTable(_Table):
    """Order of children in documents that are written, where the rules do not give it."""

    path: str
    """From the root, or `**/` and the last names of all the places that are meant."""
    children: tuple[Texts, ...]
    """Names in order; names in an inner list stand in any order, as they came."""


class TextTable(_Table):
    """Which texts the fields of a national type can hold."""

    pattern: str
    """Regular expression for the whole text."""
    max_length: int | None = Field(default=None, ge=1)
    sign: str = Field(default="?", min_length=1, max_length=1)
    """Stands for each sign that the fields cannot hold, where a text has to be written."""


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
    mend: str = ""
    """What to do where a required field is missing."""
    value: str | None = None
    must: bool = False
    """Another value than `value` is a problem."""
    default: str | None = None
    default_out: str | None = None
    placeholder: str | None = None
    """Written where there is nothing that can be written; no value where it is read."""
    fits: str | None = None
    """The table `[texts.…]` that a text must follow to be written."""
    forced: bool = False
    """A text that does not fit is written with other signs, but does not count as mapped."""
    rest: bool = False
    """Only for fields that have not been mapped before."""
    also: bool = False
    """Written for those who look there, but does not account for the field."""
    codes: str | None = None
    date: Texts | None = None
    moment: Texts | None = None
    zone: str | None = None
    number: NumberTable | None = None
    boolean: tuple[str, str] | None = None
    local_id: bool = False
    uuid: bool = False
    """Written as a UUID: the one that the text begins with, else one made from it."""
    generate: str | None = None
    first: int = 1
    """The first number of `generate`."""
    join: str | None = None
    split: str | None = None
    separator: str | None = None
    source_pattern: str | None = None
    target_pattern: str | None = None
    type: Scalar = Scalar.STRING
    write_also: dict[str, Texts] = {}
    """Fields beside the value: the first text is written, each is expected, `*` is any."""
    if_source: str | None = None
    if_target: str | None = None
    unless_source: str | None = None
    unless_target: str | None = None
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
            if len(self.source) + len(self.target) != 1:
                raise ValueError("'generate' goes with one source or one target")
        elif not (self.source and self.target):
            raise ValueError("source or target is missing; say annex, drop, lost or value")
        if not reasons and len(self.source) > 1 and (self.join is None or len(self.target) != 1):
            raise ValueError("several sources need 'join' and one target")
        if not reasons and len(self.target) > 1 and (self.split is None or len(self.source) != 1):
            raise ValueError("several targets need 'split' and one source")
        if self.must and (self.value is None or not self.source):
            raise ValueError("'must' goes with a source and a value")
        if self.forced and self.fits is None:
            raise ValueError("'forced' goes with 'fits'")
        kinds = ("codes", "date", "moment", "number", "boolean", "local_id", "uuid")
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
    mend: str = ""
    """What to do where it is missing."""
    if_source: str | None = None
    if_target: str | None = None
    unless_source: str | None = None
    unless_target: str | None = None
    rest_source: str | None = None
    """Read only where something at this place has not been mapped before."""
    rest_target: str | None = None
    """The same for writing."""
    remaining: bool = False
    """Not for what an earlier group with the same target has taken."""
    annex: str | None = None
    """Why what is below, and no rule has taken, is annexed."""
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
    """Further files with groups, blocks, orders and texts, one after the other."""
    abbreviations: dict[str, str] = {}
    """Parts of paths by name: `$name`, or `$name(text)` with the text for `%`."""
    texts: dict[str, TextTable] = {}
    block: tuple[Block, ...] = ()
    group: tuple[Group, ...] = ()
