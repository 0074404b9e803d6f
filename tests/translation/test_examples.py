"""The examples that lie beside every mapping: read as expected, valid, and the same when written.

`examples/<name>/document.<ext>` with `expected.envelope.xml` and `expected.account.json`; written
anew by `python -m tests.translation.regenerate`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.envelope import AttachmentInfo, HeaderValues, check, read_draft, write_element
from connector.envelope.binding import NAMESPACE
from connector.envelope.codes import AttachmentRole, Instrument
from connector.envelope.header import LegalBasis
from connector.envelope.model import Envelope
from connector.translation import Formats, Outcome, Read, load_formats
from connector.translation.format import OFFICIAL_FILE
from tests.reference import reference
from tests.translation.expected import assert_as_expected, document_of, examples, read_example
from tests.translation.regenerate import MAPPINGS, account_file
from tests.translation.round_trip import as_accounted, read_back, written

FORMATS: Formats = load_formats(MAPPINGS, strict=True)
EXAMPLES = [pytest.param(e, id=f"{m.name}-{e.name}") for m in MAPPINGS for e in examples(m)]
OFFICIAL = [
    pytest.param(e, id=f"{m.name}-{e.name}")
    for m in MAPPINGS
    if (m / OFFICIAL_FILE).is_file()
    for e in examples(m)
]
_E = f"{{{NAMESPACE}}}"


def _format(example: Path) -> str:
    return example.parent.parent.name


def _envelope(found: Read) -> Envelope:
    """As a connector completes it, with files that nobody looks into."""
    attachments = tuple(
        AttachmentInfo(
            id=each.findtext(f"{_E}Id", f"a{number}"),
            name=each.findtext(f"{_E}Name", ""),
            media_type=each.findtext(f"{_E}MediaType", "application/octet-stream"),
            size=int(each.findtext(f"{_E}Size", "1")),
            sha256=each.findtext(f"{_E}Sha256", "0" * 64),
            role=AttachmentRole(each.findtext(f"{_E}Role", "annex")),
            language=each.findtext(f"{_E}Language"),
            description=each.findtext(f"{_E}Description"),
        )
        for number, each in enumerate(found.envelope.findall(f"{_E}Header/{_E}Attachment"))
    )
    return read_draft(
        found.envelope,
        replace=HeaderValues(
            message_id="5d0c2f4e-7f0a-4f57-8a3e-0b6d3a6f2c99@example",
            created_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
            attachments=attachments,
        ),
        default=HeaderValues(
            conversation_id="c@example",
            language="und",
            legal_bases=(LegalBasis(instrument=Instrument.RECIPROCITY),),
        ),
    )


@pytest.mark.parametrize("example", EXAMPLES)
def test_read_as_expected(example: Path) -> None:
    document = document_of(example)
    data = document.read_bytes()
    name = _format(example)

    assert FORMATS.identify(data, document.name) == name
    found = read_example(FORMATS, name, example)

    assert found.problems == ()
    assert_as_expected(found, example)
    assert account_file(found) == (example / "expected.account.json").read_text("utf-8")
    for entry in found.account.entries:
        assert entry.outcome in (Outcome.MAPPED, Outcome.ANNEXED, Outcome.DROPPED)
        assert entry.outcome is Outcome.MAPPED or entry.reason, entry


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_it_becomes_is_valid_and_comes_back(example: Path) -> None:
    envelope = _envelope(read_example(FORMATS, _format(example), example))
    assert check(write_element(envelope)) == ()

    document = written(FORMATS, envelope, _format(example))
    _, back = read_back(FORMATS, document, envelope)

    assert back == as_accounted(document, envelope)


@pytest.mark.parametrize("mapping", MAPPINGS, ids=lambda folder: folder.name)
def test_there_is_one_of_each_message_type(mapping: Path) -> None:
    found = {read_example(FORMATS, mapping.name, each).message for each in examples(mapping)}

    assert found == set(FORMATS[mapping.name].mapping.messages)


@pytest.mark.parametrize("example", OFFICIAL)
def test_it_follows_the_official_schemas(example: Path) -> None:
    folder = reference(_format(example))
    formats = load_formats([example.parent.parent], official={_format(example): folder})

    found = read_example(formats, _format(example), example)

    assert found.problems == ()
    assert not [each for each in found.warnings if each.code.startswith("official.")]
