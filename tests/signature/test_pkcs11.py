"""Keys in a token: SoftHSM in the place of an HSM."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pkcs11
import pytest
from cryptography.hazmat.primitives import serialization as ser

from connector.errors import ConnectorError, Kind
from connector.signature import xades
from connector.signature.algorithms import (
    RSA_PSS_SHA256,
    RSA_PSS_SHA512,
    RSA_SHA384,
    AlgorithmPolicy,
)
from connector.signature.key_sources import (
    is_file,
    open_decryption_key,
    open_signing_key,
)
from connector.signature.keys import SigningKey, wrap
from connector.signature.pkcs11_keys import (
    Pkcs11Key,
    load_pkcs11_decryption_key,
    load_pkcs11_key,
)
from connector.signature.pki import KeyType
from connector.xml import parse
from tests.signature.conftest import made
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.test_xades import REQUEST

POLICY = AlgorithmPolicy()
PIN = "4711"
KINDS = [
    KeyType.RSA_2048, KeyType.P256, KeyType.P384, KeyType.P521, KeyType.ED25519,
]  # fmt: skip


def library() -> str:
    for path in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/local/lib/softhsm/libsofthsm2.so"):
        if Path(path).exists():
            return path
    pytest.skip("SoftHSM is not installed (apt install softhsm2)")


@pytest.fixture(scope="module")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A token with a key of each kind, its certificate beside it."""
    module = library()
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder / 'tokens'}\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    util = shutil.which("softhsm2-util") or "softhsm2-util"
    run = lambda *arguments: subprocess.run(  # noqa: E731
        [util, *arguments], check=True, capture_output=True, text=True
    )
    run("--init-token", "--free", "--label", "emla", "--so-pin", "1234", "--pin", PIN)
    for number, kind in enumerate(KINDS, 1):
        key = made(kind).key
        path = folder / "key.pem"
        path.write_bytes(
            key.private.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
        )
        run(
            "--import", str(path), "--token", "emla", "--label", kind, "--id", f"{number:02d}",
            "--pin", PIN,
        )  # fmt: skip
        path.unlink()
    with pkcs11.lib(module).get_token(token_label="emla").open(rw=True, user_pin=PIN) as session:
        for number, kind in enumerate(KINDS, 1):
            put(session, made(kind).key, bytes([int(f"{number:02d}", 16)]), str(kind))
    yield module
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def put(session: pkcs11.Session, key: SigningKey, identity: bytes, label: str) -> None:
    for certificate, own in ((key.certificate, identity), (key.intermediates[0], b"")):
        session.create_object(
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.CERTIFICATE_TYPE: pkcs11.CertificateType.X_509,
                pkcs11.Attribute.TOKEN: True,
                pkcs11.Attribute.ID: own,
                pkcs11.Attribute.LABEL: label,
                pkcs11.Attribute.SUBJECT: certificate.subject.public_bytes(),
                pkcs11.Attribute.VALUE: certificate.public_bytes(ser.Encoding.DER),
            }
        )


def uri(module: str, label: str) -> str:
    return f"pkcs11:token=emla;object={label}?module-path={module}"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_signs(token: str, kind: KeyType) -> None:
    key = load_pkcs11_key(Pkcs11Key.from_uri(uri(token, kind), PIN))
    pki = made(kind)
    assert key.certificate == pki.key.certificate
    assert key.intermediates == pki.key.intermediates
    signed = xades.sign_enveloped(parse(REQUEST), key, NOW)
    found = xades.verify_enveloped(parse(signed), pki.trust, POLICY, NOW)
    assert found.signature_method == pki.key.algorithm


@pytest.mark.parametrize("method", [RSA_SHA384, RSA_PSS_SHA256, RSA_PSS_SHA512])
def test_other_methods(token: str, method: str) -> None:
    key = load_pkcs11_key(Pkcs11Key.from_uri(uri(token, "rsa2048"), PIN))
    signed = xades.sign_enveloped(parse(REQUEST), key, NOW, signature_method=method)
    trust = made(KeyType.RSA_2048).trust
    assert xades.verify_enveloped(parse(signed), trust, POLICY, NOW).signature_method == method


