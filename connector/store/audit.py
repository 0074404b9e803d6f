"""The chain of the audit log: each entry's hash covers the hash before it.

    hash(n) = SHA-256( hash(n-1) as hex ‖ canonical JSON of entry n with its number )

The first entry follows `GENESIS`. An entry that is changed, removed or inserted breaks the chain
from there on; cutting entries off the end shows only against a hash that was noted elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import UTC

from connector.errors import Problem
from connector.exchange.records import AuditEntry

GENESIS = "0" * 64


def chain_hash(previous: str, number: int, entry: AuditEntry) -> str:
    """The hash of entry `number`, as lower-case hex."""
    body = json.dumps(
        {
            "at": entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "detail": entry.detail,
            "event": entry.event,
            "from": entry.from_state,
            "message": entry.message_id,
            "number": number,
            "to": entry.to_state,
        },
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )
    # Text from outside may hold lone surrogates; they must not stop the log.
    return hashlib.sha256(previous.encode() + body.encode("utf-8", "surrogatepass")).hexdigest()


def verify_chain(entries: Iterable[tuple[int, AuditEntry, str]]) -> tuple[int, Problem | None]:
    """Entries that are in order, and what is wrong with the first that is not."""
    checked, previous = 0, GENESIS
    for number, entry, found in entries:
        if number != checked + 1:
            return checked, Problem(
                code="audit.gap",
                what=f"Entry {checked + 1} of the audit log is missing; {number} follows.",
                mend="Compare with a copy of the database from before.",
            )
        if chain_hash(previous, number, entry) != found:
            return checked, Problem(
                code="audit.broken",
                what=f"Entry {number} of the audit log ({entry.event} of message "
                f"{entry.message_id or '-'}, {entry.at.isoformat()}) does not fit its hash.",
                mend="Compare with a copy of the database from before.",
            )
        checked, previous = number, found
    return checked, None
