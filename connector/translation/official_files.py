"""The official XSDs of a format as a ministry keeps them: which file declares what, compiled once.

The files are trusted as far as the configuration that names their folder is; nothing outside that
folder, and nothing on a network, is ever read on their behalf.
"""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from lxml import etree

from connector.envelope.place import line_of
from connector.errors import ConnectorError, misconfigured, unacceptable
from connector.xml import Element, parse

_X: Final = "{http://www.w3.org/2001/XMLSchema}"
_REFERENCES: Final = (f"{_X}include", f"{_X}import", f"{_X}redefine")


def schema_declaring(root: Element, folder: Path, patterns: tuple[str, ...]) -> Path | None:
    """The file among `patterns` (globs below `folder`) that declares the element of `root`; None
    if none does.

    Raises `ConnectorError` (configuration): `official.folder-missing`, `official.no-schemas`,
    `official.schema-ambiguous`, and those of `xml.parse`.
    """
    found = _declarations(folder, patterns).get(root.tag, ())
    if len(found) > 1:
        names = ", ".join(str(each.relative_to(folder)) for each in found)
        raise misconfigured(
            "official.schema-ambiguous",
            f"{etree.QName(root).localname} is declared by several files: {names}.",
            mend="Keep the schemas of one version only in this folder.",
            file=str(folder),
        )
    return found[0] if found else None


def valid(root: Element, schema: Path, folder: Path) -> bool:
    """Whether `root` follows the schema file. Raises (configuration) `official.schema-location`
    and `official.schema-broken` if it cannot be used."""
    return bool(_compiled().of(schema, folder).validate(root))


def violations(root: Element, schema: Path, folder: Path) -> list[Any]:
    """What libxml2 says of `root`: entries with `line`, `path`, `message`."""
    compiled = _compiled().of(schema, folder)
    compiled.validate(root)
    log: Any = compiled.error_log
    return [*log]


@cache
def _declarations(folder: Path, patterns: tuple[str, ...]) -> dict[str, tuple[Path, ...]]:
    if not folder.is_dir():
        raise misconfigured(
            "official.folder-missing",
            "The folder of the official schemas does not exist.",
            mend="Correct the configuration of this format.",
            file=str(folder),
        )
    files = sorted({path for pattern in patterns for path in folder.glob(pattern)})
    if not files:
        raise misconfigured(
            "official.no-schemas",
            f"The folder of the official schemas has no file {' or '.join(patterns)}.",
            mend="Unpack what the ministry publishes for this format into it.",
            file=str(folder),
        )
    declared: dict[str, tuple[Path, ...]] = {}
    for path in files:
        schema = parse(path.read_bytes(), file=str(path))
        space = schema.get("targetNamespace")
        for element in schema.iterchildren(f"{_X}element"):
            name = f"{{{space}}}{element.get('name')}" if space else element.get("name", "")
            declared[name] = (*declared.get(name, ()), path)
    return declared


class _Compiled(threading.local):
    """The compiled schemas of one thread: each keeps the log of its last run."""

    def __init__(self) -> None:
        self._schemas: dict[Path, etree.XMLSchema] = {}

    def of(self, path: Path, folder: Path) -> etree.XMLSchema:
        schema = self._schemas.get(path)
        if schema is None:
            closed(path, folder)
            try:
                schema = etree.XMLSchema(etree.parse(str(path), etree.XMLParser(no_network=True)))
            except (etree.XMLSchemaParseError, etree.XMLSyntaxError) as error:
                raise misconfigured(
                    "official.schema-broken",
                    f"This schema cannot be used: {str(error)[:300]}",
                    mend="Fetch it again from who publishes it.",
                    file=str(path),
                ) from error
            self._schemas[path] = schema
        return schema


@cache
def _compiled() -> _Compiled:
    return _Compiled()


@cache
def closed(path: Path, folder: Path) -> frozenset[Path]:
    """The file and all that it refers to; raises `official.schema-location` (configuration) if one
    of them is not a file in `folder`."""
    seen: set[Path] = set()
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file in seen:
            continue
        seen.add(file)
        for each in parse(file.read_bytes(), file=str(file)).iter(*_REFERENCES):
            if location := each.get("schemaLocation"):
                waiting.append(_local(location, each, file, folder))
    return frozenset(seen)


def _local(location: str, reference: Element, file: Path, folder: Path) -> Path:
    # a scheme, not a drive letter: the files must come from the folder on every system
    target = (file.parent / unquote(location)).resolve()
    if urlsplit(location).scheme or not target.is_relative_to(folder.resolve()):
        raise _location(location, reference, file, "is not in the folder of the official schemas")
    if not target.is_file():
        raise _location(location, reference, file, "does not exist")
    return target


def _location(location: str, reference: Element, file: Path, what: str) -> ConnectorError:
    return misconfigured(
        "official.schema-location",
        f"The schema {location!r}, which this one refers to, {what}.",
        mend="Put the complete set of files that belongs together into that folder.",
        file=str(file),
        line=line_of(reference),
    )


def unknown_root(root: Element, file: str | None) -> ConnectorError:
    """The refusal of a document whose root element no official schema declares."""
    return unacceptable(
        "official.root-unknown",
        f"No official schema declares the element {etree.QName(root).localname}.",
        mend="Check the kind and the version of the document against the schemas configured.",
        file=file,
        line=line_of(root),
        path=etree.QName(root).localname,
    )
