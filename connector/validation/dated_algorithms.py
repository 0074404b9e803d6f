"""The dates of `policy.Algorithms` as pyhanko-certvalidator asks for them."""

from __future__ import annotations

import contextlib
from datetime import datetime

from asn1crypto import algos, keys  # type: ignore[import-untyped]
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import load_der_public_key
from pyhanko_certvalidator.policy_decl import AlgorithmUsageConstraint, AlgorithmUsagePolicy

from connector.validation.policy import ALWAYS, NEVER, Algorithms


class DatedAlgorithms(AlgorithmUsagePolicy):
    """`Algorithms` for pyhanko-certvalidator."""

    def __init__(self, algorithms: Algorithms) -> None:
        self._algorithms = algorithms

    def digest_algorithm_allowed(
        self, algo: algos.DigestAlgorithm, moment: datetime | None
    ) -> AlgorithmUsageConstraint:
        """See there."""
        name = algo["algorithm"].native
        return _constraint(self._algorithms.digest(name), moment, f"The digest {name}")

    def signature_algorithm_allowed(
        self,
        algo: algos.SignedDigestAlgorithm,
        moment: datetime | None,
        public_key: keys.PublicKeyInfo | None,
    ) -> AlgorithmUsageConstraint:
        """See there."""
        end = ALWAYS
        with contextlib.suppress(ValueError):  # Ed25519 hashes by itself
            end = self._algorithms.digest(algo.hash_algo)
        if public_key is not None:
            try:
                end = min(end, self._algorithms.key(load_der_public_key(public_key.dump())))
            except (ValueError, UnsupportedAlgorithm):
                end = NEVER
        return _constraint(end, moment, f"The algorithm {algo['algorithm'].native} with its key")


def _constraint(end: datetime, moment: datetime | None, what: str) -> AlgorithmUsageConstraint:
    if end == ALWAYS or (moment is not None and moment < end):
        return AlgorithmUsageConstraint(allowed=True)
    return AlgorithmUsageConstraint(
        allowed=False,
        not_allowed_after=None if end == NEVER else end,
        failure_reason=f"{what} does not count, or not any more.",
    )
