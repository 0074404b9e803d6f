"""France's case system: JSON, both ways."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from connector.envelope import HeaderValues, check, model, read, read_draft, write_element
from connector.envelope.model import Envelope
from connector.errors import ConnectorError, Kind
from connector.shipped import shipped
from connector.translation import Formats, MessageName, Outcome, Read, load_formats
from tests.envelope.samples import SAMPLES, names, sample
from tests.envelope.strategies import envelopes
from tests.translation.expected import assert_as_expected, examples, read_example
from tests.translation.round_trip import MANY, as_accounted, named, read_back, written

WHEN = datetime(2026, 11, 25, tzinfo=UTC)
MAPPING = shipped("mappings") / "case-json"
FORMATS: Formats = load_formats([MAPPING], strict=True)
LENIENT: Formats = load_formats([MAPPING])
REQUEST = (MAPPING / "examples" / "request" / "document.json").read_bytes()


def _read(data: bytes | dict[str, Any], formats: Formats = FORMATS) -> Read:
    raw = data if isinstance(data, bytes) else json.dumps(data).encode()
    return formats.read(raw, "case-json", filename="demande.json")


def _request(**changes: Any) -> dict[str, Any]:
    """The example, with members at `a__b__0` set to another value, or taken out (...)."""
    content: dict[str, Any] = json.loads(REQUEST)
    for place, value in changes.items():
        *steps, last = (int(step) if step.isdigit() else step for step in place.split("__"))
        at: Any = content
        for step in steps:
            at = at[step]
        if value is ...:
            del at[last]
        else:
            at[last] = value
    return content


@MANY
@given(envelopes())
def test_everything_but_extensions_comes_back(envelope: Envelope) -> None:
    document = written(FORMATS, envelope, "case-json")
    _, back = read_back(FORMATS, document, envelope)

    assert back == named(as_accounted(document, envelope), "sans référence")
    assert check(write_element(back)) == ()
    lost = [e.origin for e in document.account.entries if e.outcome is not Outcome.MAPPED]
    assert all("/Extension/" in place for place in lost)
    assert {each.code for each in document.warnings} <= {"translation.inexact"}


@pytest.mark.parametrize("example", examples(MAPPING), ids=lambda folder: folder.name)
def test_examples_are_read_as_expected(example: Path) -> None:
    found = read_example(FORMATS, "case-json", example)

    assert found.problems == ()
    assert_as_expected(found, example)


def test_there_is_an_example_of_each_message_and_of_each_rule() -> None:
    found = [read_example(FORMATS, "case-json", each) for each in examples(MAPPING)]

    assert {each.message for each in found} == set(MessageName)
    seen = {entry.rule.rpartition(".")[2] for each in found for entry in each.account.entries}
    known = {
        rule.id.rpartition(".")[2]
        for program in FORMATS["case-json"].reading.values()
        for group in program.groups
        for rule in group.rules
    }
    assert known <= seen


@pytest.mark.parametrize("name", names())
def test_every_sample_of_an_envelope_can_be_delivered_and_comes_back(name: str) -> None:
    envelope = read(sample(name))

    document = written(FORMATS, envelope, "case-json")
    _, back = read_back(FORMATS, document, envelope)

    assert back == as_accounted(document, envelope)
    assert document.filename == f"entraide-{envelope.header.message_type}-" + (
        (envelope.header.sender_reference or "").replace(" ", "-").replace("/", "-") + ".json"
    )
    assert document.media_type == "application/json"
    assert json.loads(document.data)["schema"] == "urn:exemple:justice:entraide:export:2.4"
    assert len(SAMPLES) == 6


def test_every_code_of_the_envelope_can_be_written() -> None:
    lists = FORMATS["case-json"].lists
    known = {code for each in lists.values() for code in each.targets()}
    codes = {
        code.value
        for name in model.__all__
        if isinstance(kind := getattr(model, name), type) and issubclass(kind, str)
        for code in kind
        if name != "MessageType"
    }
    assert codes <= known
    assert all(lists[name].covers(code) for name in lists for code in lists[name].targets())


# What is wrong with a document --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "code", "path"),
    [
        ({"demande__finalite": ...}, "missing-field", "/demande/finalite"),
        ({"demande__finalite": "  "}, "missing-field", "/demande/finalite"),
        ({"demande": ...}, "missing-field", "/demande"),
        ({"demande__infractions": []}, "missing-field", "/demande/infractions"),
        ({"fondements__0__instrument": "TRAITE"}, "unknown-code", "/fondements/0/instrument"),
        ({"priorite__echeance": "demain"}, "bad-date", "/priorite/echeance"),
        ({"priorite__echeance": "2026-02-30T00:00:00Z"}, "bad-date", "/priorite/echeance"),
        (
            {"demande__personnes__0__naissance__date": "31/02/1984"},
            "bad-date",
            "/demande/personnes/0/naissance/date",
        ),
        ({"dossier__reference": 4127}, "wrong-type", "/dossier/reference"),
        ({"essai": "oui"}, "wrong-type", "/essai"),
        (
            {"demande__infractions__0__peineMaximaleMois": "120"},
            "wrong-type",
            "/demande/infractions/0/peineMaximaleMois",
        ),
        ({"demande__faits": "a\u0007b"}, "character", "/demande/faits"),
        ({"pieces__0__id": "x" * 65}, "bad-value", "/pieces/0/id"),
        ({"inconnu": "x"}, "unaccounted-field", "/inconnu"),
        ({"emetteur__noms": {"texte": "x"}}, "unaccounted-field", "/emetteur/noms/texte"),
        ({"demande__a/b~c": "x"}, "unaccounted-field", "/demande/a~1b~0c"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    changes: dict[str, Any], code: str, path: str
) -> None:
    problems = {(each.code, each.path): each for each in _read(_request(**changes)).problems}

    problem = problems[f"translation.{code}", path]
    assert problem.file == "demande.json"
    assert problem.mend


def test_everything_wrong_is_told_at_once() -> None:
    found = _read(_request(demande__finalite=..., langue=7, fondements__0__instrument="?"))

    assert {each.path for each in found.problems} == {
        "/demande/finalite",
        "/langue",
        "/fondements/0/instrument",
    }
    with pytest.raises(ConnectorError) as refused:
        found.require()
    assert refused.value.kind is Kind.UNACCEPTABLE


def test_what_the_rules_of_the_envelope_find_is_told_in_places_of_the_document() -> None:
    found = _read(_request(demande__mesures__0__motif=..., demande__personnes__2__qualite="AUTRE"))
    values = HeaderValues(message_id="m@x", created_at=WHEN)
    envelope = read_draft(found.envelope, replace=values)

    problems = found.account.locate(check(write_element(envelope)), file="demande.json")

    assert [(each.code[-2:], each.path) for each in problems] == [
        ("18", "/demande/personnes/2"),
        ("25", "/demande/mesures/0"),
    ]
    assert "Envelope/Request/Person[3]" in problems[0].what


def test_an_unknown_field_is_a_warning_unless_it_is_asked_to_be_strict() -> None:
    found = _read(_request(inconnu="x"), LENIENT)

    assert found.problems == ()
    assert [(each.code, each.path) for each in found.warnings if "field" in each.code] == [
        ("translation.unaccounted-field", "/inconnu")
    ]
    (entry,) = found.account.unknown
    assert entry.outcome is Outcome.ANNEXED
    assert "travels in the original document" in entry.reason


def test_clock_changes() -> None:
    twice = _read(_request(priorite__echeance="2026-10-25T02:30:00"))
    winter = _read(_request(priorite__echeance="2026-12-25T02:30:00"))

    assert "came twice" in next(e.what for e in twice.warnings if e.path == "/priorite/echeance")
    text = winter.envelope.findtext("{*}Header/{*}Urgency/{*}Deadline")
    assert text == "2026-12-25T02:30:00+01:00"
    assert not [e for e in winter.warnings if e.path == "/priorite/echeance"]


def test_whole_numbers_however_they_are_written() -> None:
    for written_as in (b"120", b"120.0", b"1.2e2", b"1200E-1"):
        data = REQUEST.replace(b'"peineMaximaleMois": 120', b'"peineMaximaleMois": ' + written_as)
        found = _read(data)
        assert found.problems == ()
        assert found.envelope.findtext("{*}Request/{*}Offence/{*}MaximumMonths") == "120"


@pytest.mark.parametrize("first", ["1", "a b", "_1", "_x31_", "é", "__", "-", "_x110000_", "n°1/2"])
def test_ids_of_any_kind_come_back_and_never_meet(first: str) -> None:
    request = _request()
    for each in (*request["demande"]["personnes"], *request["demande"]["objets"]):
        each["id"] += "x"
    request["demande"]["personnes"][0]["id"] = first
    request["demande"]["personnes"][1]["id"] = "_" + first
    request["demande"]["objets"] = []
    for measure in request["demande"]["mesures"]:
        measure.update(personnes=[first, "_" + first], objets=[])

    found = _read(request)
    ids = [e.text for e in found.envelope.iterfind("{*}Request/{*}Person/{*}Id")][:2]
    document = FORMATS.write(found.envelope, "case-json")

    assert found.problems == ()
    assert len(set(ids)) == 2
    again = json.loads(document.data)["demande"]
    assert [each["id"] for each in again["personnes"][:2]] == [first, "_" + first]
    assert again["mesures"][0]["personnes"] == [first, "_" + first]
