"""The folder that a demonstration leaves behind, and whose it is."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.errors import misconfigured

MARKER: Final = ".emla-demo"
"""Only a folder that holds this file is ever emptied."""
_NOTE: Final = "Made by `emla demo`, which replaces everything in this folder when it runs again.\n"


@dataclass(frozen=True, slots=True)
class OutputFolder:
    """Where everything of one demonstration is.

    connectors/<CC>/          the connectors' homes: settings, keys, stores, logs
    originals/<CC>/           what each national system handed over, as it was
    delivered/<CC>/           what each national system got: documents, attachments, proofs
    containers/               each sealed container
    evidences/<message>/      each signed evidence
    sent.json                 what was handed over, with the SHA-256 of every file
    index.html                the whole story
    """

    root: Path

    @property
    def connectors(self) -> Path:
        """Homes, and the PKI that they share."""
        return self.root / "connectors"

    @property
    def originals(self) -> Path:
        """Where intakes put what they have accepted."""
        return self.root / "originals"

    @property
    def delivered(self) -> Path:
        """Where connectors deliver to."""
        return self.root / "delivered"

    @property
    def containers(self) -> Path:
        """Sealed containers, by message."""
        return self.root / "containers"

    @property
    def evidences(self) -> Path:
        """Evidences, by message."""
        return self.root / "evidences"

    @property
    def manifest(self) -> Path:
        """What was handed over."""
        return self.root / "sent.json"

    @property
    def page(self) -> Path:
        """For people."""
        return self.root / "index.html"


@contextmanager
def claimed(root: Path) -> Iterator[OutputFolder]:
    """The folder, empty and ours alone for as long as the block lasts.

    Raises `ConnectorError` (configuration): `demo.output-foreign` if the folder holds something
    that no demonstration made, `demo.output-in-use` while another demonstration uses it.
    """
    root = root.absolute()
    if root.is_symlink() or (root.exists() and not root.is_dir()):
        raise misconfigured(
            "demo.output-foreign",
            f"{root} is no folder.",
            mend="Name a new folder with --output.",
            file=str(root),
        )
    if root.is_dir() and any(root.iterdir()) and not (root / MARKER).is_file():
        raise misconfigured(
            "demo.output-foreign",
            f"{root} holds files that no demonstration made; nothing in it was touched.",
            mend="Name a new folder with --output.",
            file=str(root),
        )
    root.mkdir(parents=True, exist_ok=True)
    with _alone(root):
        _empty(root)
        yield OutputFolder(root)


def existing(root: Path) -> OutputFolder:
    """What an earlier demonstration left behind.

    Raises `ConnectorError` (configuration): `demo.output-missing`.
    """
    output = OutputFolder(root.absolute())
    if not output.manifest.is_file():
        raise misconfigured(
            "demo.output-missing",
            f"There is no finished demonstration in {root}.",
            mend="Run `emla demo` first.",
            file=str(root),
        )
    return output


@contextmanager
def _alone(root: Path) -> Iterator[None]:
    handle = os.open(root / MARKER, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o644)
    with os.fdopen(handle, "r+", encoding="utf-8") as marker:
        try:
            fcntl.flock(marker, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise misconfigured(
                "demo.output-in-use",
                f"Another demonstration is running in {root}.",
                mend="Wait for it, or name another folder with --output.",
                file=str(root),
            ) from error
        marker.truncate()
        marker.write(_NOTE)
        marker.flush()
        yield


def _empty(root: Path) -> None:
    for each in root.iterdir():
        if each.name == MARKER:
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
