"""Countries and territories: the whole list, members of INTERPOL, who answers for whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.directory import country
from connector.directory.countries import countries, interpol_as_of
from connector.errors import ConnectorError, Kind

ISO3166 = Path("/usr/share/zoneinfo/iso3166.tab")
# Members that are no members of the United Nations, and members of those that are not INTERPOL's.
BEYOND_UN = {"VA", "PS", "AW", "CW", "SX"}
NOT_INTERPOL = {"KP", "TV"}


def test_interpol_has_196_members() -> None:
    members = {code for code, each in countries().items() if each.interpol_member}

    assert len(members) == 196
    assert members >= BEYOND_UN
    assert not NOT_INTERPOL & members
    assert "PW" in members, "the 196th"
    assert interpol_as_of() == "2023-11-30"


def test_all_codes_are_there_and_the_others_are_no_members() -> None:
    assert len(countries()) == 250, "249 of ISO 3166-1, and XK"
    others = {code for code, each in countries().items() if not each.interpol_member} - {"XK"}
    assert len(others) == 53
    assert {"HK", "MO", "CK", "NU", "TW", "EH", "GL"} <= others
    assert not country("XK").interpol_member


def test_the_codes_are_those_of_the_standard() -> None:
    if not ISO3166.exists():
        pytest.skip(f"no {ISO3166} on this machine")
    lines = ISO3166.read_text("utf-8").splitlines()
    codes = {line.split("\t")[0] for line in lines if line and line[0] != "#"}

    assert set(countries()) - {"XK"} == codes


def test_every_entry_is_in_order() -> None:
    for code, each in countries().items():
        assert each.code == code
        assert code.isascii() and code.isupper() and len(code) == 2
        assert each.name.strip() == each.name != ""
        if each.belongs_to is not None:
            state = country(each.belongs_to)
            assert state.belongs_to is None, f"{code} belongs to one that belongs to another"
            assert state.interpol_member


@pytest.mark.parametrize(
    ("territory", "state"),
    [("HK", "CN"), ("MO", "CN"), ("GP", "FR"), ("GL", "DK"), ("PR", "US"), ("CK", "NZ")],
)
def test_territories_belong_to_a_state(territory: str, state: str) -> None:
    assert country(territory).belongs_to == state


@pytest.mark.parametrize("independent", ["DE", "FR", "BR", "PS", "VA", "TW", "XK", "EH"])
def test_others_belong_to_nobody(independent: str) -> None:
    assert country(independent).belongs_to is None


def test_members_may_be_territories() -> None:
    """Aruba, Curaçao and Sint Maarten are members beside the Netherlands."""
    for code in ("AW", "CW", "SX"):
        assert country(code).interpol_member
        assert country(code).belongs_to == "NL"


@pytest.mark.parametrize(
    ("wrong", "mend"),
    [
        ("de", "Write DE."),
        ("Germany", "DE (Germany)"),
        ("Brasil", "BR"),
        ("GER", "DE (Germany)"),
        ("UK", "two capital letters"),
        ("", "two capital letters"),
        ("DE\x00", "two capital letters"),
    ],
)
def test_an_unknown_code_is_told_with_what_may_be_meant(wrong: str, mend: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        country(wrong)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert refused.value.code == "directory.unknown-country"
    assert mend in refused.value.problems[0].mend
