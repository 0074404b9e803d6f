"""Walking a token's elements: each child at most once, what is too much noted, values checked."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from lxml import etree

from connector.errors import ConnectorError, Problem, unacceptable
from connector.xml import Element, text_of

_Choice = TypeVar("_Choice", bound=StrEnum)


class Notes:
    """Weaknesses of a token's form, each once."""

    def __init__(self) -> None:
        self._found: dict[str, Problem] = {}

    def add(self, code: str, what: str, path: str) -> None:
        """A weakness under `token.` + code, the first of its kind."""
        problem = Problem(code=f"token.{code}", what=what, path=f"/TrustOkToken/{path}".rstrip("/"))
        self._found.setdefault(code, problem)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order in which they were found."""
        return tuple(self._found.values())


def bad_value(path: str, value: str) -> ConnectorError:
    """The refusal of a value that the token's schema does not allow."""
    return unacceptable(
        "token.value",
        f"{value[:60]!r} is no value for this element of a token.",
        path=f"/TrustOkToken/{path}",
    )


class Node:
    """An element of a token with its children by name; a name without namespace is the token's
    own, others are written `{namespace}name`.

    Raises `token.element-doubled`; its methods raise `token.element-missing`, `token.value` and
    `xml.comment-in-value`.
    """

    def __init__(
        self, element: Element, path: str, notes: Notes, *, allowed: Sequence[str]
    ) -> None:
        self._path = path
        self._notes = notes
        self._children: dict[str, Element] = {}
        place = -1
        for child in element.iterchildren("*"):
            tag = str(child.tag)
            here = f"{path}/{etree.QName(child).localname}".lstrip("/")
            if tag not in allowed:
                notes.add(
                    "not-schema-valid.unknown-element", f"{tag} has no place in a token.", here
                )
                continue
            if tag in self._children:
                raise unacceptable(
                    "token.element-doubled",
                    f"The token has more than one {tag} in one place.",
                    path=f"/TrustOkToken/{here}",
                )
            if allowed.index(tag) < place:
                notes.add(
                    "not-schema-valid.element-order", f"{tag} stands at the wrong place.", here
                )
            place = allowed.index(tag)
            self._children[tag] = child

    def has(self, name: str) -> bool:
        """Whether the child is there."""
        return name in self._children

    def element(self, name: str) -> Element:
        """The child, which must be there."""
        found = self._children.get(name)
        if found is None:
            raise unacceptable(
                "token.element-missing",
                f"The token has no {name}.",
                path=f"/TrustOkToken/{self._here(name)}",
            )
        return found

    def optional_element(self, name: str) -> Element | None:
        """The child, or None with a note: the schema wants it."""
        if name not in self._children:
            self._notes.add(
                "not-schema-valid.element-missing", f"{name} is missing.", self._here(name)
            )
        return self._children.get(name)

    def child(self, name: str, allowed: Sequence[str]) -> Node:
        """The child as a node of its own."""
        return Node(self.element(name), self._here(name), self._notes, allowed=allowed)

    def text(self, name: str) -> str:
        """The child's text; the child must be there."""
        return text_of(self.element(name))

    def optional(self, name: str) -> str:
        """The child's text, empty if it is not there."""
        return text_of(self._children[name]) if name in self._children else ""

    def choice(self, name: str, values: type[_Choice]) -> _Choice:
        """The child's text as a member of `values`."""
        written = self.text(name).strip()
        try:
            return values(written)
        except ValueError:
            raise bad_value(self._here(name), written) from None

    def flag(self, name: str) -> bool:
        """The child's text as xs:boolean."""
        written = self.text(name).strip()
        if written not in {"true", "false", "1", "0"}:
            raise bad_value(self._here(name), written)
        return written in {"true", "1"}

    def _here(self, name: str) -> str:
        return f"{self._path}/{name.rpartition('}')[2]}".lstrip("/")
