"""The story of a demonstration as plain data: who asked whom what, and how it went."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from connector.demo.check import MessageCheck, Verdict
from connector.demo.exhibits import Exhibit
from connector.demo.manifest import Manifest, Sent
from connector.demo.output import OutputFolder
from connector.demo.watch import Passage, Side, Watch
from connector.envelope.model import Envelope
from connector.envelope.xml_read import read
from connector.errors import ConnectorError, Problem
from connector.exchange.records import Lane, PartRole
from connector.translation.formats import Formats
from connector.xml import parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A change of state."""

    at: datetime
    country: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """One message."""

    check: MessageCheck
    envelope: Envelope | None
    """What it says; None if it could not be read."""
    steps: tuple[Step, ...]
    """On both sides, in order of time."""
    original: Path | None
    """As the national system handed it over."""
    container: Path | None
    evidences: Mapping[str, Path]
    """By SHA-256."""

    @property
    def sent(self) -> Sent:
        """What was handed over."""
        return self.check.sent

    @property
    def receiver(self) -> str:
        """Country that it went to; empty if nobody knows."""
        passage = self.check.passage
        return passage.record.to_party.rpartition("-")[2].upper() if passage else ""

    @property
    def begun(self) -> datetime:
        """When it was handed over."""
        return self.sent.at

    @property
    def ended(self) -> datetime:
        """When the last thing happened to it."""
        return self.steps[-1].at if self.steps else self.sent.at


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A conversation: a request and everything that followed."""

    chapters: tuple[Chapter, ...]
    emergency: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """A country that took part."""

    country: str
    format: str
    """National format that documents are delivered in."""
    format_title: str
    """What people call it."""
    endpoint: str
    sent: int
    received: int
    audit_entries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The whole."""

    root: Path
    """Links count from here."""
    started: datetime
    ended: datetime
    participants: tuple[Participant, ...]
    cases: tuple[Case, ...]
    """Emergencies first."""
    verdict: Verdict

    @property
    def chapters(self) -> Iterable[Chapter]:
        """Of all cases."""
        return (chapter for case in self.cases for chapter in case.chapters)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All that is wrong."""
        return self.verdict.problems


def tell(
    output: OutputFolder,
    manifest: Manifest,
    verdict: Verdict,
    *,
    exhibits: Mapping[str, Exhibit],
    watch: Watch,
    formats: Formats,
) -> Story:
    """Everything that the page shows."""
    chapters = [_chapter(output, message, exhibits, watch) for message in verdict.messages]
    return Story(
        root=output.root,
        started=manifest.started,
        ended=manifest.ended,
        participants=tuple(
            Participant(
                country=country,
                format=home.settings.delivery.format,
                format_title=formats[home.settings.delivery.format].mapping.format.title,
                endpoint=home.settings.gateway.listen + home.settings.gateway.path,
                sent=sum(c.sent.country == country for c in chapters),
                received=sum(c.receiver == country and bool(c.check.document) for c in chapters),
                audit_entries=verdict.audit_entries.get(country, 0),
            )
            for country, home in watch.homes.items()
        ),
        cases=_cases(chapters),
        verdict=verdict,
    )


def _cases(chapters: list[Chapter]) -> tuple[Case, ...]:
    """By conversation; what was never accepted is a case of its own."""
    found: dict[str, list[Chapter]] = {}
    for chapter in chapters:
        passage = chapter.check.passage
        name = passage.record.conversation_id if passage else f"{chapter.sent.entry} not accepted"
        found.setdefault(name, []).append(chapter)
    cases = [
        Case(
            chapters=tuple(sorted(each, key=lambda chapter: chapter.begun)),
            emergency=any(
                c.check.passage and c.check.passage.record.lane is Lane.EMERGENCY for c in each
            ),
        )
        for each in found.values()
    ]
    return tuple(sorted(cases, key=lambda case: (not case.emergency, case.chapters[0].begun)))


def _chapter(
    output: OutputFolder, check: MessageCheck, exhibits: Mapping[str, Exhibit], watch: Watch
) -> Chapter:
    sent, passage = check.sent, check.passage
    exhibit = exhibits.get(passage.message_id) if passage else None
    return Chapter(
        check=check,
        envelope=_envelope(passage, watch) if passage else None,
        steps=tuple(_steps(passage, watch)) if passage else (),
        original=_original(output, sent),
        container=exhibit.container if exhibit else None,
        evidences=exhibit.evidences if exhibit else {},
    )


def _steps(passage: Passage, watch: Watch) -> Iterable[Step]:
    sides: Iterable[Side | None] = (passage.sender, passage.receiver)
    steps = [
        Step(at=entry.at, country=side.country, state=entry.to_state)
        for side in sides
        if side is not None
        for entry in watch.store(side.country).timeline(side.record.id)
        if entry.to_state != entry.from_state
    ]
    return sorted(steps, key=lambda step: step.at)


def _envelope(passage: Passage, watch: Watch) -> Envelope | None:
    payloads = watch.store(passage.sender.country).payloads
    for part in passage.sender.parts_of(PartRole.ENVELOPE):
        try:
            return read(parse(payloads.read(part.payload)))
        except ConnectorError:  # the check says what is wrong
            return None
    return None


def _original(output: OutputFolder, sent: Sent) -> Path | None:
    folder = output.originals / sent.country
    found = sorted(folder.glob(f"{sent.entry}.*/{sent.entry}/{sent.document.name}"))
    return found[0] if found else None
