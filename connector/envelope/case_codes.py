"""Code lists of requests and replies (`codes.xsd` says what each code means)."""

from enum import StrEnum


class ProceedingsType(StrEnum):
    """EIO art. 4 and Annex A section F."""

    CRIMINAL = "criminal"
    ADMINISTRATIVE = "administrative"
    JUDICIAL_INFRINGEMENT = "judicial-infringement"
    LEGAL_PERSON = "legal-person"
    CONFISCATION = "confiscation"
    OTHER = "other"


class ProceedingsStage(StrEnum):
    """UNTOC 18(15)(b): investigation, prosecution or judicial proceeding."""

    INVESTIGATION = "investigation"
    PROSECUTION = "prosecution"
    TRIAL = "trial"
    ENFORCEMENT = "enforcement"


class OffenceCategory(StrEnum):
    """The categories of EIO Annex D (punishable by three years or more, no check of dual
    criminality)."""

    CRIMINAL_ORGANISATION = "criminal-organisation"
    TERRORISM = "terrorism"
    HUMAN_TRAFFICKING = "human-trafficking"
    CHILD_SEXUAL_EXPLOITATION = "child-sexual-exploitation"
    DRUG_TRAFFICKING = "drug-trafficking"
    WEAPONS_TRAFFICKING = "weapons-trafficking"
    CORRUPTION = "corruption"
    FRAUD = "fraud"
    MONEY_LAUNDERING = "money-laundering"
    CURRENCY_COUNTERFEITING = "currency-counterfeiting"
    COMPUTER_CRIME = "computer-crime"
    ENVIRONMENTAL_CRIME = "environmental-crime"
    UNAUTHORISED_ENTRY = "unauthorised-entry"
    MURDER = "murder"
    ORGAN_TRADE = "organ-trade"
    KIDNAPPING = "kidnapping"
    RACISM_XENOPHOBIA = "racism-xenophobia"
    ROBBERY = "robbery"
    CULTURAL_GOODS_TRAFFICKING = "cultural-goods-trafficking"
    SWINDLING = "swindling"
    RACKETEERING_EXTORTION = "racketeering-extortion"
    PRODUCT_PIRACY = "product-piracy"
    DOCUMENT_FORGERY = "document-forgery"
    PAYMENT_FORGERY = "payment-forgery"
    HORMONE_TRAFFICKING = "hormone-trafficking"
    NUCLEAR_TRAFFICKING = "nuclear-trafficking"
    STOLEN_VEHICLES = "stolen-vehicles"
    RAPE = "rape"
    ARSON = "arson"
    ICC_CRIMES = "icc-crimes"
    HIJACKING = "hijacking"
    SABOTAGE = "sabotage"


class Position(StrEnum):
    """Position of a person in the proceedings (EIO Annex A section E)."""

    SUSPECTED_OR_ACCUSED = "suspected-or-accused"
    CONVICTED = "convicted"
    VICTIM = "victim"
    WITNESS = "witness"
    EXPERT = "expert"
    THIRD_PARTY = "third-party"
    ADDRESSEE = "addressee"
    OTHER = "other"


class ObjectType(StrEnum):
    """What an object or identifier of the case is."""

    BANK_ACCOUNT = "bank-account"
    PAYMENT_CARD = "payment-card"
    CRYPTO_ADDRESS = "crypto-address"
    PHONE_NUMBER = "phone-number"
    SUBSCRIBER_IDENTITY = "subscriber-identity"
    DEVICE = "device"
    IP_ADDRESS = "ip-address"
    E_MAIL = "e-mail"
    USER_ACCOUNT = "user-account"
    DOMAIN_NAME = "domain-name"
    URL = "url"
    VEHICLE = "vehicle"
    VESSEL_OR_AIRCRAFT = "vessel-or-aircraft"
    REAL_PROPERTY = "real-property"
    DOCUMENT = "document"
    OTHER = "other"


