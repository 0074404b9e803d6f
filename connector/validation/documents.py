"""Validating a document of any kind by what it is: XML, PDF, CMS, or the entries of a container."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Final
from urllib.parse import unquote

from connector.errors import ConnectorError, unacceptable
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.dsig_model import DS, Reference
from connector.signature.dsig_reading import base64_value
from connector.validation.basis import Basis
from connector.validation.indications import SubIndication
from connector.validation.report import Conclusion, SignatureReport, ValidationReport
from connector.validation.xades_process import validate_xml
from connector.xml import Element, parse

Entries = Mapping[str, Callable[[], Iterable[bytes]]]
"""The files of a container by name, each giving its bytes in pieces, several times if asked."""

_ASIC: Final = "{http://uri.etsi.org/02918/v1.2.1#}"
_FOLDER: Final = "META-INF/"
_LARGEST: Final = 64 * 1024 * 1024


def validate_document(data: bytes, basis: Basis, *, name: str) -> ValidationReport:
    """Every signature in an XML document, a PDF or a CMS message that holds its content.

    Raises `ConnectorError` (unacceptable): `document.unknown`, and where it cannot be read `xml.*`,
    `pdf.*`, `cms.*`.
    """
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n")
    if start.startswith(b"<"):
        return validate_xml(data, basis, name=name)
    if b"%PDF-" in start:
        from connector.validation.pdf_signatures import validate_pdf

        return validate_pdf(data, basis, name=name)
    if start.startswith(b"\x30"):
        from connector.validation.cms_signatures import validate_cms

        return validate_cms(data, basis, name=name)
    raise unacceptable(
        "document.unknown",
        f"{name} is neither XML nor PDF nor CMS, so it holds no signature that can be validated.",
        mend="Give the container, or the file that holds the signature.",
    )


def validate_container(entries: Entries, basis: Basis, *, name: str) -> ValidationReport:
    """Every signature of an ASiC container (EN 319 162-1), XAdES and CAdES; whoever opened it has
    made sure that its names are safe and unique.

    Each signature's `covers` names files; that every file is covered is for the caller to see.
    Raises as `validate_document`, and `container.too-large` for a signature of more than 64 MiB.
    """
    basis = replace(basis, contents=partial(_contents, entries))
    signatures: list[SignatureReport] = []
    for entry in sorted(entries):
        lower = entry.lower()
        if not entry.startswith(_FOLDER) or "signature" not in lower:
            continue
        if lower.endswith(".xml"):
            signatures += validate_xml(_read(entries, entry), basis, name=entry).signatures
        elif lower.endswith(".p7s"):
            signatures += _cades(entries, entry, basis)
    return ValidationReport(
        document=name,
        sha256=_digest_of_all(entries),
        time=basis.at,
        policy=basis.policy.name,
        signatures=tuple(signatures),
    )


def _contents(entries: Entries, reference: Reference) -> Iterable[bytes] | None:
    uri = reference.uri or ""
    found = entries.get(uri) or entries.get(unquote(uri))
    return None if found is None or uri.startswith("#") else found()


def _cades(entries: Entries, entry: str, basis: Basis) -> tuple[SignatureReport, ...]:
    """A detached CAdES signature: over the manifest that names it, else over the one file."""
    from connector.validation.cms_signatures import validate_cms

    manifest = _manifest_of(entries, entry)
    files = [each for each in entries if not each.startswith(_FOLDER) and each != "mimetype"]
    signed = manifest or (files[0] if len(files) == 1 else None)
    content = entries[signed] if signed is not None else None
    report = validate_cms(_read(entries, entry), basis, content=content, name=entry)
    covers = [signed] if signed else []
    broken = None
    if manifest is not None:
        covers, broken = _named_files(entries, manifest)
    found = (replace(each, covers=tuple(covers)) for each in report.signatures)
    if broken is None:
        return tuple(found)
    failed = Conclusion(SubIndication.HASH_FAILURE, (broken,))
    return tuple(replace(each, conclusion=failed, covers=()) for each in found)


def _manifest_of(entries: Entries, signature: str) -> str | None:
    for entry in sorted(entries):
        if not entry.startswith(f"{_FOLDER}ASiCManifest") or not entry.endswith(".xml"):
            continue
        named = parse(_read(entries, entry)).find(f"{_ASIC}SigReference")
        if named is not None and unquote(named.get("URI", "")) == signature:
            return entry
    return None


def _named_files(entries: Entries, manifest: str) -> tuple[list[str], str | None]:
    """The files in a manifest, and what is wrong with one of them."""
    names = []
    for each in parse(_read(entries, manifest)).iterfind(f"{_ASIC}DataObjectReference"):
        name = unquote(each.get("URI", ""))
        try:
            fits = _fits(entries, name, each)
        except ConnectorError as error:
            return [], str(error)
        if not fits:
            return [], f"{name} is not the file that was signed, or is not there."
        names.append(name)
    return names, None


def _fits(entries: Entries, name: str, reference: Element) -> bool:
    method = reference.find(f"{{{DS}}}DigestMethod")
    value = reference.find(f"{{{DS}}}DigestValue")
    algorithm = DIGEST_METHODS.get("" if method is None else method.get("Algorithm", ""))
    if value is None or algorithm is None or name not in entries:
        return False
    made = hashlib.new(algorithm)
    for piece in entries[name]():
        made.update(piece)
    return made.digest() == base64_value(value)


def _read(entries: Entries, entry: str) -> bytes:
    content = bytearray()
    for piece in entries[entry]():
        content += piece
        if len(content) > _LARGEST:
            raise unacceptable("container.too-large", f"{entry} is larger than 64 MiB.")
    return bytes(content)


def _digest_of_all(entries: Entries) -> str:
    """Of all names and contents: the container's own bytes are not here."""
    made = hashlib.sha256()
    for entry in sorted(entries):
        made.update(entry.encode() + b"\0")
        for piece in entries[entry]():
            made.update(piece)
    return made.hexdigest()
