"""Paths of a mapping: `demande/personnes[]/nom`, `Name[Kind='alias']/FullName`, `../@listURI`.

A path is relative to the node of its group, or begins with `/` at the document's root. `[]` says
that the step repeats; `**` stands for any number of levels and can only be read. A test in brackets
selects where the path is read, and is made true where it is written: `[Kind='alias']` writes a Kind
as well. `[x]` asks for a field, `[!x]` for none, `[x!='a']` for no such value, `[x='a'|'b']` for
one of several (the first is written), `[x={y/z}]` for the value at another path, `[x:='a']` asks
for nothing but is written; `.` is the node itself. Of several fields that a test may mean, one is
enough.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

from connector.translation.node import ARRAY, Node

ANY_DEPTH: Final = "**"
_BETWEEN_SLASHES: Final = re.compile(r"(?:\{[^{}]*\}|[^/{}])+")
_SLASH: Final = "\0"
_NAME: Final = r"@?(?:\{[^{}]*\})?[^\s/\[\]'=|!*]+"
_STEP: Final = re.compile(rf"(\*\*|\.\.|\.|{_NAME})(\[\])?((?:\[[^\[\]]+\])*)")
_TEST: Final = re.compile(
    r"\[(!)?([^\[\]'=!]+?)(?:(:=|!?=)('[^']*'(?:\|'[^']*')*|\{[^\[\]]+\}))?\]"
)


_NOT_SHOWN: Final = re.compile(r"\[[^\[\]]*:=[^\[\]]*\]|\{\}")


@dataclass(frozen=True, slots=True)
class Test:
    """A condition on a node: the field at `names` below it."""

    __test__ = False  # no test case, whatever its name says to pytest

    names: tuple[str, ...]
    values: tuple[str, ...] = ()
    """Any of these; without any, the field only has to be there."""
    negated: bool = False
    other: Path | None = None
    """Where the values are found instead, from the node that the whole path starts at."""
    assigns: bool = False
    """Written, but never a condition."""
    absent: bool = False
    """The field must not be there."""

    @property
    def writes(self) -> str | None:
        """The value that makes the test true where the path is written, if it says so."""
        return self.values[0] if self.values and not self.negated else None

    def fields(self, node: Node) -> Iterator[Node]:
        """The fields that are looked at."""
        return _below(node, self.names)

    def told(self, node: Node) -> Iterator[Node]:
        """The fields that have one of the values."""
        return (each for each in self.fields(node) if (each.value or "").strip() in self.values)

    def holds(self, node: Node) -> bool:
        """Whether the condition is met."""
        if self.assigns:
            return True
        if self.other is not None or self.values:
            return (next(self.told(node), None) is not None) != self.negated
        return (next(self.fields(node), None) is None) == self.absent


def _below(node: Node, names: tuple[str, ...]) -> Iterator[Node]:
    if not names:
        yield node
    elif names[0] == "..":
        if node.parent is not None:
            yield from _below(node.parent, names[1:])
    else:
        for kid in node.kids.get(names[0], ()):
            yield from _below(kid, names[1:])


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
    def shown(self) -> str:
        """As a person is told where something is missing."""
        return _NOT_SHOWN.sub("", self.text)

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

    @cached_property
    def has_tests(self) -> bool:
        """Whether a step has any."""
        return any(step.tests for step in self.steps)

    @cached_property
    def writable(self) -> bool:
        """Whether it leads to one place each time, so that something can be made there."""
        return ANY_DEPTH not in self.names

    @cached_property
    def dynamic(self) -> bool:
        """Whether a test takes its value from another path."""
        return any(test.other is not None for step in self.steps for test in step.tests)

    def bound(self, values: Callable[[Path], tuple[str, ...]]) -> Path:
        """The path with the values that its tests take from elsewhere."""
        if not self.dynamic:
            return self
        steps = []
        for step in self.steps:
            tests = [
                replace(test, values=values(test.other)) if test.other is not None else test
                for test in step.tests
            ]
            steps.append(replace(step, tests=tuple(tests)))
        return replace(self, steps=tuple(steps))


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
        if steps and steps[-1].name == ANY_DEPTH and not step.repeats:
            raise ValueError(f"{text!r}: what follows ** may be there more than once, so add []")
        if step.name != "." or step.tests:
            steps.append(step)
        at = found.end() + 1
    if steps and steps[-1].name == ANY_DEPTH:
        raise ValueError(f"{text!r} does not say what it looks for below **")
    return Path(text, tuple(steps), absolute)


def _tests(text: str, path: str, *, arrays: bool) -> list[Test]:
    tests, at = [], 0
    while at < len(text):
        found = _TEST.match(text, at)
        if found is None or (found[1] and found[3]):
            raise ValueError(f"{path!r}: {text[at:]!r} is no test; write [name='value']")
        names = tuple(name for name in found[2].strip().split("/") if name != ".")
        value = found[4] or ""
        other = parse_path(value[1:-1], arrays=arrays) if value[:1] == "{" else None
        tests.append(
            Test(
                names,
                tuple(re.findall(r"'([^']*)'", value)) if other is None else (),
                negated=found[3] == "!=",
                other=other,
                assigns=found[3] == ":=",
                absent=bool(found[1]),
            )
        )
        at = found.end()
    return tests


def joined(names: tuple[str, ...]) -> str:
    """Names as one text for `pattern_of`, each with a `/` before it; one within a name divides
    nothing."""
    return "".join("/" + name.replace("/", _SLASH) for name in names)


def pattern_of(prefix: tuple[str, ...], text: str) -> re.Pattern[str]:
    """What a path with wildcards matches: `*` one name, `**` any number, at the end also none.

    Matched against the names as `joined`.
    """
    expression = ""
    for name in (*prefix, *_BETWEEN_SLASHES.findall(text)):
        step = name.replace("/", _SLASH)  # one within a namespace
        if step == ANY_DEPTH:
            expression += "(?:/[^/]+)*"
        elif step == "*":
            expression += "/[^/]+"
        elif step != ".":
            expression += "/" + "[^/]*".join(re.escape(part) for part in step.split("*"))
    return re.compile(expression)
