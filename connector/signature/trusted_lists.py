"""Trust from the EU's trusted lists (ETSI TS 119 612): the list of lists with its pivots, and the
national lists that it points to, from files or by HTTP, each only after its signature is verified.

What was verified once is kept in a folder; when a list cannot be had, or is not as it must be, the
last good one goes on being used, and a problem is reported.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, Problem, misconfigured, unacceptable
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.fetching import Fetcher
from connector.signature.trust import Revocation, TrustStore, is_authority
from connector.signature.trusted_list import (
    ISSUING,
    STAMPING,
    Pointer,
    Service,
    TrustedList,
    read_list,
)
from connector.xml import parse

MAX_LIST: Final = 64 * 1024 * 1024
_MAX_PIVOTS: Final = 32
_MEDIA_TYPE: Final = "application/vnd.etsi.tsl+xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedListSettings:
    """Which lists are used."""

    location: str
    """URL or path of the list of lists, or of one national list."""
    signers: tuple[x509.Certificate, ...]
    """Who may sign it: those published in the Official Journal, or the national operator's."""
    folder: Path
    """Where lists that were verified are kept."""
    territories: frozenset[str] | None = None
    """Of the national lists that are used; all where None."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What is in force."""

    lists: tuple[TrustedList, ...]
    """National lists; or the one that is not a list of lists."""
    problems: tuple[Problem, ...]
    """What could not be refreshed, or is out of date."""

    @property
    def services(self) -> tuple[Service, ...]:
        """Of all lists."""
        return tuple(service for each in self.lists for service in each.services)

    def signer_trust(self, *, revocation: Revocation | None = None) -> TrustStore:
        """For signatures and seals: the services that issue certificates."""
        return trust_of_services(self.services, ISSUING, revocation=revocation)

    def timestamp_trust(self, *, revocation: Revocation | None = None) -> TrustStore:
        """For timestamps."""
        return trust_of_services(self.services, STAMPING, revocation=revocation)


