"""CSV in another encoding, with broken lines or wrong cells, or made to be costly."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.envelope import HeaderValues, check, read_draft, write_element
from connector.errors import ConnectorError, Kind
from tests.translation.bounded import refusal
from tests.translation.register import FORMATS, REQUEST, read_document, request, rows

WHEN = datetime(2026, 11, 25, tzinfo=UTC)

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
    for action in (lambda: FORMATS.identify(data, "pedido.csv"), lambda: read_document(data)):
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
def test_what_only_looks_like_utf_8_isread_document(text: str) -> None:
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
        read_document(data)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert refused.value.code == "translation.malformed"
    assert [each.line for each in refused.value.problems][:1] == [9]
    assert says in refused.value.problems[0].what
    assert refused.value.problems[0].file == "pedido.csv"


def test_every_wrong_line_is_told_by_its_number_in_the_file() -> None:
    """A cell with line ends counts as many lines as it has."""
    data = REQUEST + b"XX;1\r\n\r\nFUN;1\r\n"
    total = REQUEST.count(b"\n")

    with pytest.raises(ConnectorError) as refused:
        read_document(data)

    assert [each.line for each in refused.value.problems] == [total + 1, total + 3]


@pytest.mark.parametrize(
    "line", [b'FUN;"UNTOC;;18;S', b'FUN;"UNTOC"x;;18;S', b'FUN;"UN"TOC";;18;S']
)
def test_quotes_that_do_not_close(line: bytes) -> None:
    with pytest.raises(ConnectorError) as refused:
        read_document(REQUEST + line + b"\r\n")

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
    data = request((record, column, value))
    first = next(i for i, row in enumerate(rows(data)) if row[0] == record)
    line = 1 + sum(1 + "".join(row).count("\n") for row in rows(data)[:first])

    problem = read_document(data).problems[0]

    assert (problem.code, problem.path) == (f"translation.{code}", path)
    assert problem.line == line
    assert problem.mend


def test_what_the_rules_of_the_envelope_find_is_told_in_lines_of_the_document() -> None:
    found = read_document(request(("DIL", "partes", "1, 9"), ("OBS", "data", "")))
    assert [each.code for each in found.problems] == ["translation.bad-date"]
    found = read_document(request(("DIL", "partes", "1, 9")))
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
        read_document(request(("CAB", "tipo", "ABC")))
    assert refused.value.code == "translation.unknown-message-type"

    with pytest.raises(ConnectorError) as refused:
        read_document(request(("CAB", "leiaute", "2.0")))
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
    assert refusal(lambda: read_document(data), seconds=15, megabytes=300) == expected
