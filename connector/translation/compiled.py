"""A mapping made ready to run: one program for each message type and direction."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from connector.translation.node import Outcome, Scalar
from connector.translation.paths import Path, joined
from connector.translation.values import Template

Convert = Callable[[str], tuple[str, str]]
Fits = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRule:
    """A rule in one direction: from `origins` in what is read to `goals` in what is made."""

    id: str
    origins: tuple[Path, ...]
    goals: tuple[Path, ...]
    convert: Convert | None
    collapse: bool = False
    required: bool = False
    mend: str = ""
    """What to do where it is missing."""
    constant: str | None = None
    """Written without an origin."""
    implied: str | None = None
    """What the other side always means: an origin with this value needs no goal."""
    must: bool = False
    """An origin with another value is refused."""
    numbered: str | None = None
    """Written without an origin, `{}` filled with the number among the siblings."""
    first: int = 1
    default: str | None = None
    """Taken where the origin has nothing."""
    placeholder: str | None = None
    """Written where nothing else is."""
    nothing: str | None = None
    """A value of the origin that stands for none."""
    fits: Fits | None = None
    """Whether a text can be written."""
    forced: Callable[[str], str] | None = None
    """What is written in place of a text that does not fit."""
    rest: bool = False
    """Only for origins that have not been mapped yet."""
    also: bool = False
    """Does not account for the origin."""
    assemble: Template | None = None
    """Origins make one text."""
    divide: Template | None = None
    """One text makes the goals."""
    gather: str | None = None
    """Repeated origins become one text, with this between them."""
    scatter: str | None = None
    """One text becomes repeated goals, divided at this."""
    condition: Path | None = None
    exception: Path | None = None
    """The rule does not apply where there is something at this path."""
    set_aside: tuple[Outcome, str] | None = None
    """The origin is not translated for a reason; only told where no other rule takes it."""
    scalar: Scalar = Scalar.STRING
    beside_origin: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = ()
    """Fields next to the origin that belong to its value, with the values expected."""
    beside_goal: tuple[tuple[tuple[str, ...], str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RunGroup:
    """A group in one direction."""

    id: str
    origin: Path
    goal: Path
    condition: Path | None
    exception: Path | None
    rest: Path | None
    """Only nodes that have something there which has not been mapped yet."""
    remaining: bool
    """Not for nodes that another group with the same goal has had."""
    annex: str | None
    """Why what is left below a node is not translated."""
    required: bool
    mend: str
    rules: tuple[RunRule, ...]
    groups: tuple[RunGroup, ...]


class Reason(NamedTuple):
    """Why fields at a place are not translated."""

    pattern: re.Pattern[str]
    outcome: Outcome
    rule: str
    text: str


class Expected(NamedTuple):
    """A field that tells the message type, and the values it may have."""

    path: Path
    values: tuple[str, ...]


@dataclass
class Order:
    """Children of an element in the order they are written."""

    ranks: dict[str, int] = field(default_factory=dict)
    children: dict[str, Order] = field(default_factory=dict)

    def grow(self, name: str) -> Order:
        """The order below the child `name`, which comes last if it is new."""
        if name not in self.children:
            self.children[name] = Order()
            self.ranks.setdefault(name, len(self.ranks))
        return self.children[name]


@dataclass(frozen=True, kw_only=True)
class Program:
    """All there is to do for one message type in one direction."""

    groups: tuple[RunGroup, ...]
    reasons: tuple[Reason, ...]
    order: Order
    settled: dict[tuple[str, ...], Reason | None] = field(default_factory=dict)
    """What `reason_for` found, by names."""

    def reason_for(self, names: tuple[str, ...]) -> Reason | None:
        """The first reason that covers a field."""
        try:
            return self.settled[names]
        except KeyError:
            text = joined(names)
            found = next((r for r in self.reasons if r.pattern.fullmatch(text)), None)
            if len(self.settled) < 10_000 and len(text) < 1000:  # names may be a stranger's
                self.settled[names] = found
            return found
