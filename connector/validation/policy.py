"""What must hold for a signature to count: algorithms with their dates, and revocation."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

from connector.signature.algorithms import (
    CURVES,
    DIGEST_METHODS,
    SIGNATURE_METHODS,
    WEAK,
    AlgorithmPolicy,
)
from connector.signature.policy_file import invalid_entry, read_policy
from connector.signature.revocation import Checking

_KEYS: Final = {"name", "digest", "rsa", "curve"}
ALWAYS: Final = datetime.max.replace(tzinfo=UTC)
NEVER: Final = datetime.min.replace(tzinfo=UTC)

EVERYTHING: Final = AlgorithmPolicy(
    permitted=WEAK, rsa_bits=1, curves=CURVES | {"secp192r1", "secp224r1"}
)
"""For the cryptographic checks themselves: whether an algorithm counted when it was used is asked
of `Algorithms` afterwards, since that depends on proofs of existence."""


@dataclass(frozen=True, slots=True)
class Algorithms:
    """Until when algorithms count; each answer is the first moment at which one does not."""

    digests: Mapping[str, datetime]
    """By the names that hashlib uses."""
    rsa: tuple[tuple[int, datetime], ...]
    """Shortest modulus in bits, ascending."""
    curves: Mapping[str, datetime]
    """By lower-case name; Ed25519 and Ed448 among them."""

    def digest(self, name: str) -> datetime:
        """For a digest algorithm."""
        return self.digests.get(name, NEVER)

    def key(self, key: object) -> datetime:
        """For keys like this one."""
        if isinstance(key, rsa.RSAPublicKey):
            return max((end for bits, end in self.rsa if key.key_size >= bits), default=NEVER)
        if isinstance(key, ec.EllipticCurvePublicKey):
            return self.curves.get(key.curve.name.lower(), NEVER)
        if isinstance(key, ed25519.Ed25519PublicKey):
            return self.curves.get("ed25519", NEVER)
        if isinstance(key, ed448.Ed448PublicKey):
            return self.curves.get("ed448", NEVER)
        return NEVER

    def signature(self, uri: str, key: object) -> datetime:
        """For a signature by an XMLDSig method with this key."""
        method = SIGNATURE_METHODS.get(uri)
        if method is None:
            return NEVER
        hashed = self.digest(method.hash.name) if method.hash is not None else ALWAYS
        return min(hashed, self.key(key))

    def digest_method(self, uri: str) -> datetime:
        """For a digest by an XMLDSig method."""
        return self.digest(DIGEST_METHODS.get(uri, ""))


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationPolicy:
    """What must hold."""

    name: str
    algorithms: Algorithms
    checking: Checking = Checking.REQUIRED
    """For which certificates revocation data must be there."""
    strict: bool = False
    """Whether revocation data that is out of date counts only if it is proven to be from before
    (5.6.2.2, to the letter), also of timestamp authorities. Otherwise data that was fresh when it
    was needed is enough while its issuer is valid: archives stay verifiable without network."""
    signature_policies: Mapping[str, bytes] = field(default_factory=dict)
    """Documents of the signature policies that are known, by identifier."""


@cache
def default_policy() -> ValidationPolicy:
    """The shipped dates; revocation data is required."""
    text = files("connector.validation").joinpath("algorithms.toml").read_text("utf-8")
    data = tomllib.loads(text)
    return ValidationPolicy(name=data["name"], algorithms=_algorithms(data, Path("-")))


def load_validation_policy(
    path: Path | None, checking: Checking = Checking.REQUIRED
) -> ValidationPolicy:
    """The policy with the dates in the TOML file at `path` (its form: `algorithms.toml`).

    Raises `ConnectorError` (configuration): `policy.missing`, `policy.malformed`,
    `policy.invalid`.
    """
    if path is None:
        base = default_policy()
        return ValidationPolicy(name=base.name, algorithms=base.algorithms, checking=checking)
    data = read_policy(path, _KEYS)
    name = data.get("name", path.stem)
    return ValidationPolicy(name=str(name), algorithms=_algorithms(data, path), checking=checking)


def _algorithms(data: dict[str, Any], path: Path) -> Algorithms:
    rsa_entries = data.get("rsa", [])
    if not isinstance(rsa_entries, list):
        raise invalid_entry(path, "rsa", "Each RSA length is a table [[rsa]].")
    lengths = []
    for entry in rsa_entries:
        bits = entry.get("bits") if isinstance(entry, dict) else None
        if not isinstance(bits, int) or isinstance(bits, bool) or entry.keys() != {"bits", "until"}:
            raise invalid_entry(path, "rsa", f"{entry!r} does not have just bits and until.")
        lengths.append((bits, _moment(entry["until"], path, "rsa.until")))
    return Algorithms(
        _dates(data, "digest", path), tuple(sorted(lengths)), _dates(data, "curve", path)
    )


def _dates(data: dict[str, Any], name: str, path: Path) -> dict[str, datetime]:
    table = data.get(name, {})
    if not isinstance(table, dict):
        raise invalid_entry(path, name, f"[{name}] is no table.")
    return {key.lower(): _moment(value, path, f"{name}.{key}") for key, value in table.items()}


def _moment(value: object, path: Path, entry: str) -> datetime:
    if value is True:
        return ALWAYS
    if isinstance(value, date) and not isinstance(value, datetime):
        return datetime(value.year, value.month, value.day, tzinfo=UTC)
    raise invalid_entry(path, entry, f"{value!r} is neither a date nor true.")
