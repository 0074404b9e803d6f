"""`emla translate`: documents in other formats, and what became of every field."""

from __future__ import annotations

import json
import shutil
from base64 import b64decode
from pathlib import Path

import pytest

from connector.envelope import check
from connector.xml import parse
from tests.cli.conftest import Invoke, run, same_as_golden
from tests.examination.documents import Made, attachment


def test_into_an_envelope(made: Made) -> None:
    """The document alone on standard output, all that is said about it on standard error."""
    found = run("translate", made.case_json, "--to", "envelope")
    assert found.status == 0
    assert check(parse(found.out.encode())) == ()
    assert "mapped" in found.err


def test_the_account(registry: Path, minutes: Path) -> None:
    found = run("translate", minutes, "--home", registry, "--to", "envelope")
    assert found.status == 0
    assert parse(found.out.encode()).tag.endswith("Envelope")
    same_as_golden(found.err, "translate.txt", minutes.parent)


def test_out_of_an_envelope(made: Made, tmp_path: Path) -> None:
    target = tmp_path / "pedido.csv"
    found = run("translate", made.envelope, "--to", "register-csv", "-o", target)
    assert (found.status, found.err) == (0, "")
    assert target.read_bytes() == made.register_csv.read_bytes()
    assert f"Written to {target}." in found.out


def test_from_one_national_format_into_another(emla: Invoke, made: Made, tmp_path: Path) -> None:
    target = tmp_path / "demande.json"
    found = emla("translate", made.register_csv, "--to", "case-json", "-o", target, "--json")
    assert found.status == 0
    assert [a["direction"] for a in found.json["accounts"]] == ["in", "out"]
    there, here = json.loads(target.read_text("utf-8")), json.loads(made.case_json.read_text())
    assert there["demande"]["personnes"] == here["demande"]["personnes"]


def test_every_field_is_accounted_for(emla: Invoke, made: Made, tmp_path: Path) -> None:
    account = tmp_path / "account.json"
    found = emla("translate", made.case_json, "--to", "envelope", "--account", account, "--json")
    (told,) = json.loads(account.read_text("utf-8"))
    assert found.json["accounts"] == [told]
    assert sum(told["counts"].values()) == len(told["entries"])
    assert "unaccounted" not in told["counts"]
    dropped = [e for e in told["entries"] if e["outcome"] == "dropped"]
    assert all(e["reason"] for e in dropped)
    assert not any("value" in e for e in told["entries"])


def test_values_only_when_asked_for(emla: Invoke, made: Made) -> None:
    arguments = ["translate", made.case_json, "--to", "envelope", "-o", "/dev/null"]
    assert "Schönfeld" not in emla(*arguments).out
    assert "Schönfeld" in emla(*arguments, "--values").out


def test_json_carries_the_document(emla: Invoke, made: Made) -> None:
    found = emla("translate", made.case_json, "--to", "envelope", "--json")
    assert found.json["encoding"] == "utf-8"
    assert check(parse(found.json["content"].encode())) == ()
    found = emla("translate", made.envelope, "--to", "register-csv", "--json")
    assert found.json["encoding"] == "base64"
    assert b64decode(found.json["content"]) == made.register_csv.read_bytes()
    assert found.json["filename"].endswith(".csv")


def test_attachments_that_lie_beside_the_document(emla: Invoke, made: Made, tmp_path: Path) -> None:
    document = tmp_path / "demande.json"
    shutil.copy(made.case_json, document)
    for name in ("ersuchen.xml", "beschluss.pdf"):
        (tmp_path / name).write_bytes(attachment(name))
    found = emla("translate", document, "--to", "envelope", "--json")
    (left_open,) = found.json["left_open"]
    assert left_open["code"] == "intake.attachment-missing"
    assert "pedido.pdf" in left_open["what"]
    (tmp_path / "beschluss.pdf").write_bytes(b"another file")
    found = emla("translate", document, "--to", "envelope", "--json")
    assert "intake.attachment-differs" in {p["code"] for p in found.json["left_open"]}


def test_a_home_says_who_sends(emla: Invoke, made: Made, tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert emla("init", home, "--country", "DE", "--keys", "none").status == 0
    found = emla("translate", made.case_json, "--to", "envelope", "--home", home, "--json")
    assert found.status == 1
    assert {p["code"] for p in found.json["problems"]} == {"directory.unknown-authority"}
    assert "content" not in found.json


@pytest.mark.parametrize(
    ("file", "options", "status", "code"),
    [
        ("case_json", ["--to", "case-json"], 1, "translate.same-format"),
        ("envelope", ["--to", "envelope"], 1, "translate.same-format"),
        ("container", ["--to", "case-json"], 1, "translate.not-translatable"),
        ("token", ["--to", "case-json"], 1, "translate.not-translatable"),
        ("case_json", ["--to", "no-such"], 2, "translation.no-such-format"),
        ("case_json", ["--to", "envelope", "--from", "no-such"], 2, "translation.no-such-format"),
        (
            "case_json",
            ["--to", "envelope", "--from", "register-csv"],
            1,
            "translation.wrong-encoding",
        ),
        ("case_json", ["--to", "envelope", "-o", "/no/such/place"], 2, "output.cannot-write"),
    ],
)
def test_refused(
    emla: Invoke, made: Made, file: str, options: list[str], status: int, code: str
) -> None:
    found = emla("translate", getattr(made, file), *options, "--json")
    assert (found.status, found.codes[0]) == (status, code)


def test_a_document_that_cannot_be_sent(emla: Invoke, made: Made, tmp_path: Path) -> None:
    document = json.loads(made.case_json.read_text("utf-8"))
    document["priorite"]["niveau"] = "TRES_VITE"
    file, target = tmp_path / "demande.json", tmp_path / "out.xml"
    file.write_text(json.dumps(document), "utf-8")
    found = emla("translate", file, "--to", "envelope", "-o", target)
    assert found.status == 1
    assert not target.exists()
    assert "/priorite/niveau" in found.err
    assert "was not translated" in found.err
    found = emla("translate", file, "--to", "envelope")
    assert (found.status, found.out) == (1, "")
