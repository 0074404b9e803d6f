"""The two headers of a zip entry: reading them, and holding one against the other."""

from __future__ import annotations

import stat
from dataclasses import dataclass
from typing import Any, Final

from connector.container.names import fault_of
from connector.container.zip_records import (
    CENTRAL,
    CENTRAL_SIGNATURE,
    DEFLATED,
    DESCRIPTOR,
    DESCRIPTOR_SIGNATURE,
    ENCRYPTED,
    EXTRA_UNICODE_PATH,
    EXTRA_ZIP64,
    FULL32,
    LOCAL_SIGNATURE,
    MASKED,
    PATCH,
    STORED,
    STRONG,
    UTF8,
    broken,
)

_UNIX: Final = 3
_DOS_FOLDER: Final = 0x10
META_INF: Final = "META-INF/"


@dataclass(frozen=True, slots=True)
class CentralHeader:
    """What the central directory says of one file."""

    name: str
    raw_name: bytes
    flags: int
    method: int
    crc: int
    compressed: int
    size: int
    offset: int

    @property
    def has_descriptor(self) -> bool:
        """Sizes and checksum follow the data."""
        return bool(self.flags & DESCRIPTOR)

    def descriptors(self) -> tuple[bytes, ...]:
        """Every data descriptor that fits (APPNOTE 4.3.9): with and without its signature, with
        sizes of eight and of four bytes. The longest first, so that none is taken for a shorter."""
        crc = self.crc.to_bytes(4, "little")
        wide = crc + self.compressed.to_bytes(8, "little") + self.size.to_bytes(8, "little")
        forms = [DESCRIPTOR_SIGNATURE + wide, wide]
        if self.size <= FULL32 and self.compressed <= FULL32:
            narrow = crc + self.compressed.to_bytes(4, "little") + self.size.to_bytes(4, "little")
            forms = [DESCRIPTOR_SIGNATURE + wide, DESCRIPTOR_SIGNATURE + narrow, wide, narrow]
        return tuple(forms)


def central_headers(directory: bytes, count: int, *, folders: bool = False) -> list[CentralHeader]:
    """The headers in a central directory, which must be `count` and fill it.

    Raises `ConnectorError`: see `zip_reading.read_structure`.
    """
    headers = []
    at = 0
    for _ in range(count):
        if len(directory) - at < CENTRAL.size:
            raise broken("truncated", "The archive's directory ends too early.")
        fields = CENTRAL.unpack_from(directory, at)
        lengths = fields[10:13]
        variable = directory[at + CENTRAL.size : at + CENTRAL.size + sum(lengths)]
        at += CENTRAL.size + sum(lengths)
        if fields[0] != CENTRAL_SIGNATURE or len(variable) != sum(lengths):
            raise broken("truncated", "The archive's directory is broken.")
        headers.append(_central(fields, variable, folders))
    if at != len(directory):
        raise broken("headers-disagree", "The archive's directory has more than its files.")
    return headers


def _central(fields: tuple[Any, ...], variable: bytes, folders: bool) -> CentralHeader:
    made_by, _, flags, method = fields[1:5]
    crc, compressed, size, name_length, extra_length = fields[7:12]
    disk, _, attributes, offset = fields[13:17]
    raw_name = variable[:name_length]
    name = _decoded(raw_name, flags, folders)
    if not name.endswith("/"):
        _check_kind(name, flags, method, made_by >> 8, attributes)
    elif size or compressed:
        raise broken("special-file", f"{name!r} is a folder with content.")
    if disk:
        raise broken("split", "The archive is a part of a split archive.")
    extra = _extra_fields(variable[name_length : name_length + extra_length], name)
    size, compressed, offset = _widened(extra, (size, compressed, offset), name)
    if method == STORED and size != compressed:
        raise broken("headers-disagree", f"{name!r} is stored, but has two sizes.")
    return CentralHeader(name, raw_name, flags, method, crc, compressed, size, offset)


def check_local(header: CentralHeader, fields: tuple[Any, ...], variable: bytes) -> None:
    """Hold the local header's `fields` (with name and extra field) against the central one.

    Raises `container.headers-disagree`.
    """
    signature, _, flags, method, _, _, crc, compressed, size, name_length, _ = fields
    said: list[tuple[str, object, object]] = [
        ("signature", signature, LOCAL_SIGNATURE),
        ("name", variable[:name_length], header.raw_name),
        ("flags", flags, header.flags),
        ("method", method, header.method),
    ]
    extra = _extra_fields(variable[name_length:], header.name)
    size, compressed, _ = _widened(extra, (size, compressed, 0), header.name)
    # With a data descriptor the local header may leave checksum and sizes out, all or none.
    if not (header.has_descriptor and (crc, compressed, size) == (0, 0, 0)):
        said += [
            ("checksum", crc, header.crc),
            ("compressed size", compressed, header.compressed),
            ("size", size, header.size),
        ]
    for what, here, there in said:
        if here != there:
            raise broken(
                "headers-disagree",
                f"The archive's directory and the file's own header disagree on the {what} of "
                f"{header.name!r}.",
            )


def _decoded(raw: bytes, flags: int, folders: bool) -> str:
    try:
        name = raw.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError as error:
        raise broken(
            "entry-name", f"The file name {raw!r} is neither ASCII nor marked as UTF-8."
        ) from error
    # ASiC-S has one folder, and no other is of use there.
    steps = name.removesuffix("/").split("/") if folders else [name.removeprefix(META_INF)]
    fault = next((found for step in steps if (found := fault_of(step))), "")
    if fault and name != META_INF:
        raise broken("entry-name", f"The file name {name!r} {fault}.")
    return name


def _check_kind(name: str, flags: int, method: int, system: int, attributes: int) -> None:
    if flags & (ENCRYPTED | STRONG | MASKED):
        raise broken("encrypted", f"{name!r} is encrypted.")
    if method not in {STORED, DEFLATED} or flags & PATCH:
        raise broken("compression", f"{name!r} has the unknown compression method {method}.")
    kind = stat.S_IFMT(attributes >> 16) if system == _UNIX else 0
    if kind not in {0, stat.S_IFREG} or attributes & _DOS_FOLDER:
        raise broken("special-file", f"{name!r} is a link, a folder or a device.")


def _extra_fields(data: bytes, name: str) -> bytes:
    """The content of the Zip64 extra field, empty if there is none."""
    zip64, at = b"", 0
    while at < len(data):
        kind = int.from_bytes(data[at : at + 2], "little")
        length = int.from_bytes(data[at + 2 : at + 4], "little")
        body = data[at + 4 : at + 4 + length]
        if len(data) - at < 4 or len(body) != length:
            raise broken("truncated", f"The extra field of {name!r} is broken.")
        if kind == EXTRA_UNICODE_PATH:
            raise broken("entry-name", f"{name!r} states a second name in its extra field.")
        if kind == EXTRA_ZIP64:
            if zip64:
                raise broken("headers-disagree", f"{name!r} has two Zip64 extra fields.")
            zip64 = body
        at += 4 + length
    return zip64


def _widened(zip64: bytes, values: tuple[int, int, int], name: str) -> list[int]:
    """The values, those that are full read from the Zip64 extra field in its order."""
    wide, at = [], 0
    for value in values:
        if value == FULL32:
            if len(zip64) - at < 8:
                raise broken("truncated", f"The Zip64 extra field of {name!r} is too short.")
            wide.append(int.from_bytes(zip64[at : at + 8], "little"))
            at += 8
        else:
            wide.append(value)
    return wide
