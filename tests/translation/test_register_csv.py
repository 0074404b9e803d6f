"""Brazil's register: semicolon CSV in windows-1252 with a header file, both ways."""

from __future__ import annotations

import csv
import dataclasses
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given

from connector.envelope import HeaderValues, check, model, read, read_draft, write_element
from connector.envelope.model import Confidentiality, Envelope, Identifier, LegalPerson
from connector.errors import ConnectorError, Kind
from connector.shipped import shipped
from connector.translation import Formats, MessageName, Outcome, Read, Written, load_formats
from connector.translation.csv_layout import read_layout
from tests.envelope.samples import names, sample
from tests.envelope.strategies import envelopes
from tests.envelope.values import TEXTS
from tests.translation.bounded import refusal
from tests.translation.expected import assert_as_expected, examples, read_example
from tests.translation.round_trip import (
    MANY,
    as_accounted,
    changed,
    named,
    read_back,
    to_the_second,
    written,
)

WHEN = datetime(2026, 11, 25, tzinfo=UTC)
MAPPING = shipped("mappings") / "register-csv"
FORMATS: Formats = load_formats([MAPPING], strict=True)
REQUEST = (MAPPING / "examples" / "request" / "document.csv").read_bytes()
TABLE = FORMATS["register-csv"].mapping.csv
assert TABLE is not None
LAYOUT = read_layout(MAPPING, TABLE)


def _read(data: bytes) -> Read:
    return FORMATS.read(data, "register-csv", filename="pedido.csv")


def _rows(data: bytes) -> list[list[str]]:
    text = data.decode("windows-1252")
    return list(csv.reader(io.StringIO(text, newline=""), delimiter=";", strict=True))


def _request(*changes: tuple[str, str, str]) -> bytes:
    """The example, with the first cell of `column` in records of a kind set to another value."""
    rows = _rows(REQUEST)
    for record, column, value in changes:
        index = 1 + [each.name for each in LAYOUT[record].columns].index(column)
        next(row for row in rows if row[0] == record)[index] = value
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=";", lineterminator="\r\n").writerows(rows)
    return out.getvalue().encode("windows-1252")


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
    for row in _rows(document.data):
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
        found = _read("\r\n".join(lines).encode("windows-1252"))
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

    assert _facts_of(_read(document.data)) == text
    _assert_harmless(document)
    assert not [e for e in document.account.entries if e.origin.endswith("Facts") and e.reason]


def test_signs_that_the_encoding_lacks_are_written_as_references() -> None:
    data = FORMATS.write(write_element(_with_facts("Оля €")), "register-csv").data

    assert b"&#1054;&#1083;&#1103; \x80" in data
    assert "Оля" not in data.decode("windows-1252")


def test_formulas_of_others_are_read_as_they_are() -> None:
    assert _facts_of(_read(_request(("PED", "fatos", "=1+1")))) == "=1+1"
    assert _facts_of(_read(_request(("PED", "fatos", "'=1+1")))) == "=1+1"
    assert _facts_of(_read(_request(("PED", "fatos", "'aspas'")))) == "'aspas'"


def test_a_reference_to_what_xml_cannot_carry_is_refused() -> None:
    (problem,) = _read(_request(("PED", "fatos", "a&#0;b"))).problems

    assert problem.code == "translation.character"
    assert problem.path == "PED.fatos"


def test_a_very_long_text_comes_back_whole_where_the_column_has_no_bound() -> None:
    facts = 'Fatos; "muitos" – и много\r\n' * 20_000

    document = FORMATS.write(write_element(_with_facts(facts)), "register-csv")

    assert len(document.data) > 1_000_000
    assert _facts_of(_read(document.data)) == facts


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

    (row,) = (row for row in _rows(document.data) if row[0] == "CRI")
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


# Encodings ----------------------------------------------------------------------------------------

END = REQUEST.count(b"\n") + 1
_UPPER = REQUEST.decode("windows-1252").upper()
_PASTED = ["Плантон", "João", "“x”", "don’t", "中文", "مرحبا", "😀", "हिन्दी"]


