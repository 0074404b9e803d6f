"""Runs the rules of a mapping: from the tree that was read to the tree that will be written.

The same code works in both directions; `compilation` has turned the mapping round where needed.
Nothing is raised for what is wrong with a document: every problem is collected, with its place.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from connector.translation.compiled import Program, RunGroup, RunRule
from connector.translation.findings import EMPTY, Findings, Side
from connector.translation.node import Node, Outcome, Scalar
from connector.translation.paths import Path
from connector.translation.values import NotConvertible
from connector.translation.walking import (
    beside_made,
    beside_read,
    bound,
    find,
    make,
    not_mapped,
    tested,
    tidy,
    use_tests,
)

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SPACE: Final = re.compile("[ \t\r\n]+")
_UNCOLLAPSED: Final = re.compile("\\A |[\t\r\n]|  | \\Z")
IMPLIED: Final = "The other document implies it."
NAMES: Final = "It says which field this is."
STANDS_IN: Final = "It only stands in for something that is said elsewhere."
DOES_NOT_FIT: Final = "It has characters, or a length, that the field of the format does not take."


@dataclass
class Run:
    """One document on its way."""

    origin: Node
    goal: Node
    side: Side
    findings: Findings = field(init=False)
    taken: set[tuple[int, str]] = field(default_factory=set)
    """Nodes that a group has had, by id and the group's goal."""

    def __post_init__(self) -> None:
        self.findings = Findings(self.side)

    def program(self, program: Program) -> None:
        """Apply all groups, then account for what is left."""
        for group in program.groups:
            self._group(group, self.origin, self.goal)
        tidy(self.goal)
        self.findings.account(self.origin, program)

    # groups -------------------------------------------------------------------------------------

    def _group(self, group: RunGroup, here: Node, goal: Node) -> None:
        base = self.origin if group.origin.absolute else here
        path = bound(group.origin, here)
        found = find(base, path)
        if group.required and not found:
            self.findings.missing(base, path, group.id, group.mend)
        for node in found:
            key = (id(node), group.goal.text)
            if (group.remaining and key in self.taken) or not self._applies(group, node):
                continue
            self.taken.add(key)
            if group.annex is not None:
                self.findings.left.append((node, group.id, Outcome.ANNEXED, group.annex))
            into = bound(group.goal, goal)
            made = make(self.goal if into.absolute else goal, into, node)
            if made.made_from is None:
                made.made_from = node
            use_tests(path, node, made, group.id)
            for rule in group.rules:
                self._rule(rule, node, made)
            for inner in group.groups:
                self._group(inner, node, made)

    def _applies(self, part: RunGroup | RunRule, node: Node) -> bool:
        """Whether a group or rule is for a node, by what is there beside it."""
        if part.condition is not None and not self._seek(part.condition, node):
            return False
        if part.exception is not None and self._seek(part.exception, node):
            return False
        if not isinstance(part, RunGroup) or part.rest is None:
            return True
        places = self._seek(part.rest, node)
        return any(not_mapped(each) for place in places for each in place.fields())

    def _seek(self, path: Path, here: Node) -> list[Node]:
        return find(self.origin if path.absolute else here, bound(path, here))

    # rules --------------------------------------------------------------------------------------

    def _rule(self, rule: RunRule, here: Node, goal: Node) -> None:
        if not self._applies(rule, here):
            return
        if rule.set_aside is not None:
            for node in self._seek(rule.origins[0], here):
                for each in (node, *tested(rule.origins[0], node)):
                    self.findings.left.append((each, rule.id, *rule.set_aside))
        elif rule.implied is not None:
            self._implied(rule, rule.implied, self._seek(rule.origins[0], here))
        elif rule.constant is not None:
            self._put(rule, goal, rule.constant, here=here)
        elif rule.numbered is not None:
            number = str(goal.position()[0] + rule.first)
            self._put(rule, goal, rule.numbered.replace("{}", number), here=here)
        elif rule.assemble is not None:
            self._assembled(rule, here, goal)
        else:
            self._single(rule, here, goal)

    def _implied(self, rule: RunRule, value: str, nodes: Sequence[Node]) -> None:
        for node in nodes:
            if node.outcome is None and (node.value or "").strip() == value:
                node.settle(Outcome.MAPPED, rule.id, IMPLIED)
            elif rule.must:
                what = f"{(node.value or '')[:80]!r} stands where {value!r} must stand."
                mend = rule.mend or "Correct it, or use the mapping that is made for it."
                self.findings.refuse(node, rule, NotConvertible("other-value", what, mend))

    def _single(self, rule: RunRule, here: Node, goal: Node) -> None:
        path = rule.origins[0]
        base = self.origin if path.absolute else here
        found = self._seek(path, here)
        self._know(path, found, rule)
        nodes = [each for each in found if self._filled(each, rule)]
        if not nodes:
            if not any(_is_said(each, rule) for each in found):
                self._absent(rule, base, goal, here)
        elif rule.gather is not None:
            self._gathered(rule, nodes, goal, here)
        elif rule.scatter is not None:
            for text in _text(nodes[0], rule).split(rule.scatter.strip() or rule.scatter):
                if text.strip():
                    self._write(rule, goal, text.strip(" \t\r\n"), nodes[:1], here)
        else:
            written = [self._write(rule, goal, _text(n, rule), [n], here) for n in nodes]
            if not any(written):
                self._stood_in(rule, goal, here)

    def _know(self, path: Path, nodes: Sequence[Node], rule: RunRule) -> None:
        """Fields that only say which field a node is need no more, whatever becomes of it."""
        if self.side.reading and path.has_tests:
            for node in nodes:
                for each in tested(path, node):
                    self.findings.left.append((each, rule.id, Outcome.DROPPED, NAMES))

    def _gathered(self, rule: RunRule, nodes: list[Node], goal: Node, here: Node) -> None:
        separator = rule.gather or ""
        texts: list[str] = []
        kept: list[Node] = []
        for node in nodes:
            text = self._converted(rule, _text(node, rule), [node])
            if text is None:
                continue
            if separator.strip() in text:
                self.findings.warn(
                    node, "not-reversible", f"The value holds {separator.strip()!r}."
                )
            texts.append(text)
            kept.append(node)
        if kept and self._put(rule, goal, separator.join(texts), kept, here=here):
            for node in kept:
                node.settle(Outcome.MAPPED, rule.id)

    def _assembled(self, rule: RunRule, here: Node, goal: Node) -> None:
        texts: list[str | None] = []
        nodes: list[Node] = []
        for path in rule.origins:
            base = self.origin if path.absolute else here
            filled = [each for each in find(base, path)[:1] if self._filled(each, rule)]
            texts.append(_text(filled[0], rule) if filled else None)
            nodes += filled
        if not nodes:
            self._absent(rule, here, goal, here)
        elif rule.assemble is not None and not self._write(
            rule, goal, rule.assemble.fill(tuple(texts)), nodes, here
        ):
            self._stood_in(rule, goal, here)

    def _filled(self, node: Node, rule: RunRule) -> bool:
        if node.value is None or (rule.rest and node.outcome is Outcome.MAPPED):
            return False
        if _says(node, rule.nothing):
            node.settle(Outcome.MAPPED, rule.id, STANDS_IN)
            return False
        if not node.value.strip():
            node.settle(Outcome.DROPPED, rule.id, "" if node.notes else EMPTY)
            return False
        if node.scalar is not rule.scalar and self.side.reading:
            self.findings.refuse(
                node,
                rule,
                NotConvertible(
                    "wrong-type",
                    f"The field is a {node.scalar}, not a {rule.scalar}.",
                    f"Write it as a {rule.scalar}.",
                ),
            )
            return False
        if self.side.reading and (found := _FORBIDDEN.search(node.value)):
            self.findings.refuse(
                node,
                rule,
                NotConvertible(
                    "character",
                    f"The text holds U+{ord(found[0]):04X}, which no XML can carry.",
                    "Remove control characters.",
                ),
            )
            return False
        return True

    def _absent(self, rule: RunRule, base: Node, goal: Node, here: Node) -> None:
        if rule.default is not None or rule.placeholder is not None:
            self._stood_in(rule, goal, here)
        elif rule.required and not self._refused(rule, here) and not self._told(rule, goal):
            self.findings.missing(base, rule.origins[0], rule.id, rule.mend)

    def _told(self, rule: RunRule, goal: Node) -> bool:
        """Whether another rule has filled the place already."""
        path = bound(rule.goals[0], goal)
        found = find(self.goal if path.absolute else goal, path)
        return any(each.value is not None for each in found)

    def _stood_in(self, rule: RunRule, goal: Node, here: Node) -> None:
        """What is written where the origin has nothing, or nothing that could be written."""
        if rule.default is not None:
            self._put(rule, goal, rule.default, here=here)
        elif rule.placeholder is not None:
            self._put(rule, goal, rule.placeholder, here=here)

    def _refused(self, rule: RunRule, here: Node) -> bool:
        """Whether the field is there, and a problem has told already what is wrong with it."""
        for path in rule.origins:
            base = self.origin if path.absolute else here
            if any(each.outcome is Outcome.REFUSED for each in find(base, path)):
                return True
        return False

    def _write(
        self, rule: RunRule, goal: Node, text: str, nodes: Sequence[Node], here: Node
    ) -> bool:
        """Whether the value stands in the goal now."""
        converted = self._converted(rule, text, nodes)
        if converted is None:
            return False
        if rule.fits is not None and not rule.fits(converted):
            self.findings.refuse(nodes[0], rule, NotConvertible("does-not-fit", DOES_NOT_FIT))
            if rule.forced is None:
                return False
            return self._put(rule, goal, rule.forced(converted), nodes, here=here)
        parts: tuple[str, ...] = (converted,)
        if rule.divide is not None:
            divided = rule.divide.take_apart(converted)
            if divided is not None:
                parts = divided
            else:
                what = f"It does not have the form {rule.divide.text}; kept in one piece."
                self.findings.warn(nodes[0], "inexact", what)
        for i, part in enumerate(parts):
            if part.strip() and not self._put(rule, goal, part, nodes, here=here, at=i):
                return False
        for node in () if rule.also else nodes:
            node.settle(Outcome.MAPPED, rule.id)
            self._beside(rule, node)
        return True

    def _converted(self, rule: RunRule, text: str, nodes: Sequence[Node]) -> str | None:
        """The value in its other form; None where it is refused."""
        if rule.convert is None:
            return text
        try:
            value, note = rule.convert(text)
        except NotConvertible as error:
            for node in nodes:
                self.findings.refuse(node, rule, error)
            return None
        if note and not rule.also:
            self.findings.warn(nodes[0], "inexact", note)
        return value

    def _put(
        self,
        rule: RunRule,
        goal: Node,
        text: str,
        nodes: Sequence[Node] = (),
        *,
        here: Node,
        at: int = 0,
    ) -> bool:
        path = bound(rule.goals[at], goal)
        origin = nodes[0] if nodes else here
        leaf = make(self.goal if path.absolute else goal, path, origin)
        if leaf.value is not None and leaf.test_of is None:
            # Another rule was first. The same value is no loss; another one is told at the end.
            if leaf.value != text:
                self.findings.second.update({id(each): (each, rule) for each in nodes})
                return False
        else:
            leaf.test_of = None
            leaf.value = text
            leaf.scalar = rule.scalar if not self.side.reading else Scalar.STRING
            leaf.made_from = nodes[0] if nodes else None
        for names, value in rule.beside_goal:
            beside = beside_made(leaf, names)
            if beside.value is None:
                beside.value = value
        for node in nodes:
            node.uses.append(leaf)
            use_tests(rule.origins[0], node, leaf, rule.id)
        return True

    def _beside(self, rule: RunRule, node: Node) -> None:
        for names, values in rule.beside_origin:
            beside = beside_read(node, names)
            if beside is None or beside.value is None:
                continue
            if beside.value.strip() in values or "*" in values:
                beside.settle(Outcome.MAPPED, rule.id)
                beside.uses += node.uses
            else:
                what = f"{beside.value[:80]!r} where the mapping knows {values[0]!r}."
                beside.settle(Outcome.ANNEXED, rule.id)
                self.findings.warn(beside, "other-list", what)


def _says(node: Node, text: str | None) -> bool:
    return text is not None and (node.value or "").strip() == text


def _is_said(node: Node, rule: RunRule) -> bool:
    """Whether a field needs no more: it stands in for another, or another rule has taken it."""
    return _says(node, rule.nothing) or (rule.rest and node.outcome is Outcome.MAPPED)


def _text(node: Node, rule: RunRule) -> str:
    value = node.value or ""
    if rule.collapse and _UNCOLLAPSED.search(value):
        # As xs:token does: a no-break space is content.
        return _SPACE.sub(" ", value).strip(" ")
    return value
