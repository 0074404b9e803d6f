"""The ceiling: what the key operations of one message alone would allow on these cores.

The operations are counted while one message really goes through both connectors. Then each kind
is measured with keys of the same types, on as many processes at once as there are cores.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from tests.bench.replacing import replaced

Operation = tuple[str, str]
"""What is done (`sign`, `verify`, `wrap`, `unwrap`), and the type of the key."""

_SECONDS = 0.5
_OAEP = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
_DATA = b"x" * 800
"""About a ds:SignedInfo."""


def key_type(key: Any) -> str:
    """The name of a key's type, e.g. `RSA-2048`, `P-256`."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return f"RSA-{key.key_size}"
    if isinstance(key, ec.EllipticCurvePrivateKey | ec.EllipticCurvePublicKey):
        return {"secp256r1": "P-256", "secp384r1": "P-384"}.get(key.curve.name, key.curve.name)
    if isinstance(key, ed25519.Ed25519PrivateKey | ed25519.Ed25519PublicKey):
        return "Ed25519"
    return type(key).__name__


@contextmanager
def counting() -> Iterator[Counter[Operation]]:
    """Counts every operation of a key in this process, certificates' signatures aside."""
    counts: Counter[Operation] = Counter()

    def counted(what: str, key_of: Callable[..., Any]) -> Callable[..., Any]:
        def make(original: Callable[..., Any]) -> Callable[..., Any]:
            def operate(*arguments: Any, **named: Any) -> Any:
                counts[what, key_type(key_of(*arguments))] += 1
                return original(*arguments, **named)

            return operate

        return make

    watched = (
        ("connector.signature.keys:SigningKey.sign_der", "sign", lambda key, *_: key.private),
        ("connector.signature.keys:DecryptionKey.unwrap", "unwrap", lambda key, *_: key.private),
        ("connector.signature.keys:wrap", "wrap", lambda _, holder: holder.public_key()),
        ("connector.signature.algorithms:verify", "verify", lambda key, *_: key),
    )
    with ExitStack() as stack:
        for place, what, key_of in watched:
            stack.enter_context(replaced(place, counted(what, key_of)))
        yield counts


def seconds_of(operations: Iterable[Operation]) -> dict[Operation, float]:
    """Processor seconds of one operation of each kind, all cores busy with the same."""
    cores = len(os.sched_getaffinity(0))
    found: dict[Operation, float] = {}
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for operation in sorted(operations):
            times = pool.map(_measure, [operation] * cores, chunksize=1)
            found[operation] = sum(times) / cores
    return found


def _measure(operation: Operation) -> float:
    work = _work(*operation)
    work()
    began, count = time.perf_counter(), 0
    while (elapsed := time.perf_counter() - began) < _SECONDS:
        for _ in range(20):
            work()
        count += 20
    return elapsed / count


def _work(what: str, kind: str) -> Callable[[], object]:
    if kind.startswith("RSA-"):
        return _rsa(what, rsa.generate_private_key(65537, int(kind[4:])))
    if kind == "Ed25519":
        edwards = ed25519.Ed25519PrivateKey.generate()
        made, public = edwards.sign(_DATA), edwards.public_key()
        return (
            (lambda: edwards.sign(_DATA)) if what == "sign" else lambda: public.verify(made, _DATA)
        )
    curve = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}[kind]
    private = ec.generate_private_key(curve)
    method = ec.ECDSA(hashes.SHA256())
    signed, verifier = private.sign(_DATA, method), private.public_key()
    if what == "sign":
        return lambda: private.sign(_DATA, method)
    return lambda: verifier.verify(signed, _DATA, method)


def _rsa(what: str, private: rsa.RSAPrivateKey) -> Callable[[], object]:
    public, pkcs1, sha256 = private.public_key(), padding.PKCS1v15(), hashes.SHA256()
    signature, wrapped = private.sign(_DATA, pkcs1, sha256), public.encrypt(b"k" * 16, _OAEP)
    return {
        "sign": lambda: private.sign(_DATA, pkcs1, sha256),
        "verify": lambda: public.verify(signature, _DATA, pkcs1, sha256),
        "wrap": lambda: public.encrypt(b"k" * 16, _OAEP),
        "unwrap": lambda: private.decrypt(wrapped, _OAEP),
    }[what]
