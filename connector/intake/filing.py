"""Putting what was dealt with into its last place, with notes for a person; whole or not at all.

    intake/.taken/<id>/<entry>                 in work
    accepted/.unfinished/<id>~<name>/          notes first, then the entry by one rename
    accepted/<name>/                           in view, by another rename

Once the entry has left `.taken` it is known what became of it; a place that was not brought into
view before a crash is brought there at the next start. Where the folders lie on different file
systems, the entry is copied, and counts as gone when its place in `.taken` has been renamed.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.store.payloads import sync_folder

_UNFINISHED: Final = ".unfinished"
_GONE: Final = ".gone~"
_NAME_BYTES: Final = 160


@dataclass(frozen=True, slots=True)
class Folders:
    """Where documents come in, and where they go once it is known what becomes of them."""

    intake: Path
    accepted: Path
    refused: Path

    @property
    def taken(self) -> Path:
        """What is in work."""
        return self.intake / ".taken"

    @property
    def goals(self) -> tuple[Path, Path]:
        """Where what was dealt with ends."""
        return self.accepted, self.refused

    def make(self) -> None:
        """Make those that are missing. Raises OSError."""
        for folder in (self.taken, *(goal / _UNFINISHED for goal in self.goals)):
            folder.mkdir(parents=True, exist_ok=True)


def file_away(
    folders: Folders, taken: Path, entry: Path, goal: Path, notes: Mapping[str, str]
) -> None:
    """Move `entry`, the only thing in `taken`, to `goal` in a folder of its own, with `notes`.

    Raises OSError; then it can be done again.
    """
    for each in folders.goals:
        for earlier in _stages(each, taken.name):
            shutil.rmtree(earlier)
    stage = goal / _UNFINISHED / f"{taken.name}~{_name(entry, taken.name[:8])}"
    stage.mkdir()
    for name, text in notes.items():
        # The entry keeps its name, even if it is that of a note.
        _write(stage / (name if name != entry.name else f"emla-{name}"), text)
    _move(entry, stage / entry.name, taken)
    sync_folder(stage)
    _into_view(stage)
    _remove(folders, taken)


def finish_filing(folders: Folders) -> None:
    """Bring into view what a crash has left behind. Raises OSError."""
    for goal in folders.goals:
        for stage in _stages(goal):
            taken = folders.taken / stage.name.partition("~")[0]
            if not taken.is_dir() or not any(taken.iterdir()):
                _into_view(stage)
                _remove(folders, taken)
    for gone in folders.taken.glob(f"{_GONE}*"):
        shutil.rmtree(gone)


def _stages(goal: Path, message_id: str = "") -> Iterable[Path]:
    return [s for s in (goal / _UNFINISHED).iterdir() if s.name.startswith(message_id)]


def _name(entry: Path, suffix: str) -> str:
    stem = os.fsencode(entry.name)[:_NAME_BYTES].decode("utf-8", "ignore").lstrip(".")
    return f"{stem}.{suffix}"


def _write(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8", errors="backslashreplace") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def _move(entry: Path, goal: Path, taken: Path) -> None:
    try:
        entry.rename(goal)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if entry.is_dir() and not entry.is_symlink():
            shutil.copytree(entry, goal, symlinks=True)
        else:
            shutil.copy2(entry, goal, follow_symlinks=False)
        _sync(goal)
        taken.rename(taken.with_name(f"{_GONE}{taken.name}"))


def _sync(copy: Path) -> None:
    for path in (copy, *copy.rglob("*")):
        if path.is_file() and not path.is_symlink():
            with path.open("rb") as stream:
                os.fsync(stream.fileno())


def _into_view(stage: Path) -> None:
    message_id, _, name = stage.name.partition("~")
    goal = stage.parent.parent
    folder = goal / name
    if folder.exists():  # the same name and first eight letters: as good as impossible
        folder = goal / f"{name.rpartition('.')[0]}.{message_id}"
    stage.rename(folder)
    sync_folder(goal)


def _remove(folders: Folders, taken: Path) -> None:
    """What is left of a place in `.taken` that holds nothing any more."""
    gone = folders.taken / f"{_GONE}{taken.name}"
    if gone.exists():
        shutil.rmtree(gone)
    elif taken.exists():
        taken.rmdir()
