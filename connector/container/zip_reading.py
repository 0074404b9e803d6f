"""Reading the structure of a zip archive from a stranger, and refusing every ambiguity in it.

Two programs that read one archive must see the same files. So an archive is taken only if its
central directory and its local headers say the same, its files follow each other without gap or
overlap from the first byte on, and nothing else lies before, between or behind them. That closes
junk before the archive, polyglots, overlapping and hidden files; the limits close zip bombs before
a single byte is inflated.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from connector.container.names import collision_key
from connector.container.zip_headers import CentralHeader, central_headers, check_local
from connector.container.zip_records import (
    END,
    END64,
    END64_SIGNATURE,
    END_SIGNATURE,
    FULL16,
    FULL32,
    LOCAL,
    LOCATOR64,
    LOCATOR64_SIGNATURE,
    Entry,
    broken,
)
from connector.errors import ConnectorError

_COMMENT_START: Final = b"mimetype="
"""The only comment that an ASiC container's archive may have (EN 319 162-1, A.1)."""


@dataclass(frozen=True, slots=True)
class ContainerLimits:
    """How much a container may hold before it is refused."""

    max_entries: int = 1_000
    """Files in one archive."""
    max_bytes: int = 64 * 1024**3
    """Bytes of all files of one archive, uncompressed."""
    max_ratio: int = 200
    """Uncompressed to compressed bytes of one file larger than `ratio_from`."""
    ratio_from: int = 16 * 1024**2
    max_small_file: int = 4 * 1024**2
    """Bytes of a file that is read as a whole (mimetype, signatures.xml)."""
    folders: bool = False
    """Whether names may have folders in them; each step must be a safe name all the same."""


DEFAULT_LIMITS: Final = ContainerLimits()


