"""What is said of every field, and telling messages apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import ConnectorError
from connector.translation import MessageName, Outcome
from tests.translation.small import codes_of, outcomes, read_small, rules, small, write_small

# accounting ---------------------------------------------------------------------------------------


def test_fields_that_no_rule_knows(tmp_path: Path) -> None:
    one = rules('{ source = "a", target = "Header/SenderReference" }')
    document = {"a": "1", "b": {"c": ["2", ""]}}

    lenient = read_small(small(tmp_path, one), document)
    assert codes_of(lenient) == ([], ["unaccounted-field"])
    assert outcomes(lenient)["/b/c/0"] == (Outcome.ANNEXED, "")
    assert outcomes(lenient)["/b/c/1"] == (Outcome.DROPPED, "")
    assert [e.origin for e in lenient.account.unknown] == ["/b/c/0"]
    strict = read_small(small(tmp_path, one, strict=True), document)
    assert codes_of(strict) == (["unaccounted-field"], [])
    assert outcomes(strict)["/b/c/0"] == (Outcome.UNACCOUNTED, "")
    out = write_small(small(tmp_path, one), "<Header><Language>de</Language></Header><Request/>")
    assert codes_of(out) == ([], ["unaccounted-field"])


def test_reasons(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules(
            '{ source = "m:a", target = "Header/SenderReference" }',
            '{ source = "m:b/**", annex = "Stays." }',
            '{ source = "m:c/*/m:d", drop = "Goes." }',
            '{ source = "m:e[m:k=\'1\']/m:v", drop = "By its key." }',
        )
        + '[[group]]\nid = "left"\nsource = "m:f[][@own!=\'1\']"\nannex = "Of others."\n',
        kind="xml",
    )
    data = b"""<m:doc xmlns:m="urn:m"><m:b>1<m:x y="2"/></m:b><m:c><m:z><m:d>3</m:d></m:z></m:c>
      <m:e><m:k>1</m:k><m:v>4</m:v></m:e><m:e><m:k>k</m:k><m:v>5</m:v></m:e>
      <m:f><m:g>6</m:g></m:f><m:f own="1"><m:g>7</m:g></m:f></m:doc>"""

    found = read_small(formats, data)

    by_value = {e.value: (e.outcome, e.reason) for e in found.account.entries}
    unknown = "No rule knows this field; it travels in the original document."
    assert by_value["2"] == (Outcome.ANNEXED, "Stays.")
    assert by_value["3"] == (Outcome.DROPPED, "Goes.")
    assert by_value["4"] == (Outcome.DROPPED, "By its key.")
    assert by_value["5"] == by_value["7"] == (Outcome.ANNEXED, unknown)
    assert by_value["6"] == (Outcome.ANNEXED, "Of others.")


def test_what_came_to_nothing_is_not_called_mapped(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        '[[group]]\nid = "t"\nsource = "m:t[][m:art=\'tel\']"\n'
        'target = "Request/ContactPoint[]"\nrules = [{ source = "m:nr", target = "Telephone" }]',
        kind="xml",
    )
    data = b'<m:doc xmlns:m="urn:m"><m:t><m:art>tel</m:art><m:nr> </m:nr></m:t></m:doc>'

    found = read_small(formats, data)

    assert found.envelope.find(".//{*}ContactPoint") is None
    assert found.account.counts == {"dropped": 2}


def test_a_mandatory_field(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        '[[group]]\nid = "p"\nsource = "p[]"\ntarget = "Request/Person[]"\nrequired = true\n'
        'mend = "Name somebody."\n'
        'rules = [{ source = "id", target = "Id", required = true, mend = "Number them." }]',
    )

    (problem,) = read_small(formats, {}).problems
    assert (problem.mend, problem.path) == ("Name somebody.", "/p")
    (problem,) = read_small(formats, {"p": [{"id": "a"}, {"id": ""}]}).problems
    assert (problem.mend, problem.path) == ("Number them.", "/p/1/id")
    assert problem.file == "small.doc"


# telling messages apart ---------------------------------------------------------------------------


def test_a_message_type_where_nothing_tells_one(tmp_path: Path) -> None:
    formats = small(
        tmp_path,
        rules('{ source = "a", target = "Header/SenderReference" }'),
        messages='Response = { match = { t = "r" } }\n'
        'Request = { match = { t = "q" }, otherwise = true }',
    )

    assert read_small(formats, {"a": "1"}).message is MessageName.REQUEST
    assert read_small(formats, {"t": "q"}).message is MessageName.REQUEST
    assert read_small(formats, {"t": "r"}).message is MessageName.RESPONSE
    with pytest.raises(ConnectorError) as refused:
        read_small(formats, {"t": "x"})
    assert refused.value.code == "translation.unknown-message-type"
