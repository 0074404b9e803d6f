"""Running compiled Schematron rules with Saxon (XSLT 3.0).

Saxon's processor belongs to the thread that made it, so one thread of its own does all the work;
callers wait for it. A rule file is compiled once in the life of the process.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, Final

from lxml import etree

from connector.errors import misconfigured
from connector.translation.schematron_xslt import stylesheet
from connector.xml import Element, parse

_HINTS: Final = frozenset({"warn", "warning", "info", "information", "hint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenRule:
    """One element that broke one rule of a Schematron file."""

    rule: str
    """Id of the assert or report."""
    element: Element
    text: str
    mend: str
    """Text of the diagnostics."""
    hint: bool
    """Its author calls it a warning or an information."""


def broken_rules(root: Element, rules: Path) -> tuple[BrokenRule, ...]:
    """What in the document of `root` breaks the rules of a file, in the order of the rules.

    Raises `ConnectorError` (configuration): `schematron.unsupported` (something in the file that
    is not known), `schematron.expression` (an expression that is none, or fails), and those of
    `xml.parse`.
    """
    document = etree.tostring(root, encoding="unicode", with_tail=False)
    answer = _worker().submit(_run, document, rules).result()
    return tuple(_broken(failure, root) for failure in etree.fromstring(answer.encode()))


def _broken(failure: Element, root: Element) -> BrokenRule:
    element = root
    for step in failure.get("at", "1").split("/")[1:]:
        element = next(islice(element.iterchildren("*"), int(step) - 1, None))
    return BrokenRule(
        rule=failure.get("rule", ""),
        element=element,
        text=_words(failure.findtext("text")),
        mend=" ".join(_words(each.text) for each in failure.iterchildren("mend")),
        hint=failure.get("role", "").lower() in _HINTS,
    )


def _words(text: str | None) -> str:
    return " ".join((text or "").split())


@cache
def _worker() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="schematron")


# What follows runs in that one thread only.


@cache
def _saxon() -> Any:
    from saxonche import PySaxonProcessor  # takes a moment, and only official rules need it

    processor = PySaxonProcessor(license=False)
    processor.set_configuration_property("http://saxon.sf.net/feature/allowedProtocols", "none")
    return processor


@cache
def _compiled(rules: Path) -> Any:
    text = stylesheet(parse(rules.read_bytes(), file=str(rules)), file=str(rules))
    try:
        return _saxon().new_xslt30_processor().compile_stylesheet(stylesheet_text=text)
    except Exception as error:
        raise misconfigured(
            "schematron.expression",
            f"The rules cannot be compiled: {' '.join(str(error).split())[:400]}",
            mend="Ask who publishes the file for a corrected one.",
            file=str(rules),
        ) from error


def _run(document: str, rules: Path) -> str:
    compiled = _compiled(rules)
    try:
        answer: str = compiled.transform_to_string(xdm_node=_saxon().parse_xml(xml_text=document))
    except Exception as error:
        raise misconfigured(
            "schematron.expression",
            f"A rule failed while it was run: {' '.join(str(error).split())[:400]}",
            mend="Ask who publishes the file for a corrected one.",
            file=str(rules),
        ) from error
    return answer
