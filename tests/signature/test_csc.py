"""Keys at a remote signing service: a small one, over real HTTP on loopback."""

from __future__ import annotations

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from asn1crypto import algos
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils

from connector.errors import Kind
from connector.signature import xades
from connector.signature.algorithms import (
    RSA_PSS_SHA256,
    RSA_PSS_SHA384,
    RSA_SHA512,
    AlgorithmPolicy,
)
from connector.signature.csc_keys import CscSettings, load_csc_key
from connector.signature.fetching import HttpFetcher, Timeouts
from connector.signature.key_sources import open_decryption_key, open_signing_key
from connector.signature.keys import DecryptionKey, SigningKey
from connector.signature.pki import KeyType
from connector.xml import parse
from tests.signature.conftest import made
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.test_xades import REQUEST

POLICY = AlgorithmPolicy()
HASHES = {
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}


@dataclass
class Service:
    """A signing service as the specification describes it, with one credential."""

    key: SigningKey
    url: str = ""
    pin: str = "1234"
    tokens: list[str] = field(default_factory=list)
    sads: dict[str, list[str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    fault: str = ""

    def answer(self, path: str, authorization: str, body: bytes) -> tuple[int, Any]:
        self.asked.append(path)
        if path == "/oauth2/token":
            form = parse_qs(body.decode())
            if form.get("client_secret") != ["hush"]:
                return 401, {"error": "invalid_client"}
            self.tokens.append(f"token-{len(self.tokens)}")
            return 200, {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 600}
        if authorization.removeprefix("Bearer ") not in self.tokens:
            return 401, {"error": "invalid_token"}
        asked = json.loads(body)
        if asked["credentialID"] != "credential-1":
            return 400, {"error": "invalid_request", "error_description": "Unknown credential"}
        match path.removeprefix("/csc/v2/"):
            case "credentials/info":
                return 200, self.info()
            case "credentials/authorize":
                if asked["authData"] != [{"id": "PIN", "value": self.pin}]:
                    return 403, {"error": "invalid_pin"}
                sad = f"sad-{len(self.sads)}"
                self.sads[sad] = asked["hashes"]
                return 200, {"SAD": sad, "expiresIn": 60}
            case "signatures/signHash":
                if self.sads.pop(asked.get("SAD", ""), None) != asked["hashes"]:
                    return 400, {"error": "invalid_request", "error_description": "Bad SAD"}
                return 200, {"signatures": [b64encode(self.signed(asked)).decode()]}
        return 404, {}

    def info(self) -> dict[str, Any]:
        chain = [b64encode(der).decode() for der in self.key.certificates]
        return {
            "key": {"status": "disabled" if self.fault == "disabled" else "enabled", "algo": []},
            "cert": {"status": "valid", "certificates": [] if self.fault == "bare" else chain},
            "multisign": 1,
            "SCAL": "2",
        }

    def signed(self, asked: dict[str, Any]) -> bytes:
        digest = b64decode(asked["hashes"][0])
        if self.fault == "wrong":
            digest = bytes(len(digest))
        algorithm = utils.Prehashed(HASHES[asked["hashAlgorithmOID"]])
        private = self.key.private
        if isinstance(private, ec.EllipticCurvePrivateKey):
            value = private.sign(digest, ec.ECDSA(algorithm))
            if self.fault != "raw":
                return value
            size = (private.curve.key_size + 7) // 8
            return b"".join(n.to_bytes(size, "big") for n in utils.decode_dss_signature(value))
        assert isinstance(private, rsa.RSAPrivateKey)
        if asked["signAlgo"] == "1.2.840.113549.1.1.10":
            parameters = algos.RSASSAPSSParams.load(b64decode(asked["signAlgoParams"]))
            hashed = HASHES[parameters["hash_algorithm"]["algorithm"].dotted]
            salt = parameters["salt_length"].native
            return private.sign(digest, padding.PSS(padding.MGF1(hashed), salt), algorithm)
        return private.sign(digest, padding.PKCS1v15(), algorithm)


@pytest.fixture(scope="module")
def running() -> Iterator[list[Service]]:
    current: list[Service] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service = current[-1]
            status, answer = service.answer(self.path, self.headers.get("Authorization", ""), body)
            data = b"words" if service.fault == "words" else json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    current.append(Service(made(KeyType.P256).key, f"http://127.0.0.1:{server.server_port}"))
    yield current
    server.shutdown()
    thread.join()
    server.server_close()


def serving(running: list[Service], kind: KeyType, fault: str = "") -> Service:
    running.append(Service(made(kind).key, running[0].url, fault=fault))
    return running[-1]


def settings(service: Service, **how: Any) -> CscSettings:
    given = {
        "url": service.url + "/",
        "credential": "credential-1",
        "client_id": "emla",
        "client_secret": "hush",
        "pin": "1234",
    }
    return CscSettings(**given | how)


def load(service: Service, **how: Any) -> SigningKey:
    fetcher = HttpFetcher(Timeouts(connect=1, read=2, total=4))
    return load_csc_key(settings(service, **how), fetcher)


@pytest.mark.parametrize(
    ("kind", "method"),
    [
        (KeyType.P256, None),
        (KeyType.P384, None),
        (KeyType.RSA_2048, None),
        (KeyType.RSA_2048, RSA_SHA512),
        (KeyType.RSA_2048, RSA_PSS_SHA256),
        (KeyType.RSA_2048, RSA_PSS_SHA384),
    ],
)
def test_signatures(running: list[Service], kind: KeyType, method: str | None) -> None:
    service = serving(running, kind)
    key = load(service)
    assert key.certificate == service.key.certificate
    assert key.intermediates == service.key.intermediates
    for _ in range(2):
        signed = xades.sign_enveloped(parse(REQUEST), key, NOW, signature_method=method)
        found = xades.verify_enveloped(parse(signed), made(kind).trust, POLICY, NOW)
        assert found.signature_method == method or method is None
    assert service.asked.count("/oauth2/token") == 1
    assert service.asked.count("/csc/v2/credentials/authorize") == 2


def test_values_as_two_numbers(running: list[Service]) -> None:
    key = load(serving(running, KeyType.P256, "raw"))
    signed = xades.sign_enveloped(parse(REQUEST), key, NOW)
    xades.verify_enveloped(parse(signed), made(KeyType.P256).trust, POLICY, NOW)


def test_a_token_that_was_withdrawn(running: list[Service]) -> None:
    service = serving(running, KeyType.P256)
    key = load(service)
    service.tokens = ["another", "and another"]
    assert key.sign(b"data")


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ({"client_secret": "wrong"}, "web.unauthorized"),
        ({"credential": "other"}, "web.refused"),
    ],
)
def test_the_service_does_not_know_us(
    running: list[Service], how: dict[str, str], code: str
) -> None:
    kind = Kind.CONFIGURATION if code == "web.unauthorized" else Kind.TRANSIENT
    wanted = "key.service-refused" if code == "web.unauthorized" else code
    with refused(wanted, kind):
        load(serving(running, KeyType.P256), **how)


