"""National documents into envelopes and back, by declarative mappings (docs/mapping.md).

    formats = load_formats([shipped("mappings")])
    read = formats.read(data, formats.identify(data), filename="demande.json").require()
    written = formats.write(envelope, "case-json")

Every field of what was read is in `read.account`: mapped, annexed or dropped, and why.
"""

from connector.translation.account import Account, Entry, Source
from connector.translation.formats import (
    AttachmentReference,
    Format,
    Formats,
    Read,
    Written,
    load_format,
    load_formats,
)
from connector.translation.mapping import MessageName
from connector.translation.node import Outcome

__all__ = [
    "Account",
    "AttachmentReference",
    "Entry",
    "Format",
    "Formats",
    "MessageName",
    "Outcome",
    "Read",
    "Source",
    "Written",
    "load_format",
    "load_formats",
]
