"""One message on the page: what it says, how it went, its files, its evidences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from connector.demo import words
from connector.demo.check import FileCheck
from connector.demo.page_parts import Frame, badge, clock, code, verdict, words_of
from connector.demo.proof import Proof
from connector.demo.story import Chapter
from connector.demo.watch import EXPECTED
from connector.envelope.model import Envelope
from connector.envelope.replies import (
    Acknowledgement,
    Clarification,
    ClarificationRequest,
    Response,
)
from connector.envelope.request import Request
from connector.markup import Content, tag
from connector.xml import Element


def message(chapter: Chapter, frame: Frame, measures: Mapping[str, str]) -> Element:
    """A card; `measures` are the descriptions of what the case's request asks for."""
    sent = chapter.sent
    kind = words.MESSAGES.get(sent.message_type, sent.message_type)
    problems = chapter.check.problems
    return tag(
        "article",
        tag(
            "header",
            tag("h3", kind, class_=f"kind m-{sent.message_type.lower()}"),
            tag("span", frame.country(sent.country), " → ", frame.country(chapter.receiver)),
            tag("span", sent.reference, class_="reference"),
            badge(sent.urgency, sent.urgency) if sent.urgency != "ordinary" else None,
            tag("span", f"{clock(sent.at)} UTC", class_="time"),
        ),
        tag("ul", [tag("li", str(p)) for p in problems], class_="problems") if problems else None,
        tag("div", _content(chapter.envelope, measures), class_="content", **_language(chapter)),
        _steps(chapter, frame),
        _files(chapter, frame),
        _evidences(chapter, frame),
        _links(chapter, frame),
        class_="message failed" if problems else "message",
    )


def _language(chapter: Chapter) -> dict[str, str]:
    """In which language the message is written, for whoever reads the page aloud."""
    return {"lang": chapter.envelope.header.language} if chapter.envelope else {}


def _content(envelope: Envelope | None, measures: Mapping[str, str]) -> Iterable[Content]:
    if envelope is None:
        return [tag("p", "What it says could not be read.")]
    match envelope.body:
        case Request() as body:
            return _request(body)
        case Acknowledgement() as body:
            expected = f" An answer is expected by {body.expected_by}." if body.expected_by else ""
            return [
                tag("p", f"Received; the authority is {words_of(body.handling)}.{expected}"),
                tag("p", body.remark) if body.remark else None,
            ]
        case ClarificationRequest() as body:
            return [
                *(tag("blockquote", item.question) for item in body.items),
                tag("p", body.consequence) if body.consequence else None,
            ]
        case Clarification() as body:
            return [tag("blockquote", answer.answer) for answer in body.answers]
        case Response() as body:
            return _response(body, measures)


def _request(body: Request) -> Iterable[Content]:
    return [
        tag("p", body.proceedings.subject_matter),
        tag("p", body.facts, class_="facts") if body.facts else None,
        tag(
            "ul",
            [
                tag("li", tag("b", words_of(m.type)), f": {m.description}", class_="measure")
                for m in body.measures
            ],
        ),
    ]


def _response(body: Response, measures: Mapping[str, str]) -> Iterable[Content]:
    return [
        tag(
            "ul",
            [
                tag(
                    "li",
                    tag("b", words_of(result.outcome)),
                    f": {measures.get(result.measure_ref, result.measure_ref)}",
                    f" ({result.reason})" if result.reason else None,
                )
                for result in body.results
            ],
        ),
        tag(
            "ul",
            [
                tag(
                    "li",
                    tag("b", words_of(item.type)),
                    f": {item.description}.",
                    f" {item.acquisition_method}" if item.acquisition_method else None,
                )
                for item in body.evidence_items
            ],
        )
        if body.evidence_items
        else None,
    ]


def _steps(chapter: Chapter, frame: Frame) -> Element:
    """A row for the sender's connector, and one for the receiver's."""
    rows: dict[str, list[Element]] = {}
    for step in chapter.steps:
        state = words.STATES.get(step.state, step.state)
        moment = tag("time", frame.since(step.at), title=f"{clock(step.at)} UTC")
        rows.setdefault(step.country, []).append(tag("li", state, " ", moment))
    return tag(
        "div",
        [tag("div", frame.country(c), tag("ol", steps)) for c, steps in rows.items()],
        class_="steps",
    )


