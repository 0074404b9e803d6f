"""Everything that is wrong with a home, and how to mend it, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError, Kind
from connector.homes import agreements, credentials, places
from connector.homes.findings import Aspect, Collector, Looking
from connector.settings import FILE_NAME, load

WARN_BEFORE: Final = timedelta(days=30)

_ASPECTS: Final[Sequence[Callable[[Looking], Aspect]]] = (
    credentials.keys,
    credentials.trust,
    credentials.policy,
    agreements.directory,
    agreements.formats,
    agreements.partners,
    places.store,
    places.queue,
    places.gateway,
    places.folders,
    places.disk,
)


def check(
    folder: Path,
    now: datetime,
    *,
    warn_before: timedelta = WARN_BEFORE,
    network: bool = True,
) -> Iterator[Aspect]:
    """Each aspect of the home in `folder`, as soon as it has been looked at.

    Nothing is changed: no table is made, no folder. Settings that cannot be read are the only
    aspect that is looked at then.
    """
    found = Collector()
    try:
        home = load(folder)
    except ConnectorError as error:
        found.caught(error)
        yield found.aspect("settings")
        return
    own = home.settings.connector
    yield found.aspect("settings", f"{FILE_NAME} of {own.party} ({own.country})")
    look = Looking(home=home, now=now, warn_before=warn_before, network=network)
    for aspect in _ASPECTS:
        yield aspect(look)


def worst(aspects: Sequence[Aspect]) -> Kind | None:
    """What the problems of all aspects together mean; None if there are none."""
    kinds = {each.kind for each in aspects if each.problems}
    if not kinds:
        return None
    return Kind.TRANSIENT if kinds == {Kind.TRANSIENT} else Kind.CONFIGURATION