@pytest.mark.parametrize(
    ("data", "line", "says"),
    [
        (REQUEST.decode("windows-1252").encode("utf-8"), 1, "UTF-8"),
        (REQUEST.decode("windows-1252").encode("utf-8-sig"), 1, "UTF-8"),
        (_UPPER.encode("utf-8"), 1, "UTF-8"),
        *((REQUEST + f"CTT;{word};;;;\r\n".encode(), END, "UTF-8") for word in _PASTED),
        (REQUEST.decode("windows-1252").encode("utf-16"), 1, "UTF-16"),
        (REQUEST.decode("windows-1252").encode("utf-16-le"), 1, "UTF-16"),
        (REQUEST.replace(b"Sampaio;Pro", b"Sampa\x81o;Pro"), END - 2, "0x81"),
    ],
)
def test_another_encoding_is_recognised_and_told_with_its_line(
    data: bytes, line: int, says: str
) -> None:
    for action in (lambda: FORMATS.identify(data, "pedido.csv"), lambda: _read(data)):
        with pytest.raises(ConnectorError) as refused:
            action()
        (problem,) = refused.value.problems
        assert problem.code == "translation.wrong-encoding"
        assert problem.line == line
        assert says in problem.what
        assert "windows-1252" in problem.mend
        assert problem.file == "pedido.csv"


@pytest.mark.parametrize(
    "text", ["CAFÉ…", "O RÉU JOSÉ– disse", "«TRÁS»", "GROSS» SPAß”", "DEPÓSITO À VISTA", "Ð²", "ÃO"]
)
def test_what_only_looks_like_utf_8_is_read(text: str) -> None:
    header = REQUEST.split(b"\r\n")[0]
    data = header + b"\r\nESC;" + text.encode("windows-1252") + b"\r\n"

    found = FORMATS["register-csv"].kind.read(data)

    (cell,) = found.kids["ESC"][0].kids["observacao"]
    assert cell.value == text


# What is wrong with a document --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (b"FUN;UNTOC;;18", "has 4 cells; 5 are expected"),
        (b"FUN;UNTOC;;18;S;", "has 6 cells; 5 are expected"),
        (b"XYZ;1;2", "'XYZ' is no kind of record"),
        (b"fun;UNTOC;;18;S", "'fun' is no kind of record"),
        (b";UNTOC;;18;S", "'' is no kind of record"),
        (b"CUS;10/12/2026;11:30:00;a;b;c", "must follow a PRV"),
        (b"DIS;Art. 1;", "must follow a CRI"),
    ],
)
def test_a_line_that_does_not_fit_the_header_file(line: bytes, says: str) -> None:
    lines = REQUEST.split(b"\r\n")
    data = b"\r\n".join([*lines[:8], line, *lines[8:]])

    with pytest.raises(ConnectorError) as refused:
        _read(data)

    assert refused.value.code == "translation.malformed"
    assert [each.line for each in refused.value.problems][:1] == [9]
    assert says in refused.value.problems[0].what
    assert refused.value.problems[0].file == "pedido.csv"


def test_every_wrong_line_is_told_by_its_number_in_the_file() -> None:
    """A cell with line ends counts as many lines as it has."""
    data = REQUEST + b"XX;1\r\n\r\nFUN;1\r\n"
    total = REQUEST.count(b"\n")

    with pytest.raises(ConnectorError) as refused:
        _read(data)

    assert [each.line for each in refused.value.problems] == [total + 1, total + 3]


@pytest.mark.parametrize(
    "line", [b'FUN;"UNTOC;;18;S', b'FUN;"UNTOC"x;;18;S', b'FUN;"UN"TOC";;18;S']
)
def test_quotes_that_do_not_close(line: bytes) -> None:
    with pytest.raises(ConnectorError) as refused:
        _read(REQUEST + line + b"\r\n")

    assert refused.value.code == "translation.malformed"
    assert refused.value.problems[0].line == REQUEST.count(b"\n") + 1


