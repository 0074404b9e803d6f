"""Commands that work on a connector's home: two connectors run, and people look after them."""

from __future__ import annotations

import hashlib
import shutil
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connector.demo.network import Plan, make_network
from connector.errors import Problem
from connector.runtime.assembly import assemble
from connector.settings import load
from connector.shipped import shipped
from connector.signature.pki import KeyType
from tests.cli.conftest import EMLA, Invoke, Result, environment, run

RUNNING = ["demo", "dossier", "run", "send", "list", "status", "export", "queue", "audit"]
SAMPLE = shipped("samples") / "fr" / "enlevement-danger-de-mort"
DOCUMENT = SAMPLE / "demande-urgence-vitale.json"
ATTACHMENTS = [path for path in sorted(SAMPLE.iterdir()) if path != DOCUMENT]
PATIENCE = 60.0


@dataclass(frozen=True)
class Network:
    """Two connectors that know each other."""

    folder: Path

    @property
    def fr(self) -> Path:
        return self.folder / "FR"

    @property
    def br(self) -> Path:
        return self.folder / "BR"


def network(folder: Path) -> Network:
    plan = Plan(countries=("FR", "BR"), key_type=KeyType.P256)
    make_network(folder, plan, datetime.now(UTC))
    return Network(folder)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Both at work, by the command."""
    made = network(tmp_path_factory.mktemp("network"))
    processes = [begin(home) for home in (made.fr, made.br)]
    try:
        for process in processes:
            assert process.stdout is not None
            assert b"listens on 127.0.0.1:" in process.stdout.readline()
        yield made
    finally:
        for process in processes:
            process.terminate()
        statuses = [process.wait(60) for process in processes]
        for process in processes:
            assert process.stdout is not None
            process.stdout.close()
    assert statuses == [0, 0]  # drained


def begin(home: Path, *options: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [EMLA, "run", "--home", home, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(PYTHONUNBUFFERED="1"),
    )


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Two homes in which nothing has run."""
    return network(tmp_path_factory.mktemp("fresh"))


@pytest.fixture
def idle(fresh: Network, tmp_path: Path) -> Network:
    """A copy of them."""
    shutil.copytree(fresh.folder, tmp_path, dirs_exist_ok=True)
    return Network(tmp_path)


def sent(emla: Invoke, home: Path, *more: str | Path) -> str:
    """The id of a message that was accepted."""
    arguments = [DOCUMENT, *(part for path in ATTACHMENTS for part in ("--attach", path))]
    found = emla("send", *arguments, "--to", "BR", "--home", home, "--json", *more)
    assert found.status == 0, found
    message: str = found.json["accepted"][0]["message"]["id"]
    return message


