"""XJustiz as German systems write it: whatever is valid is read, mistakes have their place."""

from __future__ import annotations

import dataclasses
import random
import re

import pytest
from lxml import etree

from connector.envelope import HeaderValues, check, read, read_draft, write_element
from connector.errors import ConnectorError
from connector.translation import MessageName, Outcome, Read
from connector.xml import Element, parse
from tests.envelope.samples import sample
from tests.reference import reference
from tests.translation.schema_instances import Documents
from tests.translation.xjustiz import EXAMPLE, X, changed, read_document, with_field

ROOT = "nachricht.gds.uebermittlungSchriftgutobjekte.0005005"

# any valid message --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def documents() -> Documents:
    return Documents(reference("xjustiz", "xsd"))


ALLOWED = {
    "translation.missing-field",
    "translation.bad-date",
    "translation.unknown-code",
    "official.rule.SCH-GDS-0006",  # a rule that no XSD can state
}


@pytest.mark.parametrize("seed", range(60))
def test_any_message_that_follows_the_schema_is_read_whole(documents: Documents, seed: int) -> None:
    source = random.Random(seed)
    root = documents.make(ROOT, source, source.choice([0.2, 0.5, 0.7, 0.8, 0.9]))

    found = read_document(etree.tostring(root))

    assert found.message is MessageName.REQUEST
    assert {each.code for each in found.problems} <= ALLOWED
    _assert_whole(found, root)
    first = next(p for p in found.problems if p.code == "translation.missing-field")
    assert "Fachdaten Rechtshilfe" in first.mend


@pytest.mark.parametrize("seed", range(60, 100))
def test_with_fachdaten_it_becomes_a_request(documents: Documents, seed: int) -> None:
    source = random.Random(seed)
    root = documents.make(ROOT, source, source.choice([0.3, 0.6, 0.85]))
    for unclear in root.iter(f"{X}geheimhaltungsgrad"):
        unclear[0].text = "000"
    records = root.find(f"{X}schriftgutobjekte")
    assert records is not None
    position = 1 if records.find(f"{X}anschreiben") is not None else 0
    records.insert(position, _fachdaten())

    found = read_document(etree.tostring(root))

    assert {each.code for each in found.problems} <= ALLOWED - {"translation.missing-field"}
    _assert_whole(found, root)
    assert len(found.envelope.findall(".//{*}Measure")) == 1
    assert found.envelope.findtext(".//{*}ReceivingAuthority/{*}Country") == "FR"


def _fachdaten() -> Element:
    """Those of the example, with the subject that it has elsewhere."""
    subject = "<feld><name>Gegenstand des Verfahrens</name><wert>Betrug</wert></feld>"
    record = parse(with_field(subject)).find(f".//{X}akte")
    assert record is not None
    for group in list(record.iter(f"{X}feldgruppe")):
        if group.findtext(f"{X}name") == "Beteiligte":  # of the example, by their numbers
            parent = group.getparent()
            assert parent is not None
            parent.remove(group)
    return record


def _assert_whole(found: Read, root: Element) -> None:
    """Every text and attribute of the document is in the account, with an outcome and a reason."""
    entries = found.account.entries
    for entry in entries:
        assert entry.outcome in {Outcome.MAPPED, Outcome.ANNEXED, Outcome.DROPPED, Outcome.REFUSED}
        assert entry.outcome is Outcome.MAPPED or entry.reason, entry
        assert entry.outcome is not Outcome.MAPPED or entry.targets or "implies" in entry.reason
    assert found.account.unknown == ()
    told = sum(1 for e in root.iter() if not len(e)) + sum(len(e.attrib) for e in root.iter())
    assert len(entries) == told


# what a German authority has to write -------------------------------------------------------------


def _without(*paths: str) -> bytes:
    root = parse(EXAMPLE.read_bytes())
    for path in paths:
        gone = root.xpath(path, namespaces={"x": "http://www.xjustiz.de"})
        assert isinstance(gone, list) and gone, path
        for element in gone:
            assert isinstance(element, etree._Element)
            parent = element.getparent()
            assert parent is not None
            parent.remove(element)
    return etree.tostring(root)


_GROUP = "//x:feldgruppe[x:name='{}']"
_FIELD = "//x:feld[x:name='{}']"


@pytest.mark.parametrize(
    ("gone", "missing", "mend"),
    [
        (["//x:akte"], "schriftgutobjekte/akte[", "Fachdaten Rechtshilfe"),
        ([_GROUP.format("Ersuchen")], "feldgruppe[name='Ersuchen']", "Add the group Ersuchen"),
        ([_GROUP.format("Rechtsgrundlage")], "feldgruppe[name='Rechtsgrundlage']", "treaty or law"),
        (
            ["//x:unterfeldgruppe[x:name='Tatvorwurf']"],
            "unterfeldgruppe[name='Tatvorwurf']",
            "Tatvorwurf",
        ),
        (
            ["//x:unterfeldgruppe[x:name='Maßnahme']"],
            "unterfeldgruppe[name='Maßnahme']",
            "at least one Maßnahme",
        ),
        ([_FIELD.format("Zweck")], "feld[name='Zweck']/wert", "what the evidence is wanted for"),
        (["//x:kurzrubrum"], "feld[name='Gegenstand des Verfahrens']/wert", "verfahrensgegenstand"),
    ],
)
def test_what_is_missing_is_named_with_what_to_do(gone: list[str], missing: str, mend: str) -> None:
    found = read_document(_without(*gone))

    (problem,) = [each for each in found.problems if each.code == "translation.missing-field"]
    assert problem.path is not None and missing in problem.path
    assert "beschreibung" not in problem.path and "{}" not in problem.path
    assert problem.file == "ersuchen.xml" and problem.line is not None and problem.line >= 1
    assert mend in problem.mend


