"""Keys in a token or HSM by PKCS#11, named by a URI (RFC 7512):

    pkcs11:token=emla;object=signature?module-path=/usr/lib/softhsm/libsofthsm2.so

The PIN comes separately, from a file of its own. The certificate is the one with the same id in the
token; intermediates may lie there too, or come from a file.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qs, unquote, unquote_to_bytes

import pkcs11
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from pkcs11.util.ec import encode_ecdsa_signature

from connector.errors import ConnectorError, misconfigured, transient
from connector.signature.algorithms import Family, PublicKey, SignatureMethod
from connector.signature.device_keys import checked, device_key
from connector.signature.keys import DecryptionKey, SigningKey, chain_of

_RSA: Final = {
    "sha256": pkcs11.Mechanism.SHA256_RSA_PKCS,
    "sha384": pkcs11.Mechanism.SHA384_RSA_PKCS,
    "sha512": pkcs11.Mechanism.SHA512_RSA_PKCS,
}
_PSS: Final = {
    "sha256": (pkcs11.Mechanism.SHA256_RSA_PKCS_PSS, pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256),
    "sha384": (pkcs11.Mechanism.SHA384_RSA_PKCS_PSS, pkcs11.Mechanism.SHA384, pkcs11.MGF.SHA384),
    "sha512": (pkcs11.Mechanism.SHA512_RSA_PKCS_PSS, pkcs11.Mechanism.SHA512, pkcs11.MGF.SHA512),
}


@dataclass(frozen=True, slots=True)
class Pkcs11Key:
    """Where a key is."""

    module: str
    """Path of the library that the token's maker ships."""
    token: str
    """Label of the token."""
    label: str | None = None
    """Label of the key, or `id`."""
    id: bytes | None = None
    pin: str | None = field(default=None, repr=False)

    @classmethod
    def from_uri(cls, uri: str, pin: str | None) -> Pkcs11Key:
        """Raises `key.malformed-uri` (configuration)."""
        scheme, _, rest = uri.partition(":")
        path, _, query = rest.partition("?")
        named = dict(part.partition("=")[::2] for part in path.split(";") if part)
        modules = parse_qs(query).get("module-path", [])
        if scheme != "pkcs11" or "token" not in named or len(modules) != 1:
            raise misconfigured(
                "key.malformed-uri",
                f"{uri!r} is no PKCS#11 URI with token and module-path.",
                mend="Write it as pkcs11:token=NAME;object=KEY?module-path=/path/to/library.so",
            )
        identity = named.get("id")
        if "object" not in named and identity is None:
            raise misconfigured("key.malformed-uri", f"{uri!r} names no key by object or id.")
        return cls(
            modules[0],
            unquote(named["token"]),
            unquote(named["object"]) if "object" in named else None,
            None if identity is None else unquote_to_bytes(identity),
            pin,
        )


def load_pkcs11_key(where: Pkcs11Key, certificates: Sequence[x509.Certificate] = ()) -> SigningKey:
    """The key with its certificate and intermediates, out of the token or `certificates`.

    Raises `ConnectorError`: `key.no-module`, `key.no-token`, `key.wrong-pin`, `key.missing`,
    `key.no-certificate`, `key.unknown-type` (configuration); `key.device` (transient).
    """
    token = _Token(where)
    found = [*certificates, *token.certificates()]
    own = token.own_certificate(found)
    public = own.public_key()
    private = device_key(public, _Pkcs11Device(token, public))  # type: ignore[arg-type]
    return SigningKey(private, own, chain_of(own, found))


def load_pkcs11_decryption_key(
    where: Pkcs11Key, certificates: Sequence[x509.Certificate] = ()
) -> DecryptionKey:
    """An RSA key in the token, for content keys. Raises as `load_pkcs11_key`."""
    key = load_pkcs11_key(where, certificates)
    if not isinstance(key.private, rsa.RSAPrivateKey):
        raise misconfigured("key.unknown-type", f"The key {where.label} is no RSA key.")
    return DecryptionKey(key.private, key.certificate)


