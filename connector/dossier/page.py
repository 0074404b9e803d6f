"""The chain of custody as a page for people: HTML that needs nothing else, readable on paper."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from connector.dossier.model import Dossier, DossierMessage, Signed, Transfer
from connector.markup import Content, document, tag
from connector.validation.indications import Indication

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --paper: #fff; --line: #cfd6dd; --soft: #f3f5f7;
  --good: #0b6b3a; --bad: #a3261f; --open: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --paper: #14181c; --line: #3a424a;
  --soft: #1d2329; --good: #5cc98f; --bad: #ff8a80; --open: #e5b04b; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 70rem; margin: 2rem auto; padding: 0 1.2rem; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { margin-top: 2.4rem; font-size: 1.25rem; }
h3 { font-size: 1rem; margin: 1.4rem 0 .4rem; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem;
  border-bottom: 1px solid var(--line); }
th { background: var(--soft); font-weight: 600; }
code { font: .85em ui-monospace, monospace; overflow-wrap: anywhere; }
.good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
.open { color: var(--open); font-weight: 600; } .quiet { opacity: .75; }
@media print { body { max-width: none; margin: 0; } h2 { break-after: avoid; }
  tr { break-inside: avoid; } }
"""


def custody_page(dossier: Dossier) -> bytes:
    """`chain-of-custody.html`, UTF-8; links lead to the files of the dossier."""
    title = f"Chain of custody of {dossier.conversation_id}"
    return document(
        tag(
            "html",
            tag(
                "head",
                tag("meta", charset="utf-8"),
                tag("title", title),
                tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
                tag("style", _STYLE),
            ),
            tag(
                "body",
                tag("h1", "Chain of custody"),
                tag("p", *_intro(dossier), class_="quiet"),
                *(each for message in dossier.messages for each in _message(message)),
                tag("h2", "How to check this dossier"),
                tag("p", CHECKING),
            ),
            lang="en",
        )
    )


CHECKING: Final = (
    "This dossier is an ASiC-E container (ETSI EN 319 162-1) with a XAdES signature over every "
    "file in it. Any validation software for ASiC and XAdES can check it; `emla dossier verify` "
    "does so without a network. The reports under validation/ follow ETSI TS 119 102-2."
)


def _intro(dossier: Dossier) -> Iterable[Content]:
    yield f"Case {dossier.conversation_id}, {len(dossier.messages)} messages. "
    yield f"Made {said_time(dossier.made_at)} by {dossier.made_by} about message {dossier.about}."


def _message(message: DossierMessage) -> Iterable[Content]:
    record = message.record
    yield tag("h2", f"{record.message_type} {record.backend_id or ''}".strip())
    yield tag(
        "p",
        f"From {record.sender} to {record.recipient}, {said_time(record.created_at)}. "
        f"State at this connector: {record.state}. ",
        tag("code", record.ebms_id),
    )
    yield tag("h3", "Transfers")
    yield _table(
        ("When", "What", "From → to", "Attested by", "Signature of the evidence"),
        (_transfer(each) for each in message.transfers),
    )
    yield tag("h3", "Signatures of the message")
    yield _table(("File", "Signature"), (_signed(each) for each in message.signed))
    yield tag("h3", "Files")
    yield _table(
        ("File", "What it is", "Bytes", "SHA-256"),
        (
            (
                tag("a", file.path.rpartition("/")[2], href=_href(file.path)),
                file.what,
                f"{file.payload.size:,}".replace(",", "\u202f"),
                tag("code", file.payload.sha256),
            )
            for file in message.files
        ),
    )


def _transfer(transfer: Transfer) -> tuple[Content | list[Content], ...]:
    event = tag("span", transfer.event, class_="good" if transfer.positive else "bad")
    what: list[Content] = [event]
    if transfer.reason:
        what += [tag("br"), transfer.reason]
    return (
        said_time(transfer.at),
        what,
        f"{transfer.giver} → {transfer.taker}",
        transfer.attested_by,
        _verdict(transfer.evidence),
    )


def _signed(signed: Signed) -> tuple[Content | list[Content], ...]:
    path = signed.file.path
    return tag("a", path.rpartition("/")[2], href=_href(path)), _verdict(signed)


def _verdict(signed: Signed) -> list[Content]:
    found: list[Content] = []
    for line, indication in verdict_lines(signed):
        if found:
            found.append(tag("br"))
        found.append(tag("span", line, class_=_CLASSES[indication]) if indication else line)
    return found


_CLASSES: Final = {
    Indication.TOTAL_PASSED: "good",
    Indication.TOTAL_FAILED: "bad",
    Indication.INDETERMINATE: "open",
}


def verdict_lines(signed: Signed) -> Iterable[tuple[str, Indication | None]]:
    """What is said of a file's signatures, line by line; with the indication where it stands."""
    if not signed.report.signatures:
        yield "No signature", Indication.INDETERMINATE
    for each in signed.report.signatures:
        conclusion = each.conclusion
        sub = f" ({conclusion.sub.value})" if conclusion.sub else ""
        yield f"{conclusion.indication.value}{sub}", conclusion.indication
        if each.certificate is not None:
            yield f"by {each.certificate.subject.rfc4514_string()}", None
            yield f"certified by {each.certificate.issuer.rfc4514_string()}", None
        if each.signature_method:
            yield f"{each.format} level {each.level}, {each.signature_method}", None
        yield from ((why, None) for why in conclusion.why)


def _table(heads: Iterable[str], rows: Iterable[tuple[Content | list[Content], ...]]) -> Content:
    return tag(
        "table",
        tag("thead", tag("tr", *(tag("th", head, scope="col") for head in heads))),
        tag("tbody", *(tag("tr", *(tag("td", cell) for cell in row)) for row in rows)),
    )


def _href(path: str) -> str:
    from urllib.parse import quote

    return quote(path)


def said_time(moment: datetime) -> str:
    """A moment for people; the offset says which time it is."""
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}".strip()
