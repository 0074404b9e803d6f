"""`emla run` as an operator meets it: started, stopped, killed, started where it cannot run."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from connector.runtime.assembly import assemble
from connector.settings import Home
from gateway_client.as4.endpoint import as4_app
from tests.as4.access_points import serving
from tests.network import homes, sample, shipped_formats
from tests.runtime.running import Slow, can_bind, health, running, states, until


@contextmanager
def slow_partner(home: Home, inbox: Slow) -> Iterator[None]:
    """BR's endpoint, with a receiver that takes its time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("connector.runtime.assembly.home_formats", lambda _: shipped_formats())
        own = assemble(home)
    app = as4_app(own.pmodes, own.transport, own.decryption, inbox)
    try:
        with serving(app, int(home.settings.gateway.listen.rpartition(":")[2])):
            yield
    finally:
        own.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_told_to_stop_it_finishes_the_message_in_hand(tmp_path: Path, workers: int) -> None:
    made = homes(tmp_path, "DE", "BR", common={"run": {"workers": workers}})
    inbox = Slow(seconds=2.0)
    with slow_partner(made["BR"], inbox), running(made["DE"]) as run:
        assert health(made["DE"]) == {"status": "up"}
        file = made["DE"].folder / "intake" / "a.xml"
        file.write_bytes(sample("emergency-request"))
        until(lambda: inbox.begun)
        assert states(made["DE"]) == {"SEALED": 1}
        family = run.children()
        assert run.stop() == 0
        # The receipt came after the signal, and was still written down; and it was sent once.
        assert states(made["DE"]) == {"SUBMITTED": 1}
        assert len(inbox.begun) == 1
        assert run.events()[-2:] == ["run.draining", "run.stopped"]
        until(lambda: not [each for each in family if _lives(each)], 10)
        assert can_bind(run.address)
        scratch = made["DE"].folder / "payloads" / "scratch"
        assert [p.name for p in scratch.iterdir()] == ["claim.lock"]


def test_a_second_start_goes_on_where_the_first_was_killed(tmp_path: Path) -> None:
    """SIGKILL to the main process in the middle of a message: its workers end, nothing is lost."""
    made = homes(tmp_path, "DE", "BR", common={"run": {"workers": 2}, "queue": {"lease": "1s"}})
    inbox = Slow(seconds=1.0)
    with slow_partner(made["BR"], inbox):
        with running(made["DE"]) as run:
            (made["DE"].folder / "intake" / "a.xml").write_bytes(sample("emergency-request"))
            until(lambda: inbox.begun)
            family = run.children()
            assert len(family) >= 2
            run.process.kill()
            run.process.wait()
            until(lambda: not [p for p in family if _lives(p)], 20)
        with running(made["DE"]) as run:
            until(lambda: states(made["DE"]) == {"SUBMITTED": 1})
            assert run.stop() == 0
    assert len(inbox.messages) == 1


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_the_port_is_in_use(tmp_path: Path) -> None:
    home = homes(tmp_path, "DE", "BR")["DE"]
    host, _, port = home.settings.gateway.listen.rpartition(":")
    with socket.create_server((host, int(port))), running(home, ready=False) as run:
        assert run.process.wait(60) == 2
        said = run.log.read_text("utf-8")
    assert f"cannot listen on {host}:{port}" in said and "Address already in use" in said
    assert "Stop what uses the port" in said and "Traceback" not in said
    scratch = home.folder / "payloads" / "scratch"
    assert [p.name for p in scratch.iterdir()] == ["claim.lock"]
