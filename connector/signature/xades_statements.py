"""What a signer says beside the signature (ETSI EN 319 132-1, clauses 5.2.3 and 5.2.5 to 5.2.9).

Under which policy, with what commitment, in which role, where, and a note on what is signed. An
authority of the chain of transmission that forwards a request endorses it with these.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from connector.signature.dsig_model import DS, refused
from connector.signature.dsig_reading import base64_value
from connector.signature.dsig_writing import canonical_attribute, canonical_text
from connector.xml import Element, text_of

XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"

_COMMITMENTS: Final = "http://uri.etsi.org/01903/v1.2.2#"
PROOF_OF_ORIGIN: Final = _COMMITMENTS + "ProofOfOrigin"
PROOF_OF_RECEIPT: Final = _COMMITMENTS + "ProofOfReceipt"
PROOF_OF_DELIVERY: Final = _COMMITMENTS + "ProofOfDelivery"
PROOF_OF_SENDER: Final = _COMMITMENTS + "ProofOfSender"
PROOF_OF_APPROVAL: Final = _COMMITMENTS + "ProofOfApproval"
PROOF_OF_CREATION: Final = _COMMITMENTS + "ProofOfCreation"

_X: Final = f"{{{XADES}}}"
_OID: Final = "urn:oid:"


@dataclass(frozen=True, slots=True)
class SignaturePolicy:
    """The rules under which a signature was made (clause 5.2.9)."""

    identifier: str
    """A URI, or an OID as `urn:oid:...`."""
    digest_method: str
    """URI of the algorithm of `digest`."""
    digest: bytes
    """Of the policy document."""
    url: str | None = None
    """Where the document can be had."""


@dataclass(frozen=True, slots=True)
class ImpliedPolicy:
    """The policy follows from what is signed (xades:SignaturePolicyImplied)."""


@dataclass(frozen=True, slots=True)
class Commitment:
    """What the signer vouches for, about everything that is signed (clause 5.2.3)."""

    identifier: str
    """A URI, e.g. `PROOF_OF_APPROVAL`, or an OID as `urn:oid:...`."""
    description: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where the signer says to have signed (xades:SignatureProductionPlaceV2)."""

    city: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statements:
    """All that one signer says. True only as far as the signer is believed."""

    policy: SignaturePolicy | ImpliedPolicy | None = None
    commitments: tuple[Commitment, ...] = ()
    roles: tuple[str, ...] = ()
    """Claimed, not certified."""
    place: Place | None = None
    note: str | None = None
    """About what is signed, for people (xades:DataObjectFormat/xades:Description)."""


NOTHING: Final = Statements()


def signature_statements(said: Statements) -> str:
    """What goes into SignedSignatureProperties, after the certificate, in canonical form."""
    if said is NOTHING:
        return ""
    return _policy(said.policy) + _place(said.place) + _roles(said.roles)


def content_statements(said: Statements) -> str:
    """What goes into SignedDataObjectProperties, after the formats, in canonical form."""
    return "".join(map(_commitment, said.commitments))


def _policy(policy: SignaturePolicy | ImpliedPolicy | None) -> str:
    if policy is None:
        return ""
    if isinstance(policy, ImpliedPolicy):
        content = "<xades:SignaturePolicyImplied></xades:SignaturePolicyImplied>"
    else:
        url = ""
        if policy.url is not None:
            url = (
                "<xades:SigPolicyQualifiers><xades:SigPolicyQualifier><xades:SPURI>"
                f"{canonical_text(policy.url)}</xades:SPURI></xades:SigPolicyQualifier>"
                "</xades:SigPolicyQualifiers>"
            )
        content = (
            f"<xades:SignaturePolicyId><xades:SigPolicyId>{_identifier(policy.identifier)}"
            "</xades:SigPolicyId><xades:SigPolicyHash>"
            f'<ds:DigestMethod xmlns:ds="{DS}" Algorithm="{policy.digest_method}">'
            f'</ds:DigestMethod><ds:DigestValue xmlns:ds="{DS}">'
            f"{b64encode(policy.digest).decode('ascii')}</ds:DigestValue></xades:SigPolicyHash>"
            f"{url}</xades:SignaturePolicyId>"
        )
    return f"<xades:SignaturePolicyIdentifier>{content}</xades:SignaturePolicyIdentifier>"


def _identifier(value: str) -> str:
    qualifier = ' Qualifier="OIDAsURN"' if value.startswith(_OID) else ""
    return f"<xades:Identifier{qualifier}>{canonical_text(value)}</xades:Identifier>"


def _place(place: Place | None) -> str:
    if place is None:
        return ""
    parts = (("City", place.city), ("CountryName", place.country))
    content = "".join(
        f"<xades:{name}>{canonical_text(value)}</xades:{name}>"
        for name, value in parts
        if value is not None
    )
    return f"<xades:SignatureProductionPlaceV2>{content}</xades:SignatureProductionPlaceV2>"


