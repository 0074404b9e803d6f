"""Writing zip archives of stored files whose sizes are known: pure layout, no seeking.

Files are stored, never compressed: the gateway compresses what it sends, and a stored archive
inside a stored archive can be read in place. Sizes and CRC-32 stand in the local headers, since
streaming readers (Java's among them) do not take stored files with a data descriptor.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.container.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    EXTRA_ZIP64,
    FULL16,
    FULL32,
    LOCAL,
    LOCAL_SIGNATURE,
    LOCATOR64,
    LOCATOR64_SIGNATURE,
    STORED,
    UTF8,
)

_VERSION: Final = 10
_VERSION_64: Final = 45


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file to be stored, whose content is known by size and checksum."""

    name: str
    size: int
    crc: int


def dos_time(moment: datetime) -> tuple[int, int]:
    """Time and date as zip writes them: UTC, two-second steps, from 1980 to 2107."""
    utc = moment.astimezone(UTC)
    year = min(max(utc.year, 1980), 2107)
    date = (year - 1980) << 9 | utc.month << 5 | utc.day
    return utc.hour << 11 | utc.minute << 5 | utc.second // 2, date


def local_header(file: StoredFile, moment: datetime) -> bytes:
    """What stands before a file's bytes (APPNOTE 4.3.7), with a Zip64 extra field if needed."""
    name, flags = _name(file)
    version, size, extra = _VERSION, file.size, b""
    if file.size >= FULL32:
        version, size = _VERSION_64, FULL32
        extra = _extra64(file.size, file.size)
    time, date = dos_time(moment)
    head = LOCAL.pack(
        LOCAL_SIGNATURE,
        version,
        flags,
        STORED,
        time,
        date,
        file.crc,
        size,
        size,
        len(name),
        len(extra),
    )
    return head + name + extra


def directory(files: list[tuple[StoredFile, int]], offset: int, moment: datetime) -> bytes:
    """The central directory of `files` (each with its local header's offset) and the end records
    (APPNOTE 4.3.12 to 4.3.16); `offset` is where the directory starts."""
    headers = b"".join(_central_header(file, at, moment) for file, at in files)
    count, size = len(files), len(headers)
    end64 = b""
    if count >= FULL16 or size >= FULL32 or offset >= FULL32:
        end64 = END64.pack(
            END64_SIGNATURE,
            END64.size - 12,
            _VERSION_64,
            _VERSION_64,
            0,
            0,
            count,
            count,
            size,
            offset,
        ) + LOCATOR64.pack(LOCATOR64_SIGNATURE, 0, offset + size, 1)
    few = min(count, FULL16)
    end = END.pack(END_SIGNATURE, 0, 0, few, few, min(size, FULL32), min(offset, FULL32), 0)
    return headers + end64 + end


def _central_header(file: StoredFile, offset: int, moment: datetime) -> bytes:
    name, flags = _name(file)
    large = [value for value in (file.size, file.size, offset) if value >= FULL32]
    version = _VERSION_64 if large else _VERSION
    extra = _extra64(*large) if large else b""
    time, date = dos_time(moment)
    size = min(file.size, FULL32)
    head = CENTRAL.pack(
        CENTRAL_SIGNATURE,
        version,
        version,
        flags,
        STORED,
        time,
        date,
        file.crc,
        size,
        size,
        len(name),
        len(extra),
        0,
        0,
        0,
        0,
        min(offset, FULL32),
    )
    return head + name + extra


def _name(file: StoredFile) -> tuple[bytes, int]:
    name = file.name.encode()
    return name, 0 if file.name.isascii() else UTF8


def _extra64(*values: int) -> bytes:
    body = b"".join(value.to_bytes(8, "little") for value in values)
    return EXTRA_ZIP64.to_bytes(2, "little") + len(body).to_bytes(2, "little") + body
