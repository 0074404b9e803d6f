"""What we write: read by Python's own zip reader, deterministic, and right at 4 GiB and beyond."""

from __future__ import annotations

import hashlib
import io
import zipfile
import zlib
from datetime import UTC, datetime
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.container.checksum import combined
from connector.container.payloads import BytesSource
from connector.container.sealing import Document, Seal, write_container
from connector.container.zip_reading import ContainerLimits, Window, read_structure
from connector.container.zip_writing import StoredFile, directory, dos_time, local_header
from connector.errors import ConnectorError, Kind

NOW = datetime(2026, 3, 31, 14, 5, 7, tzinfo=UTC)
DOCUMENTS = [
    Document("Ersuchen.xml", "text/xml", BytesSource(b"<a/>" * 100)),
    Document("звіт.pdf", "application/pdf", BytesSource(bytes(range(256)) * 10_000)),
    Document("ersuchen.XML", "text/xml", BytesSource(b"")),
]


def sealed(documents: list[Document]) -> tuple[bytes, Seal]:
    target = io.BytesIO()
    seal = write_container(target, documents, lambda digest: digest.hex().encode(), NOW, b"%PDF")
    return target.getvalue(), seal


def test_other_readers_find_what_was_put_in() -> None:
    data, seal = sealed(DOCUMENTS)
    outer = zipfile.ZipFile(io.BytesIO(data))
    assert outer.namelist() == ["mimetype", "SignedContent.zip", "META-INF/signatures.xml"]
    assert outer.testzip() is None
    assert data[30:69] == b"mimetypeapplication/vnd.etsi.asic-s+zip"
    content = outer.read("SignedContent.zip")
    assert hashlib.sha256(content).digest() == seal.sha256
    assert outer.read("META-INF/signatures.xml") == seal.sha256.hex().encode()
    assert len(data) == seal.size
    inner = zipfile.ZipFile(io.BytesIO(content))
    assert inner.testzip() is None
    assert inner.namelist() == [*seal.names, "TrustOkToken.pdf"]
    assert seal.names == ("Ersuchen.xml", "звіт.pdf", "ersuchen (2).XML")
    assert [inner.read(name) for name in seal.names] == [
        cast(BytesSource, document.source).data for document in DOCUMENTS
    ]
    assert {entry.compress_type for entry in outer.infolist() + inner.infolist()} == {0}
    assert not any(entry.flag_bits & 8 for entry in outer.infolist() + inner.infolist())
    assert inner.infolist()[0].date_time == (2026, 3, 31, 14, 5, 6)


def test_same_input_same_bytes() -> None:
    assert sealed(DOCUMENTS) == sealed(DOCUMENTS)


@given(st.lists(st.tuples(st.text(max_size=20), st.binary(max_size=300)), min_size=1, max_size=6))
def test_any_documents(given_documents: list[tuple[str, bytes]]) -> None:
    documents = [
        Document(name, "x/y", BytesSource(content))
        for name, content in given_documents
        if name.isprintable()
    ]
    data, seal = sealed(documents)
    outer = read_structure(Window(io.BytesIO(data), 0, len(data)))
    window = Window(io.BytesIO(data), outer[1].data, outer[1].size)
    inner = read_structure(window)
    assert tuple(entry.name for entry in inner) == (*seal.names, "TrustOkToken.pdf")
    for entry, document in zip(inner, documents, strict=False):
        assert window.at(entry.data, entry.size) == cast(BytesSource, document.source).data


@given(st.binary(), st.binary())
def test_combined_checksum(first: bytes, second: bytes) -> None:
    expected = zlib.crc32(first + second)
    assert combined(zlib.crc32(first), zlib.crc32(second), len(second)) == expected


class Sparse:
    """An archive of many GiB that takes no room: holes are zeros."""

    def __init__(self) -> None:
        self.size = self.at = 0
        self.pieces: list[tuple[int, bytes]] = []

    def write(self, data: bytes) -> None:
        self.pieces.append((self.size, data))
        self.size += len(data)

    def hole(self, size: int) -> None:
        self.size += size

    def seek(self, at: int) -> int:
        self.at = at
        return at

    def read(self, size: int) -> bytes:
        out = bytearray(size)
        for start, data in self.pieces:
            low, high = max(start, self.at), min(start + len(data), self.at + size)
            if low < high:
                out[low - self.at : high - self.at] = data[low - start : high - start]
        return bytes(out)


@pytest.mark.parametrize("size", [2**32 - 2, 2**32 - 1, 2**32, 5 * 2**30 + 17])
def test_four_gib_and_more_get_zip64(size: int) -> None:
    files = [StoredFile("large.bin", size, 7), StoredFile("small.xml", 4, zlib.crc32(b"<a/>"))]
    target = Sparse()
    placed = []
    for file in files:
        placed.append((file, target.size))
        target.write(local_header(file, NOW))
        target.hole(size) if file.size == size else target.write(b"<a/>")
    target.write(directory(placed, target.size, NOW))
    window = Window(cast(BinaryIO, target), 0, target.size)
    entries = read_structure(window)
    assert [(e.name, e.size, e.crc) for e in entries] == [(f.name, f.size, f.crc) for f in files]
    assert window.at(entries[1].data, 4) == b"<a/>"


def test_more_files_than_the_old_format_counts() -> None:
    files = [(StoredFile(str(n), 0, 0), 0) for n in range(70_000)]
    target, placed = Sparse(), []
    for file, _ in files:
        placed.append((file, target.size))
        target.write(local_header(file, NOW))
    data = b"".join(piece for _, piece in target.pieces) + directory(placed, target.size, NOW)
    window = Window(io.BytesIO(data), 0, len(data))
    assert len(read_structure(window, ContainerLimits(max_entries=70_000))) == 70_000
    assert len(zipfile.ZipFile(io.BytesIO(data)).namelist()) == 70_000


class Fickle:
    """A document that is another one each time it is read."""

    size = 3_000_000

    def __init__(self, *contents: bytes) -> None:
        self.contents = list(contents)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.contents.pop(0))


@pytest.mark.parametrize(
    "source",
    [
        Fickle(b"a" * 3_000_000, b"b" * 3_000_000),
        Fickle(b"a" * 3_000_000, b"a" * 3_000_001),
        Fickle(b"a" * 3_000_000, b"a" * 2_999_999),
        Fickle(b"a" * 2_999_999),
    ],
)
def test_changing_document(source: Fickle) -> None:
    with pytest.raises(ConnectorError) as caught:
        sealed([Document("a", "x/y", source)])
    assert caught.value.code == "container.document-changed"
    assert caught.value.kind is Kind.TRANSIENT


def test_nothing_to_seal() -> None:
    with pytest.raises(ConnectorError) as caught:
        write_container(io.BytesIO(), [], lambda digest: b"", NOW)
    assert caught.value.code == "container.empty"


def test_times_outside_of_what_zip_knows() -> None:
    assert dos_time(datetime(1970, 1, 1, tzinfo=UTC)) == (0, 1 << 5 | 1)
    assert dos_time(datetime(2300, 5, 1, tzinfo=UTC))[1] >> 9 == 127
