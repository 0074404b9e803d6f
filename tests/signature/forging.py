"""Tools of a forger who may have a trusted key, or only somebody's signed document."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

from lxml import etree

from connector.signature.algorithms import EXC_C14N, SHA256
from connector.signature.dsig_model import DS, ENVELOPED, Reference, Transform
from connector.signature.dsig_reading import canonical_octets
from connector.signature.dsig_writing import build_signature, x509_data
from connector.signature.keys import SigningKey
from connector.signature.xades_properties import SIGNED_PROPERTIES_TYPE
from connector.signature.xades_statements import XADES
from connector.xml import Element, parse

D = f"{{{DS}}}"
X = f"{{{XADES}}}"
EXCLUSIVE = Transform(EXC_C14N)
WHOLE = (Transform(ENVELOPED), EXCLUSIVE)


def signature_of(root: Element) -> Element:
    found = root.find(f".//{D}Signature")
    assert found is not None
    return found


def text(root: Element) -> bytes:
    return etree.tostring(root.getroottree(), encoding="UTF-8")


def resigned(root: Element, key: SigningKey) -> bytes:
    """The document with a fitting signature value for whatever its SignedInfo says now."""
    signature = signature_of(root)
    info, value = signature[0], signature[1]
    value.text = b64encode(key.sign(canonical_octets(info, EXCLUSIVE))).decode()
    return text(root)


def handmade(
    key: SigningKey,
    references: list[Reference],
    *,
    method: str = SHA256,
    named: SigningKey | None = None,
    properties: str | None = None,
    sent: bytes | None = None,
) -> bytes:
    """A ds:Signature with the parts given, otherwise as XAdES wants it."""
    digest = b64encode((named or key).certificate_sha256).decode()
    if properties is None:
        properties = (
            f'<xades:SignedProperties xmlns:xades="{XADES}" Id="p">'
            "<xades:SignedSignatureProperties>"
            "<xades:SigningTime>2026-03-14T09:26:53Z</xades:SigningTime>"
            "<xades:SigningCertificateV2><xades:Cert><xades:CertDigest>"
            f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{method}"/>'
            f'<ds:DigestValue xmlns:ds="{DS}">{digest}</ds:DigestValue>'
            "</xades:CertDigest></xades:Cert></xades:SigningCertificateV2>"
            "</xades:SignedSignatureProperties></xades:SignedProperties>"
        )
    canonical = canonical_octets(parse(properties.encode()), EXCLUSIVE)
    signed = Reference(
        "#p", sha256(canonical).digest(), SHA256, (EXCLUSIVE,), type=SIGNED_PROPERTIES_TYPE
    )
    return build_signature(
        [*references, signed],
        key,
        id="s",
        key_info=sent if sent is not None else x509_data(key.certificates),
        objects=b'<ds:Object><xades:QualifyingProperties xmlns:xades="%b" Target="#s">%b'
        b"</xades:QualifyingProperties></ds:Object>" % (XADES.encode(), properties.encode()),
    )


def over(data: bytes, uri: str = "", transforms: tuple[Transform, ...] = WHOLE) -> Reference:
    """A reference to the element in `data`."""
    octets = canonical_octets(parse(data), EXCLUSIVE)
    return Reference(uri, sha256(octets).digest(), SHA256, transforms)
