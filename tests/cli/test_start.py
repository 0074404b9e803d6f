"""What holds for every command: help, versions, misuse, JSON, no colour where nobody looks."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from connector.cli import running
from connector.cli.app import app
from tests.cli.conftest import EMLA, Invoke, environment, run
from tests.cli.test_running import RUNNING
from tests.examination.documents import Made

COMMANDS = ["init", "check", "translate", "validate", "verify", "inspect", "formats", "directory"]


def test_every_command_is_known_here() -> None:
    """A new command has to be added to these tests."""
    registered = {command.name for command in app.registered_commands}
    groups = {group.name for group in app.registered_groups}
    assert registered | groups == {*COMMANDS, *RUNNING}


def seconds_of(*arguments: str) -> float:
    """Processor time of the command; the least of three, since others use the machine, too."""
    found = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run(*arguments).status == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


@pytest.mark.parametrize("argument", ["--version", "--help"])
def test_it_starts_fast(argument: str) -> None:
    assert seconds_of(argument) < 0.4


def test_version(emla: Invoke) -> None:
    found = emla("--version")
    assert (found.status, found.out.split()[0]) == (0, "emla")


SINGLE = [c for c in (*COMMANDS, *RUNNING) if c not in {"queue", "audit"}]
GROUPED = [f"queue {name}" for name in ("list", "show", "retry", "discard")] + ["audit verify"]


@pytest.mark.parametrize("command", [*SINGLE, *GROUPED])
def test_help(emla: Invoke, command: str) -> None:
    found = emla(*command.split(), "--help")
    assert found.status == 0
    assert "--json" in found.out
    assert "\x1b" not in found.out


def test_without_a_command_it_shows_what_there_is(emla: Invoke) -> None:
    found = emla()
    assert found.status == 2
    assert "validate" in found.out + found.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["no-such-command"],
        ["validate"],
        ["validate", "--no-such-option", "x"],
        ["translate", "x"],
        ["init", "somewhere"],
        ["inspect", "x", "--depth", "0"],
        ["verify", "x", "--at", "yesterday"],
    ],
)
def test_misuse(emla: Invoke, arguments: list[str]) -> None:
    found = emla(*arguments)
    assert (found.status, found.out) == (2, "")
    assert "[usage]" in found.err
    assert "--help" in found.err
    as_json = emla(*arguments, "--json")
    assert (as_json.status, as_json.err) == (2, "")
    assert as_json.codes == ["usage"]
    assert as_json.json["exit_status"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "missing.xml"],
        ["verify", "missing.xml"],
        ["inspect", "missing.xml"],
        ["translate", "missing.xml", "--to", "envelope"],
        ["inspect", "."],
        ["formats", "--home", "missing"],
        ["directory", "--home", "missing"],
        ["directory", "--country", "ZZ"],
        ["verify", "missing.xml", "--trust", "missing"],
        ["init", "here", "--country", "Germany"],
        ["init", "here", "--country", "DE", "--format", "no-such-format"],
        ["validate", "missing.xml", "--official", "xjustiz"],
        ["validate", "missing.xml", "--official", "no-such-format=."],
    ],
)
def test_wrong_configuration(
    emla: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = emla(*arguments)
    assert (found.status, found.out) == (2, ""), found
    assert "error: " in found.err
    as_json = emla(*arguments, "--json")
    assert (as_json.status, as_json.err) == (2, "")
    assert as_json.json["ok"] is False
    assert as_json.json["problems"][0]["what"]


def commands_on(made: Made) -> list[list[str]]:
    return [
        ["formats"],
        ["directory", "--country", "BR"],
        ["validate", str(made.message)],
        ["validate", str(made.unsigned), str(made.case_json), str(made.register_csv)],
        ["verify", str(made.message)],
        ["inspect", str(made.container)],
        ["inspect", str(made.case_json)],
        ["translate", str(made.case_json), "--to", "envelope"],
        ["translate", str(made.unsigned), "--to", "register-csv", "-o", "/dev/null"],
        ["check", "--home", str(made.folder)],
    ]


def test_every_answer_is_one_json_document(emla: Invoke, made: Made) -> None:
    for arguments in commands_on(made):
        found = emla(*arguments, "--json")
        assert isinstance(found.json["ok"], bool), arguments
        assert found.json["ok"] == (found.status == 0), arguments
        assert found.err == "", arguments


def test_no_colour_where_nobody_looks(emla: Invoke, made: Made) -> None:
    real = run("verify", made.message, TERM="xterm-256color", COLORTERM="truecolor")
    assert "\x1b" not in real.out + real.err
    for arguments in commands_on(made):
        found = emla(*arguments)
        assert found.status in {0, 1, 2}, found.err
        assert "\x1b" not in found.out + found.err, arguments
        assert not any(line != line.rstrip() for line in found.out.splitlines()), arguments


def test_names_of_files_may_be_anything(emla: Invoke, made: Made, tmp_path: Path) -> None:
    """Also bytes that are no UTF-8, direction marks, and what a terminal would obey."""
    name = os.fsdecode(b"a\xff\x1b[31m\xe2\x80\xaeb[red].xml")
    file = tmp_path / name
    file.write_bytes(made.unsigned.read_bytes())
    found = emla("validate", file)
    assert found.status == 0
    shown = found.out.splitlines()[0]
    assert "\\udcff\\x1b[31m\\u202eb[red].xml" in shown
    as_json = emla("validate", file, "--json")
    assert as_json.json["documents"][0]["file"].endswith(name)
    assert "\u202e" not in as_json.out


def test_whoever_stops_reading_is_not_scolded(made: Made) -> None:
    """`emla … | head -1`: no trace, and the status that shells expect (128 and SIGPIPE)."""
    process = subprocess.Popen(
        [EMLA, "translate", str(made.unsigned), "--to", "case-json", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), err) == (141, b"")


def test_a_defect_is_told_as_one(emla: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(**_: object) -> int:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr(running, "app", broken)
    found = emla("formats")
    assert found.status == 70
    assert "emla itself failed: ZeroDivisionError: by zero" in found.err
    assert "Traceback" not in found.err
    as_json = emla("formats", "--json")
    assert as_json.json["exit_status"] == 70
    assert as_json.codes == ["internal.defect"]


def test_interrupted(emla: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(**_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(running, "app", interrupted)
    assert emla("formats").status == 130


def test_json_has_no_control_characters(emla: Invoke, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text(json.dumps({"a": "\x1b[2J\x9b\u202e"}), "utf-8")
    for options in ([], ["--json"]):
        found = emla("validate", file, *options)
        assert found.status == 1
        assert not set("\x1b\x9b\u202e") & set(found.out + found.err)