def _roles(roles: Sequence[str]) -> str:
    claimed = "".join(
        f"<xades:ClaimedRole>{canonical_text(role)}</xades:ClaimedRole>" for role in roles
    )
    if not claimed:
        return ""
    return (
        f"<xades:SignerRoleV2><xades:ClaimedRoles>{claimed}</xades:ClaimedRoles>"
        "</xades:SignerRoleV2>"
    )


def _commitment(commitment: Commitment) -> str:
    text = commitment.description
    description = (
        "" if text is None else f"<xades:Description>{canonical_text(text)}</xades:Description>"
    )
    return (
        f"<xades:CommitmentTypeIndication><xades:CommitmentTypeId>"
        f"{_identifier(commitment.identifier)}{description}</xades:CommitmentTypeId>"
        "<xades:AllSignedDataObjects></xades:AllSignedDataObjects>"
        "</xades:CommitmentTypeIndication>"
    )


def data_object_format(reference_id: str, media_type: str, note: str | None) -> str:
    """xades:DataObjectFormat (clause 5.2.4) in canonical form."""
    described = (
        ""
        if note is None
        else f"<xades:Description>{canonical_text(note)}" + ("</xades:Description>")
    )
    return (
        f'<xades:DataObjectFormat ObjectReference="#{canonical_attribute(reference_id)}">'
        f"{described}<xades:MimeType>{canonical_text(media_type)}</xades:MimeType>"
        "</xades:DataObjectFormat>"
    )


def read_statements(signed_properties: Element) -> Statements:
    """What the SignedProperties of a signature state; to be believed only once they are verified.

    Raises `signature.malformed`, `signature.comment`, `xml.comment-in-value`.
    """
    of_signature = signed_properties.find(f"{_X}SignedSignatureProperties")
    of_content = signed_properties.find(f"{_X}SignedDataObjectProperties")
    found = Statements()
    if of_signature is not None:
        roles = [
            *of_signature.iterfind(f"{_X}SignerRoleV2/{_X}ClaimedRoles/{_X}ClaimedRole"),
            *of_signature.iterfind(f"{_X}SignerRole/{_X}ClaimedRoles/{_X}ClaimedRole"),
        ]
        found = Statements(
            policy=_read_policy(of_signature.find(f"{_X}SignaturePolicyIdentifier")),
            roles=tuple(text_of(role) for role in roles),
            place=_read_place(of_signature),
        )
    if of_content is None:
        return found
    notes = [text_of(note) for note in of_content.iterfind(f"{_X}DataObjectFormat/{_X}Description")]
    return Statements(
        policy=found.policy,
        commitments=tuple(
            _read_commitment(each) for each in of_content.iterfind(f"{_X}CommitmentTypeIndication")
        ),
        roles=found.roles,
        place=found.place,
        note="\n".join(dict.fromkeys(notes)) if notes else None,
    )


def _read_policy(identifier: Element | None) -> SignaturePolicy | ImpliedPolicy | None:
    if identifier is None:
        return None
    if identifier.find(f"{_X}SignaturePolicyImplied") is not None:
        return ImpliedPolicy()
    named = identifier.find(f"{_X}SignaturePolicyId/{_X}SigPolicyId/{_X}Identifier")
    hashed = identifier.find(f"{_X}SignaturePolicyId/{_X}SigPolicyHash")
    parts = () if hashed is None else tuple(hashed)
    if named is None or [p.tag for p in parts] != [f"{{{DS}}}DigestMethod", f"{{{DS}}}DigestValue"]:
        raise refused("malformed", "The SignaturePolicyIdentifier is incomplete.", identifier)
    url = identifier.find(f".//{_X}SPURI")
    return SignaturePolicy(
        text_of(named).strip(),
        parts[0].get("Algorithm", ""),
        base64_value(parts[1]),
        None if url is None else text_of(url).strip(),
    )


def _read_place(of_signature: Element) -> Place | None:
    for tag in ("SignatureProductionPlaceV2", "SignatureProductionPlace"):
        place = of_signature.find(f"{_X}{tag}")
        if place is not None:
            city, country = place.find(f"{_X}City"), place.find(f"{_X}CountryName")
            return Place(
                None if city is None else text_of(city),
                None if country is None else text_of(country),
            )
    return None


def _read_commitment(indication: Element) -> Commitment:
    named = indication.find(f"{_X}CommitmentTypeId/{_X}Identifier")
    if named is None:
        raise refused("malformed", "A CommitmentTypeIndication names no type.", indication)
    description = indication.find(f"{_X}CommitmentTypeId/{_X}Description")
    return Commitment(text_of(named).strip(), None if description is None else text_of(description))
