"""An envelope written in a national format and read back, held against the account of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, Phase, settings

from connector.envelope import HeaderValues, complete, read, read_draft, write_element
from connector.envelope.model import Envelope
from connector.translation import Formats, Outcome, Read, Written
from connector.xml import Element
from tests.envelope.samples import at

ACCOUNTED = {Outcome.MAPPED, Outcome.ANNEXED, Outcome.DROPPED}

MANY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
)
"""For envelopes, which are large."""


def written(formats: Formats, envelope: Envelope, format: str) -> Written:
    """The envelope in the national format; every field of it accounted for by a rule."""
    document = formats.write(write_element(envelope), format)
    assert document.problems == ()
    assert document.account.unknown == ()
    for entry in document.account.entries:
        assert entry.outcome in ACCOUNTED, entry
        if entry.outcome is Outcome.MAPPED:
            assert entry.rule == "marker" or entry.targets, entry
        else:
            assert entry.reason, entry
            assert not entry.targets, entry
    return document


def read_back(formats: Formats, document: Written, original: Envelope) -> tuple[Read, Envelope]:
    """What the document says, completed with what a connector gives; every field accounted for."""
    found = formats.read(document.data, document.format, filename=document.filename)
    assert found.problems == ()
    assert found.account.unknown == ()
    assert {entry.outcome for entry in found.account.entries} <= ACCOUNTED
    header = original.header
    own = HeaderValues(message_id=header.message_id, created_at=header.created_at)
    return found, complete(read_draft(found.envelope, replace=own), own)


def as_accounted(document: Written, envelope: Envelope) -> Envelope:
    """The envelope without the fields that the account says are not in the document."""
    root = write_element(envelope)
    gone = [
        entry.origin.split("/Extension/")[0]
        + ("/Extension" if "/Extension/" in entry.origin else "")
        for entry in document.account.entries
        if entry.outcome is not Outcome.MAPPED
    ]
    for element in [at(root, path) for path in dict.fromkeys(gone)]:
        parent = element.getparent()
        assert parent is not None
        parent.remove(element)
    _prune(root)
    return read(root)


def _prune(element: Element) -> None:
    for child in list(element):
        _prune(child)
        if not len(child) and not child.text:
            element.remove(child)


def changed(part: Any, change: Callable[[Any], Any]) -> Any:
    """`part` with `change` applied to it and to every dataclass, tuple and value below."""
    if dataclasses.is_dataclass(part) and not isinstance(part, type):
        values = {
            each.name: changed(getattr(part, each.name), change)
            for each in dataclasses.fields(part)
        }
        return change(dataclasses.replace(part, **values))
    if isinstance(part, tuple):
        return change(tuple(changed(each, change) for each in part))
    return change(part)


def to_the_second(part: Any) -> Any:
    """For `changed`: moments without fractions, which compare equal in any zone."""
    return part.replace(microsecond=0) if isinstance(part, datetime) else part


def named(envelope: Envelope, reference: str) -> Envelope:
    """With the reference that the format writes where the envelope has none."""
    header = envelope.header
    if header.sender_reference is None:
        header = dataclasses.replace(header, sender_reference=reference)
    return dataclasses.replace(envelope, header=header)
