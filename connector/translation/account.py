"""The account of a translation: what became of every field, and where each came from."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from connector.errors import Problem
from connector.translation.node import Node, Outcome

_FIRST: Final = re.compile(r"\[1\]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One field of the document that was read."""

    origin: str
    """Where it stands: JSON pointer, path of names, `RECORD[n].column`."""
    line: int | None
    targets: tuple[str, ...]
    """Where its value went in the document that was made."""
    rule: str
    """Id of the rule that settled it."""
    outcome: Outcome
    reason: str
    """Why it was not mapped, or not exactly."""
    value: str
    """What it holds; left out of the JSON unless asked for, since it may be personal data."""

    def as_json(self, *, values: bool = False) -> dict[str, Any]:
        """Plain data; empty fields left out."""
        names = ("origin", "line", "targets", "rule", "outcome", "reason")
        plain: dict[str, Any] = {n: v for n in names if (v := getattr(self, n)) not in (None, "")}
        plain["targets"] = list(self.targets)
        plain["outcome"] = str(self.outcome)
        if values:
            plain["value"] = self.value
        return plain


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where something of the document that was made came from."""

    place: str
    line: int | None


class Account:
    """Every field of a document with its outcome. Worked out when it is first looked at."""

    def __init__(
        self,
        *,
        format: str,
        reading: bool,
        origin: Node,
        goal: Node,
        origin_place: Callable[[Node], str],
        goal_place: Callable[[Node], str],
    ) -> None:
        self.format = format
        self.reading = reading
        """True: from the national document into the envelope."""
        self._origin = origin
        self._goal = goal
        self._origin_place = origin_place
        self._goal_place = goal_place

    @cached_property
    def entries(self) -> tuple[Entry, ...]:
        """In the order of the document."""
        fields = sorted(self._origin.fields(), key=lambda node: node.order)
        return tuple(self._entry(node) for node in fields)

    def _entry(self, node: Node) -> Entry:
        return Entry(
            origin=self._origin_place(node),
            line=node.line,
            targets=tuple(dict.fromkeys(self._goal_place(each) for each in node.uses)),
            rule=node.rule,
            outcome=node.outcome or Outcome.UNACCOUNTED,
            reason=" ".join(dict.fromkeys(node.notes)),
            value=node.value or "",
        )

    @cached_property
    def counts(self) -> dict[str, int]:
        """Fields by outcome."""
        found = Counter(node.outcome or Outcome.UNACCOUNTED for node in self._origin.fields())
        return {str(each): found[each] for each in Outcome if found[each]}

    @property
    def unknown(self) -> tuple[Entry, ...]:
        """Fields that no rule of the mapping knows."""
        return tuple(e for e in self.entries if not e.rule and e.outcome is not Outcome.DROPPED)

    @cached_property
    def _sources(self) -> dict[str, Source]:
        found: dict[str, Source] = {}
        nodes = [self._goal]
        while nodes:
            node = nodes.pop()
            nodes.extend(node.children())
            if node.made_from is not None:
                source = Source(place=self._origin_place(node.made_from), line=node.made_from.line)
                found[_FIRST.sub("", self._goal_place(node))] = source
        return found

    def source_of(self, path: str) -> Source | None:
        """Where the thing at `path` of the document that was made came from.

        For a path that was made of nothing, e.g. a missing element: the nearest thing around it.
        """
        steps = _FIRST.sub("", path).split("/")
        while steps:
            if (found := self._sources.get("/".join(steps))) is not None:
                return found
            steps.pop()
        return None

    def locate(self, problems: Iterable[Problem], *, file: str | None) -> tuple[Problem, ...]:
        """Problems of the document that was made, with places in the one that was read."""
        return tuple(self._located(each, file) for each in problems)

    def _located(self, problem: Problem, file: str | None) -> Problem:
        source = self.source_of(problem.path) if problem.path else None
        named = f" ({problem.path})" if problem.path else ""
        return Problem(
            code=problem.code,
            what=problem.what + named,
            mend=problem.mend,
            file=file,
            line=source.line if source is not None else None,
            path=source.place if source is not None and source.place else None,
        )

    def as_json(self, *, values: bool = False) -> dict[str, Any]:
        """Plain data for `json.dumps`."""
        return {
            "format": self.format,
            "direction": "in" if self.reading else "out",
            "counts": self.counts,
            "entries": [each.as_json(values=values) for each in self.entries],
        }
