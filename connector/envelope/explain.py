"""Why a document does not follow an XSD, in words for a person."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from connector.envelope.binding import NAMESPACE
from connector.envelope.place import line_of, path_of
from connector.errors import Problem
from connector.xml import Element

if TYPE_CHECKING:
    from xmlschema import XMLSchema10, XMLSchemaValidationError

EXPLAINED_ELEMENTS: Final = 20_000
"""A larger document is explained by libxml2's own messages: `xmlschema` would take minutes."""
_MAX_ERRORS: Final = 100
_MAX_VALUE: Final = 80
_POSITION: Final = re.compile(r"\[\d+\]")
_one_at_a_time = threading.Lock()


def explain(root: Element, log: Any, schema: Path, *, file: str | None = None) -> Iterator[Problem]:
    """The problems of `root`, which libxml2 found invalid and said so in `log`.

    `xmlschema` names path, value and facet; its word is asked for only here, for it takes
    milliseconds a document. One problem for each element, with the code `envelope.schema`.
    """
    told: set[Element] = set()
    if sum(1 for _ in islice(root.iter(), EXPLAINED_ELEMENTS)) < EXPLAINED_ELEMENTS:
        with _one_at_a_time:
            compiled = _xmlschema(schema)
            errors = list(islice(compiled.iter_errors(root), _MAX_ERRORS))
        for error in errors:
            element = error.elem if isinstance(error.elem, etree._Element) else root
            if element not in told:
                told.add(element)
                yield _problem(error, element, compiled, file)
    if not told:
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
def _xmlschema(schema: Path) -> XMLSchema10:
    import xmlschema  # takes a third of a second, and a good document never needs it

    return xmlschema.XMLSchema10(str(schema), allow="local", use_location_hints=False)


def _problem(
    error: XMLSchemaValidationError,
    element: Element,
    schema: XMLSchema10,
    file: str | None,
) -> Problem:
    path = path_of(element)
    kind = _simple_type(schema, path)
    value = (element.text or "").strip() if not len(element) else ""
    reason = str(error.reason or error.message).replace(f"{{{NAMESPACE}}}", "").strip().rstrip(".")
    if kind is not None and value:
        what = f"{value[:_MAX_VALUE]!r} is not what {etree.QName(element).localname} holds"
        what += "." if kind.enumeration or "pattern" in reason else f": {reason}."
    else:
        what = f"{etree.QName(element).localname}: {reason}."
    return Problem(
        code="envelope.schema",
        what=what,
        mend=_mend(kind, value),
        file=file,
        line=line_of(element),
        path=path,
    )


def _simple_type(schema: XMLSchema10, path: str) -> Any:
    found = schema.find("/" + _POSITION.sub("", path), namespaces={"": NAMESPACE})
    kind = getattr(found, "type", None)
    return kind if kind is not None and kind.is_simple() else None


def _mend(kind: Any, value: str) -> str:
    if kind is None:
        return "Follow the schema emla.xsd."
    if kind.enumeration:
        codes = [str(code) for code in kind.enumeration]
        near = get_close_matches(value, codes, n=3, cutoff=0.4) or codes[:8]
        more = " …" if len(near) < len(codes) else ""
        return f"Write a code of {kind.local_name}, e.g. {', '.join(near)}{more}"
    if kind.annotation is not None:
        return " ".join("".join(each.itertext()) for each in kind.annotation.documentation)
    return f"Write a value of the type {kind.local_name or kind.name}."
