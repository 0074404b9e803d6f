"""Everything a step of the exchange works with, put together once at start-up by `runtime`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Final

from connector.container.cms import CmsSigner, cms_signer
from connector.container.token import Spelling
from connector.directory.authorities import Directory
from connector.evidence.types import Profile
from connector.exchange.ports import Backend, Store
from connector.exchange.states import TimerName
from connector.signature.algorithms import SIGNATURE_METHODS, AlgorithmPolicy, Family
from connector.signature.keys import SigningKey
from connector.signature.trust import TrustStore
from connector.translation.formats import Formats
from gateway_client.model import Gateway

_CMS_NAMES: Final = {
    Family.RSA: "{}_rsa",
    Family.RSA_PSS: "rsassa_pss",
    Family.ECDSA: "{}_ecdsa",
    Family.ED25519: "ed25519",
}
"""asn1crypto's names of the signature algorithms."""


@dataclass(frozen=True, slots=True)
class KeyRing:
    """One key for each purpose."""

    signature: SigningKey
    seal: SigningKey
    evidence: SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who this connector is, as its tokens and evidences state it."""

    country: str
    party: str
    name: str
    authority: str
    """Identifier of the authority that messages come from if the document names none."""
    street: str
    locality: str
    postal_code: str


@dataclass(frozen=True, kw_only=True)
class Connector:
    """A connector's parts. Clock, ids and randomness are passed in, so that tests can set them."""

    identity: Identity
    store: Store
    gateway: Gateway
    backend: Backend
    keys: KeyRing
    trust: TrustStore
    policy: AlgorithmPolicy
    directory: Directory
    formats: Formats
    limits: Mapping[TimerName, timedelta]
    """How long each stage may take; zero switches a limit off."""
    ladder: Sequence[timedelta]
    profiles: Mapping[str, Profile]
    """Evidence spelling by party; strict where a party is not named."""
    clock: Callable[[], datetime]
    new_id: Callable[[], str]
    random: Callable[[], float]

    def profile(self, party: str) -> Profile:
        """How evidences for that party are spelled."""
        return self.profiles.get(party, Profile.STRICT)

    def spelling(self, party: str) -> Spelling:
        """How tokens for that party are spelled."""
        return Spelling(self.profile(party).value)

    def ebms_id(self, message_id: str) -> str:
        """eb:MessageId of a message of ours, which is its Header/MessageId too."""
        return f"{message_id}@{self.identity.party}.emla"

    @cached_property
    def pdf_signer(self) -> CmsSigner:
        """Signs token PDFs with the seal's key."""
        key = self.keys.seal
        method = SIGNATURE_METHODS[key.algorithm]
        return cms_signer(
            key.certificates,
            digest=method.hash_name,
            signature_algorithm=_CMS_NAMES[method.family].format(method.hash_name),
            sign=key.sign_der,
        )
