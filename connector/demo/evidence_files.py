"""Files that are made when they are sent: pages, tables, an image of a storage medium.

None of them holds anything real. Each is a name and an iterator over its bytes, so that the size
does not matter.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from fpdf import FPDF

from connector.envelope.case_codes import EvidenceType

LARGE_NAME: Final = "storage-medium.img"
_PIECE: Final = 1024 * 1024
_HEADER: Final = b"emla demonstration: image of a storage medium, random content\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeFile:
    """A file that is made when it is written, and what it is."""

    name: str
    media_type: str
    pieces: Callable[[], Iterable[bytes]]
    description: str = ""
    kind: EvidenceType | None = None
    """None for a file that is no evidence."""
    method: str = ""
    """How the evidence was obtained."""


def table(name: str, rows: Iterable[Sequence[object]]) -> MadeFile:
    """Rows as CSV in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    data = text.getvalue().encode()
    return MadeFile(name=name, media_type="text/csv", pieces=lambda: [data])


def page(title: str, lines: Sequence[str], name: str) -> MadeFile:
    """A page for people."""
    data = _pdf(title, lines)
    return MadeFile(name=name, media_type="application/pdf", pieces=lambda: [data])


def storage_image(size: int) -> MadeFile:
    """`size` bytes that cannot be compressed."""
    return MadeFile(
        name=LARGE_NAME,
        media_type="application/octet-stream",
        pieces=lambda: _random(size),
    )


def stand_in(name: str, media_type: str) -> MadeFile:
    """For a file that a sample names and that nobody ever wrote."""
    if media_type == "application/pdf":
        return page("Stand-in", [f"This page stands for {_latin(name)}."], name)
    data = f"This stands for {name}.\n".encode()
    return MadeFile(name=name, media_type=media_type, pieces=lambda: [data])


def _random(size: int) -> Iterator[bytes]:
    yield _HEADER[:size]
    left = size - len(_HEADER)
    # A key stream: as random as the system's own source for this, and several times as fast.
    stream = Cipher(AES(os.urandom(16)), CTR(os.urandom(16))).encryptor()
    while left > 0:
        yield stream.update(bytes(min(left, _PIECE)))
        left -= _PIECE


def _pdf(title: str, lines: Sequence[str]) -> bytes:
    sheet = FPDF(format="A4")
    sheet.add_page()
    sheet.set_font("Helvetica", "B", 18)
    sheet.cell(text=_latin(title), new_x="LMARGIN", new_y="NEXT")
    sheet.set_font("Helvetica", size=11)
    for line in lines:
        sheet.ln(4)
        sheet.multi_cell(0, 6, text=_latin(line), new_x="LMARGIN", new_y="NEXT")
    return bytes(sheet.output())


def _latin(text: str) -> str:
    """As far as the fonts that every PDF reader has can write it."""
    return text.encode("latin-1", "replace").decode("latin-1")
