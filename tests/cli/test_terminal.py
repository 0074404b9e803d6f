"""What somebody at a terminal sees: colour, and nothing that a document smuggles in."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
from pathlib import Path

from tests.cli.conftest import EMLA, environment
from tests.examination.documents import AT, Made

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(*arguments: str | Path, columns: int = 100, **env: str) -> tuple[int, str]:
    """Exit status, and what is written to a terminal of that width."""
    import fcntl
    import struct
    import termios

    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    process = subprocess.Popen(
        [EMLA, *map(str, arguments)],
        stdout=terminal,
        stderr=terminal,
        stdin=terminal,
        env=environment(TERM="xterm-256color", COLUMNS="", **env),
    )
    os.close(terminal)
    written = b""
    while True:
        ready, _, _ = select.select([controller], [], [], 60)
        try:
            piece = os.read(controller, 65536) if ready else b""
        except OSError:  # the other end was closed
            piece = b""
        if not piece:
            break
        written += piece
    os.close(controller)
    return process.wait(60), written.decode()


def test_colour(made: Made) -> None:
    status, text = on_terminal("verify", made.message, "--trust", made.trust, "--at", AT)
    assert status == 0
    assert _COLOUR.search(text)
    plain = _COLOUR.sub("", text)
    assert "\x1b" not in plain
    assert "✓ valid signature" in plain


def test_lines_fit(made: Made) -> None:
    _, text = on_terminal("translate", made.case_json, "--to", "envelope", "-o", "/dev/null")
    widths = {len(line.rstrip("\r")) for line in _COLOUR.sub("", text).split("\n")}
    assert max(widths) <= 100


def test_no_colour_if_somebody_asks_so(made: Made) -> None:
    _, text = on_terminal("validate", made.envelope, NO_COLOR="1")
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", text)


def test_a_document_does_not_command_the_terminal(made: Made, tmp_path: Path) -> None:
    """Title, clipboard and colour sequences in values; a name that looks like markup."""
    attack = "\u009b31m[bold]x[/bold]\u202e"
    file = tmp_path / "envelope.xml"
    text = made.unsigned.read_text("utf-8")
    start = text.index("<SenderReference>") + len("<SenderReference>")
    file.write_text(text[:start] + attack + text[start:], "utf-8")
    _, shown = on_terminal("inspect", file)
    plain = _COLOUR.sub("", shown)
    assert "\\x9b31m[bold]x[/bold]\\u202e" in plain
    assert not set("\x1b\u009b\u202e") & set(plain)


def test_many_files_show_progress(made: Made, tmp_path: Path) -> None:
    for number in range(25):
        (tmp_path / f"{number:02}.xml").write_bytes(made.envelope.read_bytes())
    status, text = on_terminal("validate", "--quiet", tmp_path)
    assert status == 0
    assert "Validating" in text
    assert "25 documents: 25 acceptable" in text