class MeasureType(StrEnum):
    """Assistance that can be asked for (UNTOC 18(3), UNCAC 46(3), EIO Annex A section C, Budapest
    Convention)."""

    TAKING_EVIDENCE = "taking-evidence"
    HEARING = "hearing"
    HEARING_VIDEO = "hearing-video"
    HEARING_TELEPHONE = "hearing-telephone"
    SERVICE_OF_DOCUMENTS = "service-of-documents"
    SEARCH_AND_SEIZURE = "search-and-seizure"
    FREEZING = "freezing"
    PROVISIONAL_MEASURE = "provisional-measure"
    EXAMINING_OBJECTS_SITES = "examining-objects-sites"
    PROVIDING_INFORMATION = "providing-information"
    HELD_EVIDENCE = "held-evidence"
    DATABASE_INFORMATION = "database-information"
    PROVIDING_RECORDS = "providing-records"
    TRACING_PROCEEDS = "tracing-proceeds"
    VOLUNTARY_APPEARANCE = "voluntary-appearance"
    OTHER_ASSISTANCE = "other-assistance"
    BANK_ACCOUNTS = "bank-accounts"
    BANK_OPERATIONS = "bank-operations"
    BANK_MONITORING = "bank-monitoring"
    CONTROLLED_DELIVERY = "controlled-delivery"
    OBSERVATION = "observation"
    COVERT_INVESTIGATION = "covert-investigation"
    INTERCEPTION = "interception"
    SUBSCRIBER_IDENTIFICATION = "subscriber-identification"
    STORED_DATA = "stored-data"
    TRAFFIC_DATA_REALTIME = "traffic-data-realtime"
    DATA_PRESERVATION = "data-preservation"
    TRAFFIC_DATA_DISCLOSURE = "traffic-data-disclosure"
    DOMAIN_REGISTRATION = "domain-registration"
    TEMPORARY_TRANSFER_TO_REQUESTING = "temporary-transfer-to-requesting"
    TEMPORARY_TRANSFER_TO_REQUESTED = "temporary-transfer-to-requested"
    ASSET_RECOVERY = "asset-recovery"
    JOINT_INVESTIGATION = "joint-investigation"


class RequestRelation(StrEnum):
    """How another request is related to this one (EIO Annex A section D)."""

    EARLIER = "earlier"
    SUPPLEMENTED = "supplemented"
    REPLACED = "replaced"
    PARALLEL = "parallel"
    CONFIRMED = "confirmed"


class Handling(StrEnum):
    """What the receiving authority does with a request (EIO Annex B)."""

    COMPETENT = "competent"
    FORWARDED = "forwarded"


class ClarificationReason(StrEnum):
    """Why something is asked."""

    MISSING = "missing"
    MANIFESTLY_INCORRECT = "manifestly-incorrect"
    UNCLEAR = "unclear"
    CONTRADICTORY = "contradictory"
    FURTHER_INFORMATION = "further-information"
    TRANSLATION = "translation"
    OTHER = "other"


class ResponseKind(StrEnum):
    """Whether more will follow."""

    INTERIM = "interim"
    FINAL = "final"


class Outcome(StrEnum):
    """What became of one measure."""

    EXECUTED = "executed"
    PARTLY_EXECUTED = "partly-executed"
    NOTHING_FOUND = "nothing-found"
    IMPOSSIBLE = "impossible"
    REFUSED = "refused"
    PENDING = "pending"


class EvidenceType(StrEnum):
    """Kind of an item of evidence."""

    RECORD = "record"
    TRANSCRIPT = "transcript"
    AUDIO_VIDEO = "audio-video"
    DIGITAL_DATA = "digital-data"
    PHYSICAL_OBJECT = "physical-object"
    EXPERT_REPORT = "expert-report"
    PROOF_OF_SERVICE = "proof-of-service"
    OTHER = "other"
