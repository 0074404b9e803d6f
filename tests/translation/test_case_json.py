"""France's case system: JSON, both ways."""

from __future__ import annotations

from hypothesis import given

from connector.envelope import check, write_element
from connector.envelope.model import Envelope
from connector.shipped import shipped
from connector.translation import Formats, load_formats
from tests.envelope.strategies import envelopes
from tests.translation.round_trip import MANY, as_accounted, named, read_back, written

FORMATS: Formats = load_formats([shipped("mappings") / "case-json"], strict=True)


@MANY
@given(envelopes())
def test_everything_but_extensions_comes_back(envelope: Envelope) -> None:
    document = written(FORMATS, envelope, "case-json")
    _, back = read_back(FORMATS, document, envelope)

    assert back == named(as_accounted(document, envelope), "sans référence")
    assert check(write_element(back)) == ()
    lost = [e.origin for e in document.account.entries if e.outcome != "mapped"]
    assert all("/Extension/" in place for place in lost)
    assert {each.code for each in document.warnings} <= {"translation.inexact"}
