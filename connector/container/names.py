"""Names of files inside a container: which are safe, and how ours are made safe and unique.

A name from a container ends up as a file in a folder of some ministry; so it must be a single path
component that every file system takes, and no two may be the same to a system that ignores case.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

TOKEN_PDF: Final = "TrustOkToken.pdf"  # noqa: S105 - the name of a file
"""The name under which the token's PDF lies in every container."""

_MAX_BYTES: Final = 255
_BIDI: Final = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Direction marks: with them `gpj.exe` reads `exe.jpg`."""


def collision_key(name: str) -> str:
    """Names with the same key are one file on some file system (case, composed letters)."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def fault_of(name: str) -> str:
    """What makes a name unsafe to use as a file name, or an empty string. Folders are a fault."""
    if not name or name in {".", ".."}:
        return "is no file name"
    if "/" in name or "\\" in name:
        return "holds a path"
    if len(name) > 1 and name[1] == ":" and name[0].isalpha():
        return "holds a drive letter"
    if not name.isprintable() and any(_invisible(letter) for letter in name):
        return "holds control characters"
    if len(name.encode("utf-8", "surrogatepass")) > _MAX_BYTES:
        return f"has more than {_MAX_BYTES} bytes"
    return ""


def entry_names(names: Iterable[str], *, reserved: Iterable[str] = (TOKEN_PDF,)) -> tuple[str, ...]:
    """A safe, unique name in the container for each name, in the same order.

    Safe names that collide with none before them stay as they are; path separators and control
    characters become `_`; further ones of a name get ` (2)`, ` (3)` … before their extension. The
    result depends on the names alone, so a receiver that knows the sender's list (it stands in the
    signed envelope) can map the names back.
    """
    taken = {collision_key(name) for name in reserved}
    made = []
    for name in names:
        safe = _made_safe(name)
        candidate, count = safe, 1
        while collision_key(candidate) in taken:
            count += 1
            candidate = _numbered(safe, count)
        taken.add(collision_key(candidate))
        made.append(candidate)
    return tuple(made)


def _invisible(letter: str) -> bool:
    return letter in _BIDI or unicodedata.category(letter) in {"Cc", "Cs", "Zl", "Zp"}


def _made_safe(name: str) -> str:
    if not fault_of(name):
        return name
    letters = ["_" if letter in "/\\:" or _invisible(letter) else letter for letter in name]
    safe = "".join(letters)
    return _shortened(safe if safe.strip(". ") else "document", "")


def _numbered(name: str, count: int) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return _shortened(stem, f" ({count}){dot}{extension}")


def _shortened(stem: str, end: str) -> str:
    """`stem` + `end`, the stem (then the end) cut so that both fit."""
    end_bytes = end.encode()[: _MAX_BYTES // 2] if len(end) > _MAX_BYTES // 2 else end.encode()
    room = _MAX_BYTES - len(end_bytes)
    cut = stem.encode()[:room].decode(errors="ignore")
    return cut + end_bytes.decode(errors="ignore")
