"""The Java peers: built by Maven when their sources have changed, driven by one line of JSON each.

phase4 and EU DSS run as processes of their own, one of each for a test session.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SOURCES = Path(__file__).parent / "peer"
MODULES = ("control", "dss", "phase4")
_BUILT = SOURCES / "target" / "built"
_BUILD_SECONDS = 900


class PeerError(Exception):
    """What a peer answered instead of a result."""


def built() -> Path:
    """The folder of the built peers. Skips where Java or Maven are missing, but not on CI."""
    for program in ("java", "javac", "mvn"):
        if shutil.which(program) is None:
            reason = f"{program} is missing (apt install default-jdk-headless maven)"
            if os.environ.get("CI"):
                pytest.fail(reason)
            pytest.skip(reason)
    _BUILT.parent.mkdir(exist_ok=True)
    with _BUILT.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one build at a time, whoever asks
        sources = _fingerprint()
        if not _BUILT.exists() or _BUILT.read_text() != sources:
            _build()
            _BUILT.write_text(sources)
    return SOURCES


def _fingerprint() -> str:
    digest = hashlib.sha256()
    files = [SOURCES / "pom.xml", *(SOURCES / module / "pom.xml" for module in MODULES)]
    for module in MODULES:
        files += sorted((SOURCES / module / "src").rglob("*.*"))
    for file in files:
        digest.update(f"{file.relative_to(SOURCES)}\0".encode() + file.read_bytes() + b"\0")
    return digest.hexdigest()


def _build() -> None:
    """Released artefacts are never asked for again once they are there, so this works offline."""
    for module in MODULES:
        # Libraries of older versions would stay in the class path.
        shutil.rmtree(SOURCES / module / "target", ignore_errors=True)
    done = subprocess.run(
        ["mvn", "-q", "-B", "package"],
        cwd=SOURCES,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_BUILD_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        pytest.fail(f"mvn package failed:\n{done.stdout[-4000:]}{done.stderr[-2000:]}")


class Peer:
    """One peer's process; `ask` is answered by one line."""

    def __init__(self, module: str, folder: Path) -> None:
        """`folder` takes its log and its temporary files."""
        place = built() / module / "target"
        temporary = folder / "tmp"
        temporary.mkdir(parents=True)
        self.log = folder / f"{module}.log"
        with self.log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    "java",
                    "-Xmx1g",
                    "-XX:+UseSerialGC",
                    f"-Djava.io.tmpdir={temporary}",
                    "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
                    "-cp",
                    f"{place}/{module}-1.jar:{place}/lib/*",
                    f"emla.peer.{module}.Main",
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=folder,
                text=True,
                encoding="utf-8",
            )
        self._read()

    def ask(self, command: str, **arguments: Any) -> Any:
        """What the peer makes of `command`. Raises `PeerError`."""
        assert self._process.stdin is not None
        line = json.dumps({"command": command, **arguments}, default=str)
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise PeerError(f"the peer ended:\n{self.log.read_text()[-4000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise PeerError(answer["error"])
        return answer["ok"]

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
