"""The authorities that messages go to and come from, and the connector that serves each.

The directory is a TOML file with one table an authority:

    [[authority]]
    identifier = "urn:emla:authority:br:drci"
    country = "BR"
    role = "central"
    party = "connector-br"
    names = { pt = "Departamento de …", en = "Department of …" }
    format = "csv-br"        # optional: the national format that the authority reads
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from connector.directory.countries import countries
from connector.envelope.codes import AuthorityRole
from connector.envelope.parties import Authority as EnvelopeAuthority
from connector.envelope.parties import Identifier, LocalText
from connector.errors import ConnectorError, Kind, Problem, misconfigured, unacceptable

EXAMPLES: Final = Path(__file__).resolve().parent / "data" / "authorities.toml"
"""The directory of the demonstration."""

SCHEME: Final = "urn:emla:directory"
"""Scheme of the identifiers in an envelope."""
UNDETERMINED: Final = "und"
"""BCP 47 for a name whose language nobody told."""

_Line = Annotated[str, Field(min_length=1, max_length=255, pattern=r"^\S(.*\S)?$")]


class Office(StrEnum):
    """What an authority is, whichever side of a request it stands on."""

    ISSUING = "issuing"
    VALIDATING = "validating"
    CENTRAL = "central"
    DIPLOMATIC = "diplomatic"
    EXECUTING = "executing"
    CONTACT_POINT = "contact-point"
    INTERPOL_NCB = "interpol-ncb"

    def role(self, *, requesting: bool) -> AuthorityRole:
        """Its role in the chain of transmission, on the requesting or the requested side."""
        if self in (Office.CENTRAL, Office.DIPLOMATIC):
            return AuthorityRole(f"{'requesting' if requesting else 'requested'}-{self}")
        return AuthorityRole(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """One entry of the directory."""

    __pydantic_config__ = ConfigDict(extra="forbid")

    identifier: Annotated[str, Field(max_length=255, pattern=r"^\S+$")]
    """World-wide unique; `Header/SendingAuthority/Identifier/Value` of the envelope."""
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
    """ISO 3166-1 alpha-2, or EU or UN for one that belongs to no country."""
    role: Office
    names: Annotated[Mapping[str, _Line], Field(min_length=1)]
    """Name by language (BCP 47)."""
    party: _Line
    """AS4 party of the connector that serves it."""
    format: _Line | None = None
    """National format that it reads and writes; None leaves it to its connector."""

    def name(self, *languages: str) -> str:
        """Its name in the first of `languages` that there is one for, else the first name."""
        for language in languages:
            if language in self.names:
                return self.names[language]
        return next(iter(self.names.values()))

    def as_envelope(self, *, requesting: bool) -> EnvelopeAuthority:
        """The entry as the header of an envelope names it, on the requesting or requested side."""
        return EnvelopeAuthority(
            identifier=Identifier(value=self.identifier, scheme=SCHEME),
            country=self.country,
            role=self.role.role(requesting=requesting),
            names=tuple(
                LocalText(text=name, language=None if language == UNDETERMINED else language)
                for language, name in self.names.items()
            ),
        )


class Directory:
    """Authorities by identifier, country and party. Never changes, may be shared by threads."""

    def __init__(self, authorities: Iterable[Authority]) -> None:
        """Raises `ConnectorError` (configuration) `directory.doubled` if an identifier is there
        twice."""
        self.authorities: tuple[Authority, ...] = tuple(authorities)
        self._by_identifier = {each.identifier: each for each in self.authorities}
        count = Counter(each.identifier for each in self.authorities)
        if doubled := [identifier for identifier, times in count.items() if times > 1]:
            raise misconfigured(
                "directory.doubled",
                f"The directory has {', '.join(doubled)} more than once.",
                mend="Remove all but one of the entries.",
            )

    def find(self, identifier: str) -> Authority | None:
        """The authority with this identifier, if there is one."""
        return self._by_identifier.get(identifier)

    def get(self, identifier: str) -> Authority:
        """The authority with this identifier.

        Raises `ConnectorError` (unacceptable) `directory.unknown-authority` with the closest
        matches of identifiers and names.
        """
        if found := self._by_identifier.get(identifier):
            return found
        raise unacceptable(
            "directory.unknown-authority",
            f"The directory has no authority {identifier[:255]!r}.",
            mend=self._suggestion(identifier),
        )

    def of_country(self, country: str, role: Office | None = None) -> tuple[Authority, ...]:
        """The authorities of a country, in the directory's order; of one role if it is given."""
        return tuple(
            each
            for each in self.authorities
            if each.country == country and role in (None, each.role)
        )

    def of_party(self, party: str) -> tuple[Authority, ...]:
        """The authorities that a connector serves: only for these may it speak."""
        return tuple(each for each in self.authorities if each.party == party)

    def _suggestion(self, wanted: str) -> str:
        labels = {each.identifier.casefold(): each.identifier for each in self.authorities}
        for each in self.authorities:
            labels |= {name.casefold(): each.identifier for name in each.names.values()}
        near = get_close_matches(wanted.casefold(), labels, n=5, cutoff=0.7)
        if found := list(dict.fromkeys(labels[label] for label in near))[:3]:
            return f"Did you mean {', '.join(found)}? Else add it to the directory."
        return "Add it to the directory, or correct the identifier."


def load_directory(path: Path) -> Directory:
    """The directory in a TOML file.

    Raises `ConnectorError` (configuration): `directory.unreadable`, `directory.entry` (one problem
    for each wrong field, with entry and field as path), `directory.doubled`.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise misconfigured(
            "directory.unreadable",
            f"The directory of authorities cannot be read: {error}",
            mend="Mend the TOML at the place that is named, or name another file.",
            file=str(path),
        ) from error
    try:
        found = _FILE.validate_python(data).authority
    except ValidationError as error:
        raise ConnectorError(
            Kind.CONFIGURATION, *(_problem(each, path) for each in error.errors())
        ) from error
    known = {*countries(), "EU", "UN"}
    if wrong := [each for each in found if each.country not in known]:
        raise misconfigured(
            "directory.entry",
            f"{wrong[0].identifier} has the country {wrong[0].country}, which is no code.",
            mend="Write a code of ISO 3166-1 alpha-2.",
            file=str(path),
        )
    return Directory(found)


@dataclass(frozen=True, slots=True)
class _File:
    __pydantic_config__ = ConfigDict(extra="forbid")

    authority: tuple[Authority, ...]


_FILE: Final = TypeAdapter(_File)


def _problem(error: Any, path: Path) -> Problem:
    place = "/".join(str(step) for step in error["loc"])
    return Problem(
        code="directory.entry",
        what=f"An entry of the directory is wrong: {error['msg']}.",
        mend="Write identifier, country, role, names and party; format if you like.",
        file=str(path),
        path=place,
    )