class TrustedLists:
    """Lists that are refreshed; safe between threads."""

    def __init__(
        self,
        settings: TrustedListSettings,
        fetcher: Fetcher,
        *,
        policy: AlgorithmPolicy | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if not settings.folder.is_dir():
            raise misconfigured(
                "trusted-list.no-folder",
                "There is no such folder to keep trusted lists in.",
                file=str(settings.folder),
            )
        self._settings = settings
        self._fetcher = fetcher
        self._policy = policy or AlgorithmPolicy()
        self._now = now
        self._lock = threading.Lock()

    def refresh(self) -> Loaded:
        """Fetch and verify all lists; where one fails, its last good form is used.

        Raises `ConnectorError` only if there is nothing at all: that of the first list.
        """
        with self._lock:
            return self._load(online=True)

    def kept(self) -> Loaded:
        """What was verified last, without asking anybody. Raises as `refresh`."""
        with self._lock:
            return self._load(online=False)

    def _load(self, *, online: bool) -> Loaded:
        settings = self._settings
        problems: list[Problem] = []
        first = self._first(online, problems)
        if not any(pointer.is_list_of_lists for pointer in first.pointers) and first.services:
            return Loaded((first,), (*problems, *self._outdated(first)))
        lists = []
        for pointer in first.pointers:
            if pointer.is_list_of_lists or not self._wanted(pointer):
                continue
            try:
                found = self._list(pointer.location, pointer.signers, online, problems)
            except ConnectorError as error:
                problems += error.problems
                continue
            lists.append(found)
            problems += self._outdated(found)
        if not lists:
            problem = Problem(
                code="trusted-list.empty",
                what=f"{settings.location} leads to no list of the territories that are wanted.",
                mend="Check the territories in the settings, and the problems before.",
            )
            problems.append(problem)
        return Loaded(tuple(lists), (*problems, *self._outdated(first)))

    def _first(self, online: bool, problems: list[Problem]) -> TrustedList:
        """The list of lists: its signer is among those given, or those that pivots lead to."""
        settings = self._settings
        # Its pivots are read before it is verified: they are verified themselves.
        try:
            claimed = read_list(parse(self._bytes(settings.location, online)))
            signers = self._follow(claimed.pivots, online)
            return self._list(settings.location, signers, online, problems)
        except ConnectorError as error:
            if not online:
                raise
            problems += error.problems
        return self._first(False, problems)

    def _follow(self, pivots: Sequence[str], online: bool) -> tuple[x509.Certificate, ...]:
        if len(pivots) > _MAX_PIVOTS:
            raise unacceptable("trusted-list.malformed", f"The list has {len(pivots)} pivots.")
        signers = self._settings.signers
        for location in reversed(pivots):
            pivot = self._list(location, signers, online, [])
            own = [each for each in pivot.pointers if each.is_list_of_lists]
            if own:
                signers = own[0].signers
        return signers

    def _wanted(self, pointer: Pointer) -> bool:
        if pointer.media_type not in {"", _MEDIA_TYPE}:
            return False
        wanted = self._settings.territories
        return wanted is None or pointer.territory in wanted

    def _list(
        self,
        location: str,
        signers: Iterable[x509.Certificate],
        online: bool,
        problems: list[Problem],
    ) -> TrustedList:
        """One list, verified; the last good one if the present one is no use."""
        allowed = tuple(signers)
        try:
            data = self._bytes(location, online)
            found = self._verified(data, allowed, location)
            if online:
                self._keep_newer(location, data, found, allowed)
        except ConnectorError as error:
            if not online:
                raise
            try:
                found = self._verified(self._bytes(location, False), allowed, location)
            except ConnectorError:
                raise error from None
            problems += error.problems
        return found

    def _verified(
        self, data: bytes, signers: tuple[x509.Certificate, ...], location: str
    ) -> TrustedList:
        trust = TrustStore([], pinned=signers)
        try:
            verified = xades.verify_enveloped(parse(data), trust, self._policy, self._now())
        except ConnectorError as error:
            raise unacceptable(
                "trusted-list.not-signed",
                f"The trusted list {location} is not signed by whom it must be: {error}",
                mend="The last good one goes on being used; look into it at its publisher.",
            ) from error
        return read_list(verified.root)

    def _outdated(self, found: TrustedList) -> tuple[Problem, ...]:
        if found.next_update is None or self._now() <= found.next_update:
            return ()
        return (
            Problem(
                code="trusted-list.outdated",
                what=f"The trusted list {found.territory} should have been replaced by "
                f"{found.next_update:%Y-%m-%d}; it goes on being used.",
                mend="Check that its address can be reached.",
            ),
        )

    # --- Bytes: from the network or a file, and as they were kept ---

    def _bytes(self, location: str, online: bool) -> bytes:
        kept = self._place(location)
        if online and "://" in location:
            return self._fetcher.get(location, limit=MAX_LIST)
        path = Path(location) if online else kept
        try:
            return path.read_bytes()
        except OSError as error:
            raise misconfigured(
                "trusted-list.missing",
                f"The trusted list {location} was never loaded, or is not there.",
                mend="Check its address, and that it can be reached.",
                file=str(path),
            ) from error

    def _keep_newer(
        self,
        location: str,
        data: bytes,
        found: TrustedList,
        signers: tuple[x509.Certificate, ...],
    ) -> None:
        place = self._place(location)
        if place.exists():
            try:
                last = self._verified(place.read_bytes(), signers, location)
            except ConnectorError:
                last = None  # of signers that do not count any more
            if last is not None and found.sequence < last.sequence:
                raise unacceptable(
                    "trusted-list.older",
                    f"The trusted list {location} has the number {found.sequence}, but "
                    f"{last.sequence} was seen before.",
                    mend="Somebody gives out an old list; the newer one goes on being used.",
                )
        handle, temporary = tempfile.mkstemp(dir=self._settings.folder, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(place)

    def _place(self, location: str) -> Path:
        name = hashlib.sha256(location.encode()).hexdigest()
        return self._settings.folder / f"{name}.xml"


def trust_of_services(
    services: Iterable[Service], types: frozenset[str], *, revocation: Revocation | None = None
) -> TrustStore:
    """The certificates of services of these types, each while its service was in a good state."""
    by_certificate: dict[x509.Certificate, list[Service]] = {}
    for service in services:
        if service.type in types:
            for certificate in service.certificates:
                by_certificate.setdefault(certificate, []).append(service)

    def granted(certificate: x509.Certificate, at: datetime) -> bool:
        return any(service.counts(at) for service in by_certificate.get(certificate, ()))

    return TrustStore(
        (each for each in by_certificate if is_authority(each)),
        pinned=(each for each in by_certificate if not is_authority(each)),
        revocation=revocation,
        granted=granted,
    )
