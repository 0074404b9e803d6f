"""Official schemas: what departs from them has line and path, incomplete ones are refused."""

from __future__ import annotations

import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from connector.envelope.place import path_of
from connector.errors import ConnectorError, Kind
from connector.translation import load_formats
from connector.translation.official import (
    NOT_CONFIGURED,
    OfficialSchemas,
    faults,
    load_official,
    require_official,
    validate_official,
)
from connector.xml import parse
from tests.reference import reference
from tests.translation.official_files import NOTE, RULE, SCH, XSD, schemas_of, with_rules
from tests.translation.xjustiz import EXAMPLE, MAPPING


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "note.xsd").write_text(XSD.format(more=""))
    return tmp_path


# XJustiz as it is ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def xjustiz() -> OfficialSchemas:
    schemas = load_official(MAPPING / "official.toml", reference("xjustiz"))
    assert schemas is not None
    return schemas


def test_a_real_message_is_diagnosed_in_full(xjustiz: OfficialSchemas) -> None:
    data = reference("xjustiz", "examples", "mietrecht.xml").read_bytes()
    root = parse(data)
    found = validate_official(root, xjustiz, file="mietrecht.xml")

    told = Counter(_kind(each.what) for each in found)
    assert told == {"fixed": 1, "not here": 13, "required": 4, "attribute": 7, "text": 4, "end": 4}
    assert {each.code for each in found} == {"official.not-valid"}
    lines = data.decode().splitlines()
    places = {path_of(e): e for e in root.iter() if isinstance(e.tag, str)}
    for each in found:
        assert each.file == "mietrecht.xml" and each.mend
        assert each.path in places, each
        name = (each.path or "").rpartition("/")[2].partition("[")[0]
        assert f"<{name}" in lines[(each.line or 0) - 1], each
        assert len(each.what) < 400 and "http://www.xjustiz.de}" not in each.what
    wrong = "code may not stand here in telekommunikationsart in the namespace"
    assert any(each.what.startswith(wrong) for each in found)


def _kind(what: str) -> str:
    kinds = {
        "fixed value": "fixed",
        "may not stand here": "not here",
        "which is required": "required",
        "missing required attribute": "attribute",
        "character data": "text",
        "missing at its end": "end",
    }
    return next(kind for words, kind in kinds.items() if words in what)


def test_such_a_message_is_refused_at_intake(xjustiz: OfficialSchemas) -> None:
    formats = load_formats([MAPPING], official={"xjustiz": xjustiz.folder})
    data = reference("xjustiz", "examples", "mietrecht.xml").read_bytes()

    found = formats.read(data, formats.identify(data), filename="mietrecht.xml")

    official = [each for each in found.problems if each.code.startswith("official.")]
    assert len(official) == 33
    assert all(each.line and each.path for each in official)
    with pytest.raises(ConnectorError) as refused:
        found.require()
    assert refused.value.code == "official.not-valid"


def test_rules_that_no_xsd_can_state_are_run(xjustiz: OfficialSchemas) -> None:
    text = EXAMPLE.read_text("utf-8")
    internal = "<justizinterneDaten><nurMetadaten>true</nurMetadaten></justizinterneDaten>"
    data = text.replace(
        "<erstellungszeitpunkt>2026-11-19", internal + "<erstellungszeitpunkt>2026-11-19"
    )

    (broken,) = validate_official(parse(data.encode()), xjustiz)

    assert broken.code == "official.rule.SCH-GDS-0006"
    assert broken.what.startswith("Nachrichtenkopf: Das Nachrichtenkopf-Element")
    assert (broken.path or "").endswith("/nachrichtenkopf") and broken.line == 3


def test_every_rule_file_can_be_run(xjustiz: OfficialSchemas) -> None:
    from connector.translation.schematron_run import broken_rules

    files = sorted(xjustiz.folder.glob("schematron/*.sch"))
    assert len(files) == 18
    for file in files:
        broken_rules(parse(NOTE), file)


def test_every_message_is_held_against_rules_that_are_there(xjustiz: OfficialSchemas) -> None:
    for each in xjustiz.rules:
        for pattern in each.files:
            assert len(list(xjustiz.folder.glob(pattern))) == 1, pattern


def test_what_the_mapping_writes_wrongly_is_its_own_fault(
    tmp_path: Path, xjustiz: OfficialSchemas
) -> None:
    from tests.envelope.samples import sample

    broken = tmp_path / "xjustiz"
    shutil.copytree(MAPPING, broken, ignore=shutil.ignore_patterns("examples"))
    mapping = broken / "mapping.toml"
    text = mapping.read_text("utf-8")
    assert 'aktentyp/{}code", value = "012"' in text
    mapping.write_text(
        text.replace('aktentyp/{}code", value = "012"', 'aktentyp/{}code", value = "12"'), "utf-8"
    )

    document = load_formats([broken], official={"xjustiz": xjustiz.folder}).write(
        sample("response"), "xjustiz"
    )

    (problem,) = document.problems
    assert problem.code == "official.not-valid"
    assert problem.file == document.filename and problem.line
    assert "mapping xjustiz must be corrected" in problem.mend
    assert (problem.path or "").endswith("aktentyp/code")


# XSD ----------------------------------------------------------------------------------------------


