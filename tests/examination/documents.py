"""One complete message as files: signed envelope, container, token, evidence, national documents.

Made once with fixed times and names; only keys and signatures differ from run to run.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding

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
from connector.envelope import HeaderValues, complete, read, write
from connector.evidence.build import build_evidence, submission_acceptance
from connector.evidence.model import Address, Entity, Evidence, MessageDetails, PostalAddress
from connector.evidence.types import Profile
from connector.shipped import shipped
from connector.signature import xades
from connector.signature.keys import SigningKey
from connector.signature.pki import Authority, KeyType
from connector.translation.formats import load_formats
from connector.xml import parse

NOW = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
AT = "2026-11-02T10:00:00"


@dataclass(frozen=True)
class Made:
    """Where the files are, and the keys behind them."""

    folder: Path
    key: SigningKey
    other_key: SigningKey
    """Of a CA that nobody trusts."""

    @property
    def trust(self) -> Path:
        return self.folder / "trust"

    @property
    def message(self) -> Path:
        """A folder with all that belongs to one message."""
        return self.folder / "message"

    @property
    def envelope(self) -> Path:
        return self.message / "envelope.xml"

    @property
    def container(self) -> Path:
        return self.message / "message.asics"

    @property
    def token(self) -> Path:
        return self.message / "Token.xml"

    @property
    def token_pdf(self) -> Path:
        return self.folder / "TrustOkToken.pdf"

    @property
    def evidence(self) -> Path:
        return self.message / "SUBMISSION_ACCEPTANCE.xml"

    @property
    def unsigned(self) -> Path:
        return self.folder / "unsigned.xml"

    @property
    def case_json(self) -> Path:
        return self.folder / "national" / "demande.json"

    @property
    def register_csv(self) -> Path:
        return self.folder / "national" / "pedido.csv"


def make(folder: Path) -> Made:
    """Write them all below `folder`."""
    root = Authority.root("Root", NOW, key_type=KeyType.P256)
    issuer = root.authority("CA DE", NOW, country="DE", key_type=KeyType.P256)
    key = issuer.issue("Connector DE", NOW, country="DE", key_type=KeyType.P256)
    stranger = Authority.root("Stranger", NOW, key_type=KeyType.P256)
    other = stranger.issue("Somebody", NOW, key_type=KeyType.P256)
    made = Made(folder, key, other)
    for each in (made.trust, made.message, made.case_json.parent):
        each.mkdir()
    (made.trust / "root.pem").write_bytes(root.key.certificate.public_bytes(Encoding.PEM))

    unsigned = envelope_bytes()
    made.unsigned.write_bytes(unsigned)
    signed = xades.sign_enveloped(parse(unsigned), key, NOW)
    made.envelope.write_bytes(signed)
    token = token_of(signed)
    pdf = token_pdf(token, pdf_signer(key), NOW)
    made.token_pdf.write_bytes(pdf)
    made.token.write_bytes(build_token(token, key, NOW))
    with made.container.open("wb") as target:
        seal(target, documents(signed), key, NOW, token_pdf=pdf)
    made.evidence.write_bytes(evidence_bytes(signed, key))
    formats = load_formats([shipped("mappings")])
    for name, path in (("case-json", made.case_json), ("register-csv", made.register_csv)):
        path.write_bytes(formats.write(parse(unsigned), name).data)
    return made


def attachment(name: str) -> bytes:
    """Content of the attachment of that name."""
    return f"%PDF-1.4\n% {name}, without signature\n".encode() * 30


def envelope_bytes() -> bytes:
    """The sample request, its attachments being those of the container."""
    envelope = read(parse((shipped("samples") / "envelope" / "request.xml").read_bytes()))
    every = tuple(
        replace(
            each,
            size=len(attachment(each.name)),
            sha256=hashlib.sha256(attachment(each.name)).hexdigest(),
        )
        for each in envelope.header.attachments
    )
    return write(complete(envelope, HeaderValues(attachments=every)))


def documents(envelope: bytes) -> list[Document]:
    """What goes into the container."""
    attached = read(parse(envelope_bytes())).header.attachments
    return [
        Document("envelope.xml", "application/xml", BytesSource(envelope)),
        *(Document(a.name, a.media_type, BytesSource(attachment(a.name))) for a in attached),
    ]


def token_of(document: bytes) -> Token:
    return authentication_token(
        issuer=TokenIssuer("Ministry of Justice", "DE"),
        document=TokenDocument(
            filename="envelope.xml",
            media_type="application/xml",
            digest=hashlib.sha256(document).digest(),
        ),
        identity_provider="Ministry of Justice",
        username="urn:emla:authority:de:bfj",
        at=NOW,
    )


def ecodex_token(document: bytes, key: SigningKey) -> bytes:
    return build_token(token_of(document), key, NOW, Spelling.ECODEX)


def pdf_signer(key: SigningKey):  # type: ignore[no-untyped-def]
    return cms_signer(
        key.certificates, digest="sha256", signature_algorithm="sha256_ecdsa", sign=key.sign_der
    )


def evidence_of(document: bytes) -> Evidence:
    return submission_acceptance(
        identifier="evidence-1",
        issuer=Entity(
            names=("Ministry of Justice",),
            postal=PostalAddress(
                streets=("Weg 1",), locality="Berlin", postal_code="10115", country="DE"
            ),
            addresses=(Address("mla@ministry.example"),),
        ),
        at=NOW,
        sender="urn:emla:authority:de:bfj",
        recipient="urn:emla:authority:br:drci",
        message=MessageDetails(
            subject="Request",
            remmd_identifier="1@de.example",
            digest=hashlib.sha256(document).digest(),
        ),
    )


def evidence_bytes(document: bytes, key: SigningKey, profile: Profile = Profile.STRICT) -> bytes:
    return build_evidence(evidence_of(document), key, NOW, profile)