def until(look: Callable[[], Any]) -> Any:
    """What `look` gives as soon as it gives something."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    raise AssertionError("waited in vain")


def status(emla: Invoke, home: Path, message: str) -> Any:
    return emla("status", message, "--home", home, "--json").json


def test_from_one_ministry_to_the_other(emla: Invoke, running: Network, tmp_path: Path) -> None:
    message = sent(emla, running.fr)

    def delivered() -> Any:
        found = status(emla, running.fr, message)
        return found if found["message"]["state"] == "DELIVERED" else None

    found = until(delivered)
    assert [e["type"] for e in found["evidences"]] == [
        "SUBMISSION_ACCEPTANCE",
        "RELAY_REMMD_ACCEPTANCE",
        "DELIVERY",
    ]
    assert [line["event"] for line in found["timeline"]][:2] == ["accepted", "sealed"]
    text = emla("status", message[:8], "--home", running.fr)
    assert "DELIVERED" in text.out
    assert "RELAY_REMMD_ACCEPTANCE" in text.out

    there = emla("list", "--home", running.br, "--direction", "in", "--json").json["messages"]
    assert [each["state"] for each in there] == ["HANDED_OVER"]
    assert there[0]["ebmsId"] == found["message"]["ebmsId"]
    here = emla("list", "--home", running.fr, "--text", message, "--json").json["messages"]
    assert [each["id"] for each in here] == [message]
    assert message in emla("list", "--home", running.fr).out
    both = emla("list", "--home", running.fr, "--evidences", "--json").json["messages"]
    assert {each["kind"] for each in both} == {"BUSINESS", "EVIDENCE"}

    for home, wanted in ((running.fr, message), (running.br, there[0]["id"])):
        folder = tmp_path / home.name
        exported = emla("export", wanted, folder, "--home", home, "--json")
        assert exported.status == 0
        assert all((folder / name).is_file() for name in exported.json["files"])
        verified = emla("verify", folder, "--home", home, "--json")
        assert verified.status == 0, verified.out
        assert all(bond["holds"] for bond in verified.json["bonds"])
        assert len(verified.json["bonds"]) > 1
    original = tmp_path / "FR" / "original" / DOCUMENT.name
    assert original.read_bytes() == DOCUMENT.read_bytes()
    for path in ATTACHMENTS:
        received = tmp_path / "BR" / "attachments" / path.name
        assert digest(received) == digest(path)
    again = emla("export", message, tmp_path / "FR", "--home", running.fr, "--json")
    assert (again.status, again.codes) == (2, ["export.not-empty"])


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_what_is_refused_is_told(emla: Invoke, running: Network, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.json"
    wrong.write_bytes(DOCUMENT.read_bytes().replace(b"DEMANDE", b"LETTRE"))
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear colleague")
    good = shutil.copytree(SAMPLE, tmp_path / "good")
    found = emla("send", letter, wrong, good, "--to", "BR", "--home", running.fr, "--json")
    assert found.status == 1
    assert [Path(each["file"]).name for each in found.json["accepted"]] == ["good"]
    assert [Path(each["file"]).name for each in found.json["refused"]] == [
        "letter.txt",
        "wrong.json",
    ]
    text = emla("send", letter, "--to", "BR", "--home", running.fr)
    assert (text.status, text.out) == (1, "")
    assert "letter.txt: refused: " in text.err


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["send", "missing.json"], "send.no-file"),
        (["send", DOCUMENT, DOCUMENT, "--attach", DOCUMENT], "usage"),
        (["send", DOCUMENT, "--urgency", "urgent", "--reason", "boredom"], "usage"),
        (["send", DOCUMENT, "--reason", "danger-to-life"], "usage"),
        (["status", "no-such-message"], "message.unknown"),
        (["export", "no-such-message", "somewhere"], "message.unknown"),
        (["list", "--state", "LOST"], "usage"),
        (["queue", "show", "no-such-job"], "queue.not-parked"),
        (["queue", "retry", "no-such-job"], "queue.not-parked"),
        (["queue", "retry"], "usage"),
        (["queue", "discard", "no-such-job"], "usage"),
        (["queue", "discard", "no-such-job", "--why", "old"], "queue.not-parked"),
        (["queue", "discard", "no-such-job", "--why", "old", "--reason", "X"], "usage"),
        (["audit", "verify", "--noted", "7"], "usage"),
    ],
)
def test_misuse(emla: Invoke, idle: Network, arguments: list[str | Path], code: str) -> None:
    found = emla(*arguments, "--home", idle.fr, "--json")
    codes = found.codes if "problems" in found.json else refused_codes(found)
    assert (found.status, codes) == (2, [code])


def refused_codes(found: Result) -> list[str]:
    return [p["code"] for each in found.json["refused"] for p in each["problems"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["run"],
        ["list"],
        ["status"],
        ["audit", "verify"],
        ["queue", "list"],
        ["queue", "show", "x"],
        ["queue", "retry", "x"],
        ["queue", "discard", "x", "--why", "x"],
        ["export", "x", "x"],
        ["send", "x"],
    ],
)
def test_without_a_home(
    emla: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    found = emla(*arguments, "--json")
    assert (found.status, found.codes) == (2, ["settings.missing"])
    assert emla(*arguments[:2], "--help").status == 0


def test_an_empty_connector(emla: Invoke, idle: Network) -> None:
    assert "There is no such message." in emla("list", "--home", idle.fr).out
    assert "There is no message yet." in emla("status", "--home", idle.fr).out
    assert "Nothing waits for a person." in emla("queue", "list", "--home", idle.fr).out
    assert emla("queue", "retry", "--all", "--home", idle.fr).status == 0
    assert "0 entries" in emla("audit", "verify", "--home", idle.fr).out


def park(home: Path) -> str:
    """Take the next job of a home and set it aside; its message."""
    assembly = assemble(load(home))
    queue = assembly.queue()
    try:
        (delivery,) = queue.take(limit=1, wait=5)
        message: str = delivery.job.message_id
        delivery.park(Problem(code="test.stuck", what="It is \x1b[31mstuck.", mend="Mend it."))
        return message
    finally:
        queue.close()
        assembly.close()


def test_a_person_looks_after_what_is_parked(emla: Invoke, idle: Network) -> None:
    message = sent(emla, idle.fr, "--urgency", "emergency", "--reason", "danger-to-life")
    assert emla("status", "--home", idle.fr, "--json").json["waiting"]["emergency"] == 1
    assert park(idle.fr) == message
    (parked,) = emla("queue", "list", "--home", idle.fr, "--json").json["parked"]
    assert (parked["messageId"], parked["problem"]["code"]) == (message, "test.stuck")
    for arguments in (["queue", "list"], ["queue", "show", message], ["status", message]):
        text = emla(*arguments, "--home", idle.fr)
        assert (text.status, "\\x1b[31mstuck." in text.out) == (0, True), text
    assert emla("status", "--home", idle.fr, "--json").json["parked"] == 1

    retried = emla("queue", "retry", message, "--home", idle.fr)
    assert (retried.status, f"Message {message} is tried again." in retried.out) == (0, True)
    assert emla("status", "--home", idle.fr, "--json").json["parked"] == 0
    assert park(idle.fr) == message
    assert emla("queue", "retry", "--all", "--home", idle.fr, "--json").json["retried"]
    assert park(idle.fr) == message

    given_up = emla(
        *("queue", "discard", parked["job"], "--why", "The case was closed."),
        *("--home", idle.fr, "--json"),
    )
    assert given_up.status == 0
    assert given_up.json["message"]["state"] == "REFUSED"
    assert [each["type"] for each in given_up.json["issued"]] == ["SUBMISSION_REJECTION"]
    assert emla("queue", "list", "--home", idle.fr, "--json").json["parked"] == []
    timeline = status(emla, idle.fr, message)["timeline"]
    assert [line["event"] for line in timeline] == ["accepted", "retried", "retried", "discarded"]


def test_the_audit_log(emla: Invoke, idle: Network) -> None:
    for _ in range(2):
        sent(emla, idle.fr)
    found = emla("audit", "verify", "--home", idle.fr, "--json")
    assert (found.status, found.json["entries"]) == (0, 2)
    end = found.json["end"]
    sent(emla, idle.fr)
    assert emla("audit", "verify", "--home", idle.fr, "--noted", end).status == 0
    assert "noted elsewhere: 3:" in emla("audit", "verify", "--home", idle.fr).out

    other = end[:-1] + ("0" if end[-1] != "0" else "1")
    found = emla("audit", "verify", "--home", idle.fr, "--noted", other, "--json")
    assert (found.status, found.codes) == (1, ["audit.other-log"])
    alter(idle.fr, "DELETE FROM audit WHERE seq >= 2")
    found = emla("audit", "verify", "--home", idle.fr, "--noted", end, "--json")
    assert (found.status, found.codes) == (1, ["audit.cut-off"])
    assert emla("audit", "verify", "--home", idle.fr).status == 0
    alter(idle.fr, "UPDATE audit SET event = 'nothing'")
    found = emla("audit", "verify", "--home", idle.fr, "--json")
    assert (found.status, found.codes) == (1, ["audit.broken"])
    assert "[audit.broken]" in emla("audit", "verify", "--home", idle.fr).out


def alter(home: Path, statement: str) -> None:
    """As somebody with access to the database could."""
    with sqlite3.connect(home / "emla.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            database.execute(f'DROP TRIGGER "{name}"')
        database.execute(statement)


def test_it_cannot_run_where_somebody_else_listens(running: Network) -> None:
    found = run("run", "--home", running.fr, "--json")
    assert (found.status, found.codes) == (2, ["gateway.cannot-listen"])


def test_ctrl_c_ends_it_in_order(idle: Network) -> None:
    process = begin(idle.fr, "--json")
    try:
        until(lambda: list((idle.fr / "intake").glob(".taken")))
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, out
    assert b'"stopped": true' in out
