"""What a home has for signatures that must count for years: timestamps, revocation, validation."""

from __future__ import annotations

from datetime import datetime

from connector.runtime.assembly import load_key
from connector.settings import Home
from connector.signature.fetching import HttpFetcher
from connector.signature.keys import SigningKey
from connector.signature.policy_file import load_policy
from connector.signature.revocation import Checking, HttpRevocation, RevocationSource
from connector.signature.timestamps import HttpAuthority, InTurn
from connector.signature.trust import TrustStore
from connector.signature.xades_levels import Services
from connector.validation.basis import Basis
from connector.validation.policy import load_validation_policy


def archive_services(home: Home) -> Services | None:
    """For raising signatures to LTA; None where no timestamp authority is configured.

    Raises `trust.*`, `policy.*` (configuration).
    """
    urls = home.settings.timestamps.urls
    if not urls:
        return None
    fetcher = HttpFetcher()
    settings = home.settings
    return Services(
        authority=InTurn([HttpAuthority(url, fetcher) for url in urls]),
        trust=TrustStore.from_folder(home.path(settings.trust.folder)),
        timestamp_trust=timestamp_trust(home),
        revocation=revocation_source(home, fetcher),
        checking=Checking(settings.revocation.checking),
        policy=load_policy(home.path(settings.trust.policy) if settings.trust.policy else None),
    )


def validation_basis(home: Home, at: datetime) -> Basis:
    """For validating what is stored, now, with revocation looked up. Raises as above."""
    settings = home.settings
    checking = Checking(settings.revocation.checking)
    return Basis(
        trust=TrustStore.from_folder(home.path(settings.trust.folder)),
        timestamp_trust=timestamp_trust(home),
        at=at,
        policy=load_validation_policy(None, checking),
        revocation=None if checking is Checking.NONE else revocation_source(home, HttpFetcher()),
    )


def seal_key(home: Home) -> SigningKey:
    """The key that dossiers are sealed with. Raises `key.*`."""
    keys = home.settings.keys
    return load_key(home, keys.seal or keys.signature)


def timestamp_trust(home: Home) -> TrustStore:
    """Whose timestamps count."""
    folder = home.settings.timestamps.trust or home.settings.trust.folder
    return TrustStore.from_folder(home.path(folder))


def revocation_source(home: Home, fetcher: HttpFetcher) -> RevocationSource:
    """Looked up by HTTP, kept in the home."""
    cache = home.path(home.settings.revocation.cache)
    cache.mkdir(parents=True, exist_ok=True)
    return HttpRevocation(fetcher, cache=cache)
