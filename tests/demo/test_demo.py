"""The demonstration as it is run, and what it must notice."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import unquote

import pytest
from lxml import html
from rich.console import Console

from connector.demo.check import check
from connector.demo.run import Outcome, check_again
from connector.demo.show import Lines, Moment, Show, Timeline
from connector.demo.watch import EXPECTED, Watch
from connector.runtime.assembly import utc_now
from connector.shipped import shipped
from connector.translation.formats import Formats, load_formats
from tests.demo.commands import (
    SIZE,
    begin,
    connectors,
    emla_demo,
    nothing_left_of,
    wait_for_line,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, CompletedProcess[str]]:
    """The second run into the same folder: the first one was interrupted."""
    output = tmp_path_factory.mktemp("demo") / "demo-output"
    first = begin("--output", output, "--evidence-size", SIZE)
    wait_for_line(first, "signed and sealed")
    assert len(connectors(output / "connectors")) == 3
    os.killpg(first.pid, signal.SIGINT)  # as a terminal does when somebody presses Ctrl-C
    assert first.wait(30) == 130
    assert nothing_left_of(first)
    return output, emla_demo("--output", output, "--evidence-size", SIZE, "--patience", "150")


@pytest.fixture(scope="module")
def output(run: tuple[Path, CompletedProcess[str]]) -> Path:
    folder, done = run
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def checked(output: Path) -> dict[str, Any]:
    done = emla_demo("--output", output, "--check", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def test_it_says_what_happened(run: tuple[Path, CompletedProcess[str]], output: Path) -> None:
    said = run[1].stdout
    for word in ("accepted", "signed and sealed", "arrived", "translated and handed over"):
        assert word in said
    for evidence in EXPECTED:
        assert f"+ {evidence}" in said
    assert "300 kB of evidence: delivered and fetched" in said
    assert said.rstrip().endswith(str(output / "index.html"))


def test_every_request_is_answered(checked: dict[str, Any]) -> None:
    messages = checked["messages"]
    requests = [m for m in messages if m["type"] == "Request"]
    assert {m["from"] for m in requests} == {"DE", "FR", "BR"}
    assert any(m["urgency"] == "emergency" for m in requests)
    for request in requests:
        answers = Counter(m["type"] for m in messages if m["answers"] == request["id"])
        assert answers["Acknowledgement"] == answers["Response"] == 1
    (question,) = [m for m in messages if m["type"] == "ClarificationRequest"]
    (answer,) = [m for m in messages if m["type"] == "Clarification"]
    assert answer["answers"] == question["id"]


def test_every_request_among_the_samples_is_sent(checked: dict[str, Any]) -> None:
    samples = Path(__file__).parents[2] / "samples"
    folders = {f"{f.parent.name}/{f.name}" for f in samples.glob("[a-z][a-z]/*") if f.is_dir()} | {
        "envelope/request.xml",
        "envelope/emergency-request.xml",
    }
    sent = {m["sample"] for m in checked["messages"] if m["sample"]}
    assert {next(f for f in folders if sample.startswith(f)) for sample in sent} == folders
    assert len(sent) == len(folders)


def test_every_evidence_is_held_on_both_sides(checked: dict[str, Any]) -> None:
    for message in checked["messages"]:
        for holder in (message["from"], message["to"]):
            held = [e["type"] for e in message["evidences"] if e["holder"] == holder]
            assert sorted(held) == sorted(EXPECTED)
        assert all(e["valid"] for e in message["evidences"])


def test_files_are_left_where_people_look(output: Path, checked: dict[str, Any]) -> None:
    count = len(checked["messages"])
    assert len(list((output / "containers").glob("*.asics"))) == count
    assert len(list((output / "evidences").glob("*/*.xml"))) == count * len(EXPECTED)
    for message in checked["messages"]:
        assert Path(message["document"]).is_relative_to(output / "delivered" / message["to"])
        for file in message["files"]:
            original = list((output / "originals" / message["from"]).rglob(file["name"]))
            assert Path(file["path"]).read_bytes() in [each.read_bytes() for each in original]


def test_the_large_file_has_its_size(checked: dict[str, Any]) -> None:
    sizes = [f["size"] for m in checked["messages"] for f in m["files"]]
    assert sizes.count(300_000) == 1


@pytest.fixture
def page(output: Path, checked: dict[str, Any]) -> html.HtmlElement:
    return html.fromstring((output / "index.html").read_bytes())


class TestPage:
    def test_it_is_complete_in_itself(self, output: Path, page: html.HtmlElement) -> None:
        assert not page.xpath("//script | //link | //iframe | //img | //@src | //@onclick")
        text = (output / "index.html").read_text("utf-8")
        assert text.startswith("<!DOCTYPE html>")
        assert "@import" not in text and "url(" not in text

    def test_every_link_leads_somewhere(self, output: Path, page: html.HtmlElement) -> None:
        links = page.xpath("//a/@href")
        assert len(links) > 100
        ids = set(page.xpath("//@id"))
        for link in links:
            if link.startswith("#"):
                assert link[1:] in ids
            else:
                assert (output / unquote(link)).is_file(), link

    def test_it_tells_every_message(self, page: html.HtmlElement, checked: dict[str, Any]) -> None:
        shown = page.xpath("//article")
        assert len(shown) == len(checked["messages"])
        digests = Counter(page.xpath("//td[@class='digest']/code/text()"))
        for message in checked["messages"]:
            for file in message["files"]:
                assert digests[file["sha256"]] >= 2  # as sent, as received
        rows = page.xpath("count(//details[contains(summary, 'evidence')]//tbody/tr)")
        assert rows == sum(len(m["evidences"]) for m in checked["messages"])

    def test_emergencies_come_first(self, page: html.HtmlElement) -> None:
        kinds = page.xpath("//section[starts-with(@id, 'case-')]/@class")
        assert kinds == sorted(kinds, key=lambda kind: "emergency" not in kind)
        assert "case emergency" in kinds

    def test_it_says_that_all_is_well(self, page: html.HtmlElement) -> None:
        assert page.xpath("//p[@class='verdict good']")
        assert not page.xpath("//*[contains(@class, 'problems')]")


@pytest.mark.parametrize(("width", "height"), [(140, 60), (80, 24), (40, 8)])
def test_the_timeline_is_drawn_on_any_terminal(outcome: Outcome, width: int, height: int) -> None:
    drawn = StringIO()
    console = Console(
        file=drawn, force_terminal=True, width=width, height=height, color_system=None
    )
    _draw(Timeline(console), outcome)
    assert "all the way" in drawn.getvalue()
    if width == 140:
        lines = drawn.getvalue().splitlines()
        table = lines[next(n for n, line in enumerate(lines) if "Case" in line) + 1 :]
        assert "●●●● done" in table[0]


def test_plain_lines_without_a_terminal(outcome: Outcome) -> None:
    drawn = StringIO()
    _draw(Lines(Console(file=drawn, width=1000)), outcome)
    lines = drawn.getvalue().splitlines()
    assert len(lines) > 100
    assert all("\x1b" not in line for line in lines)


def _draw(show: Show, outcome: Outcome) -> None:
    with Watch(outcome.homes) as watch, show:
        show.update(Moment(outcome.manifest.started, outcome.manifest.ended, watch.look(), None))


class Spoiler:
    """Changes files, and puts them back as they were."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self._before: dict[Path, bytes | None] = {}

    def write(self, path: Path, data: bytes | None) -> None:
        self._before[path] = path.read_bytes() if path.exists() else None
        _put(path, data)

    def change(self, path: Path, change: Callable[[bytes], bytes]) -> None:
        self.write(path, change(path.read_bytes()))

    def restore(self) -> None:
        for path, data in self._before.items():
            _put(path, data)


