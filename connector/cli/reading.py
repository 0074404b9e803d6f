"""Files that a command line names: folders walked, each file told apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from connector.cli.output import Output
from connector.cli.surroundings import Situation
from connector.errors import ConnectorError, Kind, misconfigured

if TYPE_CHECKING:
    from connector.examination.recognition import Document

_MANY = 20
"""From this many files on, a progress bar says how far it is."""


@dataclass(frozen=True, slots=True)
class Given:
    """A file that is to be looked at."""

    path: Path
    explicit: bool
    """Named itself, not only the folder it is in."""
    group: Path
    """What it belongs to: the folder that was named, or the one it is in."""


def files_of(paths: Sequence[Path]) -> list[Given]:
    """The files, and those in the folders, at any depth; hidden ones are left out.

    Raises `document.missing` (configuration).
    """
    found: dict[Path, Given] = {}
    for path in paths:
        if path.is_dir():
            for each in sorted(path.rglob("*")):
                inside = each.relative_to(path).parts
                if each.is_file() and not any(part.startswith(".") for part in inside):
                    found.setdefault(each, Given(each, explicit=False, group=path))
        else:
            found[path] = Given(path, explicit=True, group=path.parent)
    if not found:
        raise misconfigured(
            "document.missing",
            "There is no file in these folders.",
            mend="Name files or folders that hold some.",
            file=str(paths[0]) if paths else None,
        )
    return list(found.values())


def recognised(given: Given, situation: Situation) -> Document:
    """What the file is. Raises as `recognise` and `open_file`."""
    from connector.examination.recognition import recognise
    from connector.examination.sources import open_file

    return recognise(str(given.path), open_file(given.path), lambda: situation.formats)


def is_bystander(given: Given, error: ConnectorError) -> bool:
    """A file that only happens to be in a folder, of a kind that is not looked at."""
    return not given.explicit and error.code in {"document.unknown", "document.empty"}


def is_attachment(given: Given, document: Document) -> bool:
    """A file that only happens to be in a folder and needs neither rules nor a signature."""
    from connector.examination.recognition import DocumentKind

    return not given.explicit and document.kind is DocumentKind.PDF


def one_document(path: Path, situation: Situation) -> Document:
    """The file that a command is about. Raises as `recognised`."""
    return recognised(Given(path, explicit=True, group=path.parent), situation)


def require_unacceptable(error: ConnectorError) -> ConnectorError:
    """`error`, if it is about the document; one about the set-up ends the command."""
    if error.kind is not Kind.UNACCEPTABLE:
        raise error
    return error


@contextmanager
def progress(output: Output, what: str, files: Sequence[Given]) -> Iterator[Iterator[Given]]:
    """The files one after the other, with a bar where somebody watches and there are many."""
    if not output.interactive or len(files) < _MANY:
        yield iter(files)
        return
    from rich.progress import track

    yield iter(track(files, description=what, console=output.err, transient=True))
