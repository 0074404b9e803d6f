"""Delivery into a folder: one sub-folder a message, complete or absent, never half.

    delivered/<message id>/READY             remove this file once the message is taken
                          /<document>        in the national format
                          /attachments/…     as the sender named them
                          /proofs/…          signed envelope, container, token, account
    delivered/evidences/<message id>/01-SUBMISSION_ACCEPTANCE.xml …

Removing READY is how the national system says that it has taken the message (RETRIEVAL).
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from connector.errors import transient
from connector.exchange.ports import PayloadStore
from connector.exchange.records import EvidenceRecord, Handover, MessageRecord, PayloadRef
from connector.store.payloads import sync_folder

READY = "READY"
_CHUNK = 1024 * 1024
_UNSAFE = re.compile(r"[/\\\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_MADE = re.compile(r"-[0-9a-f]{32}\Z")
_OWN_FOLDERS = ("evidences",)


class FolderBackend:
    """A national system that looks into a folder."""

    def __init__(self, folder: Path, national_format: str, payloads: PayloadStore) -> None:
        self._folder = folder
        self._format = national_format
        self._payloads = payloads
        self._marks = folder / ".handed-over"
        (folder / "evidences").mkdir(parents=True, exist_ok=True)
        self._marks.mkdir(exist_ok=True)

    @property
    def format(self) -> str:
        """The national format that documents are handed over in."""
        return self._format

    def hand_over(self, handover: Handover) -> None:
        """Copy everything into a hidden folder, then rename it into view in one step.

        The mark is written between the two: with the mark there and the hidden folder gone, the
        rename has happened, even if the national system has since taken everything away.

        Raises `delivery.in-work` (transient) where another worker that lost the job is still at it.
        """
        target = self._folder / folder_name(handover.record.ebms_id)
        staging = self._folder / f".{target.name}"
        mark = self._marks / f"{handover.record.id}~{target.name}"
        with _full_disk_is_transient(target), self._alone(handover.record.id):
            if not mark.exists():
                self._stage(handover, staging)
                mark.touch()
                sync_folder(mark.parent)
            if staging.exists():
                staging.rename(target)
                sync_folder(self._folder)

    @contextmanager
    def _alone(self, message_id: str) -> Iterator[None]:
        with self._lock_file(message_id).open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise transient(
                    "delivery.in-work",
                    "Another worker is handing this message over at the moment.",
                    mend="Nothing: it is looked at again by itself.",
                ) from error
            yield

    def _lock_file(self, message_id: str) -> Path:
        return self._marks / f".{message_id}.lock"

    def _stage(self, handover: Handover, staging: Path) -> None:
        shutil.rmtree(staging, ignore_errors=True)
        (staging / "attachments").mkdir(parents=True)
        (staging / "proofs").mkdir()
        (staging / READY).write_text(handover.record.ebms_id + "\n", "utf-8")
        self._copy(handover.document, _free(staging / safe_name(handover.document_name)))
        for part in handover.attachments:
            self._copy(part.payload, _free(staging / "attachments" / safe_name(part.name)))
        for part in handover.proofs:
            self._copy(part.payload, _free(staging / "proofs" / safe_name(part.name)))
        for folder in (staging / "attachments", staging / "proofs", staging):
            sync_folder(folder)

    def tell(self, record: MessageRecord, order: int, evidence: EvidenceRecord) -> None:
        """Write the evidence beside the earlier ones; what is there already stays as it is."""
        folder = self._folder / "evidences" / folder_name(record.ebms_id)
        target = folder / f"{order:02d}-{evidence.type}.xml"
        if target.exists():
            return
        with _full_disk_is_transient(target):
            folder.mkdir(exist_ok=True)
            # Two workers may tell of the same evidence at once: the same bytes, from two files.
            staging = folder / f".{target.name}.{uuid.uuid4().hex}"
            self._copy(evidence.payload, staging)
            staging.rename(target)
            sync_folder(folder)

    def taken(self) -> Iterator[str]:
        """A message is taken once READY, or its whole folder, is gone."""
        if not self._marks.is_dir():  # the disk is not there, which is no taking
            raise transient(
                "delivery.cannot-read",
                f"The folder {self._marks} is gone.",
                mend="Mend the folder or its disk; it is looked at again by itself.",
                file=str(self._marks),
            )
        with os.scandir(self._marks) as marks:
            for mark in marks:
                message_id, _, name = mark.name.partition("~")
                if name and self._is_taken(name):
                    yield message_id

    def _is_taken(self, name: str) -> bool:
        ready = self._folder / name / READY
        if ready.exists() or (self._folder / f".{name}").exists():
            return False  # there, or still being handed over
        # It may have come into view between the two looks.
        return not ready.exists()

    def forget(self, message_id: str) -> None:
        """Remove the mark."""
        for mark in self._marks.glob(f"{message_id}~*"):
            mark.unlink(missing_ok=True)
        self._lock_file(message_id).unlink(missing_ok=True)

    def _copy(self, ref: PayloadRef, target: Path) -> None:
        # A copy, not a link: what the national system does to its file must not reach the store.
        with self._payloads.open(ref) as source, target.open("wb") as sink:
            shutil.copyfileobj(source, sink, _CHUNK)
            sink.flush()
            os.fsync(sink.fileno())


def folder_name(ebms_id: str) -> str:
    """A message id as the name of a folder: another one for every id, however hostile.

    Ids that are no such name, or look as if they had been made here, get a part of their digest.
    """
    name = safe_name(ebms_id, longest=150)
    if name == ebms_id and name not in _OWN_FOLDERS and not _MADE.search(name):
        return name
    digest = hashlib.sha256(ebms_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{name}-{digest}"


def safe_name(name: str, *, longest: int = 200) -> str:
    """`name` as a single path component: no separators, no control characters, nothing that
    changes the direction of writing, no leading dot; cut to `longest` bytes, its extension kept.

    File systems take 255 bytes, and numbers, digests or ids are put beside it.
    """
    cleaned = _UNSAFE.sub("_", name).strip().lstrip(".").strip()
    if len(cleaned.encode("utf-8")) > longest:
        stem, dot, extension = cleaned.rpartition(".")
        if not stem or len(extension.encode("utf-8")) > 20:
            stem, dot, extension = cleaned, "", ""
        room = longest - len((dot + extension).encode("utf-8"))
        cleaned = stem.encode("utf-8")[:room].decode("utf-8", "ignore") + dot + extension
    return cleaned or "unnamed"


def _free(path: Path) -> Path:
    """`path`, or `name (2).ext` and so on if it is taken, by a file of ours or by one whose name
    differed only in what `safe_name` removed."""
    return next(candidate for candidate in _candidates(path) if not candidate.exists())


def _candidates(path: Path) -> Iterator[Path]:
    yield path
    for number in range(2, 100_000):
        yield path.with_name(f"{path.stem} ({number}){path.suffix}")


@contextmanager
def _full_disk_is_transient(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, "unknown")
        raise transient(
            "delivery.cannot-write",
            f"Cannot write to {target.parent}: {error.strerror or error} ({name}).",
            mend="Make room, or mend the permissions; delivery is tried again by itself.",
            file=str(target),
        ) from error
