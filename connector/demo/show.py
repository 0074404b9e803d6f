"""What a person watches while the demonstration runs: a live timeline, or plain lines."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from connector.demo import words
from connector.demo.progress import Progress
from connector.demo.watch import EXPECTED, Happening, Passage, Snapshot
from connector.exchange.records import Lane, MessageRecord

_SHORT: Final = {"Clarification": "Answer", "Acknowledgement": "Ack."}
_COLUMNS: Final = tuple(words.MESSAGES)
_EMERGENCY: Final = "bold white on red"
_WIDE: Final = 126
"""Columns of a terminal from which on states are written out."""
_TENTH: Final = 10


@dataclass(frozen=True, slots=True)
class Moment:
    """How everything stands at one moment."""

    started: datetime
    now: datetime
    snapshot: Snapshot
    progress: Progress | None

    @property
    def seconds(self) -> float:
        """Since the start."""
        return (self.now - self.started).total_seconds()


class Show(Protocol):
    """Where the demonstration is shown."""

    def __enter__(self) -> Show: ...

    def __exit__(self, *_: object) -> None: ...

    def step(self, what: str) -> None:
        """What is being prepared or concluded."""
        ...

    def update(self, moment: Moment) -> None:
        """How everything stands now."""
        ...


class Silent:
    """Shows nothing."""

    def __enter__(self) -> Silent:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def step(self, what: str) -> None:
        """See `Show`."""

    def update(self, moment: Moment) -> None:
        """See `Show`."""


class Lines(Silent):
    """One line for each happening, for pipes and log files."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tenth = -1

    def __enter__(self) -> Lines:
        return self

    def step(self, what: str) -> None:
        """See `Show`."""
        self._console.print(Text(what))

    def update(self, moment: Moment) -> None:
        """See `Show`."""
        for each in moment.snapshot.happenings:
            self._console.print(happening_text(each, moment.started))
        progress = moment.progress
        if progress and (tenth := int(progress.whole * _TENTH)) > self._tenth:
            self._tenth = tenth
            self._console.print(
                Text(f"{moment.seconds:7.2f} s  ").append_text(_progress_text(progress))
            )


class Timeline(Silent):
    """A table that keeps up with the exchange, the large file, and what happened last."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="crop")
        self._last: deque[Text] = deque(maxlen=40)

    def __enter__(self) -> Timeline:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._live.stop()

    def step(self, what: str) -> None:
        """See `Show`."""
        self._console.print(Text(what, "dim"))

    def update(self, moment: Moment) -> None:
        """See `Show`."""
        for each in moment.snapshot.happenings:
            self._last.append(happening_text(each, moment.started))
        conversations = moment.snapshot.conversations
        room = self._console.height - len(conversations) - 9
        last = list(self._last)[-room:] if room > 0 else []
        parts: list[RenderableType] = [
            _headline(moment),
            self._table(conversations),
            _progress_bar(moment.progress),
            Text(""),
            *last,
        ]
        self._live.update(Group(*parts), refresh=True)

    def _table(self, conversations: Mapping[str, Sequence[Passage]]) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=False)
        wide = self._console.width >= _WIDE
        table.add_column("")
        table.add_column("Case", no_wrap=True, max_width=24)
        for kind in _COLUMNS:
            table.add_column(_SHORT.get(kind, words.MESSAGES[kind]), no_wrap=True)
        for passages in conversations.values():
            first = passages[0]
            by_kind = {passage.record.message_type: passage for passage in passages}
            urgent = first.record.lane is Lane.EMERGENCY
            route = Text(_route(first.record), _EMERGENCY if urgent else "bold")
            cells = [self._cell(by_kind.get(kind), wide) for kind in _COLUMNS]
            table.add_row(route, Text(first.record.backend_id or ""), *cells)
        return table

    def _cell(self, passage: Passage | None, wide: bool) -> Text:
        """One dot for each evidence: full once both sides hold it."""
        if passage is None:
            return Text("")
        full, empty = ("#", ".") if self._console.options.ascii_only else ("●", "○")
        here = passage.sender.evidence_types
        there = passage.receiver.evidence_types if passage.receiver else frozenset()
        text = Text()
        for kind in EXPECTED:
            both = kind in here and kind in there
            one = kind in here or kind in there
            text.append(full if one else empty, "green" if both else "yellow" if one else "dim")
        if passage.failed:
            text.append(" failed", "bold red")
        elif wide:
            text.append(f" {_state_word(passage)}", "green" if passage.complete else "dim")
        return text


def happening_text(happening: Happening, started: datetime) -> Text:
    """A line of the timeline."""
    message = happening.message
    emergency = message.lane is Lane.EMERGENCY
    text = Text(f"{(happening.at - started).total_seconds():7.2f} s  ", "dim")
    text.append(_route(message), _EMERGENCY if emergency else "bold")
    what = words.MESSAGES.get(message.message_type, message.message_type)
    text.append(f"  {what} {message.backend_id or ''}".rstrip())
    state = words.STATES.get(happening.to_state, happening.to_state)
    if happening.from_state == happening.to_state:
        state = happening.event
    text.append(f"  {happening.country}: {state}", "red" if happening.problem else "cyan")
    for evidence in happening.evidences:
        text.append(f"  + {evidence}", "green")
    if happening.problem:
        text.append(f"  {happening.problem}", "red")
    return text


def _headline(moment: Moment) -> Text:
    passages = moment.snapshot.passages
    complete = sum(passage.complete for passage in passages)
    evidences = sum(
        len(side.evidences) for p in passages for side in (p.sender, p.receiver) if side is not None
    )
    return Text(
        f"{moment.seconds:5.1f} s   {words.plural(len(passages), 'message')}, "
        f"{complete} all the way   {words.plural(evidences, 'evidence')} held",
        "bold",
    )


def _progress_bar(progress: Progress | None) -> RenderableType:
    if progress is None:
        return Text("")
    grid = Table.grid(padding=(0, 2))
    grid.add_row(ProgressBar(total=1.0, completed=progress.whole, width=30), _words_of(progress))
    return grid


def _progress_text(progress: Progress) -> Text:
    return Text(f"{progress.whole:4.0%}  ").append_text(_words_of(progress))


def _words_of(progress: Progress) -> Text:
    return Text(f"{words.size_text(progress.size)} of evidence: {progress.doing}")


def _route(message: MessageRecord) -> str:
    parties = (message.from_party, message.to_party)
    return " > ".join(party.rpartition("-")[2].upper() for party in parties)


def _state_word(passage: Passage) -> str:
    if passage.complete:
        return "done"
    side = passage.receiver or passage.sender
    return side.state.value.lower().replace("_", " ")
