"""XML Signature (XMLDSig 1.1) for XAdES and WS-Security: a closed list of what is accepted.

Writing: `Reference`s go into `build_signature`, which gives the bytes of a ds:Signature.
Reading, in this order: `parse_signature` (form), `verify_signature_value` (the key over
SignedInfo), `check_references` (SignedInfo over the content). Only the `Covered` nodes and octets
that the last one returns are signed; whoever uses the content uses those.
"""

from connector.signature.dsig_checking import Resolver, SameDocument, check_references
from connector.signature.dsig_model import (
    ATTACHMENT_COMPLETE,
    ATTACHMENT_CONTENT,
    DS,
    ENVELOPED,
    STR_TRANSFORM,
    WSU,
    XPATH,
    Covered,
    Digested,
    ParsedSignature,
    Reference,
    Transform,
)
from connector.signature.dsig_reading import (
    MAX_REFERENCES,
    canonical_octets,
    parse_signature,
    verify_signature_value,
)
from connector.signature.dsig_writing import (
    build_signature,
    canonical_attribute,
    canonical_text,
    reference_markup,
    signed_info,
    x509_data,
)

__all__ = [
    "ATTACHMENT_COMPLETE",
    "ATTACHMENT_CONTENT",
    "DS",
    "ENVELOPED",
    "MAX_REFERENCES",
    "STR_TRANSFORM",
    "WSU",
    "XPATH",
    "Covered",
    "Digested",
    "ParsedSignature",
    "Reference",
    "Resolver",
    "SameDocument",
    "Transform",
    "build_signature",
    "canonical_attribute",
    "canonical_octets",
    "canonical_text",
    "check_references",
    "parse_signature",
    "reference_markup",
    "signed_info",
    "verify_signature_value",
    "x509_data",
]
