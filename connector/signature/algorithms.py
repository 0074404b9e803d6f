"""Signature, digest and canonicalisation algorithms by their URIs, and which of them are accepted.

The URIs are those of XMLDSig 1.1 (clause 6), RFC 6931 and RFC 9231. HMAC is not here: a signature
that anyone who checks it could have made proves nothing to a court.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils

from connector.errors import Problem, unacceptable

EXC_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
C14N: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
"""Inclusive Canonical XML 1.0, without comments like its exclusive sister."""

SHA1: Final = "http://www.w3.org/2000/09/xmldsig#sha1"
SHA256: Final = "http://www.w3.org/2001/04/xmlenc#sha256"
SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#sha384"
SHA512: Final = "http://www.w3.org/2001/04/xmlenc#sha512"

RSA_SHA1: Final = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"
RSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
RSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha384"
RSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512"
RSA_PSS_SHA256: Final = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
RSA_PSS_SHA384: Final = "http://www.w3.org/2007/05/xmldsig-more#sha384-rsa-MGF1"
RSA_PSS_SHA512: Final = "http://www.w3.org/2007/05/xmldsig-more#sha512-rsa-MGF1"
ECDSA_SHA1: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1"
ECDSA_SHA256: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
ECDSA_SHA384: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384"
ECDSA_SHA512: Final = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha512"
ED25519: Final = "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519"

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


class Family(StrEnum):
    """What kind of key a signature method works with, and how."""

    RSA = "RSA PKCS#1 v1.5"
    RSA_PSS = "RSA-PSS"
    ECDSA = "ECDSA"
    ED25519 = "Ed25519"


@dataclass(frozen=True, slots=True)
class SignatureMethod:
    """One ds:SignatureMethod."""

    uri: str
    family: Family
    hash: hashes.HashAlgorithm | None
    """None for Ed25519, which hashes by itself."""

    @property
    def hash_name(self) -> str:
        """As hashlib knows it, e.g. `sha256`; `sha512` for Ed25519 (RFC 8032)."""
        return self.hash.name if self.hash else "sha512"

    @property
    def padding(self) -> padding.AsymmetricPadding:
        """The RSA padding; for PSS with a salt as long as the hash (RFC 6931, 2.3.10)."""
        if self.family is Family.RSA_PSS and self.hash is not None:
            return padding.PSS(padding.MGF1(self.hash), self.hash.digest_size)
        return padding.PKCS1v15()

    def fits(self, key: PublicKey | PrivateKey) -> bool:
        """Whether keys of this type are meant for this method."""
        if isinstance(key, rsa.RSAPublicKey | rsa.RSAPrivateKey):
            return self.family in {Family.RSA, Family.RSA_PSS}
        if isinstance(key, ec.EllipticCurvePublicKey | ec.EllipticCurvePrivateKey):
            return self.family is Family.ECDSA
        return self.family is Family.ED25519


SIGNATURE_METHODS: Final = {
    method.uri: method
    for method in (
        SignatureMethod(RSA_SHA256, Family.RSA, hashes.SHA256()),
        SignatureMethod(RSA_SHA384, Family.RSA, hashes.SHA384()),
        SignatureMethod(RSA_SHA512, Family.RSA, hashes.SHA512()),
        SignatureMethod(RSA_PSS_SHA256, Family.RSA_PSS, hashes.SHA256()),
        SignatureMethod(RSA_PSS_SHA384, Family.RSA_PSS, hashes.SHA384()),
        SignatureMethod(RSA_PSS_SHA512, Family.RSA_PSS, hashes.SHA512()),
        SignatureMethod(ECDSA_SHA256, Family.ECDSA, hashes.SHA256()),
        SignatureMethod(ECDSA_SHA384, Family.ECDSA, hashes.SHA384()),
        SignatureMethod(ECDSA_SHA512, Family.ECDSA, hashes.SHA512()),
        SignatureMethod(ED25519, Family.ED25519, None),
        SignatureMethod(RSA_SHA1, Family.RSA, hashes.SHA1()),  # noqa: S303 only if a policy names it
        SignatureMethod(ECDSA_SHA1, Family.ECDSA, hashes.SHA1()),  # noqa: S303 likewise
    )
}
DIGEST_METHODS: Final = {SHA256: "sha256", SHA384: "sha384", SHA512: "sha512", SHA1: "sha1"}
"""To the names that hashlib uses."""
WEAK: Final = frozenset({SHA1, RSA_SHA1, ECDSA_SHA1})
"""Known, but refused unless a policy names them."""
CURVES: Final = frozenset(
    {
        "secp256r1",
        "secp384r1",
        "secp521r1",
        "brainpoolP256r1",
        "brainpoolP384r1",
        "brainpoolP512r1",
    }
)


@dataclass(frozen=True, slots=True)
class AlgorithmPolicy:
    """Which algorithms and keys count. The default refuses all that is known to be weak."""

    permitted: frozenset[str] = frozenset()
    """URIs out of `WEAK` that are accepted all the same, each use reported as a weakness."""
    rsa_bits: int = 2048
    """Shortest RSA modulus, in bits."""
    curves: frozenset[str] = CURVES
    """Names of the elliptic curves that count."""

    def signature_method(self, uri: str) -> SignatureMethod:
        """Raises `signature.hmac`, `signature.unknown-algorithm`, `signature.weak-algorithm`."""
        if "#hmac-" in uri:
            raise unacceptable(
                "signature.hmac",
                f"The signature is an HMAC ({uri}), which proves nothing to third parties.",
                mend="Sign with a private key and send its certificate.",
            )
        method = SIGNATURE_METHODS.get(uri)
        if method is None or (uri in WEAK and uri not in self.permitted):
            raise _refused(uri, known=method is not None)
        return method

    def digest_method(self, uri: str) -> str:
        """The name that hashlib uses. Raises `signature.unknown-algorithm`,
        `signature.weak-algorithm`."""
        name = DIGEST_METHODS.get(uri)
        if name is None or (uri in WEAK and uri not in self.permitted):
            raise _refused(uri, known=name is not None)
        return name

    def check_key(self, key: object) -> PublicKey:
        """`key`, if it is of an accepted type, length and curve. Raises `signature.weak-key`,
        `signature.unknown-key`."""
        if isinstance(key, ed25519.Ed25519PublicKey):
            return key
        if isinstance(key, rsa.RSAPublicKey):
            if key.key_size < self.rsa_bits:
                raise _weak_key(f"RSA with {key.key_size} bits; {self.rsa_bits} are required")
            return key
        if isinstance(key, ec.EllipticCurvePublicKey):
            if key.curve.name not in self.curves:
                raise _weak_key(f"on the curve {key.curve.name}, which is not accepted")
            return key
        raise unacceptable(
            "signature.unknown-key",
            f"Keys of the type {type(key).__name__} are not accepted.",
            mend="Use RSA, ECDSA or Ed25519.",
        )


def weakness(uri: str) -> Problem | None:
    """What to note about the use of an algorithm that only a policy's permission let pass."""
    if uri not in WEAK:
        return None
    return Problem(
        code="signature.weak-algorithm",
        what=f"Uses {uri}, which is weak and was accepted because the policy names it.",
        mend="Ask the sender to sign with SHA-256.",
    )


