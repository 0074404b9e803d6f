"""Countries and territories by ISO 3166-1 alpha-2 code, and who is a member of INTERPOL."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any, Final

from connector.errors import unacceptable

_DATA: Final = Path(__file__).resolve().parent / "data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Country:
    """A country or territory that has a code."""

    code: str
    """ISO 3166-1 alpha-2; `XK` for Kosovo, which has none."""
    name: str
    """Short English name, for messages to people."""
    interpol_member: bool
    """As of the date of the data (`interpol_as_of`)."""
    belongs_to: str | None = None
    """Code of the state that answers for its external relations, for a territory."""


def country(code: str) -> Country:
    """The country with this code.

    Raises `ConnectorError` (unacceptable) `directory.unknown-country` with the closest matches.
    """
    if found := countries().get(code):
        return found
    raise unacceptable(
        "directory.unknown-country",
        f"{code[:60]!r} is no country code of ISO 3166-1 alpha-2.",
        mend=_suggestion(code),
    )


@cache
def countries() -> dict[str, Country]:
    """All countries by code. Do not change it: every caller gets the same."""
    data = _load("countries.toml")
    members = frozenset(_load("interpol.toml")["members"])
    return {
        code: Country(
            code=code,
            name=name,
            interpol_member=code in members,
            belongs_to=data["belongs_to"].get(code),
        )
        for code, name in data["names"].items()
    }


@cache
def interpol_as_of() -> str:
    """The day (ISO 8601) up to which the list of INTERPOL's members was followed."""
    as_of: str = _load("interpol.toml")["as_of"]
    return as_of


def _load(name: str) -> dict[str, Any]:
    return tomllib.loads((_DATA / name).read_text(encoding="utf-8"))


def _suggestion(code: str) -> str:
    if code.upper() in countries():
        return f"Write {code.upper()}."
    by_name = {each.name.casefold(): each for each in countries().values()}
    if near := [by_name[name] for name in get_close_matches(code.casefold(), by_name, n=3)]:
        return f"Did you mean {', '.join(f'{each.code} ({each.name})' for each in near)}?"
    return "Write two capital letters, e.g. DE for Germany."
