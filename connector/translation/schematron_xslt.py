"""ISO Schematron (ISO/IEC 19757-3) with XPath 2 or later as an XSLT 3.0 stylesheet.

Every pattern becomes a mode, every rule a template of it, so that a node belongs to the first rule
of a pattern that matches it. The stylesheet answers with one `failure` element for each assert that
does not hold and each report that does; `at` says where, as positions of elements from the root
(`2/1/3`). What is not known in a rule file is refused, with its line: no rule is ever skipped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from lxml import etree

from connector.envelope.place import line_of
from connector.errors import ConnectorError, misconfigured
from connector.xml import Element

SCHEMATRON: Final = "http://purl.oclc.org/dsdl/schematron"
XSLT: Final = "http://www.w3.org/1999/XSL/Transform"
_S: Final = f"{{{SCHEMATRON}}}"
_X: Final = f"{{{XSLT}}}"
_BINDINGS: Final = frozenset({"xslt2", "xslt3", "xpath2", "xpath3", "xpath31"})
_PASSED_ON: Final = frozenset({f"{_X}function", f"{_X}key"})
_SILENT: Final = frozenset({f"{_S}title", f"{_S}p", f"{_S}diagnostics", f"{_S}phase", f"{_S}ns"})
_WHERE: Final = "string-join(ancestor-or-self::*/string(1 + count(preceding-sibling::*)), '/')"
_PARAMETER: Final = re.compile(r"\$([A-Za-z_][\w.-]*)")


def stylesheet(schema: Element, *, file: str | None = None) -> str:
    """The rules of a Schematron document as the text of an XSLT 3.0 stylesheet.

    Raises `ConnectorError` (configuration) `schematron.unsupported`, with file and line.
    """
    return etree.tostring(_Compiler(schema, file).stylesheet(), encoding="unicode")


class _Compiler:
    def __init__(self, schema: Element, file: str | None) -> None:
        self.schema = schema
        self.file = file
        self.rules = {rule.get("id", ""): rule for rule in schema.iter(f"{_S}rule")}
        self.templates = {pattern.get("id", ""): pattern for pattern in schema.iter(f"{_S}pattern")}
        self.diagnostics = {each.get("id", ""): each for each in schema.iter(f"{_S}diagnostic")}

    def stylesheet(self) -> Element:
        schema = self.schema
        if schema.tag != f"{_S}schema":
            raise self.refused(schema, f"its root is {schema.tag}, not a Schematron schema")
        binding = schema.get("queryBinding", "xslt")
        if binding not in _BINDINGS:
            raise self.refused(schema, f"its queryBinding is {binding!r}")
        prefixes = {n.get("prefix", ""): n.get("uri", "") for n in schema.iter(f"{_S}ns")}
        in_scope = {name: uri for name, uri in schema.nsmap.items() if name and uri != SCHEMATRON}
        out = etree.Element(f"{_X}stylesheet", nsmap={"xsl": XSLT, **in_scope, **prefixes})
        out.set("version", "3.0")
        out.set("expand-text", "no")
        _add(out, "output", method="xml", encoding="UTF-8")
        patterns = list(self.patterns())
        start = _add(out, "template", match="/")
        failures = etree.SubElement(start, "failures")
        for number, (pattern, values) in enumerate(patterns):
            _add(failures, "apply-templates", mode=f"p{number}", select="/")
            _add(out, "mode", name=f"p{number}", **{"on-no-match": "shallow-skip"})
            self.pattern(pattern, values, f"p{number}", out)
        for child in self.children(schema):
            if child.tag == f"{_S}let":
                self.let(child, out, {}, "{}")
            elif child.tag in _PASSED_ON:
                out.append(_copy(child))
            elif child.tag not in _SILENT and child.tag != f"{_S}pattern":
                raise self.refused(child, f"{child.tag} is not known here")
        return out

    def patterns(self) -> Iterator[tuple[Element, Mapping[str, str]]]:
        active = self.active()
        for pattern in self.schema.iterchildren(f"{_S}pattern"):
            if pattern.get("abstract") == "true":
                continue
            if active is not None and pattern.get("id") not in active:
                continue
            if (name := pattern.get("is-a")) is None:
                yield pattern, {}
                continue
            if name not in self.templates:
                raise self.refused(pattern, f"there is no pattern {name!r}")
            given = pattern.iterchildren(f"{_S}param")
            yield (
                self.templates[name],
                {each.get("name", ""): each.get("value", "") for each in given},
            )

    def active(self) -> frozenset[str] | None:
        """The patterns of the default phase; None for all of them."""
        wanted = self.schema.get("defaultPhase", "#ALL")
        if wanted == "#ALL":
            return None
        for phase in self.schema.iterchildren(f"{_S}phase"):
            if phase.get("id") == wanted:
                if phase.find(f"{_S}let") is not None:
                    raise self.refused(phase, "a phase has variables of its own")
                return frozenset(
                    each.get("pattern", "") for each in phase.iterchildren(f"{_S}active")
                )
        raise self.refused(self.schema, f"there is no phase {wanted!r}")

    def pattern(self, pattern: Element, values: Mapping[str, str], mode: str, out: Element) -> None:
        lets, rules = [], []
        for child in self.children(pattern):
            if child.tag == f"{_S}let":
                lets.append(child)
            elif child.tag == f"{_S}rule":
                rules.append(child)
            elif child.tag not in _SILENT and child.tag != f"{_S}param":
                raise self.refused(child, f"{child.tag} is not known in a pattern")
        concrete = [rule for rule in rules if rule.get("abstract") != "true"]
        for number, rule in enumerate(concrete):
            if not (context := rule.get("context")):
                raise self.refused(rule, "a rule has no context")
            template = _add(
                out,
                "template",
                match=_filled(context, values),
                mode=mode,
                priority=str(len(concrete) - number),
            )
            for each in lets:  # in the scope of the pattern, so seen from the document
                self.let(each, template, values, "root(.)!({})")
            self.checks(rule, template, values, frozenset())
            _add(template, "apply-templates", mode=mode, select="@* | node()")

    def checks(
        self, rule: Element, out: Element, values: Mapping[str, str], seen: frozenset[str]
    ) -> None:
        for child in self.children(rule):
            if child.tag == f"{_S}let":
                self.let(child, out, values, "{}")
            elif child.tag == f"{_S}extends":
                name = child.get("rule", "")
                if name in seen or name not in self.rules:
                    raise self.refused(child, f"there is no rule {name!r} to extend")
                self.checks(self.rules[name], out, values, seen | {name})
            elif child.tag in (f"{_S}assert", f"{_S}report"):
                self.check(child, out, values)
            elif child.tag not in _SILENT:
                raise self.refused(child, f"{child.tag} is not known in a rule")

    def check(self, element: Element, out: Element, values: Mapping[str, str]) -> None:
        if not (test := element.get("test")):
            raise self.refused(element, "a check has no test")
        test = _filled(test, values)
        wanted = f"not({test})" if element.tag == f"{_S}assert" else test
        failure = etree.SubElement(_add(out, "if", test=wanted), "failure")
        _attribute(failure, "at", _WHERE)
        failure.set("rule", (element.get("id") or "unnamed").replace("{", "").replace("}", ""))
        failure.set("role", element.get("role", element.get("flag", "error")).strip("{}"))
        self.words(element, etree.SubElement(failure, "text"), values)
        for name in element.get("diagnostics", "").split():
            if name not in self.diagnostics:
                raise self.refused(element, f"there is no diagnostic {name!r}")
            self.words(self.diagnostics[name], etree.SubElement(failure, "mend"), values)

    def words(self, element: Element, out: Element, values: Mapping[str, str]) -> None:
        _text(out, element.text)
        for child in element:
            if child.tag == f"{_S}value-of":
                _add(out, "value-of", select=_filled(child.get("select", ""), values))
            elif child.tag == f"{_S}name":
                _add(out, "value-of", select=f"name({_filled(child.get('path', '.'), values)})")
            elif child.tag in (f"{_S}emph", f"{_S}span", f"{_S}dir"):
                self.words(child, out, values)
            elif isinstance(child.tag, str):
                raise self.refused(child, f"{child.tag} is not known in a message")
            _text(out, child.tail)

    def let(self, let: Element, out: Element, values: Mapping[str, str], form: str) -> None:
        if not (value := let.get("value")):
            raise self.refused(let, "a variable has no value")
        _add(out, "variable", name=let.get("name", ""), select=form.format(_filled(value, values)))

    def children(self, element: Element) -> Iterator[Element]:
        return (child for child in element if isinstance(child.tag, str))

    def refused(self, element: Element, what: str) -> ConnectorError:
        return misconfigured(
            "schematron.unsupported",
            f"These rules cannot be run as a whole: {what}.",
            mend="Leave the file out of the configuration or replace it; none of its rules is"
            " skipped.",
            file=self.file,
            line=line_of(element),
        )


def _add(parent: Element, name: str, /, **attributes: str) -> Element:
    return etree.SubElement(parent, f"{_X}{name}", attributes)


def _attribute(parent: Element, name: str, select: str) -> None:
    _add(parent, "attribute", name=name, select=select)


def _text(out: Element, text: str | None) -> None:
    if text:
        _add(out, "text").text = text


def _copy(element: Element) -> Element:
    return etree.fromstring(etree.tostring(element, with_tail=False))


def _filled(expression: str, values: Mapping[str, str]) -> str:
    """With the parameters of an abstract pattern put in; other variables stay."""
    if not values:
        return expression
    return _PARAMETER.sub(lambda found: values.get(found[1], found[0]), expression)
