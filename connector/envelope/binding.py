"""How the dataclasses of the model are bound to XML: one plan a class, made once from its fields.

A field is stated once, in the class: its element is the field's name in camel case (`message_id`
is `MessageId`, `from_` is `From`) unless `tag` names another; its annotation says the rest:

    X            exactly one            X | None          at most one
    tuple[X, …]  any number             A | B             one of several, told by element name

`str` is a token (white space collapsed), `Text` is kept as it is; `bool`, `int`, aware `datetime`
and `StrEnum` are values; a dataclass is a nested element. Fields stand in the order of the XSD.
"""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

from connector.envelope import values

NAMESPACE: Final = "urn:emla:envelope:1"

Text = Annotated[str, "text"]
"""Running text: line breaks and spaces are kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Extension:
    """Elements of other namespaces that partners agreed on, each as exclusive canonical XML."""

    content: tuple[bytes, ...]


def tag(name: str) -> dict[str, str]:
    """Metadata of a field whose element is not its own name in camel case."""
    return {"tag": name}


@dataclass(frozen=True, slots=True)
class Leaf:
    """A value: how its text is read and written."""

    decode: Callable[[str], Any]
    encode: Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Slot:
    """One field of a class and the element, or elements, it is written as."""

    field: str
    many: bool
    required: bool
    """At least one."""
    elements: dict[str, Leaf | type]
    """Local element name to the value or the class it holds; several only for a choice."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A class as XML."""

    slots: tuple[Slot, ...]
    by_tag: dict[str, tuple[int, Leaf | type]]
    """Qualified element name to the slot's index and what the element holds."""


def camel(name: str) -> str:
    """`message_id` as `MessageId`."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


@cache
def plan(cls: type) -> Plan:
    """The plan of a dataclass of the model. Raises `TypeError` for a class that cannot be bound."""
    hints = get_type_hints(cls, include_extras=True)
    slots = tuple(_slot(each, hints[each.name]) for each in fields(cls))
    by_tag = {
        f"{{{NAMESPACE}}}{name}": (index, content)
        for index, slot in enumerate(slots)
        for name, content in slot.elements.items()
    }
    return Plan(slots, by_tag)


def _slot(each: Field[Any], hint: Any) -> Slot:
    required = each.default is MISSING and each.default_factory is MISSING
    many = get_origin(hint) is tuple
    item = get_args(hint)[0] if many else hint
    choices = [choice for choice in _choices(item) if choice is not type(None)]
    if len(choices) > 1:
        elements: dict[str, Leaf | type] = {choice.__name__: choice for choice in choices}
    else:
        elements = {each.metadata.get("tag") or camel(each.name): _content(choices[0])}
    return Slot(each.name, many, required, elements)


def _choices(hint: Any) -> list[Any]:
    if get_origin(hint) in (Union, types.UnionType):
        return list(get_args(hint))
    return [hint]


def _content(hint: Any) -> Leaf | type:
    if leaf := _LEAVES.get(hint):
        return leaf
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return Leaf(values.decode_code(hint), values.encode_code)
    if isinstance(hint, type) and is_dataclass(hint):
        return hint
    raise TypeError(f"{hint!r} cannot be bound to XML")


_LEAVES: Final[dict[Any, Leaf]] = {
    str: Leaf(values.decode_token, values.encode_token),
    Text: Leaf(values.decode_text, values.encode_text),
    bool: Leaf(values.decode_bool, values.encode_bool),
    int: Leaf(values.decode_int, values.encode_int),
    datetime: Leaf(values.decode_moment, values.encode_moment),
}
