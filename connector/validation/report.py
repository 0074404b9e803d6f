"""What a validation found, as values. `text.py` and `xml_report.py` write it down."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from cryptography import x509

from connector.errors import Problem
from connector.signature.xades_statements import Statements
from connector.validation.indications import Indication, SubIndication


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a validation comes to, and why."""

    sub: SubIndication | None = None
    """None where it passed."""
    why: tuple[str, ...] = ()
    """Sentences for a person."""

    @property
    def indication(self) -> Indication:
        """Follows from the sub-indication."""
        return Indication.TOTAL_PASSED if self.sub is None else self.sub.indication

    @property
    def passed(self) -> bool:
        """Whether it is TOTAL-PASSED."""
        return self.sub is None


PASSED = Conclusion()


class Stamped(StrEnum):
    """What a timestamp is about."""

    CONTENT = "content"
    """What was going to be signed: the signature came later."""
    SIGNATURE = "signature"
    ARCHIVE = "archive"
    """The signature with all that is needed to validate it."""
    DOCUMENT = "document"
    """A PDF up to there."""

    @property
    def archives(self) -> bool:
        """Whether it protects validation data, too."""
        return self in {Stamped.ARCHIVE, Stamped.DOCUMENT}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampReport:
    """One timestamp."""

    of: Stamped
    time: datetime | None
    conclusion: Conclusion
    certificate: x509.Certificate | None
    """Of the authority, as far as the token brings it."""
    token: bytes
    """DER."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureReport:
    """One signature."""

    id: str
    """In its document, else made from its value."""
    format: str
    """`XAdES`, `CAdES`, `PAdES`."""
    level: str
    """`B`, `T`, `LT`, `LTA`: whose properties are there."""
    conclusion: Conclusion
    certificate: x509.Certificate | None = None
    path: tuple[x509.Certificate, ...] = ()
    """From the signer's to the trust anchor, where one was found."""
    signature_method: str | None = None
    """URI."""
    value: bytes = b""
    signing_time: datetime | None = None
    """As the signer claims."""
    best_signature_time: datetime | None = None
    """The earliest time at which the signature is proven to have existed."""
    statements: Statements = field(default_factory=Statements)
    covers: tuple[str, ...] = ()
    """What is signed: names of files, elements, or `the whole document`."""
    timestamps: tuple[TimestampReport, ...] = ()
    countersignatures: tuple[SignatureReport, ...] = ()
    weaknesses: tuple[Problem, ...] = ()
    """What is not as the standard wants it, or what only a policy let pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationReport:
    """All signatures of one document."""

    document: str
    """Its name."""
    sha256: str
    """In hexadecimal."""
    time: datetime
    """For which it was validated: best signature times and the like are not later."""
    policy: str
    """Name of the validation policy."""
    signatures: tuple[SignatureReport, ...]

    @property
    def indication(self) -> Indication:
        """The worst of the signatures'; INDETERMINATE without any."""
        found = {signature.conclusion.indication for signature in self.signatures}
        if Indication.TOTAL_FAILED in found:
            return Indication.TOTAL_FAILED
        if not found or Indication.INDETERMINATE in found:
            return Indication.INDETERMINATE
        return Indication.TOTAL_PASSED