def test_facts_that_the_envelope_misses_are_asked_for_where_they_belong() -> None:
    found = read_document(_without(_FIELD.format("Sachverhalt")))
    assert found.problems == ()
    values = HeaderValues(message_id="m@x", created_at=read(sample("request")).header.created_at)
    envelope = read_draft(
        found.envelope, replace=dataclasses.replace(values, attachments=(), conversation_id="c@x")
    )

    problems = found.account.locate(check(write_element(envelope)), file="ersuchen.xml")

    (facts,) = [each for each in problems if each.code == "envelope.rule.EMLA-R-29"]
    assert facts.path is not None and facts.path.endswith("feldgruppe[7]")
    assert facts.line is not None


def test_a_word_that_no_list_has_is_told_with_its_place() -> None:
    found = read_document(changed("<wert>Vernehmung</wert>", "<wert>Verhör</wert>"))

    (problem,) = found.problems
    assert problem.code == "translation.unknown-code"
    assert "'Verhör'" in problem.what and "Maßnahmen der Rechtshilfe" in problem.what
    assert problem.path is not None and problem.path.endswith("feld[1]/wert")
    line = EXAMPLE.read_text("utf-8").split("<wert>Vernehmung</wert>")[0].count("\n") + 1
    assert problem.line == line


def test_a_misspelt_field_does_not_vanish() -> None:
    data = changed("<name>Rechtsbehelfe</name>", "<name>Rechtsbehelf</name>")

    (warning,) = [
        e for e in read_document(data).warnings if e.code == "translation.unaccounted-field"
    ][:1]
    assert "No rule knows this field" in warning.what
    assert {e.code for e in read_document(data, strict=True).problems} == {
        "translation.unaccounted-field"
    }


def test_another_version_is_refused() -> None:
    found = read_document(changed('xjustizVersion="3.6.2"', 'xjustizVersion="3.5.1"'))

    refused = [each for each in found.problems if each.code == "translation.other-value"]
    assert [each.what for each in refused] == ["'3.5.1' stands where '3.6.2' must stand."]
    assert refused[0].line == 3


def test_a_marking_that_is_not_known_is_not_sent() -> None:
    marked = (
        '<geheimhaltungsgrad listVersionID="1.1"><code xmlns="">004</code></geheimhaltungsgrad>'
    )
    text = EXAMPLE.read_text("utf-8")
    reason = re.search(r"<vertraulichZuBehandelnGrund>.*</vertraulichZuBehandelnGrund>", text)
    assert reason is not None

    found = read_document(changed(reason[0], marked))

    assert [each.code for each in found.problems] == ["translation.unknown-code"]
    assert "'004'" in found.problems[0].what


def test_an_unknown_kind_of_message_is_not_taken_for_a_request() -> None:
    with pytest.raises(ConnectorError) as refused:
        read_document(changed("<wert>Ersuchen</wert>", "<wert>Auslieferung</wert>"))

    assert refused.value.code == "translation.unknown-message-type"
    assert "Ersuchen" in refused.value.problems[0].mend


def test_what_another_field_says_first_is_told() -> None:
    again = "<feld><name>Aktenzeichen des Verfahrens</name><wert>99 Js 1/20</wert></feld>"
    found = read_document(with_field(again))

    (warning,) = [each for each in found.warnings if each.code == "translation.second-value"]
    assert warning.path is not None and warning.path.endswith("/wert")
    assert found.envelope.findtext(".//{*}CaseReference") == "125 Js 4711/26"


def test_a_participant_that_is_the_sender_is_no_person() -> None:
    found = read_document(EXAMPLE.read_bytes())

    assert len(found.envelope.findall(".//{*}Person")) == 4  # five participants
    assert found.envelope.findtext(".//{*}SendingAuthority/{*}Address/{*}PostName") == "Musterstadt"


def test_a_former_address_is_not_passed_on() -> None:
    places = [e.text for e in read_document(EXAMPLE.read_bytes()).envelope.iter("{*}Thoroughfare")]

    assert "Am Mühlbach" in places
    assert "Altgasse" not in places


def test_a_court_is_told_by_its_code() -> None:
    data = changed(
        "<sonstige>Staatsanwaltschaft Musterstadt</sonstige>",
        '<gericht listVersionID="3.7"><code xmlns="">9R0000</code></gericht>',
    ).replace(b"<name>Absender</name>", b"<name>Absender (alt)</name>")

    found = read_document(data)

    value = found.envelope.findtext(".//{*}SendingAuthority/{*}Identifier/{*}Value")
    assert value == "urn:xoev-de:xjustiz:codeliste:gds.gerichte:9R0000"
