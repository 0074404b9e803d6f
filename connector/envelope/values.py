"""The plain values of the envelope as text and back (`values.xsd`).

Decoders raise `ValueError` with a sentence for a person; the reader adds the place.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final

from connector.errors import ConnectorError
from connector.xml_values import date_time, escaped, read_date_time

_SPACE: Final = re.compile("[ \t\r\n]+")
_UNCOLLAPSED: Final = re.compile("\\A |[\t\r\n]|  | \\Z")
_NUMBER: Final = re.compile("0|[1-9][0-9]{0,15}")
_BOOLEANS: Final = {"true": True, "1": True, "false": False, "0": False}


def decode_token(text: str) -> str:
    """White space collapsed, as xs:token does (a no-break space stays)."""
    if _UNCOLLAPSED.search(text):
        text = _SPACE.sub(" ", text).strip(" ")
    if not text:
        raise ValueError("it is empty.")
    return text


def encode_token(value: str) -> str:
    """Escaped. Raises `ValueError` where a reader would collapse white space or find nothing."""
    if not value or _UNCOLLAPSED.search(value):
        raise ValueError(f"{value[:60]!r} is empty or has white space that XML would collapse.")
    return escaped(value)


def decode_text(text: str) -> str:
    """Unchanged; it may not be blank."""
    if not text.strip(" \t\r\n"):
        raise ValueError("it is blank.")
    return text


def encode_text(value: str) -> str:
    """Escaped. Raises `ValueError` if blank."""
    return escaped(decode_text(value))


def decode_bool(text: str) -> bool:
    """xs:boolean."""
    try:
        return _BOOLEANS[decode_token(text)]
    except KeyError:
        raise ValueError(f"{text[:60]!r} is neither true nor false.") from None


def encode_bool(value: bool) -> str:
    """`true` or `false`."""
    return "true" if value else "false"


def decode_int(text: str) -> int:
    """A whole number from zero, without sign or leading zeros."""
    text = decode_token(text)
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:60]!r} is no whole number.")
    return int(text)


def encode_int(value: int) -> str:
    """Decimal. Raises `ValueError` if negative or beyond 16 digits."""
    if not 0 <= value < 10**16:
        raise ValueError(f"{value} is out of range.")
    return str(value)


def decode_moment(text: str) -> datetime:
    """An aware time. Raises `ValueError` for one without offset."""
    try:
        moment, zoned = read_date_time(text)
    except ConnectorError as error:
        raise ValueError(f"{error.problems[0].what} {error.problems[0].mend}") from None
    if not zoned:
        raise ValueError(f"{text[:60]!r} has no offset; write it as 2026-03-31T14:05:00+02:00.")
    return moment


def encode_moment(value: datetime) -> str:
    """With its offset. Raises `ValueError` if it has none, or one of less than a minute."""
    offset = value.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        raise ValueError(f"{value.isoformat()} has no offset that XML can write.")
    return date_time(value)


def decode_code(codes: type[StrEnum]) -> Callable[[str], StrEnum]:
    """A decoder for one code list."""
    known = {code.value: code for code in codes}

    def decode(text: str) -> StrEnum:
        code = known.get(text) or known.get(decode_token(text))
        if code is None:
            raise ValueError(f"{text[:60]!r} is not in the code list {codes.__name__}.")
        return code

    return decode


def encode_code(value: StrEnum) -> str:
    """The code."""
    return value.value
