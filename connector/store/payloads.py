"""Payload bytes as content-addressed files: `ab/<sha256>`, written once, never changed.

A payload is written to the scratch folder of the same file system, synced, and linked into place;
its folder is synced before anybody is told its address. Reading checks the digest.
"""

from __future__ import annotations

import errno
import hashlib
import io
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connector.errors import ConnectorError, misconfigured, transient, unacceptable
from connector.exchange.records import PayloadRef
from connector.store.checked_stream import CheckedStream, altered
from connector.store.scratch import Scratch

_CHUNK = 1024 * 1024
_OWNER_ONLY = 0o700


class FilePayloads:
    """Implements `connector.exchange.ports.PayloadStore`. Shared between threads."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: set[Path] = set()
        """Folders that are durable."""
        try:
            folder.mkdir(mode=_OWNER_ONLY, parents=True, exist_ok=True)
            self._scratch = Scratch(folder / "scratch")
        except OSError as error:
            raise misconfigured(
                "store.folder",
                f"The payload folder cannot be used: {error.strerror}.",
                mend="Check the path and its permissions.",
                file=str(folder),
            ) from error

    def writer(self) -> FileWriter:
        """See `PayloadStore`."""
        return FileWriter(self)

    def put(self, data: bytes) -> PayloadRef:
        """See `PayloadStore`. Content that is there already costs a look at the file."""
        ref = PayloadRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        with FileWriter(self) as writer:
            writer.place(ref, data)
        return ref

    def read(self, ref: PayloadRef) -> bytes:
        """See `PayloadStore`. Raises `store.payload-altered`, `store.payload-missing`."""
        with self._opened(ref) as file:
            data = file.read()
        if len(data) != ref.size or hashlib.sha256(data).hexdigest() != ref.sha256:
            raise altered(ref)
        return data

    def open(self, ref: PayloadRef) -> BinaryIO:
        """See `PayloadStore`."""
        return io.BufferedReader(CheckedStream(self._opened(ref), ref), _CHUNK)

    def source(self, ref: PayloadRef) -> StoredPayload:
        """See `PayloadStore`."""
        return StoredPayload(self, ref)

    def path(self, ref: PayloadRef) -> Path:
        """See `PayloadStore`. Raises `store.payload-missing`."""
        path = self.place_of(ref.sha256)
        if not path.is_file():
            raise _missing(ref)
        return path

    def scratch(self) -> Path:
        """See `PayloadStore`. A folder of this process alone; what killed processes left behind
        goes when the next one starts."""
        return self._scratch.folder

    def close(self) -> None:
        """Give the scratch folder up."""
        self._scratch.close()

    def place_of(self, sha256: str) -> Path:
        """Where content of that digest belongs."""
        # 256 folders: each new one costs a sync, and file systems cope with what is in them.
        return self._folder / sha256[:2] / sha256

    def make_folder(self, folder: Path) -> None:
        """Make a folder for content, durably."""
        if folder in self._known:
            return
        folder.mkdir(mode=_OWNER_ONLY, exist_ok=True)
        # Also if it is there: another process may have made it a moment ago.
        sync_folder(folder.parent)
        self._known.add(folder)

    def _opened(self, ref: PayloadRef) -> io.FileIO:
        try:
            return io.FileIO(self.place_of(ref.sha256), "r")
        except FileNotFoundError as error:
            raise _missing(ref) from error


@dataclass(frozen=True, slots=True)
class StoredPayload:
    """Stored content as a `gateway_client.model.PayloadSource`."""

    payloads: FilePayloads
    ref: PayloadRef

    @property
    def size(self) -> int:
        """Length in bytes."""
        return self.ref.size

    def open(self) -> BinaryIO:
        """A new stream; raises `store.payload-altered` at its end if the bytes do not fit."""
        return self.payloads.open(self.ref)


class FileWriter:
    """Implements `connector.exchange.ports.StoredWriter`."""

    def __init__(self, payloads: FilePayloads) -> None:
        self._payloads = payloads
        self._digest = hashlib.sha256()
        self._size = 0
        self._ref: PayloadRef | None = None
        self._file: io.FileIO | None = None
        self._path: Path | None = None

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def write(self, chunk: bytes) -> int:
        """Append bytes. Raises `store.disk-full` (transient) and its kin."""
        if self._ref is not None:
            raise ValueError("the payload is committed")
        self._append(chunk)
        self._digest.update(chunk)
        self._size += len(chunk)
        return len(chunk)

    def _append(self, chunk: bytes) -> None:
        with disk_failures(self._payloads.scratch()):
            if self._file is None:
                handle, name = tempfile.mkstemp(dir=self._payloads.scratch())
                self._file, self._path = io.FileIO(handle, "w"), Path(name)
            rest = memoryview(chunk)
            while rest:  # a raw write may be short
                rest = rest[self._file.write(rest) or 0 :]

    def commit(self) -> StoredPayload:
        """See `PayloadWriter`."""
        return self._payloads.source(self.commit_ref())

    def commit_ref(self) -> PayloadRef:
        """See `StoredWriter`."""
        if self._ref is None:
            ref = PayloadRef(sha256=self._digest.hexdigest(), size=self._size)
            self.place(ref, b"")
            self._ref = ref
        return self._ref

    def place(self, ref: PayloadRef, rest: bytes) -> None:
        """Append `rest`, which makes the content whole, and put it where `ref` says."""
        target = self._payloads.place_of(ref.sha256)
        with disk_failures(target):
            self._payloads.make_folder(target.parent)
            if not _is_whole(target, ref):
                self._append(rest)
                assert self._file is not None and self._path is not None
                os.fchmod(self._file.fileno(), 0o400)
                os.fsync(self._file.fileno())
                # A rename replaces a damaged file, and is harmless when another writer of the
                # same content was faster.
                self._path.rename(target)
                self._path = None
            # Whoever was faster may not have synced the folder yet.
            sync_folder(target.parent)
        self.abort()

    def abort(self) -> None:
        """See `PayloadWriter`."""
        if self._file is not None:
            self._file.close()
            self._file = None
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None


def _is_whole(path: Path, ref: PayloadRef) -> bool:
    try:
        with path.open("rb") as file:
            return (
                os.fstat(file.fileno()).st_size == ref.size
                and hashlib.file_digest(file, "sha256").hexdigest() == ref.sha256
            )
    except FileNotFoundError:
        return False


def sync_folder(folder: Path) -> None:
    """Make names in `folder` durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


