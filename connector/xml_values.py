"""Values as XML writes them, both ways: text, times, Base64 (XML Schema part 2)."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime
from typing import Final

from connector.errors import unacceptable

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKED: Final = re.compile("[&<>\r]")
_MARKED_ATTRIBUTE: Final = re.compile('[&<>"\t\n\r]')
_REFERENCES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_DATE_TIME: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?", re.ASCII
)


def escaped(value: str) -> str:
    """`value` as element content. Raises `xml.character` for what XML 1.0 cannot hold."""
    _check(value)
    return _MARKED.sub(lambda found: _REFERENCES[found[0]], value)


def escaped_attribute(value: str) -> str:
    """`value` between double quotes. Raises `xml.character`."""
    _check(value)
    return _MARKED_ATTRIBUTE.sub(lambda found: _REFERENCES[found[0]], value)


def _check(value: str) -> None:
    if found := _FORBIDDEN.search(value):
        raise unacceptable(
            "xml.character",
            f"The text {value[:60]!r} holds U+{ord(found[0]):04X}, which XML cannot carry.",
            mend="Remove control characters.",
        )


def date_time(moment: datetime) -> str:
    """An aware time as xs:dateTime with its offset, to the millisecond (finer if it is)."""
    if moment.tzinfo is None:
        raise ValueError("a time without zone means nothing to a partner")
    whole = moment.microsecond % 1000 == 0
    return moment.isoformat(timespec="milliseconds" if whole else "microseconds")


def read_date_time(text: str) -> tuple[datetime, bool]:
    """An xs:dateTime, aware, and whether it said its zone (UTC is assumed where it did not).

    Raises `xml.date-time`.
    """
    found = _DATE_TIME.fullmatch(text.strip())
    if found is None:
        raise _no_time(text)
    day, fraction, zone = found[1], found[2] or "", found[3] or "+00:00"
    try:
        moment = datetime.fromisoformat(day + fraction[:7] + zone.replace("Z", "+00:00"))
    except ValueError as error:
        raise _no_time(text) from error
    return moment.replace(tzinfo=moment.tzinfo or UTC), found[3] is not None


def _no_time(text: str) -> Exception:
    return unacceptable(
        "xml.date-time",
        f"{text[:60]!r} is no date and time.",
        mend="Write it as 2025-03-31T14:05:00+02:00.",
    )


def base64_text(data: bytes) -> str:
    """xs:base64Binary without line breaks."""
    return base64.b64encode(data).decode("ascii")


def read_base64(text: str) -> bytes:
    """xs:base64Binary; white space is allowed, nothing else. Raises `xml.base64`."""
    try:
        return base64.b64decode("".join(text.split()).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise unacceptable("xml.base64", f"{text[:60]!r} is not Base64.") from error
