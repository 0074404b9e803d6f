"""Turns a mapping into programs: checks every path against the envelope's schema on the way."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from connector.errors import Problem
from connector.translation.codelists import CodeList
from connector.translation.compiled import Fits, Program, Reason, RunGroup, RunRule
from connector.translation.conversions import conversion_of
from connector.translation.envelope_shape import Shape, envelope_shape, walk
from connector.translation.envelope_tree import schema_order
from connector.translation.mapping import Group, MessageName, Rule
from connector.translation.mapping import Mapping as MappingFile
from connector.translation.node import Outcome, Scalar
from connector.translation.ordering import below, national_order
from connector.translation.paths import Path, parse_path, pattern_of
from connector.translation.values import Template

RENUMBERED: Final = "The envelope's own id, which the format does not have."
_TEST: Final = re.compile(r"\[[^\]]")
COUNTED: Final = "A number that the order tells."


@dataclass(frozen=True, slots=True)
class Place:
    """Where a group stands: names in the document, the shape in the envelope and those above."""

    names: tuple[str, ...]
    targets: tuple[str, ...]
    shapes: tuple[Shape, ...]


@dataclass(frozen=True, slots=True)
class Way:
    """What is compiled: a message type, a direction, and the reasons met on the way."""

    message: MessageName
    reading: bool
    reasons: list[Reason] = field(default_factory=list)

    def takes(self, part: Group | Rule) -> bool:
        """Whether a group or rule is for this message type."""
        return not part.messages or self.message in part.messages

    def goes(self, part: Group | Rule) -> bool:
        """Whether it works in this direction."""
        return part.direction.reads if self.reading else part.direction.writes


@dataclass
class Compiler:
    """Compiles one mapping; what is wrong is collected in `problems`."""

    mapping: MappingFile
    lists: Mapping[str, CodeList]
    arrays: bool
    typed: bool
    file: str
    problems: list[Problem] = field(default_factory=list)

    def reading(self, message: MessageName) -> Program:
        """From the national document into the envelope."""
        way = Way(message, reading=True)
        return Program(
            groups=self._all(way),
            reasons=tuple(way.reasons),
            order=schema_order(envelope_shape()),
        )

    def writing(self, message: MessageName) -> Program:
        """From the envelope into the national document."""
        way = Way(message, reading=False)
        groups = self._all(way)
        markers = self.markers(message)
        constants = tuple(
            RunRule(id="marker", origins=(), goals=(path,), convert=None, constant=values[0])
            for path, values in markers
        )
        first = RunGroup(
            id="marker",
            origin=parse_path("."),
            goal=parse_path("."),
            condition=None,
            exception=None,
            rest=None,
            remaining=False,
            annex=None,
            required=False,
            mend="",
            rules=constants,
            groups=(),
        )
        paths = [path for path, _ in markers]
        return Program(
            groups=(first, *groups),
            reasons=tuple(way.reasons),
            order=national_order(self.mapping, message, paths, arrays=self.arrays),
        )

    def markers(self, message: MessageName) -> list[tuple[Path, tuple[str, ...]]]:
        """Fields by which the format and the message type are told."""
        match = {**self.mapping.identify.match, **self.mapping.messages[message].match}
        try:
            return [(self._path(path), values) for path, values in match.items()]
        except ValueError as error:
            self._problem(str(error), f"messages.{message}.match")
            return []

    # groups and rules ---------------------------------------------------------------------------

    def _all(self, way: Way) -> tuple[RunGroup, ...]:
        root = Place((), (), (envelope_shape(),))
        groups = [
            self._group(group, root, f"group[{i}]", way)
            for i, group in enumerate(self.mapping.group)
        ]
        return tuple(group for group in groups if group is not None)

    def _group(self, group: Group, place: Place, key: str, way: Way) -> RunGroup | None:
        key = f"{key} ({group.id})"
        if not way.takes(group):
            return None
        try:
            source = self._path(group.source)
            target = parse_path(group.target)
            shapes = walk(place.shapes, target)
            conditions = (
                (group.if_source, group.unless_source, group.rest_source)
                if way.reading
                else (group.if_target, group.unless_target, group.rest_target)
            )
            when, unless, rest = (self._condition(each, way) for each in conditions)
            if way.goes(group):
                _check_writable(source, way=way)
        except ValueError as error:
            self._problem(str(error), key)
            return None
        if not way.goes(group):
            return None
        inner = Place(below(place.names, source), below(place.targets, target), shapes)
        rules: list[RunRule] = []
        for i, rule in enumerate(group.rules):
            if way.takes(rule):
                rules += self._rule(rule, group, inner, f"{key}.rules[{i}]", way)
        groups = [
            self._group(each, inner, f"{key}.groups[{i}]", way)
            for i, each in enumerate(group.groups)
        ]
        return RunGroup(
            id=group.id,
            origin=source if way.reading else target,
            goal=target if way.reading else source,
            condition=when,
            exception=unless,
            rest=rest,
            remaining=group.remaining,
            annex=group.annex if way.reading else None,
            required=group.required,
            mend=group.mend,
            rules=tuple(rules),
            groups=tuple(each for each in groups if each is not None),
        )

    def _rule(self, rule: Rule, group: Group, place: Place, key: str, way: Way) -> list[RunRule]:
        named = rule.id or f"{group.id}.{_last(rule)}"
        try:
            if rule.annex is not None or rule.drop is not None or rule.lost is not None:
                placed, plain = self._divided(rule, named, way)
                way.reasons.extend(self._reasons(plain, place, named, way))
                return placed
            run = self._run(rule, place, named, way)
            if rule.generate is not None and way.reading == bool(rule.source):
                way.reasons.extend(self._renumbered(rule, place, named))
                return []
            if way.goes(rule) and run.implied is None:
                _check_writable(*run.goals, way=way)
        except (ValueError, re.error) as error:
            self._problem(str(error), key)
            return []
        return [run] if way.goes(rule) else []

    def _renumbered(self, rule: Rule, place: Place, named: str) -> list[Reason]:
        if rule.target:
            return _reason(place.targets, rule.target, Outcome.ANNEXED, named, RENUMBERED)
        return _reason(place.names, rule.source, Outcome.DROPPED, named, COUNTED)

    def _divided(self, rule: Rule, named: str, way: Way) -> tuple[list[RunRule], Rule]:
        """Reasons for paths with tests are looked for where they are; others go by name alone."""
        if not way.reading or rule.lost is not None:
            return [], rule
        tested = tuple(each for each in rule.source if _TEST.search(each))
        outcome = Outcome.ANNEXED if rule.annex is not None else Outcome.DROPPED
        text = rule.annex if rule.annex is not None else rule.drop
        placed = [
            RunRule(
                id=named,
                origins=(self._path(each),),
                goals=(),
                convert=None,
                set_aside=(outcome, text or ""),
                condition=self._condition(rule.if_source, way),
                exception=self._condition(rule.unless_source, way),
            )
            for each in tested
        ]
        rest = tuple(each for each in rule.source if each not in tested)
        return placed, rule.model_copy(update={"source": rest})

    def _reasons(self, rule: Rule, place: Place, named: str, way: Way) -> list[Reason]:
        if rule.lost is not None:
            if way.reading:
                return []
            targets = tuple(each.replace("[]", "") for each in rule.target)
            return _reason(place.targets, targets, Outcome.ANNEXED, named, rule.lost)
        if not way.reading:
            return []
        sources = rule.source
        if not self.arrays:
            sources = tuple(each.replace("[]", "") for each in sources)
        outcome = Outcome.ANNEXED if rule.annex is not None else Outcome.DROPPED
        text = rule.annex if rule.annex is not None else rule.drop
        return _reason(place.names, sources, outcome, named, text or "")

    def _run(self, rule: Rule, place: Place, named: str, way: Way) -> RunRule:
        reading = way.reading
        sources = tuple(self._path(text) for text in rule.source)
        targets = tuple(parse_path(text) for text in rule.target)
        leaves = [walk(place.shapes, path)[-1] for path in targets]
        self._check_leaves(rule, targets, leaves)
        _check_lists(rule, sources, targets)
        conversion = conversion_of(rule, self.lists, self.mapping.format.zone)
        beside = tuple((tuple(name.split("/")), values) for name, values in rule.write_also.items())
        condition = rule.if_source if reading else rule.if_target
        exception = rule.unless_source if reading else rule.unless_target
        separator = rule.separator
        gathers = bool(sources) and sources[0].repeats
        convert = None
        if conversion is not None:
            convert = conversion.read if reading else conversion.write
        template = rule.join if rule.join is not None else rule.split
        assembling = (rule.join is not None) == reading
        return RunRule(
            id=named,
            origins=sources if reading else targets,
            goals=targets if reading else sources,
            convert=convert,
            collapse=bool(leaves) and all(leaf.collapse for leaf in leaves),
            required=rule.required,
            mend=rule.mend,
            constant=rule.value if bool(rule.target) == reading else None,
            implied=rule.value if bool(rule.target) != reading else None,
            must=rule.must,
            numbered=rule.generate,
            first=rule.first,
            default=rule.default if reading else rule.default_out,
            placeholder=None if reading else rule.placeholder,
            nothing=rule.placeholder if reading else None,
            fits=None if reading else self._fits(rule),
            forced=None if reading or not rule.forced else self._forced(rule),
            rest=rule.rest,
            also=rule.also and not reading,
            assemble=Template(template) if template is not None and assembling else None,
            divide=Template(template) if template is not None and not assembling else None,
            gather=separator if separator and gathers == reading else None,
            scatter=separator if separator and gathers != reading else None,
            condition=self._condition(condition, way),
            exception=self._condition(exception, way),
            scalar=rule.type if self.typed else Scalar.STRING,
            beside_origin=beside if reading else (),
            beside_goal=() if reading else tuple((names, values[0]) for names, values in beside),
        )

    def _fits(self, rule: Rule) -> Fits | None:
        if rule.fits is None:
            return None
        if rule.fits not in self.mapping.texts:
            raise ValueError(f"there is no table [texts.{rule.fits}]")
        table = self.mapping.texts[rule.fits]
        pattern, most = re.compile(table.pattern), table.max_length
        return lambda text: (
            (most is None or len(text) <= most) and pattern.fullmatch(text) is not None
        )

    def _forced(self, rule: Rule) -> Callable[[str], str] | None:
        table = self.mapping.texts.get(rule.fits or "")
        if table is None:
            return None
        pattern, most, sign = re.compile(table.pattern), table.max_length, table.sign
        return lambda text: "".join(c if pattern.fullmatch(c) else sign for c in text)[:most]

    def _check_leaves(self, rule: Rule, paths: tuple[Path, ...], leaves: list[Shape]) -> None:
        for path, leaf in zip(paths, leaves, strict=True):
            if not leaf.is_leaf:
                raise ValueError(f"the envelope's {path.text!r} is no field but holds others")
            if not leaf.codes:
                continue
            codes = {rule.value, rule.default} - {None}
            if rule.codes is not None and rule.codes in self.lists:
                codes |= self.lists[rule.codes].targets()
            if unknown := codes - leaf.codes:
                named = ", ".join(sorted(str(each) for each in unknown))
                raise ValueError(f"{named}: no code of the envelope's {path.text!r}")

    # paths --------------------------------------------------------------------------------------

    def _path(self, text: str) -> Path:
        return parse_path(text, arrays=self.arrays)

    def _condition(self, text: str | None, way: Way) -> Path | None:
        if text is None:
            return None
        return self._path(text) if way.reading else parse_path(text)

    def _problem(self, what: str, key: str) -> None:
        problem = Problem(
            code="mapping.invalid",
            what=what[:1].upper() + what[1:] + ("" if what.endswith(".") else "."),
            mend="See docs/mapping.md for what may stand here.",
            file=self.file,
            path=key,
        )
        if problem not in self.problems:
            self.problems.append(problem)


def _last(rule: Rule) -> str:
    text = (rule.source or rule.target)[0]
    return re.sub(r"\[.*?\]", "", text).rsplit("/", 1)[-1]


def _check_writable(*paths: Path, way: Way) -> None:
    unclear = [path.text for path in paths if not path.writable]
    if unclear and not way.reading:
        raise ValueError(f"{unclear[0]!r} can only be read, for ** is no place; add direction")


def _check_lists(rule: Rule, sources: tuple[Path, ...], targets: tuple[Path, ...]) -> None:
    if len(sources) != 1 or len(targets) != 1:
        return
    if rule.separator is None and sources[0].repeats != targets[0].repeats:
        raise ValueError(
            f"only one of {sources[0].text!r} and {targets[0].text!r} repeats: "
            "mark both with [], or give a separator"
        )
    if rule.separator is not None and sources[0].repeats == targets[0].repeats:
        raise ValueError("a separator joins a list on one side with one field on the other")


def _reason(
    names: tuple[str, ...], paths: tuple[str, ...], outcome: Outcome, rule: str, text: str
) -> list[Reason]:
    found = []
    for path in paths:
        if _TEST.search(path):
            raise ValueError(f"{path!r}: a path with a reason has no tests")
        prefix = () if path.startswith("/") else names
        found.append(Reason(pattern_of(prefix, path), outcome, rule, text))
    return found
