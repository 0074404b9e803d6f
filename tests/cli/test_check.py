"""`emla check`: every fault of a home is told, all at once, with what to do."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature.pki import Authority, KeyType, write_key
from tests.cli.conftest import Invoke, Result, run

NOW = datetime.now(UTC)


@pytest.fixture(scope="session")
def good(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which nothing is wrong."""
    home = tmp_path_factory.mktemp("good") / "home"
    assert run("init", home, "--country", "BR", "--keys", "p256").status == 0
    return home


@pytest.fixture
def home(good: Path, tmp_path: Path) -> Path:
    """A copy of it, to be spoilt."""
    return Path(shutil.copytree(good, tmp_path / "home"))


def told(found: Result, what: str = "problems") -> dict[str, dict[str, Any]]:
    """Problems or warnings by code, with the aspect that they are of."""
    return {
        problem["code"]: {**problem, "aspect": aspect["name"]}
        for aspect in found.json["aspects"]
        for problem in aspect[what]
    }


def edit(home: Path, old: str, new: str) -> None:
    settings = home / "emla.toml"
    text = settings.read_text("utf-8")
    assert old in text
    settings.write_text(text.replace(old, new), "utf-8")


def add(home: Path, text: str) -> None:
    with (home / "emla.toml").open("a", encoding="utf-8") as file:
        file.write("\n" + text)


def test_a_good_home(emla: Invoke, home: Path) -> None:
    before = sorted(home.rglob("*"))
    found = emla("check", "--home", home, "--json")
    assert found.status == 0
    assert set(told(found, "warnings")) == {"key.self-made", "partner.none"}
    assert sorted(home.rglob("*")) == before  # nothing was made
    text = emla("check", "--home", home)
    assert "Ready to run: 0 errors, 2 warnings." in text.out