def _refused(uri: str, *, known: bool) -> Exception:
    if known or "md5" in uri or "sha1" in uri:
        return unacceptable(
            "signature.weak-algorithm",
            f"{uri} is too weak to be accepted.",
            mend="Sign with SHA-256, or name the algorithm in the policy if the sender cannot.",
        )
    return unacceptable(
        "signature.unknown-algorithm",
        f"{uri[:200]!r} is no algorithm that is accepted here.",
        mend="Sign with rsa-sha256, ecdsa-sha256 or eddsa-ed25519, and digest with sha256.",
    )


def _weak_key(what: str) -> Exception:
    return unacceptable(
        "signature.weak-key", f"The key is {what}.", mend="The signer needs a stronger key."
    )


def digest(uri: str, data: bytes, policy: AlgorithmPolicy) -> bytes:
    """The digest of `data`. Raises as `AlgorithmPolicy.digest_method`."""
    return hashlib.new(policy.digest_method(uri), data).digest()


def verify(key: PublicKey, method: SignatureMethod, signature: bytes, data: bytes) -> bool:
    """Whether `signature` (as XMLDSig encodes it: ECDSA is r || s) is one of `key` over `data`."""
    if not method.fits(key):
        return False
    try:
        if isinstance(key, rsa.RSAPublicKey):
            assert method.hash is not None
            key.verify(signature, data, method.padding, method.hash)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            assert method.hash is not None
            size, odd = divmod(len(signature), 2)
            # XMLDSig wants each half as long as the curve's order; EU DSS leaves off zeros before
            # both, which every fourth value of P-521 has.
            if odd or not 0 < size <= (key.curve.key_size + 7) // 8:
                return False
            r, s = (int.from_bytes(half, "big") for half in (signature[:size], signature[size:]))
            key.verify(utils.encode_dss_signature(r, s), data, ec.ECDSA(method.hash))
        else:
            key.verify(signature, data)
    except InvalidSignature:
        return False
    return True
