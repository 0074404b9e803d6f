"""Keys at a remote signing service, by the API of the Cloud Signature Consortium (version 2).

Only digests travel: of what is signed, the service learns nothing. A credential is authorised for
each signature with its PIN (SCAL2), which gives a one-time SAD.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import threading
import time
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from asn1crypto import algos  # type: ignore[import-untyped]
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from connector.errors import ConnectorError, misconfigured, transient
from connector.signature.algorithms import Family, PublicKey, SignatureMethod
from connector.signature.certificates import from_base64
from connector.signature.device_keys import checked, device_key
from connector.signature.fetching import HttpFetcher
from connector.signature.keys import SigningKey

_LIMIT: Final = 1024 * 1024
_EARLY: Final = 30.0
_HASHES: Final = {
    "sha256": "2.16.840.1.101.3.4.2.1",
    "sha384": "2.16.840.1.101.3.4.2.2",
    "sha512": "2.16.840.1.101.3.4.2.3",
}
_ALGORITHMS: Final = {
    (Family.RSA, "sha256"): "1.2.840.113549.1.1.11",
    (Family.RSA, "sha384"): "1.2.840.113549.1.1.12",
    (Family.RSA, "sha512"): "1.2.840.113549.1.1.13",
    (Family.RSA_PSS, "sha256"): "1.2.840.113549.1.1.10",
    (Family.RSA_PSS, "sha384"): "1.2.840.113549.1.1.10",
    (Family.RSA_PSS, "sha512"): "1.2.840.113549.1.1.10",
    (Family.ECDSA, "sha256"): "1.2.840.10045.4.3.2",
    (Family.ECDSA, "sha384"): "1.2.840.10045.4.3.3",
    (Family.ECDSA, "sha512"): "1.2.840.10045.4.3.4",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CscSettings:
    """Which credential, and how the service knows us."""

    url: str
    """Base of the service, to which `csc/v2/…` is added."""
    credential: str
    """Its credentialID."""
    client_id: str
    client_secret: str = field(repr=False)
    """For OAuth 2.0, grant `client_credentials`."""
    pin: str | None = field(default=None, repr=False)
    """Of the credential, where the service wants it for each signature."""


def load_csc_key(settings: CscSettings, fetcher: HttpFetcher) -> SigningKey:
    """The credential's key with its certificate and intermediates.

    Raises `ConnectorError`: `key.service-refused`, `key.not-usable`, `key.no-certificate`,
    `key.unknown-type` (configuration); `key.service`, `web.*` (transient).
    """
    service = _Service(settings, fetcher)
    told = service.ask(
        "credentials/info",
        {"credentialID": settings.credential, "certificates": "chain", "authInfo": True},
    )
    key, certificate = _part(told, "key"), _part(told, "cert")
    if key.get("status", "enabled") != "enabled" or certificate.get("status", "valid") != "valid":
        raise misconfigured(
            "key.not-usable",
            f"The credential {settings.credential} is {key.get('status')}, its certificate "
            f"{certificate.get('status')}.",
            mend="Ask the service for another credential.",
        )
    encoded = certificate.get("certificates")
    if not isinstance(encoded, list) or not encoded or not all(isinstance(c, str) for c in encoded):
        raise misconfigured(
            "key.no-certificate", f"The credential {settings.credential} has no certificate."
        )
    own, *others = (from_base64(each) for each in encoded)
    public = own.public_key()
    device = _CscDevice(service, settings, public)  # type: ignore[arg-type]
    return SigningKey(
        device_key(public, device), own, tuple(c for c in others if c.issuer != c.subject)
    )


class _Service:
    """Asks the service, with an access token that is renewed in time. Safe between threads."""

    def __init__(self, settings: CscSettings, fetcher: HttpFetcher) -> None:
        self._settings = settings
        self._fetcher = fetcher
        self._base = settings.url.rstrip("/")
        self._lock = threading.Lock()
        self._token = ""
        self._until = 0.0

    def ask(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        try:
            return self._post(what, body)
        except ConnectorError as error:
            if error.code != "web.unauthorized":
                raise
        with self._lock:
            self._until = 0.0  # the token was withdrawn: once more with a new one
        try:
            return self._post(what, body)
        except ConnectorError as error:
            if error.code != "web.unauthorized":
                raise
            raise misconfigured(
                "key.service-refused",
                f"The signing service {self._base} does not let us in ({what}).",
                mend="Check client id, secret, credential and PIN in the settings.",
            ) from error

    def _post(self, what: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self._fetcher.post(
            f"{self._base}/csc/v2/{what}",
            json.dumps(body).encode(),
            "application/json",
            limit=_LIMIT,
            accept="application/json",
            authorization=f"Bearer {self._access_token()}",
        )
        return _object(answer, what)

    def _access_token(self) -> str:
        with self._lock:
            if time.monotonic() < self._until:
                return self._token
            form = {
                "grant_type": "client_credentials",
                "scope": "service",
                "client_id": self._settings.client_id,
                "client_secret": self._settings.client_secret,
            }
            answer = _object(
                self._fetcher.post(
                    f"{self._base}/oauth2/token",
                    urlencode(form).encode(),
                    "application/x-www-form-urlencoded",
                    limit=_LIMIT,
                    accept="application/json",
                ),
                "oauth2/token",
            )
            token, life = answer.get("access_token"), answer.get("expires_in", 3600)
            if not isinstance(token, str) or not isinstance(life, int | float):
                raise _odd("oauth2/token")
            self._token, self._until = token, time.monotonic() + max(0.0, life - _EARLY)
            return token


class _CscDevice:
    """See `device_keys.Device`."""

    def __init__(self, service: _Service, settings: CscSettings, public: PublicKey) -> None:
        self._service = service
        self._settings = settings
        self._public = public

    def sign(self, data: bytes, method: SignatureMethod) -> bytes:
        name = method.hash_name
        algorithm = _ALGORITHMS.get((method.family, name))
        if algorithm is None:
            raise misconfigured(
                "key.unsupported",
                f"{method.uri} cannot be made by a service that gets digests only.",
                mend="Choose a credential with an RSA or ECDSA key.",
            )
        digest = b64encode(hashlib.new(name, data).digest()).decode("ascii")
        common = {
            "credentialID": self._settings.credential,
            "hashes": [digest],
            "hashAlgorithmOID": _HASHES[name],
        }
        body = {**common, **self._authorised(common), "signAlgo": algorithm}
        if method.family is Family.RSA_PSS:
            body["signAlgoParams"] = b64encode(_pss(name)).decode("ascii")
        answer = self._service.ask("signatures/signHash", body)
        values = answer.get("signatures")
        if not isinstance(values, list) or len(values) != 1 or not isinstance(values[0], str):
            raise _odd("signatures/signHash")
        try:
            value = b64decode(values[0], validate=True)
        except (binascii.Error, ValueError) as error:
            raise _odd("signatures/signHash") from error
        return checked(_as_der(value, self._public), data, self._public, method)

    def _authorised(self, common: dict[str, Any]) -> dict[str, str]:
        pin = self._settings.pin
        if pin is None:
            return {}
        body = {**common, "numSignatures": 1, "authData": [{"id": "PIN", "value": pin}]}
        sad = self._service.ask("credentials/authorize", body).get("SAD")
        if not isinstance(sad, str):
            raise _odd("credentials/authorize")
        return {"SAD": sad}

    def decrypt(self, wrapped: bytes) -> bytes:
        raise misconfigured(
            "key.unsupported",
            "A remote signing service cannot decrypt.",
            mend="Use a key in a file or token for transport.",
        )


def _pss(name: str) -> bytes:
    """DER of RSASSA-PSS-params with MGF1 of the same hash, and a salt as long."""
    hashed = {"algorithm": name}
    encoded: bytes = algos.RSASSAPSSParams(
        {
            "hash_algorithm": hashed,
            "mask_gen_algorithm": {"algorithm": "mgf1", "parameters": hashed},
            "salt_length": hashlib.new(name).digest_size,
        }
    ).dump()
    return encoded


def _as_der(value: bytes, public: PublicKey) -> bytes:
    """ECDSA values come as a DER sequence, or as r || s from services that read it otherwise."""
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return value
    size = (public.curve.key_size + 7) // 8
    if len(value) != 2 * size:
        return value
    r, s = (int.from_bytes(half, "big") for half in (value[:size], value[size:]))
    return encode_dss_signature(r, s)


def _object(answer: bytes, what: str) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError as error:
        raise _odd(what) from error
    if not isinstance(found, dict):
        raise _odd(what)
    return found


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise _odd("credentials/info")
    return found


def _odd(what: str) -> ConnectorError:
    return transient(
        "key.service",
        f"The signing service answers {what} with something that is no answer.",
        mend="It is tried again; if it goes on, ask the service.",
    )
