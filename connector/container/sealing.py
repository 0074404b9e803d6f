"""Writing an ASiC-S container (EN 319 162-1, 4.3) as a stream, in constant memory.

    mimetype                  first and stored
    SignedContent.zip         the documents and the token's PDF, stored
    META-INF/signatures.xml   one detached XAdES signature over SignedContent.zip

Each document is read twice, once for its checksum and once to be written, unless it is small
enough to be kept; everything is written once, front to back, and digested on its way.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from connector.container.checksum import combined
from connector.container.names import TOKEN_PDF, entry_names
from connector.container.payloads import BytesSource
from connector.container.zip_writing import StoredFile, directory, local_header
from connector.errors import transient, unacceptable
from gateway_client.model import PayloadSource

MEDIA_TYPE: Final = "application/vnd.etsi.asic-s+zip"
MIMETYPE_FILE: Final = "mimetype"
SIGNED_CONTENT: Final = "SignedContent.zip"
SIGNATURES: Final = "META-INF/signatures.xml"
ASIC: Final = "http://uri.etsi.org/02918/v1.2.1#"
SIGNATURES_HEAD: Final = (
    f'<?xml version="1.0" encoding="UTF-8"?>\n<asic:XAdESSignatures xmlns:asic="{ASIC}">'
).encode("ascii")
"""What stands before the ds:Signature elements of a file of signatures."""
SIGNATURES_TAIL: Final = b"</asic:XAdESSignatures>"

_KEPT: Final = 1024 * 1024
"""Documents up to this many bytes are read once and kept."""
_CHUNK: Final = 1024 * 1024


class Writable(Protocol):
    """What a container is written to: a file, or a payload writer."""

    def write(self, data: bytes, /) -> object:
        """Append all of `data`."""
        ...


@dataclass(frozen=True, slots=True)
class Document:
    """A document that goes into a container."""

    name: str
    media_type: str
    source: PayloadSource


@dataclass(frozen=True, slots=True)
class Seal:
    """What has been sealed."""

    names: tuple[str, ...]
    """The name in the container of each document, in the order given."""
    sha256: bytes
    """Of SignedContent.zip: what the signature is about."""
    size: int
    """Bytes of the whole container."""


@dataclass(frozen=True, slots=True)
class Measured:
    """A document whose size and checksum are known."""

    file: StoredFile
    source: PayloadSource
    kept: bytes | None


class Output:
    """Gathers small pieces into large writes, and counts, digests and checks on the way."""

    def __init__(self, target: Writable) -> None:
        self._target = target
        self._pieces: list[bytes] = []
        self._held = 0
        self.written = 0
        self.digest: Callable[[bytes], object] | None = None

    def write(self, data: bytes) -> None:
        """Append `data`."""
        if self.digest:
            self.digest(data)
        self.written += len(data)
        self._pieces.append(data)
        self._held += len(data)
        if self._held >= _CHUNK:
            self.flush()

    def flush(self) -> None:
        """Write what is held."""
        self._target.write(b"".join(self._pieces))
        self._pieces.clear()
        self._held = 0


def write_container(
    target: Writable,
    documents: Sequence[Document],
    sign: Callable[[bytes], bytes],
    moment: datetime,
    token_pdf: bytes | None = None,
) -> Seal:
    """Write the container; `sign` makes signatures.xml from the SHA-256 of SignedContent.zip.

    Raises `container.empty`, and `container.document-changed` (transient) when a document has
    other bytes the second time it is read.
    """
    names = entry_names(document.name for document in documents)
    contents = [
        measured(name, document.source) for name, document in zip(names, documents, strict=True)
    ]
    if token_pdf is not None:
        contents.append(measured(TOKEN_PDF, BytesSource(token_pdf)))
    if not contents:
        raise unacceptable("container.empty", "A container needs at least one document.")
    headers, tail = _inner_layout([content.file for content in contents], moment)
    out = Output(target)
    placed: list[tuple[StoredFile, int]] = []

    def begin(file: StoredFile) -> None:
        placed.append((file, out.written))
        out.write(local_header(file, moment))

    kind = MEDIA_TYPE.encode()
    begin(StoredFile(MIMETYPE_FILE, len(kind), zlib.crc32(kind)))
    out.write(kind)
    begin(_inner_file(contents, headers, tail))
    sha256 = hashlib.sha256()
    out.digest = sha256.update
    for content, header in zip(contents, headers, strict=True):
        out.write(header)
        copy_measured(content, out)
    out.write(tail)
    out.digest = None
    signatures = sign(sha256.digest())
    begin(StoredFile(SIGNATURES, len(signatures), zlib.crc32(signatures)))
    out.write(signatures)
    out.write(directory(placed, out.written, moment))
    out.flush()
    return Seal(names, sha256.digest(), out.written)


def measured(
    name: str, source: PayloadSource, seen: Callable[[bytes], object] = lambda _: None
) -> Measured:
    """The document's size and checksum; each piece of it is given to `seen`."""
    size = source.size
    with source.open() as stream:
        if size <= _KEPT:
            data = stream.read(size + 1)
            if len(data) != size:
                raise _changed(name)
            seen(data)
            return Measured(StoredFile(name, size, zlib.crc32(data)), source, data)
        crc = read = 0
        while piece := stream.read(_CHUNK):
            crc = zlib.crc32(piece, crc)
            read += len(piece)
            seen(piece)
    if read != size:
        raise _changed(name)
    return Measured(StoredFile(name, size, crc), source, None)


def copy_measured(
    content: Measured, out: Output, progress: Callable[[int], object] = lambda _: None
) -> None:
    """Write a document. Raises `container.document-changed` (transient) if it is another now."""
    if content.kept is not None:
        out.write(content.kept)
        progress(len(content.kept))
        return
    crc, left = 0, content.file.size
    with content.source.open() as stream:
        while piece := stream.read(_CHUNK):
            crc = zlib.crc32(piece, crc)
            left -= len(piece)
            if left < 0:
                break
            out.write(piece)
            progress(len(piece))
    if left or crc != content.file.crc:
        raise _changed(content.file.name)


def _changed(name: str) -> Exception:
    return transient(
        "container.document-changed",
        f"{name!r} changed while it was being sealed.",
        mend="Nothing to do: sealing is tried again.",
    )


def _inner_layout(files: Sequence[StoredFile], moment: datetime) -> tuple[list[bytes], bytes]:
    """The local headers of SignedContent.zip and what comes after its last document."""
    headers, placed, at = [], [], 0
    for file in files:
        header = local_header(file, moment)
        headers.append(header)
        placed.append((file, at))
        at += len(header) + file.size
    return headers, directory(placed, at, moment)


def _inner_file(contents: Sequence[Measured], headers: Sequence[bytes], tail: bytes) -> StoredFile:
    """SignedContent.zip as a file: its size and checksum, before any of it is written."""
    crc = size = 0
    for content, header in zip(contents, headers, strict=True):
        crc = zlib.crc32(header, crc)
        if content.kept is None:
            crc = combined(crc, content.file.crc, content.file.size)
        else:
            crc = zlib.crc32(content.kept, crc)
        size += len(header) + content.file.size
    return StoredFile(SIGNED_CONTENT, size + len(tail), zlib.crc32(tail, crc))
