"""Brazil's register: semicolon CSV in windows-1252 with a header file, both ways."""

from __future__ import annotations

import dataclasses
from typing import Any

from hypothesis import given

from connector.envelope.model import (
    Confidentiality,
    Envelope,
    Identifier,
    LegalPerson,
)
from connector.shipped import shipped
from connector.translation import Formats, load_formats
from tests.envelope.strategies import envelopes
from tests.translation.round_trip import (
    MANY,
    as_accounted,
    changed,
    named,
    read_back,
    to_the_second,
    written,
)

FORMATS: Formats = load_formats([shipped("mappings") / "register-csv"], strict=True)


def _as_the_register_has_it(part: Any) -> Any:
    """For `changed`: lists in one cell divided at the bar, CPF and CNPJ in columns of their own."""
    if isinstance(part, Confidentiality):
        return dataclasses.replace(part, not_to_be_told=_divided(part.not_to_be_told))
    if isinstance(part, LegalPerson):
        names, people = _divided(part.alternative_names), _divided(part.representatives)
        return dataclasses.replace(part, alternative_names=names, representatives=people)
    if isinstance(part, tuple) and part and isinstance(part[0], Identifier):
        own = [e for e in part if e.scheme in ("CPF", "CNPJ") and e.issuer is None]
        told = [e for e in part if e.scheme in ("CPF", "CNPJ") and e.issuer is not None]
        return (*own, *(e for e in part if e not in (*own, *told)), *told)
    return to_the_second(part)


def _divided(values: tuple[str, ...]) -> tuple[str, ...]:
    parts = [part.strip(" ") for value in values for part in value.split("|")]
    return tuple(part for part in parts if part.strip())


@MANY
@given(envelopes())
def test_what_the_account_calls_mapped_comes_back(envelope: Envelope) -> None:
    document = written(FORMATS, envelope, "register-csv")
    _, back = read_back(FORMATS, document, envelope)

    expected = named(as_accounted(document, envelope), "sem número")
    assert changed(back, to_the_second) == changed(expected, _as_the_register_has_it)
