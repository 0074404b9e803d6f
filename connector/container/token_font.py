"""The font that token pages are set in: parts of Noto Sans, ready to be embedded in a PDF.

PDF/A wants every font embedded. A page is made for every message, so the font's parts are cut out
and compressed once in a process: a small one for the letters of western Europe, a larger one, made
when it is first needed, for all Latin, Greek and Cyrillic letters.
"""

from __future__ import annotations

import io
import zlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

_PUNCTUATION: Final = (0x2010, 0x2013, 0x2014, 0x2018, 0x2019, 0x201C, 0x201D, 0x2026, 0x20AC)
_WESTERN: Final = (*range(0x20, 0x7F), *range(0xA0, 0x100), *_PUNCTUATION)
_WIDE: Final = (*_WESTERN, *range(0x100, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x2000))
_REPLACEMENT: Final = "?"
_UNITS: Final = 1000
"""Glyph widths in a PDF are thousandths of the font's size (ISO 32000-1, 9.2.4)."""


@dataclass(frozen=True, eq=False)
class PageFont:
    """A part of the font, embedded as a composite font (ISO 32000-1, 9.7)."""

    name: str
    """PostScript name with the tag of a subset."""
    program: bytes
    """The TrueType file, deflated."""
    program_size: int
    glyphs: Mapping[str, int]
    """Glyph by letter."""
    widths: tuple[int, ...]
    """Of each glyph."""
    box: tuple[int, int, int, int]
    ascent: int
    descent: int

    def has(self, text: str) -> bool:
        """Whether every letter of `text` can be shown."""
        return self.glyphs.keys() >= set(text)

    def shown(self, text: str) -> str:
        """`text` as the hexadecimal string that shows it; letters it lacks as question marks."""
        return text.translate(self._codes)

    @cached_property
    def _codes(self) -> dict[int, str]:
        """Letter to what shows it; grows by the letters that it is asked for and lacks."""
        other = f"{self.glyphs[_REPLACEMENT]:04x}"
        codes: defaultdict[int, str] = defaultdict(lambda: other)
        codes.update({ord(letter): f"{glyph:04x}" for letter, glyph in self.glyphs.items()})
        return codes

    @cached_property
    def to_unicode(self) -> bytes:
        """The CMap by which readers copy and search text (ISO 32000-1, 9.10.3), deflated."""
        letters: dict[int, str] = {}
        for letter, glyph in self.glyphs.items():
            letters.setdefault(glyph, letter)
        pairs = [f"<{glyph:04x}> <{ord(letters[glyph]):04x}>" for glyph in sorted(letters)]
        blocks = [
            f"{len(block)} beginbfchar\n{chr(10).join(block)}\nendbfchar"
            for block in (pairs[i : i + 100] for i in range(0, len(pairs), 100))
        ]
        text = (
            "/CIDInit /ProcSet findresource begin\n12 dict begin\nbegincmap\n"
            "/CIDSystemInfo << /Registry (Adobe) /Ordering (UCS) /Supplement 0 >> def\n"
            "/CMapName /Adobe-Identity-UCS def\n/CMapType 2 def\n"
            "1 begincodespacerange\n<0000> <ffff>\nendcodespacerange\n"
            + "\n".join(blocks)
            + "\nendcmap\nCMapName currentdict /CMap defineresource pop\nend\nend"
        )
        return zlib.compress(text.encode("ascii"), 9)


def page_font(text: str) -> PageFont:
    """The smallest part of the font that has all letters of `text`, else the largest."""
    western = _western()
    return western if western.has(text) else _wide()


@cache
def _western() -> PageFont:
    return _cut(_WESTERN, "EMLAAA")


@cache
def _wide() -> PageFont:
    return _cut(_WIDE, "EMLAAB")


def _cut(letters: tuple[int, ...], tag: str) -> PageFont:
    # Imported here: it takes a tenth of a second, and only who seals a message needs it.
    import fontpkg
    from fontTools.subset import Options, Subsetter
    from fontTools.ttLib import TTFont
    from fontTools.varLib.instancer import instantiateVariableFont

    options = Options()
    options.hinting = False
    options.glyph_names = False
    options.layout_features = []
    options.name_IDs = []
    options.drop_tables += ["GSUB", "GPOS", "GDEF"]
    font = TTFont(fontpkg.path("Noto Sans"), lazy=True)
    subsetter = Subsetter(options)
    subsetter.populate(unicodes=letters)
    subsetter.subset(font)
    font = instantiateVariableFont(font, {"wght": 400, "wdth": 100}, inplace=True)
    out = io.BytesIO()
    font.save(out)
    data = out.getvalue()
    scale = _UNITS / font["head"].unitsPerEm
    head, horizontal = font["head"], font["hhea"]
    return PageFont(
        name=f"{tag}+NotoSans-Regular",
        program=zlib.compress(data, 9),
        program_size=len(data),
        glyphs={
            chr(code): font.getGlyphID(glyph) for code, glyph in sorted(font.getBestCmap().items())
        },
        widths=tuple(round(font["hmtx"][glyph][0] * scale) for glyph in font.getGlyphOrder()),
        box=(
            round(head.xMin * scale),
            round(head.yMin * scale),
            round(head.xMax * scale),
            round(head.yMax * scale),
        ),
        ascent=round(horizontal.ascent * scale),
        descent=round(horizontal.descent * scale),
    )
