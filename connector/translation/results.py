"""What comes out of a translation, in either direction."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from connector.errors import ConnectorError, Problem
from connector.errors import Kind as ErrorKind
from connector.translation.account import Account
from connector.translation.mapping import MessageName
from connector.translation.node import Node
from connector.xml import Element


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


def references(header: Node, place: Callable[[Node], str]) -> Iterable[AttachmentReference]:
    """The files that the header of an envelope names, with where the document named them."""
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
