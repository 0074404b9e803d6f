"""XML namespaces and identifiers of the standards that an AS4 message is made of."""

from typing import Final

SOAP: Final = "http://www.w3.org/2003/05/soap-envelope"
"""SOAP 1.2; eDelivery AS4 knows no other."""
EB: Final = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
EBBP: Final = "http://docs.oasis-open.org/ebxml-bp/ebbp-signals-2.0"

_WSS: Final = "http://docs.oasis-open.org/wss/"
WSSE: Final = _WSS + "2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
WSSE11: Final = _WSS + "oasis-wss-wssecurity-secext-1.1.xsd"
WSU: Final = _WSS + "2004/01/oasis-200401-wss-wssecurity-utility-1.0.xsd"
DS: Final = "http://www.w3.org/2000/09/xmldsig#"
XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
XENC11: Final = "http://www.w3.org/2009/xmlenc11#"

BASE64_BINARY: Final = _WSS + "2004/01/oasis-200401-wss-soap-message-security-1.0#Base64Binary"
_X509: Final = _WSS + "2004/01/oasis-200401-wss-x509-token-profile-1.0#"
X509_V3: Final = _X509 + "X509v3"
X509_PKI_PATH: Final = _X509 + "X509PKIPathv1"
X509_SKI: Final = _X509 + "X509SubjectKeyIdentifier"
THUMBPRINT_SHA1: Final = _WSS + "oasis-wss-soap-message-security-1.1#ThumbprintSHA1"
ENCRYPTED_KEY: Final = _WSS + "oasis-wss-soap-message-security-1.1#EncryptedKey"

_SWA: Final = _WSS + "oasis-wss-SwAProfile-1.1#"
ATTACHMENT_CONTENT_ONLY: Final = _SWA + "Attachment-Content-Only"
ATTACHMENT_CIPHERTEXT: Final = _SWA + "Attachment-Ciphertext-Transform"

INITIATOR: Final = EB + "initiator"
RESPONDER: Final = EB + "responder"
