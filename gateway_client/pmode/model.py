"""Processing modes: what two access points have agreed on for their exchanges (ebMS 3.0 core, 4).

A PMode is a frozen value. `PModes` finds the one that governs a message, the same way for sending
and for receiving: one PMode for each direction between two parties.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from cryptography import x509

from connector.errors import misconfigured, unacceptable
from connector.signature.algorithms import SHA256, AlgorithmPolicy
from connector.signature.trust import TrustStore
from gateway_client.model import Party, PartyId, Service, UserMessage

DEFAULT_MPC: Final = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/defaultMPC"

AES128_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes128-gcm"
AES256_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes256-gcm"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """How an HTTPS connection to a partner is made. Certificates are always checked."""

    ca_file: Path | None = None
    """PEM file of the CAs that count instead of the system's."""
    client_certificate: Path | None = None
    """PEM file of our certificate, for mutual authentication."""
    client_key: Path | None = None
    """PEM file of its key, if the certificate's file does not hold it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerTrust:
    """Whose signatures count as the partner's."""

    certificates: tuple[x509.Certificate, ...] = ()
    """Pinned: these count by themselves while they are valid."""
    store: TrustStore | None = None
    """Certificates of `subject` with a path to an anchor in here count, too."""
    subject: str | None = None
    """The partner's subject name (RFC 4514); needed with `store`, since others have certificates
    of the same CA."""
    _pinned: TrustStore = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raises `pmode.no-trust`, `pmode.no-subject` (configuration)."""
        if not self.certificates and self.store is None:
            raise misconfigured(
                "pmode.no-trust",
                "No certificate of the partner is trusted, so nothing of it could be accepted.",
                mend="Name the partner's signing certificate.",
            )
        if self.store is not None and not self.subject:
            raise misconfigured(
                "pmode.no-subject",
                "Any holder of a certificate of the trusted CAs could pose as this partner.",
                mend="Name the subject of the partner's certificate, or pin the certificate.",
            )
        object.__setattr__(self, "_pinned", TrustStore((), pinned=self.certificates))

    def check(
        self,
        certificate: x509.Certificate,
        intermediates: Sequence[x509.Certificate],
        at: datetime,
        policy: AlgorithmPolicy,
    ) -> None:
        """Make sure that `certificate` is the partner's and valid at `at`.

        Raises `ConnectorError` (unacceptable): `as4.security-untrusted`, and what
        `TrustStore.validate` raises.
        """
        if certificate in self.certificates:
            self._pinned.validate(certificate, (), at, policy)
        elif self.store is not None and certificate.subject.rfc4514_string() == self.subject:
            self.store.validate(certificate, intermediates, at, policy)
        else:
            raise unacceptable(
                "as4.security-untrusted",
                f"The certificate of {certificate.subject.rfc4514_string()} is not one that the "
                "partner signs with.",
                mend="If the partner has a new certificate, add it to those that are trusted.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class Security:
    """PMode[1].Security: WS-Security of user messages and their receipts."""

    trust: PartnerTrust
    encrypt_for: x509.Certificate | None = None
    """The partner's encryption certificate; sending encrypted needs it."""
    encrypt: bool = True
    """Whether payloads travel encrypted: sending does it, receiving demands it."""
    encryption_method: str = AES128_GCM
    """For sending."""
    encryption_accepted: frozenset[str] = frozenset({AES128_GCM, AES256_GCM})
    """On receipt."""
    signature_method: str | None = None
    """For sending; None is the method that suits our key (RSA: rsa-sha256)."""
    digest_method: str = SHA256
    policy: AlgorithmPolicy = field(default_factory=AlgorithmPolicy)
    """Which signature and digest algorithms and keys count on receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compression:
    """PMode[1].PayloadService.CompressionType: gzip, or nothing."""

    enabled: bool = True
    exempt: frozenset[str] = frozenset({"application/vnd.etsi.asic-s+zip", "image/jpeg"})
    """Media types that are compressed already."""
    level: int = 3
    """Of gzip, 1 to 9: more of it takes far longer and saves little on documents."""


class ReplyPattern(StrEnum):
    """PMode[1].Security.SendReceipt.ReplyPattern."""

    RESPONSE = "Response"
    """The receipt is the answer to the HTTP request: the one way of one-way push."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """PMode[1].ReceptionAwareness.Retry: how often a call sends a message again by itself.

    A message that finds no receipt after these goes back to the caller as a transient failure; a
    durable queue with longer delays decides from there. Duplicates are always eliminated.
    """

    delays: tuple[timedelta, ...] = (timedelta(),)
    """Waits before each further try. The default mends a connection that had gone stale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PMode:
    """One direction of one-way push between two parties."""

    id: str
    initiator: Party
    """Who sends user messages under this PMode."""
    responder: Party
    services: tuple[Service, ...] = ()
    """Those that it governs; empty for any."""
    actions: tuple[str, ...] = ()
    """Those that it governs; empty for any."""
    endpoint: str | None = None
    """URL of the responder's access point; needed by the initiator only."""
    mpc: str = DEFAULT_MPC
    agreement: str | None = None
    """eb:AgreementRef that messages must carry."""
    security: Security
    compression: Compression = Compression()
    receipt: ReplyPattern = ReplyPattern.RESPONSE
    retry: Retry = Retry()
    tls: Tls = Tls()
    connect_timeout: float = 10.0
    """Seconds."""
    answer_timeout: float = 60.0
    """Seconds without a byte from the partner after which the try has failed."""

    def governs(self, service: Service, action: str) -> bool:
        """Whether messages of this service and action fall under it."""
        return (not self.services or service in self.services) and (
            not self.actions or action in self.actions
        )


