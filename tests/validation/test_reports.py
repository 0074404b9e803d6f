"""Reports for people and for other software."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest
from lxml import etree

from connector.signature.xades_levels import Level
from connector.signature.xades_packaging import Signing, countersign
from connector.signature.xades_statements import (
    PROOF_OF_APPROVAL,
    Commitment,
    Place,
    SignaturePolicy,
    Statements,
)
from connector.signature.xades_unsigned import with_properties
from connector.validation.report import ValidationReport
from connector.validation.text import as_text
from connector.validation.xml_report import VR, as_xml
from connector.xml import parse
from tests.signature.certomancer_pki import NOW, REVOKED_SINCE, Pki
from tests.validation.making import key, raised, signed, validated

SAID = Statements(
    policy=SignaturePolicy("urn:oid:1.2.3", "http://www.w3.org/2001/04/xmlenc#sha256", b"\1" * 32),
    commitments=(Commitment(PROOF_OF_APPROVAL),),
    roles=("central authority",),
    place=Place("Wien", "AT"),
    note="Forwarded without change.",
)


@pytest.fixture
def reports(ca: Pki) -> list[ValidationReport]:
    full = signed(ca, statements=SAID)
    markup = countersign(parse(full)[-1], Signing(key=key(ca), time=NOW))
    return [
        validated(raised(ca, Level.LTA), ca),
        validated(raised(ca, Level.T, "revoked", at=REVOKED_SINCE), ca),
        validated(with_properties(full, 0, markup), ca),
        validated(signed(ca, "stranger").replace(b"facts", b"fact"), ca),
        validated(b"<a/>", ca),
    ]


def test_for_people(reports: list[ValidationReport]) -> None:
    good, revoked, full, altered, none = map(as_text, reports)
    assert "document.xml: TOTAL-PASSED" in good
    assert "level LTA" in good and "timestamp of the archive at 2026-03-14 09:26:53 UTC" in good
    assert "leads to the trusted CN=root" in good
    assert "cannot be decided: INDETERMINATE/REVOKED_NO_POE" in revoked
    assert "was revoked on 2025-06-01" in revoked
    for words in ("in the role of central authority", "Forwarded without change.",
                  "ProofOfApproval", "Wien, AT", "urn:oid:1.2.3", "countersigned"):  # fmt: skip
        assert words in full
    assert "DOES NOT COUNT: TOTAL-FAILED/HASH_FAILURE" in altered
    assert "not signed" in none


def test_for_other_software(reports: list[ValidationReport]) -> None:
    for report in reports:
        root = parse(as_xml(report))
        names = [each.get("id") for each in root.iterfind(f".//{{{VR}}}ValidationObject[@id]")]
        referred = [each.get("VOReference") for each in root.iter() if each.get("VOReference")]
        assert set(referred) <= set(names) and len(set(names)) == len(names)
        status = root.findall(
            f"{{{VR}}}SignatureValidationReport/{{{VR}}}SignatureValidationStatus"
        )
        assert len(status) == max(1, sum(1 + len(s.countersignatures) for s in report.signatures))
    main = [
        each.findtext(f".//{{{VR}}}MainIndication") for each in map(parse, map(as_xml, reports))
    ]
    assert [each.rpartition(":")[2] for each in main if each] == [
        "total-passed", "indeterminate", "total-passed", "total-failed", "indeterminate",
    ]  # fmt: skip


def test_against_the_official_schema(reports: list[ValidationReport], tmp_path: Path) -> None:
    schema = official_schema(tmp_path)
    for report in reports:
        schema.assertValid(parse(as_xml(report)))


def official_schema(folder: Path) -> etree.XMLSchema:
    """ETSI's, out of the libraries of the DSS peer where those are there."""
    repository = Path.home() / ".m2/repository/eu/europa/ec/joinup/sd-dss"
    jars = [
        jar
        for name in (
            "specs-validation-report",
            "specs-xades",
            "specs-xmldsig",
            "specs-trusted-list",
        )
        for jar in repository.glob(f"{name}/*/*.jar")
    ]
    if len(jars) < 4:
        pytest.skip("ETSI's schemas come with the DSS peer (make interop), which is not built")
    for jar in jars:
        with zipfile.ZipFile(jar) as archive:
            for name in archive.namelist():
                if name.endswith(".xsd"):
                    archive.extract(name, folder)
    places = {
        "http://www.w3.org/2000/09/xmldsig#": "xmldsig-core-schema.xsd",
        "http://uri.etsi.org/01903/v1.3.2#": "XAdES01903v132-202407.xsd",
        "http://uri.etsi.org/02231/v2#": "ts_119612v020401_xsd.xsd",
        "http://www.w3.org/XML/1998/namespace": "xml.xsd",
    }
    for name in ("TS119102-2-v141.xsd", *places.values()):
        path = folder / "xsd" / name
        tree = etree.parse(path, etree.XMLParser(load_dtd=False, no_network=True))
        for imported in tree.iter("{http://www.w3.org/2001/XMLSchema}import"):
            imported.set("schemaLocation", places[imported.get("namespace", "")])
        tree.write(path)
    return etree.XMLSchema(file=str(folder / "xsd" / "TS119102-2-v141.xsd"))


def test_words_of_strangers(ca: Pki) -> None:
    """A note that would clear the screen, or make a line of its own."""
    said = Statements(roles=("a\x85b\x9b2Jc\nTOTAL-PASSED",))
    report = validated(signed(ca, statements=said), ca)
    text = as_text(report)
    assert "\x9b" not in text and "\x85" not in text
    assert not any(line.startswith("TOTAL") for line in text.splitlines())
    assert parse(as_xml(report)) is not None
