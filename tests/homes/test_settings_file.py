"""The settings that `emla init` writes name every entry there is, with its true default."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from connector.homes.creation import _TEMPLATE
from connector.settings import KeyFile, PartnerSection, Settings

SHOWN_ELSEWHERE = {"format", "partner"}
"""Tables whose names are not fixed, or that come several times."""


def text() -> str:
    values = {"country": '"DE"', "party": '"p"', "name": '"n"', "authority": '"a"'}
    values |= {"listen": '"127.0.0.1:8080"', "format": '"f"', "key_note": "#", "certificate": "c"}
    return Template(_TEMPLATE.read_text("utf-8")).substitute(values)


def uncommented() -> dict[str, Any]:
    """The file as it would be with every default and example written out."""
    entry = re.compile(r"# ((?:[a-z_]+ = .+)|(?:\[\[?[a-z.]+\]\]?))$")
    lines = [found[1] if (found := entry.match(line)) else line for line in text().splitlines()]
    return tomllib.loads("\n".join(lines))


def entries(model: type[BaseModel], *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, field in model.model_fields.items():
        inner = next((t for t in (field.annotation, *get_args(field.annotation)) if _is(t)), None)
        if inner is None or inner is KeyFile or inner is PartnerSection or name == "format":
            yield (*path, name), field
        else:
            yield from entries(inner, *path, name)


def _is(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


ALL = dict(entries(Settings))


@pytest.mark.parametrize("path", sorted(ALL), ids=".".join)
def test_every_entry_is_there(path: tuple[str, ...]) -> None:
    place: Any = uncommented()
    for step in path:
        assert step in place, f"{'.'.join(path)} is not in {_TEMPLATE}"
        place = place[step]


def test_nothing_else_is_there() -> None:
    written = uncommented()
    assert set(written) == set(Settings.model_fields)
    for name, section in written.items():
        if name in SHOWN_ELSEWHERE or not isinstance(section, dict):
            continue
        known = {path[1] for path in ALL if path[0] == name}
        assert set(section) <= known, name
    (partner,) = written["partner"]
    assert set(partner) == set(PartnerSection.model_fields)


def test_defaults_are_the_true_ones(tmp_path: Path) -> None:
    """What is written behind a `#` is what holds without it."""
    bare = Settings(**tomllib.loads(text()))
    written = uncommented()
    for example in ("format", "partner", "mappings"):
        written.pop(example)
    for section, names in {
        "gateway": ("tls_certificate", "domibus_url", "domibus_user", "domibus_password_file"),
        "trust": ("policy",),
        "timestamps": ("urls", "trust"),
    }.items():
        for name in names:
            written[section].pop(name)
    assert Settings(**written) == bare
