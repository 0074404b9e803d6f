"""How far the large file is: its stage from the states of its message, the rest from file sizes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.demo.evidence_files import LARGE_NAME
from connector.demo.manifest import Sent
from connector.demo.watch import Passage, Snapshot
from connector.exchange.states import State
from connector.settings import Home

STAGES: Final = (
    "written into the intake folder",
    "stored",
    "sealed",
    "sent",
    "verified",
    "handed over",
    "fetched",
)
_ARRIVING: Final = {
    State.ARRIVED: 4,
    State.VERIFIED: 5,
    State.HANDED_OVER: 6,
    State.FETCHED: 7,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the large file is."""

    size: int
    """Bytes."""
    stage: int
    """Index of `STAGES` of what is being done; their number once all is done."""
    fraction: float
    """How much of that stage, 0 to 1."""

    @property
    def whole(self) -> float:
        """How much of all of it, 0 to 1."""
        return min(1.0, (self.stage + self.fraction) / len(STAGES))

    @property
    def doing(self) -> str:
        """In words."""
        return STAGES[self.stage] if self.stage < len(STAGES) else "delivered and fetched"


def progress(
    homes: Mapping[str, Home], size: int, sent: Sequence[Sent], snapshot: Snapshot
) -> Progress | None:
    """None while the file has not been begun."""
    found = next((s for s in sent if any(f.name == LARGE_NAME for f in s.files)), None)
    if found is None:
        written = [
            _size(file)
            for home in homes.values()
            for file in home.path(home.settings.intake.path).glob(f".*/{LARGE_NAME}")
        ]
        return Progress(size, 0, min(1.0, max(written) / size)) if written else None
    passage = next((p for p in snapshot.passages if p.message_id == found.message_id), None)
    if passage is None:
        return Progress(size, 1, _scratch(homes[found.country], size))
    return _of_passage(homes, size, passage)


def _of_passage(homes: Mapping[str, Home], size: int, passage: Passage) -> Progress:
    sender = homes[passage.sender.country]
    if passage.receiver is None:
        if passage.sender.state is State.ACCEPTED:
            return Progress(size, 2, _scratch(sender, size))
        others = [home for home in homes.values() if home is not sender]
        return Progress(size, 3, max(_scratch(home, size) for home in others))
    receiver = homes[passage.receiver.country]
    stage = _ARRIVING.get(passage.receiver.state, 4)
    if stage == 4:
        return Progress(size, stage, _scratch(receiver, size))
    if stage == 5:
        delivered = receiver.path(receiver.settings.delivery.path)
        return Progress(
            size, stage, _largest(delivered.glob(f".*/attachments/{LARGE_NAME}")) / size
        )
    return Progress(size, stage, 0.0)


def _scratch(home: Home, size: int) -> float:
    """The largest file that is being written into a payload store, as a part of `size`."""
    folder = home.path(home.settings.store.payloads) / "scratch"
    return min(1.0, _largest(folder.glob("*/*")) / size)


def _largest(files: Iterable[Path]) -> int:
    return max((_size(file) for file in files), default=0)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:  # renamed a moment ago
        return 0
