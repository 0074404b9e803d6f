"""Reading a WS-Security header as AS4 peers write it, and proving what its signature covers."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from asn1crypto import core as asn1_core  # type: ignore[import-untyped]
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.errors import ConnectorError, unacceptable
from connector.signature.algorithms import EXC_C14N, SHA256, AlgorithmPolicy
from connector.signature.xmldsig import (
    ATTACHMENT_CONTENT,
    ParsedSignature,
    Reference,
    SameDocument,
    check_references,
    parse_signature,
    verify_signature_value,
)
from connector.xml import Element, text_of
from connector.xml_values import read_base64, read_date_time
from gateway_client.as4.namespaces import (
    ATTACHMENT_CIPHERTEXT,
    ATTACHMENT_CONTENT_ONLY,
    DS,
    THUMBPRINT_SHA1,
    WSSE,
    WSSE11,
    WSU,
    X509_PKI_PATH,
    X509_SKI,
    X509_V3,
    XENC,
    XENC11,
)
from gateway_client.as4.soap import Envelope
from gateway_client.as4.wssecurity import MGF1_SHA256, RSA_OAEP
from gateway_client.pmode.model import PartnerTrust

CLOCK_SKEW: Final = timedelta(minutes=5)
"""How far a wsu:Timestamp may be off."""
MAX_ENCRYPTED: Final = 1000

_SIGNATURE: Final = f"{{{DS}}}Signature"
_TOKEN: Final = f"{{{WSSE}}}BinarySecurityToken"
_TIMESTAMP: Final = f"{{{WSU}}}Timestamp"
_ENCRYPTED_KEY: Final = f"{{{XENC}}}EncryptedKey"
_ENCRYPTED_DATA: Final = f"{{{XENC}}}EncryptedData"
_METHOD: Final = f"{{{XENC}}}EncryptionMethod"
_STR: Final = f"{{{WSSE}}}SecurityTokenReference"
_IGNORED: Final = frozenset({f"{{{WSSE11}}}SignatureConfirmation", f"{{{XENC}}}ReferenceList"})


@dataclass(frozen=True, slots=True)
class Encrypted:
    """How one attachment is encrypted."""

    method: str
    media_type: str | None
    """Of what is inside, as EncryptedData/@MimeType says it."""


@dataclass(frozen=True, slots=True)
class Encryption:
    """xenc:EncryptedKey and what is encrypted under it."""

    wrapped_key: bytes
    attachments: Mapping[str, Encrypted]
    """By Content-ID."""


@dataclass(frozen=True, slots=True)
class SecurityHeader:
    """What a wsse:Security header says; nothing of it is proven yet."""

    signature: ParsedSignature
    tokens: Mapping[str, tuple[x509.Certificate, ...]]
    """Certificates of each BinarySecurityToken by its wsu:Id, the holder's first."""
    encryption: Encryption | None


@dataclass(frozen=True, slots=True)
class Authenticated:
    """What a signature that was verified covers."""

    signer: x509.Certificate
    references: tuple[Reference, ...]
    attachments: Mapping[str, Reference]
    """References to attachments, by Content-ID. Their octets are still to be compared."""


def read_security(security: Element | None, *, at: datetime) -> SecurityHeader:
    """Read `security`, the wsse:Security of an envelope.

    Raises `ConnectorError` (unacceptable): `as4.security-...` (EBMS:0101), `as4.policy-...`
    (EBMS:0103), `as4.decryption-...` (EBMS:0102), `signature....`.
    """
    if security is None:
        raise _security("missing", "The message is not signed: it has no wsse:Security header.")
    signatures: list[Element] = []
    keys: list[Element] = []
    data: list[Element] = []
    tokens: dict[str, tuple[x509.Certificate, ...]] = {}
    for child in _elements(security):
        if child.tag == _SIGNATURE:
            signatures.append(child)
        elif child.tag == _ENCRYPTED_KEY:
            keys.append(child)
        elif child.tag == _ENCRYPTED_DATA:
            data.append(child)
        elif child.tag == _TIMESTAMP:
            _check_timestamp(child, at)
        elif child.tag == _TOKEN:
            name = child.get(f"{{{WSU}}}Id", "")
            if name in tokens:
                raise _security("token", f"Two security tokens have the Id {name!r}.")
            tokens[name] = _certificates(child)
        elif child.tag not in _IGNORED:
            raise _security("token", f"{str(child.tag)[:200]} in wsse:Security is not known.")
    if len(signatures) != 1:
        raise _security("signatures", f"The message has {len(signatures)} signatures, not one.")
    return SecurityHeader(parse_signature(signatures[0]), tokens, _encryption(keys, data))


