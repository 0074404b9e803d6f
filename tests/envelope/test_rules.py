"""Each rule of the Schematron: one change of a valid sample breaks it, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from connector.envelope import VERSION, check
from connector.envelope.schematron import load
from connector.shipped import shipped
from tests.envelope.samples import (
    Change,
    after,
    again,
    at,
    both,
    changed,
    empty,
    into,
    put,
    remove,
)

RULES = load(shipped("schemas") / "emla" / VERSION / "emla.sch").rules
SENDER = "Header/SendingAuthority"
MEASURE = "Envelope/Request/Measure[1]"
_HEARING = put("Request/Measure[2]/Type", "hearing-video")


@dataclass(frozen=True)
class Broken:
    """A change that breaks a rule."""

    rule: str
    sample: str
    change: Change
    path: str
    says: str
    """A part of the sentence."""


BROKEN = [
    Broken(
        "EMLA-R-01", "response", put("Header/MessageType", "Clarification"),
        "Envelope/Header", "is Clarification, but the body is Response",
    ),
    Broken(
        "EMLA-R-02", "response", remove("Header/InReplyTo"),
        "Envelope/Header", "This Response does not say which message",
    ),
    Broken(
        "EMLA-R-03", "request",
        after("Header/ConversationId",
              "<InReplyTo>5d0c2f4e-7f0a-4f57-8a3e-0b6d3a6f2c01@de.emla.example</InReplyTo>"),
        "Envelope/Header", "answers itself (5d0c2f4e",
    ),
    Broken(
        "EMLA-R-04", "request", remove(f"{SENDER}/Identifier"), "Envelope/Header", "no identifier"
    ),
    Broken(
        "EMLA-R-05", "request",
        put("Header/ReceivingAuthority/Identifier/Value", "urn:emla:authority:de:sta-musterstadt"),
        "Envelope/Header", "its own sender, urn:emla:authority:de:sta-musterstadt",
    ),
    Broken(
        "EMLA-R-06", "request", put("Header/LegalBasis/Instrument", "bilateral"),
        "Envelope/Header/LegalBasis", "is bilateral, but the treaty or law is not named",
    ),
    Broken(
        "EMLA-R-07", "request", remove("Header/Urgency/Reason"),
        "Envelope/Header/Urgency", "marked urgent without a reason",
    ),
    Broken(
        "EMLA-R-08", "emergency-request", remove("Header/Urgency/Facts"),
        "Envelope/Header/Urgency", "without the facts",
    ),
    Broken(
        "EMLA-R-09", "request",
        both(put("Header/Urgency/Reason", "other"), remove("Header/Urgency/Facts")),
        "Envelope/Header/Urgency", "'other'",
    ),
    Broken(
        "EMLA-R-10", "request",
        # Later on the clock, but earlier in time: the created one is 08:15 UTC.
        put("Header/Urgency/Deadline", "2026-11-24T14:14:59.999+06:00"),
        "Envelope/Header/Urgency/Deadline", "needed by 2026-11-24T14:14:59.999+06:00, before",
    ),
    Broken(
        "EMLA-R-11", "clarification-request",
        put("ClarificationRequest/Deadline", "2026-01-31T00:00:00Z"),
        "Envelope/ClarificationRequest/Deadline", "before the question was made",
    ),
    Broken(
        "EMLA-R-12", "request",
        both(put("Header/Attachment[3]/Id", "order1"),
             put("Header/Attachment[2]/Role", "translation"),
             put("Header/Translation/AttachmentRef", "order1")),
        "Envelope/Header/Attachment[3]", "have the id order1",
    ),
    Broken(
        "EMLA-R-13", "request", put("Header/Attachment[3]/Name", "beschluss.pdf"),
        "Envelope/Header/Attachment[3]", "named beschluss.pdf",
    ),
    Broken(
        "EMLA-R-14", "request", put("Header/Attachment[1]/Name", ".."),
        "Envelope/Header/Attachment[1]", ".. is no name",
    ),
    Broken(
        "EMLA-R-15", "request", put("Header/Translation/AttachmentRef", "order1"),
        "Envelope/Header/Translation", "order1 is not among the attachments",
    ),
    Broken(
        "EMLA-R-16", "request", put("Request/Measure[1]/AttachmentRef", "order2"),
        f"{MEASURE}/AttachmentRef", "Measure refers to the attachment order2",
    ),
    Broken(
        "EMLA-R-17", "request",
        both(put("Request/Person[2]/Id", "person1"),
             put("Request/Measure[1]/PersonRef[2]", "person1")),
        "Envelope/Request/Person[2]", "have the id person1",
    ),
    Broken(
        "EMLA-R-18", "request", put("Request/Person[1]/Position", "other"),
        "Envelope/Request/Person[1]", "person1 is 'other'",
    ),
    Broken(
        "EMLA-R-19", "request",
        both(put("Request/Object[2]/Id", "acc1"), put("Request/Measure[2]/ObjectRef", "acc1")),
        "Envelope/Request/Object[2]", "have the id acc1",
    ),
    Broken(
        "EMLA-R-20", "request", remove("Request/Object[2]/ObservedAt"),
        "Envelope/Request/Object[2]", "198.51.100.24 has no time",
    ),
    Broken(
        "EMLA-R-21", "request", again("Request/Offence"),
        "Envelope/Request/Offence[2]", "have the id offence1",
    ),
    Broken(
        "EMLA-R-22", "request", put("Request/Measure[2]/Id", "measure1"),
        "Envelope/Request/Measure[2]", "have the id measure1",
    ),
    Broken("EMLA-R-23", "request", _HEARING, "Envelope/Request/Measure[2]", "names no person"),
    Broken(
        "EMLA-R-24", "request",
        both(put("Request/Measure[2]/Type", "service-of-documents"),
             after("Request/Measure[2]/Description", "<PersonRef>person1</PersonRef>")),
        "Envelope/Request/Measure[2]", "names no document to be served",
    ),
    Broken(
        "EMLA-R-25", "request",
        both(put("Header/LegalBasis/Instrument", "eu-eio"), remove("Request/Measure[1]/Reason")),
        MEASURE, "measure1 (bank-operations) does not say why",
    ),
    Broken(
        "EMLA-R-26", "request", put("Request/Object[1]/PersonRef", "person9"),
        "Envelope/Request/Object[1]/PersonRef", "Object refers to the person person9",
    ),
    Broken(
        "EMLA-R-27", "request", put("Request/Measure[2]/ObjectRef", "ip9"),
        "Envelope/Request/Measure[2]/ObjectRef", "the object ip9",
    ),
    Broken(
        "EMLA-R-28", "request", put("Request/Measure[2]/OffenceRef", "offence9"),
        "Envelope/Request/Measure[2]/OffenceRef", "the offence offence9",
    ),
    Broken(
        "EMLA-R-29", "request", remove("Request/Facts"),
        "Envelope/Request", "no summary of the facts",
    ),
    Broken(
        "EMLA-R-30", "request",
        both(put(f"{SENDER}/Role", "requesting-central"), remove("Request/ConductingAuthority")),
        "Envelope/Request", "(requesting-central), and the request does not say who does",
    ),
    Broken(
        "EMLA-R-31", "request", empty("Request/Offence/Period"),
        "Envelope/Request/Offence/Period", "neither a first nor a last day",
    ),
    Broken(
        "EMLA-R-32", "request", put("Request/Offence/Period/To", "2025-02"),
        "Envelope/Request/Offence/Period", "ends (2025-02) before it begins (2025-03)",
    ),
    Broken(
        "EMLA-R-33", "acknowledgement",
        both(put("Acknowledgement/Handling", "forwarded"),
             remove("Acknowledgement/CompetentAuthority")),
        "Envelope/Acknowledgement", "not said to whom",
    ),
    Broken(
        "EMLA-R-34", "clarification-request", again("ClarificationRequest/Item[1]"),
        "Envelope/ClarificationRequest/Item[2]", "Two questions",
    ),
    Broken(
        "EMLA-R-35", "response", put("Response/Result[2]/Outcome", "impossible"),
        "Envelope/Response/Result[2]", "is impossible, but no reason",
    ),
    Broken(
        "EMLA-R-36", "response",
        both(put("Response/Kind", "final"), put("Response/Result[1]/Outcome", "pending")),
        "Envelope/Response/Result[1]", "is still pending",
    ),
    Broken(
        "EMLA-R-37", "response", put("Response/Result[1]/EvidenceRef", "evidence9"),
        "Envelope/Response/Result[1]/EvidenceRef", "evidence9, which is not in the inventory",
    ),
    Broken(
        "EMLA-R-38", "response", again("Response/EvidenceItem[1]"),
        "Envelope/Response/EvidenceItem[2]", "Two items",
    ),
    Broken(
        "EMLA-R-39", "response", remove("Response/EvidenceItem[1]/AttachmentRef"),
        "Envelope/Header/Attachment[1]", "is evidence, but is not in the inventory",
    ),
    Broken(
        "EMLA-R-40", "request",
        remove("Request/Person[1]/NaturalPerson/Name[1]/GivenName",
               "Request/Person[1]/NaturalPerson/Name[1]/FamilyName"),
        "Envelope/Request/Person[1]/NaturalPerson/Name[1]", "A name of the person person1",
    ),
    Broken(
        "EMLA-R-41", "request", empty("Request/Person[2]/LegalPerson/RegisteredAddress"),
        "Envelope/Request/Person[2]/LegalPerson/RegisteredAddress", "the LegalPerson says nothing",
    ),
    Broken(
        "EMLA-R-42", "request", into(SENDER, "<ContactPoint/>"),
        "Envelope/Header/SendingAuthority/ContactPoint[2]", "ContactPoint of the SendingAuthority",
    ),
    Broken(
        "EMLA-R-43", "emergency-request", put("Header/Urgency/Reason", "imminent-trial"),
        "Envelope/Header/Urgency", "(imminent-trial)",
    ),
]  # fmt: skip


def test_every_rule_is_broken_here() -> None:
    assert sorted(each.rule for each in BROKEN) == sorted(RULES)
    assert len(set(RULES)) == len(RULES)


@pytest.mark.parametrize("case", BROKEN, ids=lambda case: case.rule)
def test_breaking_one_rule_is_told_with_its_place(case: Broken) -> None:
    root, lines = changed(case.sample, case.change)

    problems = check(root, file="sample.xml")

    assert [each.code for each in problems] == [f"envelope.rule.{case.rule}"]
    (problem,) = problems
    assert problem.path == case.path
    assert problem.line == at(root, case.path).sourceline
    name = case.path.rpartition("/")[2].partition("[")[0]
    assert lines[(problem.line or 0) - 1].lstrip().startswith(f"<{name}")
    assert problem.file == "sample.xml"
    assert case.says in problem.what
    assert problem.mend


def test_all_broken_rules_are_told_at_once() -> None:
    root, _ = changed(
        "request", both(remove("Request/Facts"), remove("Header/Urgency/Reason"), _HEARING)
    )

    assert [each.code for each in check(root)] == [
        "envelope.rule.EMLA-R-07",
        "envelope.rule.EMLA-R-23",
        "envelope.rule.EMLA-R-29",
    ]


@pytest.mark.parametrize(
    ("made", "due", "fine"),
    [
        ("2026-11-24T23:30:00-02:00", "2026-11-25T01:30:00Z", True),
        ("2026-11-24T23:30:00-02:00", "2026-11-25T01:29:59Z", False),
        ("2024-02-28T23:59:59+00:00", "2024-02-29T00:00:00Z", True),
        ("2024-03-01T00:00:00Z", "2024-02-29T23:59:59Z", False),
        ("2023-12-31T23:30:00-01:00", "2024-01-01T00:29:59+00:00", False),
        ("2023-12-31T23:30:00-01:00", "2024-01-01T00:30:00+00:00", True),
        ("2026-11-24T10:00:00.5Z", "2026-11-24T10:00:00.4Z", False),
        ("2026-11-24T10:00:00.5Z", "2026-11-24T11:00:00.5+01:00", True),
        ("2100-02-28T12:00:00+14:00", "2100-02-27T22:00:00Z", True),
    ],
)
def test_deadlines_are_compared_in_time_not_as_text(made: str, due: str, fine: bool) -> None:
    root, _ = changed(
        "request", both(put("Header/CreatedAt", made), put("Header/Urgency/Deadline", due))
    )

    codes = [each.code for each in check(root)]

    assert codes == ([] if fine else ["envelope.rule.EMLA-R-10"])


@pytest.mark.parametrize(
    ("first", "last", "fine"),
    [
        ("2025", "2025-01", True),  # the first day of the year, the last of January
        ("2025-12-31", "2025", True),
        ("2025-02-03", "2025-02", True),
        ("2025-03-01", "2025-02", False),
        ("2026", "2025-12-31", False),
        ("2025-02-02", "2025-02-01", False),
    ],
)
def test_periods_with_incomplete_dates(first: str, last: str, fine: bool) -> None:
    root, _ = changed(
        "request",
        both(put("Request/Offence/Period/From", first), put("Request/Offence/Period/To", last)),
    )

    codes = [each.code for each in check(root)]

    assert codes == ([] if fine else ["envelope.rule.EMLA-R-32"])
