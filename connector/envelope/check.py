"""Whether an envelope follows its schema and its rules, and if not, why.

On the way of a message this costs one run of libxml2's XSD validator and one XPath expression; the
explanation for a person is made only after a failure.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import cache
from itertools import islice
from typing import Final

from lxml import etree

from connector.envelope.explain import explain
from connector.envelope.model import NAMESPACE, VERSION
from connector.envelope.place import line_of, path_of
from connector.envelope.schematron import Schematron, load
from connector.envelope.schematron_reading import elements
from connector.envelope.xml_read import require_envelope
from connector.errors import ConnectorError, Kind, Problem
from connector.shipped import shipped
from connector.xml import Element

MAX_PROBLEMS: Final = 100
"""More than that are not listed."""
MAX_REFERENCES: Final = 10_000
"""References between the parts of one message; each is looked for among all it may mean."""

_FOLDER: Final = shipped("schemas") / "emla" / VERSION
_REFERENCES: Final = tuple(
    f"{{{NAMESPACE}}}{kind}Ref"
    for kind in ("Attachment", "Evidence", "Person", "Object", "Offence", "Measure", "Item")
)
_COMMENTS: Final = "//comment()[not(../*)] | //processing-instruction()[not(../*)]"


class _Compiled(threading.local):
    """Schema, rules and expression of one thread: each keeps state while it runs."""

    def __init__(self) -> None:
        self.xsd = etree.XMLSchema(etree.parse(str(_FOLDER / "emla.xsd")))
        self.rules: Schematron = load(_FOLDER / "emla.sch")
        self.comments = etree.XPath(_COMMENTS)


@cache
def _own() -> _Compiled:
    return _Compiled()  # at first use, so that importing reads no files


def check(root: Element, *, file: str | None = None) -> tuple[Problem, ...]:
    """Everything that is wrong with the envelope in `root`; empty if it may be sent or believed.

    Codes: `envelope.not-an-envelope`, `envelope.version-unsupported`, `xml.comment-in-value`,
    `envelope.schema` (XSD), `envelope.too-many-references`, `envelope.rule.EMLA-R-nn` (Schematron;
    looked at only if the XSD is followed), each with line and path by names. Signatures are not
    looked at.
    """
    try:
        require_envelope(root)
    except ConnectorError as error:
        return error.problems
    own = _own()
    found: Iterator[Problem]
    if commented := elements(own.comments(root)):
        found = (_comment(each, file) for each in commented)
    elif not own.xsd.validate(root):
        found = explain(root, own.xsd.error_log, _FOLDER / "emla.xsd", file=file)
    elif next(islice(root.iter(*_REFERENCES), MAX_REFERENCES, None), None) is not None:
        found = iter((_too_many_references(file),))
    else:
        found = _broken_rules(own.rules, root, file)
    return tuple(islice(found, MAX_PROBLEMS))


def require_valid(root: Element, *, file: str | None = None) -> None:
    """Raises `ConnectorError` (unacceptable) with all that `check` finds."""
    if problems := check(root, file=file):
        raise ConnectorError(Kind.UNACCEPTABLE, *problems)


def _broken_rules(rules: Schematron, root: Element, file: str | None) -> Iterator[Problem]:
    for failure in rules.failures(root):
        yield Problem(
            code=f"envelope.rule.{failure.rule}",
            what=failure.text,
            mend=failure.mend,
            file=file,
            line=line_of(failure.element),
            path=path_of(failure.element),
        )


def _too_many_references(file: str | None) -> Problem:
    return Problem(
        code="envelope.too-many-references",
        what=f"The message refers more than {MAX_REFERENCES} times to parts of its own.",
        mend="Send it in several messages.",
        file=file,
    )


def _comment(comment: Element, file: str | None) -> Problem:
    value = comment.getparent()
    return Problem(
        code="xml.comment-in-value",
        what="A comment or processing instruction stands where a value is read.",
        mend="Remove it.",
        file=file,
        line=line_of(comment),
        path=path_of(comment if value is None else value),
    )
