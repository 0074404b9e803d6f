"""Which conversion a rule asks for."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfoNotFoundError

from connector.translation.codelists import CodeList
from connector.translation.local_ids import LocalIds
from connector.translation.mapping import Rule
from connector.translation.values import (
    Booleans,
    Conversion,
    Dates,
    Moments,
    Numbers,
    Uuids,
    Wrapped,
)


def conversion_of(rule: Rule, lists: Mapping[str, CodeList], zone: str | None) -> Conversion | None:
    """None where the value stays as it is. Raises ValueError with what is wrong in the rule."""
    inner = _inner(rule, lists, rule.zone or zone)
    if rule.source_pattern is None and rule.target_pattern is None:
        return inner
    for pattern in (rule.source_pattern, rule.target_pattern):
        if pattern is not None and pattern.count("{}") != 1:
            raise ValueError(f"the pattern {pattern!r} needs one place {{}}")
    return Wrapped(inner, rule.source_pattern, rule.target_pattern)


def _inner(rule: Rule, lists: Mapping[str, CodeList], zone: str | None) -> Conversion | None:
    if rule.codes is not None:
        if rule.codes not in lists:
            raise ValueError(f"there is no code list codes/{rule.codes}.toml")
        return lists[rule.codes]
    if rule.date is not None:
        return Dates(rule.date)
    if rule.moment is not None:
        try:
            return Moments(rule.moment, zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"the time zone {zone!r} is unknown on this machine") from error
    if rule.number is not None:
        return Numbers(rule.number.decimal, rule.number.group)
    if rule.boolean is not None:
        return Booleans(*rule.boolean)
    return Uuids() if rule.uuid else LocalIds() if rule.local_id else None