def test_a_good_document_has_no_problems(folder: Path) -> None:
    assert validate_official(parse(NOTE), schemas_of(folder)) == ()
    assert require_official(parse(NOTE), schemas_of(folder)) == ()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ('<note xmlns="urn:t" nr="x"><to>2026-11-24</to></note>', ["attribute nr="]),
        ('<note xmlns="urn:t" nr="1">\n<to>never</to></note>', ["'never' in to:"]),
        ('<note xmlns="urn:t" nr="1"/>', ["to is missing at its end"]),
        ('<note xmlns="urn:t" nr="1"><x/><to>2026-11-24</to></note>', ["x may not stand here"]),
        (
            '<note xmlns="urn:t"><to>1</to><to>2026-11-24</to></note>',
            ["missing required attribute 'nr'", "'1' in to", "to may not stand here"],
        ),
    ],
)
def test_each_fault_is_told(folder: Path, document: str, expected: list[str]) -> None:
    found = validate_official(parse(document.encode()), schemas_of(folder), file="n.xml")

    assert {each.code for each in found} == {"official.not-valid"}
    for words in expected:
        assert any(words in each.what for each in found), (words, found)
    assert all(each.file == "n.xml" and each.line and each.path for each in found)
    with pytest.raises(ConnectorError) as refused:
        require_official(parse(document.encode()), schemas_of(folder))
    assert refused.value.kind is Kind.UNACCEPTABLE


def test_a_very_large_document_is_explained_too(folder: Path) -> None:
    many = "<text/>" * 30_000
    root = parse(f'<note xmlns="urn:t" nr="1"><to>2026-11-24</to>{many}</note>'.encode())

    found = validate_official(root, schemas_of(folder))

    assert 0 < len(found) <= 200
    assert all(each.line for each in found)


def test_a_root_that_no_file_declares(folder: Path) -> None:
    (problem,) = validate_official(parse(b'<letter xmlns="urn:t"/>'), schemas_of(folder))

    assert problem.code == "official.root-unknown"
    assert problem.path == "letter"


def test_nobody_said_where_they_are() -> None:
    found = validate_official(parse(NOTE), None, file="n.xml")

    assert [each.code for each in found] == [NOT_CONFIGURED]
    assert faults(found) == ()
    assert require_official(parse(NOTE), None, file="n.xml") == found


def test_threads_do_not_disturb_each_other(folder: Path) -> None:
    schemas = with_rules(folder, RULE)
    wrong = b'<note xmlns="urn:t" nr="x"><to>2026-11-24</to><text>no</text></note>'

    def run(number: int) -> list[str]:
        data = wrong if number % 2 else NOTE
        return [each.code for each in validate_official(parse(data), schemas)]

    with ThreadPoolExecutor(4) as pool:
        results = list(pool.map(run, range(40)))
    assert results[0::2] == [[]] * 20
    assert results[1::2] == [["official.not-valid", "official.rule.T-1"]] * 20


def _include(folder: Path, location: str) -> None:
    more = f'<xs:include schemaLocation="{location}"/>'
    (folder / "note.xsd").write_text(XSD.format(more=more))


@pytest.mark.parametrize(
    "location",
    [
        "missing.xsd",
        "../outside.xsd",
        "http://127.0.0.1:9/x.xsd",
        "file:///etc/passwd",
        "/etc/passwd",
    ],
)
def test_only_files_of_the_folder_are_read(folder: Path, location: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "outside.xsd").write_text(XSD.format(more=""))
    _include(inner, location)

    with pytest.raises(ConnectorError) as refused:
        validate_official(parse(NOTE), schemas_of(inner))

    assert refused.value.code == "official.schema-location"
    assert refused.value.kind is Kind.CONFIGURATION
    assert refused.value.problems[0].line == 2


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    def code(schemas: OfficialSchemas) -> str:
        with pytest.raises(ConnectorError) as refused:
            validate_official(parse(NOTE), schemas)
        assert refused.value.kind is Kind.CONFIGURATION
        return refused.value.code

    assert code(schemas_of(tmp_path / "nowhere")) == "official.folder-missing"
    assert code(schemas_of(tmp_path)) == "official.no-schemas"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    (tmp_path / "a" / "note.xsd").write_text(XSD.format(more="").replace("xs:date", "xs:dat"))
    assert code(schemas_of(tmp_path / "a")) == "official.schema-broken"
    for name in ("one", "two"):
        (tmp_path / "b" / f"{name}.xsd").write_text(XSD.format(more=""))
    assert code(schemas_of(tmp_path / "b")) == "official.schema-ambiguous"


def test_rule_files_that_are_not_there(folder: Path) -> None:
    with pytest.raises(ConnectorError) as refused:
        validate_official(parse(NOTE), schemas_of(folder, "rules_*.sch"))
    assert refused.value.code == "official.rules-missing"

    for version in ("1", "2"):
        (folder / f"more_{version}.sch").write_text(SCH.format(rules=RULE))
    with pytest.raises(ConnectorError) as refused:
        validate_official(parse(NOTE), schemas_of(folder, "more_*.sch"))
    assert refused.value.code == "official.rules-ambiguous"


@pytest.mark.parametrize(
    "text", ["xsd = 1", "", "rules = [{}]\nxsd = []", "xsd = [", "[[rules]]\nroots = 'x'"]
)
def test_a_description_that_says_nothing(tmp_path: Path, text: str) -> None:
    file = tmp_path / "official.toml"
    file.write_text(text)

    with pytest.raises(ConnectorError) as refused:
        load_official(file, tmp_path)
    assert refused.value.code == "official.description"
    assert load_official(file, None) is None
