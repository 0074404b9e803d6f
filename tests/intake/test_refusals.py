"""Bad input: a note that says what is wrong, where and what to do; the document untouched; and the
next document is accepted as if nothing had been."""

from __future__ import annotations

import json
import os
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from connector.errors import transient
from connector.intake import folder as module
from tests.intake.conftest import Desk
from tests.network import ATTACHMENTS, moment, national, put, sample, with_digests

Make = Callable[[Desk], None]


@dataclass(frozen=True)
class Case:
    """Something bad in the folder, and what must be told of it."""

    make: Make
    code: str
    file: str
    line: int | None = None
    path: str | None = None
    says: str = ""


def single(name: str, data: bytes) -> Make:
    return lambda desk: (desk.folder / name).write_bytes(data) and None


def case(document: bytes, name: str = "document.xml", **files: bytes | None) -> Make:
    """A folder `case`; attachments may be replaced, or left out by None."""
    chosen = {**ATTACHMENTS, **{n.replace("__", "."): d for n, d in files.items()}}

    def make(desk: Desk) -> None:
        put(
            desk.folder / "case", document, {n: d for n, d in chosen.items() if d is not None}, name
        )

    return make


def line_of(data: bytes, mark: bytes) -> int:
    return data[: data.index(mark)].count(b"\n") + 1


def without(document: bytes, *names: str) -> bytes:
    """A JSON document without some members, by path."""
    content = json.loads(document)
    for name in names:
        *steps, last = name.split("/")
        place = content
        for step in steps:
            place = place[int(step) if step.isdigit() else step]
        del place[last]
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def replaced(document: bytes, old: bytes, new: bytes) -> bytes:
    assert old in document
    return document.replace(old, new)


JSON = national("case-json")
CSV = national("register-csv")
LATIN = JSON.decode().encode("latin-1", "replace")
SENDER = "urn:emla:authority:de:sta-musterstadt"
EMERGENCY = sample("emergency-request")
REAL = with_digests(sample(TestFlag="false"))

