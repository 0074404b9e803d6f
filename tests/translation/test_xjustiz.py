"""Germany's XJustiz, both ways: what is written is valid, what is valid is read."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest
from hypothesis import given

from connector.envelope import check, read, write_element
from connector.envelope.codes import NameKind
from connector.envelope.model import Envelope
from connector.envelope.parties import NaturalPerson, PersonName
from connector.envelope.request import Request
from connector.errors import ConnectorError
from connector.translation import Outcome, load_formats
from connector.translation.official import NOT_CONFIGURED
from connector.xml import parse
from tests.envelope.samples import names, sample
from tests.envelope.strategies import envelopes
from tests.reference import reference
from tests.translation.round_trip import MANY, as_accounted, read_back, written
from tests.translation.xjustiz import EXAMPLE, MAPPING, X, formats

# written and read back ----------------------------------------------------------------------------


@MANY
@given(envelopes())
def test_everything_but_extensions_comes_back(envelope: Envelope) -> None:
    document = written(formats(), envelope, "xjustiz")
    found, back = read_back(formats(), document, envelope)

    assert back == as_accounted(document, envelope)
    assert check(write_element(back)) == ()
    lost = [e.origin for e in document.account.entries if e.outcome is not Outcome.MAPPED]
    assert all("/Extension/" in place for place in lost)
    assert {each.code for each in (*document.warnings, *found.warnings)} <= {NOT_CONFIGURED}


@pytest.mark.parametrize("name", names())
def test_every_sample_of_an_envelope_can_be_delivered(name: str) -> None:
    reference("xjustiz")
    envelope = read(sample(name))

    document = written(formats(), envelope, "xjustiz")
    _, back = read_back(formats(), document, envelope)

    assert back == envelope
    assert document.warnings == ()
    assert document.filename.startswith("rechtshilfe-")


def test_a_german_system_finds_names_and_addresses_where_it_looks() -> None:
    document = formats().write(sample("request"), "xjustiz")
    root = parse(document.data)

    people = [e.text for e in root.iter(f"{X}nachname")]
    assert people == ["Kovalenko"]  # the Latin one of two
    assert [e.text for e in root.iter(f"{X}strasse")] == ["Rua das Laranjeiras"]
    assert [e.findtext("code") for e in root.iter(f"{X}staatsangehoerigkeit")] == ["166"]
    assert [e.text for e in root.iter(f"{X}bezeichnung.aktuell")] == ["Banco Exemplo S.A."]
    numbers = [e.text for e in root.iter(f"{X}nummerImUebergeordnetenContainer")]
    assert numbers == ["1", "2", "3", "4"]
    uuids = [e.text for e in root.iter(f"{X}id")]
    assert len(set(uuids)) == 4
    assert root.findtext(f".//{X}sendungsprioritaet/code") == "001"


def _with_names(*given: PersonName) -> Envelope:
    envelope = read(sample("request"))
    assert isinstance(envelope.body, Request)
    person = envelope.body.persons[0]
    assert isinstance(person.who, NaturalPerson)
    who = dataclasses.replace(person.who, names=given)
    persons = (dataclasses.replace(person, who=who), *envelope.body.persons[1:])
    return dataclasses.replace(envelope, body=dataclasses.replace(envelope.body, persons=persons))


def test_one_plain_name_is_written_once() -> None:
    plain = PersonName(kind=NameKind.OFFICIAL, given_name="Jürgen", family_name="Groß")

    document = written(formats(), _with_names(plain), "xjustiz")
    root = parse(document.data)

    assert root.findtext(f".//{X}vorname") == "Jürgen"
    assert "Groß" not in [e.text for e in root.iter(f"{X}wert")]


def test_a_name_without_latin_letters_is_in_the_fachdaten_and_not_made_up() -> None:
    arabic = PersonName(kind=NameKind.OFFICIAL, script="Arab", full_name="شكري البحري")
    envelope = _with_names(arabic)

    document = written(formats(), envelope, "xjustiz")
    root = parse(document.data)
    _, back = read_back(formats(), document, envelope)

    assert root.findtext(f".//{X}nachname") == "siehe Fachdaten"
    assert "شكري البحري" in [e.text for e in root.iter(f"{X}wert")]
    assert back == envelope


def test_a_file_name_that_german_systems_cannot_hold_is_given_twice() -> None:
    envelope = read(sample("request"))
    first, *others = envelope.header.attachments
    renamed = dataclasses.replace(first, name="Протокол №7.pdf")
    header = dataclasses.replace(envelope.header, attachments=(renamed, *others))
    envelope = dataclasses.replace(envelope, header=header)

    document = written(formats(), envelope, "xjustiz")
    found, back = read_back(formats(), document, envelope)

    assert parse(document.data).findtext(f".//{X}dateiname") == "________ _7.pdf"
    assert found.attachments[0].name == "Протокол №7.pdf"
    assert back == envelope


# held against the standard ------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["A", "B", "C", "D"])
def test_texts_are_those_of_din_91379(name: str) -> None:
    types = parse(reference("xjustiz", "xsd", "din-norm-91379-datatypes.xsd").read_bytes())
    path = f"{{*}}simpleType[@name='datatype{name}']/{{*}}restriction/{{*}}pattern"
    found = types.find(path)
    assert found is not None
    theirs = re.compile(found.get("value", ""))
    ours = re.compile(formats()["xjustiz"].mapping.texts[name].pattern)

    signs = [chr(c) for c in range(1, 0x11000) if not 0xD800 <= c < 0xE000]
    assert [c for c in signs if ours.fullmatch(c)] == [c for c in signs if theirs.fullmatch(c)]
    marks = [chr(c) for c in range(0x300, 0x370)]
    for base in [c for c in signs if c.isalpha() and theirs.fullmatch(c)]:
        for mark in marks:
            assert bool(ours.fullmatch(base + mark)) == bool(theirs.fullmatch(base + mark))
    for longer in ("C̨̆", "l̥̄", "K͟H", "s̛̄", "C̨"):
        assert bool(ours.fullmatch(longer)) == bool(theirs.fullmatch(longer))


@pytest.mark.parametrize(
    ("name", "type_name"), [("geschlecht", "gds.geschlecht"), ("sprachen", "gds.sprachen")]
)
def test_code_lists_are_those_of_the_schema(name: str, type_name: str) -> None:
    schema = parse(reference("xjustiz", "xsd", "xjustiz_0010_cl_allgemein_3_7.xsd").read_bytes())
    path = f"{{*}}simpleType[@name='{type_name}']//{{*}}enumeration"
    official = {each.get("value") for each in schema.findall(path)}

    ours = {each.code for each in formats()["xjustiz"].lists[name].file.entries}

    assert ours == official


def test_without_a_folder_it_says_that_nothing_was_checked() -> None:
    unchecked = load_formats([MAPPING])

    found = unchecked.read(EXAMPLE.read_bytes(), "xjustiz")
    document = unchecked.write(sample("response"), "xjustiz")

    assert found.problems == document.problems == ()
    assert NOT_CONFIGURED in {each.code for each in found.warnings}
    assert [each.code for each in document.warnings] == [NOT_CONFIGURED]


def test_the_folder_is_where_the_mapping_expects_it(tmp_path: Path) -> None:
    unchecked = load_formats([MAPPING], official={"xjustiz": tmp_path})

    with pytest.raises(ConnectorError) as refused:
        unchecked.read(EXAMPLE.read_bytes(), "xjustiz")
    assert refused.value.code == "official.no-schemas"
