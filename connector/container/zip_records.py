"""The records a zip archive is made of (PKWARE APPNOTE 6.3.10, 4.3), as far as containers use them.

Only what both sides of `zip_writing` and `zip_reading` need: numbers, layouts and the entry.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from connector.errors import ConnectorError, unacceptable

LOCAL: Final = struct.Struct("<4s5H3L2H")
"""Local file header: signature, version needed, flags, method, time, date, CRC-32, compressed,
size, length of name, length of extra field."""
CENTRAL: Final = struct.Struct("<4s6H3L5H2L")
"""Central directory header: signature, version made by, version needed, flags, method, time, date,
CRC-32, compressed, size, lengths of name, extra field and comment, disk, internal and external
attributes, offset of the local header."""
END: Final = struct.Struct("<4s4H2LH")
"""End of central directory: signature, disk, disk of directory, entries on disk, entries, size
and offset of the directory, length of the comment."""
END64: Final = struct.Struct("<4sQ2H2L4Q")
"""Zip64 end of central directory: signature, size of the rest, version made by, version needed,
disk, disk of directory, entries on disk, entries, size and offset of the directory."""
LOCATOR64: Final = struct.Struct("<4sLQL")
"""Zip64 end of central directory locator: signature, disk, offset of the record, disks."""

LOCAL_SIGNATURE: Final = b"PK\x03\x04"
CENTRAL_SIGNATURE: Final = b"PK\x01\x02"
END_SIGNATURE: Final = b"PK\x05\x06"
END64_SIGNATURE: Final = b"PK\x06\x06"
LOCATOR64_SIGNATURE: Final = b"PK\x06\x07"
DESCRIPTOR_SIGNATURE: Final = b"PK\x07\x08"

STORED: Final = 0
DEFLATED: Final = 8

ENCRYPTED: Final = 0x0001
DESCRIPTOR: Final = 0x0008
"""Sizes and CRC-32 follow the data."""
PATCH: Final = 0x0020
STRONG: Final = 0x0040
UTF8: Final = 0x0800
MASKED: Final = 0x2000

FULL16: Final = 0xFFFF
FULL32: Final = 0xFFFFFFFF
"""A field of this value stands in the Zip64 extra field instead."""

EXTRA_ZIP64: Final = 0x0001
EXTRA_UNICODE_PATH: Final = 0x7075


@dataclass(frozen=True, slots=True)
class Entry:
    """One file in an archive."""

    name: str
    method: int
    crc: int
    compressed: int
    """Bytes in the archive."""
    size: int
    """Bytes of the file."""
    offset: int
    """Of the local header, counted from the archive's first byte."""
    data: int
    """Of the file's first byte in the archive."""


def broken(code: str, what: str) -> ConnectorError:
    """The refusal of an archive; `code` without its `container.` prefix."""
    return unacceptable(
        f"container.{code}",
        what,
        mend="Ask the sender for a container that is an ordinary zip archive (APPNOTE 4.3.6).",
    )
