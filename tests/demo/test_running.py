"""Interruptions, failures and foreign folders: nothing is left behind, nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from connector.demo.output import MARKER, claimed, existing
from connector.errors import ConnectorError
from tests.demo.commands import SIZE, begin, connectors, emla_demo, nothing_left_of, wait_for_line


def test_nobody_is_left_when_it_is_killed(tmp_path: Path) -> None:
    process = begin("--output", tmp_path / "out", "--evidence-size", SIZE)
    wait_for_line(process, "accepted")
    assert len(connectors(tmp_path / "out" / "connectors")) == 3
    process.kill()
    process.wait(20)
    assert nothing_left_of(process)
    done = emla_demo("--output", tmp_path / "out", "--check")
    assert done.returncode == 2
    assert "demo.output-missing" in done.stderr


def test_it_can_be_stopped_while_connectors_start(tmp_path: Path) -> None:
    process = begin("--output", tmp_path / "out", "--evidence-size", SIZE)
    wait_for_line(process, "Starting")
    process.terminate()
    assert process.wait(30) == 143
    assert nothing_left_of(process)


def test_a_connector_that_ends_is_named(tmp_path: Path) -> None:
    process = begin("--output", tmp_path / "out", "--evidence-size", SIZE)
    wait_for_line(process, "accepted")
    connectors(tmp_path / "out" / "connectors")[0].kill()
    said, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "demo.connector-ended" in said
    assert (tmp_path / "out" / "index.html").is_file()
    assert nothing_left_of(process)


def test_giving_up_is_told(tmp_path: Path) -> None:
    done = emla_demo("--output", tmp_path / "out", "--evidence-size", SIZE, "--patience", "1")
    assert done.returncode == 1
    assert "demo.timeout" in done.stdout
    assert "demo.unanswered" in done.stdout


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    done = emla_demo("--output", tmp_path)
    assert done.returncode == 2
    assert "demo.output-foreign" in done.stderr
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
    assert not (tmp_path / MARKER).exists()


@pytest.mark.parametrize("size", ["0", "5 parsecs"])
def test_a_size_that_is_none(tmp_path: Path, size: str) -> None:
    done = emla_demo("--output", tmp_path / "out", f"--evidence-size={size}")
    assert done.returncode == 2
    assert "demo.size" in done.stderr
    assert not (tmp_path / "out").exists()


class TestOutputFolder:
    def test_its_own_folder_is_emptied(self, tmp_path: Path) -> None:
        with claimed(tmp_path / "out") as first:
            (first.root / "delivered").mkdir()
            (first.root / "delivered" / "old").write_text("old")
        outside = tmp_path / "outside"
        outside.mkdir()
        (outside / "kept").write_text("kept")
        (first.root / "link").symlink_to(outside)
        with claimed(tmp_path / "out") as second:
            assert [p.name for p in second.root.iterdir()] == [MARKER]
        assert (outside / "kept").read_text() == "kept"

    def test_two_cannot_have_it(self, tmp_path: Path) -> None:
        with (
            claimed(tmp_path / "out"),
            pytest.raises(ConnectorError) as refused,
            claimed(tmp_path / "out"),
        ):
            pass
        assert refused.value.code == "demo.output-in-use"

    @pytest.mark.parametrize("kind", ["file", "link"])
    def test_only_a_folder_will_do(self, tmp_path: Path, kind: str) -> None:
        target = tmp_path / "out"
        if kind == "file":
            target.write_text("a file")
        else:
            (tmp_path / "elsewhere").mkdir()
            target.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ConnectorError) as refused, claimed(target):
            pass
        assert refused.value.code == "demo.output-foreign"

    def test_nothing_to_check(self, tmp_path: Path) -> None:
        with pytest.raises(ConnectorError) as refused:
            existing(tmp_path)
        assert refused.value.code == "demo.output-missing"
