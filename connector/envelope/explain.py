"""Why a document does not follow an XSD, in words for a person."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

import xmlschema
from lxml import etree

from connector.envelope.place import line_of, path_of
from connector.errors import Problem
from connector.xml import Element

EXPLAINED_ELEMENTS: Final = 20_000
"""A larger document is explained by libxml2's own messages: `xmlschema` would take minutes."""
_VALUE: Final = 80
_one_at_a_time = threading.Lock()


def explain(root: Element, log: Any, schema: Path, *, file: str | None = None) -> Iterator[Problem]:
    """The problems of `root`, which libxml2 found invalid and said so in `log`.

    `xmlschema` names path, value and facet; its word is asked for only here, for it takes
    milliseconds a document. Each problem has the code `envelope.schema`.
    """
    small = sum(1 for _ in islice(root.iter(), EXPLAINED_ELEMENTS)) < EXPLAINED_ELEMENTS
    found = False
    if small:
        with _one_at_a_time:
            errors = list(islice(_xmlschema(schema).iter_errors(root), 100))
        for error in errors:
            found = True
            yield _problem(error, root, file)
    if not found:
        for entry in log:
            yield Problem(
                code="envelope.schema",
                what=entry.message,
                mend="Follow the schema emla.xsd.",
                file=file,
                line=entry.line,
                path=entry.path,
            )


@cache
def _xmlschema(schema: Path) -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(str(schema), allow="local", use_location_hints=False)


def _problem(error: xmlschema.XMLSchemaValidationError, root: Element, file: str | None) -> Problem:
    element = error.elem if isinstance(error.elem, etree._Element) else root
    name = etree.QName(element).localname
    reason = (error.reason or error.message).strip().rstrip(".")
    value = (element.text or "").strip()
    shown = f" It is {value[:_VALUE]!r}." if value and not len(element) else ""
    return Problem(
        code="envelope.schema",
        what=f"{name}: {reason}.{shown}",
        mend="Follow the schema emla.xsd.",
        file=file,
        line=line_of(element),
        path=path_of(element),
    )
