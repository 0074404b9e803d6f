"""The TrustOK token's XML: written in either spelling, read in both, deviations listed."""

from __future__ import annotations

from typing import Final

from lxml import etree

from connector.container.token import (
    AdvancedSystem,
    AuthenticationData,
    LegalLevel,
    SignatureData,
    Spelling,
    TechnicalLevel,
    Token,
    TokenDocument,
    TokenIssuer,
    TokenValidation,
)
from connector.container.token_nodes import Node, Notes, bad_value
from connector.errors import Problem, unacceptable
from connector.xml import Element, parse
from connector.xml_values import (
    base64_text,
    date_time,
    escaped,
    escaped_attribute,
    read_base64,
    read_date_time,
)

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
_URIS: Final = {
    "SHA-256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "SHA-384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "SHA-512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
_NAMES: Final = {uri: name for name, uri in _URIS.items()}
_LENGTHS: Final = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}


def token_xml(token: Token, spelling: Spelling) -> str:
    """The token's root element as text, unsigned.

    Raises `token.digest-algorithm`, `xml.character`, and for a report that is no XML what
    `connector.xml.parse` raises.
    """
    issuer, validation = token.issuer, token.validation
    return (
        "<TrustOkToken><Issuer>"
        + _element("ServiceProvider", issuer.service_provider)
        + _element("Country", issuer.country)
        + _element("AdvancedElectronicSystem", issuer.system.value)
        + "</Issuer>"
        + _document(token.document, spelling)
        + "<Validation>"
        + _element("VerificationTime", date_time(validation.time))
        + f"<VerificationData>{_data(validation.data)}</VerificationData>"
        + "<TechnicalResult>"
        + _element("TrustLevel", validation.technical.value)
        + _optional("Comments", validation.comments)
        + "</TechnicalResult><LegalResult>"
        + _element("TrustLevel", validation.legal.value)
        + _optional("Disclaimer", validation.disclaimer)
        + "</LegalResult>"
        + f"<OriginalValidationReport>{_report(validation.report)}</OriginalValidationReport>"
        + "</Validation></TrustOkToken>"
    )


def _element(name: str, value: str) -> str:
    return f"<{name}>{escaped(value)}</{name}>"


def _optional(name: str, value: str) -> str:
    return _element(name, value) if value else ""


def _flag(name: str, value: bool) -> str:
    return f"<{name}>{'true' if value else 'false'}</{name}>"


def _document(document: TokenDocument, spelling: Spelling) -> str:
    if document.digest_algorithm not in _URIS:
        raise unacceptable(
            "token.digest-algorithm",
            f"The digest algorithm {document.digest_algorithm!r} has no place in a token.",
            mend=f"Use one of {', '.join(_URIS)}.",
        )
    algorithm, value = _URIS[document.digest_algorithm], base64_text(document.digest)
    if spelling is Spelling.ECODEX:
        algorithm, value = document.digest_algorithm, base64_text(value.encode())
    return (
        "<Document>"
        + _element("Filename", document.filename)
        + _element("Type", document.media_type)
        + f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{escaped_attribute(algorithm)}">'
        "</ds:DigestMethod>"
        f'<ds:DigestValue xmlns:ds="{DS}">{value}</ds:DigestValue>'
        + _optional("SignatureFilename", document.signature_filename)
        + "</Document>"
    )


def _data(data: AuthenticationData | SignatureData) -> str:
    if isinstance(data, AuthenticationData):
        return (
            "<AuthenticationData>"
            + _element("IdentityProvider", data.identity_provider)
            + _element("UsernameSynonym", data.username)
            + _element("TimeOfAuthentication", date_time(data.time))
            + "</AuthenticationData>"
        )
    if data.unsigned:
        return "<SignatureData></SignatureData>"
    return (
        "<SignatureData>"
        + (_element("SigningTime", date_time(data.signing_time)) if data.signing_time else "")
        + "<SignatureInformation>"
        + _flag("SignatureVerification", data.signature_verified)
        + _flag("StructureVerification", data.structure_verified)
        + _optional("SignatureFormat", data.format)
        + _optional("SignatureLevel", data.level)
        + "</SignatureInformation><CertificateInformation>"
        + _optional("Issuer", data.certificate_issuer)
        + _flag("CertificateVerification", data.certificate_verified)
        + _flag("ValidityAtSigningTime", data.valid_at_signing_time)
        + "</CertificateInformation></SignatureData>"
    )


def _report(report: bytes) -> str:
    if not report:
        return ""
    # Parsed before it goes in, so that no report can close the element it stands in.
    return "".join(
        etree.tostring(child, encoding="unicode", with_tail=False)
        for child in parse(b"<r>" + report + b"</r>").iterchildren("*")
    )


