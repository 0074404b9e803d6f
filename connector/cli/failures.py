"""What is wrong with a document elsewhere, but with the command line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from connector.errors import ConnectorError, Kind

T = TypeVar("T")


def as_usage(look_up: Callable[[], T]) -> T:
    """What `look_up` gives; its refusal is one of the command line (exit status 2)."""
    try:
        return look_up()
    except ConnectorError as error:
        raise ConnectorError(Kind.CONFIGURATION, *error.problems) from error
