"""A Schematron document as compiled rules; what is not known in it is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lxml import etree

from connector.envelope.place import line_of
from connector.errors import ConnectorError, misconfigured
from connector.xml import Element

_SCH: Final = "http://purl.oclc.org/dsdl/schematron"
_S: Final = f"{{{_SCH}}}"
_BINDINGS: Final = (None, "xslt", "xpath")
_VARIABLE: Final = re.compile(r"\$([A-Za-z_][\w.-]*)")
_LITERAL: Final = re.compile("'[^']*'|\"[^\"]*\"")
_SPACE: Final = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Text:
    """Words of a message, and expressions whose values stand between them."""

    pieces: tuple[str | etree.XPath, ...]

    def of(self, element: Element) -> str:
        """The words, as they read for `element`."""
        words = (each if isinstance(each, str) else _string(each(element)) for each in self.pieces)
        return _SPACE.sub(" ", "".join(words)).strip()


@dataclass(frozen=True, slots=True)
class Check:
    """One assert or report."""

    rule: str
    select: str
    """Selects the elements that break the rule."""
    variables: frozenset[str]
    text: Text
    mend: Text


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its context, and its checks with the expressions that find what breaks them."""

    context: etree.XPath
    checks: tuple[tuple[Check, etree.XPath], ...]


