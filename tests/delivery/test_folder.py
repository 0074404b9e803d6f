"""Delivery into a folder: complete or absent whatever happens, once, under harmless names."""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.delivery.folder import READY, FolderBackend, folder_name, safe_name
from connector.errors import ConnectorError, Kind
from connector.exchange.records import (
    Direction,
    EvidenceOrigin,
    EvidenceRecord,
    Handover,
    MessageRecord,
    Part,
    PartRole,
)
from connector.exchange.records import Kind as MessageKind
from connector.store.payloads import FilePayloads

NOW = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
DOCUMENT, SCAN, PROOF = b"<nachricht/>", os.urandom(300_000), b"<Envelope/>"
HOSTILE = [
    "../../etc/cron.d/x",
    "/etc/passwd",
    "..",
    ".",
    "",
    " ",
    ".hidden",
    "a\\..\\b.pdf",
    "a\x00b.pdf",
    "a\nb.pdf",
    "rechnung\u202efdp.exe",
    "é" * 300 + ".pdf",
    "\ud800.pdf",
    "READY",
    "attachments",
    "proofs",
    "evidences",
]


@pytest.fixture
def payloads(tmp_path: Path) -> Iterator[FilePayloads]:
    store = FilePayloads(tmp_path / "payloads")
    yield store
    store.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "delivered"


@pytest.fixture
def backend(folder: Path, payloads: FilePayloads) -> FolderBackend:
    return FolderBackend(folder, "xjustiz", payloads)


def _record(ebms_id: str = "m1@fr.example", record_id: str = "r1") -> MessageRecord:
    return MessageRecord(
        id=record_id,
        direction=Direction.INBOUND,
        kind=MessageKind.BUSINESS,
        state="VERIFIED",
        message_type="Request",
        conversation_id="c",
        ebms_id=ebms_id,
        sender="s",
        recipient="r",
        from_party="fr",
        to_party="de",
        created_at=NOW,
        updated_at=NOW,
    )


def _part(payloads: FilePayloads, name: str, data: bytes, role: PartRole) -> Part:
    return Part(
        message_id="r1", role=role, name=name, media_type="x/y", payload=payloads.put(data)
    )  # fmt: skip


def _handover(
    payloads: FilePayloads,
    *,
    ebms_id: str = "m1@fr.example",
    document: str = "ersuchen.xml",
    names: tuple[str, ...] = ("scan.pdf",),
) -> Handover:
    return Handover(
        record=_record(ebms_id),
        document_name=document,
        document=payloads.put(DOCUMENT),
        attachments=tuple(_part(payloads, n, SCAN, PartRole.ATTACHMENT) for n in names),
        proofs=(_part(payloads, "envelope.xml", PROOF, PartRole.ENVELOPE),),
    )


def _evidence(payloads: FilePayloads, data: bytes = b"<Evidence/>") -> EvidenceRecord:
    return EvidenceRecord(
        id="e1",
        message_id="r1",
        type="SUBMISSION_ACCEPTANCE",
        origin=EvidenceOrigin.ISSUED,
        payload=payloads.put(data),
        at=NOW,
    )


def _visible(folder: Path) -> list[str]:
    """What the national system sees of messages."""
    return sorted(
        each.name for each in folder.iterdir() if each.name[0] != "." and each.name != "evidences"
    )


def _assert_complete(message: Path) -> None:
    files = {
        str(f.relative_to(message)): f.read_bytes() for f in message.rglob("*") if f.is_file()
    }  # fmt: skip
    assert files == {
        READY: b"m1@fr.example\n",
        "ersuchen.xml": DOCUMENT,
        "attachments/scan.pdf": SCAN,
        "proofs/envelope.xml": PROOF,
    }


def test_everything_is_there_and_taking_it_is_noticed(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)

    backend.hand_over(handover)

    assert backend.format == "xjustiz"
    assert _visible(folder) == ["m1@fr.example"]
    _assert_complete(folder / "m1@fr.example")
    assert list(backend.taken()) == []
    (folder / "m1@fr.example" / READY).unlink()
    assert list(backend.taken()) == ["r1"]
    backend.forget("r1")
    assert list(backend.taken()) == []