_DISK = {
    errno.ENOSPC: ("store.disk-full", "The disk is full", "Make room"),
    errno.EDQUOT: ("store.disk-full", "The disk quota is used up", "Make room"),
    errno.EFBIG: ("store.disk-full", "The file system takes no larger file", "Mend the limit"),
    errno.EIO: ("store.disk", "The disk fails", "Look at the disk"),
    errno.EROFS: ("store.read-only", "The file system is read-only", "Look at the disk"),
    errno.EACCES: ("store.permission", "Permission denied", "Mend the permissions"),
    errno.EMFILE: ("store.busy", "Too many open files", "Raise the limit"),
    errno.ENFILE: ("store.busy", "Too many open files", "Raise the limit"),
}


@contextmanager
def disk_failures(path: Path) -> Iterator[None]:
    """Failures of the disk as transient `ConnectorError`s."""
    try:
        yield
    except OSError as error:
        code, what, mend = _DISK.get(
            error.errno or 0, ("store.disk", str(error.strerror), "Look at the disk")
        )
        raise transient(
            code, f"{what}: nothing can be stored.", mend=f"{mend}; then try again.", file=str(path)
        ) from error


def _missing(ref: PayloadRef) -> ConnectorError:
    return unacceptable(
        "store.payload-missing",
        f"The stored content {ref.sha256} is missing.",
        mend="Restore the payload folder from a backup.",
    )
