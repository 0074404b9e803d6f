"""A one-page PDF/A-2u file with room for one signature over everything else.

Whoever signs gets two runs of bytes, before and after the room, and puts the CMS signature in.
The file follows ISO 19005-2 level U: fonts embedded and mapped to Unicode, colours with an output
intent, metadata in XMP; and ISO 32000-1, 12.8 for the signature.
"""

from __future__ import annotations

import hashlib
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final
from xml.sax.saxutils import escape

from PIL import ImageCms

from connector.container.token_font import PageFont
from connector.container.token_page import PAGE, PageContent

_RANGE: Final = b"[0 0000000000 0000000000 0000000000]"
_PRODUCER: Final = "emla"


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


def signable_pdf(page: PageContent, *, title: str, moment: datetime, room: int) -> SignablePdf:
    """The PDF of one page, prepared for a PAdES signature (EN 319 142-1, 5.3)."""
    utc = moment.astimezone(UTC)
    time = f"(D:{utc:%Y%m%d%H%M%S}Z)"
    width, height = PAGE
    hole = b"<" + b"0" * (2 * room) + b">"
    font = page.font
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [12 0 R] /SigFlags 3 >> "
        b"/Metadata 9 0 R /OutputIntents [<< /Type /OutputIntent /S /GTS_PDFA1 "
        b"/OutputConditionIdentifier (sRGB) /Info (sRGB) /DestOutputProfile 10 0 R >>] "
        b"/Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        (
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] /Contents 4 0 R "
            "/Resources << /Font << /F1 5 0 R >> >> /Annots [12 0 R] >>"
        ).encode("ascii"),
        _stream(page.operators),
        f"<< /Type /Font /Subtype /Type0 /BaseFont /{font.name} /Encoding /Identity-H "
        "/DescendantFonts [6 0 R] /ToUnicode 8 0 R >>".encode("ascii"),
        *_font_objects(font),
        _stream(_metadata(title, utc), b" /Type /Metadata /Subtype /XML"),
        _colour_profile(),
        f"<< /Title {_text_string(title)} /Producer ({_PRODUCER}) /CreationDate {time} "
        f"/ModDate {time} >>".encode("ascii"),
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature) /V 14 0 R /P 3 0 R "
        b"/Rect [0 0 0 0] /F 132 >>",
        _deflated(font.program, b" /Length1 %d" % font.program_size),
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


@cache
def _font_objects(font: PageFont) -> tuple[bytes, bytes, bytes]:
    """Objects 6, 7 and 8: the descendant font, its descriptor, the CMap."""
    widths = " ".join(map(str, font.widths))
    descendant = (
        f"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /{font.name} /CIDSystemInfo "
        "<< /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> /FontDescriptor 7 0 R "
        f"/CIDToGIDMap /Identity /DW {font.widths[0]} /W [0 [{widths}]] >>"
    )
    box = " ".join(map(str, font.box))
    descriptor = (
        f"<< /Type /FontDescriptor /FontName /{font.name} /Flags 4 /FontBBox [{box}] "
        f"/ItalicAngle 0 /Ascent {font.ascent} /Descent {font.descent} /CapHeight {font.ascent} "
        "/StemV 80 /FontFile2 13 0 R >>"
    )
    return (
        descendant.encode("ascii"),
        descriptor.encode("ascii"),
        _deflated(font.to_unicode),
    )


@cache
def _colour_profile() -> bytes:
    """sRGB, as an ICC profile (ISO 19005-2, 6.2.3)."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return _deflated(zlib.compress(profile, 9), b" /N 3")


def _metadata(title: str, utc: datetime) -> bytes:
    """XMP that says the same as the document information (ISO 19005-2, 6.6)."""
    time = f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>\n'
        '<x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:pdf="http://ns.adobe.com/pdf/1.3/" '
        'xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/">'
        "<pdfaid:part>2</pdfaid:part><pdfaid:conformance>U</pdfaid:conformance>"
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">'
        f"{escape(title)}</rdf:li></rdf:Alt></dc:title>"
        f"<xmp:CreateDate>{time}</xmp:CreateDate><xmp:ModifyDate>{time}</xmp:ModifyDate>"
        f"<pdf:Producer>{_PRODUCER}</pdf:Producer>"
        "</rdf:Description></rdf:RDF></x:xmpmeta>\n"
        '<?xpacket end="r"?>'
    ).encode("utf-8", "replace")


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d%b >>\nstream\n%b\nendstream" % (len(data), entries, data)


def _deflated(data: bytes, entries: bytes = b"") -> bytes:
    return _stream(data, b" /Filter /FlateDecode" + entries)


def _file(objects: list[bytes]) -> bytes:
    parts = [b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n"]
    offsets, at = [], len(parts[0])
    for number, body in enumerate(objects, 1):
        part = b"%d 0 obj\n%b\nendobj\n" % (number, body)
        offsets.append(at)
        at += len(part)
        parts.append(part)
    count = len(objects) + 1
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    identity = hashlib.sha256(objects[3] + objects[10]).hexdigest()[:32].encode()
    parts.append(b"xref\n0 %d\n0000000000 65535 f \n%b" % (count, table))
    parts.append(
        b"trailer\n<< /Size %d /Root 1 0 R /Info 11 0 R /ID [<%b> <%b>] >>\nstartxref\n%d\n"
        b"%%%%EOF\n" % (count, identity, identity, at)
    )
    return b"".join(parts)


def _text_string(text: str) -> str:
    """A PDF text string in UTF-16 (ISO 32000-1, 7.9.2.2)."""
    marked = "\ufeff" + text
    return f"<{marked.encode('utf-16-be', 'replace').hex()}>"
