"""Certificates and revocation data at hand, and the paths from a certificate to a trust anchor."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any, Final

from asn1crypto import crl  # type: ignore[import-untyped]
from asn1crypto import ocsp as asn1_ocsp
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.context import (
    ValidationDataHandlers,
    bootstrap_validation_data_handlers,
)
from pyhanko_certvalidator.errors import PathBuildingError
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.registry import PathBuilder, SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer, OCSPContainer

from connector.errors import ConnectorError
from connector.signature.certificates import MALFORMED, asn1, public_key
from connector.signature.revocation import RevocationData
from connector.signature.trust import TrustStore
from connector.validation.existence import Existence
from connector.validation.running import run

_MAX_PATHS: Final = 8


@dataclass(slots=True)
class Material:
    """Certificates and revocation data that were found in a document or fetched; grows."""

    certificates: set[x509.Certificate]
    revocation: RevocationData


class Paths:
    """Finds paths to the anchors of one store of trust."""

    def __init__(self, trust: TrustStore, material: Material, existence: Existence) -> None:
        self.manager: Final = SimpleTrustManager.build([asn1(each) for each in trust.anchors])
        self._trust = trust
        self._material = material
        self._existence = existence

    def plausible(self, certificate: x509.Certificate) -> list[ValidationPath]:
        """Paths to an anchor whose signatures fit, whatever the time."""
        found = run(self._candidates(certificate))
        return [path for path in found if _is_signed(members_of(path))]

    async def _candidates(self, certificate: x509.Certificate) -> list[ValidationPath]:
        builder = PathBuilder(self.manager, self.handlers(RevocationData()).cert_registry)
        found: list[ValidationPath] = []
        paths = builder.async_build_paths_lazy(asn1(certificate))
        try:
            async for path in paths:
                found.append(path)
                if len(found) == _MAX_PATHS:
                    break
        except PathBuildingError:
            pass  # says no more than that there is none
        finally:
            await paths.cancel()  # type: ignore[no-untyped-call]
        return found

    def handlers(self, data: RevocationData) -> ValidationDataHandlers:
        """The certificates at hand and `data`, for certvalidator."""
        certificates = (*self._trust.intermediates, *self._material.certificates)
        return bootstrap_validation_data_handlers(
            fetchers=None,
            crls=[CRLContainer(crl.CertificateList.load(der)) for der in data.crls],
            ocsps=[
                each
                for der in data.ocsps
                for each in OCSPContainer.load_multi(asn1_ocsp.OCSPResponse.load(der))
            ],
            certs=[asn1(each) for each in certificates if is_readable(each)],
            poe_manager=self._existence.manager,
        )


def members_of(path: ValidationPath) -> tuple[x509.Certificate, ...]:
    """From the leaf to the anchor."""
    certificates = list(path.iter_certs(include_root=True))
    return tuple(x509.load_der_x509_certificate(each.dump()) for each in reversed(certificates))


@lru_cache(maxsize=512)
def is_readable(certificate: x509.Certificate) -> bool:
    """Whether all of it can be parsed: certvalidator parses parts when it comes to them, and has no
    answer then to what is malformed."""
    try:
        _ = asn1(certificate).native
        _ = (asn1(certificate).subject.hashable, asn1(certificate).issuer.hashable)
        _ = [extension.value for extension in certificate.extensions]
        public_key(certificate)
    except (ConnectorError, *MALFORMED):
        return False
    return True


def _is_signed(members: Sequence[x509.Certificate]) -> bool:
    """Whether each is signed by the next."""
    try:
        for below, above in pairwise(members):
            below.verify_directly_issued_by(above)
    except (InvalidSignature, *MALFORMED):
        return False
    return True


def _load(load: Any, der: bytes) -> Any:
    try:
        return load(der)
    except MALFORMED:
        return None


def parsed(certificates: Iterable[bytes]) -> set[x509.Certificate]:
    """The certificates in DER; what is none is left out."""
    found = (_load(x509.load_der_x509_certificate, der) for der in certificates)
    return {each for each in found if each is not None}
