"""Trusted lists for tests: written by a template, signed by whom one likes."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.signature import xades
from connector.signature.keys import SigningKey
from connector.xml import parse
from tests.signature.moments import NOW

STATUS = "http://uri.etsi.org/TrstSvc/TrustedList/Svcstatus/"
QC = "http://uri.etsi.org/TrstSvc/Svctype/CA/QC"
QTST = "http://uri.etsi.org/TrstSvc/Svctype/TSA/QTST"
LOTL = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUlistofthelists"
GENERIC = "http://uri.etsi.org/TrstSvc/TrustedList/TSLType/EUgeneric"


def _id(certificate: x509.Certificate) -> str:
    encoded = b64encode(certificate.public_bytes(Encoding.DER)).decode()
    return f"<DigitalId><X509Certificate>{encoded}</X509Certificate></DigitalId>"


@dataclass(frozen=True)
class Listed:
    """A service with its states, the present one first."""

    certificate: x509.Certificate
    type: str = QC
    states: tuple[tuple[str, datetime], ...] = (("granted", NOW - timedelta(days=999)),)

    def markup(self) -> str:
        (status, since), *past = self.states
        identity = f"<ServiceDigitalIdentity>{_id(self.certificate)}</ServiceDigitalIdentity>"
        name = "<ServiceName><Name xml:lang='de'>Dienst</Name><Name xml:lang='en'>Service</Name>"
        history = "".join(
            f"<ServiceHistoryInstance><ServiceTypeIdentifier>{self.type}</ServiceTypeIdentifier>"
            f"{name}</ServiceName>{identity}<ServiceStatus>{STATUS}{old}</ServiceStatus>"
            f"<StatusStartingTime>{when:%Y-%m-%dT%H:%M:%SZ}</StatusStartingTime>"
            "</ServiceHistoryInstance>"
            for old, when in past
        )
        return (
            "<TSPService><ServiceInformation>"
            f"<ServiceTypeIdentifier>{self.type}</ServiceTypeIdentifier>{name}</ServiceName>"
            f"{identity}<ServiceStatus>{STATUS}{status}</ServiceStatus>"
            f"<StatusStartingTime>{since:%Y-%m-%dT%H:%M:%SZ}</StatusStartingTime>"
            f"</ServiceInformation><ServiceHistory>{history}</ServiceHistory></TSPService>"
        )


@dataclass(frozen=True)
class Pointed:
    """A pointer to another list."""

    location: str
    territory: str
    signers: tuple[x509.Certificate, ...]
    type: str = GENERIC

    def markup(self) -> str:
        identities = "".join(
            f"<ServiceDigitalIdentity>{_id(each)}</ServiceDigitalIdentity>" for each in self.signers
        )
        return (
            f"<OtherTSLPointer><ServiceDigitalIdentities>{identities}</ServiceDigitalIdentities>"
            f"<TSLLocation>{self.location}</TSLLocation><AdditionalInformation>"
            f"<OtherInformation><TSLType>{self.type}</TSLType></OtherInformation>"
            f"<OtherInformation><SchemeTerritory>{self.territory}</SchemeTerritory>"
            "</OtherInformation><OtherInformation><m:MimeType>application/vnd.etsi.tsl+xml"
            "</m:MimeType></OtherInformation></AdditionalInformation></OtherTSLPointer>"
        )


def listed(
    key: SigningKey,
    territory: str,
    *,
    services: Sequence[Listed] = (),
    pointers: Sequence[Pointed] = (),
    information: Sequence[str] = (),
    sequence: int = 1,
    next_update: datetime = NOW + timedelta(days=30),
    at: datetime = NOW,
) -> bytes:
    """A signed list."""
    uris = "".join(f"<URI xml:lang='en'>{uri}</URI>" for uri in information)
    inner = "".join(each.markup() for each in services)
    provided = (
        "<TrustServiceProviderList><TrustServiceProvider><TSPInformation><TSPName>"
        "<Name xml:lang='en'>Provider</Name></TSPName></TSPInformation>"
        f"<TSPServices>{inner}</TSPServices></TrustServiceProvider></TrustServiceProviderList>"
        if inner
        else ""
    )
    document = (
        '<TrustServiceStatusList xmlns="http://uri.etsi.org/02231/v2#" '
        'xmlns:m="http://uri.etsi.org/02231/v2/additionaltypes#" '
        'TSLTag="http://uri.etsi.org/19612/TSLTag"><SchemeInformation>'
        f"<TSLVersionIdentifier>6</TSLVersionIdentifier><TSLSequenceNumber>{sequence}"
        "</TSLSequenceNumber><SchemeOperatorName><Name xml:lang='en'>Operator</Name>"
        f"</SchemeOperatorName><SchemeInformationURI>{uris}</SchemeInformationURI>"
        f"<SchemeTerritory>{territory}</SchemeTerritory><PointersToOtherTSL>"
        f"{''.join(each.markup() for each in pointers)}</PointersToOtherTSL>"
        f"<ListIssueDateTime>{at:%Y-%m-%dT%H:%M:%SZ}</ListIssueDateTime><NextUpdate><dateTime>"
        f"{next_update:%Y-%m-%dT%H:%M:%SZ}</dateTime></NextUpdate></SchemeInformation>{provided}"
        "</TrustServiceStatusList>"
    )
    return xades.sign_enveloped(parse(document.encode()), key, at)
