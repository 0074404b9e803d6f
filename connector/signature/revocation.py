"""Where revocation data (OCSP, RFC 6960; CRL, RFC 5280) comes from, and whether a path is revoked.

Nothing is fetched for strangers: a path to a trust anchor has been found before anybody is asked.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Final, Protocol

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import AuthorityInformationAccessOID

from connector.errors import ConnectorError, misconfigured, transient
from connector.signature.certificates import MALFORMED, fingerprint
from connector.signature.fetching import Fetcher

MAX_OCSP: Final = 65_536
MAX_CRL: Final = 32 * 1024 * 1024
_MAX_URLS: Final = 4


@dataclass(frozen=True, slots=True)
class RevocationData:
    """OCSP responses and CRLs in DER, none of them verified."""

    ocsps: tuple[bytes, ...] = ()
    crls: tuple[bytes, ...] = ()

    def __add__(self, other: RevocationData) -> RevocationData:
        return RevocationData(
            tuple(dict.fromkeys(self.ocsps + other.ocsps)),
            tuple(dict.fromkeys(self.crls + other.crls)),
        )

    def __bool__(self) -> bool:
        return bool(self.ocsps or self.crls)


class RevocationSource(Protocol):
    """Whoever has revocation data."""

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        """What it has about `certificate`; perhaps nothing, perhaps out of date."""


class Checking(StrEnum):
    """For which certificates revocation data must be there."""

    REQUIRED = "required"
    """For all below the trust anchor."""
    DECLARED = "declared"
    """For those that name an OCSP responder or a CRL."""
    NONE = "none"


class HttpRevocation:
    """Asks the OCSP responder that a certificate names, else fetches the CRL that it names.

    With a folder, what was fetched is kept there and used until it says itself that there is newer
    data; when nothing can be fetched, the old is given, whose age is for the validation to judge.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        *,
        cache: Path | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        if cache is not None and not cache.is_dir():
            raise misconfigured(
                "revocation.no-folder",
                "There is no such folder to keep revocation data in.",
                file=str(cache),
            )
        self._fetcher = fetcher
        self._cache = cache
        self._now = now

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        """See `RevocationSource`; empty if the certificate names nobody, or nobody answers."""
        found = self._ocsp(certificate, issuer)
        return found if found else self._crls(certificate)

    def _ocsp(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        urls = ocsp_urls(certificate)
        if not urls:
            return RevocationData()
        request = (
            ocsp.OCSPRequestBuilder()
            # Names the certificate only; RFC 5019 wants SHA-1 there, and many know nothing else.
            .add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
            .build()
            .public_bytes(Encoding.DER)
        )
        name = f"{fingerprint(certificate, 'sha256').hex()}.ocsp"

        def ask(url: str) -> bytes:
            answer = self._fetcher.post(url, request, "application/ocsp-request", limit=MAX_OCSP)
            if _ocsp_end(answer) is None:
                raise transient("revocation.no-answer", f"{url} does not know the certificate.")
            return answer

        found = self._fresh(name, urls, ask, _ocsp_end)
        return RevocationData(ocsps=(found,) if found is not None else ())

    def _crls(self, certificate: x509.Certificate) -> RevocationData:
        urls = crl_urls(certificate)
        if not urls:
            return RevocationData()
        name = f"{hashlib.sha256(urls[0].encode()).hexdigest()}.crl"
        found = self._fresh(name, urls, lambda url: self._fetcher.get(url, limit=MAX_CRL), _crl_end)
        return RevocationData(crls=(found,) if found is not None else ())

    def _fresh(
        self,
        name: str,
        urls: Sequence[str],
        ask: Callable[[str], bytes],
        end: Callable[[bytes], datetime | None],
    ) -> bytes | None:
        kept = self._kept(name)
        if kept is not None and (until := end(kept)) is not None and self._now() < until:
            return kept
        for url in urls[:_MAX_URLS]:
            try:
                answer = ask(url)
            except ConnectorError:
                continue
            if end(answer) is not None:
                self._keep(name, answer)
                return answer
        return kept

    def _kept(self, name: str) -> bytes | None:
        try:
            return (self._cache / name).read_bytes() if self._cache else None
        except OSError:
            return None

    def _keep(self, name: str, data: bytes) -> None:
        if self._cache is None:
            return
        handle, temporary = tempfile.mkstemp(dir=self._cache, prefix=".new-")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        Path(temporary).replace(self._cache / name)


class StoredRevocation:
    """Gives all that lies in a folder (`*.crl`, `*.ocsp`, DER): for machines without network."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise misconfigured(
                "revocation.no-folder",
                "There is no such folder of revocation data.",
                file=str(folder),
            )
        self._folder = folder

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        """See `RevocationSource`."""
        files = sorted(self._folder.iterdir())
        return RevocationData(
            tuple(f.read_bytes() for f in files if f.suffix == ".ocsp"),
            tuple(f.read_bytes() for f in files if f.suffix == ".crl"),
        )


class Together:
    """Several sources: what all of them have."""

    def __init__(self, sources: Iterable[RevocationSource]) -> None:
        self._sources = tuple(sources)

    def find(self, certificate: x509.Certificate, issuer: x509.Certificate) -> RevocationData:
        """See `RevocationSource`."""
        found = RevocationData()
        for source in self._sources:
            found = found + source.find(certificate, issuer)
        return found


def ocsp_urls(certificate: x509.Certificate) -> list[str]:
    """The OCSP responders that a certificate names (RFC 5280, 4.2.2.1)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.AuthorityInformationAccess)
    except (x509.ExtensionNotFound, *MALFORMED):
        return []
    return [
        each.access_location.value
        for each in found.value
        if each.access_method == AuthorityInformationAccessOID.OCSP
        and isinstance(each.access_location, x509.UniformResourceIdentifier)
    ]


def crl_urls(certificate: x509.Certificate) -> list[str]:
    """Where a certificate says that its CRL is (RFC 5280, 4.2.1.13), as far as by HTTP."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.CRLDistributionPoints)
    except (x509.ExtensionNotFound, *MALFORMED):
        return []
    names = [name for point in found.value for name in point.full_name or ()]
    return [
        name.value
        for name in names
        if isinstance(name, x509.UniformResourceIdentifier) and name.value.startswith("http")
    ]


def _ocsp_end(der: bytes) -> datetime | None:
    """Until when a response is good; None if it is none, or no answer."""
    try:
        response = ocsp.load_der_ocsp_response(der)
        if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
            return None
        return response.next_update_utc or response.this_update_utc
    except ValueError:
        return None


def _crl_end(der: bytes) -> datetime | None:
    try:
        found = x509.load_der_x509_crl(der)
        return found.next_update_utc or found.last_update_utc
    except ValueError:
        return None
