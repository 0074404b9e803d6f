"""The neutral tree between a document and the envelope: named nodes with values and places.

A reader makes one from a document, the engine makes a second one from it by the rules of a mapping,
a writer turns that into a document again. Names are those of the document: `@` before an attribute,
`[]` after the members of a JSON array, the prefix that the mapping declares before an XML name.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

ARRAY: Final = "[]"
TEXT: Final = "text()"
"""Name of the node for text that stands between the children of an XML element."""


class Scalar(StrEnum):
    """What kind of value a JSON field has; elsewhere all values are strings."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    NULL = "null"


class Outcome(StrEnum):
    """What became of a field."""

    MAPPED = "mapped"
    """Written to the other document."""
    ANNEXED = "annexed"
    """Not in the other document; the one it came from travels beside it."""
    DROPPED = "dropped"
    """Left out for a stated reason."""
    REFUSED = "refused"
    """Its value could not be translated; a problem tells why."""
    UNACCOUNTED = "unaccounted"
    """No rule knows the field."""


class Node:
    """An element, attribute, object, array member, record or cell."""

    __slots__ = (
        "gone",
        "index",
        "kids",
        "line",
        "made_from",
        "name",
        "notes",
        "order",
        "outcome",
        "parent",
        "rule",
        "scalar",
        "test_of",
        "uses",
        "value",
    )

    def __init__(
        self, name: str, parent: Node | None, order: int = 0, line: int | None = None
    ) -> None:
        self.name = name
        self.parent = parent
        self.order = order
        """Position in the document it was read from (or its origin was), for keeping order."""
        self.line = line
        self.index = 0
        """Position among the siblings of its name."""
        self.value: str | None = None
        self.scalar = Scalar.STRING
        self.kids: dict[str, list[Node]] = {}
        # what the engine notes: on nodes that were read
        self.outcome: Outcome | None = None
        self.rule = ""
        self.notes: list[str] = []
        self.uses: list[Node] = []
        # and on nodes that were made
        self.made_from: Node | None = None
        self.test_of: Node | None = None
        """It is only there because a path's test on that node wants it."""
        self.gone = False
        """Taken out again, for nothing was in it."""

    def add(self, name: str, order: int = 0, line: int | None = None) -> Node:
        """A new last child."""
        child = Node(name, self, order, line)
        kids = self.kids.get(name)
        if kids is None:
            self.kids[name] = [child]
        else:
            child.index = len(kids)
            kids.append(child)
        return child

    def first(self, name: str) -> Node | None:
        """The first child of that name."""
        kids = self.kids.get(name)
        return kids[0] if kids else None

    def settle(self, outcome: Outcome, rule: str, note: str = "") -> None:
        """Record what became of this field; a field that was mapped stays mapped."""
        if self.outcome is None or outcome is Outcome.MAPPED:
            self.outcome = outcome
            self.rule = rule
        if note:
            self.notes.append(note)

    def children(self) -> Iterator[Node]:
        """All children, those of one name together."""
        for kids in self.kids.values():
            yield from kids

    def fields(self) -> Iterator[Node]:
        """This node and all below that have a value."""
        if self.value is not None:
            yield self
        for kids in self.kids.values():
            for kid in kids:
                if kid.kids:
                    yield from kid.fields()
                elif kid.value is not None:
                    yield kid

    def steps(self) -> tuple[str, ...]:
        """Names from below the root down to this node, without positions."""
        names: list[str] = []
        node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return tuple(reversed(names))

    def position(self) -> tuple[int, int]:
        """Position among the siblings of its name, from 0, and how many there are."""
        if self.parent is None:
            return 0, 1
        return self.index, len(self.parent.kids[self.name])
