"""`emla validate`: findings with their places, for every kind of document."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from connector.evidence.types import Profile
from tests.cli.conftest import Invoke, run, same_as_golden
from tests.examination.documents import Made, ecodex_token, evidence_bytes
from tests.reference import reference

BROKEN_RULE = "envelope.rule.EMLA-R-15"


def test_a_whole_message(made: Made) -> None:
    found = run("validate", made.message)
    assert (found.status, found.err) == (0, "")
    same_as_golden(found.out, "validate.txt", made.folder)


def test_a_document_that_is_answered(registry: Path, minutes: Path) -> None:
    found = run("validate", minutes, "--home", registry)
    assert (found.status, found.err) == (0, "")
    same_as_golden(found.out, "validate-minutes.txt", minutes.parent)


def test_what_each_file_is(emla: Invoke, made: Made) -> None:
    found = emla("validate", made.message, made.register_csv, "--json")
    kinds = {Path(d["file"]).name: d["kind"] for d in found.json["documents"]}
    assert kinds == {
        "SUBMISSION_ACCEPTANCE.xml": "evidence",
        "Token.xml": "token",
        "envelope.xml": "envelope",
        "message.asics": "container",
        "pedido.csv": "national",
    }


def test_a_name_does_not_count(emla: Invoke, made: Made, tmp_path: Path) -> None:
    for index, file in enumerate((made.envelope, made.container, made.evidence, made.case_json)):
        copy = tmp_path / f"{index}.dat"
        copy.write_bytes(file.read_bytes())
        as_json = emla("validate", copy, "--json").json["documents"][0]
        assert as_json["kind"] == emla("validate", file, "--json").json["documents"][0]["kind"]


def altered(made: Made, tmp_path: Path, old: str, new: str) -> Path:
    text = made.unsigned.read_text("utf-8")
    assert old in text
    file = tmp_path / "envelope.xml"
    file.write_text(text.replace(old, new, 1), "utf-8")
    return file


def test_schema_and_rules_of_an_envelope(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = altered(made, tmp_path, "<Country>DE</Country>", "<Country>Germany</Country>")
    found = emla("validate", file, "--json")
    problem = found.json["documents"][0]["problems"][0]
    assert (found.status, problem["code"]) == (1, "envelope.schema")
    assert problem["path"] == "Envelope/Header/SendingAuthority/Country"
    assert problem["line"] == 2
    file = altered(made, tmp_path, "<AttachmentRef>translation1<", "<AttachmentRef>order1<")
    found = emla("validate", file, "--json")
    assert found.status == 1
    assert [p["code"] for p in found.json["documents"][0]["problems"]] == [BROKEN_RULE]


def test_findings_can_be_found_by_editors(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = altered(made, tmp_path, "<Country>DE</Country>", "<Country>Germany</Country>")
    found = emla("validate", file)
    assert f"{file}:2: error: " in found.out
    assert "at Envelope/Header/SendingAuthority/Country" in found.out
    assert found.err == ""


def test_a_national_document(emla: Invoke, made: Made, tmp_path: Path) -> None:
    lines = made.register_csv.read_bytes().split(b"\r\n")
    wrong = tmp_path / "wrong.csv"
    wrong.write_bytes(b"\r\n".join(line.replace(b";BR;", b";;") for line in lines))
    found = emla("validate", wrong, "--json")
    assert found.status == 1
    problem = found.json["documents"][0]["problems"][0]
    assert problem["file"] == str(wrong)
    assert problem["line"] > 1
    assert problem["path"]


def test_both_spellings_of_evidences_and_tokens(emla: Invoke, made: Made, tmp_path: Path) -> None:
    document = made.envelope.read_bytes()
    evidence, token = tmp_path / "evidence.xml", tmp_path / "token.xml"
    evidence.write_bytes(evidence_bytes(document, made.key, Profile.ECODEX))
    token.write_bytes(ecodex_token(document, made.key))
    found = emla("validate", evidence, token, "--json")
    assert found.status == 0
    codes = [{w["code"] for w in d["warnings"]} for d in found.json["documents"]]
    assert "evidence.event-code-spelling" in codes[0]
    assert "token.digest-encoded-twice" in codes[1]
    assert emla("validate", evidence, token, "--strict").status == 1


def test_an_evidence_without_what_it_must_say(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "evidence.xml"
    text = made.evidence.read_text("utf-8")
    start, end = text.index("<EventTime"), text.index("</EventTime>")
    file.write_text(text[:start] + text[end + len("</EventTime>") :], "utf-8")
    found = emla("validate", file, "--json")
    assert found.status == 1
    assert found.json["documents"][0]["problems"][0]["code"] == "evidence.element-missing"


def test_a_container_whose_envelope_lists_other_files(
    emla: Invoke, made: Made, tmp_path: Path
) -> None:
    other = tmp_path / "other.asics"
    from connector.container.asic import seal
    from tests.examination.documents import NOW, documents

    with other.open("wb") as target:
        seal(target, documents(made.envelope.read_bytes())[:-1], made.key, NOW)
    found = emla("validate", other, "--json")
    codes = {p["code"] for p in found.json["documents"][0]["problems"]}
    assert (found.status, codes) == (1, {"container.attachment-missing"})


def test_a_plain_zip_is_no_container(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "plain.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.write(made.unsigned, "envelope.xml")
    found = emla("validate", file, "--json")
    assert found.status == 1
    assert found.json["documents"][0]["problems"][0]["code"] == "container.unsigned-entry"


def test_nothing_that_is_known(emla: Invoke, tmp_path: Path) -> None:
    for name, content, code in (
        ("text.txt", b"Sehr geehrte Damen und Herren", "document.unknown"),
        ("empty.xml", b"", "document.empty"),
        ("other.xml", b"<other/>", "document.unknown"),
        ("broken.xml", b"<Envelope>", "xml.malformed"),
        ("broken.json", b'{"a": ', "translation.malformed"),
        ("letter.pdf", b"%PDF-1.7\n", "document.no-rules"),
    ):
        file = tmp_path / name
        file.write_bytes(content)
        found = emla("validate", file, "--json")
        problem = found.json["documents"][0]["problems"][0]
        assert (found.status, problem["code"], problem["file"]) == (1, code, str(file)), name


def test_folders_may_hold_other_things(emla: Invoke, made: Made, tmp_path: Path) -> None:
    (tmp_path / "sub" / ".hidden").mkdir(parents=True)
    (tmp_path / "sub" / "envelope.xml").write_bytes(made.envelope.read_bytes())
    (tmp_path / "sub" / ".hidden" / "broken.xml").write_bytes(b"<")
    (tmp_path / "readme.txt").write_text("hello")
    (tmp_path / "letter.pdf").write_bytes(b"%PDF-1.7\n")
    found = emla("validate", tmp_path, "--json")
    assert found.status == 0
    assert [Path(d["file"]).name for d in found.json["documents"]] == ["envelope.xml"]
    assert {Path(s).name for s in found.json["skipped"]} == {"readme.txt", "letter.pdf"}
    (tmp_path / "broken.xml").write_bytes(b"<Envelope>")
    assert emla("validate", tmp_path).status == 1
    (tmp_path / "nothing").mkdir()
    assert emla("validate", tmp_path / "nothing", "--json").codes == ["document.missing"]


def test_quiet(emla: Invoke, made: Made) -> None:
    assert emla("validate", made.envelope, "--quiet").out == ""
    assert "envelope.xml" in emla("validate", made.envelope).out


@pytest.fixture
def xjustiz() -> str:
    return f"xjustiz={reference('xjustiz')}"


def test_official_schemas(emla: Invoke, xjustiz: str) -> None:
    """The example claims to be XJustiz and breaks the schema in several places."""
    file = reference("xjustiz", "examples", "mietrecht.xml")
    found = emla("validate", file, "--official", xjustiz, "--json")
    document = found.json["documents"][0]
    assert found.status == 1
    assert document["kind"] == "national"
    assert any(p["code"].startswith("official.") for p in document["problems"])
    assert all(p.get("line") for p in document["problems"])


def test_a_real_message_of_ecodex(emla: Invoke) -> None:
    folder = reference("ecodex-connector", "message")
    found = emla("validate", folder, "--json")
    by_name = {Path(d["file"]).name: d for d in found.json["documents"]}
    assert found.status == 0
    warned = {w["code"] for w in by_name["SUBMISSION_ACCEPTANCE.xml"]["warnings"]}
    assert {
        "evidence.event-code-spelling",
        "evidence.not-schema-valid.message-subject-missing",
    } <= warned
    container = by_name["container-signed-xades-baseline-b.asics"]
    assert "container.mimetype-not-first" in {w["code"] for w in container["warnings"]}
