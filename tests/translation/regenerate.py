"""Writes anew what the examples of a mapping become, after a mapping was changed on purpose.

    .venv/bin/python -m tests.translation.regenerate            # all formats
    .venv/bin/python -m tests.translation.regenerate xjustiz    # one

Look at the difference (`git diff mappings/`) before it is committed: it is what other countries
will read from now on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from lxml import etree

from connector.shipped import shipped
from connector.translation import Formats, Read, load_formats
from connector.translation.mapping import MAPPING_FILE
from tests.translation.expected import examples, read_example

MAPPINGS = [file.parent for file in sorted(shipped("mappings").glob(f"*/{MAPPING_FILE}"))]


def envelope_file(found: Read) -> bytes:
    """The envelope as `expected.envelope.xml` holds it."""
    etree.indent(found.envelope)
    return etree.tostring(found.envelope, xml_declaration=True, encoding="UTF-8") + b"\n"


def account_file(found: Read) -> str:
    """The account as `expected.account.json` holds it."""
    return json.dumps(found.account.as_json(), ensure_ascii=False, indent=1) + "\n"


def regenerate(formats: Formats, format: str, folder: Path) -> int:
    """All examples of one mapping; how many there are."""
    found = examples(folder)
    for example in found:
        read = read_example(formats, format, example)
        (example / "expected.account.json").write_text(account_file(read), "utf-8")
        (example / "expected.envelope.xml").write_bytes(envelope_file(read))
    return len(found)


def main(*names: str) -> None:
    """Regenerate the formats named, or all."""
    formats = load_formats(MAPPINGS)
    for folder in MAPPINGS:
        if not names or folder.name in names:
            print(f"{folder.name}: {regenerate(formats, folder.name, folder)} examples")


if __name__ == "__main__":
    main(*sys.argv[1:])