def authenticate(
    header: SecurityHeader,
    envelope: Envelope,
    trust: PartnerTrust,
    policy: AlgorithmPolicy,
    at: datetime,
) -> Authenticated:
    """Prove that the partner signed this very Messaging and this very Body of `envelope`.

    Raises as `read_security`, `PartnerTrust.check`, `verify_signature_value` and
    `check_references` do.
    """
    parsed = header.signature
    signer, intermediates = _signer(header, trust)
    trust.check(signer, intermediates, at, policy)
    verify_signature_value(parsed, policy.check_key(signer.public_key()), policy)
    local: list[Reference] = []
    attachments: dict[str, Reference] = {}
    for reference in parsed.references:
        uri, used = reference.uri or "", tuple(t.algorithm for t in reference.transforms)
        if uri.startswith("#") and used == (EXC_C14N,):
            local.append(reference)
        elif uri.startswith("cid:") and used == (ATTACHMENT_CONTENT,):
            policy.digest_method(reference.digest_method)
            content_id = unquote(uri.removeprefix("cid:"))
            if content_id in attachments:
                raise _security("references", f"Two references cover {uri[:200]!r}.")
            attachments[content_id] = reference
        else:
            raise _security("references", f"The reference {uri[:200]!r} is not of an AS4 kind.")
    covered, _ = check_references(
        replace(parsed, references=tuple(local)), SameDocument(envelope.root), policy
    )
    nodes = [c.node for c in covered]
    for name, needed in (("eb:Messaging", envelope.messaging), ("SOAP Body", envelope.body)):
        # Identity, not Id or name: a moved original beside a forged copy must not count.
        if not any(node is needed for node in nodes):
            raise _policy("not-signed", f"The signature does not cover the {name} that is used.")
    return Authenticated(signer, parsed.references, attachments)


