"""Model to XML and back: nothing is lost, and what the strategies make is valid."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings

from connector.envelope import check, read, write
from connector.envelope.model import Envelope
from connector.xml import parse
from tests.envelope.strategies import envelopes

_SOME = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@_SOME
@given(envelopes())
def test_what_is_written_is_valid_and_reads_back_equal(envelope: Envelope) -> None:
    data = write(envelope)
    root = parse(data)

    assert check(root) == ()
    assert read(root) == envelope
    assert write(read(root)) == data
