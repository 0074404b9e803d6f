"""A stream of stored content that is checked against its address while it is read."""

from __future__ import annotations

import hashlib
import io
from typing import Any

from connector.errors import ConnectorError, unacceptable
from connector.exchange.records import PayloadRef


def altered(ref: PayloadRef) -> ConnectorError:
    """The content is not what was stored."""
    return unacceptable(
        "store.payload-altered",
        f"The stored content {ref.sha256} has been altered.",
        mend="Restore the payload folder from a backup, and find out who changed it.",
    )


class CheckedStream(io.RawIOBase):
    """Raw bytes of `file`; the read that reaches the end raises if they do not fit `ref`.

    Not seekable: what was skipped could not be checked.
    """

    def __init__(self, file: io.FileIO, ref: PayloadRef) -> None:
        self._file = file
        self._ref = ref
        self._digest = hashlib.sha256()
        self._size = 0

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Fill `buffer`. Raises `store.payload-altered` instead of handing out the last bytes of
        altered content, so that nobody can finish with it."""
        count = self._file.readinto(buffer) or 0
        with memoryview(buffer) as view:
            self._digest.update(view[:count])
        self._size += count
        ended = count == 0 or self._size >= self._ref.size
        if ended and (self._size != self._ref.size or self._digest.hexdigest() != self._ref.sha256):
            raise altered(self._ref)
        return count

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()
