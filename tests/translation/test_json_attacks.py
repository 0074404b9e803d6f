"""What is no JSON document of a format, or is made to be costly: refused, in bounds, by name."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from connector.envelope import HeaderValues, read_draft
from connector.errors import ConnectorError, Kind
from connector.shipped import shipped
from connector.translation import Formats, Read, load_formats
from tests.translation.bounded import refusal

WHEN = datetime(2026, 11, 25, tzinfo=UTC)
MAPPING = shipped("mappings") / "case-json"
FORMATS: Formats = load_formats([MAPPING], strict=True)
LENIENT: Formats = load_formats([MAPPING])
REQUEST = (MAPPING / "examples" / "request" / "document.json").read_bytes()


def _read(data: bytes, formats: Formats = FORMATS) -> Read:
    return formats.read(data, "case-json", filename="demande.json")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "malformed"),
        (b"{", "malformed"),
        (REQUEST[:-40], "malformed"),
        (b"[" + REQUEST + b"]", "malformed"),
        (b'"text"', "malformed"),
        (REQUEST.replace(b": 120", b": NaN"), "malformed"),
        (REQUEST.replace(b": 120", b": -Infinity"), "malformed"),
        (REQUEST.replace(b": 120", b": 012"), "malformed"),
        (REQUEST.replace(b": 120", b": 0x78"), "malformed"),
        (REQUEST.replace(b'"langue": "fr"', b'"langue": "f\nr"', 1), "malformed"),
        (REQUEST.replace(b'"langue": "fr"', b'"langue": "\\ud800"', 1), "malformed"),
        (REQUEST.replace(b'"langue": "fr"', b'"\\udc00": "fr"', 1), "malformed"),
        (REQUEST.replace(b'"fondements"', b'"fondements[]"', 1), "malformed"),
        (REQUEST.replace(b'"langue"', b'"' + b"l" * 2000 + b'"', 1), "malformed"),
        (REQUEST.replace(b"{", b'{"langue": "de",', 1), "duplicate-key"),
        (REQUEST.replace(b"{", b'{"l\\u0061ngue": "de",', 1), "duplicate-key"),
        (REQUEST.decode().encode("utf-16"), "wrong-encoding"),
        (REQUEST.decode().encode("latin-1", "replace"), "wrong-encoding"),
        (REQUEST + b"{}", "malformed"),
        (b'{"schema": "urn:autre"}', "unknown-format"),
        (REQUEST.replace(b'"DEMANDE"', b'"AUTRE"'), "unknown-message-type"),
    ],
)
def test_what_is_no_such_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        _read(data)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert refused.value.code == f"translation.{code}"
    assert refused.value.problems[0].file == "demande.json"
    assert refused.value.problems[0].mend
    str(refused.value).encode()  # may be shown and stored


def test_the_line_of_a_syntax_error_and_of_a_wrong_byte() -> None:
    lines = REQUEST.splitlines(keepends=True)
    for broken in (b'  "x": "a" "b",\n', b'  "x": "\xff",\n'):
        with pytest.raises(ConnectorError) as refused:
            _read(b"".join([*lines[:7], broken, *lines[7:]]))
        assert refused.value.problems[0].line == 8


def test_a_duplicate_is_told_with_its_place() -> None:
    data = REQUEST.replace(b'"pays": "FR"', b'"pays": "FR", "pays": "DE"', 1)

    with pytest.raises(ConnectorError) as refused:
        _read(data)

    assert refused.value.code == "translation.duplicate-key"
    assert refused.value.problems[0].path == "/emetteur/pays"


def test_a_byte_order_mark_is_taken_off() -> None:
    assert FORMATS.identify(b"\xef\xbb\xbf" + REQUEST) == "case-json"
    assert _read(b"\xef\xbb\xbf" + REQUEST).problems == ()


def test_an_unknown_document_is_told_what_it_looks_like() -> None:
    with pytest.raises(ConnectorError) as refused:
        FORMATS.identify(b'{"facture": 1, "montant": 2}', "x.json")

    assert refused.value.code == "translation.unknown-format"
    assert "facture, montant" in refused.value.problems[0].what


def _inserted(member: bytes) -> bytes:
    return REQUEST.replace(b"{", b"{" + member + b",", 1)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (_inserted(b'"x":' + b"[" * 5_000_000), "too-many-fields"),
        (_inserted(b'"x":' + b"[" * 100_000 + b"]" * 100_000), "too-deep"),
        (_inserted(b'"x":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_000), "too-deep"),
        (_inserted(b'"x":' + b'{"a":' * 70 + b"1" + b"}" * 70), "too-deep"),
        (_inserted(b'"x":' + b"[" * 70 + b"1" + b"]" * 70), "too-deep"),
        (_inserted(b'"x":[' + b"0," * 5_000_000 + b"0]"), "too-many-fields"),
        (_inserted(b'"x":[' + b"{}," * 1_000_000 + b"0]"), "too-many-fields"),
        (_inserted(b",".join(b'"k%d":1' % i for i in range(1_000_000))), "too-many-fields"),
        (_inserted(b",".join([b'"same":1'] * 150_000)), "duplicate-key"),
        (_inserted(b'"x":"' + b"x" * 100_000_000 + b'"'), "too-large"),
        (_inserted(b'"x":"' + b'\\"' * 7_000_000), "too-large"),
        (_inserted(b'"x":"' + b'\\"' * 900_000), "malformed"),
        (_inserted(b'"x":"' + b"\\u0416" * 900_000), "malformed"),
        (_inserted(b'"x":"' + b"," * 7_000_000 + b'\\"' * 900_000), "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_document_that_is_made_to_be_costly(data: bytes, code: str) -> None:
    assert refusal(lambda: _read(data)) == f"translation.{code}"


@pytest.mark.parametrize(
    "member",
    [
        b'"x":' + b"9" * 10_000_000,
        b'"x":1e999999999',
        b'"x":1E-999999999',
        b'"x":0.' + b"3" * 1_000_000 + b"e5",
        b'"x":"' + b"x" * 10_000_000 + b'"',
        b'"x":[' + b"1," * 40_000 + b"1]",
        b'"x":[' + b'"",' * 40_000 + b'""]',
        b'"' + b"n" * 900 + b'":[' + b"1," * 40_000 + b"1]",
    ],
    ids=["digits", "exponent", "negative-exponent", "decimals", "text", "items", "empty", "name"],
)
def test_a_field_that_is_made_to_be_costly_is_just_an_unknown_one(member: bytes) -> None:
    def account_for_all() -> None:
        found = _read(_inserted(member), LENIENT)
        assert len(found.warnings) <= 1001
        assert found.account.entries
        found.require()

    assert refusal(account_for_all, megabytes=400) == ""


def test_numbers_out_of_all_bounds_are_refused_by_the_schema_not_by_a_crash() -> None:
    for number in (b"9" * 5000, b"1e400", b"-1", b"1.5"):
        data = REQUEST.replace(b'"peineMaximaleMois": 120', b'"peineMaximaleMois": ' + number, 1)
        found = _read(data)
        values = HeaderValues(message_id="m@x", created_at=WHEN)
        with pytest.raises(ConnectorError) as refused:
            read_draft(found.envelope, replace=values)
        assert refused.value.code == "envelope.value"
