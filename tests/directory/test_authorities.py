"""The directory of authorities: found by identifier, country, party; mistakes told with place."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.directory import Authority, Directory, Office, load_directory
from connector.directory.authorities import EXAMPLES, SCHEME
from connector.envelope import model
from connector.errors import ConnectorError, Kind

BFJ, BECI = "urn:emla:authority:de:bfj", "urn:emla:authority:fr:beci"
STA, DRCI = "urn:emla:authority:de:sta-musterstadt", "urn:emla:authority:br:drci"
ENTRY = """
[[authority]]
identifier = "urn:x:1"
country = "DE"
role = "central"
party = "connector-de"
names = { de = "Behörde" }
"""


@pytest.fixture
def demo() -> Directory:
    return load_directory(EXAMPLES)


def _load(tmp_path: Path, text: str) -> Directory:
    file = tmp_path / "authorities.toml"
    file.write_text(text, "utf-8")
    return load_directory(file)


def _refusal(tmp_path: Path, text: str) -> ConnectorError:
    with pytest.raises(ConnectorError) as refused:
        _load(tmp_path, text)
    assert refused.value.kind is Kind.CONFIGURATION
    assert all(each.mend for each in refused.value.problems)
    return refused.value


def test_the_directory_of_the_demonstration(demo: Directory) -> None:
    assert {each.country for each in demo.authorities} == {"DE", "FR", "BR"}
    assert demo.get(BFJ).role is Office.CENTRAL
    assert [each.identifier for each in demo.of_country("DE")] == [STA, BFJ]
    assert [each.identifier for each in demo.of_country("DE", Office.CENTRAL)] == [BFJ]
    assert demo.of_country("XX") == ()
    assert [each.identifier for each in demo.of_party("connector-de")] == [STA, BFJ]
    assert demo.of_party("nobody") == ()
    assert demo.find("urn:x") is None


def test_names_come_in_the_language_that_is_asked_for(demo: Directory) -> None:
    beci = demo.get(BECI)

    assert beci.name("pt", "en").startswith("Office for")
    assert beci.name("pt").startswith("Bureau")
    assert beci.name().startswith("Bureau")


def test_an_entry_as_the_envelope_names_it(demo: Directory) -> None:
    asking = demo.get(DRCI).as_envelope(requesting=True)
    asked = demo.get(DRCI).as_envelope(requesting=False)

    assert asking.identifier == model.Identifier(value=DRCI, scheme=SCHEME)
    assert asking.country == "BR"
    assert asking.role is model.AuthorityRole.REQUESTING_CENTRAL
    assert asked.role is model.AuthorityRole.REQUESTED_CENTRAL
    assert [name.language for name in asked.names] == ["pt", "en"]
    assert demo.get(STA).as_envelope(requesting=True).role is model.AuthorityRole.ISSUING


@pytest.mark.parametrize("office", Office)
def test_every_office_has_a_role_on_both_sides(office: Office) -> None:
    assert office.role(requesting=True) in model.AuthorityRole
    assert office.role(requesting=False) in model.AuthorityRole


def test_a_name_without_language_has_none_in_the_envelope(tmp_path: Path) -> None:
    directory = _load(tmp_path, ENTRY.replace("{ de =", "{ und ="))

    assert directory.get("urn:x:1").as_envelope(requesting=True).names == (
        model.LocalText(text="Behörde"),
    )


@pytest.mark.parametrize(
    ("wanted", "meant"),
    [
        ("urn:emla:authority:de:bfi", BFJ),
        ("URN:EMLA:AUTHORITY:FR:BECI", BECI),
        ("Staatsanwaltschaft Musterstatt", STA),
        ("Zentrale Behörde für Rechtshilfe", BFJ),
    ],
)
def test_a_misspelt_authority_is_told_with_what_may_be_meant(
    wanted: str, meant: str, demo: Directory
) -> None:
    with pytest.raises(ConnectorError) as refused:
        demo.get(wanted)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert refused.value.code == "directory.unknown-authority"
    assert meant in refused.value.problems[0].mend


def test_an_unknown_authority_is_told_briefly(demo: Directory) -> None:
    with pytest.raises(ConnectorError) as refused:
        demo.get("x" * 100_000)

    assert len(str(refused.value)) < 1000
    assert "Add it" in refused.value.problems[0].mend


def test_an_identifier_that_is_there_twice(tmp_path: Path) -> None:
    refused = _refusal(tmp_path, ENTRY + ENTRY)

    assert refused.code == "directory.doubled"
    assert "urn:x:1" in refused.problems[0].what


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (ENTRY.replace('"central"', '"boss"'), "authority/0/role"),
        (ENTRY.replace('"DE"', '"Germany"'), "authority/0/country"),
        (ENTRY.replace('"urn:x:1"', '"two words"'), "authority/0/identifier"),
        (ENTRY.replace('party = "connector-de"\n', ""), "authority/0/party"),
        (ENTRY.replace('{ de = "Behörde" }', "{}"), "authority/0/names"),
        (ENTRY.replace('"Behörde"', '" "'), "authority/0/names/de"),
        (ENTRY + 'colour = "red"\n', "authority/0/colour"),
        (ENTRY + "\n[other]\n", "other"),
        ("", "authority"),
    ],
)
def test_a_wrong_entry_is_told_with_its_place(text: str, path: str, tmp_path: Path) -> None:
    refused = _refusal(tmp_path, text)

    assert [(each.code, each.path) for each in refused.problems] == [("directory.entry", path)]
    assert refused.problems[0].file == str(tmp_path / "authorities.toml")


def test_all_wrong_fields_are_told_at_once(tmp_path: Path) -> None:
    text = ENTRY.replace('"central"', '"boss"') + ENTRY.replace('"DE"', '"D"')

    refused = _refusal(tmp_path, text)

    assert [each.path for each in refused.problems] == ["authority/0/role", "authority/1/country"]


def test_a_country_that_does_not_exist(tmp_path: Path) -> None:
    refused = _refusal(tmp_path, ENTRY.replace('"DE"', '"QQ"'))

    assert refused.code == "directory.entry"
    assert "QQ" in refused.problems[0].what
    assert "urn:x:1" in refused.problems[0].what


@pytest.mark.parametrize("code", ["EU", "UN", "XK", "HK"])
def test_correspondents_that_are_no_state(code: str, tmp_path: Path) -> None:
    directory = _load(tmp_path, ENTRY.replace('"DE"', f'"{code}"'))

    assert directory.get("urn:x:1").country == code


@pytest.mark.parametrize("data", [b"\xff\xfe", b"[[authority", b'a = "b'])
def test_a_file_that_is_no_toml(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "authorities.toml"
    file.write_bytes(data)

    for path in (file, tmp_path / "absent.toml", tmp_path):
        with pytest.raises(ConnectorError) as refused:
            load_directory(path)
        assert refused.value.code == "directory.unreadable"
        assert refused.value.problems[0].file == str(path)


def test_entries_never_change() -> None:
    entry = Authority(
        identifier="urn:x", country="DE", role=Office.CENTRAL, names={"de": "x"}, party="p"
    )

    with pytest.raises(AttributeError):
        entry.country = "FR"  # type: ignore[misc]
