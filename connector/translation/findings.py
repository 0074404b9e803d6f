"""What is found on the way of a document: problems, warnings, and what became of each field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from connector.errors import Problem
from connector.translation.compiled import Program, RunRule
from connector.translation.node import Node, Outcome
from connector.translation.paths import Path
from connector.translation.values import NotConvertible

MAX_TOLD: Final = 1000
"""Problems and warnings of one document; a person mends these before seeing more."""
EMPTY: Final = "It is empty."
ALONE: Final = "What it goes with is empty."
SECOND: Final = "Another field says something else in its place, and came first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """What differs between the directions."""

    reading: bool
    """From the national document into the envelope."""
    place: Callable[[Node], str]
    """Where a node of what is read stands."""
    below: Callable[[Node, str], str]
    """Where a field that is missing below a node would stand."""
    strict: bool
    """A field that no rule knows is a problem, not just a warning."""
    file: str | None

    @property
    def unknown(self) -> str:
        """The reason for fields that no rule knows."""
        if self.reading:
            return "No rule knows this field; it travels in the original document."
        return "The format has no field for it; it travels in the signed envelope."


@dataclass
class Findings:
    """Collected while the rules run; `account` settles what they left."""

    side: Side
    problems: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    not_written: list[tuple[Node, RunRule, Problem]] = field(default_factory=list)
    """What a rule could not write; told at the end if no other rule has written it either."""
    second: dict[int, tuple[Node, RunRule]] = field(default_factory=dict)
    """Fields for whose place another one was first, with another value; by id."""
    left: list[tuple[Node, str, Outcome, str]] = field(default_factory=list)
    """Nodes with rule, outcome and reason for all that no rule takes at or below them."""

    def refuse(self, node: Node, rule: RunRule, error: NotConvertible) -> None:
        """A value that a rule cannot convert or write."""
        if node.outcome is Outcome.REFUSED:
            return
        problem = Problem(
            code=f"translation.{error.code}",
            what=error.what,
            mend=error.mend,
            file=self.side.file,
            line=node.line,
            path=self.side.place(node),
        )
        if (self.side.reading or rule.required) and not error.lenient:
            _tell(self.problems, problem)
            node.settle(Outcome.REFUSED, rule.id, error.what)
        elif not rule.also:
            # What no rule can write travels in the signed envelope, or with the original.
            self.not_written.append((node, rule, problem))

    def warn(self, node: Node, code: str, what: str) -> None:
        """Something that a person should know, also in the account."""
        node.notes.append(what)
        _tell(
            self.warnings,
            Problem(
                code=f"translation.{code}",
                what=what,
                file=self.side.file,
                line=node.line,
                path=self.side.place(node),
            ),
        )

    def missing(self, base: Node, path: Path, rule: str, mend: str) -> None:
        """A field that must be there."""
        _tell(
            self.problems,
            Problem(
                code="translation.missing-field",
                what=f"A mandatory field is missing ({rule}).",
                mend=mend or "Fill it in.",
                file=self.side.file,
                line=base.line,
                path=self.side.below(base, path.shown),
            ),
        )

    def account(self, origin: Node, program: Program) -> None:
        """Settle every field that the rules have not settled."""
        for node, rule, problem in self.not_written:
            if node.outcome is None:
                _tell(self.warnings, problem)
                node.settle(Outcome.ANNEXED, rule.id, problem.what)
        for above, rule_id, outcome, why in self.left:
            for node in above.fields():
                if node.outcome is None and (node.value or "").strip():
                    node.settle(outcome, rule_id, why)
        for node in origin.fields():
            _forget_what_is_gone(node)
            if node.outcome is None:
                self._settle(node, program)

    def _settle(self, node: Node, program: Program) -> None:
        if not (node.value or "").strip():
            node.settle(Outcome.DROPPED, "", EMPTY)
        elif (reason := program.reason_for(node.steps())) is not None:
            node.settle(reason.outcome, reason.rule, reason.text)
        elif (second := self.second.get(id(node))) is not None:
            self.warn(node, "second-value", SECOND)
            node.settle(Outcome.ANNEXED, second[1].id)
        else:
            self._unknown(node)

    def _unknown(self, node: Node) -> None:
        problem = Problem(
            code="translation.unaccounted-field",
            what=self.side.unknown,
            mend="Add a rule to the mapping, if only one that says why it is left out.",
            file=self.side.file,
            line=node.line,
            path=self.side.place(node),
        )
        if self.side.strict:
            _tell(self.problems, problem)
            node.settle(Outcome.UNACCOUNTED, "", self.side.unknown)
        else:
            _tell(self.warnings, problem)
            node.settle(Outcome.ANNEXED, "", self.side.unknown)


def _forget_what_is_gone(node: Node) -> None:
    """What was made of a field may have been taken out again, for nothing else was there."""
    if node.uses and all(use.gone for use in node.uses):
        node.outcome, node.uses = Outcome.DROPPED, []
        node.notes.append(ALONE)
    elif any(use.gone for use in node.uses):
        node.uses = [use for use in node.uses if not use.gone]


def _tell(told: list[Problem], problem: Problem) -> None:
    if len(told) < MAX_TOLD:
        told.append(problem)
    elif len(told) == MAX_TOLD:
        what = f"There is more to tell than these {MAX_TOLD}; the account has all."
        told.append(Problem(code=problem.code, what=what, file=problem.file))
