"""What a trusted list says (ETSI TS 119 612): services, since when they count, other lists.

Only lists whose signature has been verified are read: `trusted_lists.py` sees to that.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError, unacceptable
from connector.signature.certificates import from_base64
from connector.xml import Element, text_of
from connector.xml_values import read_date_time

TSL: Final = "http://uri.etsi.org/02231/v2#"
_T: Final = f"{{{TSL}}}"
_MORE: Final = "{http://uri.etsi.org/02231/v2/additionaltypes#}"
_TYPES: Final = "http://uri.etsi.org/TrstSvc/Svctype/"
_STATUS: Final = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
_OLD_STATUS: Final = "http://uri.etsi.org/TrstSvc/Svcstatus/eSigDir-1999-93-EC-TrustedList/"

ISSUING: Final = frozenset({f"{_TYPES}CA/QC", f"{_TYPES}CA/PKC"})
"""Services that issue certificates for signatures and seals."""
STAMPING: Final = frozenset(
    {
        f"{_TYPES}TSA/QTST",
        f"{_TYPES}TSA",
        f"{_TYPES}TSA/TSS-QC",
        f"{_TYPES}TSA/TSS-AdESQCandQES",
    }
)
GRANTED: Final = frozenset(
    {
        f"{_STATUS}granted",
        f"{_STATUS}recognisedatnationallevel",
        f"{_STATUS}setbynationallaw",
        f"{_OLD_STATUS}undersupervision",
        f"{_OLD_STATUS}supervisionincessation",
        f"{_OLD_STATUS}accredited",
        f"{_OLD_STATUS}setbynationallaw",
    }
)
"""States in which a service counts, those of before 2016 among them."""


@dataclass(frozen=True, slots=True)
class Period:
    """A state of a service, until the next one begins."""

    status: str
    """URI."""
    since: datetime


@dataclass(frozen=True, slots=True)
class Service:
    """A trust service."""

    type: str
    """URI."""
    name: str
    provider: str
    certificates: tuple[x509.Certificate, ...]
    """Its digital identity."""
    periods: tuple[Period, ...]
    """The present one first."""

    def counts(self, at: datetime) -> bool:
        """Whether it was in a good state at `at`."""
        for period in self.periods:
            if period.since <= at:
                return period.status in GRANTED
        return False


@dataclass(frozen=True, slots=True)
class Pointer:
    """Another list, and who may sign it."""

    location: str
    territory: str
    type: str
    media_type: str
    signers: tuple[x509.Certificate, ...]

    @property
    def is_list_of_lists(self) -> bool:
        """Whether it leads to a list of lists: often to the very one that it stands in."""
        return self.type.lower().endswith("listofthelists")


@dataclass(frozen=True, slots=True)
class TrustedList:
    """One list."""

    territory: str
    operator: str
    sequence: int
    issued: datetime
    next_update: datetime | None
    information: tuple[str, ...]
    """SchemeInformationURI; pivots of the list of lists stand here."""
    pointers: tuple[Pointer, ...]
    services: tuple[Service, ...]

    @property
    def pivots(self) -> tuple[str, ...]:
        """Earlier lists of lists that changed who may sign it, the last first."""
        return tuple(uri for uri in self.information if "pivot" in uri and uri.endswith(".xml"))


def read_list(root: Element) -> TrustedList:
    """The list in a verified document.

    Raises `trusted-list.malformed`; single services whose certificates cannot be read are left
    out, as single certificates are.
    """
    if root.tag != f"{_T}TrustServiceStatusList":
        raise _malformed("it is no TrustServiceStatusList")
    scheme = root.find(f"{_T}SchemeInformation")
    if scheme is None:
        raise _malformed("it has no SchemeInformation")
    issued = _time(scheme, "ListIssueDateTime")
    sequence = _text(scheme, "TSLSequenceNumber")
    if issued is None or not sequence.isdigit():
        raise _malformed("it does not say when it was issued, or its number")
    return TrustedList(
        territory=_text(scheme, "SchemeTerritory"),
        operator=_name(scheme.find(f"{_T}SchemeOperatorName")),
        sequence=int(sequence),
        issued=issued,
        next_update=_time(scheme, f"NextUpdate/{_T}dateTime"),
        information=tuple(
            text_of(each).strip() for each in scheme.iterfind(f"{_T}SchemeInformationURI/{_T}URI")
        ),
        pointers=tuple(
            _pointer(each)
            for each in scheme.iterfind(f"{_T}PointersToOtherTSL/{_T}OtherTSLPointer")
        ),
        services=tuple(_services(root)),
    )


def _services(root: Element) -> Iterator[Service]:
    providers = root.iterfind(f"{_T}TrustServiceProviderList/{_T}TrustServiceProvider")
    for provider in providers:
        name = _name(provider.find(f"{_T}TSPInformation/{_T}TSPName"))
        for service in provider.iterfind(f"{_T}TSPServices/{_T}TSPService"):
            try:
                found = _service(service, name)
            except ConnectorError:
                continue
            if found is not None:
                yield found


def _service(element: Element, provider: str) -> Service | None:
    now = element.find(f"{_T}ServiceInformation")
    if now is None:
        return None
    past = element.iterfind(f"{_T}ServiceHistory/{_T}ServiceHistoryInstance")
    periods = [period for each in (now, *past) if (period := _period(each)) is not None]
    certificates = _certificates(now.find(f"{_T}ServiceDigitalIdentity"))
    if not periods or not certificates:
        return None
    return Service(
        type=_text(now, "ServiceTypeIdentifier"),
        name=_name(now.find(f"{_T}ServiceName")),
        provider=provider,
        certificates=certificates,
        periods=tuple(sorted(periods, key=lambda period: period.since, reverse=True)),
    )


def _period(element: Element) -> Period | None:
    since = _time(element, "StatusStartingTime")
    return None if since is None else Period(_text(element, "ServiceStatus"), since)


def _pointer(element: Element) -> Pointer:
    identities = element.iterfind(f"{_T}ServiceDigitalIdentities/{_T}ServiceDigitalIdentity")
    additional = list(element.iterfind(f"{_T}AdditionalInformation/{_T}OtherInformation"))

    def said(tag: str) -> str:
        found = (each.find(tag) for each in additional)
        return next((text_of(each).strip() for each in found if each is not None), "")

    return Pointer(
        location=_text(element, "TSLLocation"),
        territory=said(f"{_T}SchemeTerritory"),
        type=said(f"{_T}TSLType"),
        media_type=said(f"{_MORE}MimeType"),
        signers=tuple(each for identity in identities for each in _certificates(identity)),
    )


def _certificates(identity: Element | None) -> tuple[x509.Certificate, ...]:
    if identity is None:
        return ()
    found = []
    for each in identity.iterfind(f"{_T}DigitalId/{_T}X509Certificate"):
        try:
            found.append(from_base64(text_of(each)))
        except ConnectorError:
            continue  # one of thousands; its service is trusted by its other certificates, or not
    return tuple(found)


def _name(element: Element | None) -> str:
    """In English, where it is given in several languages."""
    if element is None:
        return ""
    names = list(element.iterfind(f"{_T}Name"))
    lang = "{http://www.w3.org/XML/1998/namespace}lang"
    english = [each for each in names if each.get(lang, "").startswith("en")]
    return text_of((english or names)[0]).strip() if names else ""


def _text(parent: Element, path: str) -> str:
    found = parent.find(_T + path)
    return "" if found is None else text_of(found).strip()


def _time(parent: Element, path: str) -> datetime | None:
    text = _text(parent, path)
    return read_date_time(text)[0] if text else None


def _malformed(why: str) -> ConnectorError:
    return unacceptable(
        "trusted-list.malformed",
        f"Not a trusted list: {why}.",
        mend="Check the address of the list in the settings.",
    )