def test_as_the_settings_name_it(token: str) -> None:
    location = uri(token, "p256")
    assert not is_file(location) and is_file("keys/signature.pem")
    key = open_signing_key(location, PIN.encode())
    assert key.certificate == made(KeyType.P256).key.certificate
    with refused("key.wrong-pin", Kind.CONFIGURATION):
        open_signing_key(location, b"\xff")
    with refused("key.unknown-type", Kind.CONFIGURATION):
        open_decryption_key(location, PIN.encode())


def test_by_id(token: str) -> None:
    where = Pkcs11Key.from_uri(f"pkcs11:token=emla;id=%02?module-path={token}", PIN)
    assert load_pkcs11_key(where).certificate == made(KeyType.P256).key.certificate


def test_content_keys(token: str) -> None:
    with refused("key.unknown-type", Kind.CONFIGURATION):
        load_pkcs11_decryption_key(Pkcs11Key.from_uri(uri(token, "p256"), PIN))
    key = load_pkcs11_decryption_key(Pkcs11Key.from_uri(uri(token, "rsa2048"), PIN))
    wrapped = wrap(b"k" * 16, key.certificate)
    try:
        assert key.unwrap(wrapped) == b"k" * 16
    except ConnectorError as error:
        assert error.code == "key.device"
        pytest.skip("this SoftHSM knows OAEP with SHA-1 only")


def test_many_threads(token: str) -> None:
    key = load_pkcs11_key(Pkcs11Key.from_uri(uri(token, "p256"), PIN))

    def sign(number: int) -> bytes:
        return xades.sign_enveloped(parse(b"<a>%d</a>" % number), key, NOW)

    with ThreadPoolExecutor(8) as pool:
        for signed in pool.map(sign, range(40)):
            xades.verify_enveloped(parse(signed), made(KeyType.P256).trust, POLICY, NOW)


def test_a_lost_session_is_opened_anew(token: str) -> None:
    key = load_pkcs11_key(Pkcs11Key.from_uri(uri(token, "p256"), PIN))
    key.sign(b"once")
    session = key.private._device._token._session  # type: ignore[union-attr]
    session.close()
    assert key.sign(b"twice")


def test_the_key_stays_where_it_is(token: str) -> None:
    key = load_pkcs11_key(Pkcs11Key.from_uri(uri(token, "p256"), PIN))
    with refused("key.not-exportable", Kind.CONFIGURATION):
        key.private.private_bytes(ser.Encoding.PEM, ser.PrivateFormat.PKCS8, ser.NoEncryption())
    assert PIN not in repr(Pkcs11Key.from_uri(uri(token, "p256"), PIN))


def test_wrong_settings(token: str, tmp_path: Path) -> None:
    for where, code in (
        (Pkcs11Key.from_uri(uri(token, "nobody"), PIN), "key.missing"),
        (Pkcs11Key.from_uri(uri(token, "p256").replace("emla", "other"), PIN), "key.no-token"),
        (Pkcs11Key.from_uri(uri(str(tmp_path / "no.so"), "p256"), PIN), "key.no-module"),
    ):
        with refused(code, Kind.CONFIGURATION):
            load_pkcs11_key(where)
    for text in ("pkcs11:token=x", "pkcs11:object=x?module-path=y", "file:x",
                 "pkcs11:token=x?module-path=y"):  # fmt: skip
        with refused("key.malformed-uri", Kind.CONFIGURATION):
            Pkcs11Key.from_uri(text, PIN)


def test_a_wrong_pin(token: str) -> None:
    """In a process of its own: in this one, the token is open already."""
    code = (
        "from connector.signature.pkcs11_keys import *\n"
        f"load_pkcs11_key(Pkcs11Key.from_uri({uri(token, 'p256')!r}, '0000'))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "key.wrong-pin" in done.stderr
