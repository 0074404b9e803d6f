"""Drafts as mappings leave them, completed; and what an envelope says of itself at a glance."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from lxml import etree

from connector.envelope import (
    NAMESPACE,
    AttachmentInfo,
    HeaderValues,
    Identity,
    check,
    complete,
    identify,
    read,
    read_draft,
    write_element,
)
from connector.envelope.model import (
    AttachmentRole,
    Confidentiality,
    Instrument,
    LegalBasis,
    MessageType,
    UrgencyLevel,
)
from connector.errors import ConnectorError
from connector.xml import Element, parse
from tests.envelope.samples import changed, put, remove, sample

WHEN = datetime(2026, 11, 25, 10, 0, tzinfo=UTC)
FILE = AttachmentInfo(
    id="a1",
    name="a.pdf",
    media_type="application/pdf",
    size=3,
    sha256=sha256(b"abc").hexdigest(),
    role=AttachmentRole.ANNEX,
)
LEFT_OPEN = ("MessageId", "MessageType", "CreatedAt", "ConversationId", "TestFlag", "Urgency")


def _draft() -> Element:
    root = sample("acknowledgement")
    remove(*(f"Header/{name}" for name in LEFT_OPEN))(root)
    return root


def test_what_a_draft_leaves_open_is_filled_in() -> None:
    values = HeaderValues(message_id="m@x", created_at=WHEN, conversation_id="c@x")

    envelope = read_draft(_draft(), replace=values)

    header = envelope.header
    assert (header.message_id, header.created_at, header.conversation_id) == ("m@x", WHEN, "c@x")
    assert header.message_type is MessageType.ACKNOWLEDGEMENT
    assert header.urgency.level is UrgencyLevel.ORDINARY
    assert header.test_flag is False
    assert check(write_element(envelope)) == ()
    original = read(sample("acknowledgement"))
    assert envelope.body == original.body
    assert header.sending_authority == original.header.sending_authority


def test_a_default_gives_way_and_a_replacement_wins() -> None:
    root = sample("request")
    values = HeaderValues(language="fr", sender_reference="other")

    assert read_draft(root, default=values).header.language == "en"
    assert read_draft(root, default=values).header.sender_reference == "125 Js 4711/26"
    assert read_draft(root, replace=values).header.language == "fr"
    assert read_draft(root, replace=values).header.sender_reference == "other"


def test_attachments_that_a_draft_only_names_are_replaced_whole() -> None:
    root, _ = changed(
        "request",
        remove("Header/Attachment[1]/Size", "Header/Attachment[1]/Sha256", "Header/Attachment[3]"),
    )

    envelope = read_draft(root, replace=HeaderValues(attachments=(FILE,)))

    assert envelope.header.attachments == (FILE,)


def test_what_nobody_says_is_missed() -> None:
    with pytest.raises(ConnectorError) as refused:
        read_draft(_draft(), replace=HeaderValues(message_id="m@x", created_at=WHEN))

    assert refused.value.code == "envelope.element-missing"
    assert "ConversationId" in refused.value.problems[0].what
    assert refused.value.problems[0].path == "Envelope/Header"


@pytest.mark.parametrize("gone", ["Header", "Request"])
def test_a_draft_without_header_or_body_is_refused(gone: str) -> None:
    root, _ = changed("request", remove(gone))

    with pytest.raises(ConnectorError, match="Header followed by the body") as refused:
        read_draft(root)

    assert refused.value.code == "envelope.element-missing"


def test_a_draft_with_two_bodies_is_refused() -> None:
    root = sample("request")
    root.append(sample("response")[1])

    with pytest.raises(ConnectorError) as refused:
        read_draft(root)

    assert refused.value.code == "envelope.element-unexpected"


def test_complete_sets_what_is_given_and_leaves_the_rest() -> None:
    envelope = read(sample("request"))
    basis = LegalBasis(instrument=Instrument.ETS_030, article="14")
    values = HeaderValues(
        legal_bases=(basis,), confidentiality=Confidentiality(requested=False), test_flag=False
    )

    completed = complete(envelope, values)

    assert completed.header.legal_bases == (basis,)
    assert completed.header.test_flag is False
    assert completed.header.language == envelope.header.language
    assert completed.body is envelope.body
    assert envelope.header.test_flag is True, "the first one is as it was"


def test_the_message_type_follows_the_body() -> None:
    root, _ = changed("response", put("Header/MessageType", "Request"))

    assert read_draft(root).header.message_type is MessageType.RESPONSE
    assert complete(read(root), HeaderValues()).header.message_type is MessageType.RESPONSE


# At a glance --------------------------------------------------------------------------------------


def test_identify_says_what_is_needed_for_routing() -> None:
    assert identify(sample("request")) == Identity(
        version="1.0",
        message_type="Request",
        message_id="5d0c2f4e-7f0a-4f57-8a3e-0b6d3a6f2c01@de.emla.example",
        conversation_id="a2b8f0de-0c7e-4c51-9c5c-61f0ad0d8a11@emla.example",
        sender="urn:emla:authority:de:sta-musterstadt",
        receiver="urn:emla:authority:br:drci",
    )


def test_identify_takes_what_is_half_there() -> None:
    root = parse(
        f'<Envelope xmlns="{NAMESPACE}" version="9"><!-- c --><Later/></Envelope>'.encode()
    )

    assert identify(root) == Identity(
        version="9", message_type="Later", message_id="", conversation_id="", sender="", receiver=""
    )


def test_a_signature_is_no_body() -> None:
    root = sample("request")
    root.remove(root[1])
    etree.SubElement(root, "{http://www.w3.org/2000/09/xmldsig#}Signature")

    found = identify(root)

    assert found is not None
    assert found.message_type == ""


@pytest.mark.parametrize(
    "other", [b"<Envelope/>", b'<Envelope xmlns="urn:emla:envelope:2"/>', b"<nachricht/>"]
)
def test_what_is_no_envelope_is_not_identified(other: bytes) -> None:
    assert identify(parse(other)) is None
    assert [each.code for each in check(parse(other))] == ["envelope.not-an-envelope"]
