"""The structure of archives from strangers: every ambiguity is refused under its own code."""

from __future__ import annotations

import io
import zipfile
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.container.zip_reading import ContainerLimits, Window, read_structure
from connector.errors import ConnectorError
from tests.container.archives import Member, archive

PLAIN = Member(b"a.xml")
OTHER = Member(b"b.pdf", b"other")
LOCAL_SIZE = 30
SYMLINK = 0o120777 << 16
UTF8 = 0x800


def structure(data: bytes, limits: ContainerLimits | None = None) -> list[str]:
    window = Window(io.BytesIO(data), 0, len(data))
    return [e.name for e in read_structure(window, limits or ContainerLimits())]


def code_of(data: bytes, limits: ContainerLimits | None = None) -> str:
    with pytest.raises(ConnectorError) as caught:
        structure(data, limits)
    assert caught.value.problems[0].mend
    return caught.value.code


def test_ordinary_archive() -> None:
    assert structure(archive(PLAIN, OTHER)) == ["a.xml", "b.pdf"]


def test_part_of_a_larger_file() -> None:
    data = archive(PLAIN)
    window = Window(io.BytesIO(b"outer" + data + b"more"), 5, len(data))
    (entry,) = read_structure(window)
    assert window.at(entry.data, entry.size) == b"content"


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_archives_of_another_writer(compression: int) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", compression) as made:
        made.writestr("größe.xml", b"x" * 3000)
        made.writestr("b.pdf", b"")
    assert structure(data.getvalue()) == ["größe.xml", "b.pdf"]


def test_data_descriptors_of_a_streaming_writer() -> None:
    class Unseekable(io.RawIOBase):
        def __init__(self) -> None:
            self.parts: list[bytes] = []

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.parts.append(bytes(data))  # type: ignore[call-overload]
            return len(self.parts[-1])

    raw = Unseekable()
    with zipfile.ZipFile(raw, "w", zipfile.ZIP_DEFLATED) as made:  # type: ignore[arg-type]
        made.writestr("a", b"x" * 100)
        made.writestr("b", b"")
    assert structure(b"".join(raw.parts)) == ["a", "b"]


CRC = zlib.crc32(b"content").to_bytes(4, "little")
SEVEN = (7).to_bytes(4, "little")
SEVEN64 = (7).to_bytes(8, "little")
NOTHING = {"crc": 0, "compressed": 0, "size": 0}


@pytest.mark.parametrize(
    "descriptor",
    [
        b"PK\x07\x08" + CRC + SEVEN + SEVEN,
        CRC + SEVEN + SEVEN,
        b"PK\x07\x08" + CRC + SEVEN64 + SEVEN64,
        CRC + SEVEN64 + SEVEN64,
    ],
)
def test_every_form_of_data_descriptor(descriptor: bytes) -> None:
    member = Member(b"a", flags=8, local=NOTHING, descriptor=descriptor)
    assert structure(archive(member, OTHER)) == ["a", "b.pdf"]


def test_lying_data_descriptor() -> None:
    wrong = Member(b"a", flags=8, local=NOTHING, descriptor=CRC + SEVEN + (8).to_bytes(4, "little"))
    assert code_of(archive(wrong)) == "container.headers-disagree"


