"""The schema: shipped samples, what breaks it and how that is told, and that the model fits it."""

from __future__ import annotations

import dataclasses
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
import xmlschema

from connector.envelope import NAMESPACE, check, model, read, require_valid, write
from connector.envelope.binding import Leaf, plan
from connector.errors import ConnectorError, Kind
from connector.shipped import shipped
from connector.xml import parse
from tests.envelope.samples import (
    SAMPLES,
    Change,
    after,
    again,
    at,
    changed,
    into,
    put,
    remove,
    sample,
)

SCHEMAS = shipped("schemas") / "emla" / model.VERSION


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_samples_are_valid_and_survive_the_model(file: Path) -> None:
    root = parse(file.read_bytes())

    assert check(root) == ()
    again = parse(write(read(root)))
    assert check(again) == ()
    assert read(again) == read(root)


def test_there_is_a_sample_of_each_message_type() -> None:
    kinds = {type(read(parse(file.read_bytes())).body).__name__ for file in SAMPLES}
    assert kinds == set(model.MessageType)


WRONG_VALUES = [  # path, value, and a part of what is told to do
    ("Header/MessageId", "two words", "white"),
    ("Header/CreatedAt", "2026-11-24T09:15:00", "offset"),
    ("Header/CreatedAt", "2026-11-31T09:15:00Z", "offset"),
    ("Header/Urgency/Level", "urgnt", "urgent"),
    ("Header/Language", "Deutsch!", ""),
    ("Header/SendingAuthority/Country", "GER", "3166"),
    ("Header/Attachment[2]/Sha256", "3E23", "64 lower-case"),
    ("Header/Attachment[2]/Size", "-1", "bytes"),
    ("Header/Attachment[2]/Name", "../etc/passwd", "without folders"),
    ("Header/Attachment[2]/MediaType", "pdf", "6838"),
    ("Request/Person[1]/NaturalPerson/DateOfBirth", "1987-13", "YYYY"),
    ("Request/Object[2]/Port", "65536", "Port"),
    ("Request/Person[1]/Id", "1", "unique"),
]


@pytest.mark.parametrize(("path", "value", "mend"), WRONG_VALUES)
def test_a_wrong_value_is_told_with_its_place(path: str, value: str, mend: str) -> None:
    root, _ = changed("request", put(path, value))

    (problem,) = check(root, file="f.xml")

    assert problem.code == "envelope.schema"
    assert problem.path == f"Envelope/{path}"
    assert problem.line == at(root, path).sourceline
    assert f"'{value}" in problem.what
    assert mend in problem.mend
    assert problem.file == "f.xml"


@pytest.mark.parametrize(
    ("change", "path", "says"),
    [
        (remove("Header/ConversationId"), "Envelope/Header", "ConversationId"),
        (again("Header/Urgency"), "Envelope/Header", "Urgency"),
        (after("Header/MessageId", "<Sex>male</Sex>"), "Envelope/Header", "Sex"),
        (into("Header/Urgency", "<Colour>red</Colour>"), "Envelope/Header/Urgency", "Colour"),
        (put("Request/Facts", " \n "), "Envelope/Request/Facts", "Facts"),
    ],
)
def test_a_missing_doubled_or_misplaced_element_is_told_with_its_place(
    change: Change, path: str, says: str
) -> None:
    root, _ = changed("request", change)

    (problem,) = check(root)

    assert problem.code == "envelope.schema"
    assert problem.path == path
    assert problem.line == at(root, path).sourceline
    assert says in problem.what
    assert problem.mend


def test_every_wrong_value_is_told_at_once() -> None:
    root, _ = changed("request", put("Request/Object[1]/Type", "bank"))
    at(root, "Header/Language").text = "?"
    at(root, "Request/Measure[2]/Type").text = "wiretap"

    with pytest.raises(ConnectorError) as refused:
        require_valid(root)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert [each.path for each in refused.value.problems] == [
        "Envelope/Header/Language",
        "Envelope/Request/Object[1]/Type",
        "Envelope/Request/Measure[2]/Type",
    ]


# The model against the schema ---------------------------------------------------------------------


@cache
def _schema() -> xmlschema.XMLSchema10:
    return xmlschema.XMLSchema10(str(SCHEMAS / "emla.xsd"))


def _walk(cls: type, group: Any, seen: dict[type, Any]) -> None:
    """Compare a class with the content of its element: names, order, how often."""
    if cls is model.Extension or cls in seen:
        return
    seen[cls] = group
    elements = [e for e in group.iter_elements() if e.name is not None]
    assert [e.local_name for e in elements] == [
        name for slot in plan(cls).slots for name in slot.elements
    ], cls
    by_name = {e.local_name: e for e in elements}
    for slot in plan(cls).slots:
        for name, content in slot.elements.items():
            element = by_name[name]
            assert slot.many == (element.max_occurs != 1), (cls, name)
            assert slot.required == (element.min_occurs > 0), (cls, name)
            if isinstance(content, Leaf):
                assert element.type.is_simple(), (cls, name)
            else:
                _walk(content, element.type.content, seen)


def test_model_and_schema_have_the_same_fields() -> None:
    seen: dict[type, Any] = {}

    _walk(model.Envelope, _schema().elements["Envelope"].type.content, seen)

    classes = {
        each
        for name in model.__all__
        if dataclasses.is_dataclass(each := getattr(model, name)) and each is not model.Extension
    }
    assert set(seen) == classes


def test_model_and_schema_have_the_same_codes() -> None:
    lists = {
        each.local_name.removesuffix("Code"): set(each.enumeration)
        for each in _schema().types.values()
        if each.local_name.endswith("Code")
    }

    codes = {
        name: {code.value for code in each}
        for name in model.__all__
        if isinstance(each := getattr(model, name), type) and issubclass(each, StrEnum)
    }

    assert codes == lists


def test_every_element_and_code_is_explained() -> None:
    unexplained = [
        f"{file.name}:{each.sourceline} {each.get('name') or each.get('value')}"
        for file in sorted(SCHEMAS.glob("*.xsd"))
        for each in parse(file.read_bytes()).iter(
            *(f"{{http://www.w3.org/2001/XMLSchema}}{tag}" for tag in ("element", "enumeration"))
        )
        if not each.findtext("{*}annotation/{*}documentation")
    ]

    assert unexplained == []


def test_what_the_header_must_have() -> None:
    """The fields that every message is routed, ordered and understood by."""
    header = {each.name for each in dataclasses.fields(model.Header)}
    assert header >= {
        "message_id", "message_type", "conversation_id", "in_reply_to", "sender_reference",
        "receiver_reference", "sending_authority", "receiving_authority", "legal_bases", "urgency",
        "confidentiality", "language", "created_at", "attachments", "extension",
    }  # fmt: skip
    authority = get_type_hints(model.Authority)
    assert {"country", "role", "names", "identifier", "extension"} <= set(authority)
    attachment = get_type_hints(model.AttachmentInfo)
    assert {"media_type", "size", "sha256"} <= set(attachment)
    assert set(get_args(model.Body)) == {getattr(model, kind) for kind in model.MessageType}


def test_the_version_is_on_the_root_and_another_one_is_refused() -> None:
    root = sample("request")
    assert root.get("version") == model.VERSION

    root.set("version", "2.0")

    (problem,) = check(root)
    assert problem.code == "envelope.version-unsupported"
    assert "'2.0'" in problem.what
    assert problem.path == "Envelope/@version"
    assert NAMESPACE.endswith(":1"), "the major version is in the namespace"