def _signer(
    header: SecurityHeader, trust: PartnerTrust
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    """The certificate that the signature's ds:KeyInfo means, and others that came with it."""
    info = header.signature.key_info
    children = [] if info is None else list(_elements(info))
    if len(children) == 1 and children[0].tag == _STR:
        children = list(_elements(children[0]))
    if len(children) != 1:
        raise _security("key-info", "The signature does not say which certificate made it.")
    only = children[0]
    if only.tag == f"{{{WSSE}}}Reference":
        found = header.tokens.get(only.get("URI", "").removeprefix("#"))
        if found is None:
            raise _security("key-info", "The signature refers to a token that is not there.")
        return found[0], found[1:]
    if only.tag == f"{{{WSSE}}}KeyIdentifier":
        return _by_identifier(only, trust)
    if only.tag == f"{{{DS}}}X509Data":
        return _by_x509_data(only, trust)
    raise _security("key-info", f"{str(only.tag)[:200]} names no certificate that is known.")


def _by_identifier(
    element: Element, trust: PartnerTrust
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    kind, value = element.get("ValueType", ""), read_base64(text_of(element))
    if kind == X509_V3:
        return _certificate(value), ()
    if kind == X509_SKI:
        found = [c for c in trust.certificates if value in _key_identifiers(c)]
    elif kind == THUMBPRINT_SHA1:
        # Only a name here: the certificate found is a pinned one.
        found = [c for c in trust.certificates if _thumbprint(c) == value]
    else:
        raise _security("key-info", f"Key identifiers of the type {kind[:200]!r} are not known.")
    return _only(found)


def _by_x509_data(
    element: Element, trust: PartnerTrust
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    if embedded := element.findall(f"{{{DS}}}X509Certificate"):
        first, *others = (_certificate(read_base64(text_of(e))) for e in embedded)
        return first, tuple(others)
    number = element.findtext(f"{{{DS}}}X509IssuerSerial/{{{DS}}}X509SerialNumber", "").strip()
    return _only([c for c in trust.certificates if str(c.serial_number) == number])


def _only(
    found: Sequence[x509.Certificate],
) -> tuple[x509.Certificate, tuple[x509.Certificate, ...]]:
    if len(found) == 1:
        return found[0], ()
    raise unacceptable(
        "as4.security-untrusted",
        "The signature names a certificate by its identifier that is not among the partner's.",
        mend="If the partner has a new certificate, add it to those that are trusted.",
    )


def _key_identifiers(certificate: x509.Certificate) -> tuple[bytes, ...]:
    derived = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest
    try:
        stated = certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except x509.ExtensionNotFound:
        return (derived,)
    return derived, stated.value.digest


def _thumbprint(certificate: x509.Certificate) -> bytes:
    encoded = certificate.public_bytes(Encoding.DER)
    return hashlib.sha1(encoded, usedforsecurity=False).digest()


class _PkiPath(asn1_core.SequenceOf):  # type: ignore[misc]
    """RFC 4325 names it: certificates from the one nearest to the anchor to the holder's."""

    _child_spec = asn1_x509.Certificate


def _certificates(token: Element) -> tuple[x509.Certificate, ...]:
    kind, data = token.get("ValueType", ""), read_base64(text_of(token))
    if kind == X509_V3:
        return (_certificate(data),)
    if kind == X509_PKI_PATH:
        try:
            path = [_certificate(member.dump()) for member in _PkiPath.load(data, strict=True)]
        except (ValueError, TypeError) as error:
            raise _security("token", "A security token is no PKIPath.") from error
        if path:
            return tuple(reversed(path))
    raise _security("token", f"Security tokens of the type {kind[:200]!r} are not known.")


@lru_cache(maxsize=1024)
def _certificate(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise _security("token", "A security token is no X.509 certificate.") from error


def _encryption(keys: Sequence[Element], data: Sequence[Element]) -> Encryption | None:
    if not keys and not data:
        return None
    if len(keys) != 1 or len(data) > MAX_ENCRYPTED:
        raise _decryption(f"{len(keys)} encrypted keys with {len(data)} encrypted parts.")
    key = keys[0]
    method = key.find(_METHOD)
    algorithm = None if method is None else method.get("Algorithm")
    digest = None if method is None else method.find(f"{{{DS}}}DigestMethod")
    mask = None if method is None else method.find(f"{{{XENC11}}}MGF")
    if (
        algorithm != RSA_OAEP
        or (None if digest is None else digest.get("Algorithm")) != SHA256
        or (None if mask is None else mask.get("Algorithm")) != MGF1_SHA256
    ):
        raise _policy(
            "key-transport", f"The key was transported with {algorithm!r}, not as agreed."
        )
    value = key.find(f"{{{XENC}}}CipherData/{{{XENC}}}CipherValue")
    if value is None:
        raise _decryption("The encrypted key has no value.")
    attachments: dict[str, Encrypted] = {}
    for element in data:
        content_id, encrypted = _encrypted(element, key.get("Id"))
        if content_id in attachments:
            raise _decryption(f"{content_id!r} is encrypted twice.")
        attachments[content_id] = encrypted
    return Encryption(read_base64(text_of(value)), attachments)


def _encrypted(element: Element, key_id: str | None) -> tuple[str, Encrypted]:
    if element.get("Type") != ATTACHMENT_CONTENT_ONLY:
        raise _decryption(f"Encrypted parts of the type {element.get('Type')!r} are not known.")
    reference = element.find(f"{{{XENC}}}CipherData/{{{XENC}}}CipherReference")
    uri = "" if reference is None else reference.get("URI", "")
    transforms = [] if reference is None else list(reference.iter(f"{{{DS}}}Transform"))
    if not uri.startswith("cid:") or [t.get("Algorithm") for t in transforms] != [
        ATTACHMENT_CIPHERTEXT
    ]:
        raise _decryption("An encrypted part does not say which attachment it is.")
    by_key = element.find(f"{{{DS}}}KeyInfo/{_STR}/{{{WSSE}}}Reference")
    if by_key is not None and by_key.get("URI") != f"#{key_id}":
        raise _decryption("A part is encrypted under a key that is not there.")
    method = element.find(_METHOD)
    algorithm = "" if method is None else method.get("Algorithm", "")
    return unquote(uri.removeprefix("cid:")), Encrypted(algorithm, element.get("MimeType"))


def _check_timestamp(element: Element, at: datetime) -> None:
    created = element.find(f"{{{WSU}}}Created")
    expires = element.find(f"{{{WSU}}}Expires")
    if created is not None and read_date_time(text_of(created))[0] > at + CLOCK_SKEW:
        raise _security("timestamp", "The security timestamp lies in the future.")
    if expires is not None and read_date_time(text_of(expires))[0] < at - CLOCK_SKEW:
        raise _security("timestamp", "The security timestamp has expired.")


def _elements(parent: Element) -> Iterator[Element]:
    return (child for child in parent if isinstance(child.tag, str))


def _security(code: str, what: str) -> ConnectorError:
    return unacceptable(f"as4.security-{code}", what)


def _policy(code: str, what: str) -> ConnectorError:
    return unacceptable(f"as4.policy-{code}", what)


def _decryption(what: str) -> ConnectorError:
    return unacceptable("as4.decryption-malformed", what)
