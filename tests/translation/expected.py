"""Examples of a mapping: documents with the envelope and the account that are expected of them."""

from __future__ import annotations

import json
from pathlib import Path

from lxml import etree

from connector.translation import Formats, Read
from connector.xml import Element, parse


def examples(folder: Path) -> list[Path]:
    """The examples of a mapping, one folder each."""
    return sorted(each for each in (folder / "examples").iterdir() if each.is_dir())


def document_of(example: Path) -> Path:
    """The national document of an example."""
    (document,) = example.glob("document.*")
    return document


def read_example(formats: Formats, format: str, example: Path) -> Read:
    """The document as the mapping reads it."""
    document = document_of(example)
    return formats.read(document.read_bytes(), format, filename=document.name)


def assert_as_expected(found: Read, example: Path) -> None:
    """Envelope and account, to the last field."""
    expected = parse((example / "expected.envelope.xml").read_bytes())
    assert _plain(found.envelope) == _plain(expected)
    account = json.loads((example / "expected.account.json").read_text("utf-8"))
    assert found.account.as_json() == account


def _plain(root: Element) -> list[tuple[str, str]]:
    tree = etree.ElementTree(root)
    return [(tree.getpath(e), "" if len(e) else e.text or "") for e in root.iter()]
