"""Whose signatures count: certificate paths from a signer to a trust anchor (RFC 5280, clause 6).

Paths are built and checked by pyhanko-certvalidator, once for each certificate; what was found
stays good for as long as every certificate of the path is valid. Revocation has its own place:
`TrustStore.revocation` is asked about every path on every use.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography import x509
from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathBuildingError,
    PathError,
    ValidationError,
)
from pyhanko_certvalidator.policy_decl import DisallowWeakAlgorithmsPolicy

from connector.errors import ConnectorError, misconfigured, unacceptable
from connector.signature.algorithms import WEAK, AlgorithmPolicy
from connector.signature.certificates import MALFORMED, asn1, public_key

MAX_INTERMEDIATES: Final = 16
"""Certificates that a sender may send along; more are refused."""
_CACHED_PATHS: Final = 4096


class Purpose(StrEnum):
    """What a certificate is used for."""

    SIGNATURE = "signature"
    """Documents, seals, evidences, messages: digitalSignature or contentCommitment."""
    ENCRYPTION = "encryption"
    """Content keys are encrypted for it: keyEncipherment or keyAgreement."""


@dataclass(frozen=True, slots=True)
class TrustPath:
    """A proven path."""

    certificates: tuple[x509.Certificate, ...]
    """From the signer's to the trust anchor; one if the signer's itself is trusted."""
    not_before: datetime
    not_after: datetime
    """The time in which all of them are valid."""


Revocation = Callable[[TrustPath, datetime], None]
"""Raises `certificate.revoked`, or `certificate.revocation-unknown`, for a path at a time."""


Granted = Callable[[x509.Certificate, datetime], bool]
"""Whether an anchor, or a certificate that is trusted by itself, counted at a time."""


class TrustStore:
    """Trust anchors, and certificates that are trusted by themselves. Safe between threads."""

    def __init__(
        self,
        anchors: Iterable[x509.Certificate],
        *,
        pinned: Iterable[x509.Certificate] = (),
        intermediates: Iterable[x509.Certificate] = (),
        revocation: Revocation | None = None,
        granted: Granted | None = None,
    ) -> None:
        """`pinned` certificates need no path, but must be valid in time and strong;
        `intermediates` complete paths whose sender did not send them; `granted` says when an anchor
        counted, where that is not for ever (trusted lists)."""
        self.anchors: Final = tuple(anchors)
        self.pinned: Final = frozenset(pinned)
        self.intermediates: Final = tuple(intermediates)
        self.revocation: Final = revocation
        self.granted: Final = granted
        self._paths: OrderedDict[object, TrustPath] = OrderedDict()
        self._lock = threading.Lock()

    @classmethod
    def from_folder(cls, folder: Path, *, revocation: Revocation | None = None) -> TrustStore:
        """All certificates in the PEM files (`*.pem`, `*.crt`, `*.cer`) of `folder`.

        Self-issued CAs are anchors, other CAs intermediates; what is no CA is trusted by itself.
        Raises `ConnectorError` (configuration): `trust.missing`, `trust.unreadable`, `trust.empty`.
        """
        if not folder.is_dir():
            raise misconfigured(
                "trust.missing",
                "There is no such folder of trusted certificates.",
                file=str(folder),
            )
        found = [c for file in sorted(folder.iterdir()) for c in _certificates(file)]
        authorities = [c for c in found if is_authority(c)]
        if not found:
            raise misconfigured(
                "trust.empty",
                "The folder holds no certificates, so no signature could be trusted.",
                mend="Put the CA certificates of the partners there, as PEM files.",
                file=str(folder),
            )
        return cls(
            (c for c in authorities if c.issuer == c.subject),
            pinned=(c for c in found if not is_authority(c)),
            intermediates=(c for c in authorities if c.issuer != c.subject),
            revocation=revocation,
        )

    def validate(
        self,
        certificate: x509.Certificate,
        intermediates: Sequence[x509.Certificate],
        at: datetime,
        policy: AlgorithmPolicy,
        purpose: Purpose = Purpose.SIGNATURE,
    ) -> TrustPath:
        """The path from `certificate` to an anchor, all of it valid at `at` for `purpose`.

        Raises `ConnectorError` (unacceptable): `certificate.expired`,
        `certificate.not-yet-valid`, `certificate.unknown-issuer`, `certificate.wrong-usage`,
        `certificate.weak-algorithm`, `certificate.path-invalid`, `signature.weak-key`,
        `signature.unknown-key`, and what `revocation` raises.
        """
        key = (certificate, policy, purpose)
        with self._lock:
            path = self._paths.get(key)
            if path is not None:
                self._paths.move_to_end(key)
        if path is None or not path.not_before <= at <= path.not_after:
            path = self._find(certificate, intermediates, at, policy, purpose)
            with self._lock:
                self._paths[key] = path
                while len(self._paths) > _CACHED_PATHS:
                    self._paths.popitem(last=False)
        if self.granted is not None and not self.granted(path.certificates[-1], at):
            raise _refused("unknown-issuer", "its issuer was not trusted at that time", certificate)
        if self.revocation is not None:
            self.revocation(path, at)
        return path

    def _find(
        self,
        certificate: x509.Certificate,
        intermediates: Sequence[x509.Certificate],
        at: datetime,
        policy: AlgorithmPolicy,
        purpose: Purpose,
    ) -> TrustPath:
        if len(intermediates) > MAX_INTERMEDIATES:
            raise _refused(
                "path-invalid", f"{len(intermediates)} certificates came along", certificate
            )
        _check_validity(certificate, at)
        _check_usage(certificate, purpose)
        found: tuple[x509.Certificate, ...] = (certificate,)
        if certificate not in self.pinned:
            found = self._path(certificate, intermediates, at, policy)
        for member in found:
            _check_validity(member, at)
            policy.check_key(public_key(member))
        return TrustPath(
            found,
            max(c.not_valid_before_utc for c in found),
            min(c.not_valid_after_utc for c in found),
        )

    def _path(
        self,
        certificate: x509.Certificate,
        intermediates: Sequence[x509.Certificate],
        at: datetime,
        policy: AlgorithmPolicy,
    ) -> tuple[x509.Certificate, ...]:
        weak = {"md2", "md5"} | (set() if WEAK & policy.permitted else {"sha1"})
        context = ValidationContext(
            trust_roots=[asn1(c) for c in self.anchors],
            other_certs=[asn1(c) for c in (*self.intermediates, *intermediates)],
            moment=at.astimezone(UTC),
            allow_fetching=False,
            algorithm_usage_policy=DisallowWeakAlgorithmsPolicy(  # type: ignore[no-untyped-call]
                weak_hash_algos=weak, rsa_key_size_threshold=policy.rsa_bits
            ),
        )
        validator = CertificateValidator(asn1(certificate), validation_context=context)
        try:
            path = finished(validator.async_validate_path())
        except (PathError, ValidationError, *MALFORMED) as error:
            raise _explained(error, certificate) from error
        return tuple(x509.load_der_x509_certificate(c.dump()) for c in reversed(list(path)))


def finished(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The coroutine's result. Nothing in it waits, since nothing is fetched, so that it needs no
    event loop, and none is disturbed where the caller runs in one."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise RuntimeError("path validation waited although it has nothing to wait for")


def _explained(error: Exception, certificate: x509.Certificate) -> ConnectorError:
    code = "path-invalid"
    own = certificate.issuer == certificate.subject
    if own or isinstance(error, PathBuildingError):
        return _refused("unknown-issuer", "nobody that is trusted issued it", certificate)
    if isinstance(error, ExpiredError):
        code = "expired"
    elif isinstance(error, NotYetValidError):
        code = "not-yet-valid"
    elif isinstance(error, DisallowedAlgorithmError):
        code = "weak-algorithm"
    return _refused(code, str(error).rstrip("."), certificate)


def _check_validity(certificate: x509.Certificate, at: datetime) -> None:
    if at > certificate.not_valid_after_utc:
        ended = certificate.not_valid_after_utc
        raise _refused("expired", f"it was valid until {ended:%Y-%m-%d %H:%M} UTC", certificate)
    if at < certificate.not_valid_before_utc:
        begins = certificate.not_valid_before_utc
        raise _refused(
            "not-yet-valid", f"it is valid from {begins:%Y-%m-%d %H:%M} UTC", certificate
        )


def _check_usage(certificate: x509.Certificate, purpose: Purpose) -> None:
    try:
        usage = certificate.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return  # then the key may be used for anything (RFC 5280, 4.2.1.3)
    except MALFORMED as error:
        raise _refused(
            "path-invalid", f"its extensions are malformed ({error})", certificate
        ) from error
    if purpose is Purpose.SIGNATURE:
        suits = usage.digital_signature or usage.content_commitment
    else:
        suits = usage.key_encipherment or usage.key_agreement
    if not suits:
        raise _refused("wrong-usage", f"its key must not be used for {purpose}", certificate)


def _refused(code: str, why: str, certificate: x509.Certificate) -> ConnectorError:
    mend = {
        "expired": "The signer needs a new certificate.",
        "unknown-issuer": "If you trust its issuer, put the CA certificate into the trust folder.",
        "weak-algorithm": "The signer needs a certificate that is signed with SHA-256.",
    }.get(code, "The signer needs another certificate.")
    subject = certificate.subject.rfc4514_string()
    return unacceptable(
        f"certificate.{code}",
        f"The certificate of {subject} does not count: {why}.",
        mend=mend,
    )


def _certificates(file: Path) -> list[x509.Certificate]:
    if file.suffix not in {".pem", ".crt", ".cer"}:
        return []
    try:
        return x509.load_pem_x509_certificates(file.read_bytes())
    except (OSError, *MALFORMED) as error:
        raise misconfigured(
            "trust.unreadable", f"Not a PEM file of certificates: {error}", file=str(file)
        ) from error


def is_authority(certificate: x509.Certificate) -> bool:
    """Whether a certificate is a CA's (RFC 5280, 4.2.1.9)."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        return False
    return found.value.ca