@dataclass(frozen=True, slots=True)
class PModes:
    """All PModes of an access point."""

    modes: tuple[PMode, ...]
    _by_parties: dict[tuple[PartyId, PartyId], tuple[PMode, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        """Raises `pmode.duplicate-id` (configuration)."""
        seen: set[str] = set()
        for mode in self.modes:
            if mode.id in seen:
                raise misconfigured("pmode.duplicate-id", f"Two PModes are named {mode.id!r}.")
            seen.add(mode.id)
            key = (mode.initiator.id, mode.responder.id)
            self._by_parties[key] = (*self._by_parties.get(key, ()), mode)

    @classmethod
    def of(cls, modes: Iterable[PMode]) -> PModes:
        """From any collection of PModes."""
        return cls(tuple(modes))

    def governing(self, message: UserMessage) -> PMode:
        """The PMode of `message`: the first one that fits parties, service and action.

        The test service falls under whatever is agreed between the parties.

        Raises `ConnectorError` (unacceptable): `pmode.unknown-sender`, `pmode.unknown-recipient`,
        `pmode.no-match` (all of them EBMS:0010 to a partner), `as4.value-role`,
        `as4.value-agreement`, `as4.value-mpc` (EBMS:0003).
        """
        sender, recipient = message.sender.id, message.recipient.id
        between = self._by_parties.get((sender, recipient), ())
        if not between:
            if not any(mode.initiator.id == sender for mode in self.modes):
                raise _mismatch("unknown-sender", f"Nothing is agreed with {_named(sender)}.")
            raise _mismatch(
                "unknown-recipient",
                f"Nothing is agreed for messages from {_named(sender)} to {_named(recipient)}.",
            )
        fitting = [mode for mode in between if mode.governs(message.service, message.action)]
        if message.is_ping:
            fitting = fitting or list(between)
        if not fitting:
            raise _mismatch(
                "no-match",
                f"Service {message.service.value!r} with action {message.action!r} is not agreed "
                f"between {_named(sender)} and {_named(recipient)}.",
            )
        _check_details(message, fitting[0])
        return fitting[0]


def _check_details(message: UserMessage, mode: PMode) -> None:
    for party, agreed in ((message.sender, mode.initiator), (message.recipient, mode.responder)):
        if party.role != agreed.role:
            raise _inconsistent(
                "role", f"{_named(party.id)} has the role {party.role!r}, not {agreed.role!r}."
            )
    if (message.mpc or DEFAULT_MPC) != mode.mpc:
        raise _inconsistent("mpc", f"The MPC {message.mpc!r} is not the one agreed.")
    if mode.agreement is not None and message.agreement_ref != mode.agreement:
        raise _inconsistent("agreement", f"AgreementRef {message.agreement_ref!r} is not agreed.")


def _named(party: PartyId) -> str:
    return f"{party.value!r}" if party.type is None else f"{party.value!r} ({party.type})"


def _mismatch(code: str, what: str) -> Exception:
    return unacceptable(
        f"pmode.{code}", what, mend="Both access points must have the same PMode configured."
    )


def _inconsistent(code: str, what: str) -> Exception:
    return unacceptable(
        f"as4.value-{code}", what, mend="Both access points must have the same PMode configured."
    )