def test_the_current_folder_and_the_environment(
    emla: Invoke, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    found = emla("check", "--json")
    assert found.status == 2
    assert told(found)["settings.missing"]["mend"].startswith("Make a home with `emla init")
    monkeypatch.setenv("EMLA_HOME", str(home))
    assert emla("check", "--json").status == 0
    monkeypatch.delenv("EMLA_HOME")
    monkeypatch.chdir(home)
    assert emla("check", "--json").status == 0
    monkeypatch.setenv("EMLA_QUEUE__URL", "ftp://nowhere")
    assert set(told(emla("check", "--json"))) == {"queue.url"}


def test_all_that_is_wrong_with_the_settings(emla: Invoke, home: Path) -> None:
    edit(home, 'country = "BR"', 'country = "Brazil"\ncolour = "red"')
    edit(home, "# settle = ", "settle = 'soon'\n# ")
    found = emla("check", "--home", home, "--json")
    problems = found.json["aspects"][0]["problems"]
    assert found.status == 2
    assert {p["path"] for p in problems} == {
        "connector.country",
        "connector.colour",
        "intake.settle",
    }
    (home / "emla.toml").write_bytes(b"[connector\n")
    assert set(told(emla("check", "--home", home, "--json"))) == {"settings.malformed"}


def wrong_password(home: Path) -> None:
    edit(home, '{ file = "keys/seal.pem" }', '{ file = "keys/seal.pem", password_file = "pw" }')


def expired(home: Path) -> None:
    replace_key(home, "evidence", not_after=NOW - timedelta(hours=1))


def not_yet_valid(home: Path) -> None:
    replace_key(home, "evidence", not_before=NOW + timedelta(hours=1))


def replace_key(home: Path, purpose: str, **more: Any) -> None:
    root = Authority.root("Root", NOW, key_type=KeyType.P256)
    key = root.issue("Key", NOW, **{"key_type": KeyType.P256, **more})
    file = home / "keys" / f"{purpose}.pem"
    file.unlink()
    write_key(file, key)


def other_certificate(home: Path) -> None:
    """The private key of one, the certificate of another."""
    seal, signature = home / "keys" / "seal.pem", home / "keys" / "signature.pem"
    private = seal.read_bytes().partition(b"-----BEGIN CERTIFICATE")[0]
    certificates = signature.read_bytes().partition(b"-----BEGIN CERTIFICATE")
    seal.write_bytes(private + certificates[1] + certificates[2])


def partner(home: Path, endpoint: str = "https://127.0.0.1:1/as4", **more: str) -> None:
    root = Authority.root("Partner's root", NOW, key_type=KeyType.P256)
    key = root.issue("Partner", NOW, key_type=KeyType.RSA_2048, encipherment=True)
    (home / "partners" / "p.pem").write_bytes(key.certificate.public_bytes(Encoding.PEM))
    fields = {"country": "FR", "party": "connector-fr", "endpoint": endpoint}
    fields |= {"certificate": "partners/p.pem", **more}
    add(home, "[[partner]]\n" + "\n".join(f'{n} = "{v}"' for n, v in fields.items()))


def newer_store(home: Path) -> None:
    with sqlite3.connect(home / "emla.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num TEXT)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")


ERRORS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "key.missing": ("keys", lambda h: (h / "keys" / "seal.pem").unlink()),
    "key.readable-by-others": ("keys", lambda h: (h / "keys" / "seal.pem").chmod(0o640)),
    "key.unreadable": ("keys", lambda h: (h / "keys" / "seal.pem").write_text("x")),
    "key.password-file": ("keys", wrong_password),
    "key.no-certificate": ("keys", other_certificate),
    "key.unknown-type": ("keys", lambda h: replace_key(h, "transport", encipherment=True)),
    "certificate.expired": ("keys", expired),
    "certificate.not-yet-valid": ("keys", not_yet_valid),
    "certificate.wrong-usage": (
        "keys",
        lambda h: replace_key(h, "seal", signature=False, encipherment=True),
    ),
    "trust.empty": ("trust", lambda h: (h / "trust" / "self-made-root.pem").unlink()),
    "trust.missing": ("trust", lambda h: shutil.rmtree(h / "trust")),
    "trust.unreadable": ("trust", lambda h: (h / "trust" / "x.pem").write_text("x")),
    "policy.missing": ("policy", lambda h: edit(h, "# policy =", "policy =")),
    "directory.unreadable": ("directory", lambda h: (h / "directory.toml").write_text("x")),
    "directory.unknown-authority": (
        "directory",
        lambda h: edit(h, 'authority = "urn:emla:authority:br:central"', 'authority = "urn:x"'),
    ),
    "mapping.folder-missing": ("formats", lambda h: edit(h, "# mappings =", "mappings =")),
    "translation.no-such-format": (
        "formats",
        lambda h: edit(h, 'format = "register-csv"', 'format = "no-such"'),
    ),
    "partner.certificate": ("partners", lambda h: partner(h, certificate="partners/none.pem")),
    "partner.endpoint": ("partners", lambda h: partner(h, endpoint="smtp://x")),
    "partner.own-party": ("partners", lambda h: partner(h, party="connector-br")),
    "store.newer-schema": ("store", newer_store),
    "store.damaged": ("store", lambda h: (h / "emla.db").write_bytes(b"no database" * 100)),
    "store.url": ("store", lambda h: edit(h, '# url = "sqlite', 'url = "mysql://x/y"\n# "')),
    "queue.url": ("queue", lambda h: edit(h, '# url = "embedded"', 'url = "kafka://x"')),
    "gateway.listen": (
        "gateway",
        lambda h: edit(h, 'listen = "127.0.0.1:8080"', 'listen = "8080"'),
    ),
    "gateway.cannot-listen": (
        "gateway",
        lambda h: edit(h, 'listen = "127.0.0.1:8080"', 'listen = "192.0.2.1:8080"'),
    ),
    "settings.invalid": ("gateway", lambda h: edit(h, '# kind = "as4"', 'kind = "domibus"')),
    "folders.not-writable": ("folders", lambda h: make_file(h / "intake")),
    "folders.same": ("folders", lambda h: edit(h, '# refused = "', 'refused = "accepted"\n# "')),
}


def make_file(folder: Path) -> None:
    folder.rmdir()
    folder.write_text("no folder")


