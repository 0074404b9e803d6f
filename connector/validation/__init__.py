"""Whether signatures count, after ETSI EN 319 102-1: now, and years after they were made.

validate_xml(data, basis)            XAdES signatures of every level and packaging
validate_pdf(data, basis)            PAdES
validate_cms(data, basis, ...)       CAdES

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
