"""What rules do with values, both ways: defaults, what does not fit, codes."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.translation import Outcome
from tests.translation.small import (
    REFERENCE,
    as_json,
    codes_of,
    outcomes,
    read_small,
    rules,
    small,
    text,
    write_small,
)

# values -------------------------------------------------------------------------------------------


def test_defaults_placeholders_and_constants(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = "a", target = "Header/Language", default = "fr", default_out = "?" }',
            '{ source = "b", target = "Header/SenderReference", placeholder = "none" }',
            '{ source = "version", value = "2", must = true }',
        ),
    )

    found = read_small(formats, {"b": "none", "version": "2"})
    assert text(found, "Header", "Language") == ["fr"]
    assert text(found, "Header", "SenderReference") == []
    assert {o for o, _ in outcomes(found).values()} == {Outcome.MAPPED}
    assert as_json(write_small(formats, "<Request/>")) == {"a": "?", "b": "none", "version": "2"}
    assert codes_of(read_small(formats, {"version": "3"})) == (["other-value"], [])


def test_what_does_not_fit_goes_elsewhere(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        "[texts.plain]\npattern = '[A-Za-z ]*'\nmax_length = 10\n"
        + rules(
            '{ source = "a", target = "Header/SenderReference", fits = "plain", forced = true }',
            '{ source = "exact", target = "Header/SenderReference", rest = true }',
            '{ source = "b", target = "Header/ReceiverReference", fits = "plain" }',
        ),
    )

    fits = write_small(formats, REFERENCE.format("abc"))
    assert as_json(fits) == {"a": "abc"}
    other = write_small(formats, REFERENCE.format("Ж.1"))
    assert as_json(other) == {"a": "???", "exact": "Ж.1"}
    assert codes_of(other) == ([], [])
    long = write_small(formats, REFERENCE.format("a" * 12))
    assert as_json(long) == {"a": "a" * 10, "exact": "a" * 12}
    lost = write_small(
        formats, "<Header><ReceiverReference>12</ReceiverReference></Header><Request/>"
    )
    assert as_json(lost) == ""
    assert codes_of(lost) == ([], ["does-not-fit"])
    assert outcomes(lost)["Envelope/Header/ReceiverReference"][0] is Outcome.ANNEXED
    # read, the field and what is exact say two things: the first counts, the other is told
    found = read_small(formats, {"a": "???", "exact": "Ж.1"})
    assert codes_of(found) == ([], ["second-value"])


def test_written_also_where_others_look(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = "exact", target = "Header/SenderReference" }',
            '{ source = "short", target = "Header/SenderReference", also = true }',
        ),
    )

    document = write_small(formats, REFERENCE.format("1"))
    assert as_json(document) == {"exact": "1", "short": "1"}
    only = small(
        tmp_path,
        rules('{ source = "short", target = "Header/SenderReference", also = true }'),
    )
    assert codes_of(write_small(only, REFERENCE.format("1"))) == ([], ["unaccounted-field"])


def test_all_or_nothing_of_a_list(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        """
[texts.plain]
pattern = "[a-z]*"
[[group]]
id = "plain"
source = "short[]"
target = "Header/Attachment[]"
unless_source = "/full[]"
rules = [{ source = "n", target = "Name", fits = "plain" }]
[[group]]
id = "full"
rest_target = "Header/Attachment[]"
[[group.groups]]
id = "each"
source = "full[]"
target = "Header/Attachment[]"
rules = [{ source = "n", target = "Name" }]
""",
    )

    def body(*names: str) -> str:
        each = "".join(f"<Attachment><Name>{name}</Name></Attachment>" for name in names)
        return f"<Header>{each}</Header><Request/>"

    assert as_json(write_small(formats, body("a", "b"))) == {"short": [{"n": "a"}, {"n": "b"}]}
    mixed = write_small(formats, body("a", "Ж", "b"))
    assert as_json(mixed)["full"] == [{"n": "a"}, {"n": "Ж"}, {"n": "b"}]
    found = read_small(formats, as_json(mixed))
    assert text(found, "Header", "Attachment", "Name") == ["a", "Ж", "b"]


def test_uuids_stand_for_other_ids(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules('{ source = "id", target = "Header/MessageId", uuid = true }'),
    )

    def written(message_id: str) -> str:
        head = f"<Header><MessageId>{message_id}</MessageId></Header>"
        return str(as_json(write_small(formats, f"{head}<Request/>"))["id"])

    known = "5d0c2f4e-7f0a-4f57-8a3e-0b6d3a6f2c01"
    assert written(known) == written(f"{known}@de.example") == known
    assert written("m1@de.example") == written("m1@de.example") != written("m2@de.example")
    assert len(written("m1@de.example")) == 36
    assert written(f"{known}0") != known


# code lists ---------------------------------------------------------------------------------------

LISTS = {
    "levels": """