@dataclass(frozen=True, slots=True)
class Window:
    """An archive that is a part of a seekable stream."""

    stream: BinaryIO
    start: int
    size: int

    def at(self, offset: int, length: int) -> bytes:
        """Exactly `length` bytes at `offset` of the archive. Raises `container.truncated`."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise broken("truncated", "A record of the archive lies outside of it.")
        self.stream.seek(self.start + offset)
        data = self.stream.read(length)
        if len(data) != length:
            raise broken("truncated", "The archive ends in the middle of a record.")
        return data

    def chunks(self, offset: int, length: int, step: int = 1024 * 1024) -> Iterator[bytes]:
        """The bytes from `offset` on, in pieces. Raises `container.truncated`."""
        if offset < 0 or length < 0 or offset + length > self.size:
            raise broken("truncated", "A file of the archive lies outside of it.")
        self.stream.seek(self.start + offset)
        while length:
            piece = self.stream.read(min(length, step))
            if not piece:
                raise broken("truncated", "The archive ends in the middle of a file.")
            length -= len(piece)
            yield piece


def read_structure(window: Window, limits: ContainerLimits = DEFAULT_LIMITS) -> tuple[Entry, ...]:
    """The files of an archive in the order of their bytes, checked in every respect but content.

    Raises `ConnectorError` (unacceptable): `container.no-zip`, `container.truncated`,
    `container.comment`, `container.split`, `container.gap` (bytes that belong to no file, or to
    two), `container.headers-disagree`, `container.encrypted`, `container.compression`,
    `container.special-file`, `container.entry-name`, `container.duplicate-name`,
    `container.too-many-entries`, `container.too-large`, `container.zip-bomb`.
    """
    start, length, count = _find_directory(window)
    if count > limits.max_entries:
        raise broken(
            "too-many-entries",
            f"The archive has {count} files; {limits.max_entries} are allowed.",
        )
    headers = central_headers(window.at(start, length), count, folders=limits.folders)
    _check_amount(headers, limits)
    _check_names(headers)
    headers = sorted(headers, key=lambda header: header.offset)
    entries = []
    expected = 0
    for header in headers:
        if header.offset != expected:
            raise _gap(header.name)
        entry = _entry(window, header)
        after = entry.data + entry.compressed
        expected = after + _descriptor(window, header, after)
        entries.append(entry)
    if expected != start:
        raise _gap("the central directory")
    return tuple(entries)


def _gap(where: str) -> ConnectorError:
    return broken(
        "gap",
        f"Before {where} the archive has bytes that belong to no file, or files that overlap.",
    )


def _find_directory(window: Window) -> tuple[int, int, int]:
    """Offset, length and number of entries of the central directory."""
    tail_size = min(window.size, END.size + FULL16)
    tail = window.at(window.size - tail_size, tail_size)
    found = tail.rfind(END_SIGNATURE, 0, max(0, tail_size - END.size) + 4)
    if found < 0 or tail_size - found < END.size:
        raise broken("no-zip", "The container is no zip archive: it has no end record.")
    at = window.size - tail_size + found
    end = END.unpack_from(tail, found)
    _, disk, directory_disk, here, count, length, start, comment_length = end
    comment = tail[found + END.size :]
    if len(comment) != comment_length or (comment and not comment.startswith(_COMMENT_START)):
        raise broken("comment", "Bytes follow the end of the archive, or it has a comment.")
    if disk or directory_disk or here != count:
        raise broken("split", "The archive is a part of a split archive.")
    if FULL16 in {here, count} or FULL32 in {length, start}:
        count, length, start, at = _directory64(window, at, (count, length, start))
    if start + length != at:
        raise _gap("the end record")
    return start, length, count


def _directory64(window: Window, at: int, short: tuple[int, int, int]) -> tuple[int, int, int, int]:
    if at < LOCATOR64.size + END64.size:
        raise broken("truncated", "The archive's Zip64 end record is missing.")
    signature, disk, offset, disks = LOCATOR64.unpack(
        window.at(at - LOCATOR64.size, LOCATOR64.size)
    )
    if signature != LOCATOR64_SIGNATURE or disk or disks != 1:
        raise broken("truncated", "The archive's Zip64 end record is missing.")
    if offset + END64.size + LOCATOR64.size != at:
        raise _gap("the Zip64 end record")
    record = END64.unpack(window.at(offset, END64.size))
    signature, rest, _, _, disk, directory_disk, here, count, length, start = record
    if signature != END64_SIGNATURE or rest != END64.size - 12:
        raise broken("truncated", "The archive's Zip64 end record is broken.")
    if disk or directory_disk or here != count:
        raise broken("split", "The archive is a part of a split archive.")
    full = (FULL16, FULL32, FULL32)
    for said, meant, limit in zip(short, (count, length, start), full, strict=True):
        if said not in {meant, limit}:
            raise broken("headers-disagree", "The archive's two end records disagree.")
    return count, length, start, offset


def _check_amount(headers: list[CentralHeader], limits: ContainerLimits) -> None:
    total = sum(header.size for header in headers)
    if total > limits.max_bytes:
        raise broken("too-large", f"The files have {total} bytes; {limits.max_bytes} are allowed.")
    for header in headers:
        bomb = header.size > limits.max_ratio * max(1, header.compressed)
        if bomb and header.size > limits.ratio_from:
            raise broken(
                "zip-bomb",
                f"{header.name!r} would grow from {header.compressed} to {header.size} bytes; "
                f"{limits.max_ratio} times is allowed.",
            )


def _check_names(headers: list[CentralHeader]) -> None:
    seen: dict[str, str] = {}
    for header in headers:
        key = collision_key(header.name)
        if key in seen:
            raise broken(
                "duplicate-name",
                f"The archive has {header.name!r} and {seen[key]!r}, which are one name.",
            )
        seen[key] = header.name


def _entry(window: Window, header: CentralHeader) -> Entry:
    fixed = window.at(header.offset, LOCAL.size)
    fields = LOCAL.unpack(fixed)
    variable = window.at(header.offset + LOCAL.size, fields[9] + fields[10])
    check_local(header, fields, variable)
    return Entry(
        name=header.name,
        method=header.method,
        crc=header.crc,
        compressed=header.compressed,
        size=header.size,
        offset=header.offset,
        data=header.offset + LOCAL.size + len(variable),
    )


def _descriptor(window: Window, header: CentralHeader, at: int) -> int:
    """Length of the data descriptor at `at`, which must say what the central directory says."""
    if not header.has_descriptor:
        return 0
    following = window.at(at, min(24, window.size - at))
    for possible in header.descriptors():
        if following.startswith(possible):
            return len(possible)
    raise broken(
        "headers-disagree",
        f"What follows the bytes of {header.name!r} is not what the directory says of it.",
    )
