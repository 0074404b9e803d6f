"""Looking into an ASiC-S container before anything of it is believed (EN 319 162-1, 4.3).

What is signed is one file, SignedContent.zip. Beside it only the signature and the mimetype may
lie in the container: whatever else there is has no signature, and is refused.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from lxml import etree

from connector.container.extraction import Inflater, read_small
from connector.container.names import fault_of
from connector.container.payloads import spool
from connector.container.sealing import ASIC, MEDIA_TYPE, MIMETYPE_FILE, SIGNATURES, SIGNED_CONTENT
from connector.container.zip_headers import META_INF
from connector.container.zip_reading import ContainerLimits, Window, read_structure
from connector.container.zip_records import STORED, Entry
from connector.errors import ConnectorError, Problem, unacceptable
from connector.signature.algorithms import DIGEST_METHODS
from connector.signature.dsig_reading import parse_signature
from connector.xml import Element, parse

DS: Final = "http://www.w3.org/2000/09/xmldsig#"

_SIGNATURE_FILE: Final = re.compile(r"META-INF/[^/]*signatures[^/]*\.xml")
"""EN 319 162-1, 4.4.3.2 allows any such name; `signatures.xml` is the one for ASiC-S."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where things are in a container; nothing has been verified."""

    content: Entry
    signatures: tuple[Element, ...]
    """Each ds:Signature."""
    weaknesses: tuple[Problem, ...]


def refused(code: str, what: str, mend: str = "") -> ConnectorError:
    """The refusal of a container; `code` without its `container.` prefix."""
    return unacceptable(
        f"container.{code}",
        what,
        mend=mend or "Ask the sender for an ASiC-S container after EN 319 162-1.",
    )


def read_layout(window: Window, limits: ContainerLimits) -> Layout:
    """The parts of the container in `window`.

    Raises `ConnectorError`: what `read_structure` raises, `container.mimetype`,
    `container.unsigned-entry`, `container.no-content`, `container.no-signature`,
    `container.signatures-doubled`, `container.signatures-malformed`.
    """
    entries = [e for e in read_structure(window, limits) if e.name != META_INF]
    weaknesses = _check_mimetype(window, entries, limits)
    named = {entry.name: entry for entry in entries}
    signature_files = [entry for entry in entries if _SIGNATURE_FILE.fullmatch(entry.name)]
    known = {MIMETYPE_FILE, SIGNED_CONTENT, *(entry.name for entry in signature_files)}
    for entry in entries:
        if entry.name not in known:
            raise refused("unsigned-entry", f"No signature covers {entry.name!r}.")
    if SIGNED_CONTENT not in named:
        raise refused("no-content", f"The container has no {SIGNED_CONTENT}.")
    if not signature_files:
        raise refused("no-signature", f"The container has no {SIGNATURES}.")
    if len(signature_files) > 1:
        raise refused("signatures-doubled", "The container has more than one file of signatures.")
    data = read_small(window, signature_files[0], limits.max_small_file)
    return Layout(named[SIGNED_CONTENT], signature_elements(data), tuple(weaknesses))


def _check_mimetype(
    window: Window, entries: Sequence[Entry], limits: ContainerLimits
) -> list[Problem]:
    found = next((entry for entry in entries if entry.name == MIMETYPE_FILE), None)
    if found is None:
        return [_weakness("mimetype-missing", "The container does not state its type.")]
    said = read_small(window, found, limits.max_small_file).strip()
    if said != MEDIA_TYPE.encode():
        raise refused("mimetype", f"The container says it is {said[:80]!r}, not {MEDIA_TYPE}.")
    weaknesses = []
    if found is not entries[0]:
        weaknesses.append(_weakness("mimetype-not-first", "mimetype is not the first file."))
    if found.method != STORED:
        weaknesses.append(_weakness("mimetype-compressed", "mimetype is compressed."))
    return weaknesses


def _weakness(code: str, what: str) -> Problem:
    return Problem(code=f"container.{code}", what=what)


def signature_elements(data: bytes) -> tuple[Element, ...]:
    """Each ds:Signature of a file of signatures. Raises `container.signatures-malformed`,
    `container.no-signature`."""
    root = parse(data, file=SIGNATURES)
    children = list(root.iterchildren("*"))
    if root.tag != f"{{{ASIC}}}XAdESSignatures" or any(
        child.tag != f"{{{DS}}}Signature" for child in children
    ):
        raise refused(
            "signatures-malformed",
            f"{SIGNATURES} is a {etree.QName(root).localname}, or holds more than signatures.",
        )
    if not children:
        raise refused("no-signature", f"{SIGNATURES} holds no signature.")
    return tuple(children)


def read_content(window: Window, limits: ContainerLimits) -> tuple[Entry, ...]:
    """The files in SignedContent.zip. Raises as `read_structure`, and `container.empty`."""
    entries = read_structure(window, limits)
    for entry in entries:
        if fault := fault_of(entry.name):
            raise refused("entry-name", f"The file name {entry.name!r} {fault}.")
    if not entries:
        raise refused("empty", f"{SIGNED_CONTENT} holds no file.")
    return entries


@contextmanager
def content_window(window: Window, entry: Entry) -> Iterator[Window]:
    """SignedContent.zip as an archive of its own: in place if it is stored, else inflated into a
    private temporary file. Raises `container.size-disagrees`, `container.corrupt`."""
    if entry.method == STORED:
        yield Window(window.stream, window.start + entry.data, entry.size)
        return
    with spool() as copy:
        inflater = Inflater(entry)
        for piece in window.chunks(entry.data, entry.compressed):
            inflater.feed(piece, copy.write)
        inflater.finish(copy.write)
        yield Window(copy, 0, entry.size)


def digest_algorithms(signature: Element) -> set[str]:
    """Those of a signature's references, as hashlib calls them. Unknown ones are left out, and so
    are those of a signature that cannot be read: verification refuses both."""
    try:
        parsed = parse_signature(signature)
    except ConnectorError:
        return set()
    found = (DIGEST_METHODS.get(each.digest_method) for each in parsed.references)
    return {name for name in found if name is not None}


class Passing:
    """Digests and checks SignedContent.zip while its bytes pass, as the signatures want it."""

    def __init__(self, layout: Layout) -> None:
        self._entry = layout.content
        names = {name for each in layout.signatures for name in digest_algorithms(each)}
        self._hashes = {name: hashlib.new(name) for name in names}
        self._crc = 0

    def take(self, data: bytes) -> None:
        """The next bytes."""
        self._crc = zlib.crc32(data, self._crc)
        for each in self._hashes.values():
            each.update(data)

    def digest(self, name: str, algorithm: str) -> bytes | None:
        """For `xades.verify_detached`, which accepts what covers this one file and nothing else."""
        found = self._hashes.get(algorithm)
        return found.digest() if found is not None and name == SIGNED_CONTENT else None

    def finish(self) -> None:
        """All bytes have passed. Raises `container.corrupt`."""
        if self._crc != self._entry.crc:
            raise refused("corrupt", f"The checksum of {self._entry.name} is another.")