fallback = "urgent"
entries = [
  { code = "E", target = "urgent" },
  { code = "EE", target = "emergency" },
  { code = "X", target = "urgent", direction = "in", equivalence = "wider", note = "Old." },
  { code = "N", target = "ordinary" },
  { code = "R", target = "ordinary", equivalence = "narrower" },
]""",
    "several": """
several = "refuse"
entries = [
  { code = "A", target = "urgent" },
  { code = "A", target = "emergency" },
  { code = "B", target = "ordinary", equivalence = "wider" },
  { code = "B", target = "urgent", equivalence = "equal", direction = "in" },
]""",
    "lenient": 'unknown = "annex"\nentries = [{ code = "E", target = "urgent" }]',
}


@pytest.mark.parametrize(
    ("name", "code", "level", "problems", "warnings"),
    [
        ("levels", "E", ["urgent"], [], []),
        ("levels", "X", ["urgent"], [], ["inexact"]),
        ("levels", "?", ["urgent"], [], ["inexact"]),
        ("levels", "R", ["ordinary"], [], ["inexact"]),
        ("several", "A", [], ["ambiguous-code"], []),
        ("several", "B", ["urgent"], [], []),  # the best fit
        ("several", "C", [], ["unknown-code"], []),
        ("lenient", "C", [], [], ["unknown-code"]),
    ],
)
def test_codes_read(
    tmp_path: Path, name: str, code: str, level: list[str], problems: list[str], warnings: list[str]
) -> None:
    rule = f'{{ source = "p", target = "Header/Urgency/Level", codes = "{name}" }}'
    found = read_small(small(tmp_path, rules(rule), codes=LISTS), {"p": code})

    assert text(found, "Header", "Urgency", "Level") == level
    assert codes_of(found) == (problems, warnings)
    outcome = outcomes(found)["/p"][0]
    assert (outcome is Outcome.REFUSED) == bool(problems)
    assert (outcome is Outcome.ANNEXED) == (name == "lenient")


def test_codes_written(tmp_path: Path) -> None:
    rule = '{ source = "p", target = "Header/Urgency/Level", codes = "levels" }'
    formats = small(tmp_path, rules(rule), codes=LISTS)

    def written(level: str) -> object:
        urgency = f"<Header><Urgency><Level>{level}</Level></Urgency></Header><Request/>"
        return as_json(write_small(formats, urgency)).get("p")

    assert [written(level) for level in ("urgent", "emergency", "ordinary")] == ["E", "EE", "N"]


def test_a_list_named_beside_the_code(tmp_path: Path) -> None:
    rule = (
        '{ source = "m:p/m:code", target = "Header/Urgency/Level", codes = "levels", '
        'write_also = { "@list" = ["2", "1"], "@any" = ["x", "*"] } }'
    )
    formats = small(tmp_path, rules(rule), codes=LISTS, kind="xml")

    def found(attributes: str) -> tuple[list[str], list[str]]:
        data = f'<m:doc xmlns:m="urn:m"><m:p {attributes}><m:code>E</m:code></m:p></m:doc>'
        return codes_of(read_small(formats, data.encode()))

    assert found('list="2" any="7"') == found('list="1"') == found("") == ([], [])
    assert found('list="3"') == ([], ["other-list"])
    urgency = "<Header><Urgency><Level>urgent</Level></Urgency></Header><Request/>"
    assert b'<m:p list="2" any="x">' in write_small(formats, urgency).data
