"""Whether signatures count, after ETSI EN 319 102-1: now, and years after they were made.

documents.validate_document(data, basis, name=...)     XML, PDF, CMS, told apart by content
documents.validate_container(entries, basis, name=...) the opened files of an ASiC container
xades_process.validate_xml(data, basis)                XAdES of every level and packaging
pdf_signatures.validate_pdf(data, basis)               PAdES
cms_signatures.validate_cms(data, basis, content=...)  CAdES
text.as_text(report), xml_report.as_xml(report)        for people; ETSI TS 119 102-2

A signature that is not TOTAL-PASSED is no error here: the report says what was found, and why.
"""

from connector.validation.indications import Indication, SubIndication
from connector.validation.policy import ValidationPolicy, load_validation_policy
from connector.validation.report import (
    Conclusion,
    SignatureReport,
    TimestampReport,
    ValidationReport,
)

__all__ = [
    "Conclusion",
    "Indication",
    "SignatureReport",
    "SubIndication",
    "TimestampReport",
    "ValidationPolicy",
    "ValidationReport",
    "load_validation_policy",
]
