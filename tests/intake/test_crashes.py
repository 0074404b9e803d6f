"""Killed at any touch of a file between taking and filing away: accepted exactly once all the same,
and what was handed over is there, byte for byte."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from unittest.mock import patch

import pytest

from connector.exchange.records import Direction, Kind, MessageRecord, PartRole
from connector.intake.folder import FolderIntake, Folders
from connector.runtime import assembly
from connector.settings import Home
from connector.store.sql_store import SqlStore
from tests.network import homes, put, sample, shipped_formats

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree", "shutil.move"}
FILES = {"beschluss.pdf": b"%PDF-1.7\n" * 200, "pedido.pdf": b"x" * 3000, "ersuchen.xml": b"<e/>"}
_key = lru_cache(assembly.open_signing_key)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    made = homes(tmp_path_factory.mktemp("home"), "DE", "BR")["DE"]
    with running(made):  # keys are read, tables are made
        pass
    return made


@contextmanager
def running(home: Home) -> Iterator[tuple[assembly.Assembly, FolderIntake]]:
    """The connector and its intake, opened in this process."""
    with (
        patch.object(assembly, "home_formats", lambda _: shipped_formats()),
        patch.object(assembly, "open_signing_key", _key),
    ):
        opened = assembly.assemble(home)
    try:
        yield opened, FolderIntake(opened.connector, folders(home), timedelta())
    finally:
        opened.close()


def folders(home: Home) -> Folders:
    return Folders(*(home.folder / name for name in ("intake", "accepted", "refused")))


def killed_at(step: int, home: Home) -> bool:
    """Have the intake look at its folder in a process that is killed just before it touches a file
    for the `step`-th time; False if it was done before that."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in _STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        try:
            with running(home) as (_, intake):
                sys.addaudithook(count)
                intake.run_once()
                os._exit(0)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def accepted(store: SqlStore) -> list[MessageRecord]:
    found = store.messages(direction=Direction.OUTBOUND, limit=10_000)
    return [record for record in found if record.kind is Kind.BUSINESS]


def entries(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def each_step(
    home: Home, make: Callable[[Path], Path], stride: int
) -> Iterator[tuple[Path, SqlStore]]:
    """Killed at every `stride`-th step, each time with a new entry; then looked at by another
    process. Where the entry ends, and the store while it is open."""
    places, step, killed = folders(home), 1, True
    while killed:
        before = {*entries(places.accepted), *entries(places.refused)}
        entry = make(places.intake)
        killed = killed_at(step, home)
        with running(home) as (opened, intake):
            intake.run_once()
            intake.run_once()
            assert entries(places.intake) == []
            left = [*places.taken.iterdir(), *(p for g in places.goals for p in _hidden(g))]
            assert [path.name for path in left] == [".lock"]
            (new,) = {*entries(places.accepted), *entries(places.refused)} - before
            assert (new / entry.name).exists()
            yield new, opened.store
        step += stride
    assert step > 20


def _hidden(goal: Path) -> list[Path]:
    return list((goal / ".unfinished").iterdir())


def test_a_document_is_accepted_exactly_once(home: Home) -> None:
    document = sample()
    steps = each_step(home, lambda intake: put(intake / "case", document, FILES), 3)
    for times, (place, store) in enumerate(steps, 1):
        kept = {p.name: p.read_bytes() for p in (place / "case").iterdir()}
        assert kept == {**FILES, "document.xml": document}
        records = accepted(store)
        assert len(records) == times
        assert records[0].id in (place / "ACCEPTED.txt").read_text("utf-8")
        with store.reading() as reading:
            parts = reading.parts(records[0].id)
        stored = {
            p.name: store.payloads.read(p.payload) for p in parts if p.role is PartRole.ATTACHMENT
        }
        assert stored == {**FILES, "document.xml": document}


def test_a_refusal_is_told_exactly_once(home: Home) -> None:
    def make(intake: Path) -> Path:
        (intake / "bad.xml").write_bytes(b"nothing known")
        return intake / "bad.xml"

    for place, _ in each_step(home, make, 2):
        assert (place / "bad.xml").read_bytes() == b"nothing known"
        assert "unknown-format" in (place / "PROBLEM.txt").read_text("utf-8")
        assert "unknown-format" in (place / "problem.json").read_text("utf-8")
