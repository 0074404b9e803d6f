"""The CMS signature inside a PDF (RFC 5652, CAdES baseline B: EN 319 122-1, 6.3).

All that is the same for every signature of a key is encoded once, by asn1crypto; what is left to do
for each signature is a digest, the signature itself and four lengths.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from asn1crypto import algos, cms, core, tsp  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509

_SEQUENCE: Final = 0x30
_SET: Final = 0x31
_OCTETS: Final = 0x04
_CONTEXT_0: Final = 0xA0
_DATA: Final = core.ObjectIdentifier("1.2.840.113549.1.7.1").dump()
_SIGNED_DATA: Final = core.ObjectIdentifier("1.2.840.113549.1.7.2").dump()
_VERSION_1: Final = core.Integer(1).dump()


def _tlv(tag: int, *parts: bytes) -> bytes:
    """One DER element."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        return bytes((tag, size)) + body
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(length))) + length + body


@dataclass(frozen=True, slots=True)
class CmsSigner:
    """Makes detached CMS signatures with one key."""

    digest: str
    """Name of the digest algorithm, as hashlib knows it."""
    sign: Callable[[bytes], bytes]
    """The signature value, as CMS wants it, over the bytes given."""
    digest_algorithm: bytes
    signature_algorithm: bytes
    certificates: bytes
    issuer_and_serial: bytes
    fixed_attributes: tuple[bytes, ...]

    def signature(self, *content: bytes) -> bytes:
        """The ContentInfo with a signature over `content`, the parts one after the other."""
        digest = hashlib.new(self.digest)
        for part in content:
            digest.update(part)
        value = _tlv(_SET, _tlv(_OCTETS, digest.digest()))
        message_digest = _tlv(_SEQUENCE, _MESSAGE_DIGEST, value)
        # DER wants the members of a SET in the order of their encodings.
        attributes = b"".join(sorted((*self.fixed_attributes, message_digest)))
        signed = self.sign(_tlv(_SET, attributes))
        signer = _tlv(
            _SEQUENCE,
            _VERSION_1,
            self.issuer_and_serial,
            self.digest_algorithm,
            _tlv(_CONTEXT_0, attributes),
            self.signature_algorithm,
            _tlv(_OCTETS, signed),
        )
        data = _tlv(
            _SEQUENCE,
            _VERSION_1,
            _tlv(_SET, self.digest_algorithm),
            _tlv(_SEQUENCE, _DATA),
            self.certificates,
            _tlv(_SET, signer),
        )
        return _tlv(_SEQUENCE, _SIGNED_DATA, _tlv(_CONTEXT_0, data))


_MESSAGE_DIGEST: Final = cms.CMSAttributeType("message_digest").dump()


def cms_signer(
    certificates: Sequence[bytes],
    *,
    digest: str,
    signature_algorithm: str,
    sign: Callable[[bytes], bytes],
) -> CmsSigner:
    """A signer for the key of the first of `certificates` (DER; intermediates may follow).

    `signature_algorithm` is asn1crypto's name for it, e.g. `sha256_rsa`, `sha256_ecdsa`.
    """
    own = asn1_x509.Certificate.load(certificates[0])
    reference = tsp.SigningCertificateV2(
        {
            "certs": [
                {
                    "hash_algorithm": {"algorithm": "sha256"},
                    "cert_hash": hashlib.sha256(certificates[0]).digest(),
                }
            ]
        }
    )
    content_type = cms.CMSAttribute({"type": "content_type", "values": ["data"]})
    signing_certificate = cms.CMSAttribute(
        {"type": "signing_certificate_v2", "values": [reference]}
    )
    serial = cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number})
    return CmsSigner(
        digest=digest,
        sign=sign,
        digest_algorithm=algos.DigestAlgorithm({"algorithm": digest}).dump(),
        signature_algorithm=algos.SignedDigestAlgorithm({"algorithm": signature_algorithm}).dump(),
        certificates=_tlv(_CONTEXT_0, b"".join(sorted(certificates))),
        issuer_and_serial=serial.dump(),
        fixed_attributes=(content_type.dump(), signing_certificate.dump()),
    )
