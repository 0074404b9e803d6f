"""Code lists of the header, of authorities and persons (`codes.xsd` says what each code means)."""

from enum import StrEnum


class MessageType(StrEnum):
    """The kind of message; the name of the body element that follows the header."""

    REQUEST = "Request"
    ACKNOWLEDGEMENT = "Acknowledgement"
    CLARIFICATION_REQUEST = "ClarificationRequest"
    CLARIFICATION = "Clarification"
    RESPONSE = "Response"


class AuthorityRole(StrEnum):
    """What an authority does in the chain of transmission."""

    ISSUING = "issuing"
    VALIDATING = "validating"
    REQUESTING_CENTRAL = "requesting-central"
    REQUESTING_DIPLOMATIC = "requesting-diplomatic"
    REQUESTED_DIPLOMATIC = "requested-diplomatic"
    REQUESTED_CENTRAL = "requested-central"
    EXECUTING = "executing"
    CONTACT_POINT = "contact-point"
    INTERPOL_NCB = "interpol-ncb"


class HopAction(StrEnum):
    """What an authority of the chain did with the message."""

    ISSUED = "issued"
    RECEIVED = "received"
    ENDORSED = "endorsed"
    FORWARDED = "forwarded"
    RETURNED = "returned"


class Instrument(StrEnum):
    """The treaty or law a message is founded on."""

    UNTOC = "untoc"
    UNCAC = "uncac"
    UN_NARCOTICS_1988 = "un-narcotics-1988"
    UN_TERRORIST_FINANCING_1999 = "un-terrorist-financing-1999"
    ETS_030 = "ets-030"
    ETS_099 = "ets-099"
    ETS_182 = "ets-182"
    ETS_141 = "ets-141"
    CETS_198 = "cets-198"
    ETS_185 = "ets-185"
    CETS_224 = "cets-224"
    EU_EIO = "eu-eio"
    EU_MLA_2000 = "eu-mla-2000"
    EU_FREEZING_CONFISCATION = "eu-freezing-confiscation"
    EU_E_EVIDENCE = "eu-e-evidence"
    EU_UK_TCA = "eu-uk-tca"
    SCHENGEN_1990 = "schengen-1990"
    OAS_MLA_1992 = "oas-mla-1992"
    HARARE_SCHEME = "harare-scheme"
    ASEAN_MLA_2004 = "asean-mla-2004"
    ECOWAS_MLA_1992 = "ecowas-mla-1992"
    SADC_MLA_2002 = "sadc-mla-2002"
    CPLP_MLA_2005 = "cplp-mla-2005"
    RIYADH_1983 = "riyadh-1983"
    MINSK_1993 = "minsk-1993"
    CHISINAU_2002 = "chisinau-2002"
    BILATERAL = "bilateral"
    NATIONAL_LAW = "national-law"
    RECIPROCITY = "reciprocity"
    OTHER = "other"


class Classification(StrEnum):
    """Marking for the protection of the content, as most national schemes know it."""

    UNMARKED = "unmarked"
    RESTRICTED = "restricted"
    CONFIDENTIAL = "confidential"
    SECRET = "secret"  # noqa: S105 - a marking


class UrgencyLevel(StrEnum):
    """How fast a message must be dealt with; each has a lane of its own."""

    ORDINARY = "ordinary"
    URGENT = "urgent"
    EMERGENCY = "emergency"


class UrgencyReason(StrEnum):
    """Why it is urgent (EIO Annex A section B, PC-OC model form)."""

    EVIDENCE_AT_RISK = "evidence-at-risk"
    IMMINENT_TRIAL = "imminent-trial"
    PERSON_IN_CUSTODY = "person-in-custody"
    LIMITATION = "limitation"
    DANGER_TO_LIFE = "danger-to-life"
    IMMINENT_DISSIPATION = "imminent-dissipation"
    OTHER = "other"


class AttachmentRole(StrEnum):
    """What an attached file is to the message."""

    ORIGINAL = "original"
    EVIDENCE = "evidence"
    ANNEX = "annex"
    TRANSLATION = "translation"


class NameKind(StrEnum):
    """What kind of name it is (Core Person Vocabulary: full, birth and alternative names)."""

    OFFICIAL = "official"
    BIRTH = "birth"
    FORMER = "former"
    ALIAS = "alias"


class Sex(StrEnum):
    """Core Person Vocabulary, sex."""

    MALE = "male"
    FEMALE = "female"
    OTHER = "other"
    UNKNOWN = "unknown"


class IdentityDocumentType(StrEnum):
    """EIO Annex A section E: identity documents."""

    PASSPORT = "passport"
    IDENTITY_CARD = "identity-card"
    RESIDENCE_PERMIT = "residence-permit"
    DRIVING_LICENCE = "driving-licence"
    OTHER = "other"
