"""Why a national document does not follow its official XSD, in words for a person."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from connector.envelope.place import line_of, path_of
from connector.errors import Problem
from connector.translation.official_files import closed, violations
from connector.xml import Element

if TYPE_CHECKING:
    from xmlschema import XMLSchema10, XMLSchemaValidationError

EXPLAINED_ELEMENTS: Final = 20_000
"""A larger document is explained by libxml2's own messages: `xmlschema` would take minutes."""
MAX_VIOLATIONS: Final = 200
_MAX_VALUE: Final = 80
_MAX_REASON: Final = 240
_NAME: Final = re.compile(r"\{[^{}]*\}")
_one_at_a_time = threading.Lock()


def explain(
    root: Element, schema: Path, folder: Path, *, file: str | None = None
) -> Iterator[Problem]:
    """Each violation of the schema in `root` as a problem `official.not-valid` with line and path.

    Elements that stand where none of their kind may, elements that are missing, attributes and
    values are each named by themselves.
    """
    if sum(1 for _ in islice(root.iter(), EXPLAINED_ELEMENTS)) < EXPLAINED_ELEMENTS:
        with _one_at_a_time:
            compiled = _xmlschema(schema, folder)
            errors = list(islice(compiled.iter_errors(root), MAX_VIOLATIONS))
            found = [problem for error in errors for problem in _problems(error, root, file)]
        if found:
            yield from found
            return
    for entry in violations(root, schema, folder)[:MAX_VIOLATIONS]:
        yield _problem(_shortened(entry.message), root, file, line=entry.line, path=entry.path)


@cache
def _xmlschema(schema: Path, folder: Path) -> XMLSchema10:
    import xmlschema  # takes a third of a second, and a good document never needs it

    closed(schema, folder)
    return xmlschema.XMLSchema10(str(schema), allow="local", use_location_hints=False)


def _problems(
    error: XMLSchemaValidationError, root: Element, file: str | None
) -> Iterator[Problem]:
    element = error.elem if isinstance(error.elem, etree._Element) else root
    name = etree.QName(element).localname
    if error.invalid_tag is not None and isinstance(error.invalid_child, etree._Element):
        child = error.invalid_child
        expected = _expected(error)
        what = f"{_local(child.tag)} may not stand here in {name}"
        if any(_local(tag) == _local(child.tag) for tag in error.expected_tags):
            what += f" {_in_namespace(child.tag)}"
            expected = f"{_local(child.tag)} {_in_namespace(_same_name(error, child.tag))}"
        yield _problem(f"{what}; {expected} is expected." if expected else f"{what}.", child, file)
        for missing in _missing(error, element):
            yield _problem(f"{name} has no {missing}, which is required.", element, file)
        return
    value = (element.text or "").strip() if not len(element) else ""
    reason = _shortened(str(error.reason or error.message))
    if "not complete" in reason and (expected := _expected(error)):
        reason = f"{expected} is missing at its end."
    what = f"{value[:_MAX_VALUE]!r} in {name}: {reason}" if value else f"{name}: {reason}"
    yield _problem(what, element, file)


def _problem(what: str, element: Element, file: str | None, **where: Any) -> Problem:
    return Problem(
        code="official.not-valid",
        what=what,
        mend="Write it as the official schema of this format says.",
        file=file,
        line=where.get("line", line_of(element)),
        path=where.get("path", path_of(element)),
    )


def _expected(error: XMLSchemaValidationError) -> str:
    names = [_local(tag) for tag in error.expected_tags]
    return " or ".join(dict.fromkeys(name for name in names if name))


def _same_name(error: XMLSchemaValidationError, tag: str) -> str:
    return next(each for each in error.expected_tags if _local(each) == _local(tag))


def _in_namespace(tag: str) -> str:
    space = etree.QName(tag).namespace if ":" not in tag.rpartition("}")[2] else None
    return f"in the namespace {space}" if space else "without a namespace"


def _missing(error: XMLSchemaValidationError, element: Element) -> Iterator[str]:
    """Required children that are not there at all; told once, with the first wrong child."""
    group: Any = getattr(error, "validator", None)
    content = getattr(getattr(group, "type", None), "content", group)
    if getattr(content, "model", None) != "sequence" or not hasattr(content, "iter_elements"):
        return
    wrong = [child for child in element if isinstance(child.tag, str)]
    if wrong:
        first = next((child for child in wrong if not _declared(child.tag, content)), wrong[0])
        told: Any = error.invalid_child
        if told is not first:
            return
    present = {child.tag for child in wrong}
    for particle in content:
        name = getattr(particle, "name", None)
        if particle.min_occurs and isinstance(name, str) and name not in present:
            yield _local(name)


def _declared(tag: str, content: Any) -> bool:
    return any(getattr(each, "name", None) == tag for each in content.iter_elements())


def _local(tag: str) -> str:
    return _NAME.sub("", tag).rpartition(":")[2]


def _shortened(reason: str) -> str:
    """Without namespaces, and without the patterns of a page's length that some schemas have."""
    text = " ".join(_NAME.sub("", reason).split())
    return text if len(text) <= _MAX_REASON else text[:_MAX_REASON].rstrip() + " …"
