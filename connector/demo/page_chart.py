"""All messages of the exchange on one axis of time, as a drawing in SVG."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from connector.demo import words
from connector.demo.story import Case, Chapter, Story
from connector.markup import tag
from connector.xml import Element

_WIDTH: Final = 1060
_LEFT: Final = 236
_RIGHT: Final = 16
_TOP: Final = 26
_BAR: Final = 11
_LANE: Final = 15
_GAP: Final = 12
_STEPS: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300)
_TICKS: Final = 12


def chart(story: Story) -> Element:
    """A row for each case, a bar for each message from its acceptance until it was fetched."""
    seconds = max(1.0, (story.ended - story.started).total_seconds())
    scale = (_WIDTH - _LEFT - _RIGHT) / seconds
    rows: list[Element] = []
    height = _TOP
    for case in story.cases:
        lanes = _lanes(case.chapters)
        room = len(lanes) * _LANE
        rows.append(_label(case, height))
        for number, lane in enumerate(lanes):
            rows += [_bar(story, each, height + number * _LANE, scale) for each in lane]
        height += room + _GAP
        rows.append(_line(0, height - _GAP / 2 - 2, _WIDTH, height - _GAP / 2 - 2, "row"))
    drawing = tag(
        "svg",
        _axis(seconds, scale, height),
        rows,
        viewBox=f"0 0 {_WIDTH} {height}",
        role="img",
        aria_label="Messages of each case over time",
    )
    return tag("figure", tag("div", drawing, class_="scroll"), _legend(), class_="chart")


def _lanes(chapters: Sequence[Chapter]) -> list[list[Chapter]]:
    """Messages that overlap in time stand below each other."""
    lanes: list[list[Chapter]] = []
    for chapter in chapters:
        free = next((lane for lane in lanes if lane[-1].ended < chapter.begun), None)
        if free is None:
            lanes.append([chapter])
        else:
            free.append(chapter)
    return lanes


def _label(case: Case, top: float) -> Element:
    first = case.chapters[0]
    reference = first.sent.reference
    if len(reference) > 22:
        reference = reference[:21] + "…"
    kind = "label emergency" if case.emergency else "label"
    text = f"{first.sent.country} → {first.receiver or '?'}  {reference}"
    return tag("text", text, x="0", y=f"{top + _BAR - 1:.1f}", class_=kind)


def _bar(story: Story, chapter: Chapter, top: float, scale: float) -> Element:
    begun = (chapter.begun - story.started).total_seconds()
    ended = (chapter.ended - story.started).total_seconds()
    kind = words.MESSAGES.get(chapter.sent.message_type, chapter.sent.message_type)
    return tag(
        "rect",
        tag("title", f"{kind} {chapter.sent.reference}: {begun:.2f} s to {ended:.2f} s"),
        x=f"{_LEFT + begun * scale:.1f}",
        y=f"{top:.1f}",
        width=f"{max(3.0, (ended - begun) * scale):.1f}",
        height=str(_BAR),
        rx="3",
        class_=f"m-{chapter.sent.message_type.lower()}"
        + (" failed" if chapter.check.problems else ""),
    )


def _axis(seconds: float, scale: float, height: float) -> list[Element]:
    step = next((each for each in _STEPS if seconds / each <= _TICKS), _STEPS[-1])
    drawn: list[Element] = []
    for tick in range(0, int(seconds) + 1, step):
        x = _LEFT + tick * scale
        drawn.append(_line(x, _TOP - 8, x, height, "tick"))
        drawn.append(tag("text", f"{tick} s", x=f"{x:.1f}", y="12", class_="axis"))
    return drawn


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> Element:
    return tag("line", x1=f"{x1:.1f}", y1=f"{y1:.1f}", x2=f"{x2:.1f}", y2=f"{y2:.1f}", class_=kind)


def _legend() -> Element:
    return tag(
        "figcaption",
        [
            tag("span", tag("i", class_=f"m-{kind.lower()}"), text)
            for kind, text in words.MESSAGES.items()
        ],
    )
