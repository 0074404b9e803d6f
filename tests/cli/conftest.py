"""The command as people run it: the real executable, or the same in this process where it is
run often."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector.cli import main
from connector.translation.formats import Formats, load_formats
from tests.examination.documents import Made, make

EMLA = Path(sys.executable).parent / "emla"
GOLDEN = Path(__file__).parent / "golden"


@dataclass(frozen=True)
class Result:
    """What a run of the command came to."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def codes(self) -> list[str]:
        """Codes of the problems of a failure in JSON."""
        return [problem["code"] for problem in self.json["problems"]]


def environment(**more: str) -> dict[str, str]:
    """Without what the tester's own shell says to colours, terminals and homes."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("EMLA_", "FORCE_", "NO_COL"))}
    return {**kept, "LANG": "C.UTF-8", **more}


def run(*arguments: str | Path, cwd: Path | None = None, **env: str) -> Result:
    """The real command, in a process of its own."""
    done = subprocess.run(
        [EMLA, *map(str, arguments)],
        capture_output=True,
        cwd=cwd,
        env=environment(**env),
        timeout=60,
        check=False,
    )
    return Result(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode())


Invoke = Callable[..., Result]


@pytest.fixture
def emla(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """The command in this process."""
    for name in list(os.environ):
        if name.startswith("EMLA_") and not name.startswith("EMLA_TEST_"):
            monkeypatch.delenv(name)
    monkeypatch.setattr("connector.translation.formats.load_formats", _loaded)
    monkeypatch.setattr("connector.runtime.assembly.load_formats", _loaded)

    def invoke(*arguments: str | Path) -> Result:
        capsys.readouterr()
        status = main([str(each) for each in arguments])
        captured = capsys.readouterr()
        return Result(status, captured.out, captured.err)

    return invoke


_formats: dict[object, Formats] = {}


def _loaded(folders: Iterable[Path], *, official: Mapping[str, Path] | None = None) -> Formats:
    """Formats are put together once for all commands of this process; else it takes most of the
    tests' time."""
    places = tuple(folders)
    key = (places, tuple(sorted((official or {}).items())))
    if key not in _formats:
        _formats[key] = load_formats(places, official=official)
    return _formats[key]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One message's documents."""
    return make(tmp_path_factory.mktemp("documents"))


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that knows the format of `minutes`, which no change of a shipped mapping touches."""
    home = tmp_path_factory.mktemp("registry") / "home"
    run("init", home, "--country", "XK", "--keys", "none")
    settings = home / "emla.toml"
    mappings = f'mappings = ["{Path(__file__).parent / "minutes"}"]'
    settings.write_text(settings.read_text("utf-8").replace('# mappings = ["mappings"]', mappings))
    return home


@pytest.fixture
def minutes(tmp_path: Path) -> Path:
    """A document in that format."""
    file = tmp_path / "minutes.json"
    file.write_text(_MINUTES, "utf-8")
    return file


_MINUTES = """\
{
  "schema": "minutes",
  "act": "receipt",
  "reference": "R 12/26",
  "answers": "5d0c2f4e@de.emla.example",
  "clerk": "kb",
  "printed": "2026-11-02",
  "stamp": "blue",
  "receipt": {
    "on": "2026-11-02T09:30:00+01:00",
    "handling": "accepted",
    "note": "Forwarded to the court."
  }
}
"""
_MASKS = (
    (re.compile(r"(?<=DigestValue: )[0-9A-Za-z+/=]{44}"), "<digest>"),
    (re.compile(r"\b[0-9a-f]{64}\b"), "<sha256>"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}(?=@)"), "<id>"),
    (re.compile(r" *[0-9][0-9 ]* bytes"), " <n> bytes"),
)


def same_as_golden(text: str, name: str, folder: Path) -> None:
    """Compare with the file in `golden`; with GOLDEN=write in the environment it is written."""
    text = text.replace(str(folder), "/documents")
    for pattern, instead in _MASKS:
        text = pattern.sub(instead, text)
    file = GOLDEN / name
    if os.environ.get("GOLDEN") == "write":
        file.parent.mkdir(exist_ok=True)
        file.write_text(text, "utf-8")
    assert text == file.read_text("utf-8")
