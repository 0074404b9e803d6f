"""XAdES baseline B signatures (ETSI EN 319 132-1): making them, and verifying what came.

sign_enveloped(root, key, time)                    the document with its signature as last child
sign_detached(items, key, time)                    a ds:Signature over files (ASiC)
verify_enveloped(root, trust, policy, at)          the signature over the whole of a document
verify_detached(signature, digests, trust, ...)    the signature over files
"""

from connector.signature.xades_signing import sign_detached, sign_enveloped
from connector.signature.xades_verifying import (
    Digests,
    Verified,
    VerifiedDocument,
    verify_detached,
    verify_enveloped,
)

__all__ = [
    "Digests",
    "Verified",
    "VerifiedDocument",
    "sign_detached",
    "sign_enveloped",
    "verify_detached",
    "verify_enveloped",
]
