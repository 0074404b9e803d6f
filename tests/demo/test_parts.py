"""Small parts: markup, words, generated files, intake entries."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from connector.demo.evidence_files import page, storage_image
from connector.demo.logs import complaints
from connector.demo.national import NationalSystem, entry_name
from connector.demo.network import Plan, make_network
from connector.demo.words import country_name, size_text
from connector.errors import ConnectorError
from connector.markup import document, tag

_UTF_8 = html.HTMLParser(encoding="utf-8")
_TEXT = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs", "Cc"]))


@given(_TEXT, _TEXT)
def test_text_stays_text(text: str, title: str) -> None:
    written = document(tag("html", tag("body", tag("p", text, tag("b", text), text, title=title))))
    (found,) = html.document_fromstring(written, parser=_UTF_8).iter("p")
    clean = [t.replace("\ufffe", "\ufffd").replace("\uffff", "\ufffd") for t in (text, title)]
    assert "".join(found.itertext()) == clean[0] * 3
    assert found.get("title") == clean[1]


@given(st.text())
def test_anything_can_be_put_on_a_page(text: str) -> None:
    document(tag("p", text, [text, None, tag("i", text)], title=text))


def test_markup_in_text_is_no_markup() -> None:
    written = document(tag("p", "<script>alert(1)</script>", class_='"><script>'))
    assert b"<script" not in written.replace(b'class="&quot;><script>"', b"")
    assert html.fromstring(written).xpath("count(//script)") == 0


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1430, "1.43 kB"),
        (200_000_000, "200 MB"),
        (999_999, "1 MB"),
        (3 * 10**13, "30 TB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes(size: int, text: str) -> None:
    assert size_text(size) == text


def test_countries() -> None:
    assert country_name("DE") == "Germany"
    assert country_name("??") == "??"


@pytest.mark.parametrize("size", [1, 61, 62, 63, 1024 * 1024, 3_000_001])
def test_the_large_file_is_as_large_as_wished(size: int) -> None:
    first, second = (b"".join(storage_image(size).pieces()) for _ in range(2))
    assert len(first) == len(second) == size
    if size > 1000:
        assert first != second


def test_a_page_for_people() -> None:
    data = b"".join(page("Tïtle", ["Олександр, “quoted”"], "a.pdf").pieces())
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")


@given(st.text())
def test_entry_names_are_names(text: str) -> None:
    name = entry_name(text)
    assert name and "/" not in name and not name.startswith(".") and len(name) <= 100


def test_warnings_of_connectors_are_found(tmp_path: Path) -> None:
    network = make_network(tmp_path, Plan(countries=("DE",)), datetime.now(UTC))
    assert not list(complaints(network))
    lines = [
        {"event": "run.started", "level": "info"},
        {"event": "job.failed", "level": "warning", "code": "gateway.down", "problem": "No way."},
        ["no entry"],
    ]
    text = "\n".join(["Traceback:", *map(json.dumps, lines)])
    (network["DE"].folder / "emla.log").write_text(text)
    (found,) = complaints(network)
    assert found.what == (
        "The connector of DE logged job.failed: code gateway.down, problem No way."
    )


class TestNationalSystem:
    @pytest.fixture
    def system(self, tmp_path: Path) -> NationalSystem:
        return NationalSystem(
            intake=tmp_path / "intake",
            accepted=tmp_path / "accepted",
            refused=tmp_path / "refused",
            delivered=tmp_path / "delivered",
        )

    def test_an_entry_is_hidden_until_it_is_complete(self, system: NationalSystem) -> None:
        outgoing = system.begin("a request")
        sent = outgoing.add("a.txt", [b"one ", b"two"])
        assert all(p.name.startswith(".") for p in system.intake.iterdir())
        outgoing.put()
        assert (system.intake / "a-request" / "a.txt").read_bytes() == b"one two"
        assert (sent.size, sent.sha256) == (7, hashlib.sha256(b"one two").hexdigest())

    def test_a_refusal_is_told_with_its_reason(self, system: NationalSystem) -> None:
        assert system.message_id("a") is None
        folder = system.refused / "a.12345678"
        folder.mkdir(parents=True)
        (folder / "PROBLEM.txt").write_text("Not sent.\n\n- No receiver. [intake.no-receiver]\n")
        with pytest.raises(ConnectorError) as refused:
            system.message_id("a")
        assert refused.value.code == "demo.refused"
        assert "No receiver. [intake.no-receiver]" in str(refused.value)

    def test_what_is_taken_does_not_come_again(self, system: NationalSystem) -> None:
        folder = system.delivered / "m1"
        (folder / "attachments").mkdir(parents=True)
        (folder / "doc.xml").write_text("<a/>")
        (folder / "READY").write_text("m1@x\n")
        (system.delivered / ".m2").mkdir()
        (system.delivered / "evidences").mkdir()
        (delivery,) = system.deliveries()
        assert (delivery.message_id, delivery.document.name) == ("m1@x", "doc.xml")
        system.take(delivery)
        assert not list(system.deliveries())
