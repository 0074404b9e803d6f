"""Conversions of single values: each way undoes the other, and nothing ends in a crash."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from connector.translation.local_ids import LocalIds
from connector.translation.values import (
    Booleans,
    Dates,
    Moments,
    NotConvertible,
    Numbers,
    Template,
    Wrapped,
)
from tests.envelope.values import LOCAL_IDS, PARTIAL_DATES, moments

IDS = LocalIds()
DATES = Dates(("DD/MM/YYYY", "MM/YYYY", "YYYY"))
LOCAL = Moments(("DD/MM/YYYY hh:mm:ss",), "America/Sao_Paulo")
ISO = Moments(("ISO",), "Europe/Paris")


@given(st.text(min_size=1, max_size=6).filter(lambda text: text == text.strip() != ""))
@example("_")
@example("__")
@example("_x5f_")
@example("_1")
@example("a_x20_b")
def test_an_id_of_a_document_comes_back(text: str) -> None:
    inside, note = IDS.read(text)

    assert note == ""
    assert IDS.write(inside) == (text, "")
    assert inside.isascii()


@given(LOCAL_IDS)
@example("_abc")
@example("_1")
@example("__x5f_1")
@example("_xffffff_")
@example("_x110000_")
@example("_xd800_")
@example("_" * 64)
def test_an_id_of_the_envelope_comes_back(text: str) -> None:
    outside, note = IDS.write(text)

    assert note == ""
    assert IDS.read(outside) == (text, "")


@given(st.lists(LOCAL_IDS, min_size=2, max_size=5, unique=True))
def test_two_ids_never_become_one(ids: list[str]) -> None:
    assert len({IDS.write(each)[0] for each in ids}) == len(ids)


def test_an_id_that_cannot_be_made_to_fit() -> None:
    with pytest.raises(NotConvertible, match="too long"):
        IDS.read("é" * 20)


@given(PARTIAL_DATES)
def test_dates_come_back_as_exact_as_they_were(date: str) -> None:
    assert DATES.read(DATES.write(date)[0]) == (date, "")


@pytest.mark.parametrize(
    "text", ["31/02/2026", "2026-11-24", "1/1/2026", "13/2026", "", "26", "٢٠٢٦"]
)
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(NotConvertible) as refused:
        DATES.read(text)
    assert refused.value.code == "bad-date"
    assert "DD/MM/YYYY or MM/YYYY or YYYY" in refused.value.mend


def test_an_incomplete_date_is_not_made_up() -> None:
    with pytest.raises(NotConvertible):
        Dates(("DD/MM/YYYY",)).write("2026-11")


@given(moments())
def test_moments_come_back_to_the_second_or_say_so(moment: datetime) -> None:
    text, note = LOCAL.write(moment.isoformat())
    back = datetime.fromisoformat(LOCAL.read(text)[0])

    assert (back == moment) == (note == "")
    assume(note == "" or moment.microsecond)
    assert back == moment.replace(microsecond=0)


@given(moments())
def test_moments_in_their_standard_form_stay_as_they_are(moment: datetime) -> None:
    text = moment.isoformat()

    assert ISO.write(text) == (text, "")
    assert ISO.read(text) == (text, "")


@pytest.mark.parametrize(
    "text", ["9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59-03:01", "1000-01-01T00:00:00+14:00"]
)
def test_the_ends_of_time_do_not_crash(text: str) -> None:
    try:
        written, _ = LOCAL.write(text)
    except NotConvertible as error:
        assert error.code == "bad-date"
    else:
        assert LOCAL.read(written)[0]


@pytest.mark.parametrize(
    ("text", "twice"),
    [
        ("2026-10-25T02:30:00", True),
        ("2026-03-29T02:30:00", True),
        ("2026-10-25T01:59:59", False),
        ("2026-10-25T03:00:00", False),
        ("2026-10-25T02:30:00+01:00", False),
    ],
)
def test_an_hour_that_the_clocks_repeat_or_skip_is_told(text: str, twice: bool) -> None:
    _, note = ISO.read(text)

    assert bool(note) == twice


def test_without_a_zone_nothing_is_guessed() -> None:
    with pytest.raises(NotConvertible, match="time zone"):
        Moments(("ISO",), None).read("2026-10-25T02:30:00")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1.200,5", "1200.5"),
        ("1200", "1200"),
        ("-0,25", "-0.25"),
        ("007", "7"),
        ("20.481.123", "20481123"),
    ],
)
def test_numbers_with_signs_of_their_own(text: str, value: str) -> None:
    assert Numbers(",", ".").read(text) == (value, "")


@pytest.mark.parametrize("text", ["", "1,2,3", "1k", "१", "1e5", "--1", "0x10"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(NotConvertible):
        Numbers(",", ".").read(text)


def test_yes_and_no() -> None:
    yes_no = Booleans("S", "N")
    assert [yes_no.read(text)[0] for text in ("S", "N")] == ["true", "false"]
    assert [yes_no.write(text)[0] for text in ("true", "1", "false", "0")] == ["S", "S", "N", "N"]
    with pytest.raises(NotConvertible):
        yes_no.read("s")


def test_a_value_with_fixed_surroundings() -> None:
    wrapped = Wrapped(None, "BR-{}", "urn:br:{}")
    assert wrapped.read("BR-7") == ("urn:br:7", "")
    assert wrapped.write("urn:br:7") == ("BR-7", "")
    with pytest.raises(NotConvertible):
        wrapped.read("DE-7")


@given(st.lists(st.text("abc ", min_size=1).filter(str.strip), min_size=2, max_size=2))
def test_parts_in_one_text(parts: list[str]) -> None:
    template = Template("{}; {}")
    assert template.take_apart(template.fill(tuple(parts))) == tuple(parts)
    assert template.fill((None, "b")) == "b"
    assert template.take_apart("no sign") is None
