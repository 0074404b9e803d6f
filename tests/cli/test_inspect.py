"""`emla inspect`: trees of every kind of document; and the lists of formats and authorities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Invoke, run, same_as_golden
from tests.examination.documents import Made


@pytest.mark.parametrize("name", ["container", "evidence"])
def test_trees(made: Made, name: str) -> None:
    found = run("inspect", getattr(made, name))
    assert (found.status, found.err) == (0, "")
    same_as_golden(found.out, f"inspect-{name}.txt", made.folder)


def test_a_national_document(registry: Path, minutes: Path) -> None:
    found = run("inspect", minutes, "--home", registry)
    assert (found.status, found.err) == (0, "")
    same_as_golden(found.out, "inspect-minutes.txt", minutes.parent)


def item(tree: Any, *labels: str) -> Any:
    for label in labels:
        tree = next(each for each in tree["items"] if each["label"] == label)
    return tree


def test_json(emla: Invoke, made: Made) -> None:
    tree = emla("inspect", made.envelope, "--json").json
    assert tree["value"] == "e-MLA envelope"
    assert item(tree, "message")["value"].startswith("Request ")
    assert item(tree, "content", "Header", "Language")["value"] == "en"
    assert item(tree, "content", "Signature", "signer")["value"] == "CN=Connector DE,C=DE"
    tree = emla("inspect", made.container, "--json").json
    names = [each["label"] for each in item(tree, "content", "SignedContent.zip")["items"]]
    assert names[0] == "envelope.xml"
    assert "TrustOkToken.pdf" in names
    tree = emla("inspect", made.token, "--json").json
    assert item(tree, "issuer")["value"] == "Ministry of Justice (DE)"
    tree = emla("inspect", made.register_csv, "--json").json
    assert item(tree, "content")["items"][0]["line"] == 1
    tree = emla("inspect", made.token_pdf, "--json").json
    assert item(tree, "signatures")["value"] == "1"


def test_depth(emla: Invoke, made: Made) -> None:
    whole = emla("inspect", made.envelope).out.splitlines()
    short = emla("inspect", made.envelope, "--depth", "2").out.splitlines()
    assert len(short) < len(whole) / 5
    assert any("inside" in line for line in short)


def test_it_does_not_care_whether_a_signature_holds(
    emla: Invoke, made: Made, tmp_path: Any
) -> None:
    file = tmp_path / "altered.xml"
    file.write_bytes(made.envelope.read_bytes().replace(b"<Country>BR<", b"<Country>FR<", 1))
    assert emla("inspect", file).status == 0


def test_formats(emla: Invoke) -> None:
    found = emla("formats", "--json")
    by_name = {each["name"]: each for each in found.json["formats"]}
    assert by_name["case-json"]["country"] == "FR"
    assert "Request" in by_name["register-csv"]["messages"]
    assert "register-csv" in emla("formats").out


def test_directory(emla: Invoke) -> None:
    found = emla("directory", "--country", "br", "--json")
    assert [a["identifier"] for a in found.json["authorities"]] == ["urn:emla:authority:br:drci"]
    text = emla("directory")
    assert "connector-de" in text.out
    assert "examples that emla ships" in text.out
