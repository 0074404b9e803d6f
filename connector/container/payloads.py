"""Payloads that are small enough to live in memory, and streams made seekable."""

from __future__ import annotations

import io
import shutil
import tempfile
from dataclasses import dataclass
from typing import BinaryIO, Final, cast

from gateway_client.model import PayloadSource

_IN_MEMORY: Final = 8 * 1024 * 1024
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class BytesSource:
    """A payload source over bytes."""

    data: bytes

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self.data)

    def open(self) -> BinaryIO:
        """A new stream at the first byte."""
        return io.BytesIO(self.data)


class MemoryWriter:
    """A payload writer that keeps everything in memory: for inspection and tests, not for
    attachments of a real exchange."""

    def __init__(self) -> None:
        self._chunks: list[bytes] = []

    def write(self, chunk: bytes) -> int:
        """Append bytes."""
        self._chunks.append(chunk)
        return len(chunk)

    def commit(self) -> BytesSource:
        """What was written."""
        return BytesSource(b"".join(self._chunks))

    def abort(self) -> None:
        """Discard what was written."""
        self._chunks.clear()


def spool() -> BinaryIO:
    """A private temporary file: in memory while it is small, unnamed on disk when it grows."""
    return cast(BinaryIO, tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY))


def opened_seekable(source: PayloadSource) -> BinaryIO:
    """The source as a seekable stream at its first byte; the caller closes it."""
    stream = source.open()
    if stream.seekable():
        return stream
    copy = spool()
    with stream:
        shutil.copyfileobj(stream, copy, _CHUNK)
    copy.seek(0)
    return copy
