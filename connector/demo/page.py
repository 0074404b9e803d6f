"""One page that tells the story: complete in itself, without script, for screen and paper."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from connector.demo import words
from connector.demo.page_chart import chart
from connector.demo.page_message import message
from connector.demo.page_parts import Frame, badge, code, listed, words_of
from connector.demo.story import Case, Participant, Story
from connector.envelope.header import LegalBasis
from connector.envelope.model import Envelope
from connector.envelope.request import Request
from connector.markup import Content, document, tag
from connector.xml import Element

_STYLE: Final = Path(__file__).with_name("page.css")
_COLOURS: Final = ("c1", "c2", "c3", "c4", "c5", "c6")


def write_page(story: Story, path: Path) -> None:
    """Write the page."""
    path.write_bytes(document(page(story)))


def page(story: Story) -> Element:
    """The page as a tree."""
    frame = Frame(
        story.root,
        story.started,
        dict(zip((p.country for p in story.participants), _COLOURS, strict=False)),
    )
    names = [words.country_name(each.country) for each in story.participants]
    title = f"Mutual legal assistance between {listed(names)}"
    return tag(
        "html",
        tag(
            "head",
            tag("meta", charset="utf-8"),
            tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
            tag("meta", name="color-scheme", content="light dark"),
            tag("title", title),
            tag("style", _STYLE.read_text("utf-8")),
        ),
        tag(
            "body",
            tag("header", _opening(story, title), class_="top"),
            tag(
                "main",
                _problems(story),
                _figures(story),
                tag("h2", "Who took part"),
                tag("div", [_participant(p, frame) for p in story.participants], class_="cards"),
                tag("h2", "All messages over time"),
                chart(story),
                tag("h2", "The cases"),
                _contents(story, frame),
                [_case(case, number, frame) for number, case in enumerate(story.cases, 1)],
                tag("h2", "How to look further"),
                _further(story),
            ),
            tag("footer", tag("p", "Every person, case and authority on this page is made up.")),
        ),
        lang="en",
    )


def _opening(story: Story, title: str) -> list[Content]:
    good = story.verdict.ok
    seconds = (story.ended - story.started).total_seconds()
    return [
        tag("p", "emla demonstration", class_="over"),
        tag("h1", title),
        tag(
            "p",
            "✓ Everything arrived, unchanged and attested"
            if good
            else f"✗ Not everything is as it must be: {len(story.problems)} problems",
            class_="verdict good" if good else "verdict bad",
        ),
        tag(
            "p",
            f"{story.started:%d %B %Y, %H:%M:%S} UTC, {seconds:.1f} seconds. Each country's system "
            "wrote its own national format into a folder and found what was for it in another "
            "folder; signed, sealed and attested messages went between the connectors.",
            class_="lead",
        ),
    ]


def _problems(story: Story) -> Element | None:
    if story.verdict.ok:
        return None
    return tag(
        "section",
        tag("h2", "What is wrong"),
        tag("ul", [tag("li", str(problem)) for problem in story.problems]),
        class_="problems",
    )


def _figures(story: Story) -> Element:
    verdict = story.verdict
    delivered = sum(each.document is not None for each in verdict.messages)
    equal = sum(file.equal for file in verdict.files)
    valid = sum(proof.valid for proof in verdict.proofs)
    size = sum(file.sent.size for file in verdict.files)
    largest = max((file.sent.size for file in verdict.files), default=0)
    entries = sum(verdict.audit_entries.values())
    figures = [
        (f"{delivered}/{len(verdict.messages)}", "documents delivered in the receiver's format"),
        (f"{equal}/{len(verdict.files)}", "files equal byte for byte, by SHA-256"),
        (words.size_text(size), f"carried, the largest file {words.size_text(largest)}"),
        (f"{valid}/{len(verdict.proofs)}", "signed evidences valid, counted on both sides"),
        (str(entries), "entries in the connectors' hash-chained audit logs"),
    ]
    emergencies = [case.chapters[0] for case in story.cases if case.emergency]
    if emergencies:
        slowest = max((each.ended - each.begun).total_seconds() for each in emergencies)
        what = "until every emergency was fetched by whoever must act"
        figures.append((f"{slowest:.1f} s", what))
    return tag(
        "dl",
        [tag("div", tag("dt", label), tag("dd", figure)) for figure, label in figures],
        class_="figures",
    )


def _participant(participant: Participant, frame: Frame) -> Element:
    return tag(
        "section",
        tag("h3", frame.country(participant.country), words.country_name(participant.country)),
        tag(
            "p", "Works with ", tag("b", participant.format), tag("small", participant.format_title)
        ),
        tag("p", f"{participant.sent} documents sent, {participant.received} received"),
        tag("p", "Access point ", code(participant.endpoint)),
        class_="card",
    )


def _contents(story: Story, frame: Frame) -> Element:
    return tag(
        "ol",
        [
            tag(
                "li",
                tag("a", _subject(case), href=f"#case-{number}"),
                tag("span", *_route(case, frame)),
                badge("emergency", "emergency") if case.emergency else None,
            )
            for number, case in enumerate(story.cases, 1)
        ],
        class_="contents",
    )


def _case(case: Case, number: int, frame: Frame) -> Element:
    first = case.chapters[0]
    return tag(
        "section",
        tag(
            "header",
            tag("p", *_route(case, frame), *([badge("emergency", "emergency")] * case.emergency)),
            tag("h2", _subject(case)),
            tag("p", *_parties(first.envelope), class_="parties") if first.envelope else None,
            tag("p", _legal_bases(first.envelope.header.legal_bases), class_="soft")
            if first.envelope
            else None,
            tag("p", f"Sample: samples/{first.sent.sample}", class_="soft")
            if first.sent.sample
            else None,
        ),
        [message(chapter, frame, _measures(case)) for chapter in case.chapters],
        class_="case emergency" if case.emergency else "case",
        id=f"case-{number}",
    )


def _route(case: Case, frame: Frame) -> list[Content]:
    first = case.chapters[0]
    return [frame.country(first.sent.country), " asks ", frame.country(first.receiver)]


def _subject(case: Case) -> str:
    first = case.chapters[0]
    body = first.envelope.body if first.envelope else None
    if isinstance(body, Request):
        return " ".join(body.proceedings.subject_matter.split())
    return first.sent.reference


def _parties(envelope: Envelope) -> list[Content]:
    header = envelope.header
    return [
        tag("b", header.sending_authority.names[0].text),
        " asks ",
        tag("b", header.receiving_authority.names[0].text),
    ]


def _legal_bases(bases: tuple[LegalBasis, ...]) -> str:
    return "Legal basis: " + "; ".join(_legal_basis(basis) for basis in bases)


def _legal_basis(basis: LegalBasis) -> str:
    name = basis.title or words.INSTRUMENTS.get(basis.instrument, words_of(basis.instrument))
    return f"{name}, article {basis.article}" if basis.article else name


def _measures(case: Case) -> Mapping[str, str]:
    for chapter in case.chapters:
        if chapter.envelope and isinstance(chapter.envelope.body, Request):
            return {m.id: m.description for m in chapter.envelope.body.measures}
    return {}


def _further(story: Story) -> Element:
    home = story.participants[0].country if story.participants else "DE"
    name = story.root.name
    commands = (
        ("Check everything again", f"emla demo --check --output {name}"),
        ("What a connector knows of its messages", f"emla list --home {name}/connectors/{home}"),
        (
            "Who signed and sealed",
            f"emla verify --home {name}/connectors/{home} {name}/containers {name}/evidences",
        ),
        (
            "Nothing was changed afterwards",
            f"emla audit verify --home {name}/connectors/{home}",
        ),
    )
    return tag(
        "dl",
        [tag("div", tag("dt", what), tag("dd", code(command))) for what, command in commands],
        class_="further",
    )
