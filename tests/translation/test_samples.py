"""The samples of the three countries: valid with their attachments, delivered in other formats."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from itertools import permutations
from mimetypes import guess_type
from pathlib import Path

import pytest

from connector.directory import load_directory
from connector.directory.authorities import EXAMPLES
from connector.envelope import (
    NAMESPACE,
    AttachmentInfo,
    HeaderValues,
    check,
    model,
    read_draft,
    write_element,
)
from connector.envelope.model import Envelope
from connector.shipped import shipped
from connector.translation import Formats, MessageName, Outcome, Read, load_formats
from connector.xml import Element
from tests.translation.round_trip import as_accounted, changed, read_back, to_the_second, written

FORMATS: Formats = load_formats(
    [shipped("mappings") / name for name in ("case-json", "register-csv", "xjustiz")], strict=True
)
DIRECTORY = load_directory(EXAMPLES)
FOLDERS = sorted(
    folder
    for country in ("de", "fr", "br")
    for folder in (shipped("samples") / country).iterdir()
    if folder.is_dir()
)
_E = f"{{{NAMESPACE}}}"


def _document(folder: Path) -> Path:
    starts = ("demande", "pedido", "ersuchen", "rechtshilfe", "eilersuchen", "zustellungs")
    (document,) = (f for f in folder.iterdir() if f.name.startswith(starts))
    return document


@cache
def _read(folder: Path) -> Read:
    document = _document(folder)
    data = document.read_bytes()
    return FORMATS.read(data, FORMATS.identify(data, document.name), filename=document.name)


@cache
def _envelope(folder: Path) -> Envelope:
    """As a connector completes it: ids, time, and what the files beside it are."""
    found = _read(folder)
    stated = found.envelope.findall(f"{_E}Header/{_E}Attachment")
    attachments = tuple(
        AttachmentInfo(
            id=each.findtext(f"{_E}Id", ""),
            name=each.findtext(f"{_E}Name", ""),
            media_type=each.findtext(f"{_E}MediaType") or _guessed(each),
            size=(folder / each.findtext(f"{_E}Name", "")).stat().st_size,
            sha256=_sha256(folder / each.findtext(f"{_E}Name", "")),
            role=model.AttachmentRole(each.findtext(f"{_E}Role", "")),
            language=each.findtext(f"{_E}Language"),
            description=each.findtext(f"{_E}Description"),
        )
        for each in stated
    )
    return read_draft(
        found.envelope,
        replace=HeaderValues(
            message_id="m@example", created_at=datetime.now(UTC), attachments=attachments
        ),
        default=HeaderValues(conversation_id="c@example"),
    )


def _guessed(attachment: Element) -> str:
    """As a connector does where the document does not say it."""
    return guess_type(attachment.findtext(f"{_E}Name", ""))[0] or "application/octet-stream"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_sample_is_read_whole_and_valid(folder: Path) -> None:
    found = _read(folder)

    assert found.message is MessageName.REQUEST
    assert found.problems == ()
    assert found.account.unknown == ()
    assert all(e.reason for e in found.account.entries if e.outcome is not Outcome.MAPPED)
    assert check(write_element(_envelope(folder))) == ()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_its_attachments_are_those_it_names(folder: Path) -> None:
    named = {each.name: each for each in _read(folder).attachments}

    assert {f.name for f in folder.iterdir()} == {*named, _document(folder).name}
    for name, each in named.items():
        assert each.sha256 in (None, _sha256(folder / name))
        data = (folder / name).read_bytes()
        start = {"application/pdf": b"%PDF-", "image/png": b"\x89PNG", "image/jpeg": b"\xff\xd8"}
        assert data.startswith(start.get(each.media_type or "", b""))
        assert len(data) < 50_000


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_it_goes_between_authorities_of_the_demonstration(folder: Path) -> None:
    header = _envelope(folder).header

    for stated in (header.sending_authority, header.receiving_authority):
        assert stated.identifier is not None
        entry = DIRECTORY.get(stated.identifier.value)
        assert entry.country == stated.country
        assert stated.names[0].text in entry.names.values()
    assert header.sending_authority.country == folder.parent.name.upper()
    assert header.test_flag is True
    assert header.urgency.deadline is None, "or the sample would grow too old to be sent"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
@pytest.mark.parametrize("format_name", ["case-json", "register-csv", "xjustiz"])
def test_it_can_be_delivered_in_any_format(format_name: str, folder: Path) -> None:
    envelope = _envelope(folder)

    document = written(FORMATS, envelope, format_name)
    _, back = read_back(FORMATS, document, envelope)

    expected = changed(as_accounted(document, envelope), to_the_second)
    assert changed(back, to_the_second) == expected
    assert {e.outcome for e in document.account.entries} == {Outcome.MAPPED}


def test_what_there_is_among_them() -> None:
    envelopes = [_envelope(folder) for folder in FOLDERS]
    pairs = {
        (e.header.sending_authority.country, e.header.receiving_authority.country)
        for e in envelopes
    }
    assert pairs == set(permutations(("DE", "FR", "BR"), 2))
    for country in ("DE", "FR", "BR"):
        own = [e for e in envelopes if e.header.sending_authority.country == country]
        levels = {e.header.urgency.level for e in own}
        assert len(own) >= 3
        assert levels >= {model.UrgencyLevel.EMERGENCY, model.UrgencyLevel.URGENT}
    emergencies = [e for e in envelopes if e.header.urgency.level == "emergency"]
    for each in emergencies:
        assert each.header.urgency.reason is model.UrgencyReason.DANGER_TO_LIFE
        assert any(b.instrument == "cets-224" and b.article for b in each.header.legal_bases)
    scripts = {
        name.script
        for each in envelopes
        if isinstance(each.body, model.Request)
        for person in each.body.persons
        if isinstance(person.who, model.NaturalPerson)
        for name in person.who.names
    }
    assert scripts >= {"Latn", "Cyrl", "Arab", "Hans", "Jpan"}
