"""Brazil's register: semicolon CSV in windows-1252 with a header file, both ways."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from connector.envelope import model, read, write_element
from connector.envelope.model import Confidentiality, Envelope, Identifier, LegalPerson
from connector.translation import MessageName, Outcome, Read, Written
from tests.envelope.samples import names, sample
from tests.envelope.strategies import envelopes
from tests.envelope.values import TEXTS
from tests.translation.expected import assert_as_expected, examples, read_example
from tests.translation.register import (
    FORMATS,
    LAYOUT,
    MAPPING,
    REQUEST,
    read_document,
    request,
    rows,
)
from tests.translation.round_trip import (
    MANY,
    as_accounted,
    changed,
    named,
    read_back,
    to_the_second,
    written,
)


def _with_facts(facts: str) -> Envelope:
    envelope = read(sample("request"))
    assert isinstance(envelope.body, model.Request)
    return dataclasses.replace(envelope, body=dataclasses.replace(envelope.body, facts=facts))


def _facts_of(found: Read) -> str | None:
    return found.envelope.findtext("{*}Request/{*}Facts")


# There and back -----------------------------------------------------------------------------------


def _as_the_register_has_it(part: Any) -> Any:
    """For `changed`: lists in one cell divided at the bar, CPF and CNPJ in columns of their own."""
    if isinstance(part, Confidentiality):
        return dataclasses.replace(part, not_to_be_told=_divided(part.not_to_be_told))
    if isinstance(part, LegalPerson):
        others, people = _divided(part.alternative_names), _divided(part.representatives)
        return dataclasses.replace(part, alternative_names=others, representatives=people)
    if isinstance(part, tuple) and part and isinstance(part[0], Identifier):
        own = [e for e in part if e.scheme in ("CPF", "CNPJ") and e.issuer is None]
        return (*own, *(e for e in part if e not in own))
    return to_the_second(part)


def _divided(values: tuple[str, ...]) -> tuple[str, ...]:
    parts = [part.strip(" ") for value in values for part in value.split("|")]
    return tuple(part for part in parts if part.strip())


@MANY
@given(envelopes())
def test_what_the_account_calls_mapped_comes_back(envelope: Envelope) -> None:
    document = written(FORMATS, envelope, "register-csv")
    _, back = read_back(FORMATS, document, envelope)

    expected = named(as_accounted(document, envelope), "sem número")
    assert changed(back, to_the_second) == changed(expected, _as_the_register_has_it)
    _assert_harmless(document)


def _assert_harmless(document: Written) -> None:
    """No cell that a spreadsheet would run, and every line as the header file has it."""
    for row in rows(document.data):
        assert len(row) == 1 + len(LAYOUT[row[0]].columns)
        for cell, column in zip(row[1:], LAYOUT[row[0]].columns, strict=True):
            assert cell[:1] not in tuple("=+-@\t\r\n"), cell
            assert column.length is None or len(cell) <= column.length


@pytest.mark.parametrize("folder", examples(MAPPING), ids=lambda folder: folder.name)
def test_examples_are_read_as_expected(folder: Path) -> None:
    found = read_example(FORMATS, "register-csv", folder)

    assert found.problems == ()
    assert_as_expected(found, folder)


def test_there_is_an_example_of_each_message_and_of_each_rule() -> None:
    found = [read_example(FORMATS, "register-csv", each) for each in examples(MAPPING)]

    assert {each.message for each in found} == set(MessageName)
    seen = {entry.rule.rpartition(".")[2] for each in found for entry in each.account.entries}
    known = {
        rule.id.rpartition(".")[2]
        for program in FORMATS["register-csv"].reading.values()
        for group in program.groups
        for rule in group.rules
    }
    assert known <= seen


def test_every_column_of_the_header_file_has_a_rule() -> None:
    rows = [
        [record.name, *("x" for _ in record.columns)]
        for record in LAYOUT.values()
        if record.name != "CAB"
    ]
    for kind in ("PED", "REC", "EXI", "ESC", "RES"):
        text = REQUEST.decode("windows-1252").splitlines()[0].replace(";PED;", f";{kind};")
        lines = [text, *(";".join(row) for row in rows)]
        found = read_document("\r\n".join(lines).encode("windows-1252"))
        own = [
            entry.origin
            for entry in found.account.unknown
            if entry.origin[:3] in {"CAB", "NOM", "FUN", "TRD", "ANX", "CTT", "ASS", kind}
        ]
        assert own == []


@pytest.mark.parametrize("name", names())
def test_every_sample_of_an_envelope_can_be_delivered_and_comes_back(name: str) -> None:
    envelope = read(sample(name))

    document = written(FORMATS, envelope, "register-csv")
    _, back = read_back(FORMATS, document, envelope)

    assert back == as_accounted(document, envelope)
    assert document.media_type == "text/csv"
    assert document.filename.startswith(f"cooperacao-{envelope.header.message_type}-")
    assert document.data.startswith(b"CAB;3.2;")
    assert document.data.endswith(b"\r\n")


# Signs, formulas, long texts ----------------------------------------------------------------------


@given(TEXTS)
@example("Олександр Коваленко, محمد, 王小明, 😀")
@example("&#1054; &amp; &#38;#1054; &#x41; &#999999999; &#;")
@example("€ “curly” – – … é ß ÿ Œ \u0081 \u00a0")
@example('=HYPERLINK("http://evil.example";"x")')
@example("''=1")
@example("\t=1")
@example("\r=1")
@example("\n=1")
@example("'")
@example('";"\r\nCAB;3.2;PED')
@example("a\rb\nc\r\nd")
@example("Ã£ Ã¡Ã© â€œ ðŸ˜€ Ð²Ð°Ð² Ã»Ã»Ã» ä¸\xadæ–‡ Ä€")
@example("«JOSÉ», CAFÉ…, “É”")
def test_any_text_comes_back_and_is_harmless(text: str) -> None:
    document = FORMATS.write(write_element(_with_facts(text)), "register-csv")

    assert _facts_of(read_document(document.data)) == text
    _assert_harmless(document)
    assert not [e for e in document.account.entries if e.origin.endswith("Facts") and e.reason]


def test_signs_that_the_encoding_lacks_are_written_as_references() -> None:
    data = FORMATS.write(write_element(_with_facts("Оля €")), "register-csv").data

    assert b"&#1054;&#1083;&#1103; \x80" in data
    assert "Оля" not in data.decode("windows-1252")


def test_formulas_of_others_are_read_as_they_are() -> None:
    assert _facts_of(read_document(request(("PED", "fatos", "=1+1")))) == "=1+1"
    assert _facts_of(read_document(request(("PED", "fatos", "'=1+1")))) == "=1+1"
    assert _facts_of(read_document(request(("PED", "fatos", "'aspas'")))) == "'aspas'"


def test_a_reference_to_what_xml_cannot_carry_is_refused() -> None:
    (problem,) = read_document(request(("PED", "fatos", "a&#0;b"))).problems

    assert problem.code == "translation.character"
    assert problem.path == "PED.fatos"


def test_a_very_long_text_comes_back_whole_where_the_column_has_no_bound() -> None:
    facts = 'Fatos; "muitos" – и много\r\n' * 20_000

    document = FORMATS.write(write_element(_with_facts(facts)), "register-csv")

    assert len(document.data) > 1_000_000
    assert _facts_of(read_document(document.data)) == facts


def test_what_is_too_long_for_its_column_is_cut_visibly_or_left_out_and_told() -> None:
    envelope = read(sample("request"))
    assert isinstance(envelope.body, model.Request)
    offence = dataclasses.replace(
        envelope.body.offences[0], penalty="Prisão Ж" * 100, iccs_code="9" * 61
    )
    body = dataclasses.replace(envelope.body, offences=(offence,))

    document = FORMATS.write(
        write_element(dataclasses.replace(envelope, body=body)), "register-csv"
    )

    (row,) = (row for row in rows(document.data) if row[0] == "CRI")
    cells = dict(zip([each.name for each in LAYOUT["CRI"].columns], row[1:], strict=True))
    assert cells["iccs"] == ""
    assert len(cells["pena"]) <= 500
    assert cells["pena"].startswith("Prisão &#1046;Prisão")
    assert cells["pena"].endswith(" […]")
    assert "&#" not in cells["pena"][-10:-4] or ";" in cells["pena"][-6:-4]
    entries = {entry.origin.rpartition("/")[2]: entry for entry in document.account.entries}
    assert entries["IccsCode"].outcome is Outcome.ANNEXED
    assert "longer than 60" in entries["IccsCode"].reason
    assert entries["IccsCode"].targets == ()
    assert entries["Penalty"].outcome is Outcome.MAPPED
    assert "Shortened to 500" in entries["Penalty"].reason
    assert {each.path for each in document.warnings} >= {
        "Envelope/Request/Offence/Penalty",
        "Envelope/Request/Offence/IccsCode",
    }


def test_a_value_with_the_sign_that_divides_a_list_is_told() -> None:
    envelope = read(sample("request"))
    assert envelope.header.confidentiality is not None
    secret = dataclasses.replace(envelope.header.confidentiality, not_to_be_told=("a | b", "c"))
    header = dataclasses.replace(envelope.header, confidentiality=secret)

    document = FORMATS.write(
        write_element(dataclasses.replace(envelope, header=header)), "register-csv"
    )

    assert "translation.not-reversible" in {each.code for each in document.warnings}
