"""A PKI by certomancer with OCSP, CRLs and timestamps by HTTP on loopback, at any time one likes.

Everything that a test needs to go wrong is in it: revoked, expired, not yet valid, of the wrong
usage, under an issuer that is revoked, under name constraints and path lengths that do not fit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from asn1crypto import x509 as asn1_x509
from certomancer.integrations.animator import Animator, AnimatorArchStore
from certomancer.registry import ArchLabel, CertLabel, CertomancerConfig
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

from connector.signature.algorithms import PrivateKey
from connector.signature.keys import SigningKey
from connector.signature.pki import KeyType

NOW = datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC)
YEARS = ("2020-01-01T00:00:00+0000", "2040-01-01T00:00:00+0000")
REVOKED_SINCE = datetime(2025, 6, 1, tzinfo=UTC)
EXPIRY = datetime(2025, 9, 1, tzinfo=UTC)

_KEYS = (
    "root", "ca", "gone-ca", "narrow-ca", "tsa", "late-tsa", "old-tsa", "ocsp", "signer",
    "stranger", "stranger-ca", "second-ca",
)  # fmt: skip


def _usage(*bits: str) -> dict[str, Any]:
    return {
        "id": "key_usage",
        "critical": True,
        "smart-value": {"schema": "key-usage", "params": list(bits)},
    }


def _authority(path_length: int | None = None) -> list[dict[str, Any]]:
    value: dict[str, Any] = {"ca": True}
    if path_length is not None:
        value["path-len-constraint"] = path_length
    return [
        {"id": "basic_constraints", "critical": True, "value": value},
        _usage("key_cert_sign", "crl_sign"),
    ]


def _crl(repo: str) -> dict[str, Any]:
    return {
        "id": "crl_distribution_points",
        "smart-value": {"schema": "crl-dist-url", "params": {"crl-repo-names": [repo]}},
    }


def _ocsp(responder: str) -> dict[str, Any]:
    return {
        "id": "authority_information_access",
        "smart-value": {"schema": "aia-urls", "params": {"ocsp-responder-names": [responder]}},
    }


def _purpose(name: str) -> dict[str, Any]:
    return {"id": "extended_key_usage", "critical": True, "value": [name]}


def _only_in(country: str) -> str:
    """DER of NameConstraints that permit subjects of this country only, in hexadecimal."""
    name = asn1_x509.Name.build({"country_name": country})
    general = asn1_x509.GeneralName(name="directory_name", value=name)
    encoded: bytes = asn1_x509.NameConstraints({"permitted_subtrees": [{"base": general}]}).dump()
    return encoded.hex()


def _certificate(
    subject: str,
    issuer: str,
    extensions: list[dict[str, Any]],
    valid: tuple[str, str] = YEARS,
    **more: Any,
) -> dict[str, Any]:
    return {
        "subject": subject,
        "issuer": issuer,
        "validity": {"valid-from": valid[0], "valid-to": valid[1]},
        "extensions": extensions,
        **more,
    }


def _day(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S+0000")


def configuration(prefix: str) -> dict[str, Any]:
    sign = _usage("digital_signature", "non_repudiation")
    by_ca = [sign, _crl("ca"), _ocsp("ca")]
    revoked = {"revocation": {"revoked-since": _day(REVOKED_SINCE), "reason": "key_compromise"}}
    certs = {
        "root": _certificate("root", "root", _authority()),
        "ca": _certificate("ca", "root", [*_authority(0), _crl("root")]),
        "gone-ca": _certificate("gone-ca", "root", [*_authority(0), _crl("root")], **revoked),
        "narrow-ca": _certificate(
            "narrow-ca",
            "root",
            [
                *_authority(0),
                _crl("root"),
                {
                    "id": "name_constraints",
                    "critical": True,
                    "smart-value": {"schema": "der-bytes", "params": _only_in("FR")},
                },
            ],
        ),
        "ocsp": _certificate(
            "ocsp",
            "ca",
            [_usage("digital_signature"), _purpose("ocsp_signing"), {"id": "ocsp_no_check"}],
        ),
        "tsa": _certificate(
            "tsa", "root", [_usage("digital_signature"), _purpose("time_stamping"), _crl("root")]
        ),
        "late-tsa": _certificate(
            "late-tsa",
            "root",
            [_usage("digital_signature"), _purpose("time_stamping"), _crl("root")],
            ("2025-01-01T00:00:00+0000", "2060-01-01T00:00:00+0000"),
        ),
        "old-tsa": _certificate(
            "old-tsa",
            "root",
            [_usage("digital_signature"), _purpose("time_stamping"), _crl("root")],
            (YEARS[0], _day(EXPIRY)),
        ),
        "signer": _certificate("signer", "ca", by_ca),
        "crl-signer": _certificate("signer", "ca", [sign, _crl("ca")], **{"subject-key": "signer"}),
        "revoked": _certificate("revoked", "ca", by_ca, **{"subject-key": "signer"}, **revoked),
        "expired": _certificate(
            "expired", "ca", by_ca, (YEARS[0], _day(EXPIRY)), **{"subject-key": "signer"}
        ),
        "future": _certificate(
            "future",
            "ca",
            by_ca,
            ("2027-01-01T00:00:00+0000", YEARS[1]),
            **{"subject-key": "signer"},
        ),
        "cipher": _certificate(
            "cipher", "ca", [_usage("key_encipherment"), _crl("ca")], **{"subject-key": "signer"}
        ),
        "under-gone": _certificate(
            "under-gone", "gone-ca", [sign, _crl("gone-ca")], **{"subject-key": "signer"}
        ),
        "second-ca": _certificate("second-ca", "ca", [*_authority(0), _crl("ca")]),
        "too-deep": _certificate(
            "too-deep", "second-ca", [sign, _crl("second-ca")], **{"subject-key": "signer"}
        ),
        "outside": _certificate(
            "outside", "narrow-ca", [sign, _crl("narrow-ca")], **{"subject-key": "signer"}
        ),
        "stranger-ca": _certificate("stranger-ca", "stranger-ca", _authority()),
        "stranger": _certificate("stranger", "stranger-ca", [sign]),
    }
    names = {name: {"common-name": name} for name in certs}
    ca_repos = ("root", "ca", "gone-ca", "narrow-ca", "second-ca")
    return {
        "external-url-prefix": prefix,
        "keysets": {"keys": {"path-prefix": "keys", "keys": {k: {"path": k} for k in _KEYS}}},
        "pki-architectures": {
            "pki": {
                "keyset": "keys",
                "entity-defaults": {"country-name": "BE", "organization-name": "Tests"},
                "entities": names,
                "certs": certs,
                "services": {
                    "ocsp": {
                        "ca": {
                            "for-issuer": "ca", "responder-cert": "ocsp", "signing-key": "ocsp",
                        },
                    },
                    "crl-repo": {
                        name: {
                            "for-issuer": name,
                            "signing-key": name,
                            "simulated-update-schedule": "P30D",
                        }
                        for name in ca_repos
                    },
                    "time-stamping": {
                        name: {"signing-key": name, "signing-cert": name}
                        for name in ("tsa", "late-tsa", "old-tsa")
                    },
                },
            }
        },
    }  # fmt: skip


@dataclass
class Pki:
    """The PKI, its services running; `now` is what their clock says."""

    url: str
    architecture: Any
    keys: dict[str, PrivateKey]
    now: datetime = NOW
    requests: list[str] = field(default_factory=list)
    """Paths that were asked for, in order."""
    overrides: dict[str, Callable[[bytes], bytes | int]] = field(default_factory=dict)
    """By path: what is answered to a body instead, or a status."""

    def certificate(self, label: str) -> x509.Certificate:
        found = self.architecture.get_cert(CertLabel(label))
        return x509.load_der_x509_certificate(found.dump())

    def key(self, label: str = "signer", *issuers: str) -> SigningKey:
        names = issuers or ("ca",)
        key = self.keys[label if label in self.keys else "signer"]
        return SigningKey(
            key, self.certificate(label), tuple(self.certificate(name) for name in names)
        )

    def tsa(self, label: str = "tsa") -> str:
        return f"{self.url}/pki/tsa/{label}"

    def at(self, moment: datetime) -> None:
        self.now = moment

    @contextmanager
    def answering(self, path: str, answer: Callable[[bytes], bytes | int]) -> Iterator[None]:
        self.overrides[path] = answer
        try:
            yield
        finally:
            del self.overrides[path]

    def wsgi(self, animator: Animator) -> Callable[..., Iterable[bytes]]:
        def serve(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
            path = environ["PATH_INFO"]
            self.requests.append(path)
            if path in self.overrides:
                body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
                answer = self.overrides[path](body)
                if isinstance(answer, int):
                    start(f"{answer} No", [("Content-Length", "0")])
                    return [b""]
                start("200 OK", [("Content-Length", str(len(answer)))])
                return [answer]
            environ["HTTP_X_CERTOMANCER_FAKE_TIME"] = self.now.isoformat()
            return animator(environ, start)

        return serve


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: Any) -> None:
        pass


@contextmanager
def running(folder: Path, key_type: KeyType = KeyType.P256) -> Iterator[Pki]:
    """Make the PKI under `folder` and serve it until the end."""
    keys_folder = folder / "keys"
    keys_folder.mkdir(parents=True)
    keys = {name: key_type.generate() for name in _KEYS}
    for name, key in keys.items():
        (keys_folder / name).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    pki: Pki | None = None

    def late(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        assert pki is not None
        return application(environ, start)

    server = ThreadedWSGIServer("127.0.0.1", 0, late, handler=_Quiet)
    url = f"http://127.0.0.1:{server.server_port}"
    (folder / "config.yml").write_text(yaml.safe_dump(configuration(url)))
    config = CertomancerConfig.from_file(
        str(folder / "config.yml"), key_search_dir=str(folder), config_search_dir=str(folder)
    )
    architecture = config.pki_archs[ArchLabel("pki")]
    pki = Pki(url, architecture, keys)
    application = pki.wsgi(Animator(AnimatorArchStore(config.pki_archs), with_web_ui=False))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield pki
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


DAY = timedelta(days=1)
