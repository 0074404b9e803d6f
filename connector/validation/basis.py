"""What a validation starts from: whom to trust, which rules, what time, where to look things up."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from connector.signature.revocation import RevocationSource
from connector.signature.trust import TrustStore
from connector.signature.xades_imprints import Contents, nothing_outside
from connector.validation.policy import ValidationPolicy, default_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """The same for all signatures of a document."""

    trust: TrustStore
    """For signers. Revocation is looked up by `revocation`, not by the store."""
    timestamp_trust: TrustStore
    """For timestamp authorities."""
    at: datetime
    """The time of validation: now."""
    policy: ValidationPolicy = field(default_factory=default_policy)
    revocation: RevocationSource | None = None
    """None: only what came along with the document."""
    contents: Contents = nothing_outside
    """Files that XAdES signatures cover outside their document."""
