"""An intake folder of a connector that works on nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connector.exchange.records import MessageRecord, PartRole
from connector.intake.folder import FolderIntake, Folders
from tests.exchange.world import Side, World, world
from tests.network import plain_logs

plain_logs()


@dataclass
class Desk:
    """Folders of one test, and the connector whose intake looks at them."""

    side: Side
    folders: Folders
    pair: World

    @property
    def folder(self) -> Path:
        return self.folders.intake

    def intake(self, settle: float = 0.0) -> FolderIntake:
        return FolderIntake(self.side.connector, self.folders, timedelta(seconds=settle))

    def run(self) -> int:
        return self.intake().run_once()

    def accepted(self) -> list[Path]:
        return _seen(self.folders.accepted)

    def refused(self) -> list[Path]:
        return _seen(self.folders.refused)

    def record(self, accepted: Path) -> MessageRecord:
        """The message that an accepted document has become."""
        note = (accepted / "ACCEPTED.txt").read_text("utf-8")
        return self.side.record(note.partition("emla status ")[2].split()[0])

    def original(self, record: MessageRecord) -> bytes:
        (part,) = self.side.parts(record, PartRole.ORIGINAL)
        data: bytes = self.side.store.payloads.read(part.payload)
        return data

    def problems(self, refused: Path) -> list[dict[str, Any]]:
        """What the notes say; both must say the same."""
        told: dict[str, Any] = json.loads((refused / "problem.json").read_text("utf-8"))
        text = (refused / "PROBLEM.txt").read_text("utf-8")
        assert "Mend it and put it into the intake folder again" in text
        for problem in told["problems"]:
            assert problem["what"] in text and f"[{problem['code']}]" in text
            assert problem.get("mend", "") in text
        found: list[dict[str, Any]] = told["problems"]
        return found

    def nothing_left(self) -> bool:
        left = [
            *self.folders.taken.iterdir(),
            *(each for goal in self.folders.goals for each in (goal / ".unfinished").iterdir()),
        ]
        return [each.name for each in left] in ([], [".lock"])


def _seen(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world")) as made:
        yield made


@pytest.fixture
def desk(shared: World, tmp_path: Path) -> Desk:
    folders = Folders(tmp_path / "intake", tmp_path / "accepted", tmp_path / "refused")
    made = Desk(shared.de, folders, shared)
    made.intake()  # makes the folders
    return made
