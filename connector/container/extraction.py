"""Taking the files out of an archive in one pass over its bytes, while those bytes are digested.

Nothing becomes visible before the caller has held the digest against the signature and commits.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from connector.container.zip_reading import Window
from connector.container.zip_records import STORED, Entry, broken
from gateway_client.model import PayloadSource, PayloadWriter

_STEP: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class ContainedFile:
    """A file from a container whose signature has been verified."""

    name: str
    size: int
    sha256: bytes
    source: PayloadSource


class Inflater:
    """The bytes of one file of an archive, piece by piece, bounded by what the directory says."""

    def __init__(self, entry: Entry) -> None:
        self._entry = entry
        self._inflate = None if entry.method == STORED else zlib.decompressobj(-zlib.MAX_WBITS)
        self._crc = 0
        self._size = 0

    def feed(self, piece: bytes, out: Callable[[bytes], object]) -> None:
        """Take a piece of the archive, give what it holds to `out`.

        Raises `container.size-disagrees`, `container.corrupt`.
        """
        if self._inflate is None:
            self._give(piece, out)
            return
        while piece:
            try:
                data = self._inflate.decompress(piece, _STEP)
            except zlib.error as error:
                raise self._corrupt(str(error)) from error
            self._give(data, out)
            piece = self._inflate.unconsumed_tail
            if self._inflate.unused_data:
                raise self._corrupt("it goes on after its end")

    def finish(self, out: Callable[[bytes], object]) -> None:
        """The archive has given all of the file's bytes. Raises as `feed`."""
        if self._inflate is not None:
            if not self._inflate.eof:
                self._give(self._inflate.flush(), out)
            if not self._inflate.eof:
                raise self._corrupt("it ends too early")
        if self._size != self._entry.size:
            raise self._too_long()
        if self._crc != self._entry.crc:
            raise self._corrupt("its checksum is another")

    def _give(self, data: bytes, out: Callable[[bytes], object]) -> None:
        self._size += len(data)
        if self._size > self._entry.size:
            raise self._too_long()
        self._crc = zlib.crc32(data, self._crc)
        if data:
            out(data)

    def _too_long(self) -> Exception:
        return broken(
            "size-disagrees",
            f"{self._entry.name!r} has not the {self._entry.size} bytes that the archive says.",
        )

    def _corrupt(self, why: str) -> Exception:
        return broken("corrupt", f"{self._entry.name!r} cannot be read from the archive: {why}.")


def read_small(window: Window, entry: Entry, limit: int) -> bytes:
    """A whole file of at most `limit` bytes. Raises `container.too-large` and as `Inflater`."""
    if entry.size > limit:
        raise broken("too-large", f"{entry.name!r} has {entry.size} bytes; {limit} are allowed.")
    parts: list[bytes] = []
    inflater = Inflater(entry)
    for piece in window.chunks(entry.data, entry.compressed):
        inflater.feed(piece, parts.append)
    inflater.finish(parts.append)
    return b"".join(parts)


class Extraction:
    """All files of an archive on their way to their writers."""

    def __init__(
        self, window: Window, entries: Sequence[Entry], writer: Callable[[], PayloadWriter]
    ) -> None:
        self._window = window
        self._entries = entries
        self._new_writer = writer
        self._pending: list[tuple[Entry, bytes, PayloadWriter]] = []

    def run(self, digest: Callable[[bytes], object]) -> None:
        """Pass once over every byte of the archive, giving each to `digest`.

        Raises `ConnectorError` as `Inflater`, and whatever the writers raise.
        """
        at = 0
        for entry in self._entries:
            self._skip(at, entry.data, digest)
            at = entry.data + entry.compressed
            self._take(entry, digest)
        self._skip(at, self._window.size, digest)

    def commit(self) -> tuple[ContainedFile, ...]:
        """Make the files durable, in the order of the archive."""
        return tuple(
            ContainedFile(entry.name, entry.size, sha256, writer.commit())
            for entry, sha256, writer in self._pending
        )

    def abort(self) -> None:
        """Discard everything that has not been committed."""
        for _, _, writer in self._pending:
            writer.abort()

    def _skip(self, start: int, end: int, digest: Callable[[bytes], object]) -> None:
        for piece in self._window.chunks(start, end - start):
            digest(piece)

    def _take(self, entry: Entry, digest: Callable[[bytes], object]) -> None:
        writer = self._new_writer()
        # Known to `abort` from the first byte on.
        self._pending.append((entry, b"", writer))
        sha256 = hashlib.sha256()

        def out(data: bytes) -> None:
            sha256.update(data)
            writer.write(data)

        inflater = Inflater(entry)
        for piece in self._window.chunks(entry.data, entry.compressed):
            digest(piece)
            inflater.feed(piece, out)
        inflater.finish(out)
        self._pending[-1] = (entry, sha256.digest(), writer)
