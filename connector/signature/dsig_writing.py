"""Writing ds:Signature elements, directly in canonical form.

What is written is what exclusive C14N would make of it wherever it is put, so nothing has to be
parsed or canonicalised to sign it. Hence each part declares the namespaces that it uses itself.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from typing import Final

from connector.signature.algorithms import EXC_C14N
from connector.signature.dsig_model import (
    DS,
    FILTER2,
    NOT_SIGNATURE,
    SUBTRACT_SIGNATURES,
    XPATH,
    Reference,
    Transform,
)
from connector.signature.keys import SigningKey

_CANONICAL: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#x9;",
    "\n": "&#xA;",
    "\r": "&#xD;",
}
_IN_ATTRIBUTE: Final = re.compile('[&<"\t\n\r]')
_IN_TEXT: Final = re.compile("[&<>\r]")


def canonical_attribute(value: str) -> str:
    """`value` as Canonical XML writes it between double quotes."""
    return _IN_ATTRIBUTE.sub(lambda found: _CANONICAL[found[0]], value)


def canonical_text(value: str) -> str:
    """`value` as Canonical XML writes it between tags."""
    return _IN_TEXT.sub(lambda found: _CANONICAL[found[0]], value)


def signed_info(references: Sequence[Reference], signature_method: str) -> bytes:
    """A canonical ds:SignedInfo with exclusive C14N as its method."""
    return "".join(
        (
            f'<ds:SignedInfo xmlns:ds="{DS}"><ds:CanonicalizationMethod Algorithm="{EXC_C14N}">'
            "</ds:CanonicalizationMethod>"
            f'<ds:SignatureMethod Algorithm="{signature_method}"></ds:SignatureMethod>',
            *map(reference_markup, references),
            "</ds:SignedInfo>",
        )
    ).encode()


def reference_markup(reference: Reference) -> str:
    """A ds:Reference in canonical form; the prefix ds is declared by what is around it."""
    named = (("Id", reference.id), ("Type", reference.type), ("URI", reference.uri))
    attributes = "".join(
        f' {name}="{canonical_attribute(value)}"' for name, value in named if value is not None
    )
    transforms = "".join(map(_transform, reference.transforms))
    if transforms:
        transforms = f"<ds:Transforms>{transforms}</ds:Transforms>"
    return (
        f"<ds:Reference{attributes}>{transforms}"
        f'<ds:DigestMethod Algorithm="{reference.digest_method}"></ds:DigestMethod>'
        f"<ds:DigestValue>{b64encode(reference.digest).decode('ascii')}</ds:DigestValue>"
        "</ds:Reference>"
    )


def _transform(transform: Transform) -> str:
    content = ""
    if transform.algorithm == XPATH:
        content = f"<ds:XPath>{NOT_SIGNATURE}</ds:XPath>"
    elif transform.algorithm == FILTER2:
        content = (
            f'<f2:XPath xmlns:f2="{FILTER2}" Filter="subtract">{SUBTRACT_SIGNATURES}</f2:XPath>'
        )
    elif transform.inclusive_prefixes:
        prefixes = canonical_attribute(" ".join(transform.inclusive_prefixes))
        content = (
            f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}" PrefixList="{prefixes}">'
            "</ec:InclusiveNamespaces>"
        )
    return f'<ds:Transform Algorithm="{transform.algorithm}">{content}</ds:Transform>'


def x509_data(certificates: Sequence[bytes]) -> bytes:
    """A ds:X509Data with these certificates (DER), the signer's first; goes into ds:KeyInfo."""
    inner = b"".join(
        b"<ds:X509Certificate>%b</ds:X509Certificate>" % b64encode(der) for der in certificates
    )
    return b"<ds:X509Data>%b</ds:X509Data>" % inner


def build_signature(
    references: Sequence[Reference],
    key: SigningKey,
    *,
    signature_method: str | None = None,
    id: str | None = None,
    value_id: str | None = None,
    key_info: bytes = b"",
    objects: bytes = b"",
) -> bytes:
    """A ds:Signature over `references`, to be inserted anywhere.

    `key_info` is the content of ds:KeyInfo, e.g. `x509_data(key.certificates)` or a
    wsse:SecurityTokenReference that declares its own namespaces; `objects` are complete ds:Object
    elements (the prefix ds is declared). `signature_method` is the key's default where None.
    Raises `signature.wrong-key` (configuration) if the method is not for this type of key.
    """
    method = signature_method or key.algorithm
    info = signed_info(references, method)
    value = b64encode(key.sign(info, method))
    named = f' Id="{canonical_attribute(id)}"' if id is not None else ""
    value_named = b' Id="%b"' % canonical_attribute(value_id).encode() if value_id else b""
    return b"".join(
        (
            f'<ds:Signature xmlns:ds="{DS}"{named}>'.encode(),
            info,
            b"<ds:SignatureValue%b>%b</ds:SignatureValue>" % (value_named, value),
            b"<ds:KeyInfo>%b</ds:KeyInfo>" % key_info if key_info else b"",
            objects,
            b"</ds:Signature>",
        )
    )
