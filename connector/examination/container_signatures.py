"""Judging a container: its files, digested in one pass, and each signature over them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Final
from urllib.parse import unquote

from connector.container.asic import ContainedFile, OpenedContainer
from connector.container.asic_extended import ExtendedLayout, digest_entry, read_extended_layout
from connector.container.extraction import Extraction
from connector.container.opening import (
    Layout,
    Passing,
    content_window,
    digest_algorithms,
    read_content,
    read_layout,
)
from connector.container.payloads import opened_seekable
from connector.container.zip_reading import DEFAULT_LIMITS, ContainerLimits, Window
from connector.errors import ConnectorError, Problem, unacceptable
from connector.examination.judgement import Basis, Judgement
from connector.examination.xml_signatures import judge
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.dsig_reading import parse_signature
from connector.signature.trust import TrustStore
from connector.xml import Element
from gateway_client.model import PayloadSource, PayloadWriter

_KEPT_FILE: Final = 16 * 1024 * 1024
_KEPT: Final = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class JudgedContainer:
    """What a container holds and who sealed it."""

    content: OpenedContainer
    """Without signatures: those are in `judgements`. Large files can no longer be opened."""
    judgements: tuple[Judgement, ...]
    problems: tuple[Problem, ...] = ()
    """Files that no signature covers."""


def judge_container(
    source: PayloadSource, basis: Basis, *, limits: ContainerLimits = DEFAULT_LIMITS
) -> JudgedContainer:
    """Every signature of an ASiC-S or ASiC-E container, over the bytes as they are.

    In bounded memory: small files are kept, of large ones only the digest. Raises
    `ConnectorError` (unacceptable) with a `container.*` code where it is no sound container.
    """
    with opened_seekable(source) as stream:
        window = Window(stream, 0, stream.seek(0, io.SEEK_END))
        layout = any_layout(window, limits)
        if isinstance(layout, Layout):
            return _simple(window, layout, basis, limits)
        return _extended(window, layout, basis)


def any_layout(window: Window, limits: ContainerLimits) -> Layout | ExtendedLayout:
    """The parts of a container of either kind. Raises as `read_layout`."""
    try:
        return read_layout(window, limits)
    except ConnectorError as error:
        try:
            return read_extended_layout(window, limits)
        except ConnectorError:
            raise error from None


def _simple(
    window: Window, layout: Layout, basis: Basis, limits: ContainerLimits
) -> JudgedContainer:
    with content_window(window, layout.content) as content:
        extraction = Extraction(content, read_content(content, limits), _Kept().writer)
        passing = Passing(layout)
        extraction.run(passing.take)
        passing.finish()
        files = extraction.commit()
    names = tuple(file.name for file in files)

    def verify(signature: Element, trust: TrustStore, policy: AlgorithmPolicy) -> xades.Verified:
        return xades.verify_detached(signature, passing.digest, trust, policy, basis.at)

    judgements = tuple(
        judge(partial(verify, each), _itself(each), basis, covers=names)
        for each in layout.signatures
    )
    return JudgedContainer(OpenedContainer(files, (), layout.weaknesses), judgements)


def _extended(window: Window, layout: ExtendedLayout, basis: Basis) -> JudgedContainer:
    kept = _Kept()
    algorithms = {name for each in layout.signatures for name in digest_algorithms(each)}
    files: list[ContainedFile] = []
    digests: dict[str, Mapping[str, bytes]] = {}
    for entry in layout.documents:
        writer = kept.writer()
        found = digest_entry(window, entry, {"sha256", *algorithms}, writer.write)
        digests[entry.name] = found
        files.append(ContainedFile(entry.name, entry.size, found["sha256"], writer.commit()))

    def verify(signature: Element, trust: TrustStore, policy: AlgorithmPolicy) -> xades.Verified:
        def digest(name: str, algorithm: str) -> bytes | None:
            return digests.get(name, {}).get(algorithm)

        return xades.verify_detached(signature, digest, trust, policy, basis.at)

    judgements = []
    covered: set[str] = set()
    for each in layout.signatures:
        names = tuple(name for name in _referred(each) if name in digests)
        judgements.append(judge(partial(verify, each), _itself(each), basis, covers=names))
        covered |= set(names)
    unsigned = tuple(
        Problem(code="container.unsigned-entry", what=f"No signature covers {each.name!r}.")
        for each in files
        if each.name not in covered
    )
    opened = OpenedContainer(tuple(files), (), layout.weaknesses)
    return JudgedContainer(opened, tuple(judgements), unsigned)


def _referred(signature: Element) -> Iterator[str]:
    """The files that a signature means."""
    try:
        references = parse_signature(signature).references
    except ConnectorError:
        return
    for each in references:
        yield unquote(each.uri or "")


def _itself(signature: Element) -> Callable[[], Element]:
    """Verifying a detached signature leaves it as it is."""
    return lambda: signature


class _Kept:
    """Room for the small files of a container."""

    def __init__(self) -> None:
        self.left = _KEPT

    def writer(self) -> PayloadWriter:
        return _KeepingWriter(self)


class _KeepingWriter:
    """Keeps a file that is small enough and lets go of it otherwise."""

    def __init__(self, kept: _Kept) -> None:
        self._kept = kept
        self._data: bytearray | None = bytearray()
        self._size = 0

    def write(self, chunk: bytes) -> int:
        self._size += len(chunk)
        self._kept.left -= len(chunk) if self._data is not None else 0
        if self._data is not None and self._size <= _KEPT_FILE and self._kept.left >= 0:
            self._data += chunk
        elif self._data is not None:
            self._kept.left += self._size
            self._data = None
        return len(chunk)

    def commit(self) -> _Content:
        data = None if self._data is None else bytes(self._data)
        return _Content(data, self._size)

    def abort(self) -> None:
        self._data = None


@dataclass(frozen=True, slots=True)
class _Content:
    """A file of a container, if it was kept."""

    data: bytes | None
    size: int

    def open(self) -> BinaryIO:
        if self.data is None:
            raise unacceptable(
                "container.file-not-kept",
                f"A file of {self.size} bytes in the container was only digested, not kept.",
                mend="Take the file out of the container and look at it by itself.",
            )
        return io.BytesIO(self.data)
