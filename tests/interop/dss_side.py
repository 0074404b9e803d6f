"""EU DSS as judge, signer and raiser of signatures, told what to do with files in a folder."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from fpdf import FPDF

from connector.signature.pki import KeyType
from connector.signature.xades_levels import Level
from connector.validation import SignatureReport
from connector.validation.basis import Basis
from connector.validation.cms_signatures import validate_cms
from connector.validation.documents import Entries, validate_container, validate_document
from tests.interop.key_files import PASSWORD
from tests.interop.peers import Peer
from tests.interop.signatures import (
    CONTAINERS,
    CONTENT,
    FILE,
    XML,
    Surroundings,
    given,
)

STAMPS = {
    Level.B: [],
    Level.T: ["SignatureTimeStamp"],
    Level.LT: ["SignatureTimeStamp"],
    Level.LTA: ["SignatureTimeStamp", "ArchiveTimeStamp"],
}


def validated(dss: Peer, path: Path, data: bytes, trust: Path, **more: Any) -> list[dict[str, Any]]:
    """What DSS says of each signature in `data`, written to `path`."""
    path.write_bytes(data)
    answer = dss.ask("validate", file=path, trust=trust, **more)
    found: list[dict[str, Any]] = answer["signatures"]
    return found


def judged(dss: Peer, place: Surroundings, packaging: str, data: bytes, level: Level) -> None:
    """DSS has to find everything valid, from what is in the signature where that is enough."""
    path = place.folder / f"signed{'.zip' if packaging in CONTAINERS else '.xml'}"
    more: dict[str, Any] = {"crls": place.crls} if level < Level.LT else {}
    if packaging == "detached":
        (place.folder / FILE).write_bytes(CONTENT)
        more["detached"] = [place.folder / FILE]
    signatures = validated(dss, path, data, place.trust, revocation=True, **more)
    assert len(signatures) == (2 if packaging == "enveloped, beside others" else 1)
    for said in signatures:
        assert said["indication"] == "TOTAL_PASSED", said
        assert said["format"] == f"XAdES-BASELINE-{level.name}", said
        assert said["structure_valid"] and not said["errors"] and not said["warnings"], said


def signing_arguments(place: Surroundings) -> dict[str, Any]:
    """With what DSS signs and raises."""
    return {
        "keystore": place.keystore,
        "tsa": place.tsa,
        "password": PASSWORD,
        "trust": place.trust,
        "crls": place.crls,
        "digest": "SHA512" if place.kind is KeyType.ED25519 else "SHA256",
    }


def made_by_dss(dss: Peer, place: Surroundings, form: str, level: Level) -> bytes:
    """What DSS makes of the same content."""
    out, files = place.folder / "by-dss", content_files(form, place.folder)
    arguments = signing_arguments(place)
    dss.ask("sign", format=form, level=level.name, files=files, out=out, **arguments)
    return out.read_bytes()


def content_files(form: str, folder: Path) -> list[Path]:
    xml, file, archive = folder / "envelope.xml", folder / FILE, folder / "SignedContent.zip"
    pdf = folder / "page.pdf"
    xml.write_bytes(XML)
    pdf.write_bytes(page())
    file.write_bytes(CONTENT)
    with zipfile.ZipFile(archive, "w") as inner:
        inner.write(xml, xml.name)
        inner.write(file, file.name)
    return {
        "enveloped": [xml],
        "enveloping": [file],
        "enveloping, element": [xml],
        "detached": [file],
        "asic-s": [archive],
        "asic-e": [xml, file],
        "pades": [pdf],
        "cades": [file],
        "cades, detached": [file],
    }[form]


@cache
def page() -> bytes:
    """A PDF that nobody has signed yet."""
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=16)
    made.cell(text="Ersuchen um Rechtshilfe")
    return bytes(made.output())


def reported(form: str, data: bytes, place: Surroundings, level: Level) -> SignatureReport:
    """What our own validation says of the one signature in what DSS has signed: offline where the
    signature brings all that is needed."""
    online = level < Level.LT
    basis = Basis(
        trust=place.store,
        timestamp_trust=place.store,
        at=datetime.now(UTC),
        revocation=place.services.revocation if online else None,
        contents=given,
    )
    if form.startswith("asic"):
        container = zipfile.ZipFile(io.BytesIO(data))
        entries: Entries = {
            name: partial(lambda name: [container.read(name)], name)
            for name in container.namelist()
        }
        report = validate_container(entries, basis, name="container")
    elif form == "cades, detached":
        report = validate_cms(data, basis, content=lambda: [CONTENT], name="signature.p7s")
    else:
        report = validate_document(data, basis, name="document")
    (found,) = report.signatures
    return found


def raised_by_dss(dss: Peer, place: Surroundings, form: str, data: bytes, level: Level) -> bytes:
    path, out = place.folder / "lower", place.folder / "higher"
    path.write_bytes(data)
    (place.folder / FILE).write_bytes(CONTENT)
    dss.ask(
        "extend",
        at=place.pki.now.isoformat().replace("+00:00", "Z"),
        format=form,
        level=level.name,
        file=path,
        out=out,
        detached=[place.folder / FILE],
        **signing_arguments(place),
    )
    return out.read_bytes()
