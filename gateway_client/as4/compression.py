"""AS4 payload compression (AS4 profile 1.0, 3.1): gzip, as streams of bounded chunks."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from connector.errors import unacceptable

GZIP: Final = "application/gzip"
"""The value of the part property CompressionType."""
CHUNK: Final = 1024 * 1024
_GZIP_FORMAT: Final = 31  # zlib's wbits for a gzip header with the largest window


def gzip(stream: BinaryIO, level: int) -> Iterator[bytes]:
    """`stream` compressed. The same content gives the same bytes: no name, no time is written."""
    compressor = zlib.compressobj(level, zlib.DEFLATED, _GZIP_FORMAT)
    while chunk := stream.read(CHUNK):
        if out := compressor.compress(chunk):
            yield out
    yield compressor.flush()


class Gunzip:
    """Decompresses one gzip member that arrives in pieces, never more than `limit` bytes of it."""

    def __init__(self, limit: int) -> None:
        self._inflater = zlib.decompressobj(_GZIP_FORMAT)
        self._left = limit
        self._limit = limit

    def feed(self, data: bytes) -> Iterator[bytes]:
        """What `data` decompresses to, in pieces of up to 1 MiB.

        Raises `as4.decompression-bomb`, `as4.decompression-failed`,
        `as4.decompression-trailing-data` (a second member included).
        """
        while data:
            if self._inflater.eof:
                raise _trailing()
            try:
                # One byte beyond what is left tells a bomb from content that just fits.
                out = self._inflater.decompress(data, min(CHUNK, self._left + 1))
            except zlib.error as error:
                raise unacceptable(
                    "as4.decompression-failed", "A payload is not what gzip makes."
                ) from error
            self._left -= len(out)
            if self._left < 0:
                raise unacceptable(
                    "as4.decompression-bomb",
                    f"A payload decompresses to more than {self._limit} bytes.",
                )
            if out:
                yield out
            if self._inflater.unused_data:
                raise _trailing()
            data = self._inflater.unconsumed_tail

    def close(self) -> Iterator[bytes]:
        """What was held back. Raises `as4.decompression-failed` where the end is missing."""
        while not self._inflater.eof:
            try:
                out = self._inflater.decompress(b"", min(CHUNK, self._left + 1))
            except zlib.error:
                out = b""
            if not out:
                raise unacceptable("as4.decompression-failed", "A compressed payload is cut off.")
            self._left -= len(out)
            if self._left < 0:
                raise unacceptable(
                    "as4.decompression-bomb",
                    f"A payload decompresses to more than {self._limit} bytes.",
                )
            yield out


def _trailing() -> Exception:
    return unacceptable(
        "as4.decompression-trailing-data",
        "Data follow the end of a compressed payload.",
        mend="Compress each payload as one gzip member.",
    )
