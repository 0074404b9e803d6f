"""Small formats for tests of the engine: the mapping is written in the test."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from connector.translation import Formats, Outcome, Read, Written, load_formats
from connector.xml import parse

HEAD = """
[format]
name = "small"
title = "Small"
kind = "{kind}"
version = "1"
filename = "small.{kind}"
zone = "Europe/Berlin"
{more}
"""
XML = """
[xml]
root = "m:doc"
namespaces = {{ m = "urn:m" }}
"""
REFERENCE = "<Header><SenderReference>{}</SenderReference></Header><Request/>"


def rules(*each: str) -> str:
    """One group of these rules."""
    return '[[group]]\nid = "g"\nrules = [\n' + ",\n".join(each) + "\n]\n"


def small(
    folder: Path,
    groups: str,
    *,
    kind: str = "json",
    codes: dict[str, str] | None = None,
    strict: bool = False,
    messages: str = "Request = {}",
) -> Formats:
    """The format `small` with groups, blocks and tables as they are written in `groups`."""
    head = HEAD.format(kind=kind, more=XML if kind == "xml" else "").replace("{{", "{")
    text = f"{head.replace('}}', '}')}\n[messages]\n{messages}\n{groups}"
    (folder / "mapping.toml").write_text(text, "utf-8")
    (folder / "codes").mkdir(exist_ok=True)
    for name, content in (codes or {}).items():
        head = f'title = "{name}"\nprovenance = "this test"\n'
        (folder / "codes" / f"{name}.toml").write_text(head + content, "utf-8")
    return load_formats([folder], strict=strict)


def read_small(formats: Formats, document: Any) -> Read:
    """A document: XML as bytes, or something for JSON."""
    data = document if isinstance(document, bytes) else json.dumps(document).encode()
    return formats.read(data, "small", filename="small.doc")


def write_small(formats: Formats, inner: str) -> Written:
    """The envelope with `inner` between its tags."""
    envelope = f'<Envelope xmlns="urn:emla:envelope:1" version="1.0">{inner}</Envelope>'
    return formats.write(parse(envelope.encode()), "small")


def as_json(document: Written) -> Any:
    """What was written."""
    return json.loads(document.data)


def text(found: Read, *path: str) -> list[str]:
    """The texts of the envelope at a path of names."""
    steps = "/".join(f"{{*}}{name}" for name in path)
    return [each.text or "" for each in found.envelope.findall(steps)]


def outcomes(found: Read | Written) -> dict[str, tuple[Outcome, str]]:
    """Outcome and rule of every field, by its place."""
    return {e.origin: (e.outcome, e.rule) for e in found.account.entries}


def codes_of(found: Read | Written) -> tuple[list[str], list[str]]:
    """Codes of problems and of warnings, without what they have in common."""
    return (
        [each.code.removeprefix("translation.") for each in found.problems],
        [each.code.removeprefix("translation.") for each in found.warnings],
    )
