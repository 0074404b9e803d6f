"""Small parts that the page is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

from connector.demo import words
from connector.markup import Content, tag
from connector.xml import Element


@dataclass(frozen=True, slots=True)
class Frame:
    """What every part needs to know of the whole."""

    root: Path
    started: datetime
    colours: Mapping[str, str]
    """Class of each country."""

    def link(self, text: str, path: Path | None) -> Content:
        """To a file below the page's folder; None where there is none."""
        if path is None:
            return None
        resolved, root = path.resolve(), self.root.resolve()
        if not resolved.is_relative_to(root) or not resolved.exists():
            return None
        return tag("a", text, href=quote(resolved.relative_to(root).as_posix()))

    def link_or_text(self, text: str, path: Path | None) -> Content:
        """The link, or only its text where there is no file."""
        link = self.link(text, path)
        return text if link is None else link

    def since(self, at: datetime) -> str:
        """Seconds since the start."""
        return f"{(at - self.started).total_seconds():.2f} s"

    def country(self, code: str) -> Element:
        """A country's code in its colour."""
        return tag(
            "span",
            code or "??",
            class_=f"country {self.colours.get(code, '')}".strip(),
            title=words.country_name(code),
        )


def listed(items: Sequence[str]) -> str:
    """`one`, `one and two`, `one, two and three`."""
    *most, last = items
    return f"{', '.join(most)} and {last}" if most else last


def clock(at: datetime) -> str:
    """Time of day in UTC, to the millisecond."""
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}"


def verdict(good: bool, yes: str, no: str) -> Element:
    """A tick or a cross with its word."""
    return tag("span", "✓ " + yes if good else "✗ " + no, class_="good" if good else "bad")


def badge(text: str, kind: str = "") -> Element:
    """A word in a box."""
    return tag("span", text, class_=f"badge {kind}".strip())


def code(text: str) -> Element:
    """A digest or a name that may be broken anywhere."""
    return tag("code", text)


def words_of(value: str) -> str:
    """A code of a code list as words."""
    return value.replace("-", " ")
