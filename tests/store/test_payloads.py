"""Payload files: written once, durable, checked."""

from __future__ import annotations

import errno
import hashlib
import os
import resource
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connector.errors import ConnectorError, Kind
from connector.exchange.records import PayloadRef
from connector.store.payloads import FilePayloads


@pytest.fixture
def payloads(tmp_path: Path) -> FilePayloads:
    return FilePayloads(tmp_path / "payloads")


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o600)
    path.write_bytes(data)


def stored_files(payloads: FilePayloads) -> list[Path]:
    top = payloads.scratch().parents[1]
    return [p for p in top.rglob("*") if p.is_file() and "scratch" not in p.parts]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.binary(max_size=300), max_size=5))
def test_what_is_written_is_read(payloads: FilePayloads, chunks: list[bytes]) -> None:
    data = b"".join(chunks)
    writer = payloads.writer()
    for chunk in chunks:
        assert writer.write(chunk) == len(chunk)
    ref = writer.commit_ref()
    assert ref == PayloadRef(sha256=hashlib.sha256(data).hexdigest(), size=len(data))
    assert payloads.put(data) == ref
    assert payloads.read(ref) == data
    with payloads.open(ref) as stream:
        assert stream.read() == data
    source = payloads.source(ref)
    assert source.size == len(data)
    for _ in range(2):
        with source.open() as stream:
            assert b"".join(iter(lambda: stream.read(7), b"")) == data


def test_a_file_is_placed_by_its_digest_and_only_its_owner_reads_it(payloads: FilePayloads) -> None:
    ref = payloads.put(b"content")
    path = payloads.path(ref)
    assert path.parts[-2:] == (ref.sha256[:2], ref.sha256)
    assert path.stat().st_mode & 0o777 == 0o400
    assert all(p.stat().st_mode & 0o077 == 0 for p in (path.parent, path.parents[1]))


def test_the_same_content_is_stored_once(payloads: FilePayloads) -> None:
    ref = payloads.put(b"content")
    inode = payloads.path(ref).stat().st_ino
    writer = payloads.writer()
    writer.write(b"content")
    assert writer.commit_ref() == ref
    assert payloads.put(b"content") == ref
    assert payloads.path(ref).stat().st_ino == inode
    assert stored_files(payloads) == [payloads.path(ref)]
    assert list(payloads.scratch().iterdir()) == []


def test_writers_of_the_same_content_at_once(payloads: FilePayloads) -> None:
    refs: list[PayloadRef] = []

    def write() -> None:
        for number in range(50):
            refs.append(payloads.put(b"%d" % number))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refs) == 200
    assert len(stored_files(payloads)) == 50
    assert all(payloads.read(ref) for ref in refs)
    assert list(payloads.scratch().iterdir()) == []


def test_nothing_is_visible_before_the_commit_and_nothing_stays_after_an_abort(
    payloads: FilePayloads,
) -> None:
    writer = payloads.writer()
    writer.write(b"content")
    assert stored_files(payloads) == []
    writer.abort()
    writer.abort()
    assert stored_files(payloads) == []
    assert list(payloads.scratch().iterdir()) == []


def test_an_abort_after_the_commit_does_nothing(payloads: FilePayloads) -> None:
    writer = payloads.writer()
    writer.write(b"content")
    source = writer.commit()
    writer.abort()
    assert source.open().read() == b"content"
    with pytest.raises(ValueError, match="committed"):
        writer.write(b"more")
    assert writer.commit_ref().size == 7


@pytest.mark.parametrize("data", [b"CONTENT", b"content and more", b"conten", b""])
def test_altered_content_is_never_read_to_its_end(payloads: FilePayloads, data: bytes) -> None:
    ref = payloads.put(b"content")
    overwrite(payloads.path(ref), data)
    with pytest.raises(ConnectorError) as caught:
        payloads.read(ref)
    assert caught.value.code == "store.payload-altered"
    for size in (-1, 1, 3, 100):
        got = b""
        with pytest.raises(ConnectorError) as caught, payloads.open(ref) as stream:
            while chunk := stream.read(size):
                got += chunk
        assert caught.value.code == "store.payload-altered"
        assert len(got) < len(b"content")


