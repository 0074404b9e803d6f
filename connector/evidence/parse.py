"""Reading an evidence's XML into plain data, whichever spelling it has, and naming what is wrong.

What a partner of e-CODEX writes is not valid against ETSI's schema; it is read all the same, and
each deviation is listed. Refused is only what would leave open what is attested.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

from lxml import etree

from connector.errors import Problem, unacceptable
from connector.evidence.entities import Findings, read_address, read_entity
from connector.evidence.markup import DIGEST_URIS, DS
from connector.evidence.model import Address, EventReason, Evidence, MessageDetails
from connector.evidence.reasons import understood
from connector.evidence.types import REM, EvidenceType, Profile
from connector.xml import Element, text_of
from connector.xml_values import read_base64, read_date_time

_ORDER: Final = (
    "EventCode",
    "EventReasons",
    "EvidenceIdentifier",
    "EvidenceIssuerPolicyID",
    "EvidenceIssuerDetails",
    "SenderAuthenticationDetails",
    "RecipientAuthenticationDetails",
    "EventTime",
    "SubmissionTime",
    "ReplyTo",
    "ReplyToAddress",
    "SenderDetails",
    "RecipientsDetails",
    "RecipientsDelegatesDetails",
    "EvidenceRefersToRecipient",
    "SenderMessageDetails",
    "NotificationMessageDetails",
    "ForwardedToExternalSystem",
    "TransactionLogInformation",
    "Extensions",
)
"""Children of an evidence as REMEvidenceType orders them; the signature comes last."""

_NCNAME: Final = re.compile(r"[^\W\d][\w.·-]*")
_NAMES: Final = {uri: name for name, uri in DIGEST_URIS.items()}
_BY_CODE: Final = {
    (member.root, member.spelled(profile)): member
    for member in EvidenceType
    for profile in Profile
    if member.event
}
_WITHOUT_CODE: Final = {(m.root, m.positive): m for m in EvidenceType if not m.event}


def parse_evidence(root: Element) -> tuple[Evidence, tuple[Problem, ...]]:
    """The evidence in `root` and the weaknesses of its form. No signature is looked at here.

    Raises `ConnectorError` (unacceptable): `evidence.unknown-root`, `evidence.unknown-event`,
    `evidence.element-missing`, `evidence.element-doubled`, `xml.comment-in-value`,
    `xml.date-time`, `xml.base64`.
    """
    name = etree.QName(root)
    if name.namespace != REM or not any(name.localname == t.root for t in EvidenceType):
        raise unacceptable(
            "evidence.unknown-root",
            f"{name.text} is no evidence of TS 102 640-2.",
            line=root.sourceline,
        )
    found = Findings(name.localname)
    children = _children(root, found)
    kind = _type(name.localname, children, found)
    _check_attributes(root, found)
    for needed in ("EvidenceIdentifier", "EventTime", "SenderDetails", "RecipientsDetails"):
        if needed not in children:
            raise _missing(kind, needed)
    submitted = children.get("SubmissionTime")
    issuer = children.get("EvidenceIssuerDetails")
    if issuer is None:
        raise _missing(kind, "EvidenceIssuerDetails")
    details = children.get("SenderMessageDetails")
    if details is None:
        raise _missing(kind, "SenderMessageDetails")
    evidence = Evidence(
        type=kind,
        identifier=text_of(children["EvidenceIdentifier"]).strip(),
        issuer=read_entity(issuer, found),
        event_time=_time(children["EventTime"], found),
        submission_time=None if submitted is None else _time(submitted, found),
        reply_to=_reply_to(children, found),
        sender=read_entity(children["SenderDetails"], found),
        recipients=tuple(
            read_entity(child, found)
            for child in children["RecipientsDetails"].iterchildren(f"{{{REM}}}EntityDetails")
        ),
        message=_message(details, found),
        reasons=_reasons(children.get("EventReasons"), found),
        policies=_policies(children.get("EvidenceIssuerPolicyID")),
    )
    if not evidence.recipients:
        raise _missing(kind, "RecipientsDetails/EntityDetails")
    if not kind.positive and not evidence.reasons:
        found.add("reason-missing", "A negative evidence states no reason.", "EventReasons")
    return evidence, found.problems


def _missing(kind: EvidenceType, name: str) -> Exception:
    return unacceptable(
        "evidence.element-missing",
        f"The evidence {kind.value} has no {name}.",
        path=f"/{kind.root}/{name}",
    )


def _children(root: Element, found: Findings) -> dict[str, Element]:
    children: dict[str, Element] = {}
    place = -1
    for child in root.iterchildren("*"):
        name = etree.QName(child)
        if name.namespace == DS and name.localname == "Signature":
            continue
        if name.namespace != REM or name.localname not in _ORDER:
            found.invalid("unknown-element", f"{name.text} is not part of an evidence.", "")
            continue
        if name.localname in children:
            raise _doubled(child)
        index = _ORDER.index(name.localname)
        if index < place:
            found.invalid(
                "element-order", f"{name.localname} stands at the wrong place.", name.localname
            )
        place = index
        children[name.localname] = child
    return children


def _type(root: str, children: dict[str, Element], found: Findings) -> EvidenceType:
    element = children.get("EventCode")
    code = "" if element is None else text_of(element).strip()
    kind = _BY_CODE.get((root, code)) or _WITHOUT_CODE.get((root, "EventReasons" not in children))
    if kind is None or (code and not kind.event):
        raise unacceptable(
            "evidence.unknown-event",
            f"{code or 'No event code'} does not go with {root}.",
            path=f"/{root}/EventCode",
        )
    if code != kind.code:
        found.add(
            "event-code-spelling", f"The event code {code} should be {kind.code}.", "EventCode"
        )
    return kind


def _check_attributes(root: Element, found: Findings) -> None:
    if "version" not in root.attrib:
        found.invalid("version-missing", "The attribute version is missing.", "@version")
    identifier = root.get("Id")
    if identifier is not None and not _NCNAME.fullmatch(identifier):
        found.invalid(
            "id-not-ncname", f"The Id {identifier!r} is no name that XML allows as an Id.", "@Id"
        )


def _time(element: Element, found: Findings) -> datetime:
    moment, zoned = read_date_time(text_of(element))
    if not zoned:
        name = etree.QName(element).localname
        found.add("time-without-zone", f"{name} has no time zone; UTC is assumed.", name)
    return moment


def _reply_to(children: dict[str, Element], found: Findings) -> Address | None:
    if (element := children.get("ReplyToAddress")) is not None:
        return read_address(element, found)
    if (element := children.get("ReplyTo")) is not None:
        return Address(text_of(element).strip())
    return None


def _reasons(element: Element | None, found: Findings) -> tuple[EventReason, ...]:
    if element is None:
        return ()
    reasons = []
    for child in element.iterchildren(f"{{{REM}}}EventReason"):
        values = _single(child)
        code = text_of(values["Code"]).strip() if "Code" in values else ""
        details = text_of(values["Details"]) if "Details" in values else ""
        reason, details, regular = understood(code, details)
        if not regular:
            found.add("reason-not-uri", f"The reason {code!r} is no proper URI.", "EventReasons")
        if not details.strip():
            found.add("details-missing", f"The reason {code!r} has no details.", "EventReasons")
        reasons.append(EventReason(reason, details, "" if reason else code))
    return tuple(reasons)


def _policies(element: Element | None) -> tuple[str, ...]:
    if element is None:
        return ()
    return tuple(text_of(child) for child in element.iterchildren(f"{{{REM}}}PolicyID"))


def _message(element: Element, found: Findings) -> MessageDetails:
    values = _single(element)
    texts = {
        name: text_of(values[name]) if name in values else ""
        for name in ("MessageSubject", "UAMessageIdentifier", "MessageIdentifierByREMMD")
    }
    for name, code in (
        ("MessageSubject", "message-subject-missing"),
        ("MessageIdentifierByREMMD", "message-identifier-missing"),
    ):
        if name not in values:
            found.invalid(code, f"{name} is missing.", f"SenderMessageDetails/{name}")
    flag = element.get("isNotification")
    if flag is None:
        found.invalid(
            "is-notification-missing", "isNotification is missing.", "SenderMessageDetails"
        )
    algorithm, digest = _digest(values, found)
    return MessageDetails(
        subject=texts["MessageSubject"],
        ua_identifier=texts["UAMessageIdentifier"],
        remmd_identifier=texts["MessageIdentifierByREMMD"],
        digest=digest,
        digest_algorithm=algorithm,
        is_notification=flag in {"true", "1"},
    )


def _single(element: Element) -> dict[str, Element]:
    """The children by name; none may be there twice."""
    values: dict[str, Element] = {}
    for child in element.iterchildren("*"):
        name = etree.QName(child)
        if name.namespace not in {REM, DS}:
            continue
        if name.localname in values:
            raise _doubled(child)
        values[name.localname] = child
    return values


def _doubled(element: Element) -> Exception:
    return unacceptable(
        "evidence.element-doubled",
        f"The evidence has more than one {etree.QName(element).localname} in one place.",
        line=element.sourceline,
    )


def _digest(values: dict[str, Element], found: Findings) -> tuple[str, bytes]:
    method, value = values.get("DigestMethod"), values.get("DigestValue")
    path = "SenderMessageDetails/DigestMethod"
    if method is None or value is None:
        found.add("digest-missing", "The evidence states no digest of its message.", path)
        return "SHA-256", b""
    written = method.get("Algorithm", "")
    algorithm = _NAMES.get(written) or written
    if written not in _NAMES:
        found.add("digest-not-uri", f"The digest algorithm {written!r} is no known URI.", path)
    if algorithm not in DIGEST_URIS:
        found.add("digest-weak", f"The digest algorithm {written!r} proves nothing.", path)
    return algorithm, read_base64(text_of(value))
