"""Files leave an archive whole or not at all, and never larger than it said."""

from __future__ import annotations

import hashlib
import io
import zlib

import pytest

from connector.container.extraction import Extraction, read_small
from connector.container.payloads import BytesSource, MemoryWriter
from connector.container.zip_reading import Window, read_structure
from connector.errors import ConnectorError
from tests.container.archives import Member, archive


class Writer(MemoryWriter):
    """Tells whether it was committed or aborted."""

    made: list[Writer]

    def __init__(self) -> None:
        super().__init__()
        self.state = "open"

    def commit(self) -> BytesSource:
        self.state = "committed"
        return super().commit()

    def abort(self) -> None:
        self.state = "aborted"
        super().abort()


def extraction(data: bytes) -> tuple[Extraction, list[Writer]]:
    window = Window(io.BytesIO(data), 0, len(data))
    made: list[Writer] = []

    def writer() -> Writer:
        made.append(Writer())
        return made[-1]

    return Extraction(window, read_structure(window), writer), made


def test_everything_is_digested_once_and_nothing_is_committed_early() -> None:
    content = bytes(range(256)) * 20_000
    data = archive(Member(b"a", content, deflate=True), Member(b"b", b""), Member(b"c", content))
    taken, writers = extraction(data)
    digest = hashlib.sha256()
    taken.run(digest.update)
    assert digest.digest() == hashlib.sha256(data).digest()
    assert [writer.state for writer in writers] == ["open"] * 3
    files = taken.commit()
    assert [file.name for file in files] == ["a", "b", "c"]
    assert [file.source.open().read() for file in files] == [content, b"", content]
    assert files[0].sha256 == hashlib.sha256(content).digest()
    assert files[2].size == len(content)


BOMB = b"\0" * 3_000_000


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (Member(b"a", crc=1), "corrupt"),
        (Member(b"a", b"x" * 50, deflate=True, size=49), "size-disagrees"),
        (Member(b"a", b"x" * 50, deflate=True, size=51), "size-disagrees"),
        (Member(b"a", BOMB, deflate=True, size=10), "size-disagrees"),
        (Member(b"a", b"\xff no deflate", method=8), "corrupt"),
        (Member(b"a", b"", method=8), "corrupt"),
        (
            Member(b"a", zlib.compress(b"x")[2:-4] + b"more", method=8, size=1, crc=0x8CDC1683),
            "corrupt",
        ),
    ],
)
def test_lies_about_content(member: Member, code: str) -> None:
    taken, writers = extraction(archive(Member(b"first"), member))
    with pytest.raises(ConnectorError) as caught:
        taken.run(lambda data: None)
    assert caught.value.code == f"container.{code}"
    taken.abort()
    assert {writer.state for writer in writers} == {"aborted"}


def test_a_lying_file_never_gives_more_than_one_step() -> None:
    member = Member(b"a", BOMB, deflate=True, size=10)
    taken, writers = extraction(archive(member))
    with pytest.raises(ConnectorError):
        taken.run(lambda data: None)
    assert writers[0].commit().size == 0


def test_small_files_have_a_limit() -> None:
    data = archive(Member(b"mimetype", b"x" * 100, deflate=True))
    window = Window(io.BytesIO(data), 0, len(data))
    (entry,) = read_structure(window)
    assert read_small(window, entry, 100) == b"x" * 100
    with pytest.raises(ConnectorError) as caught:
        read_small(window, entry, 99)
    assert caught.value.code == "container.too-large"
