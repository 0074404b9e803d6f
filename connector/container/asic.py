"""ASiC-S containers with XAdES (EN 319 162-1): sealing documents, and opening what was sealed.

seal(target, documents, key, signing_time)       writes as a stream, in constant memory
open_container(source, trust, policy, at, ...)   hands out files only after verification
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from connector.container.extraction import ContainedFile, Extraction
from connector.container.names import TOKEN_PDF
from connector.container.opening import (
    Layout,
    Passing,
    content_window,
    read_content,
    read_layout,
)
from connector.container.payloads import opened_seekable
from connector.container.sealing import (
    MEDIA_TYPE,
    SIGNATURES_HEAD,
    SIGNATURES_TAIL,
    SIGNED_CONTENT,
    Document,
    Seal,
    Writable,
    write_container,
)
from connector.container.zip_reading import DEFAULT_LIMITS, ContainerLimits, Window
from connector.errors import Problem
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.keys import SigningKey
from connector.signature.trust import TrustStore
from gateway_client.model import PayloadSource, PayloadWriter

__all__ = [
    "MEDIA_TYPE",
    "ContainedFile",
    "ContainerLimits",
    "Document",
    "OpenedContainer",
    "Seal",
    "open_container",
    "seal",
]


def seal(
    target: Writable,
    documents: Sequence[Document],
    key: SigningKey,
    signing_time: datetime,
    *,
    token_pdf: bytes | None = None,
) -> Seal:
    """Write an ASiC-S container with `documents` (and the token's PDF) to `target`.

    One detached XAdES-B-B signature covers them all. Documents may be of any size. The same input
    gives the same archive but for the signature. Nothing is closed or made durable here. Raises
    `ConnectorError`: `container.empty`, `container.document-changed` (transient), and what the
    key raises.
    """

    def sign(digest: bytes) -> bytes:
        signature = xades.sign_detached(
            [(SIGNED_CONTENT, "application/zip", digest)], key, signing_time
        )
        return SIGNATURES_HEAD + signature + SIGNATURES_TAIL

    return write_container(target, documents, sign, signing_time, token_pdf)


@dataclass(frozen=True, slots=True)
class OpenedContainer:
    """What a container held, every signature of it verified."""

    files: tuple[ContainedFile, ...]
    """In the order of the archive, the token's PDF among them."""
    signatures: tuple[xades.Verified, ...]
    """Each covers every file. At least one."""
    weaknesses: tuple[Problem, ...]
    """What is not as the standard wants it, though the content is proven."""

    @property
    def documents(self) -> tuple[ContainedFile, ...]:
        """The files without the token's PDF."""
        return tuple(file for file in self.files if file.name != TOKEN_PDF)

    def file(self, name: str) -> ContainedFile | None:
        """The file of that name, if there is one."""
        return next((file for file in self.files if file.name == name), None)


def open_container(
    source: PayloadSource,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
    writer: Callable[[], PayloadWriter],
    *,
    limits: ContainerLimits = DEFAULT_LIMITS,
) -> OpenedContainer:
    """Verify a container and take its files out, each into a new `writer`.

    Files are written while the signed bytes are digested, and committed only when every signature
    has been verified; else all are aborted. Raises `ConnectorError` (unacceptable): the
    `container.*` codes of `zip_reading`, `extraction` and `opening`, and the `signature.*` codes of
    `xades.verify_detached`.
    """
    with opened_seekable(source) as stream:
        window = Window(stream, 0, stream.seek(0, 2))
        layout = read_layout(window, limits)
        with content_window(window, layout.content) as content:
            extraction = Extraction(content, read_content(content, limits), writer)
            try:
                signatures = _verified(extraction, layout, trust, policy, at)
                files = extraction.commit()
            except BaseException:
                extraction.abort()
                raise
    weaknesses = [*layout.weaknesses]
    for signature in signatures:
        weaknesses += signature.weaknesses
    return OpenedContainer(files, signatures, tuple(weaknesses))


def _verified(
    extraction: Extraction,
    layout: Layout,
    trust: TrustStore,
    policy: AlgorithmPolicy,
    at: datetime,
) -> tuple[xades.Verified, ...]:
    """Every signature of the container, each verified over the bytes that were extracted."""
    passing = Passing(layout)
    extraction.run(passing.take)
    passing.finish()
    return tuple(
        xades.verify_detached(signature, passing.digest, trust, policy, at)
        for signature in layout.signatures
    )
