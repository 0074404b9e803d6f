"""Archives as attackers make them: headers written field by field, lies where a test wants them."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


@dataclass
class Member:
    """One file; each None is filled in with the truth."""

    name: bytes
    content: bytes = b"content"
    deflate: bool = False
    flags: int = 0
    method: int | None = None
    crc: int | None = None
    size: int | None = None
    made_by: int = 20
    attributes: int = 0
    extra: bytes = b""
    local: dict[str, Any] = field(default_factory=dict)
    """Fields that the local header says otherwise: name, flags, method, crc, compressed, size,
    extra."""
    descriptor: bytes | None = None

    @property
    def data(self) -> bytes:
        """The bytes in the archive."""
        if not self.deflate:
            return self.content
        squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
        return squeeze.compress(self.content) + squeeze.flush()


def archive(
    *members: Member,
    before: bytes = b"",
    between: bytes = b"",
    after: bytes = b"",
    comment: bytes = b"",
    count: int | None = None,
    start: int | None = None,
) -> bytes:
    """The members as an archive; `before`, `between` (files and directory), `after`: junk."""
    out = io.BytesIO()
    out.write(before)
    directory = b""
    for member in members:
        offset = out.tell()
        data = member.data
        method = (8 if member.deflate else 0) if member.method is None else member.method
        crc = zlib.crc32(member.content) if member.crc is None else member.crc
        size = len(member.content) if member.size is None else member.size
        here: dict[str, Any] = {
            "name": member.name,
            "flags": member.flags,
            "method": method,
            "crc": crc,
            "compressed": len(data),
            "size": size,
            "extra": member.extra,
        } | member.local
        out.write(
            LOCAL.pack(
                b"PK\x03\x04", 20, here["flags"], here["method"], 0, 33, here["crc"],
                here["compressed"], here["size"], len(here["name"]), len(here["extra"]),
            )
            + here["name"]
            + here["extra"]
            + data
            + (member.descriptor or b"")
        )  # fmt: skip
        directory += (
            CENTRAL.pack(
                b"PK\x01\x02", member.made_by, 20, member.flags, method, 0, 33, crc, len(data),
                size, len(member.name), len(member.extra), 0, 0, 0, member.attributes, offset,
            )
            + member.name
            + member.extra
        )  # fmt: skip
    out.write(between)
    at = out.tell() if start is None else start
    entries = len(members) if count is None else count
    out.write(directory)
    out.write(END.pack(b"PK\x05\x06", 0, 0, entries, entries, len(directory), at, len(comment)))
    out.write(comment + after)
    return out.getvalue()
