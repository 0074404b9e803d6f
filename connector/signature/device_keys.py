"""Private keys that stay where they are: in a token (PKCS#11) or at a remote service (CSC).

They are keys of `cryptography` like any other, so a `SigningKey` or `DecryptionKey` holds them and
nobody else has to know. What cannot leave the device raises `key.not-exportable`.
"""

from __future__ import annotations

from typing import Any, NoReturn, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from connector.errors import misconfigured, transient
from connector.signature.algorithms import (
    SIGNATURE_METHODS,
    Family,
    PrivateKey,
    PublicKey,
    SignatureMethod,
)


class Device(Protocol):
    """What does the work. Raises `ConnectorError`: `key.*`, `web.*`."""

    def sign(self, data: bytes, method: SignatureMethod) -> bytes:
        """The signature value over `data`; ECDSA as a DER sequence."""

    def decrypt(self, wrapped: bytes) -> bytes:
        """Undo RSA-OAEP with SHA-256 and MGF1 with SHA-256, without label."""


def device_key(public: object, device: Device) -> PrivateKey:
    """The private key that belongs to `public`. Raises `key.unknown-type` (configuration)."""
    if isinstance(public, rsa.RSAPublicKey):
        return _RsaKey(public, device)
    if isinstance(public, ec.EllipticCurvePublicKey):
        return _EcKey(public, device)
    if isinstance(public, ed25519.Ed25519PublicKey):
        return _Ed25519Key(public, device)
    raise misconfigured(
        "key.unknown-type",
        f"Keys of the type {type(public).__name__} cannot be used.",
        mend="Choose an RSA, ECDSA or Ed25519 key.",
    )


def _method(family: Family, algorithm: object) -> SignatureMethod:
    if isinstance(algorithm, Prehashed) or not (
        algorithm is None or isinstance(algorithm, hashes.HashAlgorithm)
    ):
        raise misconfigured("key.unsupported", "The device signs messages, not digests of them.")
    name = algorithm.name if isinstance(algorithm, hashes.HashAlgorithm) else None
    for method in SIGNATURE_METHODS.values():
        hashed = method.hash.name if method.hash is not None else None
        if method.family is family and hashed == name:
            return method
    raise misconfigured("key.unsupported", f"The device does not sign with {family} and {name}.")


def _not_exportable() -> NoReturn:
    raise misconfigured(
        "key.not-exportable",
        "The private key stays in its device.",
        mend="Use the device where the key is needed.",
    )


class _RsaKey(rsa.RSAPrivateKey):
    """An RSA key in a device."""

    def __init__(self, public: rsa.RSAPublicKey, device: Device) -> None:
        self._public = public
        self._device = device

    def sign(self, data: Any, padding: Any, algorithm: Any) -> bytes:
        return self._device.sign(bytes(data), _rsa_method(padding, algorithm))

    def decrypt(self, ciphertext: Any, padding: Any) -> bytes:
        return self._device.decrypt(bytes(ciphertext))

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def public_key(self) -> rsa.RSAPublicKey:
        return self._public

    def private_numbers(self) -> NoReturn:
        _not_exportable()

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        _not_exportable()

    def __copy__(self) -> _RsaKey:
        return self

    def __deepcopy__(self, memo: Any) -> _RsaKey:
        return self


def _rsa_method(used: object, algorithm: object) -> SignatureMethod:
    return _method(Family.RSA_PSS if isinstance(used, padding.PSS) else Family.RSA, algorithm)


class _EcKey(ec.EllipticCurvePrivateKey):
    """A key on an elliptic curve, in a device."""

    def __init__(self, public: ec.EllipticCurvePublicKey, device: Device) -> None:
        self._public = public
        self._device = device

    def sign(self, data: Any, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:
        method = _method(Family.ECDSA, signature_algorithm.algorithm)
        return self._device.sign(bytes(data), method)

    def exchange(self, *_: Any, **__: Any) -> NoReturn:
        _not_exportable()

    @property
    def curve(self) -> ec.EllipticCurve:
        return self._public.curve

    @property
    def key_size(self) -> int:
        return self._public.key_size

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self._public

    def private_numbers(self) -> NoReturn:
        _not_exportable()

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        _not_exportable()

    def __copy__(self) -> _EcKey:
        return self

    def __deepcopy__(self, memo: Any) -> _EcKey:
        return self


class _Ed25519Key(ed25519.Ed25519PrivateKey):
    """An Ed25519 key in a device."""

    def __init__(self, public: ed25519.Ed25519PublicKey, device: Device) -> None:
        self._public = public
        self._device = device

    def sign(self, data: Any) -> bytes:
        return self._device.sign(bytes(data), _method(Family.ED25519, None))

    def public_key(self) -> ed25519.Ed25519PublicKey:
        return self._public

    def private_bytes(self, *_: Any, **__: Any) -> NoReturn:
        _not_exportable()

    def private_bytes_raw(self) -> NoReturn:
        _not_exportable()

    def __copy__(self) -> _Ed25519Key:
        return self

    def __deepcopy__(self, memo: Any) -> _Ed25519Key:
        return self


def checked(value: bytes, data: bytes, public: PublicKey, method: SignatureMethod) -> bytes:
    """`value`, if it is a signature over `data`: a device at fault must not be found out by those
    who get what it signed. Raises `key.wrong-value` (transient)."""
    try:
        if isinstance(public, rsa.RSAPublicKey):
            assert method.hash is not None
            public.verify(value, data, method.padding, method.hash)
        elif isinstance(public, ec.EllipticCurvePublicKey):
            assert method.hash is not None
            public.verify(value, data, ec.ECDSA(method.hash))
        else:
            public.verify(value, data)
    except InvalidSignature as error:
        raise transient(
            "key.wrong-value",
            "The device gave a signature that does not fit its certificate.",
            mend="Check that key and certificate belong together.",
        ) from error
    return value