def _files(chapter: Chapter, frame: Frame) -> Element:
    rows = [_file_row(file, chapter, frame) for file in chapter.check.files]
    equal = sum(file.equal for file in chapter.check.files)
    size = sum(file.sent.size for file in chapter.check.files)
    return tag(
        "details",
        tag(
            "summary",
            f"{words.plural(len(rows), 'file')}, {words.size_text(size)}: ",
            verdict(equal == len(rows), "equal byte for byte", f"only {equal} of them equal"),
        ),
        tag(
            "div",
            tag(
                "table",
                tag("thead", _row("th", "File", "Size", "SHA-256 sent / received", "")),
                tag("tbody", rows),
            ),
            class_="scroll",
        ),
        **({} if equal == len(rows) else {"open": "open"}),
    )


def _file_row(file: FileCheck, chapter: Chapter, frame: Frame) -> Element:
    role = "the document itself" if file.sent == chapter.sent.document else ""
    received = file.sha256 or "not delivered"
    return tag(
        "tr",
        tag(
            "td",
            frame.link_or_text(file.sent.name, file.path),
            tag("small", role) if role else None,
        ),
        tag("td", words.size_text(file.sent.size), title=f"{file.sent.size} bytes", class_="num"),
        tag("td", code(file.sent.sha256), code(received), class_="digest"),
        tag("td", verdict(file.equal, "equal", "differs" if file.path else "missing")),
    )


def _evidences(chapter: Chapter, frame: Frame) -> Element:
    proofs = chapter.check.proofs
    valid = sum(proof.valid for proof in proofs)
    missing = len(EXPECTED) * 2 - len(proofs)
    good = valid == len(proofs) and missing <= 0
    order = {kind: place for place, kind in enumerate(EXPECTED)}
    rows = [
        _proof_row(proof, chapter, frame)
        for proof in sorted(proofs, key=lambda p: (order.get(p.type, 99), not p.issued_here))
    ]
    return tag(
        "details",
        tag(
            "summary",
            f"{words.plural(len(proofs), 'evidence')} on both sides: ",
            verdict(good, "all there, all valid", f"{valid} valid, {max(0, missing)} missing"),
        ),
        tag(
            "div",
            tag(
                "table",
                tag("thead", _row("th", "Evidence", "Held by", "Issued by", "Time", "Verified")),
                tag("tbody", rows),
            ),
            class_="scroll",
        ),
        **({} if good else {"open": "open"}),
    )


def _proof_row(proof: Proof, chapter: Chapter, frame: Frame) -> Element:
    name = words.EVIDENCES.get(proof.type, proof.type)
    return tag(
        "tr",
        tag(
            "td",
            frame.link_or_text(name, chapter.evidences.get(proof.sha256)),
            tag("small", proof.type),
        ),
        tag("td", frame.country(proof.holder)),
        tag("td", proof.issuer, tag("small", proof.signed_by)),
        tag("td", clock(proof.at)),
        tag(
            "td",
            verdict(proof.valid, "signature and document", "not valid"),
            tag("small", proof.method),
            [tag("small", str(problem), class_="bad") for problem in proof.problems],
        ),
    )


def _row(cell: str, *texts: str) -> Element:
    return tag("tr", [tag(cell, text) for text in texts])


def _links(chapter: Chapter, frame: Frame) -> Element:
    document = chapter.check.document
    proofs = document.parent / "proofs" if document else None
    links = [
        frame.link("as handed over", chapter.original),
        frame.link("as delivered", document),
        frame.link("signed envelope", proofs and proofs / "envelope.xml"),
        frame.link("sealed container", chapter.container),
        frame.link("token", proofs and proofs / "Token.xml"),
        frame.link("account of the translation", proofs and proofs / "translation.json"),
    ]
    return tag("nav", [link for link in links if link is not None])