def test_mimetype_as_archive_comment() -> None:
    assert structure(archive(PLAIN, comment=b"mimetype=application/x")) == ["a.xml"]


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "no-zip"),
        (b"%PDF-1.7 no archive at all", "no-zip"),
        (archive(PLAIN)[:-30], "no-zip"),
        (archive(PLAIN, before=b"#!/bin/sh\n"), "gap"),
        (archive(PLAIN, before=b"#!/bin/sh\n", start=LOCAL_SIZE + 12), "gap"),
        (archive(PLAIN, between=b"hidden"), "gap"),
        (archive(PLAIN, after=b"%PDF-1.7"), "comment"),
        (archive(PLAIN, comment=b"PKsomething"), "comment"),
        (archive(PLAIN, OTHER, count=1), "headers-disagree"),
        (archive(PLAIN, count=2), "truncated"),
        (archive(PLAIN, Member(b"a.xml", b"second")), "duplicate-name"),
        (archive(PLAIN, Member(b"A.XML")), "duplicate-name"),
        (
            archive(Member("\u00e9".encode(), flags=UTF8), Member("e\u0301".encode(), flags=UTF8)),
            "duplicate-name",
        ),
        (archive(Member("Straße".encode(), flags=UTF8), Member(b"STRASSE")), "duplicate-name"),
        (archive(Member(b"../../etc/passwd")), "entry-name"),
        (archive(Member(b"/etc/passwd")), "entry-name"),
        (archive(Member(b"..\\..\\boot.ini")), "entry-name"),
        (archive(Member(b"C:evil")), "entry-name"),
        (archive(Member(b"META-INF/../x")), "entry-name"),
        (archive(Member(b"..")), "entry-name"),
        (archive(Member(b"")), "entry-name"),
        (archive(Member(b"a\x00b")), "entry-name"),
        (archive(Member(b"a\nb")), "entry-name"),
        (archive(Member("a\u202efdp.exe".encode(), flags=UTF8)), "entry-name"),
        (archive(Member(b"x" * 256)), "entry-name"),
        (archive(Member(b"gr\x94\xe1e")), "entry-name"),
        (archive(Member(b"\xff\xfe", flags=UTF8)), "entry-name"),
        (archive(Member(b"a", extra=b"\x75\x70\x06\x00\x01aaaab")), "entry-name"),
        (archive(Member(b"a", flags=1)), "encrypted"),
        (archive(Member(b"a", flags=0x41)), "encrypted"),
        (archive(Member(b"a", method=99)), "compression"),
        (archive(Member(b"a", method=14)), "compression"),
        (archive(Member(b"a", b"/etc/passwd", made_by=3 << 8, attributes=SYMLINK)), "special-file"),
        (archive(Member(b"a", b"", attributes=0x10)), "special-file"),
        (archive(Member(b"a", local={"name": b"b"})), "headers-disagree"),
        (archive(Member(b"a", local={"method": 8})), "headers-disagree"),
        (archive(Member(b"a", local={"flags": UTF8})), "headers-disagree"),
        (archive(Member(b"a", local={"crc": 1})), "headers-disagree"),
        (archive(Member(b"a", local={"size": 3, "compressed": 3})), "headers-disagree"),
        (archive(Member(b"a", size=3)), "headers-disagree"),
        (archive(Member(b"a", extra=b"\x01\x00\x10")), "truncated"),
    ],
)
def test_refused(data: bytes, code: str) -> None:
    assert code_of(data) == f"container.{code}"


def test_overlapping_files() -> None:
    """A second directory entry that points into the first file: what is inflated grows without
    the archive growing."""
    data = bytearray(archive(PLAIN, Member(b"b.xml")))
    second = data.rindex(b"PK\x01\x02")
    data[second + 42 : second + 46] = (0).to_bytes(4, "little")
    assert code_of(bytes(data)) == "container.gap"


def test_file_that_the_directory_does_not_list() -> None:
    data = archive(PLAIN, OTHER)
    directory = data.index(b"PK\x01\x02")
    second = data.rindex(b"PK\x01\x02")
    hidden = data[:directory] + data[second:-22]
    size = len(data) - 22 - second
    end = data[-22:-14] + b"\x01\x00\x01\x00" + size.to_bytes(4, "little")
    end += directory.to_bytes(4, "little") + b"\x00\x00"
    assert code_of(hidden + end) == "container.gap"


def test_limits() -> None:
    two = archive(PLAIN, OTHER)
    assert code_of(two, ContainerLimits(max_entries=1)) == "container.too-many-entries"
    assert code_of(two, ContainerLimits(max_bytes=11)) == "container.too-large"
    assert structure(two, ContainerLimits(max_entries=2, max_bytes=12)) == ["a.xml", "b.pdf"]


def test_bomb_by_ratio() -> None:
    limits = ContainerLimits(max_ratio=100, ratio_from=1000)
    bomb = archive(Member(b"a", b"\0" * 100_000, deflate=True))
    assert code_of(bomb, limits) == "container.zip-bomb"
    assert structure(bomb, ContainerLimits(max_ratio=100, ratio_from=200_000)) == ["a"]


def test_zip64_is_read() -> None:
    sizes = (7).to_bytes(8, "little") * 2
    extra = b"\x01\x00\x10\x00" + sizes
    data = bytearray(archive(Member(b"a", extra=extra)))
    directory = data.index(b"PK\x01\x02")
    data[18:26] = b"\xff" * 8
    data[directory + 20 : directory + 28] = b"\xff" * 8
    assert structure(bytes(data)) == ["a"]
    data[18 + 12 + 1 + 4] = 8  # the local header's Zip64 field tells another size
    assert code_of(bytes(data)) == "container.headers-disagree"


@given(st.data())
def test_no_altered_byte_crashes(data: st.DataObject) -> None:
    """Whatever is done to an archive's records, the answer is a structure or a refusal."""
    good = bytearray(archive(PLAIN, Member(b"b", b"xy" * 40, deflate=True), OTHER))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(good) - 1))
        good[at] = data.draw(st.integers(0, 255))
    try:
        structure(bytes(good))
    except ConnectorError as error:
        assert error.code.startswith("container.")
