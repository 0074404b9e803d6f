"""Everything that a connector signs, made with keys of each kind, for others to judge."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path

from connector.container.asic import Document, seal
from connector.container.cms import cms_signer
from connector.container.payloads import BytesSource
from connector.container.signed_token import build_token
from connector.container.token import (
    Spelling,
    Token,
    TokenDocument,
    TokenIssuer,
    authentication_token,
)
from connector.container.token_pdf import token_pdf
from connector.evidence.build import build_evidence, follow_up, submission_acceptance
from connector.evidence.model import Address, Entity, Evidence, MessageDetails
from connector.evidence.types import EvidenceType, Profile
from connector.shipped import shipped
from connector.signature import xades
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority, KeyType
from connector.signature.trust import TrustStore
from connector.xml import parse

JUDGED = "what emla signs"
"""In the matrix: the judge is in the column."""
NOW = datetime.now(UTC).replace(microsecond=0)
ENVELOPES = sorted(path.stem for path in shipped("samples").glob("envelope/*.xml"))
CMS_NAMES = {
    KeyType.RSA_2048: ("sha256", "sha256_rsa"),
    KeyType.P256: ("sha256", "sha256_ecdsa"),
    KeyType.P384: ("sha384", "sha384_ecdsa"),
    KeyType.ED25519: ("sha512", "ed25519"),
}


@dataclass(frozen=True, slots=True)
class Signer:
    """A key below a CA below a root."""

    root: Authority
    issuer: Authority
    key: SigningKey
    trust: TrustStore


@cache
def signer(key_type: KeyType) -> Signer:
    """The one with keys of this kind throughout."""
    root = Authority.root(f"Root, {key_type}", NOW, key_type=key_type)
    issuer = root.authority("CA", NOW, country="DE", key_type=key_type)
    key = issuer.issue("Connector Ä, DE", NOW, country="DE", key_type=key_type)
    return Signer(root, issuer, key, TrustStore([root.key.certificate]))


def envelope(name: str, key: SigningKey) -> bytes:
    """A sample envelope, signed."""
    data = (Path(shipped("samples")) / "envelope" / f"{name}.xml").read_bytes()
    return xades.sign_enveloped(parse(data), key, NOW)


def token() -> Token:
    """What a connector attests of an envelope."""
    return authentication_token(
        issuer=TokenIssuer("Ministry <&> of Justice", "DE"),
        document=TokenDocument(
            filename="Ersuchen Größe.xml",
            media_type="text/xml",
            digest=hashlib.sha256(b"envelope").digest(),
        ),
        identity_provider="national",
        username="DE-GBA",
        at=NOW,
    )


def token_xml(spelling: Spelling, key: SigningKey) -> bytes:
    """The token's XML, signed."""
    return build_token(token(), key, NOW, spelling)


def signed_token_pdf(key_type: KeyType, key: SigningKey) -> bytes:
    """The token's PDF, signed."""
    digest, algorithm = CMS_NAMES[key_type]
    signing = cms_signer(
        key.certificates, digest=digest, signature_algorithm=algorithm, sign=key.sign_der
    )
    return token_pdf(token(), signing, NOW)


def evidence(kind: EvidenceType) -> Evidence:
    """An evidence about a message from DE to BR."""
    first = submission_acceptance(
        identifier="0d7b4f3e-6b4b-4b8e-9c52-3f8a2f7a1c11",
        issuer=Entity(names=("Connector DE",), addresses=(Address("connector@example.de"),)),
        at=NOW,
        sender="DE-GBA",
        recipient="BR-DRCI",
        message=MessageDetails(
            subject="Ersuchen Größe",
            ua_identifier="REQ-1",
            remmd_identifier="m1@de.emla",
            digest=hashlib.sha256(b"envelope").digest(),
        ),
    )
    return follow_up(first, kind, identifier="e-2", issuer=first.issuer, at=NOW)


def signed_evidence(kind: EvidenceType, profile: Profile, key: SigningKey) -> bytes:
    """The evidence's XML, signed."""
    return build_evidence(evidence(kind), key, NOW, profile)


def container(key: SigningKey, pdf: bytes | None = None) -> bytes:
    """An ASiC-S with three documents, and the token's PDF if it is given."""
    target = io.BytesIO()
    documents = [
        Document("Ersuchen.xml", "text/xml", BytesSource(b"<a>Gr\xc3\xb6\xc3\x9fe</a>")),
        Document("звіт.pdf", "application/pdf", BytesSource(bytes(range(256)) * 10_000)),
        Document("leer.txt", "text/plain", BytesSource(b"")),
    ]
    seal(target, documents, key, NOW, token_pdf=pdf)
    return target.getvalue()


def _makers() -> Iterator[tuple[str, Callable[[SigningKey], bytes]]]:
    for name in ENVELOPES:
        yield f"envelope, {name}", partial(envelope, name)
    for spelling in Spelling:
        yield f"token, {spelling}", partial(token_xml, spelling)
    for profile in Profile:
        for kind in EvidenceType:
            name = f"evidence, {profile}, {kind.lower()}"
            yield name, partial(signed_evidence, kind, profile)


SIGNED_XML = dict(_makers())
"""Makes each kind of XML document that we sign, by what a person would call it."""
