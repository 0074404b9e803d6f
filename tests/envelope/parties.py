"""Authorities, persons and what they share, as hypothesis makes them."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import strategies as st

from connector.envelope import model as m
from tests.envelope.values import (
    COUNTRIES,
    DAYS,
    LANGUAGES,
    LINES,
    LOCAL_IDS,
    NUMBERS,
    PARTIAL_DATES,
    SCRIPTS,
    TEXTS,
    TOKENS,
    maybe,
    some,
)


def _says_something(part: Any) -> bool:
    return any(getattr(part, each.name) for each in dataclasses.fields(part))


# Registers with columns of their own (CPF, CNPJ) are told by the scheme.
IDENTIFIERS = st.builds(
    m.Identifier,
    value=NUMBERS,
    scheme=maybe(NUMBERS | st.sampled_from(["CPF", "CNPJ", "urn:emla:directory"])),
    issuer=maybe(LINES),
)
ADDRESSES = st.builds(
    m.Address,
    full_address=maybe(TEXTS),
    thoroughfare=maybe(LINES),
    locator_designator=maybe(LINES),
    po_box=maybe(LINES),
    post_code=maybe(LINES),
    post_name=maybe(LINES),
    admin_unit_l2=maybe(LINES),
    admin_unit_l1=maybe(COUNTRIES),
).filter(_says_something)
CONTACTS = st.builds(
    m.ContactPoint,
    name=maybe(LINES),
    function=maybe(LINES),
    telephone=maybe(LINES),
    email=maybe(TOKENS),
    languages=some(LANGUAGES),
).filter(_says_something)


@st.composite
def extensions(draw: st.DrawFn) -> m.Extension:
    """Content of partners' own namespaces, as canonical XML."""
    uri = draw(st.sampled_from(["urn:partner:1", "http://partner.example/ns?a=1", "urn:partner:2"]))
    text = draw(LINES).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    inner = draw(st.sampled_from(["", "<p:more></p:more>", '<more xmlns="urn:third"></more>']))
    whole = f'<p:own xmlns:p="{uri}" a="1">{text}{inner}</p:own>'
    return m.Extension(content=(whole.encode(),) * draw(st.integers(1, 2)))


AUTHORITIES = st.builds(
    m.Authority,
    identifier=maybe(IDENTIFIERS),
    country=COUNTRIES,
    role=st.sampled_from(m.AuthorityRole),
    names=some(st.builds(m.LocalText, text=LINES, language=maybe(LANGUAGES)), 1),
    function=maybe(LINES),
    address=maybe(ADDRESSES),
    contact_points=some(CONTACTS, most=1),
    extension=maybe(extensions()),
)
SIGNATORIES = st.builds(
    m.Signatory, name=LINES, function=maybe(LINES), date=maybe(PARTIAL_DATES), place=maybe(LINES)
)


@st.composite
def periods(draw: st.DrawFn) -> m.Period:
    """One that does not end before it begins, each side as exact as it may be."""
    first, last = sorted((draw(DAYS), draw(DAYS)))
    sides = draw(st.sampled_from(["from", "to", "both"]))
    keep = st.sampled_from([4, 7, 10])
    return m.Period(
        from_=first.isoformat()[: draw(keep)] if sides != "to" else None,
        to=last.isoformat()[: draw(keep)] if sides != "from" else None,
    )


PERSON_NAMES = st.builds(
    m.PersonName,
    kind=st.sampled_from(m.NameKind),
    script=maybe(SCRIPTS),
    transliteration=maybe(LINES),
    full_name=maybe(LINES),
    given_name=maybe(LINES),
    family_name=maybe(LINES),
    patronymic_name=maybe(LINES),
).filter(lambda name: bool(name.full_name or name.given_name or name.family_name))
IDENTITY_DOCUMENTS = st.builds(
    m.IdentityDocument,
    type=st.sampled_from(m.IdentityDocumentType),
    number=NUMBERS,
    issuing_country=maybe(COUNTRIES),
    issuer=maybe(LINES),
    valid_until=maybe(PARTIAL_DATES),
)
NATURAL_PERSONS = st.builds(
    m.NaturalPerson,
    names=some(PERSON_NAMES, 1),
    sex=maybe(st.sampled_from(m.Sex)),
    citizenships=some(COUNTRIES),
    date_of_birth=maybe(PARTIAL_DATES),
    place_of_birth=maybe(LINES),
    country_of_birth=maybe(COUNTRIES),
    date_of_death=maybe(PARTIAL_DATES),
    identifiers=some(IDENTIFIERS),
    identity_documents=some(IDENTITY_DOCUMENTS, most=1),
    languages=some(LANGUAGES),
    addresses=some(ADDRESSES),
    contact_points=some(CONTACTS, most=1),
    description=maybe(TEXTS),
)
LEGAL_PERSONS = st.builds(
    m.LegalPerson,
    legal_name=LINES,
    alternative_names=some(LINES),
    legal_form_type=maybe(LINES),
    legal_identifiers=some(IDENTIFIERS),
    registered_address=maybe(ADDRESSES),
    addresses=some(ADDRESSES),
    representatives=some(LINES),
    contact_points=some(CONTACTS, most=1),
)


@st.composite
def persons(draw: st.DrawFn) -> m.Person:
    """A person whose position is described where it is 'other'."""
    position = draw(st.sampled_from(m.Position))
    described = LINES if position is m.Position.OTHER else maybe(LINES)
    return m.Person(
        id=draw(LOCAL_IDS),
        who=draw(NATURAL_PERSONS | LEGAL_PERSONS),
        position=position,
        position_description=draw(described),
        location=draw(maybe(TEXTS)),
        in_custody=draw(maybe(st.booleans())),
        extension=draw(maybe(extensions())),
    )
