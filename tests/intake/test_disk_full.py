"""The disk runs full while a document is taken in: nothing is refused, nothing is lost, and it is
accepted when there is room again."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from connector.errors import ConnectorError, Kind
from connector.intake.folder import FolderIntake, Folders
from connector.settings import Home
from tests.intake.test_crashes import accepted, entries, folders, running
from tests.network import homes, put, sample

BIG = {"ersuchen.xml": b"<e/>", "beschluss.pdf": os.urandom(3_000_000), "pedido.pdf": b"p" * 9000}


def attempt(intake: FolderIntake) -> int:
    """How many documents were dealt with; nothing but passing trouble may come of a full disk."""
    try:
        return intake.run_once()
    except ConnectorError as error:
        assert error.kind is Kind.TRANSIENT
        return 0


def kept(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.iterdir()}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of a few MiB; skips the test where none may be mounted."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root may mount a small file system")
    command = ["mount", "-t", "tmpfs", "-o", "size=9m", "tmpfs", str(place)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_the_disk_of_the_connector_is_full(small_disk: Path) -> None:
    """Database, payloads, intake, everything lies on it."""
    home = homes(small_disk, "DE", "BR")["DE"]
    place = folders(home)
    with running(home) as (opened, intake):
        put(place.intake / "case", sample(), BIG)
        ballast = small_disk / "ballast"
        # Down to the last page, then with room for a little, then for all but the big file.
        for room in (0, 16, 64, 256, 1024):
            fill(ballast, small_disk, room * 1024)
            assert attempt(intake) == 0
            found = next(small_disk.rglob("case"))
            assert kept(found) == {**BIG, "document.xml": sample()}
            assert not entries(place.accepted) and not entries(place.refused)
            assert accepted(opened.store) == []
        ballast.unlink()
        assert attempt(intake) == 1
        check_accepted(place)
        (record,) = accepted(opened.store)
        count, broken = opened.store.verify_audit()
        assert count == 1 and broken is None and record.state == "ACCEPTED"


def fill(ballast: Path, disk: Path, room: int) -> None:
    """Leave `room` bytes free."""
    ballast.unlink(missing_ok=True)
    with ballast.open("wb") as file:
        try:
            file.write(b"\0" * max(0, shutil.disk_usage(disk).free - room))
            file.flush()
        except OSError:
            pass  # as full as it gets


def check_accepted(place: Folders) -> None:
    (home,) = (p for p in entries(place.accepted) if p.name.startswith("case"))
    assert kept(home / "case") == {**BIG, "document.xml": sample()}
    assert not entries(place.refused)


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """As a quota or a file system may limit it."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_no_file_may_grow_that_large(tmp_path: Path) -> None:
    home: Home = homes(tmp_path, "DE", "BR")["DE"]
    place = folders(home)
    with running(home) as (opened, intake):
        put(place.intake / "case", sample(), BIG)
        (place.intake / "small.xml").write_bytes(sample("emergency-request"))
        with largest_file(2_000_000):
            assert attempt(intake) == 1
        assert [p.name[:9] for p in entries(place.accepted)] == ["small.xml"]
        assert attempt(intake) == 1
        check_accepted(place)
        assert len(accepted(opened.store)) == 2
