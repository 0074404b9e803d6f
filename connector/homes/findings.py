"""What was found out about one aspect of a home."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connector.errors import ConnectorError, Kind, Problem
from connector.settings import Home


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """The home, and how it is looked at."""

    home: Home
    now: datetime
    warn_before: timedelta
    """Certificates that expire sooner are warned of."""
    network: bool
    """Whether partners, brokers and gateways are asked whether they are there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One aspect of a home."""

    name: str
    detail: str = ""
    """What was looked at, in words."""
    problems: tuple[Problem, ...] = ()
    """What keeps the connector from running as it should."""
    warnings: tuple[Problem, ...] = ()
    """What somebody should know of, though it runs."""
    kind: Kind = Kind.CONFIGURATION
    """Of the problems: TRANSIENT if they may pass by themselves."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "name": self.name,
            "detail": self.detail,
            "result": "error" if self.problems else "warning" if self.warnings else "ok",
            "problems": [each.as_json() for each in self.problems],
            "warnings": [each.as_json() for each in self.warnings],
        }


class Collector:
    """Gathers what is wrong, so that one problem does not hide the next."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._kinds: set[Kind] = set()

    def error(self, code: str, what: str, **more: Any) -> None:
        """A problem of the configuration."""
        self.problems.append(Problem(code=code, what=what, **more))
        self._kinds.add(Kind.CONFIGURATION)

    def warn(self, code: str, what: str, **more: Any) -> None:
        """A warning."""
        self.warnings.append(Problem(code=code, what=what, **more))

    def caught(self, error: ConnectorError, *, path: str | None = None) -> None:
        """What a part of the connector says of its own configuration."""
        self._kinds.add(error.kind)
        self.problems += _placed(error.problems, path)

    def aspect(self, name: str, detail: str = "") -> Aspect:
        """What was gathered."""
        only_transient = self._kinds == {Kind.TRANSIENT}
        return Aspect(
            name=name,
            detail=detail,
            problems=tuple(self.problems),
            warnings=tuple(self.warnings),
            kind=Kind.TRANSIENT if only_transient else Kind.CONFIGURATION,
        )


def _placed(problems: Iterable[Problem], path: str | None) -> Iterable[Problem]:
    from dataclasses import replace

    for each in problems:
        yield replace(each, path=path) if path and not each.path else each
