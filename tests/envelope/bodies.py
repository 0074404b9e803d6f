"""Bodies of the five message types, as hypothesis makes them: every reference leads somewhere."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from hypothesis import strategies as st

from connector.envelope import model as m
from tests.envelope.parties import (
    ADDRESSES,
    AUTHORITIES,
    CONTACTS,
    SIGNATORIES,
    extensions,
    periods,
    persons,
)
from tests.envelope.values import (
    COUNTRIES,
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

_OF_PERSONS = {
    m.MeasureType.HEARING,
    m.MeasureType.HEARING_VIDEO,
    m.MeasureType.HEARING_TELEPHONE,
    m.MeasureType.SERVICE_OF_DOCUMENTS,
    m.MeasureType.VOLUNTARY_APPEARANCE,
    m.MeasureType.TEMPORARY_TRANSFER_TO_REQUESTING,
    m.MeasureType.TEMPORARY_TRANSFER_TO_REQUESTED,
}
_NEEDS_REASON = {m.Outcome.PARTLY_EXECUTED, m.Outcome.IMPOSSIBLE, m.Outcome.REFUSED}


def refs(ids: Sequence[str], least: int = 0) -> st.SearchStrategy[tuple[str, ...]]:
    """References to some of `ids`."""
    if not ids:
        return st.just(())
    return st.lists(st.sampled_from(ids), min_size=least, max_size=2, unique=True).map(tuple)


def unique(strategy: st.SearchStrategy, least: int = 0) -> st.SearchStrategy:
    """Several with ids of their own."""
    return st.lists(strategy, min_size=least, max_size=2, unique_by=lambda part: part.id).map(tuple)


OFFENCES = st.builds(
    m.Offence,
    id=LOCAL_IDS,
    description=TEXTS,
    provisions=some(st.builds(m.Provision, reference=LINES, text=maybe(TEXTS)), most=1),
    penalty=maybe(TEXTS),
    maximum_months=maybe(st.integers(0, 100_000)),
    categories=some(st.sampled_from(m.OffenceCategory)),
    iccs_code=maybe(TOKENS),
    period=maybe(periods()),
    place=maybe(ADDRESSES),
)


@st.composite
def objects(draw: st.DrawFn, person_ids: Sequence[str]) -> m.CaseObject:
    """An object; an IP address was seen at some time."""
    kind = draw(st.sampled_from(m.ObjectType))
    return m.CaseObject(
        id=draw(LOCAL_IDS),
        type=kind,
        value=draw(LINES),
        port=draw(maybe(st.integers(0, 65535))),
        observed_at=draw(some(moments(), least=1 if kind is m.ObjectType.IP_ADDRESS else 0)),
        holder=draw(maybe(LINES)),
        holder_country=draw(maybe(COUNTRIES)),
        person_ref=draw(maybe(st.sampled_from(person_ids))) if person_ids else None,
        description=draw(maybe(TEXTS)),
        extension=draw(maybe(extensions())),
    )


@st.composite
def measures(
    draw: st.DrawFn,
    person_ids: Sequence[str],
    object_ids: Sequence[str],
    offence_ids: Sequence[str],
    attachment_ids: Sequence[str],
) -> m.Measure:
    """A measure that asks for nothing without what it needs."""
    service = m.MeasureType.SERVICE_OF_DOCUMENTS
    possible = [
        kind
        for kind in m.MeasureType
        if (person_ids or kind not in _OF_PERSONS) and (attachment_ids or kind is not service)
    ]
    kind = draw(st.sampled_from(possible))
    return m.Measure(
        id=draw(LOCAL_IDS),
        type=kind,
        description=draw(TEXTS),
        reason=draw(TEXTS),
        person_refs=draw(refs(person_ids, least=1 if kind in _OF_PERSONS else 0)),
        object_refs=draw(refs(object_ids)),
        offence_refs=draw(refs(offence_ids)),
        attachment_refs=draw(refs(attachment_ids, least=1 if kind is service else 0)),
        period=draw(maybe(periods())),
        place=draw(maybe(ADDRESSES)),
        procedure=draw(maybe(TEXTS)),
        officials_present=draw(maybe(TEXTS)),
        extension=draw(maybe(extensions())),
    )


RELATED = st.builds(
    m.RelatedRequest,
    relation=st.sampled_from(m.RequestRelation),
    reference=LINES,
    authority=maybe(LINES),
    country=maybe(COUNTRIES),
    date=maybe(PARTIAL_DATES),
)
_closing = {
    "contact_points": some(CONTACTS, most=1),
    "signatory": maybe(SIGNATORIES),
    "extension": maybe(extensions()),
}


@st.composite
def requests(draw: st.DrawFn, attachment_ids: Sequence[str]) -> m.Request:
    """A request."""
    people = draw(unique(persons()))
    person_ids = [each.id for each in people]
    things = draw(unique(objects(person_ids)))
    offences = draw(unique(OFFENCES, least=1))
    wanted = measures(
        person_ids, [each.id for each in things], [each.id for each in offences], attachment_ids
    )
    return draw(
        st.builds(
            m.Request,
            requesting_authority=maybe(AUTHORITIES),
            conducting_authority=AUTHORITIES,
            validating_authority=maybe(AUTHORITIES),
            proceedings=st.builds(
                m.Proceedings,
                type=st.sampled_from(m.ProceedingsType),
                stage=maybe(st.sampled_from(m.ProceedingsStage)),
                subject_matter=TEXTS,
                case_reference=maybe(LINES),
            ),
            offences=st.just(offences),
            facts=TEXTS,
            persons=st.just(people),
            objects=st.just(things),
            measures=unique(wanted, least=1),
            purpose=TEXTS,
            evidence_form=maybe(TEXTS),
            time_limit=maybe(st.builds(m.TimeLimit, until=PARTIAL_DATES, reason=maybe(TEXTS))),
            use_limitation=maybe(TEXTS),
            costs=maybe(TEXTS),
            return_of_evidence=maybe(TEXTS),
            legal_remedies=maybe(TEXTS),
            related_requests=some(RELATED, most=1),
            **_closing,
        )
    )


@st.composite
def acknowledgements(draw: st.DrawFn) -> m.Acknowledgement:
    """A receipt; one that passes the request on says to whom."""
    handling = draw(st.sampled_from(m.Handling))
    passed_on = handling is m.Handling.FORWARDED
    return draw(
        st.builds(
            m.Acknowledgement,
            received_at=moments(),
            handling=st.just(handling),
            competent_authority=AUTHORITIES if passed_on else maybe(AUTHORITIES),
            languages=some(LANGUAGES),
            expected_by=maybe(PARTIAL_DATES),
            remark=maybe(TEXTS),
            **_closing,
        )
    )


def clarification_requests(created: datetime) -> st.SearchStrategy[m.ClarificationRequest]:
    """Questions."""
    item = st.builds(
        m.ClarificationItem,
        id=LOCAL_IDS,
        path=maybe(LINES),
        reason=st.sampled_from(m.ClarificationReason),
        question=TEXTS,
    )
    return st.builds(
        m.ClarificationRequest,
        items=unique(item, least=1),
        deadline=maybe(moments(created)),
        consequence=maybe(TEXTS),
        **_closing,
    )


def clarifications(attachment_ids: Sequence[str]) -> st.SearchStrategy[m.Clarification]:
    """Answers."""
    answer = st.builds(
        m.ClarificationAnswer,
        item_ref=LOCAL_IDS,
        answer=TEXTS,
        attachment_refs=refs(attachment_ids),
    )
    return st.builds(
        m.Clarification, answers=some(answer, least=1), remark=maybe(TEXTS), **_closing
    )


@st.composite
def responses(
    draw: st.DrawFn, attachment_ids: Sequence[str], evidence_ids: Sequence[str]
) -> m.Response:
    """A response whose inventory has every attachment that is evidence."""
    custody = st.builds(
        m.Custody, at=moments(), from_=LINES, to=LINES, purpose=maybe(LINES)
    )  # fmt: skip
    items = draw(
        unique(
            st.builds(
                m.EvidenceItem,
                id=LOCAL_IDS,
                type=st.sampled_from(m.EvidenceType),
                description=TEXTS,
                attachment_refs=st.just(tuple(evidence_ids)) if evidence_ids else st.just(()),
                acquired_at=maybe(moments()),
                acquired_by=maybe(LINES),
                acquisition_method=maybe(TEXTS),
                custody=some(custody, most=1),
                return_required=maybe(st.booleans()),
                extension=maybe(extensions()),
            ),
            least=1 if evidence_ids else 0,
        )
    )
    kind = draw(st.sampled_from(m.ResponseKind))
    outcomes = [
        each
        for each in m.Outcome
        if not (each is m.Outcome.PENDING and kind is m.ResponseKind.FINAL)
    ]

    @st.composite
    def results(draw: st.DrawFn) -> m.Result:
        outcome = draw(st.sampled_from(outcomes))
        return m.Result(
            measure_ref=draw(LOCAL_IDS),
            outcome=outcome,
            executed_on=draw(maybe(PARTIAL_DATES)),
            authority=draw(maybe(LINES)),
            reason=draw(TEXTS if outcome in _NEEDS_REASON else maybe(TEXTS)),
            description=draw(maybe(TEXTS)),
            officials_present=draw(maybe(TEXTS)),
            evidence_refs=draw(refs([each.id for each in items])),
            attachment_refs=draw(refs(attachment_ids)),
        )

    return draw(
        st.builds(
            m.Response,
            kind=st.just(kind),
            results=some(results(), least=1),
            evidence_items=st.just(items),
            certificate=maybe(TEXTS),
            use_limitation=maybe(TEXTS),
            return_of_evidence=maybe(TEXTS),
            costs=maybe(TEXTS),
            remedies_pending=maybe(TEXTS),
            remark=maybe(TEXTS),
            **_closing,
        )
    )
