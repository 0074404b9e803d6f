"""Writing the WS-Security header (WSS 1.1.1, X.509 token profile, SwA profile).

Signed first, then encrypted: the signature covers the payloads as they were before encryption.
The header is a string: no part of it is ever canonicalised, except SignedInfo, which is written
canonically.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from cryptography import x509

from connector.signature.algorithms import DIGEST_METHODS, EXC_C14N, SHA256
from connector.signature.keys import SigningKey, wrap
from connector.signature.xmldsig import (
    ATTACHMENT_CONTENT,
    Reference,
    Transform,
    build_signature,
    canonical_attribute,
    canonical_text,
)
from gateway_client.as4.ebms import cid
from gateway_client.as4.namespaces import (
    ATTACHMENT_CIPHERTEXT,
    ATTACHMENT_CONTENT_ONLY,
    BASE64_BINARY,
    DS,
    ENCRYPTED_KEY,
    SOAP,
    WSSE,
    WSSE11,
    WSU,
    X509_SKI,
    X509_V3,
    XENC,
    XENC11,
)

RSA_OAEP: Final = XENC11 + "rsa-oaep"
MGF1_SHA256: Final = XENC11 + "mgf1sha256"
_C14N: Final = (Transform(EXC_C14N),)
_CONTENT: Final = (Transform(ATTACHMENT_CONTENT),)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A payload as it travels, before encryption."""

    content_id: str
    media_type: str
    """Of what travels, e.g. `application/gzip`."""
    digest: bytes
    """Of its octets, by the method of the PMode."""


@dataclass(frozen=True, slots=True)
class SignedParts:
    """A signed message: what goes into the envelope, and what its receipt must repeat."""

    token: bytes
    """wsse:BinarySecurityToken."""
    signature: bytes
    """ds:Signature."""
    references: tuple[Reference, ...]


def sign(
    messaging: tuple[str, bytes],
    body: tuple[str, bytes],
    attachments: Sequence[Attachment],
    key: SigningKey,
    *,
    id_suffix: str,
    digest_method: str = SHA256,
    signature_method: str | None = None,
) -> SignedParts:
    """Sign Messaging and Body, each given as (wsu:Id, canonical bytes), and every attachment.

    `id_suffix` is random and makes the header's Ids unique.
    """
    name = DIGEST_METHODS[digest_method]
    references = (
        *(
            Reference(f"#{element_id}", hashlib.new(name, octets).digest(), digest_method, _C14N)
            for element_id, octets in (messaging, body)
        ),
        *(Reference(cid(a.content_id), a.digest, digest_method, _CONTENT) for a in attachments),
    )
    token_id = f"X509-{id_suffix}"
    signature = build_signature(
        references,
        key,
        signature_method=signature_method,
        id=f"SIG-{id_suffix}",
        key_info=_token_reference(f'<wsse:Reference URI="#{token_id}" ValueType="{X509_V3}"/>'),
    )
    token = (
        f'<wsse:BinarySecurityToken EncodingType="{BASE64_BINARY}" ValueType="{X509_V3}"'
        f' wsu:Id="{token_id}">{b64encode(key.certificates[0]).decode()}'
        "</wsse:BinarySecurityToken>"
    )
    return SignedParts(token.encode(), signature, references)


def encryption_markup(
    key: bytes,
    method: str,
    attachments: Sequence[Attachment],
    certificate: x509.Certificate,
    *,
    id_suffix: str,
) -> bytes:
    """xenc:EncryptedKey for the holder of `certificate`, and xenc:EncryptedData for each
    attachment. Raises `encryption.wrong-key` (configuration)."""
    key_id = f"EK-{id_suffix}"
    wrapped = b64encode(wrap(key, certificate)).decode()
    listed = "".join(
        f'<xenc:DataReference URI="#ED-{i}-{id_suffix}"/>' for i in range(len(attachments))
    )
    encrypted_key = (
        f'<xenc:EncryptedKey xmlns:xenc="{XENC}" Id="{key_id}">'
        f'<xenc:EncryptionMethod Algorithm="{RSA_OAEP}">'
        f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{SHA256}"/>'
        f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{MGF1_SHA256}"/></xenc:EncryptionMethod>'
        f'<ds:KeyInfo xmlns:ds="{DS}">{_recipient(certificate)}</ds:KeyInfo>'
        f"<xenc:CipherData><xenc:CipherValue>{wrapped}</xenc:CipherValue></xenc:CipherData>"
        f"<xenc:ReferenceList>{listed}</xenc:ReferenceList></xenc:EncryptedKey>"
    )
    by_key = (
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}" xmlns:wsse11="{WSSE11}"'
        f' wsse11:TokenType="{ENCRYPTED_KEY}"><wsse:Reference URI="#{key_id}"/>'
        "</wsse:SecurityTokenReference>"
    )
    data = "".join(
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Id="ED-{i}-{id_suffix}"'
        f' MimeType="{canonical_attribute(attachment.media_type)}"'
        f' Type="{ATTACHMENT_CONTENT_ONLY}"><xenc:EncryptionMethod Algorithm="{method}"/>'
        f'<ds:KeyInfo xmlns:ds="{DS}">{by_key}</ds:KeyInfo><xenc:CipherData>'
        f'<xenc:CipherReference URI="{canonical_attribute(cid(attachment.content_id))}">'
        f'<xenc:Transforms><ds:Transform xmlns:ds="{DS}" Algorithm="{ATTACHMENT_CIPHERTEXT}"/>'
        "</xenc:Transforms></xenc:CipherReference></xenc:CipherData></xenc:EncryptedData>"
        for i, attachment in enumerate(attachments)
    )
    return (encrypted_key + data).encode()


def security_header(signed: SignedParts, encryption: bytes = b"") -> bytes:
    """wsse:Security, in the order that a receiver works through it: decrypt, then verify."""
    return b"".join(
        (
            f'<wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" xmlns:env="{SOAP}"'
            ' env:mustUnderstand="true">'.encode(),
            encryption,
            signed.token,
            signed.signature,
            b"</wsse:Security>",
        )
    )


@lru_cache(maxsize=1024)
def _recipient(certificate: x509.Certificate) -> str:
    """How the recipient knows which of its keys is meant: subject key identifier, else issuer
    and serial number."""
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        inner = (
            f'<ds:X509Data xmlns:ds="{DS}"><ds:X509IssuerSerial><ds:X509IssuerName>'
            f"{canonical_text(certificate.issuer.rfc4514_string())}</ds:X509IssuerName>"
            f"<ds:X509SerialNumber>{certificate.serial_number}</ds:X509SerialNumber>"
            "</ds:X509IssuerSerial></ds:X509Data>"
        )
    else:
        inner = (
            f'<wsse:KeyIdentifier EncodingType="{BASE64_BINARY}" ValueType="{X509_SKI}">'
            f"{b64encode(found.value.digest).decode()}</wsse:KeyIdentifier>"
        )
    return _token_reference(inner).decode()


def _token_reference(content: str) -> bytes:
    return (
        f'<wsse:SecurityTokenReference xmlns:wsse="{WSSE}">{content}</wsse:SecurityTokenReference>'
    ).encode()
