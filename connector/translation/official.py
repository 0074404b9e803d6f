"""Validation of a national document against the official schemas that a ministry keeps.

emla ships no other people's schemas: the configuration of a format names the folder where they are.
XSDs are run by libxml2 and explained by `xmlschema`, Schematron files are run by Saxon; all are
compiled once. A good document of a few kilobytes costs a millisecond or two.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from lxml import etree

from connector.envelope.place import line_of, path_of
from connector.errors import ConnectorError, Problem, misconfigured
from connector.translation.official_explain import explain
from connector.translation.official_files import schema_declaring, unknown_root, valid
from connector.translation.schematron_run import BrokenRule, broken_rules
from connector.xml import Element

NOT_CONFIGURED: Final = "official.schemas-not-configured"
"""Code of the one problem that is no fault of the document: nobody said where the schemas are."""
HINT: Final = "official.hint."
"""What the codes of rules begin with that their authors call a warning or an information."""
_TAGGED: Final = re.compile(r"^\[[^\]]*\]\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleFiles:
    """Which Schematron files hold for which documents."""

    roots: str
    """Glob over the local name of the root element, e.g. `nachricht.gds.*`."""
    files: tuple[str, ...]
    """Globs below the folder; each must match one file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficialSchemas:
    """A format's official files: the folder from the configuration, the rest from the mapping."""

    folder: Path
    """Where the ministry keeps them."""
    xsd: tuple[str, ...] = ("**/*.xsd",)
    """Globs below the folder. Which file holds is told by the element that it declares."""
    rules: tuple[RuleFiles, ...] = ()


def load_official(description: Path, folder: Path | None) -> OfficialSchemas | None:
    """What the TOML file of a mapping (`official.toml`) says of the official files in `folder`;
    None where no folder is configured.

    The file has `xsd`, a list of globs, and tables `[[rules]]` with `roots` and `files`. Raises
    `ConnectorError` (configuration) `official.description` if it does not.
    """
    if folder is None:
        return None
    try:
        with description.open("rb") as stream:
            said: dict[str, Any] = tomllib.load(stream)
        return OfficialSchemas(
            folder=folder,
            xsd=tuple(map(str, said["xsd"])),
            rules=tuple(
                RuleFiles(roots=str(each["roots"]), files=tuple(map(str, each["files"])))
                for each in said.get("rules", ())
            ),
        )
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise misconfigured(
            "official.description",
            f"What is said of the official schemas cannot be read: {error}",
            mend="Write xsd = [...] and tables [[rules]] with roots and files.",
            file=str(description),
        ) from error


def validate_official(
    root: Element, schemas: OfficialSchemas | None, *, file: str | None = None
) -> tuple[Problem, ...]:
    """Everything in which the document of `root` departs from its official XSD and Schematron.

    Codes: `official.not-valid` (XSD) and `official.rule.<id>` or `official.hint.<id>`
    (Schematron), each with line and path by names; `official.root-unknown` if no file declares the
    root element. Without `schemas` the one problem says that nothing was looked at
    (`NOT_CONFIGURED`). Raises `ConnectorError` (configuration) if the official files are missing,
    incomplete or cannot be run: no rule is ever skipped silently.
    """
    if schemas is None:
        return (_not_configured(root, file),)
    schema = schema_declaring(root, schemas.folder, schemas.xsd)
    if schema is None:
        return unknown_root(root, file).problems
    found: list[Problem] = []
    if not valid(root, schema, schemas.folder):
        found.extend(explain(root, schema, schemas.folder, file=file))
    for rules in _rule_files(etree.QName(root).localname, schemas):
        found.extend(_problem(each, file) for each in broken_rules(root, rules))
    return tuple(found)


def faults(problems: tuple[Problem, ...]) -> tuple[Problem, ...]:
    """Those of `problems` for which a document is refused: neither hints nor `NOT_CONFIGURED`."""
    return tuple(
        each for each in problems if each.code != NOT_CONFIGURED and not each.code.startswith(HINT)
    )


def require_official(
    root: Element, schemas: OfficialSchemas | None, *, file: str | None = None
) -> tuple[Problem, ...]:
    """Raises `ConnectorError` (unacceptable) with all that `validate_official` finds if one of it
    is a fault; otherwise its hints and warnings."""
    from connector.errors import Kind

    found = validate_official(root, schemas, file=file)
    if faults(found):
        raise ConnectorError(Kind.UNACCEPTABLE, *found)
    return found


@cache
def _rule_files(name: str, schemas: OfficialSchemas) -> tuple[Path, ...]:
    return tuple(_the_files(name, schemas))


def _the_files(name: str, schemas: OfficialSchemas) -> Iterator[Path]:
    for each in schemas.rules:
        if fnmatchcase(name, each.roots):
            for pattern in each.files:
                found = sorted(schemas.folder.glob(pattern))
                if len(found) != 1:
                    raise misconfigured(
                        "official.rules-missing" if not found else "official.rules-ambiguous",
                        f"{len(found)} files match {pattern!r}, which holds for {name}.",
                        mend="Keep exactly one version of each rule file in this folder.",
                        file=str(schemas.folder),
                    )
                yield found[0]


def _problem(broken: BrokenRule, file: str | None) -> Problem:
    return Problem(
        code=(HINT if broken.hint else "official.rule.") + broken.rule,
        what=_TAGGED.sub("", broken.text),
        mend=broken.mend,
        file=file,
        line=line_of(broken.element),
        path=path_of(broken.element),
    )


def _not_configured(root: Element, file: str | None) -> Problem:
    return Problem(
        code=NOT_CONFIGURED,
        what=f"{etree.QName(root).localname} was not checked against its official schemas: their"
        " folder is not configured.",
        mend="Name the folder in the configuration of this format.",
        file=file,
    )
