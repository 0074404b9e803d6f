"""The PModes of a connector, from the partners that its settings name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from cryptography import x509

from connector.errors import misconfigured
from connector.exchange.wire import PARTY_TYPE, ROLE
from connector.settings import Home, PartnerSection
from connector.signature.algorithms import AlgorithmPolicy
from gateway_client.model import Party, PartyId
from gateway_client.pmode.model import PartnerTrust, PMode, PModes, Security

_CERTIFICATE: Final = b"-----BEGIN CERTIFICATE-----"


def pmodes_of(home: Home, policy: AlgorithmPolicy) -> PModes:
    """One PMode to and one from each partner.

    Raises `ConnectorError` (configuration): `partner.certificate` if a file holds none,
    `pmode.duplicate-id`.
    """
    return PModes.of(
        mode for partner in home.settings.partner for mode in _both(home, partner, policy)
    )


def _both(home: Home, partner: PartnerSection, policy: AlgorithmPolicy) -> Iterator[PMode]:
    own = _party(home.settings.connector.party)
    other = _party(partner.party)
    certificate = load_certificate(home.path(partner.certificate))
    security = Security(
        trust=PartnerTrust(certificates=(certificate,)), encrypt_for=certificate, policy=policy
    )
    timeout = home.settings.gateway.timeout.total_seconds()
    yield PMode(
        id=f"to-{partner.party}",
        initiator=own,
        responder=other,
        endpoint=partner.endpoint,
        security=security,
        answer_timeout=timeout,
    )
    yield PMode(id=f"from-{partner.party}", initiator=other, responder=own, security=security)


def _party(name: str) -> Party:
    return Party(PartyId(name, PARTY_TYPE), ROLE)


def load_certificate(file: Path) -> x509.Certificate:
    """The first certificate of a PEM file. Raises `partner.certificate` (configuration)."""
    try:
        data = file.read_bytes()
        return x509.load_pem_x509_certificate(data[data.index(_CERTIFICATE) :])
    except (OSError, ValueError) as error:
        raise misconfigured(
            "partner.certificate",
            "The partner's certificate cannot be read as PEM.",
            mend="Ask the partner for its transport certificate, and name its file.",
            file=str(file),
        ) from error
