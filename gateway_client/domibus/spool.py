"""Answers of retrieveMessage on disk, before anything is done with them.

Retrieving is destructive: the gateway counts a message as downloaded when it begins to answer. So
an `asked` note goes to disk before the request, the answer is stored byte for byte as it arrives,
and only a complete one is looked at. A client that is killed at any point finds on its next start
what it had (`arrived`) or what it must ask for again (`asked`).

One folder belongs to one gateway account. Its files, named by the SHA-256 of the message id:
`X.asked` (the id), `X.partial`, `X.answer` (Content-Type, blank line, body), and below `refused/`
what a person has to look at, with `X.json` saying why.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.errors import ConnectorError, transient


def key_of(message_id: str) -> str:
    """A file name for a message id."""
    return hashlib.sha256(message_id.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Entry:
    """The files of one message."""

    folder: Path
    key: str

    def path(self, suffix: str) -> Path:
        """`asked`, `partial` or `answer`."""
        return self.folder / f"{self.key}.{suffix}"

    @contextmanager
    def open(self) -> Iterator[tuple[str, BinaryIO]]:
        """The answer: its Content-Type, and its body from the first byte."""
        with self.path("answer").open("rb") as stream:
            content_type = stream.readline(65536).decode("latin-1").strip()
            stream.readline(3)
            yield content_type, stream


class Spool:
    """The folder. Everything raises `domibus.spool` (transient) when the disk does not obey."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        with _told(folder):
            (folder / "refused").mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def claimed(self) -> Iterator[bool]:
        """Whether the folder is ours in this block; False while another process works in it."""
        with _told(self._folder):
            lock = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
            else:
                yield True
        finally:
            os.close(lock)

    def entry(self, message_id: str) -> Entry:
        """The files of a message id, whether they are there or not."""
        return Entry(self._folder, key_of(message_id))

    def arrived(self) -> list[Entry]:
        """Complete answers that are still to be handed over."""
        with _told(self._folder):
            return [Entry(self._folder, p.stem) for p in sorted(self._folder.glob("*.answer"))]

    def asked(self) -> list[str]:
        """Message ids that were asked for without a complete answer."""
        with _told(self._folder):
            notes = sorted(self._folder.glob("*.asked"))
            return [p.read_text("utf-8") for p in notes if not p.with_suffix(".answer").exists()]

    def note(self, message_id: str) -> Entry:
        """Write down, durably, that the message will be asked for now."""
        entry = self.entry(message_id)
        with _told(self._folder):
            # By way of another name: a note that is there is whole.
            draft = entry.path("draft")
            _write(draft, [message_id.encode()])
            draft.rename(entry.path("asked"))
            _sync(self._folder)
        return entry

    def store(self, entry: Entry, content_type: str, chunks: Iterable[bytes]) -> None:
        """Store an answer as it arrives; it counts when the last byte is durable.

        What `chunks` raises passes through; the partial answer stays until the next try.
        """
        head = content_type.replace("\n", " ").encode("latin-1", "replace") + b"\n\n"
        with _told(self._folder):
            _write(entry.path("partial"), _prefixed(head, chunks))
            entry.path("partial").rename(entry.path("answer"))
            _sync(self._folder)
            entry.path("asked").unlink(missing_ok=True)

    def forget(self, entry: Entry) -> None:
        """The message is safe elsewhere, or was never ours."""
        with _told(self._folder):
            for suffix in ("answer", "asked", "partial"):
                entry.path(suffix).unlink(missing_ok=True)

    def refuse(self, entry: Entry, error: ConnectorError) -> None:
        """Keep what there is of the message for a person, with the reason."""
        refused = self._folder / "refused"
        with _told(self._folder):
            why = json.dumps([p.as_json() for p in error.problems], ensure_ascii=False, indent=1)
            _write(refused / f"{entry.key}.json", [why.encode()])
            for suffix in ("answer", "partial", "asked"):
                if entry.path(suffix).exists():
                    entry.path(suffix).rename(refused / entry.path(suffix).name)
            _sync(refused)
            _sync(self._folder)


def _prefixed(head: bytes, chunks: Iterable[bytes]) -> Iterator[bytes]:
    yield head
    yield from chunks


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    with path.open("wb") as stream:
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()
        os.fsync(stream.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def _told(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise transient(
            "domibus.spool",
            f"Retrieved messages cannot be kept in {folder}: {error}",
            mend="Check free space and permissions.",
        ) from error
