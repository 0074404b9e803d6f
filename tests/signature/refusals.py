"""What tests expect of a refusal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connector.errors import ConnectorError, Kind


@contextmanager
def refused(code: str, kind: Kind = Kind.UNACCEPTABLE) -> Iterator[None]:
    with pytest.raises(ConnectorError) as caught:
        yield
    assert caught.value.code == code, str(caught.value)
    assert caught.value.kind is kind
