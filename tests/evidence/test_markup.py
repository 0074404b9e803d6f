"""Evidences as XML and back: nothing is lost, strict ones are valid, deviations are all named."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import pytest
from hypothesis import given
from lxml import etree

from connector.errors import ConnectorError
from connector.evidence.build import follow_up, submission_acceptance, submission_rejection
from connector.evidence.markup import evidence_xml
from connector.evidence.model import Address, Entity, Evidence, MessageDetails, PostalAddress
from connector.evidence.parse import parse_evidence
from connector.evidence.reasons import understood
from connector.evidence.types import EvidenceType, Profile, Reason
from connector.xml import parse
from tests.evidence.strategies import evidences
from tests.reference import reference

NOW = datetime(2026, 3, 31, 14, 5, tzinfo=UTC)
ISSUER = Entity(
    names=("Ministério da Justiça",),
    postal=PostalAddress(streets=("-",), locality="Brasília", postal_code="-", country="BR"),
    addresses=(Address("br-gw"),),
)
ACCEPTANCE = submission_acceptance(
    identifier="1f4e0c6a-0000-4000-8000-000000000001",
    issuer=ISSUER,
    at=NOW,
    sender="DE-GBA",
    recipient="BR-MJ",
    message=MessageDetails(
        subject="Request <&> for assistance",
        ua_identifier="7 AuslA 12/26",
        remmd_identifier="m1@de-gw.emla",
        digest=bytes(range(32)),
    ),
)
E_CODEX = [
    "SUBMISSION_ACCEPTANCE",
    "SUBMISSION_REJECTION",
    "RELAY_REMMD_ACCEPTANCE",
    "RELAY_REMMD_FAILURE",
    "RELAY_REMMD_REJECTION",
    "DELIVERY",
    "NON_DELIVERY",
    "RETRIEVAL",
    "NON_RETRIEVAL",
]


def follow(kind: EvidenceType) -> Evidence:
    return follow_up(
        ACCEPTANCE,
        kind,
        identifier="2f4e0c6a-0000-4000-8000-000000000002",
        issuer=ISSUER,
        at=NOW,
        reason=Reason.DELIVERY_EVIDENCE_TIMEOUT,
    )


def codes(evidence: bytes | str) -> set[str]:
    data = evidence.encode() if isinstance(evidence, str) else evidence
    return {weakness.code for weakness in parse_evidence(parse(data))[1]}


@cache
def _compiled(path: str) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(path))


@pytest.fixture
def schema() -> etree.XMLSchema:
    return _compiled(str(reference("ecodex-connector", "xsd", "TS102640_v2.xsd")))


@given(evidences())
def test_round_trip(evidence: Evidence) -> None:
    read, weaknesses = parse_evidence(parse(evidence_xml(evidence, Profile.STRICT).encode()))
    assert read == evidence
    assert weaknesses == ()


@pytest.mark.parametrize("kind", EvidenceType)
def test_strict_is_valid_against_the_schema_of_etsi(
    kind: EvidenceType, schema: etree.XMLSchema
) -> None:
    root = parse(evidence_xml(follow(kind), Profile.STRICT).encode())
    assert schema.validate(root), schema.error_log
    assert root.get("Id", "")[0] == "_"


@given(evidence=evidences())
def test_strict_is_valid_whatever_it_says(evidence: Evidence) -> None:
    path = reference("ecodex-connector", "xsd", "TS102640_v2.xsd")
    found = _compiled(str(path))
    assert found.validate(parse(evidence_xml(evidence, Profile.STRICT).encode())), found.error_log


@pytest.mark.parametrize("kind", EvidenceType)
def test_ecodex_spelling_keeps_what_it_can_carry(kind: EvidenceType) -> None:
    evidence = follow(kind)
    read, weaknesses = parse_evidence(parse(evidence_xml(evidence, Profile.ECODEX).encode()))
    kept = replace(evidence.message, subject="", remmd_identifier="")
    assert read == replace(evidence, message=kept)
    found = {weakness.code for weakness in weaknesses}
    assert {
        "evidence.digest-not-uri",
        "evidence.not-schema-valid.entity-name-empty",
        "evidence.not-schema-valid.message-subject-missing",
        "evidence.not-schema-valid.message-identifier-missing",
    } <= found
    assert ("evidence.event-code-spelling" in found) == bool(kind.event)
    assert ("evidence.reason-not-uri" in found) == (not kind.positive)


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("SUBMISSION_ACCEPTANCE", "Acceptance"),
        ("RELAY_REMMD_REJECTION", "Rejection"),
        ("RELAY_REMMD_FAILURE", "DeliveryExpiration"),
        ("NON_DELIVERY", "NonDelivery"),
        ("NON_RETRIEVAL", "RetrievalExpiration"),
    ],
)
def test_codes_on_the_wire(kind: str, code: str) -> None:
    strict = evidence_xml(follow(EvidenceType(kind)), Profile.STRICT)
    compatible = evidence_xml(follow(EvidenceType(kind)), Profile.ECODEX)
    assert f"<EventCode>http://uri.etsi.org/02640/Event#{code}</EventCode>" in strict
    assert f"<EventCode>http:uri.etsi.org/02640/Event#{code}</EventCode>" in compatible
    assert 'Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"' in strict
    assert 'Algorithm="SHA-256"' in compatible


def test_table_of_e_codex() -> None:
    kinds = [EvidenceType(name) for name in E_CODEX]
    assert [kind.priority for kind in kinds] == list(range(1, 10))
    assert [kind.positive for kind in kinds] == [True, False, True, False, False] + [
        True,
        False,
    ] * 2
    assert [kind.name for kind in kinds if kind.maximum is None] == [
        "RELAY_REMMD_ACCEPTANCE",
        "RELAY_REMMD_FAILURE",
        "RELAY_REMMD_REJECTION",
    ]
    assert EvidenceType.RETRIEVAL.action == "RetrievalNonRetrievalToRecipient"
    assert EvidenceType.RETRIEVAL.root == "RetrievalNonRetrievalByRecipient"
    assert EvidenceType.DELIVERY.predecessor is EvidenceType.RELAY_REMMD_ACCEPTANCE


@pytest.mark.parametrize("profile", Profile)
@pytest.mark.parametrize("reason", Reason)
def test_every_reason_survives(reason: Reason, profile: Profile) -> None:
    code, details = reason.spelled(profile, "")
    assert details
    assert code.startswith("http://uri.etsi.org/REM/EventReason#") == (profile is Profile.STRICT)
    read, text, regular = understood(code, details)
    assert (read, text, regular) == (reason, reason.text, profile is Profile.STRICT)


def test_unknown_reason_is_kept() -> None:
    text = evidence_xml(follow(EvidenceType.NON_DELIVERY), Profile.STRICT)
    strange = text.replace(Reason.DELIVERY_EVIDENCE_TIMEOUT.uri, "urn:x:strange")
    (reason,) = parse_evidence(parse(strange.encode()))[0].reasons
    assert (reason.reason, reason.code) == (None, "urn:x:strange")


def test_follow_up_speaks_of_the_same_message() -> None:
    delivery = follow(EvidenceType.DELIVERY)
    assert delivery.message == ACCEPTANCE.message
    assert delivery.sender == ACCEPTANCE.sender
    assert delivery.recipients == ACCEPTANCE.recipients
    assert delivery.reply_to == ACCEPTANCE.reply_to
    assert delivery.reasons == ()
    assert delivery.identifier != ACCEPTANCE.identifier


def test_negative_evidence_always_states_a_reason() -> None:
    late = follow_up(ACCEPTANCE, EvidenceType.NON_DELIVERY, identifier="x", issuer=ISSUER, at=NOW)
    assert late.reasons[0].reason is Reason.OTHER
    assert late.reasons[0].details
    rejected = submission_rejection(
        identifier="y",
        issuer=ISSUER,
        at=NOW,
        sender="a",
        recipient="b",
        message=ACCEPTANCE.message,
        reason=Reason.GW_REJECTION,
        details="EBMS:0003",
    )
    assert rejected.reason_text == "GW_REJECTION: EBMS:0003"


def test_message_of_e_codex() -> None:
    data = reference("ecodex-connector", "message", "SUBMISSION_ACCEPTANCE.xml").read_bytes()
    evidence, weaknesses = parse_evidence(parse(data))
    assert evidence.type is EvidenceType.SUBMISSION_ACCEPTANCE
    assert evidence.identifier == "5bf19474-7ee3-4c18-a865-e435b8c7d3fc"
    assert evidence.issuer.names == ("testgw",)
    assert evidence.issuer.postal is not None
    assert evidence.issuer.postal.country == "AT"
    assert evidence.sender.address == "original"
    assert evidence.recipients[0].address == "final"
    assert evidence.message.ua_identifier == "n1"
    assert evidence.event_time.isoformat() == "2020-04-06T21:57:40.414000+02:00"
    assert [weakness.code for weakness in weaknesses] == [
        "evidence.event-code-spelling",
        "evidence.not-schema-valid.entity-name-empty",
        "evidence.not-schema-valid.message-subject-missing",
        "evidence.not-schema-valid.message-identifier-missing",
        "evidence.digest-not-uri",
    ]


STRICT = evidence_xml(follow(EvidenceType.NON_DELIVERY), Profile.STRICT)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("DeliveryNonDeliveryToRecipient", "SomethingElse", "evidence.unknown-root"),
        ("http://uri.etsi.org/02640/v2#", "urn:other", "evidence.unknown-root"),
        ("Event#NonDelivery", "Event#Retrieval", "evidence.unknown-event"),
        ("Event#NonDelivery", "Event#", "evidence.unknown-event"),
        ("Event#NonDelivery", "Event#Non<!-- -->Delivery", "xml.comment-in-value"),
        ("</EvidenceIdentifier>", "</EvidenceIdentifier><EventTime>x</EventTime>", "doubled"),
        ("2026-03-31T14:05:00.000+00:00", "yesterday", "xml.date-time"),
        ("2026-03-31T14:05:00.000+00:00", "2026-02-31T14:05:00Z", "xml.date-time"),
        ("AAECAwQF", "A!ECAwQF", "xml.base64"),
        ("<Code>", "<Code>x</Code><Code>", "doubled"),
        ("</MessageSubject>", "</MessageSubject><MessageSubject/>", "doubled"),
    ],
)
def test_altered_evidence_is_refused(old: str, new: str, code: str) -> None:
    altered = STRICT.replace(old, new)
    with pytest.raises(ConnectorError) as caught:
        parse_evidence(parse(altered.encode()))
    assert caught.value.code == {"doubled": "evidence.element-doubled"}.get(code, code)


@pytest.mark.parametrize(
    "name",
    [
        "EvidenceIdentifier",
        "EvidenceIssuerDetails",
        "EventTime",
        "SenderDetails",
        "RecipientsDetails",
        "SenderMessageDetails",
    ],
)
def test_missing_element_is_refused(name: str) -> None:
    root = parse(STRICT.encode())
    element = root.find(f"{{*}}{name}")
    assert element is not None
    root.remove(element)
    with pytest.raises(ConnectorError) as caught:
        parse_evidence(root)
    assert caught.value.code == "evidence.element-missing"
    assert name in str(caught.value.problems[0].path)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (' version="2.1.1"', "", "not-schema-valid.version-missing"),
        ('Id="_', 'Id="', "not-schema-valid.id-not-ncname"),
        (' isNotification="false"', "", "not-schema-valid.is-notification-missing"),
        ("<Name>Ministério da Justiça</Name>", "", "not-schema-valid.entity-name-empty"),
        ("<Locality>Brasília</Locality>", "", "not-schema-valid.postal-address-incomplete"),
        (">DE-GBA<", "><", "not-schema-valid.address-empty"),
        ("14:05:00.000+00:00", "14:05:00.000", "time-without-zone"),
        ("xmlenc#sha256", "xmlenc#md5", "digest-weak"),
        ("<EventTime>", "<Other/><EventTime>", "not-schema-valid.unknown-element"),
    ],
)
def test_weakness_is_named(old: str, new: str, code: str) -> None:
    assert f"evidence.{code}" in codes(STRICT.replace(old, new))


def test_wrong_order_and_missing_reasons_are_named() -> None:
    root = parse(STRICT.encode())
    root.insert(0, root.find("{*}EventTime"))
    reasons = root.find("{*}EventReasons")
    assert reasons is not None
    root.remove(reasons)
    found = codes(etree.tostring(root))
    assert {"evidence.not-schema-valid.element-order", "evidence.reason-missing"} <= found


@pytest.mark.parametrize(
    "evidence",
    [
        replace(ACCEPTANCE, identifier=""),
        replace(ACCEPTANCE, recipients=()),
        replace(ACCEPTANCE, message=replace(ACCEPTANCE.message, remmd_identifier="")),
        replace(ACCEPTANCE, type=EvidenceType.NON_DELIVERY),
        replace(ACCEPTANCE, issuer=replace(ISSUER, postal=replace(ISSUER.postal, locality=""))),
    ],
)
def test_incomplete_evidence_is_not_written(evidence: Evidence) -> None:
    with pytest.raises(ConnectorError) as caught:
        evidence_xml(evidence, Profile.STRICT)
    assert caught.value.code == "evidence.incomplete"


def test_control_characters_are_not_written() -> None:
    message = replace(ACCEPTANCE.message, subject="a\x00b")
    with pytest.raises(ConnectorError) as caught:
        evidence_xml(replace(ACCEPTANCE, message=message), Profile.STRICT)
    assert caught.value.code == "xml.character"
