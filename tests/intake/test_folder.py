"""The watched folder: what is taken and when, what is left alone, what keeps nothing waiting."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path

import pytest

from connector.errors import ConnectorError
from connector.exchange.records import PartRole
from connector.intake.choosing import ABANDONED_SECONDS, is_settled
from connector.intake.folder import FolderIntake
from tests.intake.conftest import Desk
from tests.network import ATTACHMENTS, national, put, sample


def only(folder: list[Path]) -> Path:
    (path,) = folder
    return path


def test_a_folder_with_a_document_and_its_attachments(desk: Desk) -> None:
    put(desk.folder / "fall 4711", sample())
    assert desk.run() == 1
    accepted = only(desk.accepted())
    record = desk.record(accepted)
    assert accepted.name == f"fall 4711.{record.id[:8]}"
    assert desk.original(record) == sample()
    kept = {p.name: p.read_bytes() for p in (accepted / "fall 4711").iterdir()}
    assert kept == {**ATTACHMENTS, "document.xml": sample()}
    names = {p.name for p in desk.side.parts(record, PartRole.ATTACHMENT)}
    assert names == {*ATTACHMENTS, "document.xml"}
    assert list(desk.folder.iterdir()) == [desk.folders.taken] and desk.nothing_left()


def test_a_single_file(desk: Desk) -> None:
    (desk.folder / "notruf.xml").write_bytes(sample("emergency-request"))
    assert desk.run() == 1
    accepted = only(desk.accepted())
    assert (accepted / "notruf.xml").read_bytes() == sample("emergency-request")


def test_a_national_document(desk: Desk) -> None:
    document = national("case-json")
    put(desk.folder / "demande", document, name="export.json")
    assert desk.run() == 1
    record = desk.record(only(desk.accepted()))
    assert record.format == "case-json" and desk.original(record) == document


# --- When --------------------------------------------------------------------------------------


def test_what_is_still_being_written_waits(desk: Desk) -> None:
    file = desk.folder / "growing.xml"
    intake = desk.intake(settle=0.4)
    whole = sample("emergency-request")
    with file.open("wb") as stream:
        for start in range(0, len(whole), len(whole) // 6 + 1):
            stream.write(whole[start : start + len(whole) // 6 + 1])
            stream.flush()
            assert intake.run_once() == 0
            time.sleep(0.1)
    assert intake.run_once() == 0
    time.sleep(0.45)
    assert intake.run_once() == 1
    assert desk.original(desk.record(only(desk.accepted()))) == whole


def test_a_folder_counts_as_complete_when_its_youngest_file_does(desk: Desk) -> None:
    folder = put(desk.folder / "case", sample())
    intake = desk.intake(settle=0.4)
    time.sleep(0.45)
    (folder / "late.pdf").write_bytes(b"%PDF")
    assert intake.run_once() == 0
    time.sleep(0.45)
    assert intake.run_once() == 1
    assert len(desk.side.parts(desk.record(only(desk.accepted())), PartRole.ATTACHMENT)) == 5


def test_an_old_file_that_is_moved_here_waits_as_well(desk: Desk, tmp_path: Path) -> None:
    """Its bytes are old, its name is not: the next file of its folder may be on the way."""
    file = tmp_path / "old.xml"
    file.write_bytes(sample("emergency-request"))
    os.utime(file, (1, 1))
    file.rename(desk.folder / "old.xml")
    assert not is_settled(desk.folder / "old.xml", 60)
    assert desk.intake(settle=60).run_once() == 0


@pytest.mark.parametrize("name", [".hidden.xml", "a.xml.part", "a.TMP", "a.crdownload", ".taken"])
def test_unfinished_names_are_left_alone(desk: Desk, name: str) -> None:
    path = desk.folder / name
    if not path.exists():
        path.write_bytes(sample("emergency-request"))
    assert desk.run() == 0
    assert path.exists() and not desk.accepted() and not desk.refused()


def test_an_unfinished_file_in_a_folder_keeps_it_waiting(desk: Desk) -> None:
    folder = put(desk.folder / "case", sample())
    (folder / "big.pdf.part").write_bytes(b"half")
    assert desk.run() == 0
    (folder / "big.pdf.part").rename(folder / "big.pdf")
    assert desk.run() == 1 and desk.accepted()


def test_an_unfinished_file_that_nobody_finishes_is_told_of(desk: Desk) -> None:
    folder = put(desk.folder / "case", sample())
    (folder / "big.pdf.part").write_bytes(b"half")
    later = time.time() + ABANDONED_SECONDS
    assert not is_settled(folder, 0, lambda: later - 60)
    assert is_settled(folder, 0, lambda: later + 60)
    taken = desk.folders.taken / desk.side.connector.new_id()
    taken.mkdir()
    folder.rename(taken / "case")
    desk.run()
    (problem,) = desk.problems(only(desk.refused()))
    assert problem["code"] == "intake.unfinished" and problem["file"] == "case/big.pdf.part"


def test_what_file_managers_leave_is_not_sent(desk: Desk) -> None:
    folder = put(desk.folder / "case", sample())
    for name in (".DS_Store", "Thumbs.db", "desktop.ini", "._beschluss.pdf"):
        (folder / name).write_bytes(b"rubbish")
    assert desk.run() == 1
    record = desk.record(only(desk.accepted()))
    names = {p.name for p in desk.side.parts(record, PartRole.ATTACHMENT)}
    assert names == {*ATTACHMENTS, "document.xml"}


def test_a_clock_that_was_set_back_keeps_nothing_waiting(desk: Desk) -> None:
    file = desk.folder / "a.xml"
    file.write_bytes(b"x")
    assert is_settled(file, 10, lambda: time.time() - 3600)


def test_what_is_taken_back_in_the_last_moment(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk.folder / "a.xml").write_bytes(sample("emergency-request"))
    (desk.folder / "b.xml").write_bytes(sample("emergency-request"))

    def gone(entry: Path, seconds: float) -> bool:
        if entry.name == "a.xml":
            entry.unlink()
        return True

    monkeypatch.setattr("connector.intake.folder.is_settled", gone)
    assert desk.run() == 1
    assert only(desk.accepted()).name.startswith("b.xml") and desk.nothing_left()


# --- Which -------------------------------------------------------------------------------------


def test_several_candidates_and_one_that_is_named(desk: Desk) -> None:
    files = {**ATTACHMENTS, "other.xml": sample()}
    put(desk.folder / "case", sample(), files)
    assert desk.run() == 1
    record = desk.record(only(desk.accepted()))
    (original,) = desk.side.parts(record, PartRole.ORIGINAL)
    assert original.name == "document.xml"


def test_several_candidates_and_none_that_is_named(desk: Desk) -> None:
    folder = put(desk.folder / "case", sample(), {**ATTACHMENTS, "b.xml": sample()})
    (folder / "document.xml").rename(folder / "a.xml")
    assert desk.run() == 1
    (problem,) = desk.problems(only(desk.refused()))
    assert problem["code"] == "intake.which-document"
    assert "a.xml, b.xml" in problem["what"] and "document" in problem["mend"]


def test_no_candidate(desk: Desk) -> None:
    folder = desk.folder / "scans"
    folder.mkdir()
    for name in ("a.pdf", "b.pdf"):
        (folder / name).write_bytes(b"%PDF-1.7 scan")
    desk.run()
    (problem,) = desk.problems(only(desk.refused()))
    assert problem["code"] == "intake.which-document"


def test_an_empty_folder(desk: Desk) -> None:
    (desk.folder / "empty").mkdir()
    assert desk.run() == 1
    (problem,) = desk.problems(only(desk.refused()))
    assert problem["code"] == "intake.which-document"


def test_a_named_document_that_cannot_be_read_is_told_by_its_reader(desk: Desk) -> None:
    put(desk.folder / "case", sample()[:2000])
    desk.run()
    (problem,) = desk.problems(only(desk.refused()))
    assert problem["code"] == "xml.malformed" and problem["line"]


# --- Names -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["запрос о правовой помощи " * 9, "司法協助請求書" * 12, "a" * 250, "é" * 120],
    ids=["cyrillic", "chinese", "long", "accents"],
)
@pytest.mark.parametrize("good", [True, False])
def test_long_names_in_any_script(desk: Desk, name: str, good: bool) -> None:
    name = name.encode()[:251].decode(errors="ignore").strip() + ".xml"
    data = sample("emergency-request") if good else b"nothing known"
    (desk.folder / name).write_bytes(data)
    assert desk.run() == 1
    home = only(desk.accepted() if good else desk.refused())
    assert (home / name).read_bytes() == data
    if good:
        desk.pair.settle()
        received = desk.pair.br.received(desk.record(home).ebms_id)
        assert (desk.pair.br.delivered(received) / "READY").exists()


def test_a_name_that_is_no_utf8(desk: Desk) -> None:
    path = os.fsencode(desk.folder) + b"/M\xfcller.xml"
    with open(path, "wb") as file:
        file.write(sample("emergency-request"))
    put(desk.folder / "case", sample())
    with open(os.fsencode(desk.folder / "case") + b"/M\xfcller.pdf", "wb") as file:
        file.write(b"%PDF")
    assert desk.run() == 2
    problems = [desk.problems(each)[0] for each in desk.refused()]
    assert [p["code"] for p in problems] == ["intake.file-name"] * 2
    assert {p["file"] for p in problems} == {"M\\xfcller.xml", "M\\xfcller.pdf"}
    kept = [os.fsencode(p) for each in desk.refused() for p in each.rglob("*")]
    assert any(p.endswith(b"/M\xfcller.xml") for p in kept)


@pytest.mark.parametrize("name", ["problem.json", "PROBLEM.txt", "ACCEPTED.txt"])
@pytest.mark.parametrize("good", [True, False])
def test_a_document_with_the_name_of_a_note(desk: Desk, name: str, good: bool) -> None:
    data = sample("emergency-request") if good else b"nothing known"
    (desk.folder / name).write_bytes(data)
    assert desk.run() == 1
    home = only(desk.accepted() if good else desk.refused())
    assert (home / name).read_bytes() == data
    assert len(list(home.iterdir())) == (2 if good else 3)


def test_a_refused_folder_put_back_whole(desk: Desk) -> None:
    """With the notes of the connector in it: they must not go abroad."""
    put(desk.folder / "case", b"nothing known")
    desk.run()
    refused = only(desk.refused())
    (refused / "case" / "document.xml").write_bytes(sample())
    shutil.move(refused / "PROBLEM.txt", refused / "case" / "PROBLEM.txt")
    shutil.move(refused / "case", desk.folder / "case")
    desk.run()
    told = [desk.problems(each)[0] for each in desk.refused() if each != refused]
    assert told[0]["code"] == "intake.own-note" and told[0]["file"] == "case/PROBLEM.txt"


def test_lone_surrogates_in_a_document_do_not_stop_the_folder(desk: Desk) -> None:
    hostile = national("case-json").replace(b'"DEMANDE"', b'"\\ud800"')
    assert b"ud800" in hostile
    (desk.folder / "a.json").write_bytes(hostile)
    (desk.folder / "b.xml").write_bytes(sample("emergency-request"))
    assert desk.run() == 2
    assert desk.problems(only(desk.refused())) and desk.accepted()


# --- Where and who -----------------------------------------------------------------------------


def test_several_at_one_folder_take_each_document_once(desk: Desk) -> None:
    for number in range(12):
        (desk.folder / f"{number}.xml").write_bytes(sample("emergency-request"))
    intakes = [desk.intake() for _ in range(4)]

    def until_empty(intake: FolderIntake) -> None:
        deadline = time.monotonic() + 60
        while len(desk.accepted()) < 12 and time.monotonic() < deadline:
            intake.run_once()

    threads = [threading.Thread(target=until_empty, args=(each,)) for each in intakes]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    ids = {desk.record(each).id for each in desk.accepted()}
    assert len(desk.accepted()) == len(ids) == 12
    assert not desk.refused() and desk.nothing_left()


@pytest.mark.parametrize("good", [True, False])
def test_folders_on_another_file_system(
    desk: Desk, tmp_path_factory: pytest.TempPathFactory, good: bool
) -> None:
    elsewhere = Path("/dev/shm") / f"emla-{os.getpid()}-{good}"
    if not elsewhere.parent.is_dir() or os.stat("/dev/shm").st_dev == os.stat(desk.folder).st_dev:
        pytest.skip("/dev/shm is no file system of its own here")
    goal = "accepted" if good else "refused"
    home = desk.folders.accepted if good else desk.folders.refused
    shutil.rmtree(home)
    elsewhere.mkdir()
    home.symlink_to(elsewhere)
    try:
        put(desk.folder / "case", sample() if good else b"nothing known")
        (desk.folder / "link.xml").symlink_to("/etc/passwd")
        assert desk.run() == 2
        case = next(p for p in home.iterdir() if p.name.startswith("case"))
        names = {p.name for p in (case / "case").iterdir()}
        assert names == {*ATTACHMENTS, "document.xml"}, goal
        assert desk.nothing_left()
        assert list(desk.folder.iterdir()) == [desk.folders.taken]
    finally:
        shutil.rmtree(elsewhere)


def test_a_place_that_cannot_be_written_to_is_tried_again(desk: Desk) -> None:
    (desk.folder / "bad.xml").write_bytes(b"nothing known")
    (desk.folder / "good.xml").write_bytes(sample("emergency-request"))
    unfinished = desk.folders.refused / ".unfinished"
    intake = desk.intake()
    unfinished.chmod(0o700)
    real = os.mkdir

    def full(path: object, *args: object, **options: object) -> None:
        if str(path).startswith(str(unfinished)):
            raise OSError(28, "No space left on device", str(path))
        real(path, *args, **options)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "mkdir", full)
        assert intake.run_once() == 1
    assert desk.accepted() and not desk.refused()
    assert intake.run_once() == 1
    assert (only(desk.refused()) / "bad.xml").read_bytes() == b"nothing known"


def test_an_intake_folder_that_is_gone(desk: Desk) -> None:
    intake = desk.intake()
    shutil.rmtree(desk.folder)
    with pytest.raises(ConnectorError) as caught:
        intake.run_once()
    assert caught.value.code == "intake.folder" and caught.value.kind == "transient"
