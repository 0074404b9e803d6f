"""Signatures made at one time, validated at another."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from connector.signature.fetching import HttpFetcher, Timeouts
from connector.signature.keys import SigningKey
from connector.signature.revocation import Checking, HttpRevocation
from connector.signature.timestamps import HttpAuthority
from connector.signature.trust import TrustStore
from connector.signature.xades_levels import Level, Services, extend
from connector.signature.xades_packaging import Signing, sign_beside
from connector.validation.basis import Basis
from connector.validation.indications import SubIndication
from connector.validation.report import SignatureReport, ValidationReport
from connector.validation.xades_process import validate_xml
from connector.xml import parse
from tests.signature.certomancer_pki import NOW, Pki

QUICK = Timeouts(connect=1, read=1, total=2)
FETCHER = HttpFetcher(QUICK)
DOCUMENT = b'<e:request xmlns:e="urn:emla"><e:facts>Gr\xc3\xbc\xc3\x9fe</e:facts></e:request>'


def trust(ca: Pki) -> TrustStore:
    return TrustStore([ca.certificate("root")])


def revocation(ca: Pki) -> HttpRevocation:
    return HttpRevocation(FETCHER, now=lambda: ca.now)


def services(ca: Pki, tsa: str = "tsa", **more: Any) -> Services:
    given = {
        "authority": HttpAuthority(ca.tsa(tsa), FETCHER),
        "trust": trust(ca),
        "timestamp_trust": trust(ca),
        "revocation": revocation(ca),
        "checking": Checking.REQUIRED,
    }
    return Services(**given | more)


def key(ca: Pki, label: str = "signer") -> SigningKey:
    above = {
        "under-gone": ("gone-ca",),
        "outside": ("narrow-ca",),
        "stranger": ("stranger-ca",),
        "too-deep": ("second-ca", "ca"),
    }
    return ca.key(label, *above.get(label, ("ca",)))


def signed(ca: Pki, label: str = "signer", *, at: datetime = NOW, **how: Any) -> bytes:
    return sign_beside(parse(DOCUMENT), Signing(key=key(ca, label), time=at, **how))


def raised(
    ca: Pki, level: Level, label: str = "signer", *, at: datetime = NOW, tsa: str = "tsa"
) -> bytes:
    """Signed and raised at one time."""
    ca.at(at)
    document = signed(ca, label, at=at)
    return extend(document, level, services(ca, tsa), at) if level else document


def basis(ca: Pki, at: datetime = NOW, *, online: bool = True, **more: Any) -> Basis:
    given: dict[str, Any] = {
        "trust": trust(ca),
        "timestamp_trust": trust(ca),
        "at": at,
        "revocation": revocation(ca) if online else None,
    }
    return Basis(**given | more)


def validated(
    document: bytes, ca: Pki, at: datetime = NOW, *, online: bool = True, **more: Any
) -> ValidationReport:
    ca.at(at)
    return validate_xml(document, basis(ca, at, online=online, **more))


def only(report: ValidationReport) -> SignatureReport:
    (found,) = report.signatures
    return found


def sub(
    document: bytes, ca: Pki, at: datetime = NOW, *, online: bool = True, **more: Any
) -> SubIndication | None:
    return only(validated(document, ca, at, online=online, **more)).conclusion.sub
