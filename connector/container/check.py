"""Does the token speak of what is in the container? The order of checks is that of e-CODEX:
container, business content, token issuer, document against token, token signature, ASiC signature.

Structure and signatures have been checked by whoever made the arguments (`open_container` and
`read_token` give nothing that is not verified); here the two are held against each other.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from connector.container.asic import OpenedContainer
from connector.container.extraction import ContainedFile
from connector.container.token import LegalLevel, TechnicalLevel, Token, TokenDocument
from connector.errors import ConnectorError, Problem, unacceptable

_CHUNK: Final = 1024 * 1024
_MEND: Final = "Ask the sender to send the message again."


@dataclass(frozen=True, slots=True)
class CheckedContent:
    """What a message holds, container and token at one."""

    document: ContainedFile
    """The business document that the token speaks of."""
    attachments: tuple[ContainedFile, ...]
    """The other files, without the token's PDF."""
    weaknesses: tuple[Problem, ...]


def check(
    container: OpenedContainer, token: Token, document_sha256: bytes | None = None
) -> CheckedContent:
    """Hold container and token against each other, and the document against `document_sha256`
    where the caller knows it (the business document that travels beside the container).

    Raises `ConnectorError` (unacceptable): `container.no-document`, `container.document-missing`,
    `token.issuer-incomplete`, `token.other-document`, `container.other-document`.
    """
    if not container.documents:
        raise _refused("container.no-document", "The container holds no document.")
    name = token.document.filename
    document = container.file(name)
    if document is None or document not in container.documents:
        raise _refused(
            "container.document-missing",
            f"The token speaks of {name!r}, which is not in the container.",
        )
    if not (token.issuer.service_provider.strip() and token.issuer.country.strip()):
        raise _refused("token.issuer-incomplete", "The token does not say who issued it.")
    if _digest(document, token.document) != token.document.digest:
        raise _refused(
            "token.other-document", f"The token is about another document than {name!r}."
        )
    if document_sha256 is not None and document.sha256 != document_sha256:
        raise _refused(
            "container.other-document",
            f"{name!r} in the container is another document than the one beside it.",
        )
    signature = token.document.signature_filename
    if signature and container.file(signature) is None:
        raise _refused(
            "container.document-missing",
            f"The token speaks of the signature {signature!r}, which is not in the container.",
        )
    attachments = tuple(file for file in container.documents if file is not document)
    return CheckedContent(document, attachments, tuple(_reservations(container, token)))


def _digest(document: ContainedFile, stated: TokenDocument) -> bytes:
    if stated.digest_algorithm == "SHA-256":
        return document.sha256
    digest = hashlib.new(stated.digest_algorithm.replace("-", ""))
    with document.source.open() as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    return digest.digest()


def _reservations(container: OpenedContainer, token: Token) -> list[Problem]:
    """What the sender itself reports, and what is missing without harm."""
    found = []
    if len(container.files) == len(container.documents):
        found.append(Problem(code="container.no-token-pdf", what="The token's PDF is missing."))
    if token.validation.technical is not TechnicalLevel.SUCCESSFUL:
        level = token.validation.technical.value
        found.append(
            Problem(code="token.technical-result", what=f"The technical result is {level}.")
        )
    if token.validation.legal is not LegalLevel.SUCCESSFUL:
        found.append(
            Problem(
                code="token.legal-result",
                what="The sender does not attest that the document is legally valid.",
            )
        )
    return found


def _refused(code: str, what: str) -> ConnectorError:
    return unacceptable(code, what, mend=_MEND)
