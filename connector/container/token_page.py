"""The token's page for people: a traffic light and what the token states, as PDF page content.

Small and quickly made: one goes with every message.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from connector.container.token import (
    AuthenticationData,
    LegalLevel,
    SignatureData,
    TechnicalLevel,
    Token,
)
from connector.container.token_font import PageFont, page_font

PAGE: Final = (595, 842)
"""A4 in points."""

_GREEN: Final = "0.10 0.60 0.25"
_YELLOW: Final = "0.95 0.75 0.10"
_RED: Final = "0.80 0.15 0.15"
_LEFT: Final = 56
_VALUES: Final = 200
_WIDTH: Final = 62
_LINES: Final = 6
"""Lines that one value may take: the page always suffices."""
_CURVE: Final = 0.5523
"""Control point of the Bézier curve that draws a quarter of a circle."""


@dataclass(frozen=True, slots=True)
class PageContent:
    """A page as PDF operators, and the font that they are set in."""

    operators: bytes
    """The page's content stream, uncompressed."""
    font: PageFont


def page_content(token: Token) -> PageContent:
    """The page of a token."""
    colour, verdict = _light(token)
    rows = _rows(token)
    font = page_font("".join(value for _, value in rows))

    def text(x: int, y: int, value: str, *, size: int, bold: bool = False) -> str:
        # Letters that the font lacks show as question marks; the digest beside the name is exact.
        # Bold is the same letters with their outline drawn, too.
        weight = f"2 Tr {size * 0.03:.2f} w" if bold else "0 Tr"
        return f"BT /F1 {size} Tf {weight} {x} {y} Td <{font.shown(value)}> Tj ET"

    parts = [
        "0 0 0 rg 0 0 0 RG",
        text(_LEFT, 770, "Trust-Ok Token", size=22, bold=True),
        text(_LEFT, 750, "Statement of the sending connector about a document", size=10),
        f"{colour} rg",
        _circle(_LEFT + 24, 700, 22),
        "0 0 0 rg",
        text(_LEFT + 64, 696, verdict, size=14, bold=True),
    ]
    height = 640
    for label, value in rows:
        if not label:
            height -= 10
            parts.append(text(_LEFT, height, value, size=12, bold=True))
            height -= 18
            continue
        parts.append(text(_LEFT, height, label, size=10))
        for line in _wrapped(value):
            parts.append(text(_VALUES, height, line, size=10))
            height -= 14
    return PageContent("\n".join(parts).encode("ascii"), font)


def _light(token: Token) -> tuple[str, str]:
    validation = token.validation
    if validation.legal is not LegalLevel.SUCCESSFUL or validation.technical is TechnicalLevel.FAIL:
        return _RED, "Not successful"
    if validation.technical is TechnicalLevel.SUFFICIENT:
        return _YELLOW, "Successful, technically sufficient"
    return _GREEN, "Successful"


def _rows(token: Token) -> list[tuple[str, str]]:
    issuer, document, validation = token.issuer, token.document, token.validation
    rows = [
        ("", "Issuer"),
        ("Service provider", issuer.service_provider),
        ("Country", issuer.country),
        ("Electronic system", issuer.system.value),
        ("", "Document"),
        ("File", document.filename),
        ("Type", document.media_type),
        (document.digest_algorithm, document.digest.hex()),
        ("", "Validation"),
        ("Time", _time(validation.time)),
        *_data_rows(validation.data),
        ("", "Technical result"),
        ("Level", validation.technical.value),
        ("Comments", validation.comments),
        ("", "Legal result"),
        ("Level", validation.legal.value),
        ("Statement", validation.disclaimer),
    ]
    return [row for row in rows if row[1]]


def _data_rows(data: AuthenticationData | SignatureData) -> list[tuple[str, str]]:
    if isinstance(data, AuthenticationData):
        return [
            ("Identity provider", data.identity_provider),
            ("User", data.username),
            ("Authenticated", _time(data.time)),
        ]
    if data.unsigned:
        return [("Signature", "The document carries no signature.")]
    return [
        ("Signature", _outcome(data.signature_verified and data.structure_verified)),
        ("Signed", _time(data.signing_time) if data.signing_time else ""),
        ("Form", " ".join(part for part in (data.format, data.level) if part)),
        ("Certificate", _outcome(data.certificate_verified and data.valid_at_signing_time)),
        ("Certificate issuer", data.certificate_issuer),
    ]


def _outcome(good: bool) -> str:
    return "valid" if good else "not valid"


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _wrapped(value: str) -> list[str]:
    lines = textwrap.wrap(value, _WIDTH, break_long_words=True) or [""]
    if len(lines) > _LINES:
        lines = [*lines[: _LINES - 1], lines[_LINES - 1][: _WIDTH - 4] + " …"]
    return lines


def _circle(x: int, y: int, r: int) -> str:
    c = round(r * _CURVE, 2)
    return (
        f"{x + r} {y} m "
        f"{x + r} {y + c} {x + c} {y + r} {x} {y + r} c "
        f"{x - c} {y + r} {x - r} {y + c} {x - r} {y} c "
        f"{x - r} {y - c} {x - c} {y - r} {x} {y - r} c "
        f"{x + c} {y - r} {x + r} {y - c} {x + r} {y} c f"
    )
