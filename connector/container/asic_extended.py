"""ASiC-E containers with XAdES (EN 319 162-1, clause 4.4): several files, each signed as it is.

    mimetype                   first and stored
    <documents>                stored
    META-INF/manifest.xml      names and media types (OpenDocument 1.2, part 3)
    META-INF/signatures*.xml   detached XAdES signatures that refer to the documents by name

Written as a stream in constant memory; read with every file covered by a verified signature.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote

from lxml import etree

from connector.container.extraction import ContainedFile, Inflater, read_small
from connector.container.names import collision_key, entry_names, fault_of
from connector.container.opening import digest_algorithms, refused, signature_elements
from connector.container.payloads import opened_seekable
from connector.container.sealing import (
    MIMETYPE_FILE,
    SIGNATURES,
    SIGNATURES_HEAD,
    SIGNATURES_TAIL,
    Document,
    Measured,
    Output,
    Writable,
    copy_measured,
    measured,
)
from connector.container.zip_reading import (
    DEFAULT_LIMITS,
    ContainerLimits,
    Window,
    read_structure,
)
from connector.container.zip_records import Entry
from connector.container.zip_writing import StoredFile, directory, local_header
from connector.errors import Problem, unacceptable
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.trust import TrustStore
from connector.xml import Element
from gateway_client.model import PayloadSource, PayloadWriter

MEDIA_TYPE: Final = "application/vnd.etsi.asic-e+zip"
MANIFEST: Final = "META-INF/manifest.xml"
_MANIFEST_NS: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"
_META_INF: Final = "META-INF/"
_CHUNK: Final = 1024 * 1024

Item = tuple[str, str, bytes]
"""URI (the name, percent-encoded), media type and SHA-256 of a file that is signed."""


@dataclass(frozen=True, slots=True)
class ExtendedSeal:
    """What has been written."""

    names: tuple[str, ...]
    """The name in the container of each document, in the order given."""
    size: int
    """Bytes of the whole container."""


def seal_extended(
    target: Writable,
    documents: Sequence[Document],
    sign: Callable[[Sequence[Item]], bytes],
    moment: datetime,
    *,
    progress: Callable[[int], object] = lambda _: None,
) -> ExtendedSeal:
    """Write an ASiC-E container; `sign` makes the ds:Signature elements over the items.

    Documents may be of any size: each is read once to be digested and once to be written;
    `progress` gets the number of bytes at each step. Names may have folders in them. Raises
    `container.empty`, `container.entry-name`, `container.document-changed` (transient), and what
    `sign` raises.
    """
    if not documents:
        raise unacceptable("container.empty", "A container needs at least one document.")
    names = _safe_names([document.name for document in documents])
    files: list[Measured] = []
    items: list[Item] = []
    for name, document in zip(names, documents, strict=True):
        sha256 = hashlib.sha256()

        def seen(piece: bytes, update: Callable[[bytes], object] = sha256.update) -> None:
            update(piece)
            progress(len(piece))

        files.append(measured(name, document.source, seen))
        items.append((quote(name), document.media_type, sha256.digest()))
    signatures = SIGNATURES_HEAD + sign(items) + SIGNATURES_TAIL
    out = Output(target)
    placed: list[tuple[StoredFile, int]] = []

    def small(name: str, data: bytes) -> None:
        begin(StoredFile(name, len(data), zlib.crc32(data)))
        out.write(data)

    def begin(file: StoredFile) -> None:
        placed.append((file, out.written))
        out.write(local_header(file, moment))

    small(MIMETYPE_FILE, MEDIA_TYPE.encode())
    for file in files:
        begin(file.file)
        copy_measured(file, out, progress)
    small(MANIFEST, _manifest(names, documents))
    small(SIGNATURES, signatures)
    out.write(directory(placed, out.written, moment))
    out.flush()
    return ExtendedSeal(names, out.written)


def _safe_names(names: Sequence[str]) -> tuple[str, ...]:
    """Folders are kept; each step must be a safe name, and no two names may be the same file."""
    seen: set[str] = set()
    made = []
    for name in names:
        *folders, last = name.split("/")
        for step in folders:
            if fault := fault_of(step):
                raise refused("entry-name", f"The folder {step!r} of {name!r} {fault}.")
        prefix = "".join(f"{step}/" for step in folders)
        taken = {key[len(prefix) :] for key in seen if key.startswith(collision_key(prefix))}
        (safe,) = entry_names([last], reserved=taken)
        if not prefix and collision_key(safe) in {"mimetype", "meta-inf"}:
            safe = f"_{safe}"
        made.append(prefix + safe)
        seen.add(collision_key(prefix + safe))
    return tuple(made)


def _manifest(names: Sequence[str], documents: Sequence[Document]) -> bytes:
    root = etree.Element(f"{{{_MANIFEST_NS}}}manifest", nsmap={"manifest": _MANIFEST_NS})
    root.set(f"{{{_MANIFEST_NS}}}version", "1.2")
    listed = [("/", MEDIA_TYPE)]
    listed += [(name, each.media_type) for name, each in zip(names, documents, strict=True)]
    for path, media_type in listed:
        entry = etree.SubElement(root, f"{{{_MANIFEST_NS}}}file-entry")
        entry.set(f"{{{_MANIFEST_NS}}}full-path", path)
        entry.set(f"{{{_MANIFEST_NS}}}media-type", media_type)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


@dataclass(frozen=True, slots=True)
class FileSignature:
    """One signature of a container and the files that it covers."""

    verified: xades.Verified
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class OpenedExtended:
    """What an ASiC-E container held, every file covered by a signature that counts."""

    files: tuple[ContainedFile, ...]
    """In the order of the archive."""
    signatures: tuple[FileSignature, ...]
    weaknesses: tuple[Problem, ...]

    def file(self, name: str) -> ContainedFile | None:
        """The file of that name, if there is one."""
        return next((file for file in self.files if file.name == name), None)


def open_extended(
    source: PayloadSource,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
    writer: Callable[[], PayloadWriter],
    *,
    limits: ContainerLimits = DEFAULT_LIMITS,
) -> OpenedExtended:
    """Verify a container and take its files out, each into a new `writer`.

    Every signature must be valid and every file covered by at least one; else nothing is committed.
    Raises `ConnectorError` (unacceptable): `container.*` as `opening.read_layout`,
    `container.unsigned-entry`, and `signature.*`, `certificate.*`.
    """
    with opened_seekable(source) as stream:
        window = Window(stream, 0, stream.seek(0, 2))
        layout = read_extended_layout(window, limits)
        algorithms = {name for each in layout.signatures for name in digest_algorithms(each)}
        taken: list[tuple[Entry, Mapping[str, bytes], PayloadWriter]] = []
        try:
            for entry in layout.documents:
                sink = writer()
                taken.append((entry, {}, sink))
                digests = digest_entry(window, entry, {"sha256", *algorithms}, sink.write)
                taken[-1] = (entry, digests, sink)
            by_name = {entry.name: digests for entry, digests, _ in taken}
            signatures = tuple(
                _verified(each, by_name, trust, policy, at) for each in layout.signatures
            )
            _all_covered(by_name, signatures)
            files = tuple(
                ContainedFile(entry.name, entry.size, digests["sha256"], sink.commit())
                for entry, digests, sink in taken
            )
        except BaseException:
            for _, _, sink in taken:
                sink.abort()
            raise
    weak = [*layout.weaknesses]
    for each in signatures:
        weak += each.verified.weaknesses
    return OpenedExtended(files, signatures, tuple(weak))


@dataclass(frozen=True, slots=True)
class ExtendedLayout:
    """Where things are in a container; nothing has been verified."""

    documents: tuple[Entry, ...]
    signatures: tuple[Element, ...]
    weaknesses: tuple[Problem, ...]


def read_extended_layout(window: Window, limits: ContainerLimits) -> ExtendedLayout:
    """The documents and signatures of the container in `window`.

    Raises `ConnectorError`: what `read_structure` raises, `container.mimetype`,
    `container.entry-name`, `container.no-content`, `container.no-signature`,
    `container.signatures-malformed`.
    """
    entries = [
        e for e in read_structure(window, replace(limits, folders=True)) if not e.name.endswith("/")
    ]
    weaknesses = []
    kind = next((e for e in entries if e.name == MIMETYPE_FILE), None)
    if kind is None:
        weaknesses.append(_weakness("mimetype-missing", "The container does not state its type."))
    else:
        said = read_small(window, kind, limits.max_small_file).strip()
        if said != MEDIA_TYPE.encode():
            raise refused("mimetype", f"The container says it is {said[:80]!r}, not {MEDIA_TYPE}.")
        if kind is not entries[0]:
            weaknesses.append(_weakness("mimetype-not-first", "mimetype is not the first file."))
    documents = []
    signatures: list[Element] = []
    for entry in entries:
        if entry is kind:
            continue
        if entry.name.startswith(_META_INF):
            if "signatures" in entry.name and entry.name.endswith(".xml"):
                signatures += signature_elements(read_small(window, entry, limits.max_small_file))
            continue
        documents.append(entry)
    if not documents:
        raise refused("no-content", "The container holds no document.")
    if not signatures:
        raise refused("no-signature", "The container holds no XAdES signature.")
    return ExtendedLayout(tuple(documents), tuple(signatures), tuple(weaknesses))


def _weakness(code: str, what: str) -> Problem:
    return Problem(code=f"container.{code}", what=what)


def digest_entry(
    window: Window, entry: Entry, algorithms: set[str], out: Callable[[bytes], object]
) -> dict[str, bytes]:
    """Pass a file's bytes to `out`; their digests by hashlib's names. Raises as `Inflater`."""
    hashes = {name: hashlib.new(name) for name in algorithms}

    def take(data: bytes) -> None:
        for each in hashes.values():
            each.update(data)
        out(data)

    inflater = Inflater(entry)
    for piece in window.chunks(entry.data, entry.compressed):
        inflater.feed(piece, take)
    inflater.finish(take)
    return {name: each.digest() for name, each in hashes.items()}


def _verified(
    signature: Element,
    by_name: Mapping[str, Mapping[str, bytes]],
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
) -> FileSignature:
    covered: set[str] = set()

    def digest(name: str, algorithm: str) -> bytes | None:
        found = by_name.get(name, {}).get(algorithm)
        if found is not None:
            covered.add(name)
        return found

    return FileSignature(
        xades.verify_detached(signature, digest, trust, policy, at), frozenset(covered)
    )


def _all_covered(names: Mapping[str, object], signatures: Sequence[FileSignature]) -> None:
    for missing in names.keys() - {name for each in signatures for name in each.names}:
        raise refused("unsigned-entry", f"No signature covers {missing!r}.")