class RulesReader:
    """Reads the rules' document; every element and attribute of it must be known."""

    def __init__(self, schema: Element, file: str | None) -> None:
        self._schema, self._file = schema, file
        self._expect(schema, "schema", "queryBinding", "schemaVersion", "id")
        if (binding := schema.get("queryBinding")) not in _BINDINGS:
            raise self._unsupported(schema, f"queryBinding {binding!r} needs another engine")
        self._children(schema, "title", "p", "ns", "let", "pattern", "diagnostics")
        self._namespaces = {
            ns.get("prefix", ""): ns.get("uri", "") for ns in schema.iterfind(f"{_S}ns")
        }
        self._diagnostics = {
            each.get("id", ""): self._text(each)
            for group in schema.iterfind(f"{_S}diagnostics")
            for each in self._children(group, "diagnostic")
        }

    def lets(self) -> Mapping[str, etree.XPath]:
        """Variables of the whole document, in order."""
        found: dict[str, etree.XPath] = {}
        for let in self._schema.iterfind(f"{_S}let"):
            self._expect(let, "let", "name", "value")
            value = let.get("value", "")
            self._known(value, frozenset(found), let)
            found[let.get("name", "")] = self.xpath(value, let)
        return found

    def patterns(self, lets: frozenset[str]) -> tuple[tuple[Rule, ...], ...]:
        """The rules, by pattern."""
        found = []
        for pattern in self._schema.iterfind(f"{_S}pattern"):
            self._expect(pattern, "pattern", "id")
            rules = self._children(pattern, "rule", "title", "p")
            found.append(tuple(self._rule(each, lets) for each in rules if each.tag == f"{_S}rule"))
        return tuple(found)

    def _rule(self, rule: Element, lets: frozenset[str]) -> Rule:
        self._expect(rule, "rule", "context", "id")
        context = rule.get("context", "")
        if not context.startswith("/") or "$" in context:
            raise self._unsupported(rule, f"the context {context!r} does not begin at the root")
        checks = []
        for each in self._children(rule, "assert", "report"):
            check = self._check(each, context, lets)
            checks.append((check, self.xpath(check.select, each)))
        return Rule(self.xpath(context, rule), tuple(checks))

    def _check(self, element: Element, context: str, lets: frozenset[str]) -> Check:
        self._expect(element, etree.QName(element).localname, "id", "test", "diagnostics")
        test = element.get("test", "")
        variables = self._known(test, lets, element)
        self.xpath(test, element)  # on its own first: "a)[1" would compile inside the other
        wanted = f"not({test})" if element.tag == f"{_S}assert" else f"boolean({test})"
        mends = [self._diagnostic(name, element) for name in element.get("diagnostics", "").split()]
        return Check(
            rule=element.get("id") or self._nameless(element),
            select=f"({context})[{wanted}]",
            variables=variables,
            text=self._text(element),
            mend=Text(tuple(piece for mend in mends for piece in (*mend.pieces, " "))),
        )

    def _diagnostic(self, name: str, element: Element) -> Text:
        if name not in self._diagnostics:
            raise self._unsupported(element, f"there is no diagnostic {name!r}")
        return self._diagnostics[name]

    def _text(self, element: Element) -> Text:
        pieces: list[str | etree.XPath] = [element.text or ""]
        for child in self._children(element, "value-of", "emph"):
            if child.tag == f"{_S}value-of":
                select = child.get("select", "")
                self._known(select, frozenset(), child)
                pieces.append(self.xpath(select, child))
            else:
                pieces.append(child.text or "")
            pieces.append(child.tail or "")
        return Text(tuple(pieces))

    def xpath(self, expression: str, element: Element) -> etree.XPath:
        """Compiled. Raises `schematron.expression`."""
        try:
            return etree.XPath(
                _outside_literals(expression, lambda text: _VARIABLE.sub(_renamed, text)),
                namespaces=self._namespaces,
                regexp=False,
                smart_strings=False,
            )
        except etree.XPathError as error:
            raise misconfigured(
                "schematron.expression",
                f"{expression[:200]!r} is no XPath 1.0: {error}",
                file=self._file,
                line=line_of(element),
            ) from error

    def _known(self, expression: str, lets: frozenset[str], element: Element) -> frozenset[str]:
        used = frozenset(_VARIABLE.findall(_LITERAL.sub("''", expression)))
        if missing := used - lets:
            raise self._unsupported(element, f"${min(missing)} is not a variable of the schema")
        if "current()" in expression:
            raise self._unsupported(element, "current() belongs to XSLT")
        return used

    def _children(self, element: Element, *names: str) -> list[Element]:
        children = [child for child in element if isinstance(child.tag, str)]
        for child in children:
            if child.tag not in {f"{_S}{name}" for name in names}:
                raise self._unsupported(child, f"{child.tag} is not supported here")
        return children

    def _expect(self, element: Element, name: str, *attributes: str) -> None:
        if element.tag != f"{_S}{name}":
            raise self._unsupported(element, f"{element.tag} stands where {name} is expected")
        if unknown := set(element.attrib) - set(attributes):
            raise self._unsupported(element, f"the attribute {min(unknown)!s} is not supported")

    def _nameless(self, element: Element) -> str:
        raise self._unsupported(element, "an assert or report has no id")

    def _unsupported(self, element: Element, what: str) -> ConnectorError:
        return misconfigured(
            "schematron.unsupported",
            f"These rules cannot be run as a whole: {what}.",
            mend="Rewrite them, or run them with another engine; none is skipped.",
            file=self._file,
            line=line_of(element),
        )


def alias(name: str) -> str:
    """A variable's name as a Python keyword argument can carry it."""
    return "v_" + name.replace("-", "_h").replace(".", "_d")


def _renamed(found: re.Match[str]) -> str:
    return "$" + alias(found[1])


def _outside_literals(expression: str, change: Callable[[str], str]) -> str:
    done, position = [], 0
    for literal in _LITERAL.finditer(expression):
        done += [change(expression[position : literal.start()]), literal[0]]
        position = literal.end()
    return "".join([*done, change(expression[position:])])


def elements(result: Any) -> list[Element]:
    """The elements that an expression selected."""
    return [each for each in result if isinstance(each, etree._Element)]


def _string(value: Any) -> str:
    """An XPath result as XPath's own string() gives it."""
    if isinstance(value, list):
        first = value[0] if value else ""
        return (
            "".join(map(str, first.itertext())) if isinstance(first, etree._Element) else str(first)
        )
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else str(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
