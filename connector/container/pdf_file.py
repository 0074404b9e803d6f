"""A one-page PDF with room for one signature over everything else (ISO 32000-1, 12.8).

Whoever signs gets two runs of bytes, before and after the room, and puts the CMS signature in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.container.token_page import PAGE

_RANGE: Final = b"[0 0000000000 0000000000 0000000000]"
_FONT: Final = "<< /Type /Font /Subtype /Type1 /BaseFont /%s /Encoding /WinAnsiEncoding >>"


@dataclass(frozen=True, slots=True)
class SignablePdf:
    """A PDF with an empty signature."""

    before: bytes
    """Up to and without the `<` of the signature's hexadecimal string."""
    after: bytes
    """From behind its `>` on."""
    room: int
    """Bytes that the signature may have."""

    def signed(self, signature: bytes) -> bytes:
        """The file with the signature in its place. Raises ValueError if it does not fit."""
        if len(signature) > self.room:
            raise ValueError(f"{len(signature)} bytes of signature, {self.room} bytes of room")
        filled = signature.hex().encode("ascii").ljust(2 * self.room, b"0")
        return b"".join((self.before, b"<", filled, b">", self.after))


def signable_pdf(content: bytes, *, title: str, moment: datetime, room: int) -> SignablePdf:
    """The PDF of one page, prepared for a PAdES signature (EN 319 142-1, 5.3)."""
    time = f"(D:{moment.astimezone(UTC):%Y%m%d%H%M%S}Z)"
    width, height = PAGE
    hole = b"<" + b"0" * (2 * room) + b">"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [8 0 R] /SigFlags 3 >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R "
            "/Resources << /Font << /F1 5 0 R /F2 6 0 R >> >> /Annots [8 0 R] >>"
        ).encode("ascii"),
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
        (_FONT % "Helvetica").encode("ascii"),
        (_FONT % "Helvetica-Bold").encode("ascii"),
        f"<< /Title {_text_string(title)} /CreationDate {time} >>".encode("ascii"),
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /V 9 0 R /P 3 0 R "
        b"/Rect [0 0 0 0] /F 132 >>",
        # Contents last: all that follows its hole has a known place.
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M "
        + time.encode("ascii")
        + b" /ByteRange "
        + _RANGE
        + b" /Contents "
        + hole
        + b" >>",
    ]
    data = _file(objects)
    start = data.rindex(hole)
    end = start + len(hole)
    ranges = b"[0 %010d %010d %010d]" % (start, end, len(data) - end)
    before = data[:start].replace(_RANGE, ranges, 1)
    return SignablePdf(before, data[end:], room)


def _file(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    offsets, at = [], len(parts[0])
    for number, body in enumerate(objects, 1):
        part = b"%d 0 obj\n%s\nendobj\n" % (number, body)
        offsets.append(at)
        at += len(part)
        parts.append(part)
    count = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%s" % (count, table))
    parts.append(
        b"trailer\n<< /Size %d /Root 1 0 R /Info 7 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (count, at)
    )
    return b"".join(parts)


def _text_string(text: str) -> str:
    """A PDF text string in UTF-16 (ISO 32000-1, 7.9.2.2)."""
    marked = "\ufeff" + text
    return f"<{marked.encode('utf-16-be', 'replace').hex()}>"