@pytest.mark.parametrize(
    ("record", "column", "value", "code", "path"),
    [
        ("PED", "finalidade", "", "missing-field", "PED.finalidade"),
        ("CAB", "processo", "", "missing-field", "CAB.processo"),
        ("CAB", "prioridade", "X", "unknown-code", "CAB.prioridade"),
        ("CAB", "prazo_hora", "", "bad-date", "CAB.prazo_data"),
        ("CAB", "prazo_data", "31/02/2027", "bad-date", "CAB.prazo_data"),
        ("CAB", "teste", "sim", "bad-value", "CAB.teste"),
        ("CAB", "sigilo_ate", "2027-06", "bad-date", "CAB.sigilo_ate"),
        ("ANX", "tamanho", "1k", "bad-number", "ANX[1].tamanho"),
        ("CRI", "categorias", "07, 99", "unknown-code", "CRI[1].categorias"),
        ("PES", "nascimento", "13/13/1979", "bad-date", "PES[1].nascimento"),
        ("NOM", "nome", "", "missing-field", "AUT[1]/NOM.nome"),
        ("FUN", "instrumento", "", "missing-field", "FUN[1].instrumento"),
    ],
)
def test_what_is_wrong_in_a_cell_is_told_with_line_and_column(
    record: str, column: str, value: str, code: str, path: str
) -> None:
    data = _request((record, column, value))
    first = next(i for i, row in enumerate(_rows(data)) if row[0] == record)
    line = 1 + sum(1 + "".join(row).count("\n") for row in _rows(data)[:first])

    problem = _read(data).problems[0]

    assert (problem.code, problem.path) == (f"translation.{code}", path)
    assert problem.line == line
    assert problem.mend


def test_what_the_rules_of_the_envelope_find_is_told_in_lines_of_the_document() -> None:
    found = _read(_request(("DIL", "partes", "1, 9"), ("OBS", "data", "")))
    assert [each.code for each in found.problems] == ["translation.bad-date"]
    found = _read(_request(("DIL", "partes", "1, 9")))
    values = HeaderValues(message_id="m@x", created_at=WHEN)
    root = found.envelope
    for each in root.iterfind("{*}Header/{*}Attachment"):
        if each.find("{*}Sha256") is None:
            each.insert(4, each.makeelement(each.tag.replace("Attachment", "Sha256")))
            each[4].text = "0" * 64
    envelope = read_draft(root, replace=values)

    (problem,) = found.account.locate(check(write_element(envelope)), file="pedido.csv")

    assert problem.code == "envelope.rule.EMLA-R-26"
    assert problem.path == "DIL[1].partes"
    assert problem.file == "pedido.csv"
    assert problem.line == next(
        number for number, line in enumerate(REQUEST.split(b"\n"), 1) if line.startswith(b"DIL;1;")
    )


def test_a_document_that_does_not_say_what_it_is() -> None:
    with pytest.raises(ConnectorError) as refused:
        _read(_request(("CAB", "tipo", "ABC")))
    assert refused.value.code == "translation.unknown-message-type"

    with pytest.raises(ConnectorError) as refused:
        _read(_request(("CAB", "leiaute", "2.0")))
    assert refused.value.code == "translation.unknown-format"

    with pytest.raises(ConnectorError) as refused:
        FORMATS.identify(b"nome;valor\r\na;1\r\n", "x.csv")
    assert refused.value.code == "translation.unknown-format"
    assert FORMATS.identify(REQUEST) == "register-csv"


# What is made to be costly ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (REQUEST + b"NOM;x;\r\n" * 1_000_000, "too-many-fields"),
        (REQUEST + b"\r\n" * 1_000_000, ""),
        (REQUEST + b"X\r\n" * 1_000_000, "malformed"),
        (REQUEST + b"FUN;UNTOC;" + b"x" * 100_000_000 + b";;\r\n", "too-large"),
        (REQUEST + b"FUN;UNTOC;" + b"x" * 15_000_000 + b";18;S\r\n", ""),
        (REQUEST + b'FUN;"' + b"x\r\n" * 5_000_000, "malformed"),
        (REQUEST + b";" * 15_000_000, "malformed"),
        (REQUEST + b'"' * 15_000_000, "malformed"),
        (REQUEST + b"FUN;" + b"'" * 5_000_000 + b";;18;S\r\n", ""),
        (REQUEST + b'FUN;UNTOC;"' + b"&#1;" * 300_000 + b'";18;S\r\n', ""),
        (REQUEST + b"FUN;UNTOC;" + b"&#1111111" * 300_000 + b";18;S\r\n", ""),
        (REQUEST + b"DIS;x;y\r\n" * 60_000 + b"REL;;;;;\r\n" * 60_000, "too-many-fields"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_is_made_to_be_costly(data: bytes, code: str) -> None:
    expected = f"translation.{code}" if code else ""
    assert refusal(lambda: _read(data), seconds=15, megabytes=300) == expected


def test_kinds_of_refusal() -> None:
    with pytest.raises(ConnectorError) as refused:
        _read(REQUEST + b"X;1\r\n")
    assert refused.value.kind is Kind.UNACCEPTABLE
