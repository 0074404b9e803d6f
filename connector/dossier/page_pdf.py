"""The chain of custody as PDF/A-3u (ISO 19005-3), for files that must look the same in decades."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import fontpkg
from fpdf import FPDF
from fpdf.enums import DocumentCompliance
from fpdf.fonts import FontFace, TTFFont

from connector.dossier.model import Dossier, DossierMessage
from connector.dossier.page import CHECKING, said_time, verdict_lines

_FONT: Final = "NotoSans"
_BOLD: Final = {"wght": 700.0, "wdth": 100.0}
_REGULAR: Final = {"wght": 400.0, "wdth": 100.0}
_WIDTHS: Final = (24, 34, 46, 30, 56)


def custody_pdf(dossier: Dossier) -> bytes:
    """`chain-of-custody.pdf`. Letters that the font lacks are written by their code points."""
    pdf = FPDF(format="A4", enforce_compliance=DocumentCompliance.PDFA_3U)
    pdf.set_title(f"Chain of custody of {dossier.conversation_id}")
    pdf.set_lang("en")
    pdf.set_producer("emla")
    pdf.set_creation_date(dossier.made_at)
    path = fontpkg.path("Noto Sans")
    pdf.add_font(_FONT, "", path, variations=_REGULAR)
    pdf.add_font(_FONT, "B", path, variations=_BOLD)
    pdf.set_margin(10)
    pdf.set_auto_page_break(True, 14)
    pdf.add_page()
    writer = _Writer(pdf)
    writer.line("Chain of custody", size=18, bold=True)
    writer.line(
        f"Case {dossier.conversation_id}, {len(dossier.messages)} messages. Made "
        f"{said_time(dossier.made_at)} by {dossier.made_by} about message {dossier.about}."
    )
    for message in dossier.messages:
        _message(writer, message)
    writer.line("How to check this dossier", size=12, bold=True, space=4)
    writer.line(CHECKING)
    return bytes(pdf.output())


class _Writer:
    """Text and tables with what every line needs."""

    def __init__(self, pdf: FPDF) -> None:
        self._pdf = pdf
        font = pdf.fonts[_FONT.lower()]
        assert isinstance(font, TTFFont)
        self._known = {chr(code) for code in font.cmap}

    def line(self, text: str, *, size: int = 9, bold: bool = False, space: float = 1) -> None:
        self._pdf.ln(space)
        self._pdf.set_font(_FONT, "B" if bold else "", size)
        self._pdf.multi_cell(0, None, self.shown(text), new_x="LMARGIN", new_y="NEXT")

    def table(
        self, heads: Iterable[str], rows: Iterable[Iterable[str]], widths: tuple[int, ...]
    ) -> None:
        self._pdf.ln(1)
        self._pdf.set_font(_FONT, "", 7)
        with self._pdf.table(
            col_widths=widths, text_align="LEFT", headings_style=FontFace(emphasis="BOLD")
        ) as table:
            for cells in (heads, *rows):
                row = table.row()
                for cell in cells:
                    row.cell(self.shown(cell))

    def shown(self, text: str) -> str:
        return "".join(
            letter if letter in self._known or letter == "\n" else f"[U+{ord(letter):04X}]"
            for letter in text
        )


def _message(writer: _Writer, message: DossierMessage) -> None:
    record = message.record
    title = f"{record.message_type} {record.backend_id or ''}".strip()
    writer.line(title, size=12, bold=True, space=5)
    writer.line(
        f"From {record.sender} to {record.recipient}, {said_time(record.created_at)}. State at "
        f"this connector: {record.state}. {record.ebms_id}"
    )
    writer.line("Transfers", bold=True, space=2)
    writer.table(
        ("When", "What", "From → to", "Attested by", "Signature of the evidence"),
        (
            (
                said_time(each.at),
                "\n".join(filter(None, (each.event, each.reason))),
                f"{each.giver} → {each.taker}",
                each.attested_by,
                "\n".join(line for line, _ in verdict_lines(each.evidence)),
            )
            for each in message.transfers
        ),
        _WIDTHS,
    )
    writer.line("Signatures of the message", bold=True, space=2)
    writer.table(
        ("File", "Signature"),
        (
            (
                each.file.path.rpartition("/")[2],
                "\n".join(line for line, _ in verdict_lines(each)),
            )
            for each in message.signed
        ),
        (50, 140),
    )
    writer.line("Files", bold=True, space=2)
    writer.table(
        ("File", "What it is", "Bytes", "SHA-256"),
        (
            (
                each.path.removeprefix(f"{message.folder}/"),
                each.what,
                str(each.payload.size),
                each.payload.sha256,
            )
            for each in message.files
        ),
        (50, 45, 20, 75),
    )
