"""Files from strangers: bounded time and memory, a clear refusal, never a crash."""

from __future__ import annotations

import resource
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.cli.conftest import EMLA, Invoke, environment
from tests.examination.documents import AT, Made

COMMANDS = ("validate", "verify", "inspect")
_MEBIBYTE = 1024 * 1024

BOMB = """<!DOCTYPE r [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">{entities}]>
<Envelope xmlns="urn:emla:envelope:1" version="1.0">&z;</Envelope>"""
ENTITIES = "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 20}">' for i in range(25))


def files(folder: Path, made: Made) -> dict[str, tuple[bytes, str]]:
    """Content and the code that names what is wrong, by name."""
    container = made.container.read_bytes()
    envelope = made.envelope.read_bytes()
    secret = folder / "secret.txt"
    secret.write_text("do not read me")
    external = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'.encode()
    body = b'<Envelope xmlns="urn:emla:envelope:1" version="1.0">&x;</Envelope>'
    deep = b"<a>" * 5000 + b"</a>" * 5000
    wide = b"<r " + b" ".join(b'a%d=""' % i for i in range(100_000)) + b"/>"
    return {
        "truncated.asics": (container[: len(container) // 2], "container."),
        "headless.asics": (container[:4] + b"\0" * 60, "container."),
        "tail.asics": (container + b"more", "container.comment"),
        "xxe.xml": (external + body, "xml.doctype"),
        "laughs.xml": (BOMB.replace("{entities}", ENTITIES).encode(), "xml.doctype"),
        "deep.xml": (deep, "xml.malformed"),
        "wide.xml": (wide, "xml.too-many-attributes"),
        "deep.json": (b"[" * 100_000, "document.unknown"),
        "deep-known.json": (
            b'{"schema": "urn:exemple:justice:entraide:export:2.4", "x": ' + b"[" * 100_000,
            "translation.",
        ),
        "cut.xml": (envelope[:-20], "xml.malformed"),
        "zeros.xml": (b"\0" * 10_000, "document.unknown"),
        "utf16.xml": (
            envelope.decode().replace("UTF-8", "UTF-16").encode("utf-16-be")[:999],
            "xml.malformed",
        ),
        "signatures.pdf": (b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3]" * 1000, "pdf."),
        "far.pdf": (b"%PDF-1.7\n/ByteRange [0 9 99999999999 5]", "pdf.byte-range"),
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_each_is_refused_by_name(emla: Invoke, made: Made, tmp_path: Path, command: str) -> None:
    for name, (content, code) in files(tmp_path, made).items():
        if command != "verify" and name.endswith(".pdf"):
            continue  # only verifying looks into a PDF
        file = tmp_path / name
        file.write_bytes(content)
        found = emla(command, file, "--json")
        assert found.status == 1, (name, found)
        assert f'"{code}' in found.out, (name, found.out)
        assert str(file) in found.out, (name, found.out)
        assert "do not read me" not in found.out


@pytest.mark.parametrize("command", COMMANDS)
def test_a_gibibyte_of_nothing(made: Made, tmp_path: Path, command: str) -> None:
    sparse = tmp_path / "sparse.xml"
    with sparse.open("wb") as file:
        file.truncate(1024 * _MEBIBYTE)
    status, out, memory = measured(command, str(sparse), "--json")
    assert (status, '"document.too-large"' in out) == (1, True)
    assert memory < 200 * _MEBIBYTE


@pytest.mark.parametrize("command", COMMANDS)
def test_a_zip_bomb(bomb: Path, command: str) -> None:
    """Half a gibibyte of zeros in half a megabyte."""
    status, out, memory = measured(command, str(bomb), "--json")
    assert (status, '"container.zip-bomb"' in out) == (1, True)
    assert memory < 250 * _MEBIBYTE


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A container whose SignedContent.zip claims, and is, far more than it weighs."""
    path = tmp_path_factory.mktemp("bomb") / "bomb.asics"
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    piece = b"\0" * (16 * _MEBIBYTE)
    crc, size, packed = 0, 0, b""
    for _ in range(32):
        crc = zlib.crc32(piece, crc)
        size += len(piece)
        packed += packer.compress(piece)
    packed += packer.flush()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/vnd.etsi.asic-s+zip")
        archive.writestr("META-INF/signatures.xml", "<x/>")
    header = zipfile.ZipInfo("SignedContent.zip")
    header.compress_type = zipfile.ZIP_DEFLATED
    header.CRC, header.file_size, header.compress_size = crc, size, len(packed)
    with zipfile.ZipFile(path, "a") as archive:
        assert archive.fp is not None
        header.header_offset = archive.start_dir
        archive.fp.seek(archive.start_dir)
        archive.fp.write(header.FileHeader(zip64=False) + packed)
        archive.start_dir = archive.fp.tell()
        archive.filelist.append(header)
        archive.NameToInfo[header.filename] = header
        archive._didModify = True  # type: ignore[attr-defined]
    return path


def test_a_large_container_takes_little_memory(made: Made, tmp_path: Path) -> None:
    """What is larger than memory is digested, not kept."""
    from connector.container.asic import Document, seal
    from tests.examination.documents import NOW, documents

    class Zeros:
        size = 400 * _MEBIBYTE

        def open(self):  # type: ignore[no-untyped-def]
            return (tmp_path / "zeros").open("rb")

    with (tmp_path / "zeros").open("wb") as file:
        file.truncate(Zeros.size)
    large = tmp_path / "large.asics"
    with large.open("wb") as target:
        zeros = Document("zeros.bin", "application/octet-stream", Zeros())
        seal(target, [*documents(made.envelope.read_bytes()), zeros], made.key, NOW)
    arguments = ["--trust", str(made.trust), "--at", AT, "--json"]
    status, out, memory = measured("verify", str(large), *arguments)
    assert (status, '"container.attachment-unlisted"' in out) == (1, True)
    assert '"size": 419430400' in out
    assert memory < 250 * _MEBIBYTE


def test_what_is_no_file(emla: Invoke, tmp_path: Path) -> None:
    """A pipe that nobody writes to must not hold anybody up."""
    import os

    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, Path("/dev/zero")):
        found = emla("validate", path, "--json")
        assert (found.status, found.codes) == (2, ["document.no-file"])


def measured(*arguments: str) -> tuple[int, str, int]:
    """Exit status, standard output and the most memory (bytes) of the command."""
    script = (
        "import resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:])\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "sys.stderr.write(f'peak {peak}')\n"
        "sys.exit(done.returncode)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, EMLA, *arguments],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=100,
        check=False,
    )
    peak = int(done.stderr.rpartition("peak ")[2])
    assert resource.getpagesize()  # Linux counts kibibytes
    return done.returncode, done.stdout, peak * 1024
