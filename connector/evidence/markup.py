"""An evidence as XML text (TS 102 640-2 V2), unsigned, in either spelling.

The text is written directly: it needs no tree, and comes out in the form that canonicalisation
gives, so that signing it is cheap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from connector.errors import unacceptable
from connector.evidence.model import Address, Entity, EventReason, Evidence, MessageDetails
from connector.evidence.types import REM, Profile
from connector.xml_values import base64_text, date_time, escaped, escaped_attribute

DS: Final = "http://www.w3.org/2000/09/xmldsig#"
VERSION: Final = "2.1.1"
DIGEST_URIS: Final = {
    "SHA-256": "http://www.w3.org/2001/04/xmlenc#sha256",
    "SHA-384": "http://www.w3.org/2001/04/xmldsig-more#sha384",
    "SHA-512": "http://www.w3.org/2001/04/xmlenc#sha512",
}
PLACEHOLDER: Final = "displayName"
"""What e-CODEX writes as the display name of every address."""

_NO_URI: Final = re.compile(r"[^A-Za-z0-9\-._~!$&'()*+,;=:@/?\u0080-\U0010ffff]")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9]", re.ASCII)
_ID: Final = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)


def evidence_xml(evidence: Evidence, profile: Profile) -> str:
    """The evidence's root element as text, without signature and XML declaration.

    Raises `evidence.incomplete` for what the schema needs and the evidence lacks,
    `evidence.digest-algorithm` for an algorithm without URI (strict), `xml.character`.
    """
    _check_complete(evidence, profile)
    parts = [_start(evidence, profile)]
    if code := evidence.type.spelled(profile):
        parts.append(f"<EventCode>{code}</EventCode>")
    if evidence.reasons:
        reasons = "".join(_reason(reason, profile) for reason in evidence.reasons)
        parts.append(f"<EventReasons>{reasons}</EventReasons>")
    parts.append(_element("EvidenceIdentifier", evidence.identifier))
    if evidence.policies:
        policies = "".join(_element("PolicyID", policy) for policy in evidence.policies)
        parts.append(f"<EvidenceIssuerPolicyID>{policies}</EvidenceIssuerPolicyID>")
    display = _display(profile)
    parts.append(
        f"<EvidenceIssuerDetails>{_entity(evidence.issuer, profile)}</EvidenceIssuerDetails>"
    )
    parts.append(_element("EventTime", date_time(evidence.event_time)))
    if evidence.submission_time:
        parts.append(_element("SubmissionTime", date_time(evidence.submission_time)))
    if evidence.reply_to:
        parts.append(_address(evidence.reply_to, profile, "ReplyToAddress", display=display))
    sender = _entity(evidence.sender, profile, display=display)
    parts.append(f"<SenderDetails>{sender}</SenderDetails>")
    recipients = (_recipient(entity, profile) for entity in evidence.recipients)
    parts.append(f"<RecipientsDetails>{''.join(recipients)}</RecipientsDetails>")
    parts.append(_message(evidence.message, profile))
    parts.append(f"</{evidence.type.root}>")
    return "".join(parts)


def _check_complete(evidence: Evidence, profile: Profile) -> None:
    needed: dict[str, object] = {
        "EvidenceIdentifier": evidence.identifier,
        "RecipientsDetails": evidence.recipients,
        "EventReasons": evidence.reasons or evidence.type.positive,
    }
    if profile is Profile.STRICT:
        needed["MessageIdentifierByREMMD"] = evidence.message.remmd_identifier
    postal = evidence.issuer.postal
    if postal:
        needed["StreetAddress"] = any(postal.streets)
        needed["Locality"] = postal.locality
        needed["PostalCode"] = postal.postal_code
        needed["CountryName"] = postal.country
    for name, value in needed.items():
        if not value:
            raise unacceptable(
                "evidence.incomplete",
                f"An evidence {evidence.type.value} needs {name}.",
                path=f"/{evidence.type.root}/{name}",
            )


def _start(evidence: Evidence, profile: Profile) -> str:
    identifier = ""
    if profile is Profile.STRICT and _ID.fullmatch(evidence.identifier):
        identifier = f' Id="_{evidence.identifier}"'
    return f'<{evidence.type.root} xmlns="{REM}"{identifier} version="{VERSION}">'


def _element(name: str, value: str) -> str:
    return f"<{name}>{escaped(value)}</{name}>"


def _elements(name: str, values: Iterable[str]) -> str:
    return "".join(_element(name, value) for value in values if value)


def _reason(reason: EventReason, profile: Profile) -> str:
    if reason.reason is None:
        code, details = reason.code, reason.details or reason.code
    else:
        code, details = reason.reason.spelled(profile, reason.details)
    return f"<EventReason>{_element('Code', code)}{_element('Details', details)}</EventReason>"


def _entity(entity: Entity, profile: Profile, *, display: str = "") -> str:
    names = _elements("Name", entity.names)
    inner = f"<EntityName>{names}</EntityName>" if names else ""
    if postal := entity.postal:
        inner += (
            "<PostalAddress>"
            + _elements("StreetAddress", postal.streets)
            + _element("Locality", postal.locality)
            + _elements("StateOrProvince", [postal.state])
            + _element("PostalCode", postal.postal_code)
            + _element("CountryName", postal.country)
            + "</PostalAddress>"
        )
    return (_place(inner) if inner else "") + "".join(
        _address(address, profile, display=display) for address in entity.addresses
    )


def _place(inner: str) -> str:
    return (
        f"<NamesPostalAddresses><NamePostalAddress>{inner}</NamePostalAddress>"
        "</NamesPostalAddresses>"
    )


def _recipient(entity: Entity, profile: Profile) -> str:
    details = _entity(entity, profile, display=_display(profile))
    if profile is Profile.ECODEX and not any(entity.names) and not entity.postal:
        details = _place("<EntityName></EntityName>") + details
    return f"<EntityDetails>{details}</EntityDetails>"


def _display(profile: Profile) -> str:
    """The display name of senders and recipients that have none."""
    return PLACEHOLDER if profile is Profile.ECODEX else ""


def _address(
    address: Address,
    profile: Profile,
    name: str = "AttributedElectronicAddress",
    *,
    display: str = "",
) -> str:
    display = address.display_name or display
    shown = f' DisplayName="{escaped_attribute(display)}"' if display else ""
    scheme = f' scheme="{escaped_attribute(address.scheme)}"'
    value = uri(address.value) if profile is Profile.STRICT else address.value
    return f"<{name}{shown}{scheme}>{escaped(value)}</{name}>"


def uri(value: str) -> str:
    """An address as the xs:anyURI that the schema wants: what no URI can hold is percent-encoded
    (RFC 3986, 2.1), so that identifiers such as `0204:12-34` may be addresses too."""
    encoded = _NO_URI.sub(_percent, value)
    return encoded if _SCHEME.match(value) else encoded.replace(":", "%3A")


def _percent(found: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in found[0].encode())


def _message(message: MessageDetails, profile: Profile) -> str:
    strict = profile is Profile.STRICT
    inner = ""
    if strict:
        inner += _element("MessageSubject", message.subject)
    inner += _elements("UAMessageIdentifier", [message.ua_identifier])
    if strict:
        inner += _element("MessageIdentifierByREMMD", message.remmd_identifier)
    if message.digest:
        algorithm = _digest_uri(message.digest_algorithm) if strict else message.digest_algorithm
        inner += (
            f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{escaped_attribute(algorithm)}">'
            "</ds:DigestMethod>"
            f'<ds:DigestValue xmlns:ds="{DS}">{base64_text(message.digest)}</ds:DigestValue>'
        )
    flag = "true" if message.is_notification else "false"
    return f'<SenderMessageDetails isNotification="{flag}">{inner}</SenderMessageDetails>'


def _digest_uri(name: str) -> str:
    try:
        return DIGEST_URIS[name]
    except KeyError:
        raise unacceptable(
            "evidence.digest-algorithm",
            f"The digest algorithm {name!r} has no place in an evidence.",
            mend=f"Use one of {', '.join(DIGEST_URIS)}.",
        ) from None
