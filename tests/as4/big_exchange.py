"""Run as a process of its own: send a payload through two access points, report peak memory.

Arguments: megabytes, media type. Prints the peak resident size in MiB and the seconds taken.
"""

from __future__ import annotations

import hashlib
import io
import sys
import tempfile
import time
from pathlib import Path
from typing import BinaryIO, cast

from gateway_client.as4.client import As4Client
from gateway_client.model import Payload, PayloadSource, UserMessage
from gateway_client.pmode.model import PModes
from tests.as4.access_points import RED_KEY, blue_endpoint, message, pmode

MEBIBYTE = 1024 * 1024


class Generated:
    """A payload of `size` bytes that is nowhere whole."""

    def __init__(self, mebibytes: int) -> None:
        self.size = mebibytes * MEBIBYTE
        self._block = b"".join(hashlib.sha256(b"%d" % i).digest() for i in range(MEBIBYTE // 32))

    def open(self) -> BinaryIO:
        block, left = self._block, [self.size // MEBIBYTE]

        class Stream(io.RawIOBase):
            def read(self, size: int = -1) -> bytes:
                if left[0] <= 0:
                    return b""
                left[0] -= 1
                return block

        return cast(BinaryIO, Stream())


class Measuring:
    """A receiver that digests and counts what it gets."""

    def __init__(self) -> None:
        self.digest = hashlib.sha256()
        self.size = 0
        self.received = 0

    def writer(self) -> Measuring:
        return self

    def write(self, chunk: bytes) -> object:
        self.digest.update(chunk)
        self.size += len(chunk)
        return None

    def commit(self) -> PayloadSource:
        return Generated(0)

    def abort(self) -> None:
        self.size = -1

    def receive(self, message: UserMessage, raw: bytes) -> bool:
        self.received += 1
        return True


def _peak() -> int:
    """MiB of this process alone: getrusage would count what its parent had when it was forked."""
    status = Path("/proc/self/status").read_text("ascii")
    line = next(each for each in status.splitlines() if each.startswith("VmHWM:"))
    return int(line.split()[1]) // 1024


def main() -> None:
    mebibytes, media_type = int(sys.argv[1]), sys.argv[2]
    source, inbox = Generated(mebibytes), Measuring()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as scratch, blue_endpoint(inbox) as url:  # type: ignore[arg-type]
        client = As4Client(PModes((pmode(url),)), RED_KEY, scratch=Path(scratch))
        client.submit(message(Payload("big", media_type, source)))
        client.close()
    expected = hashlib.sha256()
    for _ in range(mebibytes):
        expected.update(source._block)
    assert inbox.received == 1 and inbox.size == source.size
    assert inbox.digest.digest() == expected.digest()
    print(_peak(), round(time.monotonic() - started, 1))


if __name__ == "__main__":
    main()
