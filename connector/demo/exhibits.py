"""Containers and evidences, put where people look for them under names that say what they are."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from connector.demo.check import MessageCheck, Verdict
from connector.demo.national import entry_name
from connector.demo.output import OutputFolder
from connector.demo.watch import Passage, Watch
from connector.exchange.records import EvidenceRecord, PartRole


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """The files of one message."""

    container: Path | None
    evidences: Mapping[str, Path]
    """By SHA-256 of the evidence."""


def put_out(output: OutputFolder, verdict: Verdict, watch: Watch) -> dict[str, Exhibit]:
    """Fill `containers/` and `evidences/` anew; the files by message id."""
    for folder in (output.containers, output.evidences):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
    return {
        message.passage.message_id: _put_out(output, number, message, message.passage, watch)
        for number, message in enumerate(verdict.messages, 1)
        if message.passage is not None
    }


def _put_out(
    output: OutputFolder, number: int, message: MessageCheck, passage: Passage, watch: Watch
) -> Exhibit:
    sent = message.sent
    to = passage.receiver.country if passage.receiver else "XX"
    name = f"{number:02d}-{sent.country}-{to}-{sent.message_type}"
    payloads = watch.store(sent.country).payloads
    container = None
    for part in passage.sender.parts_of(PartRole.CONTAINER):
        source = payloads.place_of(part.payload.sha256)
        if source.is_file():
            container = output.containers / f"{name}.asics"
            _link(source, container)
    folder = output.evidences / name
    folder.mkdir()
    written: dict[str, Path] = {}
    for side in (passage.sender, passage.receiver):
        if side is None:
            continue
        for evidence in side.evidences:
            source = watch.store(side.country).payloads.place_of(evidence.payload.sha256)
            if evidence.payload.sha256 not in written and source.is_file():
                target = folder / _evidence_name(len(written) + 1, evidence)
                shutil.copyfile(source, target)
                written[evidence.payload.sha256] = target
    return Exhibit(container=container, evidences=written)


def _evidence_name(number: int, evidence: EvidenceRecord) -> str:
    return f"{number}-{entry_name(evidence.type)}.xml"


def _link(source: Path, target: Path) -> None:
    """The same file under a second name where that is possible: it may be large."""
    try:
        os.link(source, target)
    except OSError as error:
        if error.errno not in {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP}:
            raise
        shutil.copyfile(source, target)
