"""Writing everything that belongs to a message into a folder, byte for byte as it is stored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Final

from connector.dossier.layout import evidence_paths, placed
from connector.errors import misconfigured
from connector.exchange.ports import Store
from connector.exchange.records import PayloadRef
from connector.runtime.lookup import MessageStatus

_CHUNK: Final = 1024 * 1024


def export_message(store: Store, status: MessageStatus, folder: Path) -> list[Path]:
    """The files that were written: parts by role, evidences in order, `message.json`.

    Raises `export.not-empty` (configuration) if the folder holds something already;
    `store.payload-altered`, `store.payload-missing` if what is stored is not what was stored.
    """
    if folder.exists() and any(folder.iterdir()):
        raise misconfigured(
            "export.not-empty",
            "The folder is not empty.",
            mend="Name a new or an empty folder.",
            file=str(folder),
        )
    folder.mkdir(parents=True, exist_ok=True)
    written = [_write(store, part.payload, folder / path) for part, path in placed(status.parts)]
    written += [
        _write(store, evidence.payload, folder / path)
        for evidence, path in evidence_paths(status.evidences)
    ]
    summary = folder / "message.json"
    summary.write_text(
        json.dumps(status.as_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
    )
    return [*written, summary]


def _write(store: Store, ref: PayloadRef, target: Path) -> Path:
    target.parent.mkdir(exist_ok=True)
    with store.payloads.open(ref) as source, target.open("wb") as sink:
        shutil.copyfileobj(source, sink, _CHUNK)
    return target
