"""A connector inside a process: starts, stops, keeps its workers, leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
import tomli_w
import urllib3

from connector.errors import ConnectorError, Kind
from connector.runtime import watch
from connector.runtime.listening import listen
from connector.runtime.service import Service
from connector.settings import FILE_NAME, Home, load
from tests.network import homes, plain_logs, sample, shipped_formats
from tests.runtime.running import can_bind, health, until

plain_logs()


@contextmanager
def service(home: Home) -> Iterator[Service]:
    with patch("connector.runtime.assembly.home_formats", lambda _: shipped_formats()):
        made = Service(home)
    try:
        yield made
    finally:
        made.stop()


def address(home: Home) -> tuple[str, int]:
    host, _, port = home.settings.gateway.listen.rpartition(":")
    return host, int(port)


def test_started_and_stopped_it_leaves_nothing(tmp_path: Path) -> None:
    home = homes(tmp_path, "DE", "BR")["DE"]
    before = set(threading.enumerate())
    with service(home) as running:
        running.start()
        assert health(home) == {"status": "up"}
        assert running.worker_pids == []
        started = time.monotonic()
        running.stop()
        assert time.monotonic() - started < 5
    until(lambda: not [t for t in set(threading.enumerate()) - before if t.is_alive()], 5)
    assert can_bind(address(home))


def test_two_connectors_in_one_process_exchange_a_request(tmp_path: Path) -> None:
    made = homes(tmp_path, "DE", "BR")
    with service(made["DE"]) as de, service(made["BR"]) as br:
        de.start()
        br.start()
        (made["DE"].folder / "intake" / "a.xml").write_bytes(sample("emergency-request"))
        until(lambda: de.assembly.store.counts().get("DELIVERED"))
        (folder,) = [
            p for p in (made["BR"].folder / "delivered").iterdir() if (p / "READY").exists()
        ]
        (folder / "READY").unlink()
        until(lambda: de.assembly.store.counts().get("RETRIEVED"))
        assert br.assembly.store.counts()["FETCHED"] == 1


def test_a_port_in_use_is_told_and_everything_is_closed(tmp_path: Path) -> None:
    home = homes(tmp_path, "DE", "BR")["DE"]
    taken = listen(home.settings.gateway.listen)
    before = set(threading.enumerate())
    try:
        with service(home) as running:
            with pytest.raises(ConnectorError) as caught:
                running.start()
            assert caught.value.code == "gateway.cannot-listen"
            assert caught.value.kind is Kind.CONFIGURATION
            assert caught.value.kind.exit_status == 2
            assert caught.value.problems[0].path == "gateway.listen"
            until(lambda: not [t for t in set(threading.enumerate()) - before if t.is_alive()], 5)
    finally:
        taken.close()


def changed(home: Home, **sections: dict[str, Any]) -> Home:
    """The home with other settings."""
    file = home.folder / FILE_NAME
    settings = tomllib.loads(file.read_text("utf-8"))
    for name, values in sections.items():
        settings[name] = {**settings.get(name, {}), **values}
    file.write_text(tomli_w.dumps(settings), "utf-8")
    return load(home.folder)


def test_tls(tmp_path: Path) -> None:
    """A certificate that cannot be used is told of; a good one is shown."""
    home = homes(tmp_path, "DE", "BR")["DE"]
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with service(changed(home, gateway={"tls_certificate": {"file": str(bad)}})) as running:
        with pytest.raises(ConnectorError) as caught:
            running.start()
        assert caught.value.code == "gateway.tls" and str(bad) in str(caught.value)

    good = tmp_path / "good.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    subprocess.run(
        [*command, "-keyout", str(good), "-out", str(tmp_path / "cert.pem")],
        check=True,
        capture_output=True,
    )
    good.write_bytes(good.read_bytes() + (tmp_path / "cert.pem").read_bytes())
    good.chmod(0o600)
    home = changed(home, gateway={"tls_certificate": {"file": str(good)}})
    with service(home) as running:
        running.start()
        assert health(home, "https", ca_certs=str(tmp_path / "cert.pem")) == {"status": "up"}
        with pytest.raises(urllib3.exceptions.HTTPError):
            health(home)


@pytest.mark.parametrize(
    "where",
    [
        "localhost",
        "127.0.0.1:",
        "127.0.0.1:x",
        "127.0.0.1:70000",
        "203.0.113.9:1",
        "no.such.host.invalid:80",
    ],
)
def test_where_nobody_can_listen(where: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        listen(where)
    assert caught.value.code == "gateway.cannot-listen" and where in str(caught.value)


@pytest.mark.parametrize("where", ["127.0.0.1:0", "[::1]:0"])
def test_where_one_can(where: str) -> None:
    try:
        listen(where).close()
    except ConnectorError as error:
        if "[::1]" in where:
            pytest.skip(f"no IPv6 here: {error}")
        raise


def test_a_worker_that_is_killed_is_replaced(tmp_path: Path) -> None:
    made = homes(
        tmp_path, "DE", "BR", common={"queue": {"lease": "1s"}}, DE={"run": {"workers": 2}}
    )
    with service(made["DE"]) as de, service(made["BR"]) as br:
        de.start()
        br.start()
        first = de.worker_pids
        assert len(first) == 2
        os.kill(first[0], signal.SIGKILL)  # as the kernel does when memory runs out
        os.kill(first[1], signal.SIGTERM)  # as an operator may
        until(lambda: not set(first) & set(de.worker_pids), 20)
        (made["DE"].folder / "intake" / "a.xml").write_bytes(sample("emergency-request"))
        until(lambda: de.assembly.store.counts().get("DELIVERED"))
        last = de.worker_pids
    until(lambda: not [pid for pid in last if _lives(pid)], 10)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


# --- What is done again and again ----------------------------------------------------------------


def test_a_failure_is_tried_less_and_less_often_until_it_works() -> None:
    stop, pauses, results = threading.Event(), [], [0, 3, RuntimeError("a defect"), 0]

    class Stop:
        def is_set(self) -> bool:
            return stop.is_set()

        def wait(self, pause: float) -> None:
            pauses.append(round(pause, 1))

    def work() -> int:
        if not results:
            stop.set()
            raise RuntimeError("the last one")
        now = results.pop(0)
        if isinstance(now, Exception):
            raise now
        return now

    watch.repeat("test", work, Stop(), every=1.0, at_most=3.0)  # type: ignore[arg-type]
    # Nothing found; something found, so at once again; failed, so twice as long; nothing found.
    assert pauses == [1.0, 0.0, 2.0, 1.0, 2.0]
