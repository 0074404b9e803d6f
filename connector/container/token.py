"""The TrustOK token as plain data: what the sender states about its business document.

The XML is in `token_xml.py`, the one-page PDF in `token_pdf.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

DISCLAIMERS: Final = {
    True: "The sending connector attests that the document meets what its country demands of it.",
    False: "The sending connector does not attest that the document is valid in its country.",
}
"""LegalResult/Disclaimer where the sender gives none of its own, by success."""


class Spelling(StrEnum):
    """How a token is spelled."""

    STRICT = "strict"
    """Valid against the token's schema: the digest in Base64 once, its algorithm by URI."""
    ECODEX = "ecodex"
    """As the e-CODEX connector writes and reads it: the digest in Base64 twice, the algorithm by
    its bare name."""


class AdvancedSystem(StrEnum):
    """AdvancedElectronicSystem: how the sender knows whose the document is."""

    SIGNATURE = "Signature-based"
    AUTHENTICATION = "Authentication-based"


class TechnicalLevel(StrEnum):
    """Outcome of the technical validation."""

    FAIL = "FAIL"
    SUFFICIENT = "SUFFICIENT"
    SUCCESSFUL = "SUCCESSFUL"


class LegalLevel(StrEnum):
    """Outcome of the legal assessment."""

    SUCCESSFUL = "SUCCESSFUL"
    NOT_SUCCESSFUL = "NOT_SUCCESSFUL"


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    """Who made the token."""

    service_provider: str
    country: str
    """ISO 3166-1 alpha-2."""
    system: AdvancedSystem = AdvancedSystem.AUTHENTICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenDocument:
    """The business document that the token speaks of."""

    filename: str
    media_type: str
    digest: bytes
    digest_algorithm: str = "SHA-256"
    """By its plain name: SHA-256, SHA-384 or SHA-512."""
    signature_filename: str = ""
    """The detached signature's file, if there is one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthenticationData:
    """The sender's user was authenticated by a national system."""

    identity_provider: str
    username: str
    """UsernameSynonym: the user or, as e-CODEX does, the sending authority."""
    time: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureData:
    """The document carries an electronic signature, checked by the sender."""

    signing_time: datetime | None = None
    signature_verified: bool = True
    structure_verified: bool = True
    format: str = ""
    level: str = ""
    certificate_issuer: str = ""
    certificate_verified: bool = True
    valid_at_signing_time: bool = True
    unsigned: bool = False
    """The document has no signature: SignatureData is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenValidation:
    """What the sender found when it looked at the document."""

    time: datetime
    data: AuthenticationData | SignatureData
    technical: TechnicalLevel = TechnicalLevel.SUCCESSFUL
    comments: str = ""
    legal: LegalLevel = LegalLevel.SUCCESSFUL
    disclaimer: str = ""
    report: bytes = b""
    """OriginalValidationReport: well-formed XML elements, UTF-8; empty for none."""


@dataclass(frozen=True, slots=True)
class Token:
    """A TrustOK token."""

    issuer: TokenIssuer
    document: TokenDocument
    validation: TokenValidation


def authentication_token(
    *,
    issuer: TokenIssuer,
    document: TokenDocument,
    identity_provider: str,
    username: str,
    at: datetime,
) -> Token:
    """The token of a document whose sender has been authenticated: a connector's usual one."""
    return Token(
        issuer,
        document,
        TokenValidation(
            time=at,
            data=AuthenticationData(
                identity_provider=identity_provider, username=username, time=at
            ),
            comments="The sender has been authenticated.",
            disclaimer=DISCLAIMERS[True],
        ),
    )
