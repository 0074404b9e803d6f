"""Whether documents that belong together speak of each other: token and container, evidence and
the document that it attests."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from connector.container.asic import OpenedContainer
from connector.container.check import check
from connector.container.token import Token
from connector.container.token_xml import parse_token
from connector.errors import ConnectorError, Problem
from connector.evidence.model import Evidence
from connector.evidence.parse import parse_evidence
from connector.evidence.read import check_message
from connector.examination.judgement import named
from connector.examination.recognition import Document, DocumentKind
from connector.examination.sources import MAX_DOCUMENT
from connector.examination.verification import Report
from gateway_client.model import PayloadSource

_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Bond:
    """What one document says about another, and whether it is so."""

    what: str
    """In words."""
    files: tuple[str, str]
    problems: tuple[Problem, ...] = ()
    weaknesses: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "what": self.what,
            "files": list(self.files),
            "holds": not self.problems,
            "problems": [each.as_json() for each in self.problems],
            "weaknesses": [each.as_json() for each in self.weaknesses],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Bystander:
    """A file of which nobody knows what it is; an evidence may be about it all the same."""

    name: str
    source: PayloadSource


def folder_of(name: str) -> Path:
    """The folder that a file is in."""
    return Path(name).parent


def bonds(
    documents: Sequence[tuple[Document, Report]],
    bystanders: Sequence[Bystander] = (),
    *,
    group_of: Callable[[str], Path] = folder_of,
) -> tuple[Bond, ...]:
    """What documents of one group say of each other, as far as that is unambiguous: a token of
    the one container beside it, an evidence of one of the documents beside it.

    `group_of` tells from a file's name what it belongs to: its folder by default.
    """
    found: list[Bond] = []
    for group in dict.fromkeys(group_of(document.name) for document, _ in documents):
        here = [pair for pair in documents if group_of(pair[0].name) == group]
        beside = [each for each in bystanders if group_of(each.name) == group]
        found += _tokens(here)
        found += _evidences([document for document, _ in here], beside)
    return tuple(found)


def _tokens(documents: Sequence[tuple[Document, Report]]) -> Iterable[Bond]:
    containers = [pair for pair in documents if pair[0].kind is DocumentKind.CONTAINER]
    tokens = [document for document, _ in documents if document.kind is DocumentKind.TOKEN]
    if len(containers) != 1 or len(tokens) != 1:
        return
    (container, report), token = containers[0], tokens[0]
    if not report.files:
        return  # it could not be opened, as its report says
    what, files = "the token speaks of the document in the container", (token.name, container.name)
    try:
        stated = _token(token)
        opened = OpenedContainer(report.files, (), ())
        envelopes = [d for d, _ in documents if d.kind is DocumentKind.ENVELOPE]
        beside = _sha256(envelopes[0].source) if len(envelopes) == 1 else None
        weaknesses = check(opened, stated, beside).weaknesses
    except ConnectorError as error:
        yield Bond(what=what, files=files, problems=named(error.problems, token.name))
    else:
        yield Bond(
            what=f"the token speaks of {stated.document.filename!r} in the container",
            files=files,
            weaknesses=named(weaknesses, token.name),
        )


def _token(document: Document) -> Token:
    assert document.root is not None
    return parse_token(document.root)[0]


def _evidences(documents: Sequence[Document], bystanders: Sequence[Bystander]) -> Iterable[Bond]:
    evidences = [each for each in documents if each.kind is DocumentKind.EVIDENCE]
    if not evidences:
        return
    candidates = [
        (name, source)
        for name, source in (
            *((d.name, d.source) for d in documents if d.kind is not DocumentKind.EVIDENCE),
            *((each.name, each.source) for each in bystanders),
        )
        if source.size <= MAX_DOCUMENT
    ]
    digests = {name: _sha256(source) for name, source in candidates}
    for document in evidences:
        try:
            assert document.root is not None
            evidence = parse_evidence(document.root)[0]
        except ConnectorError:
            continue  # its own report says why
        if evidence.message.digest and candidates:
            yield _evidence(document, evidence, candidates, digests)


def _evidence(
    document: Document,
    evidence: Evidence,
    candidates: Sequence[tuple[str, PayloadSource]],
    digests: Mapping[str, bytes],
) -> Bond:
    for name, source in candidates:
        try:
            check_message(evidence, digests[name], partial(_all, source))
        except ConnectorError:
            continue
        return Bond(
            what=f"the evidence {evidence.type} is about this document",
            files=(document.name, name),
        )
    problem = Problem(
        code="evidence.other-message",
        what="The evidence is about none of the documents beside it: the digest of its message is "
        f"{evidence.message.digest.hex()} ({evidence.message.digest_algorithm}).",
        mend="Give the business document that was sent (the envelope) as well.",
        file=document.name,
        path="SenderMessageDetails/DigestValue",
    )
    return Bond(
        what=f"the evidence {evidence.type} is about a document beside it",
        files=(document.name, ""),
        problems=(problem,),
    )


def _sha256(source: PayloadSource) -> bytes:
    digest = hashlib.sha256()
    with source.open() as stream:
        while piece := stream.read(_CHUNK):
            digest.update(piece)
    return digest.digest()


def _all(source: PayloadSource) -> bytes:
    with source.open() as stream:
        return stream.read(MAX_DOCUMENT)
