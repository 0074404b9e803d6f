"""Schematron of official formats: each rule is run as written, or the file is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.errors import ConnectorError, Kind
from connector.translation.official import require_official, validate_official
from connector.xml import parse
from tests.translation.official_files import NOTE, RULE, XSD, with_rules


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "note.xsd").write_text(XSD.format(more=""))
    return tmp_path


SAYS_NO = b'<note xmlns="urn:t" nr="1"><to>2026-11-24</to>\n<text>no</text></note>'


def test_an_assertion_that_does_not_hold(folder: Path) -> None:
    (problem,) = validate_official(parse(SAYS_NO), with_rules(folder, RULE), file="n.xml")

    assert problem.code == "official.rule.T-1"
    assert problem.what == "The text is no in text."
    assert problem.mend == "Write yes."
    assert (problem.file, problem.line, problem.path) == ("n.xml", 2, "note/text")


def test_what_its_author_calls_a_warning_is_no_fault(folder: Path) -> None:
    schemas = with_rules(folder, RULE.replace('id="T-1"', 'id="T-1" role="warning"'))

    found = require_official(parse(SAYS_NO), schemas)

    assert [each.code for each in found] == ["official.hint.T-1"]


CASES: dict[str, tuple[str, list[str]]] = {
    "report": (
        '<sch:pattern><sch:rule context="t:to"><sch:report test="true()" id="R">x</sch:report>'
        "</sch:rule></sch:pattern>",
        ["R"],
    ),
    "the first rule of a pattern that matches": (
        '<sch:pattern><sch:rule context="t:to"><sch:assert test="true()" id="A">x</sch:assert>'
        '</sch:rule><sch:rule context="*"><sch:assert test="false()" id="B">x</sch:assert>'
        "</sch:rule></sch:pattern>",
        ["B"],
    ),
    "patterns are independent": (
        '<sch:pattern><sch:rule context="t:to"><sch:assert test="false()" id="A">x</sch:assert>'
        '</sch:rule></sch:pattern><sch:pattern><sch:rule context="t:to">'
        '<sch:assert test="false()" id="B">x</sch:assert></sch:rule></sch:pattern>',
        ["A", "B"],
    ),
    "variables of schema, pattern and rule": (
        '<sch:let name="s" value="1"/><sch:pattern><sch:let name="p" value="$s + 1"/>'
        '<sch:rule context="t:note"><sch:let name="r" value="$p + @nr"/>'
        '<sch:assert test="$r = 3" id="A">x</sch:assert><sch:assert test="$r = 4" id="B">x'
        "</sch:assert></sch:rule></sch:pattern>",
        ["B"],
    ),
    "abstract patterns with parameters": (
        '<sch:pattern abstract="true" id="p"><sch:rule context="$where"><sch:assert test="$what"'
        ' id="A">x</sch:assert></sch:rule></sch:pattern>'
        '<sch:pattern is-a="p"><sch:param name="where" value="t:to"/>'
        '<sch:param name="what" value="false()"/></sch:pattern>',
        ["A"],
    ),
    "abstract rules": (
        '<sch:pattern><sch:rule abstract="true" id="r"><sch:assert test="false()" id="A">x'
        '</sch:assert></sch:rule><sch:rule context="t:to"><sch:extends rule="r"/></sch:rule>'
        "</sch:pattern>",
        ["A"],
    ),
    "the default phase": (
        '<sch:phase id="one"><sch:active pattern="p1"/></sch:phase>'
        '<sch:pattern id="p1"><sch:rule context="t:to"><sch:assert test="false()" id="A">x'
        '</sch:assert></sch:rule></sch:pattern><sch:pattern id="p2"><sch:rule context="t:to">'
        '<sch:assert test="false()" id="B">x</sch:assert></sch:rule></sch:pattern>',
        ["A"],
    ),
    "attributes as context": (
        '<sch:pattern><sch:rule context="@nr"><sch:assert test=". = 2" id="A">x</sch:assert>'
        "</sch:rule></sch:pattern>",
        ["A"],
    ),
    "XPath 2": (
        '<sch:pattern><sch:rule context="t:to"><sch:assert test="if (xs:date(.) gt '
        'xs:date(\'2027-01-01\')) then true() else false()" id="A">x</sch:assert></sch:rule>'
        "</sch:pattern>",
        ["A"],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_schematron(folder: Path, name: str) -> None:
    rules, expected = CASES[name]
    schemas = with_rules(folder, rules)
    text = (folder / "note.sch").read_text()
    more = ' xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    if "phase" in name:
        more += ' defaultPhase="one"'
    (folder / "note.sch").write_text(
        text.replace(' queryBinding="xslt2"', f'{more} queryBinding="xslt2"')
    )

    found = validate_official(parse(NOTE + b"\n"), schemas)

    assert [each.code.rpartition(".")[2] for each in found] == expected


REFUSED: dict[str, tuple[str, str]] = {
    "an element that is not known": ("<sch:include href='x'/>", "schematron.unsupported"),
    "a rule without context": (
        "<sch:pattern><sch:rule><sch:assert test='1'>x</sch:assert></sch:rule></sch:pattern>",
        "schematron.unsupported",
    ),
    "an assertion without test": (
        "<sch:pattern><sch:rule context='t:to'><sch:assert>x</sch:assert></sch:rule></sch:pattern>",
        "schematron.unsupported",
    ),
    "a rule that extends itself": (
        "<sch:pattern><sch:rule abstract='true' id='r'><sch:extends rule='r'/></sch:rule>"
        "<sch:rule context='t:to'><sch:extends rule='r'/></sch:rule></sch:pattern>",
        "schematron.unsupported",
    ),
    "a pattern that is not there": ("<sch:pattern is-a='p'/>", "schematron.unsupported"),
    "a diagnostic that is not there": (
        "<sch:pattern><sch:rule context='t:to'><sch:assert test='1' diagnostics='d'>x</sch:assert>"
        "</sch:rule></sch:pattern>",
        "schematron.unsupported",
    ),
    "an expression that is none": (
        "<sch:pattern><sch:rule context='t:to'><sch:assert test='1 +'>x</sch:assert></sch:rule>"
        "</sch:pattern>",
        "schematron.expression",
    ),
    "an expression that fails": (
        "<sch:pattern><sch:rule context='t:to'><sch:assert test=\"error()\">x</sch:assert>"
        "</sch:rule></sch:pattern>",
        "schematron.expression",
    ),
    "a file of this machine": (
        "<sch:pattern><sch:rule context='t:to'><sch:assert test=\"doc('file:///etc/fstab') = 1\">x"
        "</sch:assert></sch:rule></sch:pattern>",
        "schematron.expression",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_no_rule_is_skipped(folder: Path, name: str) -> None:
    rules, code = REFUSED[name]

    with pytest.raises(ConnectorError) as refused:
        validate_official(parse(NOTE), with_rules(folder, rules))

    assert refused.value.code == code
    assert refused.value.kind is Kind.CONFIGURATION
    assert str(folder / "note.sch") == refused.value.problems[0].file


@pytest.mark.parametrize("binding", ["xslt", "xquery", "stx"])
def test_another_language_of_rules_is_not_guessed(folder: Path, binding: str) -> None:
    schemas = with_rules(folder, RULE)
    file = folder / "note.sch"
    file.write_text(file.read_text().replace('"xslt2"', f'"{binding}"'))

    with pytest.raises(ConnectorError) as refused:
        validate_official(parse(NOTE), schemas)
    assert refused.value.code == "schematron.unsupported"
    assert "queryBinding" in refused.value.problems[0].what