def test_a_large_altered_file_is_noticed_while_it_streams(payloads: FilePayloads) -> None:
    data = bytearray(os.urandom(3 * 1024 * 1024))
    ref = payloads.put(bytes(data))
    data[0] ^= 1
    overwrite(payloads.path(ref), bytes(data))
    got = 0
    with pytest.raises(ConnectorError), payloads.open(ref) as stream:
        while chunk := stream.read(64 * 1024):
            got += len(chunk)
    assert got < len(data)


def test_missing_content(payloads: FilePayloads) -> None:
    ref = PayloadRef(sha256="ab" * 32, size=1)
    for read in (payloads.read, payloads.open, payloads.path):
        with pytest.raises(ConnectorError) as caught:
            read(ref)
        assert caught.value.code == "store.payload-missing"


@pytest.mark.parametrize("damaged", [b"con", b"CONTENT"])
def test_damaged_content_is_replaced_when_it_is_stored_again(
    payloads: FilePayloads, damaged: bytes
) -> None:
    ref = payloads.put(b"content")
    overwrite(payloads.path(ref), damaged)
    assert payloads.put(b"content") == ref
    assert payloads.read(ref) == b"content"


def test_scratch_of_dead_processes_goes_and_of_living_ones_stays(tmp_path: Path) -> None:
    folder = tmp_path / "payloads"
    code = (
        "import sys, os\n"
        "from pathlib import Path\n"
        "from connector.store.payloads import FilePayloads\n"
        "p = FilePayloads(Path(sys.argv[1]))\n"
        "p.writer().write(b'half')\n"
        "(p.scratch() / 'left').write_bytes(b'behind')\n"
        "print(p.scratch(), flush=True)\n"
        "os.kill(os.getpid(), 9) if sys.argv[2] == 'die' else sys.stdin.read()\n"
    )

    def start(fate: str) -> tuple[subprocess.Popen[str], Path]:
        process = subprocess.Popen(
            [sys.executable, "-c", code, str(folder), fate],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        return process, Path(process.stdout.readline().strip())

    living, its_scratch = start("live")
    dead, dead_scratch = start("die")
    dead.communicate()
    assert (dead_scratch / "left").exists()
    ours = FilePayloads(folder)
    assert not dead_scratch.exists()
    assert (its_scratch / "left").exists()
    assert ours.scratch() not in (its_scratch, dead_scratch)
    living.communicate()
    ours.close()
    assert not ours.scratch().exists()
    last = FilePayloads(folder)
    assert [p.name for p in last.scratch().parent.iterdir() if p.is_dir()] == [last.scratch().name]


def test_a_full_disk_is_transient_and_leaves_nothing(payloads: FilePayloads) -> None:
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    writer = payloads.writer()
    # A real failure of write(2): EFBIG, without touching the machine's disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(ConnectorError) as caught:
            for _ in range(10):
                writer.write(b"x" * 50_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert caught.value.code == "store.disk-full"
    assert caught.value.kind is Kind.TRANSIENT
    writer.abort()
    assert list(payloads.scratch().iterdir()) == []


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (errno.ENOSPC, "store.disk-full"),
        (errno.EDQUOT, "store.disk-full"),
        (errno.EIO, "store.disk"),
        (errno.EROFS, "store.read-only"),
    ],
)
def test_failures_of_the_disk_have_names(
    payloads: FilePayloads, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(ConnectorError) as caught:
        payloads.put(b"content")
    assert caught.value.code == code
    assert caught.value.kind is Kind.TRANSIENT
    assert stored_files(payloads) == []
    assert list(payloads.scratch().iterdir()) == []


def test_file_and_folders_are_synced_before_the_address_is_told(
    payloads: FilePayloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    real = os.fsync

    def note(handle: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{handle}").readlink()))
        real(handle)

    monkeypatch.setattr(os, "fsync", note)
    ref = payloads.put(b"content")
    path = payloads.path(ref)
    folders = [str(path.parents[1]), str(path.parent)]
    assert [place for place in synced if place in folders] == folders
    (file,) = (place for place in synced if place not in folders)
    assert file.startswith(str(payloads.scratch()))
    assert synced[-1] == str(path.parent)
    synced.clear()
    payloads.put(b"content")
    assert synced == [str(path.parent)]
