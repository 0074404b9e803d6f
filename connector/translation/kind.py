"""What a kind of document (XML, JSON, CSV …) must be able to do; one instance serves one format."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Protocol

from connector.errors import ConnectorError, unacceptable
from connector.translation.compiled import Order
from connector.translation.mapping import LimitsTable
from connector.translation.node import Node

MAX_NAME: Final = 1000
"""Characters of the name of an element, attribute or member, its namespace included."""


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was written."""

    data: bytes
    changed: tuple[tuple[Node, str], ...] = field(default=())
    """Fields that could not be written as they are, each with what happened to it."""
    left_out: tuple[tuple[Node, str], ...] = field(default=())
    """Fields that could not be written at all, each with the reason."""


class Kind(Protocol):
    """Reads and writes documents of one format."""

    arrays: bool
    """Whether steps that repeat are members of arrays."""
    typed: bool
    """Whether fields have types of their own (numbers, booleans)."""

    def looks_like(self, data: bytes) -> bool:
        """Whether `data` may be of this kind at all, by its first bytes."""
        ...

    def seen(self, data: bytes) -> str:
        """What `data` is, in a few words, for a person who has to find out why it is unknown."""
        ...

    def read(self, data: bytes, *, file: str | None = None) -> Node:
        """The neutral tree. Raises `ConnectorError` (unacceptable) with every problem found."""
        ...

    def write(self, root: Node, order: Order) -> Document:
        """The document; children in `order`."""
        ...

    def place(self, node: Node) -> str:
        """Where a node stands, as people write it for this kind."""
        ...

    def below(self, node: Node, path: str) -> str:
        """Where the field at `path` below `node` would stand."""
        ...


def require_size(data: bytes, limits: LimitsTable, file: str | None) -> None:
    """Raises `translation.too-large`."""
    if len(data) > limits.max_bytes:
        raise unacceptable(
            "translation.too-large",
            f"The document has {len(data)} bytes; the format allows {limits.max_bytes}.",
            mend="Send large content as attachments.",
            file=file,
        )


def require_name(name: str, file: str | None) -> None:
    """Raises `translation.malformed` for a name that no format has: each place would repeat it."""
    if len(name) > MAX_NAME:
        raise unacceptable(
            "translation.malformed",
            f"A name has {len(name)} characters; {MAX_NAME} are allowed ({name[:40]!r} …).",
            mend="Check how the document was made.",
            file=file,
        )


def too_deep(limits: LimitsTable, file: str | None) -> ConnectorError:
    """The refusal of a document with too many levels."""
    return unacceptable(
        "translation.too-deep",
        f"The document has more than {limits.max_depth} levels.",
        mend="Check how it was made.",
        file=file,
    )


def too_many(limits: LimitsTable, file: str | None) -> ConnectorError:
    """The refusal of a document with too many fields."""
    return unacceptable(
        "translation.too-many-fields",
        f"The document has more than {limits.max_fields} fields.",
        mend="Send large content as attachments.",
        file=file,
    )


def line_at(data: bytes, offset: int) -> int:
    """The line that a byte is on, from 1."""
    return data.count(b"\n", 0, offset) + 1


def step_place(node: Node) -> str:
    """A node's name, with its position (from 1) where there are several of that name."""
    name = node.name.removeprefix("{}")
    if node.parent is None or name[:1] == "@":
        return name
    index, count = node.position()
    return name if count == 1 else f"{name}[{index + 1}]"


def named_place(node: Node) -> str:
    """Names from the root down, `Envelope/Request/Person[2]/Position`."""
    steps = []
    here: Node | None = node
    while here is not None:
        steps.append(step_place(here))
        here = here.parent
    return "/".join(reversed(steps))


def named_below(node: Node, path: str) -> str:
    """A missing field's place in that form."""
    if path.startswith("/"):
        while node.parent is not None:
            node = node.parent
    return f"{named_place(node)}/{path.lstrip('/').replace('[]', '')}"
