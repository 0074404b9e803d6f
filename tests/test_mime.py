"""multipart/related: what is written is read, however it is cut; what is wrong is refused."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import BinaryIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.errors import ConnectorError
from gateway_client.mime import OutgoingPart, PartBegins, PartData, RelatedReader, RelatedWriter


@dataclass
class Bytes:
    data: bytes

    @property
    def size(self) -> int:
        return len(self.data)

    def open(self) -> BinaryIO:
        return io.BytesIO(self.data)


def parts_of(content_type: str, chunks: list[bytes]) -> list[tuple[str, str, bytes]]:
    reader, found = RelatedReader(content_type), []
    for chunk in chunks:
        for event in reader.feed(chunk):
            if isinstance(event, PartBegins):
                found.append((event.content_id, event.media_type, b""))
            elif isinstance(event, PartData):
                content_id, kind, data = found[-1]
                found[-1] = (content_id, kind, data + event.data)
    reader.close()
    return found


def writer(*contents: bytes) -> RelatedWriter:
    return RelatedWriter(
        boundary="bbbb",
        parameters=(("type", "application/xop+xml"),),
        parts=tuple(
            OutgoingPart(content_id=f"p{n}@x", content_type="a/b; c=d", source=Bytes(content))
            for n, content in enumerate(contents)
        ),
    )


tricky = st.lists(
    st.sampled_from([b"\r\n", b"--", b"bbb", b"b", b"\r", b"\n", b"\0", b"--bbb", b"x" * 70]),
    max_size=12,
).map(b"".join)
contents = st.binary(max_size=300) | tricky


@given(
    st.lists(contents.filter(lambda c: b"\r\n--bbbb" not in b"\r\n" + c), min_size=1, max_size=4),
    st.integers(1, 50),
)
def test_round_trip_however_it_is_cut(data: list[bytes], size: int) -> None:
    written = writer(*data)
    entity = b"".join(written)
    assert len(entity) == len(written)
    chunks = [entity[i : i + size] for i in range(0, len(entity), size)]
    assert parts_of(written.content_type, chunks) == [
        (f"p{n}@x", "a/b", content) for n, content in enumerate(data)
    ]


def test_each_truncation_is_noticed() -> None:
    written = writer(b"one", b"two")
    entity = b"".join(written)
    for end in range(len(entity) - 4):
        with pytest.raises(ConnectorError) as caught:
            parts_of(written.content_type, [entity[:end]])
        assert caught.value.code == "mime.truncated"


@pytest.mark.parametrize(
    ("content_type", "entity", "code"),
    [
        ("text/xml", b"", "mime.not-related"),
        ("multipart/related", b"", "mime.no-boundary"),
        (f"multipart/related; boundary={'b' * 300}", b"", "mime.malformed"),
        ("multipart/related; boundary=b", b"<html>", "mime.malformed"),
        (
            "multipart/related; boundary=b",
            b"--b\r\nContent-ID: 1\r\ncontent-id: 2\r\n\r\n",
            "mime.duplicate-header",
        ),
        (
            "multipart/related; boundary=b",
            b"--b\r\nContent-ID: <1>\r\n\r\nx\r\n--b\r\nContent-ID: 1\r\n\r\n",
            "mime.duplicate-content-id",
        ),
        (
            "multipart/related; boundary=b",
            b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\n",
            "mime.transfer-encoding",
        ),
        (
            'multipart/related; boundary=b; start="<r>"',
            b"--b\r\nContent-ID: <1>\r\n\r\n",
            "mime.root-not-first",
        ),
        (
            "multipart/related; boundary=b",
            b"--b\r\n\r\n" + b"\r\n--b\r\n\r\n" * 1000,
            "mime.too-many-parts",
        ),
        (
            "multipart/related; boundary=b",
            b"--b\r\nA: " + b"x" * 100_000 + b"\r\n\r\n",
            "mime.malformed",
        ),
    ],
)
def test_refusals(content_type: str, entity: bytes, code: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        parts_of(content_type, [entity])
    assert caught.value.code == code


def test_a_line_break_in_a_header_is_refused() -> None:
    part = OutgoingPart(content_id="a\r\nX: y", content_type="a/b", source=Bytes(b""))
    with pytest.raises(ConnectorError, match=r"mime\.header-value"):
        part.head()


@pytest.mark.parametrize("said", [2, 4])
def test_a_source_of_another_size_is_noticed(said: int) -> None:
    class Liar(Bytes):
        @property
        def size(self) -> int:
            return said

    part = OutgoingPart(content_id="a", content_type="a/b", source=Liar(b"123"))
    with pytest.raises(ConnectorError, match=r"mime\.source-size"):
        b"".join(RelatedWriter(parts=(part,), boundary="b"))
