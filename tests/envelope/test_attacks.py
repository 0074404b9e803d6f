"""Envelopes from strangers: each trick refused with the error that names it, in bounded time."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable

import pytest
from lxml import etree

from connector.envelope import NAMESPACE, check, read, require_valid, write
from connector.envelope.check import MAX_REFERENCES
from connector.envelope.explain import EXPLAINED_ELEMENTS
from connector.errors import ConnectorError, Kind
from connector.xml import Element, Limits, parse
from tests.envelope.samples import FOLDER, after, at, changed, into, sample

DATA = (FOLDER / "request.xml").read_bytes()
DECLARATION, _, REST = DATA.partition(b"\n")
EXTENSION = (
    '<Extension><p:own xmlns:p="urn:partner" p:a="1 &amp; 2">text <p:b xmlns:q="urn:unused"/>'
    "tail</p:own><x xmlns='urn:other'>é</x></Extension>"
)


def _with_doctype(doctype: bytes, reference: bytes = b"") -> bytes:
    return DECLARATION + doctype + REST.replace(b"To find", b"To find" + reference)


def _code(action: Callable[[], object]) -> str:
    with pytest.raises(ConnectorError) as refused:
        action()
    assert refused.value.kind is Kind.UNACCEPTABLE
    return refused.value.code


@pytest.mark.parametrize(
    "data",
    [
        _with_doctype(b"<!DOCTYPE Envelope>"),
        _with_doctype(b'<!DOCTYPE Envelope SYSTEM "http://127.0.0.1:1/emla.dtd">'),
        _with_doctype(b'<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]>', b"&x;"),
        _with_doctype(
            b'<!DOCTYPE e [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">'
            b'<!ENTITY c "&b;&b;&b;&b;">]>',
            b"&c;",
        ),
        _with_doctype(b'<!DOCTYPE e [<!ENTITY % p SYSTEM "http://127.0.0.1:1/x"> %p;]>'),
        DATA.replace(b'encoding="UTF-8"', b'encoding="UTF-16"', 1)
        .decode()
        .replace("?>", "?><!DOCTYPE e>", 1)
        .encode("utf-16"),
    ],
)
def test_a_doctype_is_never_accepted(data: bytes) -> None:
    assert _code(lambda: parse(data)) == "xml.doctype"


@pytest.mark.parametrize(
    "data",
    [
        DATA.replace(b"<Language>en</Language>", b"<Language>&x;</Language>", 1),
        DATA[:-30],
        DATA.replace(b'encoding="UTF-8"', b'encoding="martian"'),
        DATA.replace("Schönfeld".encode(), b"Sch\xf6nfeld"),
        DATA.replace(b"125 Js", b"125\x00Js"),
        DATA.replace(b"125 Js", b"125&#8;Js"),
        b"",
        b"<" * 100_000,
        b"<a>" * 300 + b"</a>" * 300,
        b"<a>" * 200_000,
        b"<a b='" + b"x" * 11_000_000 + b"'/>",
        b"<a>" + b"x" * 11_000_000 + b"</a>",
    ],
)
def test_what_is_malformed_deep_or_huge_is_refused_in_no_time(data: bytes) -> None:
    began = time.process_time()

    code = _code(lambda: parse(data))

    assert code == "xml.malformed"
    assert time.process_time() - began < 5


def test_bounds_of_size_elements_and_attributes() -> None:
    many = "".join(f" a{i}='x'" for i in range(300))
    declared = "".join(f" xmlns:n{i}='urn:{i}'" for i in range(300))

    assert _code(lambda: parse(DATA, limits=Limits(max_bytes=100))) == "xml.too-large"
    assert _code(lambda: parse(DATA, limits=Limits(max_elements=10))) == "xml.too-many-elements"
    assert _code(lambda: parse(f"<a{many}/>".encode())) == "xml.too-many-attributes"
    assert _code(lambda: parse(f"<a{declared}/>".encode())) == "xml.too-many-attributes"


@pytest.mark.parametrize("trick", ["<!-- -->", "<?pi?>"])
@pytest.mark.parametrize("place", ["Header/SendingAuthority/Identifier/Value", "Request/Purpose"])
def test_a_comment_inside_a_value_is_refused(trick: str, place: str) -> None:
    root = sample("request")
    value = at(root, place)
    text = value.text or ""
    middle = len(text) // 2
    inner = etree.Comment(" ") if trick.startswith("<!") else etree.ProcessingInstruction("pi")
    value.text, inner.tail = text[:middle], text[middle:]
    value.append(inner)

    (problem,) = check(root)

    assert problem.code == "xml.comment-in-value"
    assert problem.path == f"Envelope/{place}"
    assert _code(lambda: read(root)) == "xml.comment-in-value"


def test_comments_between_elements_change_nothing() -> None:
    root = sample("request")
    root.insert(1, etree.Comment("between"))
    root[0].insert(3, etree.ProcessingInstruction("between"))

    assert check(root) == ()
    assert read(root) == read(sample("request"))


@pytest.mark.parametrize(
    "markup",
    [
        "<Unknown>1</Unknown>",
        '<MessageId xmlns="urn:emla:envelope:2">x</MessageId>',
        '<MessageId xmlns="">x</MessageId>',
        "<MessageId>second</MessageId>",
    ],
)
def test_unknown_doubled_and_foreign_elements_are_refused(markup: str) -> None:
    root, _ = changed("request", after("Header/MessageId", markup))

    assert [each.code for each in check(root)][:1] == ["envelope.schema"]
    assert _code(lambda: read(root)) == "envelope.element-unexpected"


def test_an_unknown_attribute_is_refused() -> None:
    root = sample("request")
    at(root, "Header/Urgency").set("level", "emergency")

    assert [each.code for each in check(root)] == ["envelope.schema"]


@pytest.mark.parametrize("version", ["1.1", "2.0", "", "1.0 "])
def test_another_version_is_refused(version: str) -> None:
    root = sample("request")
    root.set("version", version)

    assert _code(lambda: require_valid(root)) == "envelope.version-unsupported"
    assert _code(lambda: read(root)) == "envelope.version-unsupported"


def test_the_content_of_an_extension_survives_byte_by_byte() -> None:
    root, _ = changed("request", into("Header", EXTENSION))
    assert check(root) == ()

    envelope = read(root)
    again = read(parse(write(envelope)))

    assert again == envelope
    assert envelope.header.extension is not None
    own, other = envelope.header.extension.content
    assert own == (
        b'<p:own xmlns:p="urn:partner" p:a="1 &amp; 2">text <p:b></p:b>tail</p:own>'
    )  # fmt: skip
    assert other == '<x xmlns="urn:other">é</x>'.encode()
    written = parse(write(envelope))
    kept = written.find("{*}Header/{*}Extension")
    assert kept is not None
    assert [etree.tostring(each, method="c14n", exclusive=True) for each in kept] == [own, other]


def test_an_extension_cannot_smuggle_elements_of_the_envelope() -> None:
    root, _ = changed(
        "request", into("Header", "<Extension><MessageType>Response</MessageType></Extension>")
    )

    assert "envelope.schema" in {each.code for each in check(root)}


def test_thousands_of_errors_are_told_briefly_and_soon() -> None:
    body = "<X/>" * (EXPLAINED_ELEMENTS * 2)
    root = parse(f'<Envelope xmlns="{NAMESPACE}" version="1.0">{body}</Envelope>'.encode())
    fewer = parse(
        f'<Envelope xmlns="{NAMESPACE}" version="1.0">{"<X/>" * 1000}</Envelope>'.encode()
    )
    began = time.process_time()

    for each in (root, fewer):
        problems = check(each)
        assert 1 <= len(problems) <= 100
        assert {problem.code for problem in problems} == {"envelope.schema"}

    assert time.process_time() - began < 20


def _crowded(references: int) -> Element:
    """As many attachments as there may be, and references to the last of them."""
    root = sample("request")
    place, measure = at(root, "Header/Attachment[3]"), at(root, "Request/Measure[1]")
    for number in range(1997):
        extra = parse(etree.tostring(at(root, "Header/Attachment[2]")))
        extra[0].text, extra[1].text = f"extra{number}", f"extra{number}.pdf"
        place.addnext(extra)
    for number in range(references // 100):
        more = parse(etree.tostring(measure))
        more[0].text = f"more{number}"
        reference = next(more.iter(f"{{{NAMESPACE}}}AttachmentRef"))
        for _ in range(99):
            reference.addnext(parse(etree.tostring(reference)))
        measure.addnext(more)
    return parse(etree.tostring(root))


def test_many_references_are_checked_in_bounded_time() -> None:
    """Ids are compared with one another: a stranger must not make that take minutes."""
    began = time.process_time()

    assert check(_crowded(MAX_REFERENCES // 10)) == ()
    (problem,) = check(_crowded(MAX_REFERENCES))

    assert problem.code == "envelope.too-many-references"
    assert time.process_time() - began < 20


def test_what_xml_cannot_carry_is_refused_when_written() -> None:
    envelope = read(sample("request"))

    def changed_purpose(text: str) -> bytes:
        body = dataclasses.replace(envelope.body, purpose=text)
        return write(dataclasses.replace(envelope, body=body))

    assert _code(lambda: changed_purpose("a\x00b")) == "xml.character"
    assert _code(lambda: changed_purpose("a\ud800b")) == "xml.character"
    assert _code(lambda: changed_purpose("  ")) == "envelope.value"
    assert b"]]&gt;" in changed_purpose("a]]>b")
