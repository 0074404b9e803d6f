"""`emla init`: a home that is complete, safe and ready."""

from __future__ import annotations

import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.directory.authorities import load_directory
from connector.settings import load
from connector.signature.keys import load_decryption_key, load_signing_key
from connector.signature.trust import Purpose, TrustStore
from tests.cli.conftest import Invoke, run


def test_a_home_to_begin_with(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    found = run("init", home, "--country", "de")
    assert (found.status, found.err) == (0, "")
    assert "not for production" in found.out
    assert f"emla check --home {home}" in found.out
    checked = run("check", "--home", home, "--json")
    assert (checked.status, checked.json["errors"]) == (0, 0)
    own = load(home).settings.connector
    assert (own.country, own.party) == ("DE", "connector-de")
    assert load_directory(home / "directory.toml").get(own.authority).party == own.party


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_may_read_what_is_secret(emla: Invoke, tmp_path: Path) -> None:
    home = tmp_path / "home"
    emla("init", home, "--country", "BR", "--keys", "p256")
    assert mode(home) == 0o700
    assert mode(home / "emla.toml") == 0o600
    keys = sorted((home / "keys").glob("*.pem"))
    assert [key.name for key in keys if mode(key) != 0o600] == ["transport-certificate.pem"]
    assert b"PRIVATE" not in (home / "keys" / "transport-certificate.pem").read_bytes()


@pytest.mark.parametrize("kind", ["rsa2048", "p256", "p384", "ed25519"])
def test_keys_that_lead_to_the_root(emla: Invoke, tmp_path: Path, kind: str) -> None:
    home = tmp_path / "home"
    assert emla("init", home, "--country", "FR", "--keys", kind).status == 0
    trust = TrustStore.from_folder(home / "trust")
    now = datetime.now(UTC)
    policy = load_policy_default()
    for purpose in ("signature", "seal", "evidence", "transport"):
        key = load_signing_key(home / "keys" / f"{purpose}.pem")
        trust.validate(key.certificate, key.intermediates, now, policy)
        assert "not for production" in key.certificate.issuer.rfc4514_string()
    transport = load_decryption_key(home / "keys" / "transport.pem")
    trust.validate(transport.certificate, key.intermediates, now, policy, Purpose.ENCRYPTION)


def load_policy_default():  # type: ignore[no-untyped-def]
    from connector.signature.algorithms import AlgorithmPolicy

    return AlgorithmPolicy()


def test_nothing_is_overwritten(emla: Invoke, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()  # an empty folder is no home yet
    assert emla("init", home, "--country", "DE", "--keys", "p256").status == 0
    before = {p: p.read_bytes() for p in home.rglob("*") if p.is_file()}
    found = emla("init", home, "--country", "FR", "--json")
    assert (found.status, found.codes) == (2, ["home.exists"])
    assert {p: p.read_bytes() for p in home.rglob("*") if p.is_file()} == before
    file = tmp_path / "file"
    file.write_text("x")
    assert emla("init", file, "--country", "FR", "--json").codes == ["home.exists"]


def test_all_or_nothing(emla: Invoke, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from connector.homes import creation

    def fails(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(creation, "write_key", fails)
    found = emla("init", tmp_path / "home", "--country", "DE", "--keys", "p256", "--json")
    assert (found.status, found.codes) == (2, ["home.cannot-make"])
    assert list(tmp_path.iterdir()) == []


def test_what_is_asked_for(emla: Invoke, tmp_path: Path) -> None:
    home = tmp_path / "home"
    found = emla(
        *("init", home, "--country", "XK", "--party", 'party "ä"', "--name", "Name \\ \t x"),
        *("--authority", "urn:x:1", "--authority-name", "Authority “Ü”", "--listen", "[::1]:9000"),
        *("--format", "register-csv", "--keys", "none", "--json"),
    )
    assert found.status == 0
    settings = load(home).settings
    assert settings.connector.party == 'party "ä"'
    assert settings.connector.name == "Name \\ \t x"
    assert settings.gateway.listen == "[::1]:9000"
    assert settings.delivery.format == "register-csv"
    directory = load_directory(home / "directory.toml")
    assert directory.get("urn:x:1").name("en") == "Authority “Ü”"
    assert not list((home / "keys").iterdir())


@pytest.mark.parametrize(("country", "expected"), [("FR", "case-json"), ("BR", "register-csv")])
def test_the_format_of_the_country(
    emla: Invoke, tmp_path: Path, country: str, expected: str
) -> None:
    found = emla("init", tmp_path / "home", "--country", country, "--keys", "none", "--json")
    assert found.json["format"] == expected
