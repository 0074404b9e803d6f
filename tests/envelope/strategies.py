"""Envelopes of all five message types, as hypothesis makes them: each follows schema and rules.

    @given(envelopes())                                # any of them
    @given(envelopes(MessageType.RESPONSE))            # one message type

Texts hold signs of many scripts, and those that XML, JSON, CSV and spreadsheets use themselves.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hypothesis import strategies as st

from connector.envelope import model as m
from tests.envelope.bodies import (
    acknowledgements,
    clarification_requests,
    clarifications,
    requests,
    responses,
    unique,
)
from tests.envelope.parties import AUTHORITIES, IDENTIFIERS, extensions
from tests.envelope.values import (
    LANGUAGES,
    LINES,
    LOCAL_IDS,
    PARTIAL_DATES,
    TEXTS,
    TOKENS,
    maybe,
    moments,
    some,
)

_TITLED = {m.Instrument.BILATERAL, m.Instrument.NATIONAL_LAW, m.Instrument.OTHER}
_FILE_NAMES = LINES.map(lambda name: name.replace("/", "_").replace("\\", "_")).filter(
    lambda name: name not in (".", "..")
)


@st.composite
def legal_bases(draw: st.DrawFn) -> m.LegalBasis:
    """An instrument, with its title where it needs one."""
    instrument = draw(st.sampled_from(m.Instrument))
    return m.LegalBasis(
        instrument=instrument,
        title=draw(LINES if instrument in _TITLED else maybe(LINES)),
        article=draw(maybe(LINES)),
        reciprocity=draw(maybe(st.booleans())),
    )


@st.composite
def urgencies(draw: st.DrawFn, created: datetime) -> m.Urgency:
    """How urgent; with reasons where it is."""
    level = draw(st.sampled_from(m.UrgencyLevel))
    reasons = st.sampled_from(m.UrgencyReason)
    if level is m.UrgencyLevel.EMERGENCY:
        reasons = st.just(m.UrgencyReason.DANGER_TO_LIFE)
    reason = draw(maybe(reasons) if level is m.UrgencyLevel.ORDINARY else reasons)
    told = level is m.UrgencyLevel.EMERGENCY or reason is m.UrgencyReason.OTHER
    return m.Urgency(
        level=level,
        reason=reason,
        facts=draw(TEXTS if told else maybe(TEXTS)),
        deadline=draw(maybe(moments(created))),
        deadline_reason=draw(maybe(TEXTS)),
    )


CONFIDENTIALITIES = st.builds(
    m.Confidentiality,
    requested=st.booleans(),
    reason=maybe(TEXTS),
    until=maybe(PARTIAL_DATES),
    not_to_be_told=some(LINES),
)
HOPS = st.builds(
    m.Hop,
    authority=AUTHORITIES,
    action=st.sampled_from(m.HopAction),
    at=maybe(moments()),
    remark=maybe(TEXTS),
)
ATTACHMENTS = st.builds(
    m.AttachmentInfo,
    id=LOCAL_IDS,
    name=_FILE_NAMES,
    media_type=st.sampled_from(["application/pdf", "text/plain; charset=utf-8", "image/png"]),
    size=st.integers(0, 2**53 - 1),
    sha256=st.binary(min_size=32, max_size=32).map(bytes.hex),
    role=st.sampled_from(m.AttachmentRole),
    language=maybe(LANGUAGES),
    description=maybe(LINES),
    extension=maybe(extensions()),
)


def _translations(
    attachments: Sequence[m.AttachmentInfo],
) -> st.SearchStrategy[tuple[m.Translation, ...]]:
    ids = [each.id for each in attachments if each.role is m.AttachmentRole.TRANSLATION]
    if not ids:
        return st.just(())
    return some(
        st.builds(
            m.Translation,
            language=LANGUAGES,
            attachment_ref=st.sampled_from(ids),
            certified=maybe(st.booleans()),
            translator=maybe(LINES),
        )
    )


@st.composite
def envelopes(draw: st.DrawFn, *types: m.MessageType) -> m.Envelope:
    """An envelope of one of `types` (any, if none is given) that `check` finds nothing wrong in."""
    kind = draw(st.sampled_from(types or tuple(m.MessageType)))
    created = draw(moments())
    attachments = draw(
        unique(ATTACHMENTS).filter(
            lambda found: len({each.name for each in found}) == len(found)
        )
    )  # fmt: skip
    sender, receiver = draw(
        st.lists(IDENTIFIERS, min_size=2, max_size=2, unique_by=lambda each: each.value)
    )
    message_id, answered = draw(st.lists(TOKENS, min_size=2, max_size=2, unique=True))
    header = m.Header(
        message_id=message_id,
        message_type=kind,
        created_at=created,
        conversation_id=draw(TOKENS),
        in_reply_to=answered
        if kind is not m.MessageType.REQUEST
        else draw(maybe(st.just(answered))),
        sender_reference=draw(maybe(LINES)),
        receiver_reference=draw(maybe(LINES)),
        sending_authority=dataclasses.replace(draw(AUTHORITIES), identifier=sender),
        receiving_authority=dataclasses.replace(draw(AUTHORITIES), identifier=receiver),
        transmission_hops=draw(some(HOPS, most=1)),
        legal_bases=draw(some(legal_bases(), least=1)),
        classification=draw(maybe(st.sampled_from(m.Classification))),
        confidentiality=draw(maybe(CONFIDENTIALITIES)),
        urgency=draw(urgencies(created)),
        language=draw(LANGUAGES),
        translations=draw(_translations(attachments)),
        attachments=attachments,
        test_flag=draw(st.booleans()),
        extension=draw(maybe(extensions())),
    )
    return m.Envelope(header=header, body=draw(_body(kind, created, attachments)))


def _body(
    kind: m.MessageType, created: datetime, attachments: Sequence[m.AttachmentInfo]
) -> st.SearchStrategy[Any]:
    ids = [each.id for each in attachments]
    match kind:
        case m.MessageType.REQUEST:
            return requests(ids)
        case m.MessageType.ACKNOWLEDGEMENT:
            return acknowledgements()
        case m.MessageType.CLARIFICATION_REQUEST:
            return clarification_requests(created)
        case m.MessageType.CLARIFICATION:
            return clarifications(ids)
        case m.MessageType.RESPONSE:
            evidence = [each.id for each in attachments if each.role is m.AttachmentRole.EVIDENCE]
            return responses(ids, evidence)