def parse_token(root: Element) -> tuple[Token, tuple[Problem, ...]]:
    """The token in `root` and the weaknesses of its form. No signature is looked at here.

    Raises `ConnectorError` (unacceptable): `token.unknown-root`, `token.element-missing`,
    `token.element-doubled`, `token.value`, `token.digest-algorithm`, `xml.date-time`,
    `xml.base64`, `xml.comment-in-value`.
    """
    if root.tag != "TrustOkToken":
        raise unacceptable("token.unknown-root", f"{root.tag} is no TrustOK token.")
    notes = Notes()
    node = Node(root, "", notes, allowed=("Issuer", "Document", "Validation", f"{{{DS}}}Signature"))
    issuer = node.child("Issuer", ("ServiceProvider", "Country", "AdvancedElectronicSystem"))
    token = Token(
        TokenIssuer(
            issuer.text("ServiceProvider"),
            issuer.text("Country"),
            issuer.choice("AdvancedElectronicSystem", AdvancedSystem),
        ),
        _read_document(node, notes),
        _read_validation(node),
    )
    authenticated = isinstance(token.validation.data, AuthenticationData)
    if authenticated != (token.issuer.system is AdvancedSystem.AUTHENTICATION):
        notes.add(
            "system-mismatch",
            f"The token is {token.issuer.system.value}, but its data are of the other kind.",
            "Validation/VerificationData",
        )
    return token, notes.problems


def _read_document(root: Node, notes: Notes) -> TokenDocument:
    method_name, value_name = f"{{{DS}}}DigestMethod", f"{{{DS}}}DigestValue"
    node = root.child(
        "Document", ("Filename", "Type", method_name, value_name, "SignatureFilename")
    )
    written = node.element(method_name).get("Algorithm", "")
    algorithm = _NAMES.get(written, written)
    if written not in _NAMES:
        notes.add(
            "digest-not-uri",
            f"The digest algorithm {written!r} is no known URI.",
            "Document/DigestMethod",
        )
    if algorithm not in _LENGTHS:
        raise unacceptable(
            "token.digest-algorithm",
            f"The token's digest algorithm {written!r} is not acceptable.",
            mend=f"Use one of {', '.join(_LENGTHS)}.",
        )
    digest = read_base64(node.text(value_name))
    if len(digest) != _LENGTHS[algorithm]:
        digest = read_base64(digest.decode("latin-1"))
        notes.add(
            "digest-encoded-twice",
            "The digest is in Base64 twice; once is regular.",
            "Document/DigestValue",
        )
    if len(digest) != _LENGTHS[algorithm]:
        raise bad_value("Document/DigestValue", f"{len(digest)} bytes")
    return TokenDocument(
        filename=node.text("Filename"),
        media_type=node.text("Type"),
        digest=digest,
        digest_algorithm=algorithm,
        signature_filename=node.optional("SignatureFilename"),
    )


def _read_validation(root: Node) -> TokenValidation:
    node = root.child(
        "Validation",
        (
            "VerificationTime",
            "VerificationData",
            "TechnicalResult",
            "LegalResult",
            "OriginalValidationReport",
        ),
    )
    data = node.child("VerificationData", ("SignatureData", "AuthenticationData"))
    technical = node.child("TechnicalResult", ("TrustLevel", "Comments"))
    legal = node.child("LegalResult", ("TrustLevel", "Disclaimer"))
    report = node.optional_element("OriginalValidationReport")
    return TokenValidation(
        time=read_date_time(node.text("VerificationTime"))[0],
        data=_read_authentication(data)
        if data.has("AuthenticationData")
        else _read_signature(data),
        technical=technical.choice("TrustLevel", TechnicalLevel),
        comments=technical.optional("Comments"),
        legal=legal.choice("TrustLevel", LegalLevel),
        disclaimer=legal.optional("Disclaimer"),
        report=b""
        if report is None
        else b"".join(etree.tostring(child, with_tail=False) for child in report.iterchildren("*")),
    )


def _read_authentication(data: Node) -> AuthenticationData:
    node = data.child(
        "AuthenticationData", ("IdentityProvider", "UsernameSynonym", "TimeOfAuthentication")
    )
    return AuthenticationData(
        identity_provider=node.text("IdentityProvider"),
        username=node.text("UsernameSynonym"),
        time=read_date_time(node.text("TimeOfAuthentication"))[0],
    )


def _read_signature(data: Node) -> SignatureData:
    node = data.child(
        "SignatureData", ("SigningTime", "SignatureInformation", "CertificateInformation")
    )
    if not node.has("SignatureInformation"):
        return SignatureData(
            unsigned=True,
            signature_verified=False,
            structure_verified=False,
            certificate_verified=False,
            valid_at_signing_time=False,
        )
    signature = node.child(
        "SignatureInformation",
        ("SignatureVerification", "StructureVerification", "SignatureFormat", "SignatureLevel"),
    )
    certificate = node.child(
        "CertificateInformation", ("Issuer", "CertificateVerification", "ValidityAtSigningTime")
    )
    signed = node.optional("SigningTime")
    return SignatureData(
        signing_time=read_date_time(signed)[0] if signed else None,
        signature_verified=signature.flag("SignatureVerification"),
        structure_verified=signature.flag("StructureVerification"),
        format=signature.optional("SignatureFormat"),
        level=signature.optional("SignatureLevel"),
        certificate_issuer=certificate.optional("Issuer"),
        certificate_verified=certificate.flag("CertificateVerification"),
        valid_at_signing_time=certificate.flag("ValidityAtSigningTime"),
    )
