"""Paths of a mapping: `demande/personnes[]/nom`, `Name[Kind='alias']/FullName`, `../@listURI`.

A path is relative to the node of its group, or begins with `/` at the document's root. `[]` says
that the step repeats. A test in brackets selects where the path is read, and is made true where it
is written: `[Kind='alias']` writes a Kind as well. `[x]` asks for a field, `[x!='a']` for another
value, `[x='a'|'b']` for one of several (the first is written); `.` is the node itself.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from connector.translation.node import ARRAY, Node

_NAME: Final = r"@?(?:\{[^{}]*\})?[^\s/\[\]'=|!*]+"
_BETWEEN_SLASHES: Final = re.compile(r"(?:\{[^{}]*\}|[^/{}])+")
_SLASH: Final = "\0"
_STEP: Final = re.compile(rf"(\.\.|\.|{_NAME})(\[\])?((?:\[[^\[\]]+\])*)")
_TEST: Final = re.compile(r"\[([^\[\]'=!]+?)(?:(!?=)('[^']*'(?:\|'[^']*')*))?\]")


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on a node: the field at `names` below it."""

    __test__ = False  # no test case, whatever its name says to pytest

    names: tuple[str, ...]
    values: tuple[str, ...] = ()
    """Any of these; without any, the field only has to be there."""
    negated: bool = False

    @property
    def writes(self) -> str | None:
        """The value that makes the test true where the path is written, if it says so."""
        return self.values[0] if self.values and not self.negated else None

    def field(self, node: Node) -> Node | None:
        """The field that is looked at."""
        found: Node | None = node
        for name in self.names:
            if found is None:
                return None
            found = found.parent if name == ".." else found.first(name)
        return found

    def holds(self, node: Node) -> bool:
        """Whether the condition is met."""
        found = self.field(node)
        if not self.values:
            return found is not None
        met = found is not None and found.value is not None and found.value.strip() in self.values
        return met != self.negated


@dataclass(frozen=True, slots=True)
class Step:
    """One name of a path."""

    name: str
    repeats: bool = False
    tests: tuple[Test, ...] = ()


@dataclass(frozen=True)
class Path:
    """Steps from a group's node, or from the root."""

    text: str
    steps: tuple[Step, ...]
    absolute: bool = False

    @cached_property
    def fresh(self) -> int:
        """The last step that repeats: made anew for each value. -1 if none does."""
        return max((i for i, step in enumerate(self.steps) if step.repeats), default=-1)

    @property
    def repeats(self) -> bool:
        """Whether it leads to several places."""
        return self.fresh >= 0

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The names alone."""
        return tuple(step.name for step in self.steps)


def parse_path(text: str, *, arrays: bool = False) -> Path:
    """The path written as `text`; with `arrays` repeating steps are members of JSON arrays.

    Raises ValueError with what is wrong.
    """
    absolute = text.startswith("/")
    rest = text[1:] if absolute else text
    steps: list[Step] = []
    at = 0
    while rest and at <= len(rest):
        found = _STEP.match(rest, at)
        if found is None or (found.end() < len(rest) and rest[found.end()] != "/"):
            raise ValueError(f"{text!r} is no path: see what stands at {rest[at : at + 30]!r}")
        step = Step(
            found[1] + (ARRAY if found[2] and arrays else ""),
            bool(found[2]),
            tuple(_tests(found[3], text, arrays=arrays)),
        )
        if step.name != "." or step.tests:
            steps.append(step)
        at = found.end() + 1
    return Path(text, tuple(steps), absolute)


def _tests(text: str, path: str, *, arrays: bool) -> list[Test]:
    tests, at = [], 0
    while at < len(text):
        found = _TEST.match(text, at)
        if found is None:
            raise ValueError(f"{path!r}: {text[at:]!r} is no test; write [name='value']")
        names = tuple(name for name in found[1].strip().split("/") if name != ".")
        values = tuple(re.findall(r"'([^']*)'", found[3] or ""))
        tests.append(Test(names, values, negated=found[2] == "!="))
        at = found.end()
    return tests


def joined(names: tuple[str, ...]) -> str:
    """Names as one text for `pattern_of`; a slash within a name divides nothing."""
    return "/".join(name.replace("/", _SLASH) for name in names)


def pattern_of(prefix: tuple[str, ...], text: str) -> re.Pattern[str]:
    """What a path with wildcards matches: `*` one name, `**` any number, at the end also none.

    Matched against the names as `joined`.
    """
    expression = re.escape(joined(prefix))
    for step in _BETWEEN_SLASHES.findall(text):
        step = step.replace("/", _SLASH)  # noqa: PLW2901 - one within a namespace
        slash = "/" if expression else ""
        if step == "**":
            expression += f"(?:{slash}[^/]+)*" if expression else "(?:[^/]+/)*[^/]+"
        elif step == "*":
            expression += f"{slash}[^/]+"
        elif step != ".":
            expression += slash + "[^/]*".join(re.escape(part) for part in step.split("*"))
    return re.compile(expression)
