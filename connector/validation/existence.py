"""Proofs of existence (ETSI EN 319 102-1, 5.6.2.3): what is known to have existed, and when."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pyhanko_certvalidator.ltv.poe import POEManager, POEType, digest_for_poe


class Existence:
    """Octets (signature values, tokens, certificates, CRLs, OCSP responses in DER) and the earliest
    time at which each is proven to have existed; at the latest the time of validation."""

    def __init__(self, at: datetime) -> None:
        self.manager = POEManager(current_dt_override=at)

    def prove(self, objects: Iterable[bytes], time: datetime) -> None:
        """A timestamp that counts proves that these existed at `time`."""
        for octets in objects:
            self.manager.register_by_digest(digest_for_poe(octets), POEType.VALIDATION, time)

    def of(self, octets: bytes) -> datetime:
        """The earliest time at which `octets` are known to have existed."""
        return self.manager.register(octets, POEType.VALIDATION).poe_time
