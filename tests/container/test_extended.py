"""ASiC-E: what we write is read again and by others' tools; what is not signed is refused."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from connector.container.asic_extended import (
    ExtendedSeal,
    Item,
    OpenedExtended,
    open_extended,
    seal_extended,
)
from connector.container.payloads import BytesSource, MemoryWriter
from connector.container.sealing import Document
from connector.errors import ConnectorError
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.pki import Authority
from connector.signature.trust import TrustStore

NOW = datetime(2026, 11, 2, 9, 30, 0, tzinfo=UTC)
ROOT = Authority.root("Test root", NOW)
KEY = ROOT.issue("Seal", NOW)
TRUST = TrustStore([ROOT.key.certificate])
DOCUMENTS = [
    Document("Ersuchen 1.xml", "text/xml", BytesSource(b"<a/>" * 100)),
    Document("evidence/звіт.pdf", "application/pdf", BytesSource(bytes(range(256)) * 10_000)),
    Document("evidence/ЗВІТ.pdf", "application/pdf", BytesSource(b"")),
]


def sign(items: list[Item]) -> bytes:
    return xades.sign_detached(items, KEY, NOW)


def sealed(documents: list[Document] = DOCUMENTS) -> tuple[bytes, ExtendedSeal]:
    target = io.BytesIO()
    seal = seal_extended(target, documents, sign, NOW)  # type: ignore[arg-type]
    return target.getvalue(), seal


def opened(data: bytes, at: datetime = NOW) -> OpenedExtended:
    return open_extended(BytesSource(data), TRUST, AlgorithmPolicy(), at, MemoryWriter)


def rewritten(data: bytes, change: Callable[[dict[str, bytes]], object]) -> bytes:
    """The container with its files changed, by another zip writer."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            method = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, method)
    return out.getvalue()


def test_round_trip() -> None:
    data, seal = sealed()
    assert seal.size == len(data)
    assert seal.names == ("Ersuchen 1.xml", "evidence/звіт.pdf", "evidence/ЗВІТ (2).pdf")
    found = opened(data)
    assert [file.name for file in found.files] == list(seal.names)
    assert found.weaknesses == ()
    assert found.signatures[0].names == set(seal.names)
    assert found.signatures[0].verified.certificate == KEY.certificate
    for file, document in zip(found.files, DOCUMENTS, strict=True):
        with file.source.open() as got, document.source.open() as meant:
            assert got.read() == meant.read()


def test_other_readers_find_what_was_put_in() -> None:
    data, seal = sealed()
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "mimetype",
            *seal.names,
            "META-INF/manifest.xml",
            "META-INF/signatures.xml",
        ]
    assert data[30:69] == b"mimetypeapplication/vnd.etsi.asic-e+zip"


def test_compressed_by_another_writer_it_is_read_all_the_same() -> None:
    data, seal = sealed()
    assert [f.name for f in opened(rewritten(data, lambda files: None)).files] == list(seal.names)


def test_a_second_signature_over_a_part() -> None:
    data, seal = sealed()
    other = ROOT.issue("Endorsing authority", NOW)
    import hashlib

    digest = hashlib.sha256(b"<a/>" * 100).digest()
    more = xades.sign_detached([("Ersuchen%201.xml", "text/xml", digest)], other, NOW)

    def add(files: dict[str, bytes]) -> None:
        first = files["META-INF/signatures.xml"]
        head, _, rest = first.partition(b"<ds:Signature")
        tail = b"</asic:XAdESSignatures>"
        assert rest.endswith(tail)
        files["META-INF/signatures2.xml"] = head + more + tail

    found = opened(rewritten(data, add))
    assert [each.names for each in found.signatures] == [set(seal.names), {"Ersuchen 1.xml"}]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda f: f.update({"Ersuchen 1.xml": b"<b/>"}), "signature.digest-mismatch"),
        (lambda f: f.update({"more.txt": b"not signed"}), "container.unsigned-entry"),
        (lambda f: f.pop("Ersuchen 1.xml"), "signature.unresolved"),
        (lambda f: f.pop("META-INF/signatures.xml"), "container.no-signature"),
        (lambda f: f.update(mimetype=b"application/zip"), "container.mimetype"),
        (
            lambda f: f.update({"META-INF/signatures.xml": b"<x/>"}),
            "container.signatures-malformed",
        ),
        (lambda f: f.update({"a/../../b.txt": b"x"}), "container.entry-name"),
    ],
)
def test_what_was_changed_is_refused(
    change: Callable[[dict[str, bytes]], object], code: str
) -> None:
    data, _ = sealed()
    with pytest.raises(ConnectorError) as refusal:
        opened(rewritten(data, change))
    assert refusal.value.code == code


def test_nothing_is_committed_of_what_is_refused() -> None:
    data, _ = sealed()
    writers: list[MemoryWriter] = []

    def writer() -> MemoryWriter:
        writers.append(MemoryWriter())
        return writers[-1]

    late = NOW + timedelta(days=4000)
    with pytest.raises(ConnectorError) as refusal:
        open_extended(BytesSource(data), TRUST, AlgorithmPolicy(), late, writer)
    assert refusal.value.code == "certificate.expired"
    assert len(writers) == len(DOCUMENTS)


def test_progress_counts_every_byte_twice() -> None:
    seen: list[int] = []
    seal_extended(io.BytesIO(), DOCUMENTS, sign, NOW, progress=seen.append)  # type: ignore[arg-type]
    assert sum(seen) == 2 * sum(document.source.size for document in DOCUMENTS)