class _Token:
    """One session with a token, opened anew when it is lost. Safe between threads."""

    def __init__(self, where: Pkcs11Key) -> None:
        self._where = where
        self._lock = threading.Lock()
        self._session: Any = None

    def run(self, work: Callable[[Any], bytes]) -> bytes:
        """What `work` makes of the private key; once more with a new session if that was lost."""
        with self._lock:
            try:
                return self._attempt(work)
            except pkcs11.exceptions.PKCS11Error:
                self._close()
            try:
                return self._attempt(work)
            except pkcs11.exceptions.PKCS11Error as error:
                self._close()
                raise transient(
                    "key.device",
                    f"The token {self._where.token} does not work: {type(error).__name__}.",
                    mend="It is tried again; check that the token is there and unlocked.",
                ) from error

    def _attempt(self, work: Callable[[Any], bytes]) -> bytes:
        session = self._opened()
        found = _one(
            session,
            {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                **self._named(),
            },
        )
        if found is None:
            raise self._misconfigured("missing", f"It holds no key {self._name()}.")
        return work(found)

    def certificates(self) -> list[x509.Certificate]:
        """All certificates in the token."""
        with self._lock, self._reading() as session:
            wanted = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE}
            values = [each[pkcs11.Attribute.VALUE] for each in session.get_objects(wanted)]
        return [x509.load_der_x509_certificate(bytes(der)) for der in values]

    def own_certificate(self, known: Sequence[x509.Certificate]) -> x509.Certificate:
        """The certificate with the key's id or label, or one of `known` with its public key."""
        with self._lock, self._reading() as session:
            private = _one(
                session,
                {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, **self._named()},
            )
            if private is None:
                raise self._misconfigured("missing", f"It holds no key {self._name()}.")
            identity = bytes(private[pkcs11.Attribute.ID])
            wanted = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.CERTIFICATE,
                pkcs11.Attribute.ID: identity,
            }
            found = _one(session, wanted) if identity else None
            der = bytes(found[pkcs11.Attribute.VALUE]) if found is not None else None
        if der is not None:
            return x509.load_der_x509_certificate(der)
        if len(known) > 0:
            return known[0]
        raise self._misconfigured(
            "no-certificate", f"It holds no certificate of the key {self._name()}."
        )

    @contextmanager
    def _reading(self) -> Iterator[Any]:
        try:
            yield self._opened()
        except pkcs11.exceptions.PKCS11Error as error:
            self._close()
            raise transient(
                "key.device", f"The token does not work: {type(error).__name__}."
            ) from error

    def _opened(self) -> Any:
        if self._session is not None:
            return self._session
        try:
            library = pkcs11.lib(self._where.module)
        except (RuntimeError, pkcs11.exceptions.PKCS11Error) as error:
            raise self._misconfigured("no-module", f"The library cannot be loaded: {error}") from (
                error
            )
        try:
            token = library.get_token(token_label=self._where.token)
            self._session = self._open(token)
        except pkcs11.exceptions.NoSuchToken as error:
            library.reinitialize()
            raise self._misconfigured("no-token", "There is no such token.") from error
        except (pkcs11.exceptions.PinIncorrect, pkcs11.exceptions.PinLenRange) as error:
            raise self._misconfigured("wrong-pin", "Its PIN is another.") from error
        except pkcs11.exceptions.PinLocked as error:
            raise self._misconfigured("wrong-pin", "Its PIN is locked.") from error
        return self._session

    def _open(self, token: Any) -> Any:
        try:
            return token.open(user_pin=self._where.pin)
        except pkcs11.exceptions.UserAlreadyLoggedIn:
            # By another key of the same token: logging in is once for the whole process.
            return token.open()

    def _close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            with suppress(pkcs11.exceptions.PKCS11Error):
                session.close()

    def _named(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        if self._where.label is not None:
            found[pkcs11.Attribute.LABEL] = self._where.label
        if self._where.id is not None:
            found[pkcs11.Attribute.ID] = self._where.id
        return found

    def _name(self) -> str:
        return repr(self._where.label or (self._where.id or b"").hex())

    def _misconfigured(self, code: str, what: str) -> ConnectorError:
        return misconfigured(
            f"key.{code}",
            f"The token {self._where.token!r}: {what}",
            mend="Check the key's URI and the PIN file in the settings.",
        )


def _one(session: Any, wanted: dict[Any, Any]) -> Any:
    # To the end, since a search that is not finished blocks the session.
    found = list(session.get_objects(wanted))
    return found[0] if found else None


class _Pkcs11Device:
    """See `device_keys.Device`."""

    def __init__(self, token: _Token, public: PublicKey) -> None:
        self._token = token
        self._public = public

    def sign(self, data: bytes, method: SignatureMethod) -> bytes:
        value = self._token.run(lambda key: _signed(key, data, method))
        return checked(value, data, self._public, method)

    def decrypt(self, wrapped: bytes) -> bytes:
        parameters = (pkcs11.Mechanism.SHA256, pkcs11.MGF.SHA256, None)
        return self._token.run(
            lambda key: bytes(
                key.decrypt(
                    wrapped,
                    mechanism=pkcs11.Mechanism.RSA_PKCS_OAEP,
                    mechanism_param=parameters,
                )
            )
        )


def _signed(key: Any, data: bytes, method: SignatureMethod) -> bytes:
    if method.family is Family.ED25519:
        return bytes(key.sign(data, mechanism=pkcs11.Mechanism.EDDSA))
    name = method.hash_name
    if method.family is Family.RSA:
        return bytes(key.sign(data, mechanism=_RSA[name]))
    if method.family is Family.RSA_PSS:
        mechanism, hashed, mask = _PSS[name]
        size = hashlib.new(name).digest_size
        return bytes(key.sign(data, mechanism=mechanism, mechanism_param=(hashed, mask, size)))
    # Many tokens know ECDSA over digests only.
    digest = hashlib.new(name, data).digest()
    value = key.sign(digest, mechanism=pkcs11.Mechanism.ECDSA)
    return bytes(encode_ecdsa_signature(value))
