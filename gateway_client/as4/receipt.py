"""Non-repudiation receipts (AS4 profile 1.0, 5.1.8; ebBP signals 2.0.4).

A receipt repeats the references of the signature that it confirms, and is signed itself: with it
the sender can prove what the receiver had in hands.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lxml import etree

from connector.errors import ConnectorError, transient
from connector.signature.xmldsig import Reference, reference_markup
from connector.xml import Element, text_of
from connector.xml_values import read_base64
from gateway_client.as4.ebms import SignalMessage
from gateway_client.as4.namespaces import DS, EBBP

_INFORMATION: Final = f"{{{EBBP}}}NonRepudiationInformation"
_PART: Final = f"{{{EBBP}}}MessagePartNRInformation"
_REFERENCE: Final = f"{{{DS}}}Reference"
_MARK: Final = "<ds:Reference"

Confirmed = tuple[str, str, bytes]
"""URI, digest method and digest of one reference."""


def receipt_markup(references: Sequence[Reference]) -> str:
    """eb:Receipt over the `references` of a received signature, in canonical form."""
    parts = "".join(
        "<ebbp:MessagePartNRInformation>"
        + reference_markup(reference).replace(_MARK, f'{_MARK} xmlns:ds="{DS}"', 1)
        + "</ebbp:MessagePartNRInformation>"
        for reference in references
    )
    return (
        f'<eb:Receipt><ebbp:NonRepudiationInformation xmlns:ebbp="{EBBP}">{parts}'
        "</ebbp:NonRepudiationInformation></eb:Receipt>"
    )


def check_receipt(signal: SignalMessage, message_id: str, references: Sequence[Reference]) -> None:
    """Make sure that `signal`, whose signature has been verified, confirms just what was sent.

    Raises `ConnectorError` (transient): `as4.invalid-receipt` (EBMS:0302).
    """
    if signal.receipt is None:
        raise _invalid("The answer is no receipt.")
    if signal.ref_to_message_id != message_id:
        raise _invalid(f"The receipt is for another message ({signal.ref_to_message_id!r}).")
    confirmed = _confirmed(signal.receipt)
    sent = [(r.uri or "", r.digest_method, r.digest) for r in references]
    if len(set(confirmed)) != len(confirmed):
        raise _invalid("The receipt repeats a reference.")
    if missing := set(sent) - set(confirmed):
        raise _invalid(f"The receipt does not confirm {sorted(uri for uri, _, _ in missing)[0]!r}.")
    if strange := set(confirmed) - set(sent):
        raise _invalid(
            f"The receipt confirms {sorted(uri for uri, _, _ in strange)[0]!r}, which was not sent."
        )


def _confirmed(receipt: Element) -> list[Confirmed]:
    # The schema lets other content stand beside it, and phase4 signs its version there.
    children = list(receipt.iterchildren(_INFORMATION))
    if len(children) != 1:
        raise _invalid(f"The receipt has {len(children)} non-repudiation informations, not one.")
    found: list[Confirmed] = []
    for part in children[0].iterchildren(etree.Element):
        inner = [e for e in part if isinstance(e.tag, str)]
        if part.tag != _PART or [e.tag for e in inner] != [_REFERENCE]:
            raise _invalid("The receipt's non-repudiation information holds no reference.")
        found.append(_read_reference(inner[0]))
    return found


def _read_reference(element: Element) -> Confirmed:
    methods = element.findall(f"{{{DS}}}DigestMethod")
    values = element.findall(f"{{{DS}}}DigestValue")
    if len(methods) != 1 or len(values) != 1:
        raise _invalid("A reference in the receipt has no digest, or more than one.")
    try:
        digest = read_base64(text_of(values[0]))
    except ConnectorError as error:
        raise _invalid("A digest in the receipt is not Base64.") from error
    return element.get("URI", ""), methods[0].get("Algorithm", ""), digest


def _invalid(what: str) -> ConnectorError:
    return transient(
        "as4.invalid-receipt",
        what,
        mend="The message is sent again; if this repeats, ask the partner's operators.",
    )
