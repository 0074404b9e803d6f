"""From bytes to text, in the encoding that was agreed; another one is recognised and refused."""

from __future__ import annotations

import codecs
import re
from typing import Final

from connector.errors import unacceptable
from connector.translation.kind import line_at

_MARKS: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF8: Final = re.compile(
    rb"\xc3[\xa1-\xaa\xac\xad\xaf-\xba\xbc-\xbf]"  # a small letter with an accent
    rb"|\xe2\x80[\x80-\xbf]"  # a dash, a quotation mark, an ellipsis
    rb"|\xf0\x9f[\x80-\xbf]{2}"  # an emoji
    rb"|(?:[\xc2-\xdf][\x80-\xbf]){3}"  # a word in Cyrillic, Greek, Arabic
    rb"|(?:[\xe0-\xef][\x80-\xbf]{2}){2}"  # a word in Chinese, Hindi, Korean
)
"""UTF-8 in the midst of other text; in windows-1252 the same bytes are letters and signs in an
order that no language has."""
_SEQUENCE: Final = re.compile(
    rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)
"""One sign in UTF-8."""
_PLAUSIBLE: Final = re.compile(
    rb"[\xc2-\xdf][\x85\x92\x94\x96\x97\x99\x9b\xa0\xaa\xab\xae\xb0-\xb3\xba\xbb]"
)
"""What is UTF-8 and windows-1252 alike: a capital letter or sharp s before a dash, a closing
quotation mark, a no-break space or a raised sign."""
_UNICODE: Final = frozenset({"utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"})


def without_mark(data: bytes) -> bytes:
    """The bytes as ASCII would have them, to look at the first word: no marks, no zeros."""
    for mark in _MARKS:
        data = data.removeprefix(mark)
    return data.replace(b"\0", b"")


def decoded(data: bytes, encoding: str, file: str | None) -> str:
    """`data` as text, a byte order mark taken off where the encoding has one.

    Raises `translation.wrong-encoding` with the line: for bytes that do not exist in the encoding,
    and for UTF-8 or UTF-16 where an encoding of single bytes is agreed.
    """
    wide = codecs.lookup(encoding).name in _UNICODE
    if not wide and (found := _unicode_at(data)) is not None:
        name, offset = found
        raise _wrong(
            f"From byte {offset} on it is {name}, not {encoding}", data, offset, encoding, file
        )
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        named = f"Byte {error.start} (0x{data[error.start]:02X}) does not exist in {encoding}"
        raise _wrong(named, data, error.start, encoding, file) from error


def encoded(text: str, encoding: str) -> str:
    """What can stand in a document in `encoding`: signs that it does not have, and letters that
    would make its bytes look like UTF-8, as numeric references."""
    if text.isascii() or codecs.lookup(encoding).name in _UNICODE:
        return text
    data = text.encode(encoding, "xmlcharrefreplace")
    data = _SEQUENCE.sub(lambda found: _told_apart(found[0], encoding), data)
    while _UTF8.search(data):
        data = _UTF8.sub(lambda found: _referred(found[0], encoding), data)
    return data.decode(encoding)


def _told_apart(sequence: bytes, encoding: str) -> bytes:
    return sequence if _PLAUSIBLE.fullmatch(sequence) else _referred(sequence, encoding)


def _referred(sequence: bytes, encoding: str) -> bytes:
    return b"&#%d;" % ord(sequence[:1].decode(encoding)) + sequence[1:]


def _unicode_at(data: bytes) -> tuple[str, int] | None:
    """Which encoding of Unicode it is, and where that shows first."""
    if data.startswith(_MARKS[1:]) or b"\0" in data[:100]:
        return "UTF-16", 0
    if data.startswith(codecs.BOM_UTF8):
        return "UTF-8 (with a byte order mark)", 0
    if found := _UTF8.search(data):
        return "UTF-8", found.start()
    if not data.isascii() and _is_utf8(data):
        for found in _SEQUENCE.finditer(data):
            if not _PLAUSIBLE.fullmatch(found[0]):
                return "UTF-8", found.start()
    return None


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong(what: str, data: bytes, offset: int, encoding: str, file: str | None) -> Exception:
    return unacceptable(
        "translation.wrong-encoding",
        f"{what}.",
        mend=f"Save the whole document as {encoding}.",
        file=file,
        line=line_at(data, offset),
    )
