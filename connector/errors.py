"""The one error type that reaches users, and the problem it carries.

Every refusal in emla is a `ConnectorError` with at least one `Problem`: what is wrong, where, and
what the person who must act can do. Its `kind` decides what the program does next: refuse the
message (exit status 1), ask for configuration to be mended (2) or try again later (3).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a failure means for whoever waits."""

    UNACCEPTABLE = "unacceptable"
    """The document or message will never be acceptable as it is; retrying is of no use."""
    CONFIGURATION = "configuration"
    """Wrong use or configuration: a person has to mend the connector's set-up."""
    TRANSIENT = "transient"
    """The same call may succeed later (a gateway that is down, a full disk)."""

    @property
    def exit_status(self) -> int:
        """The exit status of the `emla` command for this kind."""
        return {Kind.UNACCEPTABLE: 1, Kind.CONFIGURATION: 2, Kind.TRANSIENT: 3}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong, for the person who must act."""

    code: str
    """Stable and machine-readable, dotted, e.g. `xml.doctype` or `signature.digest-mismatch`."""
    what: str
    """What is wrong, in one sentence, with the offending value where it helps."""
    mend: str = ""
    """What to do about it."""
    file: str | None = None
    line: int | None = None
    path: str | None = None
    """Where in the document: an XPath, a JSON pointer, a column name."""

    def __str__(self) -> str:
        place = ":".join(str(p) for p in (self.file, self.line) if p is not None)
        if self.path:
            place = f"{place} {self.path}".strip()
        text = f"{place}: {self.what}" if place else self.what
        return f"{text} {self.mend}".strip() + f" [{self.code}]"

    def as_json(self) -> dict[str, Any]:
        """The problem as plain data, absent fields left out."""
        fields = ("code", "what", "mend", "file", "line", "path")
        return {n: v for n in fields if (v := getattr(self, n)) not in (None, "")}


class ConnectorError(Exception):
    """A refusal or failure that somebody must be told about."""

    def __init__(self, kind: Kind, *problems: Problem) -> None:
        if not problems:
            raise ValueError("a ConnectorError needs at least one problem")
        super().__init__("; ".join(str(p) for p in problems))
        self.kind = kind
        self.problems = problems

    @property
    def code(self) -> str:
        """The code of the first problem: what tests and partners look at."""
        return self.problems[0].code


def unacceptable(code: str, what: str, **where: Any) -> ConnectorError:
    """A permanent refusal with one problem; `where` are further fields of `Problem`."""
    return ConnectorError(Kind.UNACCEPTABLE, Problem(code=code, what=what, **where))


def misconfigured(code: str, what: str, **where: Any) -> ConnectorError:
    """Wrong use or configuration, with one problem."""
    return ConnectorError(Kind.CONFIGURATION, Problem(code=code, what=what, **where))


def transient(code: str, what: str, **where: Any) -> ConnectorError:
    """A failure that may pass, with one problem."""
    return ConnectorError(Kind.TRANSIENT, Problem(code=code, what=what, **where))