def test_a_wrong_pin(running: list[Service]) -> None:
    key = load(serving(running, KeyType.P256), pin="0000")
    with refused("key.service-refused", Kind.CONFIGURATION):
        key.sign(b"data")


@pytest.mark.parametrize(
    ("fault", "code", "kind"),
    [
        ("disabled", "key.not-usable", Kind.CONFIGURATION),
        ("bare", "key.no-certificate", Kind.CONFIGURATION),
        ("words", "key.service", Kind.TRANSIENT),
    ],
)
def test_credentials_that_are_no_use(
    running: list[Service], fault: str, code: str, kind: Kind
) -> None:
    with refused(code, kind):
        load(serving(running, KeyType.P256, fault))


def test_a_value_that_does_not_fit(running: list[Service]) -> None:
    """What a service at fault gives out never reaches a document."""
    key = load(serving(running, KeyType.P256, "wrong"))
    with refused("key.wrong-value", Kind.TRANSIENT):
        key.sign(b"data")


def test_what_it_cannot_do(running: list[Service]) -> None:
    with refused("key.unsupported", Kind.CONFIGURATION):
        load(serving(running, KeyType.ED25519)).sign(b"data")
    key = load(serving(running, KeyType.RSA_2048))
    assert isinstance(key.private, rsa.RSAPrivateKey)
    with refused("key.unsupported", Kind.CONFIGURATION):
        DecryptionKey(key.private, key.certificate).unwrap(b"x" * 256)


DESCRIPTION = """
url = "{url}"
credential = "credential-1"
client_id = "emla"
client_secret = "hush"
pin = "1234"
"""


def test_described_in_a_file(running: list[Service], tmp_path: Path) -> None:
    service = serving(running, KeyType.P256)
    path = tmp_path / "signature.csc.toml"
    path.write_text(DESCRIPTION.format(url=service.url))
    with refused("key.readable-by-others", Kind.CONFIGURATION):
        open_signing_key(str(path))
    path.chmod(0o600)
    signed = xades.sign_enveloped(parse(REQUEST), open_signing_key(str(path)), NOW)
    xades.verify_enveloped(parse(signed), made(KeyType.P256).trust, POLICY, NOW)
    with refused("key.unsupported", Kind.CONFIGURATION):
        open_decryption_key(str(path))
    for text in ("url = [", 'url = "x"', DESCRIPTION + "more = 1", DESCRIPTION + 'more = "x"'):
        path.write_text(text)
        with refused("key.malformed-service", Kind.CONFIGURATION):
            open_signing_key(str(path))


def test_secrets_are_not_shown(running: list[Service]) -> None:
    shown = repr(settings(running[0]))
    assert "hush" not in shown and "1234" not in shown
