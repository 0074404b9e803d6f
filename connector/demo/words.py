"""Words for people: countries, kinds of messages, states, evidences, sizes."""

from __future__ import annotations

from typing import Final

from connector.directory.countries import countries

MESSAGES: Final = {
    "Request": "Request",
    "Acknowledgement": "Acknowledgement",
    "ClarificationRequest": "Question",
    "Clarification": "Answer to the question",
    "Response": "Response",
}
EVIDENCES: Final = {
    "SUBMISSION_ACCEPTANCE": "Submission accepted",
    "RELAY_REMMD_ACCEPTANCE": "Relay accepted",
    "DELIVERY": "Delivered",
    "RETRIEVAL": "Retrieved",
}
STATES: Final = {
    "ACCEPTED": "accepted",
    "SEALED": "signed and sealed",
    "SUBMITTED": "sent",
    "RELAYED": "relay accepted",
    "DELIVERED": "delivered",
    "RETRIEVED": "retrieved",
    "NOT_RETRIEVED": "not retrieved",
    "REFUSED": "refused",
    "REJECTED": "rejected",
    "ARRIVED": "arrived",
    "VERIFIED": "verified",
    "HANDED_OVER": "translated and handed over",
    "FETCHED": "fetched",
    "UNFETCHED": "not fetched",
    "TURNED_AWAY": "turned away",
}
INSTRUMENTS: Final = {
    "untoc": "UN Convention against Transnational Organized Crime",
    "uncac": "UN Convention against Corruption",
    "un-narcotics-1988": "UN Convention against Illicit Traffic in Narcotic Drugs",
    "ets-030": "European Convention on Mutual Assistance in Criminal Matters",
    "ets-185": "Convention on Cybercrime",
    "cets-224": "Second Additional Protocol to the Convention on Cybercrime",
    "eu-eio": "European Investigation Order (Directive 2014/41/EU)",
    "eu-mla-2000": "EU Convention on Mutual Assistance in Criminal Matters",
}
"""Treaties whose codes alone tell nobody anything; others are shown by code or title."""
_UNITS: Final = ("B", "kB", "MB", "GB", "TB")


def country_name(code: str) -> str:
    """The country's name in English; its code where it has none."""
    found = countries().get(code)
    return found.name if found else code


def size_text(size: int) -> str:
    """Bytes with a decimal unit, e.g. `200 MB`, `1.4 kB`."""
    value = float(size)
    for unit in _UNITS:
        if value < 999.5 or unit == _UNITS[-1]:
            break
        value /= 1000
    return f"{value:.0f} {unit}" if unit == "B" or value >= 99.95 else f"{value:.3g} {unit}"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 message`, `3 messages`."""
    return f"{count} {one if count == 1 else many or one + 's'}"
