"""The e-MLA message: typed model, XML reading and writing, schema and rules.

    root = connector.xml.parse(data)
    require_valid(root)                 # XSD and Schematron, or ConnectorError with every problem
    envelope = read(root)               # frozen dataclasses (connector.envelope.model)
    data = write(envelope)

`identify` looks at a document without reading it whole; `read_draft` and `complete` fill the header
of what a mapping has made.
"""

from connector.envelope.check import check, require_valid
from connector.envelope.draft import HeaderValues, complete, read_draft
from connector.envelope.identify import Identity, identify
from connector.envelope.model import NAMESPACE, VERSION, AttachmentInfo, Envelope
from connector.envelope.xml_read import read
from connector.envelope.xml_write import write, write_element

__all__ = [
    "NAMESPACE",
    "VERSION",
    "AttachmentInfo",
    "Envelope",
    "HeaderValues",
    "Identity",
    "check",
    "complete",
    "identify",
    "read",
    "read_draft",
    "require_valid",
    "write",
    "write_element",
]