def test_what_was_taken_away_is_not_delivered_again(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)
    backend.hand_over(handover)
    (folder / "m1@fr.example").rename(folder.parent / "taken")

    backend.hand_over(handover)
    FolderBackend(folder, "xjustiz", payloads).hand_over(handover)

    assert _visible(folder) == []
    _assert_complete(folder.parent / "taken")
    assert list(backend.taken()) == ["r1"]


def test_what_the_national_system_does_to_its_files_does_not_reach_the_store(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)
    backend.hand_over(handover)

    (folder / "m1@fr.example" / "attachments" / "scan.pdf").write_bytes(b"changed")

    assert payloads.read(handover.attachments[0].payload) == SCAN


# Killed at every step -----------------------------------------------------------------------------

_STEPS = {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.utime", "shutil.rmtree"}


def _killed_at(step: int, action: Callable[[], None]) -> bool:
    """Run `action` in a process that is killed just before its `step`-th touch of a file."""
    child = os.fork()
    if child == 0:
        left = step

        def count(event: str, _: object) -> None:
            nonlocal left
            if event in _STEPS:
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(count)
        action()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0
    return os.WIFSIGNALED(status)


def test_killed_at_any_step_the_folder_is_whole_or_absent_and_the_next_try_delivers(
    tmp_path: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)
    seen: set[str] = set()
    for step in range(1, 100):
        folder = tmp_path / f"delivered-{step}"
        backend = FolderBackend(folder, "xjustiz", payloads)

        killed = _killed_at(step, lambda backend=backend: backend.hand_over(handover))

        assert list(backend.taken()) == [], "not taken, whatever is missing"
        if visible := _visible(folder):
            _assert_complete(folder / visible[0])
        seen.add("delivered" if visible else "absent")
        backend.hand_over(handover)
        assert _visible(folder) == ["m1@fr.example"]
        _assert_complete(folder / "m1@fr.example")
        assert not list(folder.glob(".m1*")), "nothing half is left behind"
        if not killed:
            break
    else:
        pytest.fail("never came to an end")
    assert step > 10
    assert seen == {"absent", "delivered"}


def test_killed_at_any_step_an_evidence_is_whole_or_absent(
    tmp_path: Path, payloads: FilePayloads
) -> None:
    evidence = _evidence(payloads)
    name = "evidences/m1@fr.example/01-SUBMISSION_ACCEPTANCE.xml"
    for step in range(1, 100):
        folder = tmp_path / f"delivered-{step}"
        backend = FolderBackend(folder, "xjustiz", payloads)

        killed = _killed_at(step, lambda backend=backend: backend.tell(_record(), 1, evidence))

        assert not (folder / name).exists() or (folder / name).read_bytes() == b"<Evidence/>"
        backend.tell(_record(), 1, evidence)
        assert (folder / name).read_bytes() == b"<Evidence/>"
        if not killed:
            break
    assert step > 3


def test_an_evidence_that_is_there_stays_as_it_is(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    backend.tell(_record(), 1, _evidence(payloads))
    backend.tell(_record(), 1, _evidence(payloads, b"<Other/>"))
    backend.tell(_record(), 2, _evidence(payloads, b"<Other/>"))

    found = {f.name: f.read_bytes() for f in (folder / "evidences" / "m1@fr.example").iterdir()}
    assert found == {
        "01-SUBMISSION_ACCEPTANCE.xml": b"<Evidence/>",
        "02-SUBMISSION_ACCEPTANCE.xml": b"<Other/>",
    }


# Names --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_inside(
    name: str, backend: FolderBackend, folder: Path, tmp_path: Path, payloads: FilePayloads
) -> None:
    ebms_id = name.replace("\ud800", "?")
    handover = _handover(payloads, ebms_id=ebms_id, document=name, names=(name, name))
    evidence = _evidence(payloads)
    before = {each for each in tmp_path.rglob("*") if folder not in each.parents}

    backend.hand_over(handover)
    backend.tell(_record(ebms_id), 1, evidence)

    assert {each for each in tmp_path.rglob("*") if folder not in each.parents} == before
    (message,) = _visible(folder)
    inside = folder / message
    assert len(list((inside / "attachments").iterdir())) == 2
    assert (inside / READY).read_text("utf-8") == ebms_id + "\n"
    (document,) = [f for f in inside.iterdir() if f.is_file() and f.name != READY]
    assert document.read_bytes() == DOCUMENT
    for file in inside.rglob("*"):
        assert file.name.isprintable()
        assert len(file.name.encode()) < 255
    (told,) = (folder / "evidences").rglob("*.xml")
    assert told.parent.parent == folder / "evidences"


def test_ids_that_differ_only_in_what_is_cleaned_do_not_hide_each_other(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    ids = ["a/b@x", "a_b@x", "a\\b@x", ".a_b@x", "a_b@x ", "evidences", "y" * 300, "y" * 301]
    ids.append(folder_name("a/b@x"))

    for number, each in enumerate(ids):
        record = _record(each, f"{number:036d}")
        backend.hand_over(dataclasses.replace(_handover(payloads), record=record))

    assert len(_visible(folder)) == len(ids)
    assert {(folder / name / READY).read_text() for name in _visible(folder)} == {
        each + "\n" for each in ids
    }


@given(st.lists(st.text(max_size=30), min_size=2, max_size=6, unique=True))
def test_every_id_has_a_folder_of_its_own(ids: list[str]) -> None:
    names = [folder_name(each) for each in (*ids, *map(folder_name, ids))]

    assert len({folder_name(each) for each in ids}) == len(ids)
    for name in names:
        assert name not in ("", ".", "..", "evidences")
        assert not set(name) & set("/\\\0\n")
        assert name[0] != "."


@given(st.text(max_size=400))
def test_a_safe_name_is_one_component_and_stays_as_it_is(name: str) -> None:
    safe = safe_name(name)

    assert safe == safe_name(safe)
    assert Path(safe).name == safe
    assert len(safe.encode()) <= 200


def test_a_long_name_keeps_its_extension() -> None:
    assert safe_name("ж" * 500 + ".pdf").endswith("ж.pdf")
    assert safe_name("Gutachten (Kopie).pdf") == "Gutachten (Kopie).pdf"


# What may pass ------------------------------------------------------------------------------------


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """As a disk that is full after `size` bytes: writing more fails in the middle."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_disk_that_fills_up_is_told_and_tried_again(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)

    with pytest.raises(ConnectorError) as failed, _files_of_at_most(100_000):
        backend.hand_over(handover)

    assert failed.value.kind is Kind.TRANSIENT
    assert failed.value.code == "delivery.cannot-write"
    (problem,) = failed.value.problems
    assert errno.errorcode[errno.EFBIG] in problem.what
    assert problem.file == str(folder / "m1@fr.example")
    assert "tried again" in problem.mend
    assert _visible(folder) == []
    backend.hand_over(handover)
    _assert_complete(folder / "m1@fr.example")


def test_an_evidence_that_does_not_fit_is_tried_again(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    evidence = _evidence(payloads, SCAN)

    with pytest.raises(ConnectorError) as failed, _files_of_at_most(100_000):
        backend.tell(_record(), 1, evidence)

    assert failed.value.kind is Kind.TRANSIENT
    assert not list((folder / "evidences").rglob("0*.xml"))
    backend.tell(_record(), 1, evidence)
    (file,) = (folder / "evidences").rglob("0*.xml")
    assert file.read_bytes() == SCAN


def test_a_folder_that_vanished_is_transient(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    shutil.rmtree(folder)
    folder.write_text("a file in its place")

    with pytest.raises(ConnectorError) as failed:
        backend.hand_over(_handover(payloads))

    assert failed.value.kind is Kind.TRANSIENT


def test_altered_content_is_not_handed_over(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    handover = _handover(payloads)
    stored = payloads.path(handover.attachments[0].payload)
    stored.chmod(0o600)
    stored.write_bytes(SCAN[:-1] + b"?")

    with pytest.raises(ConnectorError) as refused:
        backend.hand_over(handover)

    assert refused.value.code == "store.payload-altered"
    assert _visible(folder) == []


def test_a_message_without_attachments_has_the_empty_folders(
    backend: FolderBackend, folder: Path, payloads: FilePayloads
) -> None:
    backend.hand_over(dataclasses.replace(_handover(payloads), attachments=(), proofs=()))

    assert list((folder / "m1@fr.example" / "attachments").iterdir()) == []
