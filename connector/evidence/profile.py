"""The two spellings of evidences."""

from __future__ import annotations

from enum import StrEnum


class Profile(StrEnum):
    """How an evidence is spelled."""

    STRICT = "strict"
    """Valid against ETSI's schema; URIs for event, reason and digest."""
    ECODEX = "ecodex"
    """As the e-CODEX connector writes and reads it: codes with one colon and no slashes, bare
    algorithm names, neither MessageSubject nor MessageIdentifierByREMMD."""