def _put(path: Path, data: bytes | None) -> None:
    path.unlink(missing_ok=True)  # a stored file is read-only, and may have a second name
    if data is not None:
        path.write_bytes(data)


def _one(outcome: Outcome) -> Any:
    return next(m for m in outcome.verdict.messages if m.sent.message_type == "Response")


def _attachment(outcome: Outcome) -> Path:
    path: Path = _one(outcome).files[-1].path
    return path


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


def _a_byte_of_an_attachment(spoil: Spoiler) -> None:
    spoil.change(_attachment(spoil.outcome), _flipped)


def _an_attachment_cut_off(spoil: Spoiler) -> None:
    spoil.change(_attachment(spoil.outcome), lambda data: data[:10])


def _an_attachment_gone(spoil: Spoiler) -> None:
    spoil.write(_attachment(spoil.outcome), None)


def _an_attachment_too_many(spoil: Spoiler) -> None:
    spoil.write(_attachment(spoil.outcome).with_name("slipped-in.pdf"), b"%PDF-")


def _the_delivered_document(spoil: Spoiler) -> None:
    spoil.change(_one(spoil.outcome).document, lambda data: data.replace(b"1", b"2"))


def _the_delivered_document_gone(spoil: Spoiler) -> None:
    spoil.write(_one(spoil.outcome).document, None)


