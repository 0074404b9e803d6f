"""Handing documents over by hand, as `emla send` does: the same way in as from a folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from connector.errors import misconfigured
from connector.exchange.context import Connector
from connector.intake.acceptance import accept
from connector.intake.folder import find_document, store_file
from connector.intake.submission import NO_WISHES, Acceptance, Submission, Wishes


def send(
    connector: Connector,
    path: Path,
    attachments: Sequence[Path] = (),
    wishes: Wishes = NO_WISHES,
) -> Acceptance:
    """Accept a document, or a folder with a document and its attachments.

    Raises as `acceptance.accept`; `send.no-file` (configuration) if a path is not there.
    """
    for each in (path, *attachments):
        if not each.exists():
            raise misconfigured("send.no-file", "There is no such file.", file=str(each))
    files = [path]
    if path.is_dir():
        files = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith("."))
        path = find_document(connector, files, path.name)
    payloads = connector.store.payloads
    return accept(
        connector,
        Submission(
            message_id=connector.new_id(),
            document=store_file(payloads, path),
            attachments=[
                store_file(payloads, each) for each in (*files, *attachments) if each != path
            ],
            wishes=wishes,
        ),
    )
