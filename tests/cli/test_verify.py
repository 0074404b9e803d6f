"""`emla verify`: who signed, and whether it counts, for every kind of document and every fault."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from connector.container.asic import seal
from connector.container.token_pdf import token_pdf
from connector.signature import xades
from connector.xml import parse
from tests.cli.conftest import Invoke, run, same_as_golden
from tests.examination.documents import (
    AT,
    NOW,
    Made,
    documents,
    evidence_bytes,
    pdf_signer,
    token_of,
)
from tests.reference import reference


def trusted(made: Made) -> list[str]:
    return ["--trust", str(made.trust), "--at", AT]


def only(found: Any) -> Any:
    """The one document of a JSON answer."""
    (document,) = found.json["documents"]
    return document


def test_a_whole_message(made: Made) -> None:
    found = run("verify", made.message, *trusted(made))
    assert (found.status, found.err) == (0, "")
    same_as_golden(found.out, "verify.txt", made.folder)


def test_what_the_json_says(emla: Invoke, made: Made) -> None:
    found = emla("verify", made.envelope, *trusted(made), "--json")
    document = only(found)
    (signature,) = document["signatures"]
    assert found.json["ok"] is True
    assert (document["kind"], document["verdict"]) == ("envelope", "valid")
    assert signature["signer"]["subject"] == "CN=Connector DE,C=DE"
    assert signature["signer"]["issuer"] == "CN=CA DE,C=DE"
    assert signature["path"] == ["CN=CA DE,C=DE", "CN=Root"]
    assert signature["algorithm"] == "ECDSA with SHA-256"
    assert signature["signing_time"] == NOW.isoformat()
    assert signature["covers"] == ["the whole document"]


@pytest.mark.parametrize("name", ["envelope", "container", "token", "token_pdf", "evidence"])
def test_without_trust_a_signature_is_intact_at_best(emla: Invoke, made: Made, name: str) -> None:
    file: Path = getattr(made, name)
    found = emla("verify", file, "--at", AT, "--json")
    document = only(found)
    assert (found.status, document["verdict"]) == (1, "intact")
    assert document["signatures"][0]["signer"]["subject"] == "CN=Connector DE,C=DE"
    codes = [p["code"] for p in document["signatures"][0]["problems"]]
    assert codes == ["certificate.unknown-issuer"]
    text = emla("verify", file, "--at", AT)
    assert "signature intact, but it does not count" in text.out
    assert "Nobody is trusted here" in text.out


@pytest.mark.parametrize("name", ["envelope", "container", "token", "token_pdf", "evidence"])
def test_an_expired_certificate(emla: Invoke, made: Made, name: str) -> None:
    found = emla(
        "verify", getattr(made, name), "--trust", made.trust, "--at", "2030-01-01", "--json"
    )
    document = only(found)
    assert (found.status, document["verdict"]) == (1, "intact")
    assert document["signatures"][0]["problems"][0]["code"] == "certificate.expired"


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("envelope", b"<Country>BR<", b"<Country>FR<"),
        ("token", b"<Country>DE<", b"<Country>FR<"),
        ("evidence", b">10115<", b">10116<"),
        ("token_pdf", b"%PDF-1", b"%PDF-2"),
    ],
)
def test_altered(
    emla: Invoke, made: Made, tmp_path: Path, name: str, old: bytes, new: bytes
) -> None:
    data: bytes = getattr(made, name).read_bytes()
    assert old in data
    file = tmp_path / "altered"
    file.write_bytes(data.replace(old, new, 1))
    found = emla("verify", file, *trusted(made), "--json")
    document = only(found)
    assert (found.status, document["verdict"]) == (1, "invalid")
    problems = document["signatures"][0]["problems"]
    assert problems[0]["code"] == "signature.digest-mismatch"
    assert document["signatures"][0]["signer"]["subject"] == "CN=Connector DE,C=DE"
    assert "signature not valid" in emla("verify", file, *trusted(made)).out


def test_an_altered_container(emla: Invoke, made: Made, tmp_path: Path) -> None:
    """A byte of an attachment, the checksums mended so that only the signature can tell."""
    other = tmp_path / "other.asics"
    changed = documents(made.envelope.read_bytes())[:2]
    with other.open("wb") as target:
        seal(target, changed, made.key, NOW)
    import zipfile

    with zipfile.ZipFile(made.container) as good, zipfile.ZipFile(other) as bad:
        mixed = tmp_path / "mixed.asics"
        with zipfile.ZipFile(mixed, "w") as archive:
            archive.writestr("mimetype", good.read("mimetype"))
            archive.writestr("SignedContent.zip", bad.read("SignedContent.zip"))
            archive.writestr("META-INF/signatures.xml", good.read("META-INF/signatures.xml"))
    found = emla("verify", mixed, *trusted(made), "--json")
    document = only(found)
    assert (found.status, document["verdict"]) == (1, "invalid")
    assert document["signatures"][0]["problems"][0]["code"] == "signature.digest-mismatch"


def test_files_that_the_envelope_does_not_list(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "message.asics"
    with file.open("wb") as target:
        seal(target, documents(made.envelope.read_bytes())[:2], made.key, NOW)
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert document["verdict"] == "invalid"
    assert {p["code"] for p in document["problems"]} == {"container.attachment-missing"}


def test_not_signed(emla: Invoke, made: Made) -> None:
    for file in (made.unsigned, made.case_json, made.register_csv):
        found = emla("verify", file, *trusted(made), "--json")
        document = only(found)
        assert (found.status, document["verdict"]) == (1, "invalid")
        assert [p["code"] for p in document["problems"]] == ["signature.missing"]
    assert "The document is not signed." in emla("verify", made.unsigned).out


def test_signatures_that_stand_elsewhere(emla: Invoke, made: Made, tmp_path: Path) -> None:
    root = parse(made.envelope.read_bytes())
    signature = root[-1]
    root[0].append(signature)
    from connector.xml import serialize

    file = tmp_path / "wrapped.xml"
    file.write_bytes(serialize(root))
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert document["verdict"] == "invalid"
    assert "1 signatures stand deeper inside it" in document["problems"][0]["what"]


def test_several_signatures(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "twice.xml"
    file.write_bytes(xades.sign_enveloped(parse(made.envelope.read_bytes()), made.key, NOW))
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert (document["verdict"], len(document["signatures"])) == ("invalid", 2)
    assert [p["code"] for p in document["problems"]] == ["signature.several"]


def test_a_signed_national_document(emla: Invoke, made: Made, tmp_path: Path) -> None:
    """Only where a format is XML can it carry its signature in itself."""
    file = tmp_path / "signed.xml"
    file.write_bytes(xades.sign_enveloped(parse(b"<unknown/>"), made.key, NOW))
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert document["problems"][0]["code"] == "document.unknown"


def test_a_pdf_that_was_added_to(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "added.pdf"
    file.write_bytes(made.token_pdf.read_bytes() + b"\n1 0 obj\nendobj\n%%EOF\n")
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert document["verdict"] == "invalid"
    assert document["signatures"][0]["problems"][0]["code"] == "signature.not-covered"


def test_a_pdf_of_a_stranger(emla: Invoke, made: Made, tmp_path: Path) -> None:
    file = tmp_path / "token.pdf"
    file.write_bytes(token_pdf(token_of(b"x"), pdf_signer(made.other_key), NOW))
    document = only(emla("verify", file, *trusted(made), "--json"))
    assert document["verdict"] == "intact"
    assert document["signatures"][0]["signer"]["subject"] == "CN=Somebody"


def test_documents_of_one_folder_speak_of_each_other(
    emla: Invoke, made: Made, tmp_path: Path
) -> None:
    found = emla("verify", made.message, *trusted(made), "--json")
    assert [(Path(b["files"][0]).name, b["holds"]) for b in found.json["bonds"]] == [
        ("Token.xml", True),
        ("SUBMISSION_ACCEPTANCE.xml", True),
    ]
    folder = tmp_path / "other"
    shutil.copytree(made.message, folder)
    (folder / "SUBMISSION_ACCEPTANCE.xml").write_bytes(evidence_bytes(b"other", made.key))
    from connector.container.signed_token import build_token

    (folder / "Token.xml").write_bytes(build_token(token_of(b"other"), made.key, NOW))
    found = emla("verify", folder, *trusted(made), "--json")
    assert found.status == 1
    assert all(d["verdict"] == "valid" for d in found.json["documents"])
    codes = [b["problems"][0]["code"] for b in found.json["bonds"]]
    assert codes == ["token.other-document", "evidence.other-message"]
    assert "is about none of the documents beside it" in emla("verify", folder).out


def test_a_folder_in_which_nothing_is_signed(emla: Invoke, made: Made) -> None:
    found = emla("verify", made.case_json.parent)
    assert (found.status, found.out) == (1, "")
    assert "None of these files is signed" in found.err


REAL = ("ecodex-connector", "message")


def test_a_real_message_of_ecodex(emla: Invoke, tmp_path: Path) -> None:
    """SHA-1 in token and evidence; the published evidence was re-indented after it was signed."""
    folder = reference(*REAL)
    found = emla("verify", folder, "--json")
    verdicts = {Path(d["file"]).name: d["verdict"] for d in found.json["documents"]}
    assert found.status == 1
    assert verdicts == {
        "SUBMISSION_ACCEPTANCE.xml": "invalid",
        "Token.xml": "intact",
        "container-signed-xades-baseline-b.asics": "intact",
    }
    assert [b["holds"] for b in found.json["bonds"]] == [True, True]
    evidence = found.json["documents"][0]["signatures"][0]
    assert [p["code"] for p in evidence["problems"]] == [
        "signature.value-mismatch",
        "signature.weak-algorithm",
    ]


def test_a_policy_lets_pass_what_it_names(emla: Invoke, tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from connector.signature.certificates import from_base64
    from connector.signature.dsig_model import DS

    token = reference(*REAL, "Token.xml")
    certificate = parse(token.read_bytes()).findtext(f".//{{{DS}}}X509Certificate")
    assert certificate
    trust = tmp_path / "trust"
    trust.mkdir()
    pem = from_base64(certificate).public_bytes(Encoding.PEM)
    (trust / "connector1.pem").write_bytes(pem)
    policy = tmp_path / "policy.toml"
    policy.write_text('permit = ["rsa-sha1", "sha1"]\n')
    container = reference(*REAL, "container-signed-xades-baseline-b.asics")
    refused = emla("verify", token, container, "--trust", trust, "--json")
    assert refused.status == 1
    assert [d["verdict"] for d in refused.json["documents"]] == ["intact", "intact"]
    assert refused.json["documents"][1]["signatures"][0]["verdict"] == "valid"
    found = emla("verify", token, container, "--trust", trust, "--policy", policy, "--json")
    assert found.status == 0
    weak = found.json["documents"][0]["signatures"][0]["weaknesses"]
    assert "signature.weak-algorithm" in {w["code"] for w in weak}
