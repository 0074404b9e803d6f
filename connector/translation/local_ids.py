"""Ids of persons and the like: any text in a national document, an XML name in the envelope."""

from __future__ import annotations

import re
from typing import Final

from connector.translation.values import NotConvertible

_LOCAL_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,63}")
_ESCAPED: Final = re.compile(r"_x([0-9a-f]{1,6})_")


class LocalIds:
    """Ids of persons and the like that need not be XML names: `1` is `_1` in the envelope.

    Each way undoes the other, so that two ids never become one.
    """

    def read(self, text: str) -> tuple[str, str]:
        """An id of the envelope that `write` turns back into `text`."""
        text = text.strip()
        if _is_plain(text):
            return text, ""
        escaped = _escaped(text)
        if len(escaped) > 64:
            raise NotConvertible("bad-value", f"The id {text[:80]!r} is too long.", "Shorten it.")
        return escaped, ""

    def write(self, text: str) -> tuple[str, str]:
        """The other way; ids that others made stay as they are."""
        return _unescaped(text) or text, ""


def _is_plain(text: str) -> bool:
    """Whether it may stand in the envelope and is not the escaped form of another id."""
    return _LOCAL_ID.fullmatch(text) is not None and _unescaped(text) is None


def _escaped(text: str) -> str:
    return "_" + "".join(
        c if (c.isascii() and c.isalnum()) or c in ".-" else f"_x{ord(c):x}_" for c in text
    )


def _unescaped(text: str) -> str | None:
    """The id whose escaped form `text` is, if it is one."""
    if text[:1] != "_" or not 1 < len(text) <= 64:
        return None
    try:
        inner = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text[1:])
    except ValueError:
        return None
    return inner if _escaped(inner) == text and not _is_plain(inner) else None
