"""Code lists: national codes and those of the envelope, each pair with its direction and fit."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict

from connector.translation.mapping import Direction
from connector.translation.mapping_file import read_toml, validated
from connector.translation.values import NotConvertible


class Equivalence(StrEnum):
    """How well the envelope's code fits the national one."""

    EQUAL = "equal"
    WIDER = "wider"
    """The envelope's code means more."""
    NARROWER = "narrower"
    """The envelope's code means less."""
    INEXACT = "inexact"


_BEST: Final = {each: rank for rank, each in enumerate(Equivalence)}


class CodePair(BaseModel):
    """One national code and what it is in the envelope."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: str
    target: str
    direction: Direction = Direction.BOTH
    equivalence: Equivalence = Equivalence.EQUAL
    note: str = ""


class CodeListFile(BaseModel):
    """A file `codes/<name>.toml`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    provenance: str
    """Where the codes come from, with version and date."""
    several: str = "first"
    """`first`: of several equally good matches take the one that stands first; `refuse`."""
    unknown: Literal["refuse", "annex"] = "refuse"
    """A national code that is not listed is a problem, or stays in its document with a warning."""
    fallback: str | None = None
    """The envelope's code for national codes that are not listed."""
    fallback_out: str | None = None
    """The national code for codes of the envelope that are not listed."""
    entries: tuple[CodePair, ...]


class CodeList:
    """A code list ready for look-up in both directions."""

    def __init__(self, name: str, file: CodeListFile) -> None:
        self.name = name
        self.file = file
        self._in = _index((e.code, e) for e in file.entries if e.direction.reads)
        self._out = _index((e.target, e) for e in file.entries if e.direction.writes)

    def matches(self, code: str, *, out: bool = False) -> tuple[CodePair, ...]:
        """All pairs for a code (of the envelope if `out`), the best fit first."""
        return (self._out if out else self._in).get(code, ())

    def read(self, code: str) -> tuple[str, str]:
        """The envelope's code for a national one, and a note where it does not fit exactly.

        Raises `NotConvertible` (`unknown-code`, `ambiguous-code`).
        """
        pair = self._one(code, out=False)
        if pair is not None:
            return pair.target, _note(pair)
        if self.file.fallback is not None:
            return self.file.fallback, f"The code {code!r} is not in the list {self.name}."
        raise self._unknown(code, lenient=self.file.unknown == "annex")

    def write(self, code: str) -> tuple[str, str]:
        """The national code for one of the envelope; otherwise as `read`."""
        pair = self._one(code, out=True)
        if pair is not None:
            return pair.code, _note(pair)
        if self.file.fallback_out is not None:
            note = f"The format has no code for {code!r}."
            return self.file.fallback_out, note
        raise self._unknown(code)

    def targets(self) -> set[str]:
        """Every code of the envelope that is named."""
        named = {each.target for each in self.file.entries}
        return named | ({self.file.fallback} if self.file.fallback is not None else set())

    def covers(self, code: str) -> bool:
        """Whether the envelope's code can be written."""
        return code in self._out or self.file.fallback_out is not None

    def _one(self, code: str, *, out: bool) -> CodePair | None:
        found = self.matches(code, out=out)
        if not found:
            return None
        best = [e for e in found if e.equivalence is found[0].equivalence]
        if len(best) > 1 and self.file.several == "refuse":
            choice = ", ".join(e.code if out else e.target for e in best)
            raise NotConvertible(
                "ambiguous-code",
                f"The code {code!r} may mean any of {choice} (list {self.name}).",
                "Give the rule a condition, or the list an order.",
            )
        return best[0]

    def _unknown(self, code: str, *, lenient: bool = False) -> NotConvertible:
        return NotConvertible(
            "unknown-code",
            f"The code {code[:80]!r} is not in the list {self.name} ({self.file.title}).",
            "Use a code of the list, or add the code to the list's file.",
            lenient=lenient,
        )


def _index(pairs: object) -> dict[str, tuple[CodePair, ...]]:
    found: dict[str, list[CodePair]] = {}
    for key, pair in pairs:  # type: ignore[attr-defined]
        found.setdefault(key, []).append(pair)
    return {
        key: tuple(sorted(each, key=lambda e: _BEST[e.equivalence])) for key, each in found.items()
    }


def _note(pair: CodePair) -> str:
    if pair.equivalence is Equivalence.EQUAL:
        return ""
    return f"{pair.code} = {pair.target}: {pair.equivalence}. {pair.note}".strip()


def read_code_lists(folder: Path) -> dict[str, CodeList]:
    """The lists in `folder`, by file name. Raises `mapping.unreadable`, `mapping.invalid`."""
    return {
        file.stem: CodeList(file.stem, validated(CodeListFile, read_toml(file), file))
        for file in sorted(folder.glob("*.toml"))
    }