CASES = {
    "wrong encoding, JSON": Case(
        case(LATIN, "document.json"),
        "translation.wrong-encoding",
        "document.json",
        line=line_of(LATIN, "Schönfeld".encode("latin-1")),
    ),
    "wrong encoding, XML": Case(
        single("a.xml", replaced(EMERGENCY, b"kidnappers", b"kidnapp\xe9rs")),
        "xml.malformed",
        "a.xml",
        line=line_of(EMERGENCY, b"kidnappers"),
    ),
    "unknown format": Case(
        single("scan.pdf", b"%PDF-1.7\n1 0 obj"),
        "translation.unknown-format",
        "scan.pdf",
        says="case-json",
    ),
    "empty": Case(single("empty.xml", b""), "translation.unknown-format", "empty.xml"),
    "another kind of JSON": Case(
        single("a.json", b'{"invoice": 4711}'),
        "translation.unknown-format",
        "a.json",
        says="invoice",
    ),
    "broken JSON": Case(
        case(JSON[:3000], "document.json"),
        "translation.malformed",
        "document.json",
        line=JSON[:3000].count(b"\n") + 1,
    ),
    "broken XML": Case(
        single("a.xml", replaced(EMERGENCY, b"</Header>", b"</Heder>")),
        "xml.malformed",
        "a.xml",
        line=line_of(EMERGENCY, b"</Header>"),
    ),
    "mandatory field missing, JSON": Case(
        case(without(JSON, "demande/faits"), "document.json"),
        "envelope.rule.EMLA-R-29",
        "document.json",
        path="/demande",
    ),
    "mandatory field missing, CSV": Case(
        case(replaced(CSV, b"PED;PEN;INQ", b"PED;;INQ"), "case.csv"),
        "translation.missing-field",
        "case.csv",
        line=line_of(CSV, b"PED;PEN"),
        path="PED.natureza",
    ),
    "a cell too many, CSV, and nothing says that it is the document": Case(
        case(replaced(CSV, b"PED;PEN;INQ", b"PED;PEN;INQ;"), "case.csv"),
        "translation.malformed",
        "case.csv",
        line=line_of(CSV, b"PED;PEN"),
    ),
    "mandatory element missing, envelope": Case(
        single("a.xml", sample("emergency-request", Urgency_Facts=None)),
        "envelope.rule.EMLA-R-",
        "a.xml",
        path="Envelope/Header/Urgency",
    ),
    "unknown authority": Case(
        case(
            replaced(JSON, b"urn:emla:authority:br:drci", b"urn:emla:authority:br:drcj"),
            "document.json",
        ),
        "directory.unknown-authority",
        "document.json",
        path="destinataire/identifiant/valeur",
        says="urn:emla:authority:br:drci",
    ),
    "foreign sender": Case(
        case(replaced(JSON, SENDER.encode(), b"urn:emla:authority:fr:beci"), "document.json"),
        "intake.foreign-sender",
        "document.json",
        path="emetteur/identifiant/valeur",
    ),
    "for ourselves": Case(
        case(replaced(sample(), b"urn:emla:authority:br:drci", SENDER.encode())),
        "intake.own-receiver",
        "document.xml",
    ),
    "attachment missing, JSON": Case(
        case(JSON, "document.json", beschluss__pdf=None),
        "intake.attachment-missing",
        "document.json",
        path="pieces/1/",
        says="beschluss.pdf",
    ),
    "attachment missing, CSV": Case(
        case(CSV, "case.csv", beschluss__pdf=None),
        "intake.attachment-missing",
        "case.csv",
        line=line_of(CSV, b"ANX;order1"),
    ),
    "attachment differs, JSON": Case(
        case(JSON, "document.json", beschluss__pdf=b"%PDF another"),
        "intake.attachment-differs",
        "document.json",
        path="pieces/1/",
        says="beschluss.pdf",
    ),
    "attachment differs, envelope": Case(
        case(REAL, beschluss__pdf=b"%PDF another"),
        "intake.attachment-differs",
        "document.xml",
        path="Envelope/Header/Attachment[2]",
        line=line_of(REAL, b"<Id>order1") - 1,
    ),
    "one name twice": Case(
        case(
            sample(),
            **{
                unicodedata.normalize("NFC", "é.pdf"): b"1",
                unicodedata.normalize("NFD", "é.pdf"): b"2",
            },
        ),
        "intake.name-twice",
        "",
    ),
    "reply to nothing": Case(
        single("a.xml", sample("acknowledgement")),
        "intake.unknown-request",
        "a.xml",
        path="Envelope/Header/InReplyTo",
    ),
    "deadline passed": Case(
        case(
            with_digests(
                sample(
                    TestFlag="false",
                    CreatedAt="2026-01-02T09:15:00+01:00",
                    Urgency_Deadline="2026-01-31T12:00:00+01:00",
                )
            )
        ),
        "intake.deadline-passed",
        "document.xml",
        path="Envelope/Header/Urgency/Deadline",
        says="2026-01-31 12:00",
    ),
    "deadline before its own date": Case(
        case(sample(Urgency_Deadline="2026-11-24T09:14:59+01:00")),
        "envelope.rule.EMLA-R-10",
        "document.xml",
        path="Envelope/Header/Urgency/Deadline",
    ),
    "entity of the file system": Case(
        single(
            "a.xml",
            b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'
            + EMERGENCY.partition(b"?>")[2].replace(b"<Function>", b"<Function>&e;"),
        ),
        "xml.doctype",
        "a.xml",
    ),
    "more than a document has": Case(
        single("a.xml", EMERGENCY + b" " * (64 * 1024 * 1024)),
        "intake.document-too-large",
        "a.xml",
    ),
    "nested too deeply": Case(
        single("a.json", b'{"schema": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"),
        "translation.too-deep",
        "a.json",
    ),
    "link to a file": Case(
        lambda desk: (desk.folder / "link.xml").symlink_to("/etc/passwd"),
        "intake.no-file",
        "link.xml",
        says="links are not followed",
    ),
    "link to a folder": Case(
        lambda desk: (desk.folder / "everything").symlink_to("/"), "intake.no-file", "everything"
    ),
    "link that leads nowhere": Case(
        lambda desk: (desk.folder / "link.xml").symlink_to("nowhere"), "intake.no-file", "link.xml"
    ),
    "pipe": Case(lambda desk: os.mkfifo(desk.folder / "pipe"), "intake.no-file", "pipe"),
    "link in a folder": Case(
        lambda desk: (put(desk.folder / "case", sample()) / "shadow.txt").symlink_to("/etc/shadow"),
        "intake.no-file",
        "case/shadow.txt",
    ),
    "folder in a folder": Case(
        lambda desk: (put(desk.folder / "case", sample()) / "more").mkdir(),
        "intake.no-file",
        "case/more",
    ),
}


def snapshot(entry: Path) -> dict[str, object]:
    """Every name below `entry` with its bytes, or where it leads."""
    found: dict[str, object] = {}
    paths = [entry, *(entry.rglob("*") if entry.is_dir() and not entry.is_symlink() else ())]
    for path in paths:
        key = str(path.relative_to(entry))
        if path.is_symlink():
            found[key] = f"-> {path.readlink()}"
        elif path.is_file():
            found[key] = path.read_bytes()
        else:
            found[key] = path.lstat().st_mode
    return found


@pytest.mark.parametrize("bad", CASES.values(), ids=CASES.keys())
def test_refused_with_a_note_and_the_folder_goes_on(desk: Desk, bad: Case) -> None:
    bad.make(desk)
    (entry,) = [p for p in desk.folder.iterdir() if not p.name.startswith(".")]
    before = snapshot(entry)
    # The next one comes after it by name, and so is looked at after it.
    (desk.folder / "zz-good.xml").write_bytes(EMERGENCY)

    assert desk.run() == 2

    (refused,), (accepted,) = desk.refused(), desk.accepted()
    assert accepted.name.startswith("zz-good.xml")
    assert snapshot(refused / entry.name) == before
    assert {p.name for p in refused.iterdir()} == {entry.name, "PROBLEM.txt", "problem.json"}
    assert not [p for p in desk.folder.iterdir() if p != desk.folders.taken]
    assert desk.nothing_left()
    problems = desk.problems(refused)
    problem = next((p for p in problems if p["code"].startswith(bad.code)), problems[0])
    assert problem["code"].startswith(bad.code), problems
    assert problem.get("file", "") == bad.file, problems
    if bad.line is not None:
        assert problem.get("line") == bad.line, problems
    if bad.path is not None:
        assert bad.path in problem.get("path", ""), problems
    assert bad.says in problem["what"] + problem.get("mend", ""), problems
    assert problem.get("mend"), f"nothing says what to do: {problems}"


def test_all_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    case(JSON, "document.json", beschluss__pdf=None, pedido__pdf=b"another")(desk)
    desk.run()
    (refused,) = desk.refused()
    codes = {p["code"] for p in desk.problems(refused)}
    assert codes == {"intake.attachment-missing", "intake.attachment-differs"}


def test_a_late_answer_and_a_late_test_are_sent_all_the_same(desk: Desk) -> None:
    put(
        desk.folder / "case",
        sample(CreatedAt="2026-01-02T09:15:00+01:00", Urgency_Deadline="2026-01-31T12:00:00+01:00"),
    )
    assert desk.run() == 1
    (accepted,) = desk.accepted()
    assert desk.record(accepted).expires_at is None


def test_a_deadline_ahead_is_when_it_is_tried_no_more(desk: Desk) -> None:
    now = desk.pair.clock()
    deadline = moment(now, timedelta(days=3))
    put(desk.folder / "case", sample(Urgency_Deadline=deadline))
    desk.run()
    (accepted,) = desk.accepted()
    assert desk.record(accepted).expires_at == now + timedelta(days=3)


def test_a_file_that_may_not_be_read(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may read everything, so the refusal of the system is played."""
    (desk.folder / "secret.xml").write_bytes(b"x")
    real = os.open

    def denied(path: object, *args: object, **options: object) -> int:
        if str(path).endswith("secret.xml"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", denied)
    desk.run()
    (refused,) = desk.refused()
    (problem,) = desk.problems(refused)
    assert problem["code"] == "intake.unreadable" and problem["file"] == "secret.xml"


def test_a_defect_of_ours_is_told_and_stops_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    (desk.folder / "a.xml").write_bytes(EMERGENCY)
    (desk.folder / "b.xml").write_bytes(EMERGENCY)
    real, calls = module.accept, []

    def defective(*args: object) -> object:
        calls.append(args)
        if len(calls) == 1:
            raise ZeroDivisionError("a defect")
        return real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "accept", defective)
    assert desk.run() == 2
    (refused,), (accepted,) = desk.refused(), desk.accepted()
    (problem,) = desk.problems(refused)
    assert problem["code"] == "internal.defect" and accepted.name.startswith("b.xml")


def test_a_passing_trouble_refuses_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "a.xml").write_bytes(EMERGENCY)

    def busy(*_: object) -> object:
        raise transient("store.locked", "The store is locked.")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "accept", busy)
        assert desk.run() == 0
    assert not desk.refused() and not desk.accepted()
    assert desk.run() == 1 and desk.accepted()
