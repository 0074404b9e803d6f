"""Putting another function in the place of one, wherever it has been imported to."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_OURS = ("connector", "gateway_client")


@contextmanager
def replaced(
    place: str, make: Callable[[Callable[..., Any]], Callable[..., Any]]
) -> Iterator[None]:
    """`make(original)` instead of the function at `place`: `module:name`, `module:Class.method`."""
    module, _, path = place.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    original = getattr(owner, name)
    new = make(original)
    _put(owner, name, original, new)
    try:
        yield
    finally:
        _put(owner, name, new, original)


def _put(owner: Any, name: str, old: Any, new: Any) -> None:
    setattr(owner, name, new)
    for module_name, module in list(sys.modules.items()):
        if module_name.split(".")[0] not in _OURS:
            continue
        for known, value in list(vars(module).items()):
            if value is old:
                setattr(module, known, new)
            elif type(value) is dict:
                for key in [k for k, v in value.items() if v is old]:
                    value[key] = new
