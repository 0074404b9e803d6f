"""What rules and groups do, both ways: conditions, repeats, several fields for one value."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.translation.small import (
    REFERENCE,
    as_json,
    codes_of,
    read_small,
    rules,
    small,
    text,
    write_small,
)

# conditions ---------------------------------------------------------------------------------------


def test_a_rule_applies_where_its_condition_holds(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = "a", target = "Header/SenderReference", if_source = ".[kind=\'x\']" }',
            '{ source = "a", target = "Header/ReceiverReference", '
            "unless_source = \".[kind='x']\" }",
        ),
    )

    assert text(read_small(formats, {"kind": "x", "a": "1"}), "Header", "SenderReference") == ["1"]
    other = read_small(formats, {"kind": "y", "a": "1"})
    assert text(other, "Header", "SenderReference") == []
    assert text(other, "Header", "ReceiverReference") == ["1"]


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        ("kind", True),
        ("none", False),
        (".[kind]", True),
        (".[!kind]", False),
        (".[!none]", True),
        (".[kind='x']", True),
        (".[kind='y'|'x']", True),
        (".[kind!='x']", False),
        (".[kind!='y'|'z']", True),
        (".[none!='x']", True),
        (".[kind={same}]", True),
        (".[kind={other}]", False),
        (".[kind!={other}]", True),
        (".[kind={none}]", False),
        (".[kind={/same}]", True),
        (".[kind:='nonsense']", True),
        ("in/deep", True),
        (".[in/deep='d']", True),
        (".[in/deep='e']", False),
        ("list[][.='b']", True),
        ("list[][.='c']", False),
        ("/list[]", True),
    ],
)
def test_conditions(tmp_path: Path, condition: str, holds: bool) -> None:
    rule = f'{{ source = "a", target = "Header/SenderReference", if_source = "{condition}" }}'
    formats = small(tmp_path, rules(rule))
    document = {
        "kind": "x",
        "same": "x",
        "other": "y",
        "in": {"deep": "d"},
        "list": ["a", "b"],
        "a": "1",
    }

    found = read_small(formats, document)

    assert text(found, "Header", "SenderReference") == (["1"] if holds else [])


def test_one_of_several_fields_is_enough(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        '[[group]]\nid = "g"\nsource = "m:p[][m:role/m:nr=\'2\']"\ntarget = "Request/Person[]"\n'
        'rules = [{ source = "m:id", target = "Id" }]',
        kind="xml",
    )
    data = b"""<m:doc xmlns:m="urn:m">
      <m:p><m:role><m:nr>1</m:nr></m:role><m:role><m:nr>2</m:nr></m:role><m:id>a</m:id></m:p>
      <m:p><m:role><m:nr>3</m:nr></m:role><m:id>b</m:id></m:p></m:doc>"""

    assert text(read_small(formats, data), "Request", "Person", "Id") == ["a"]


def test_a_group_for_some_message_types(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        '[[group]]\nid = "g"\nmessages = ["Response"]\n'
        'rules = [{ source = "a", target = "Header/SenderReference" }]',
        messages='Request = { match = { t = "q" } }\nResponse = { match = { t = "r" } }',
    )

    assert text(read_small(formats, {"t": "r", "a": "1"}), "Header", "SenderReference") == ["1"]
    assert text(read_small(formats, {"t": "q", "a": "1"}), "Header", "SenderReference") == []


# repeats ------------------------------------------------------------------------------------------

_PERSONS = """
[[group]]
id = "person"
source = "people[]"
target = "Request/Person[]"
rules = [{ source = "id", target = "Id" }, { target = "Id", generate = "p{}" }]
[[group.groups]]
id = "name"
source = "names[]"
target = "NaturalPerson/Name[]"
rules = [{ source = "text", target = "FullName" }]
"""


def test_groups_in_groups_keep_order_and_what_belongs_together(tmp_path: Path) -> None:
    formats = small(tmp_path, _PERSONS)
    document = {
        "people": [
            {"id": "x", "names": [{"text": "A"}, {"text": "B"}]},
            {"names": [{"text": "C"}]},
        ]
    }

    found = read_small(formats, document)

    people = found.envelope.findall("{*}Request/{*}Person")
    assert [p.findtext("{*}Id") for p in people] == ["x", "p2"]
    assert [[n.text for n in p.iter("{*}FullName")] for p in people] == [["A", "B"], ["C"]]
    inner = "".join(
        f"<Person><Id>{i}</Id><NaturalPerson>"
        + "".join(f"<Name><FullName>{n}</FullName></Name>" for n in names)
        + "</NaturalPerson></Person>"
        for i, names in (("x", "AB"), ("y", "C"))
    )
    written = as_json(write_small(formats, f"<Request>{inner}</Request>"))
    assert written["people"][0] == document["people"][0]
    assert written["people"][1] == {"id": "y", "names": [{"text": "C"}]}


def test_a_list_of_values(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules('{ source = "l[]", target = "Header/Confidentiality/NotToBeTold[]" }'),
    )

    found = read_small(formats, {"l": ["a", "b", "a"]})

    assert text(found, "Header", "Confidentiality", "NotToBeTold") == ["a", "b", "a"]


def test_a_list_in_one_field(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = "l", target = "Header/Confidentiality/NotToBeTold[]", separator = "; " }'
        ),
    )

    found = read_small(formats, {"l": "a; b;c"})
    assert text(found, "Header", "Confidentiality", "NotToBeTold") == ["a", "b", "c"]
    told = "".join(f"<NotToBeTold>{each}</NotToBeTold>" for each in ("a", "b"))
    body = f"<Header><Confidentiality>{told}</Confidentiality></Header><Request/>"
    assert as_json(write_small(formats, body)) == {"l": "a; b"}
    bad = body.replace(">a<", ">a;c<")
    assert codes_of(write_small(formats, bad)) == ([], ["not-reversible"])


def test_at_any_depth(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        '[[group]]\nid = "g"\nsource = "m:a/**/m:f[]"\ntarget = "Header/Attachment[]"\n'
        'direction = "in"\nrules = [{ source = "@n", target = "Name" }]',
        kind="xml",
    )
    data = b"""<m:doc xmlns:m="urn:m"><m:a><m:f n="1"><m:f n="2"/></m:f><m:b><m:c><m:f n="3"/></m:c>
      <m:f n="4"/></m:b><m:f n="5"/></m:a><m:f n="6"/></m:doc>"""

    found = read_small(formats, data)

    assert text(found, "Header", "Attachment", "Name") == ["1", "2", "3", "4", "5"]
    assert codes_of(found) == ([], ["unaccounted-field"])


def test_what_an_earlier_group_has_taken(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        """
[[group]]
id = "first"
source = "m:d[]/m:f"
target = "Header/Attachment[]"
direction = "in"
rules = [{ source = "@n", target = "Name" }, { target = "Role", value = "original" }]
[[group]]
id = "others"
source = "m:d[]/m:f[]"
target = "Header/Attachment[]"
direction = "in"
remaining = true
rules = [{ source = "@n", target = "Name" }, { target = "Role", value = "annex" }]
""",
        kind="xml",
    )
    data = (
        b'<m:doc xmlns:m="urn:m"><m:d><m:f n="1"/><m:f n="2"/></m:d><m:d><m:f n="3"/></m:d></m:doc>'
    )

    found = read_small(formats, data)

    assert text(found, "Header", "Attachment", "Name") == ["1", "2", "3"]
    assert text(found, "Header", "Attachment", "Role") == ["original", "annex", "original"]


def test_a_part_found_by_the_number_of_another(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        """
[[group]]
id = "p"
source = "m:p[]"
target = "Request/Person[]"
rules = [{ source = "m:nr", target = "Id", local_id = true }]
[[group.groups]]
id = "more"
source = "/m:more[m:of={m:nr}]"
rules = [{ source = "m:where", target = "Location" }]
""",
        kind="xml",
        strict=True,
    )
    data = b"""<m:doc xmlns:m="urn:m"><m:p><m:nr>1</m:nr></m:p><m:p><m:nr>2</m:nr></m:p>
      <m:more><m:of>2</m:of><m:where>Lyon</m:where></m:more></m:doc>"""

    found = read_small(formats, data)
    assert found.problems == ()
    assert [p.findtext("{*}Location") for p in found.envelope.iter("{*}Person")] == [None, "Lyon"]

    inner = "<Person><Id>_1</Id></Person><Person><Id>_2</Id><Location>Lyon</Location></Person>"
    document = write_small(formats, f"<Request>{inner}</Request>")
    assert read_small(formats, document.data).account.counts == {"mapped": 4}
    assert document.data.count(b"m:of>2<") == 1 and b"m:of>1<" not in document.data


# one value from several, several from one ---------------------------------------------------------


def test_join_and_split(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = ["nr", "year"], join = "{}/{}", target = "Header/SenderReference" }',
            '{ source = "name", split = "{}, {}", '
            'target = ["Request/Signatory/Name", "Request/Signatory/Place"] }',
        ),
    )

    found = read_small(formats, {"nr": "12", "year": "26", "name": "Groß, Bonn"})
    assert text(found, "Header", "SenderReference") == ["12/26"]
    assert text(found, "Request", "Signatory", "Place") == ["Bonn"]
    body = "<Request><Signatory><Name>Groß</Name><Place>Bonn</Place></Signatory></Request>"
    document = write_small(
        formats, f"<Header><SenderReference>12/26</SenderReference></Header>{body}"
    )
    assert as_json(document) == {"nr": "12", "year": "26", "name": "Groß, Bonn"}


def test_parts_that_are_missing_go_with_what_stands_before_them(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = ["nr", "year"], join = "{}/{}", '
            'target = "Header/SenderReference", required = true }',
        ),
    )

    assert text(read_small(formats, {"nr": "12"}), "Header", "SenderReference") == ["12"]
    assert text(read_small(formats, {"year": "26"}), "Header", "SenderReference") == ["26"]
    assert codes_of(read_small(formats, {})) == (["missing-field"], [])
    document = write_small(formats, REFERENCE.format("12-26"))
    assert as_json(document) == {"nr": "12-26"}
    assert codes_of(document) == ([], ["inexact"])
