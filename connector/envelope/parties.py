"""Authorities, persons, addresses and what they share.

What each element means, and the article it comes from, is said in `schemas/emla/1.0/parties.xsd`;
dates of type `str` may be incomplete (YYYY, YYYY-MM or YYYY-MM-DD).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from connector.envelope.binding import Extension, Text, tag
from connector.envelope.codes import AuthorityRole, IdentityDocumentType, NameKind, Sex


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalText:
    """A text and its language."""

    text: str
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identifier:
    """An identifier and the scheme that gives it meaning (Core Vocabularies, adms:Identifier)."""

    value: str
    scheme: str | None = None
    issuer: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """An address (Core Location Vocabulary, locn:Address)."""

    full_address: Text | None = None
    thoroughfare: str | None = None
    locator_designator: str | None = None
    po_box: str | None = None
    post_code: str | None = None
    post_name: str | None = None
    admin_unit_l2: str | None = None
    admin_unit_l1: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContactPoint:
    """Who can be asked (Core Public Organisation Vocabulary, cv:ContactPoint; EIO Annex A section
    K)."""

    name: str | None = None
    function: str | None = None
    telephone: str | None = None
    email: str | None = None
    languages: tuple[str, ...] = field(default=(), metadata=tag("Language"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An authority (Core Public Organisation Vocabulary)."""

    identifier: Identifier | None = None
    country: str
    role: AuthorityRole
    names: tuple[LocalText, ...] = field(metadata=tag("Name"))
    function: str | None = None
    address: Address | None = None
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    extension: Extension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signatory:
    """Who signs for the content (EIO Annex A section K); an electronic signature says who sealed
    it."""

    name: str
    function: str | None = None
    date: str | None = None
    place: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A span of time; a side left out is open."""

    from_: str | None = None
    to: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonName:
    """One name of a person in one script (Core Person Vocabulary)."""

    kind: NameKind
    script: str | None = None
    transliteration: str | None = None
    full_name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    patronymic_name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentityDocument:
    """An identity document (EIO Annex A section E)."""

    type: IdentityDocumentType
    number: str
    issuing_country: str | None = None
    issuer: str | None = None
    valid_until: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalPerson:
    """A natural person (Core Person Vocabulary; EIO Annex A section E(i))."""

    names: tuple[PersonName, ...] = field(metadata=tag("Name"))
    sex: Sex | None = None
    citizenships: tuple[str, ...] = field(default=(), metadata=tag("Citizenship"))
    date_of_birth: str | None = None
    place_of_birth: str | None = None
    country_of_birth: str | None = None
    date_of_death: str | None = None
    identifiers: tuple[Identifier, ...] = field(default=(), metadata=tag("Identifier"))
    identity_documents: tuple[IdentityDocument, ...] = field(
        default=(), metadata=tag("IdentityDocument")
    )
    languages: tuple[str, ...] = field(default=(), metadata=tag("Language"))
    addresses: tuple[Address, ...] = field(default=(), metadata=tag("Address"))
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
    description: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LegalPerson:
    """A legal person (Core Business Vocabulary; EIO Annex A section E(ii))."""

    legal_name: str
    alternative_names: tuple[str, ...] = field(default=(), metadata=tag("AlternativeName"))
    legal_form_type: str | None = None
    legal_identifiers: tuple[Identifier, ...] = field(default=(), metadata=tag("LegalIdentifier"))
    registered_address: Address | None = None
    addresses: tuple[Address, ...] = field(default=(), metadata=tag("Address"))
    representatives: tuple[str, ...] = field(default=(), metadata=tag("Representative"))
    contact_points: tuple[ContactPoint, ...] = field(default=(), metadata=tag("ContactPoint"))
