"""The file in which a person permits, by name, what is refused by default.

    permit = ["rsa-sha1", "sha1"]     # algorithms that are known to be weak
    rsa_bits = 1024                   # shortest RSA key, in bits

Each use of what is permitted there is still reported as a weakness of the signature.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from connector.errors import ConnectorError, misconfigured
from connector.signature.algorithms import WEAK, AlgorithmPolicy

_NAMES: Final = {uri.rpartition("#")[2]: uri for uri in WEAK}
_KEYS: Final = {"permit", "rsa_bits"}


def load_policy(path: Path | None) -> AlgorithmPolicy:
    """The policy in the TOML file at `path`; the default one without a file.

    Raises `ConnectorError` (configuration): `policy.missing`, `policy.malformed`,
    `policy.invalid`.
    """
    if path is None:
        return AlgorithmPolicy()
    data = read_policy(path, _KEYS)
    return AlgorithmPolicy(_permitted(data, path), _rsa_bits(data, path))


def read_policy(path: Path, keys: Collection[str]) -> dict[str, Any]:
    """The entries of a policy file of any kind, none of them other than `keys`. Raises as above."""
    try:
        data = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise misconfigured(
            "policy.missing", f"The policy cannot be read: {error.strerror}.", file=str(path)
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise misconfigured(
            "policy.malformed", f"Not a TOML file in UTF-8: {error}", file=str(path)
        ) from error
    for unknown in data.keys() - keys:
        raise invalid_entry(path, unknown, f"{unknown!r} is no entry of a policy.")
    return data


def _permitted(data: dict[str, Any], path: Path) -> frozenset[str]:
    names = data.get("permit", [])
    if not isinstance(names, list) or not all(name in list(_NAMES) for name in names):
        known = ", ".join(sorted(_NAMES))
        raise invalid_entry(path, "permit", f"{names!r} is no list out of: {known}.")
    return frozenset(_NAMES[name] for name in names)


def _rsa_bits(data: dict[str, Any], path: Path) -> int:
    bits = data.get("rsa_bits", AlgorithmPolicy().rsa_bits)
    if not isinstance(bits, int) or isinstance(bits, bool) or bits < 1024:
        raise invalid_entry(path, "rsa_bits", f"{bits!r} is no number of bits from 1024 on.")
    return bits


def invalid_entry(path: Path, entry: str, what: str) -> ConnectorError:
    """The refusal of one entry of a policy file."""
    return misconfigured("policy.invalid", what, file=str(path), path=entry)
