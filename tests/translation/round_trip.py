"""An envelope written in a national format and read back: what the two have in common."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

from connector.envelope import HeaderValues, check, complete, read_draft, write_element
from connector.envelope.model import Envelope, Extension
from connector.translation import Formats, Outcome, Read, Written

ACCOUNTED = {Outcome.MAPPED, Outcome.ANNEXED, Outcome.DROPPED}


def written(formats: Formats, envelope: Envelope, format: str) -> Written:
    """The envelope in the national format; every field of it accounted for by a rule."""
    document = formats.write(write_element(envelope), format)
    assert document.problems == ()
    for entry in document.account.entries:
        assert entry.outcome in ACCOUNTED, entry
        assert entry.outcome is Outcome.DROPPED or entry.rule, entry
        assert entry.outcome is Outcome.MAPPED or entry.reason, entry
        assert entry.outcome is not Outcome.MAPPED or entry.rule == "marker" or entry.targets, entry
    return document


def read_back(formats: Formats, document: Written, original: Envelope) -> tuple[Read, Envelope]:
    """What the document says, completed with what a connector gives; every field accounted for."""
    found = formats.read(document.data, document.format, filename=document.filename)
    assert found.problems == ()
    assert found.account.unknown == ()
    assert {entry.outcome for entry in found.account.entries} <= ACCOUNTED
    header = original.header
    own = HeaderValues(message_id=header.message_id, created_at=header.created_at)
    envelope = read_draft(found.envelope, replace=own)
    return found, complete(envelope, own)


def changed(part: Any, change: Callable[[Any], Any]) -> Any:
    """`part` with `change` applied to it and to every dataclass, tuple and value below."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        values = {
            each.name: changed(getattr(part, each.name), change)
            for each in dataclasses.fields(part)
        }
        return change(dataclasses.replace(part, **values))
    if isinstance(part, tuple):
        return tuple(changed(each, change) for each in part)
    return change(part)


def without_extensions(part: Any) -> Any:
    """For `changed`: content of partners' own, which no national format knows."""
    return None if isinstance(part, Extension) else part


def to_the_second(part: Any) -> Any:
    """For `changed`: moments without fractions, which compare equal in any zone."""
    return part.replace(microsecond=0) if isinstance(part, datetime) else part


def assert_valid(envelope: Envelope) -> None:
    """By schema and rules."""
    assert check(write_element(envelope)) == ()
