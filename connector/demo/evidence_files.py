"""Files that the demonstration's authorities send: a table, a report, an image of a storage medium.

None of them holds anything real. Each is a name and an iterator over its bytes, so that the size
does not matter.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR
from fpdf import FPDF

from connector.envelope.case_codes import EvidenceType
from connector.envelope.header import Header

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


def evidence_for(request: Header, reference: str, on: date, large_size: int) -> list[MadeFile]:
    """What a request is answered with; `large_size` bytes more if that is not zero."""
    authority = request.receiving_authority.names[0].text
    lines = [
        f"Reference of the request: {request.sender_reference}",
        f"Our reference: {reference}",
        f"Carried out on {on:%d %B %Y} by {authority}.",
        "Everything in this file is made up.",
    ]
    files = [
        replace(
            page("Report on the measures carried out", lines, "report.pdf"),
            description="Report of the officer who carried out the measures",
            kind=EvidenceType.RECORD,
        ),
        operations(reference, on),
    ]
    return [*files, storage_image(large_size)] if large_size else files


def period() -> MadeFile:
    """What answers a question about the period of a request."""
    line = "From 2026-01-01T00:00:00Z to 2026-03-31T23:59:59Z, both included."
    made = page("Period of the request", [line], "period.pdf")
    return replace(made, description="The period in UTC")


def operations(holder: str, last: date) -> MadeFile:
    """Operations of an account over thirty days, as a table."""
    text = io.StringIO(newline="")
    table = csv.writer(text)
    table.writerow(["date", "account", "counterparty", "amount", "currency"])
    for day in range(30):
        at = last - timedelta(days=30 - day)
        table.writerow([at.isoformat(), holder, f"Account {day % 7 + 1}", 1250 + 37 * day, "EUR"])
    data = text.getvalue().encode()
    return MadeFile(
        name="operations.csv",
        media_type="text/csv",
        pieces=lambda: [data],
        description="Operations of the account over thirty days",
        kind=EvidenceType.RECORD,
        method="Export of the holder's records on the order of the court.",
    )


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
        description="Image of the storage medium that was seized",
        kind=EvidenceType.DIGITAL_DATA,
        method="Bitwise copy through a write blocker.",
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