@pytest.mark.parametrize("code", ERRORS)
def test_one_fault(emla: Invoke, home: Path, code: str) -> None:
    aspect, spoil = ERRORS[code]
    spoil(home)
    found = emla("check", "--home", home, "--json", "--offline")
    assert found.status == 2
    problems = told(found)
    assert set(problems) == {code}
    assert problems[code]["aspect"] == aspect
    assert problems[code].get("file") or problems[code].get("path")


def test_everything_at_once(emla: Invoke, home: Path) -> None:
    for code in ("key.missing", "trust.empty", "directory.unreadable", "queue.url", "folders.same"):
        ERRORS[code][1](home)
    found = emla("check", "--home", home, "--json", "--offline")
    assert set(told(found)) >= {
        "key.missing",
        "trust.empty",
        "directory.unreadable",
        "queue.url",
        "folders.same",
    }
    text = emla("check", "--home", home, "--offline")
    assert (text.status, "Not ready: " in text.out) == (2, True)
    assert all(f"[{code}]" in text.out for code in told(found))


@pytest.fixture
def listener() -> Iterator[int]:
    """A port at which somebody takes connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_warnings(emla: Invoke, home: Path, listener: int) -> None:
    replace_key(home, "evidence", not_after=NOW + timedelta(days=10))
    partner(home, endpoint="http://192.0.2.1:9/as4")
    edit(home, 'listen = "127.0.0.1:8080"', f'listen = "127.0.0.1:{listener}"')
    edit(home, "# policy =", "policy =")
    (home / "policy.toml").write_text('permit = ["sha1"]\n')
    edit(home, '# url = "embedded"', 'url = "amqp://user:secret@127.0.0.1:1/"')
    os.chmod(home / "emla.toml", 0o644)
    found = emla("check", "--home", home, "--json", "--offline")
    assert found.status == 0
    assert set(told(found, "warnings")) == {
        "certificate.expires-soon",
        "directory.party-without-authority",
        "gateway.port-in-use",
        "key.self-made",
        "partner.no-tls",
        "partner.not-trusted",
        "policy.weak",
        "settings.readable-by-others",
    }
    assert "secret" not in found.out
    few = emla("check", "--home", home, "--json", "--offline", "--days", "5")
    assert "certificate.expires-soon" not in told(few, "warnings")


def test_who_is_there(emla: Invoke, home: Path, listener: int) -> None:
    partner(home, endpoint=f"https://127.0.0.1:{listener}/as4")
    partner(home, party="connector-it")
    found = emla("check", "--home", home, "--json")
    assert found.status == 0
    unreachable = told(found, "warnings")["partner.unreachable"]
    assert "connector-it" in unreachable["what"]
    assert unreachable["path"] == "partner.1.endpoint"


def test_a_broker_that_is_down_may_come_back(emla: Invoke, home: Path) -> None:
    edit(home, '# url = "embedded"', 'url = "amqp://user:secret@127.0.0.1:1/"')
    found = emla("check", "--home", home, "--json")
    assert found.status == 3
    assert set(told(found)) == {"queue.down"}
    assert "secret" not in found.out
    edit(home, '# kind = "as4"', 'kind = "domibus"\ndomibus_url = "http://127.0.0.1:1/"')
    found = emla("check", "--home", home, "--json")
    assert (found.status, set(told(found))) == (3, {"queue.down", "gateway.unreachable"})
    (home / "keys" / "seal.pem").unlink()
    assert emla("check", "--home", home, "--json").status == 2


@pytest.mark.rabbitmq
def test_a_broker_that_is_there(emla: Invoke, home: Path, amqp_url: str) -> None:
    edit(home, '# url = "embedded"', f'url = "{amqp_url}"')
    assert emla("check", "--home", home, "--json").status == 0


@pytest.mark.postgresql
def test_a_postgresql(emla: Invoke, home: Path, postgresql_url: str) -> None:
    edit(home, '# url = "sqlite', f'url = "{postgresql_url}"\n# "')
    found = emla("check", "--home", home, "--json")
    assert found.status == 0
    assert "brought up to date" in found.out
    edit(home, postgresql_url, postgresql_url.rpartition("/")[0] + "/no_such_database")
    assert set(told(emla("check", "--home", home, "--json"))) == {"store.refused"}
