"""ISO Schematron (ISO/IEC 19757-3) with XPath 1.0 tests, made for a hot path.

All tests that need no variable become one XPath expression that selects the elements that fail; a
good document costs one evaluation. Only when something fails are the rules gone through one by one
to tell which, and why. What this reader does not know is refused when the rules are loaded or
evaluated: no test is ever skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lxml import etree

from connector.envelope.schematron_reading import RulesReader, alias, elements
from connector.errors import misconfigured
from connector.xml import Element, parse


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """One element that broke one rule."""

    rule: str
    """Id of the assert or report."""
    element: Element
    text: str
    mend: str
    """Text of the diagnostics."""


class Schematron:
    """Compiled rules. Use one for each thread: an XPath evaluator is locked while it runs."""

    def __init__(self, schema: Element, *, file: str | None = None) -> None:
        """Raises `ConnectorError` (configuration) `schematron.unsupported` or
        `schematron.expression`, with the line."""
        reader = RulesReader(schema, file)
        self._lets = reader.lets()
        self._patterns = reader.patterns(frozenset(self._lets))
        checks = [check for rules in self._patterns for rule in rules for check, _ in rule.checks]
        self._quick = reader.xpath(
            " | ".join(check.select for check in checks if not check.variables) or "/..", schema
        )
        self._with_variables = tuple(
            rule
            for rules in self._patterns
            for rule in rules
            if any(check.variables for check, _ in rule.checks)
        )
        self.rules: tuple[str, ...] = tuple(check.rule for check in checks)

    def failures(self, root: Element) -> tuple[Failure, ...]:
        """What breaks a rule, in the order of the rules. Raises `schematron.expression`
        (configuration) if a test cannot be evaluated."""
        try:
            if self._quick(root) or self._fails_with_variables(root):
                return tuple(self._explain(root))
        except etree.XPathError as error:
            raise misconfigured(
                "schematron.expression", f"A rule cannot be run: {error}"
            ) from error
        return ()

    def _fails_with_variables(self, root: Element) -> bool:
        values: dict[str, Any] = {}
        for rule in self._with_variables:
            if rule.context(root):
                values = values or self._values(root)
                if any(xpath(root, **values) for check, xpath in rule.checks if check.variables):
                    return True
        return False

    def _values(self, root: Element) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, xpath in self._lets.items():
            values[alias(name)] = xpath(root, **values)
        return values

    def _explain(self, root: Element) -> Iterator[Failure]:
        values = self._values(root)
        for rules in self._patterns:
            taken: set[Element] = set()  # a node belongs to the first rule of its pattern
            for rule in rules:
                for check, xpath in rule.checks:
                    for element in elements(xpath(root, **values)):
                        if element not in taken:
                            yield Failure(
                                rule=check.rule,
                                element=element,
                                text=check.text.of(element),
                                mend=check.mend.of(element),
                            )
                taken.update(elements(rule.context(root)))


def load(path: Path) -> Schematron:
    """The rules of a file. Raises as `Schematron` and `xml.parse`."""
    return Schematron(parse(path.read_bytes(), file=str(path)), file=str(path))
