"""Plain values of the envelope as hypothesis makes them: each within the schema's types."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


def maybe(strategy: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    """A value, or none."""
    return st.none() | strategy


def some(
    strategy: st.SearchStrategy[T], least: int = 0, most: int = 2
) -> st.SearchStrategy[tuple[T, ...]]:
    """Several, as a tuple."""
    return st.lists(strategy, min_size=least, max_size=most).map(tuple)


# Letters of scripts that national formats handle badly, and signs that their syntaxes use.
_SIGNS = "aZ09 éãßÇñ€œ„“”…–ЖщїمرحباΩ한語हि𝔘😀\u00a0\u2003\u3000;,|\"'`=+-@&#<>]{}[]/\\%_$"
# XML 1.0 has no control characters, no surrogates, and not these two.
_ANY = st.characters(min_codepoint=0x20, exclude_categories=["Cs", "Cc"]).filter(
    lambda sign: sign not in "\ufffe\uffff"
)
SIGNS = st.sampled_from(_SIGNS) | _ANY
_AWKWARD = st.sampled_from(
    [
        "=1+1", "+55 61 5550199", "-1", "@SUM(A1)", "'", "''=x", "'quoted'", '"', '""', ";", "a;b",
        "&#1054;", "&#38;#1054;", "&amp;", "&#x41;", "]]>", "a | b", "x, y", "null", "true", "1e5",
        "Олександр Коваленко", "محمد بن علي", "Ünïcødé", "João Ávila",
    ]
)  # fmt: skip


LINES = (_AWKWARD | st.text(SIGNS, min_size=1, max_size=12)).map(
    lambda text: " ".join(part for part in text.split(" ") if part)
).filter(str.strip)  # fmt: skip
"""Short text on one line, white space collapsed as xs:token has it."""
TEXTS = (
    LINES | st.text(SIGNS | st.sampled_from("\n\r\t "), min_size=1, max_size=20)
).filter(str.strip)  # fmt: skip
"""Running text with line ends and blanks wherever they fall."""
TOKENS = st.text(st.sampled_from("aZ09.-_:/@+=éЖ;,'\"&#"), min_size=1, max_size=16)
"""An identifier without white space."""
NUMBERS = TOKENS | st.sampled_from(["HRB 98765", "912 345 678 00019", "АВ № 123456"])
"""As their issuers write them."""
LOCAL_IDS = st.from_regex(r"[A-Za-z_][A-Za-z0-9_.\-]{0,8}", fullmatch=True)
COUNTRIES = st.sampled_from(["DE", "FR", "BR", "UA", "XK", "EU", "GB"])
LANGUAGES = st.sampled_from(["de", "fr", "pt", "pt-BR", "en", "uk", "ar", "zh-Hant-TW", "und"])
SCRIPTS = st.sampled_from(["Latn", "Cyrl", "Arab", "Hans"])

DAYS = st.dates(datetime(1000, 1, 1).date(), datetime(9999, 12, 31).date())
PARTIAL_DATES = st.builds(
    lambda day, keep: day.isoformat()[:keep], DAYS, st.sampled_from([4, 7, 10])
)

OFFSETS = st.sampled_from(
    [
        timezone(timedelta(minutes=m))
        for m in (0, 60, 120, -180, -120, 345, -570, 840, -840, 1, -839)
    ]
)
_WHEN = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=OFFSETS)


def moments(at_least: datetime | None = None) -> st.SearchStrategy[datetime]:
    """A point in time with an offset that XML can write; from another one on if it is given."""
    if at_least is None:
        return _WHEN
    ahead = st.timedeltas(timedelta(), timedelta(days=800))
    return st.builds(lambda zone, by: (at_least + by).astimezone(zone), OFFSETS, ahead)