def _the_delivered_container(spoil: Spoiler) -> None:
    container = _one(spoil.outcome).document.parent / "proofs" / "message.asics"
    spoil.change(container, lambda data: data + b"\0")


def _an_evidence_that_was_told(spoil: Spoiler) -> None:
    message = _one(spoil.outcome)
    folder = spoil.outcome.output.delivered / message.sent.country / "evidences"
    spoil.write(next(folder.glob(f"{message.sent.message_id}/*-RETRIEVAL.xml")), None)


def _a_stored_evidence(spoil: Spoiler) -> None:
    side = _one(spoil.outcome).passage.receiver
    digest = side.evidences[0].payload.sha256
    stored = spoil.outcome.output.connectors / side.country / "payloads" / digest[:2] / digest
    spoil.change(stored, lambda data: data.replace(b"connector-", b"konnector-"))


@pytest.mark.parametrize(
    ("tamper", "code"),
    [
        (_a_byte_of_an_attachment, "demo.file-differs"),
        (_an_attachment_cut_off, "demo.file-differs"),
        (_an_attachment_gone, "demo.file-missing"),
        (_an_attachment_too_many, "demo.file-unsent"),
        (_the_delivered_document, "demo.document-differs"),
        (_the_delivered_document_gone, "demo.document-missing"),
        (_the_delivered_container, "demo.proof-differs"),
        (_an_evidence_that_was_told, "demo.evidence-not-told"),
        (_a_stored_evidence, "store.payload-altered"),
    ],
)
def test_what_was_tampered_with_is_named(
    spoil: Spoiler, formats: Formats, tamper: Callable[[Spoiler], None], code: str
) -> None:
    tamper(spoil)
    outcome = spoil.outcome
    with Watch(outcome.homes) as watch:
        found = check(outcome.manifest, watch, formats, now=utc_now())
    assert not found.ok
    assert {problem.code for problem in found.problems} == {code}


def test_the_command_fails_and_page_and_terminal_say_why(spoil: Spoiler) -> None:
    _a_byte_of_an_attachment(spoil)
    output = spoil.outcome.output
    done = emla_demo("--output", output.root, "--check")
    assert done.returncode == 1
    assert _one(spoil.outcome).files[-1].sent.sha256 in done.stdout
    assert "demo.file-differs" in done.stdout
    page = html.fromstring(output.page.read_bytes())
    assert page.xpath("//p[@class='verdict bad']")
    assert "demo.file-differs" in page.xpath("string(//section[@class='problems'])")
    assert len(page.xpath("//article[@class='message failed']")) == 1


@pytest.fixture(scope="module")
def outcome(output: Path, checked: dict[str, Any]) -> Outcome:
    return check_again(output)


@pytest.fixture(scope="module")
def formats() -> Formats:
    return load_formats([shipped("mappings")])


@pytest.fixture
def spoil(outcome: Outcome) -> Iterator[Spoiler]:
    assert outcome.verdict.ok
    spoiler = Spoiler(outcome)
    yield spoiler
    spoiler.restore()
