"""submitMessage: what goes over the wire, when it is sent again, what each answer means."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connector.errors import ConnectorError, Kind
from gateway_client.domibus import Access, DomibusGateway, interface
from gateway_client.domibus.header import read_messaging
from gateway_client.domibus.outcomes import STATUSES, Fate
from gateway_client.model import Party, PartyId, Property, Service
from tests.domibus import description
from tests.domibus import standin as plugin
from tests.domibus.messages import NOW, message, payload
from tests.domibus.standin import Behaviour, Standin, fault
from tests.reference import reference


def test_message_arrives_as_it_was_given(standin: Standin, client: DomibusGateway) -> None:
    contents = {"payload_1": b"<a/>", "payload_2@x": b"\r\n--\0" * 1000, "leer": b""}
    sent = message(
        "ä/%&<id>@emla",
        *(payload(name, data) for name, data in contents.items()),
        payload("", b"<body/>"),
        ref_to_message_id="earlier@emla",
        agreement_ref="urn:agreement",
        mpc="urn:channel",
    )
    taken = client.submit(sent)
    assert (taken.message_id, taken.taken_at, taken.delivered) == (sent.message_id, NOW, False)
    stored = standin.submitted[sent.message_id]
    assert stored.contents == {f"cid:{n}": d for n, d in contents.items()} | {None: b"<body/>"}
    read = read_messaging(etree.fromstring(stored.header), now=NOW)
    assert read.message == replace(sent, payloads=())
    assert [(p.href, p.mime_type, p.properties) for p in read.parts] == [
        (f"cid:{p.content_id}" if p.content_id else None, p.mime_type, p.properties)
        for p in sent.payloads
    ]


def test_id_given_by_the_gateway_counts(standin: Standin, client: DomibusGateway) -> None:
    standin.given_id = "other@gateway"
    assert client.submit(message()).message_id == "other@gateway"


@pytest.mark.parametrize("status", [s for s, fate in STATUSES.items() if fate is Fate.TAKEN])
def test_message_that_the_gateway_has_is_not_sent_again(
    standin: Standin, client: DomibusGateway, status: str
) -> None:
    standin.statuses["m-1@emla"] = status
    assert not client.submit(message()).delivered
    assert standin.calls == ["getStatus"]


@pytest.mark.parametrize("status", ["ACKNOWLEDGED", "ACKNOWLEDGED_WITH_WARNING"])
def test_receipt_of_the_partner_shows(
    standin: Standin, client: DomibusGateway, status: str
) -> None:
    client.submit(message())
    standin.statuses["m-1@emla"] = status
    progress = client.progress("m-1@emla")
    assert progress is not None
    assert progress.delivered
    assert client.progress("other") is None


@pytest.mark.parametrize("status", ["RECEIVED", "RECEIVED_WITH_WARNINGS", "DOWNLOADED"])
def test_id_of_an_incoming_message(standin: Standin, client: DomibusGateway, status: str) -> None:
    standin.statuses["m-1@emla"] = status
    with pytest.raises(ConnectorError) as caught:
        client.submit(message())
    assert (caught.value.kind, caught.value.code) == (
        Kind.UNACCEPTABLE,
        "domibus.message-id-taken",
    )


def test_gateway_that_has_given_up_says_why(standin: Standin, client: DomibusGateway) -> None:
    standin.statuses["m-1@emla"] = "SEND_FAILURE"
    standin.errors["m-1@emla"] = [
        ("EBMS_0005", "no route to red"),
        ("EBMS_0005", "no route to red"),
    ]
    with pytest.raises(
        ConnectorError, match=r"up sending m-1@emla: EBMS_0005 no route to red "
    ) as e:
        client.submit(message())
    assert (e.value.kind, e.value.code) == (Kind.UNACCEPTABLE, "domibus.send-failure")
    assert [str(error) for error in client.errors("m-1@emla")] == ["EBMS_0005 no route to red"] * 2


def test_unknown_status_is_asked_again_later(standin: Standin, client: DomibusGateway) -> None:
    standin.statuses["m-1@emla"] = "BEING_TELEPORTED"
    with pytest.raises(ConnectorError) as caught:
        client.submit(message())
    assert (caught.value.kind, caught.value.code) == (Kind.TRANSIENT, "domibus.status-unknown")


def test_every_status_of_the_interface_has_a_meaning() -> None:
    schema = reference("domibus", "domibus-backend.xsd")
    xs = description.XS
    listed = etree.parse(schema).find(f".//{xs}simpleType[@name='messageStatus']")
    assert {e.get("value") for e in listed.iter(f"{xs}enumeration")} == set(STATUSES)


@pytest.mark.parametrize(
    ("code", "kind", "stable"),
    [
        ("EBMS_0001", Kind.CONFIGURATION, "domibus.fault-ebms-0001"),
        ("EBMS:0003", Kind.CONFIGURATION, "domibus.fault-ebms-0003"),
        ("EBMS_0004", Kind.TRANSIENT, "domibus.fault-ebms-0004"),
        ("EBMS_0005", Kind.TRANSIENT, "domibus.fault-ebms-0005"),
        ("EBMS_0007", Kind.UNACCEPTABLE, "domibus.fault-ebms-0007"),
        ("EBMS_0009", Kind.UNACCEPTABLE, "domibus.fault-ebms-0009"),
        ("EBMS_0010", Kind.CONFIGURATION, "domibus.fault-ebms-0010"),
        ("EBMS_0101", Kind.CONFIGURATION, "domibus.fault-ebms-0101"),
        ("EBMS_0202", Kind.TRANSIENT, "domibus.fault-ebms-0202"),
        ("EBMS_0303", Kind.UNACCEPTABLE, "domibus.fault-ebms-0303"),
        ("EBMS_9999", Kind.TRANSIENT, "domibus.fault"),
        ("", Kind.TRANSIENT, "domibus.fault"),
    ],
)
def test_each_fault_has_its_kind(
    standin: Standin, client: DomibusGateway, code: str, kind: Kind, stable: str
) -> None:
    standin.next("submitMessage", fault(code, "No matching party"))
    with pytest.raises(ConnectorError, match="No matching party") as caught:
        client.submit(message())
    assert (caught.value.kind, caught.value.code) == (kind, stable)


def test_fault_in_an_answer_of_status_200(standin: Standin, client: DomibusGateway) -> None:
    standin.next("submitMessage", fault("EBMS_0009", "no", status=200))
    with pytest.raises(ConnectorError) as caught:
        client.submit(message())
    assert caught.value.code == "domibus.fault-ebms-0009"


ANSWERS = [
    (Behaviour(401), Kind.CONFIGURATION, "domibus.credentials"),
    (Behaviour(404, "text/html", b"<html/>"), Kind.CONFIGURATION, "domibus.url"),
    (Behaviour(302, "text/html"), Kind.CONFIGURATION, "domibus.url"),
    (Behaviour(413, "text/html"), Kind.UNACCEPTABLE, "domibus.too-large"),
    (Behaviour(503, "text/html", b"down"), Kind.TRANSIENT, "domibus.http-status"),
    (Behaviour(200, "text/html", b"<html>"), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=b""), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=b"<a><b>"), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=b"<!DOCTYPE a><a/>"), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=b"<a/>"), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=plugin.envelope("<a/>")), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (Behaviour(200, body=plugin.envelope("")), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (
        Behaviour(200, "multipart/related; boundary=x", b"--y"),
        Kind.TRANSIENT,
        "domibus.answer-unreadable",
    ),
    (Behaviour(200, body=b"x" * (17 << 20)), Kind.TRANSIENT, "domibus.answer-unreadable"),
    (
        Behaviour(200, body=plugin.envelope("<soap:Fault/>")),
        Kind.TRANSIENT,
        "domibus.fault",
    ),
    (
        Behaviour(400, body=plugin.fault_envelope("soap:Sender", "bad")),
        Kind.UNACCEPTABLE,
        "domibus.request-refused",
    ),
    (
        Behaviour(500, body=plugin.fault_envelope("soap:Receiver", "bad")),
        Kind.TRANSIENT,
        "domibus.fault",
    ),
    (Behaviour(cut_after=40), Kind.TRANSIENT, "domibus.connection-lost"),
    (Behaviour(cut_after=0), Kind.TRANSIENT, "domibus.connection-lost"),
]


@pytest.mark.parametrize(("behaviour", "kind", "code"), ANSWERS)
@pytest.mark.parametrize("operation", ["getStatus", "submitMessage"])
def test_each_wrong_answer(
    standin: Standin,
    client: DomibusGateway,
    operation: str,
    behaviour: Behaviour,
    kind: Kind,
    code: str,
) -> None:
    standin.next(operation, replace(behaviour))
    with pytest.raises(ConnectorError) as caught:
        client.submit(message())
    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize(
    "lost", [Behaviour(cut_after=40), Behaviour(503, "text/plain", b"", after=True)]
)
def test_lost_answer_does_not_send_twice(
    standin: Standin, client: DomibusGateway, lost: Behaviour
) -> None:
    standin.next("submitMessage", replace(lost))
    with pytest.raises(ConnectorError):
        client.submit(message())
    assert client.submit(message()).message_id == "m-1@emla"
    assert standin.calls.count("submitMessage") == 1


def test_two_workers_submit_one_message(
    standin: Standin, connect: Callable[..., DomibusGateway]
) -> None:
    standin.next(
        "getStatus",
        Behaviour(
            200,
            body=plugin.envelope(
                f'<b:getStatusResponse xmlns:b="{plugin.BACKEND}">NOT_FOUND</b:getStatusResponse>'
            ),
            times=2,
        ),
    )
    clients, results = [connect(), connect()], []
    threads = [
        threading.Thread(target=lambda c=c: results.append(c.submit(message()))) for c in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [r.message_id for r in results] == ["m-1@emla"] * 2
    assert list(standin.submitted) == ["m-1@emla"]


def test_hanging_gateway(standin: Standin, connect: Callable[..., DomibusGateway]) -> None:
    standin.next("getStatus", Behaviour(hang=2))
    with pytest.raises(ConnectorError) as caught:
        connect(timeout=timedelta(seconds=0.2)).submit(message())
    assert (caught.value.kind, caught.value.code) == (Kind.TRANSIENT, "domibus.timeout")


def test_no_gateway_there(connect: Callable[..., DomibusGateway]) -> None:
    with pytest.raises(ConnectorError) as caught:
        connect(url="http://127.0.0.1:9/domibus").submit(message())
    assert (caught.value.kind, caught.value.code) == (Kind.TRANSIENT, "domibus.unreachable")


def test_wrong_password(connect: Callable[..., DomibusGateway]) -> None:
    with pytest.raises(ConnectorError) as caught:
        connect(password="wrong").pending()
    assert (caught.value.kind, caught.value.code) == (Kind.CONFIGURATION, "domibus.credentials")


@pytest.mark.parametrize(
    ("sent", "codes"),
    [
        (message(service=Service("mla")), {"domibus.type-missing"}),
        (message(sender=Party(PartyId("blue"), "r")), {"domibus.type-missing"}),
        (message(recipient=Party(PartyId("", "t"), "r" * 256)), {"domibus.header-value"}),
        (message(properties=(Property("a", ""),)), {"domibus.header-value"}),
        (replace(message(), payloads=()), {"domibus.no-payload"}),
        (message("m", payload("", b""), payload("", b"")), {"domibus.two-bodies"}),
        (message("m", payload("a", b""), payload("A", b"")), {"domibus.same-content-id"}),
    ],
)
def test_what_the_plugin_cannot_carry_is_not_sent(
    standin: Standin, client: DomibusGateway, sent: object, codes: set[str]
) -> None:
    with pytest.raises(ConnectorError) as caught:
        client.submit(sent)
    assert {problem.code for problem in caught.value.problems} == codes
    assert standin.calls == []


@pytest.mark.parametrize(
    ("access", "code"),
    [
        ({"url": "ftp://x/"}, "domibus.url"),
        ({"url": "https:///x"}, "domibus.url"),
        ({"url": "https://user:pw@x/"}, "domibus.url"),
        (
            {"url": "http://gateway.example/", "user": "u", "password": "p"},
            "domibus.password-in-clear",
        ),
    ],
)
def test_access_that_must_not_be_used(access: dict[str, str], code: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        Access(**access)
    assert (caught.value.kind, caught.value.code) == (Kind.CONFIGURATION, code)


def test_password_is_not_shown() -> None:
    assert "geheim" not in repr(Access(url="https://x/", user="u", password="geheim"))


texts = st.text(
    st.characters(
        exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp"), exclude_characters="\ufffe\uffff"
    ),
    min_size=1,
    max_size=60,
)


@given(st.lists(st.tuples(texts, texts), max_size=4), texts, texts)
def test_header_round_trip(properties: list[tuple[str, str]], message_id: str, action: str) -> None:
    sent = message(
        message_id,
        payload("p", b"", "a/b"),
        action=action,
        properties=tuple(Property(n, v) for n, v in properties),
    )
    envelope = etree.fromstring(interface.submit_request(sent, ("part-0@x",)))
    description.check(interface.messaging_of(envelope))
    read = read_messaging(interface.messaging_of(envelope), now=NOW)
    assert read.message == replace(sent, payloads=())


@pytest.mark.parametrize("schemas", [description.own_schemas, description.their_schemas])
def test_descriptions_refuse_what_is_wrong(
    schemas: Callable[[], dict[str, etree.XMLSchema]],
) -> None:
    if schemas is description.their_schemas:
        reference("domibus")
    envelope = etree.fromstring(interface.submit_request(message(), ("part-0@x",)))
    for element in (interface.messaging_of(envelope), envelope[-1][0]):
        namespace = etree.QName(element).namespace or ""
        element.append(etree.Element("unheard-of"))
        assert not schemas()[namespace].validate(element)


def test_own_description_is_the_plugins() -> None:
    """Operations, their SOAP binding and elements, as the plugin's own WSDL has them."""
    theirs = reference("domibus", "BackendService_1_1.wsdl")
    assert _operations(description.OWN_WSDL) == _operations(theirs)


def _operations(path: object) -> dict[str, object]:
    root = etree.parse(path).getroot()
    ns = {"w": "http://schemas.xmlsoap.org/wsdl/", "s": "http://schemas.xmlsoap.org/wsdl/soap12/"}

    def qualified(element: etree._Element, attribute: str) -> str:
        prefix, _, local = element.get(attribute).rpartition(":")
        return f"{{{element.nsmap[prefix or None]}}}{local}"

    messages = {
        m.get("name"): {p.get("name"): qualified(p, "element") for p in m.iterfind("w:part", ns)}
        for m in root.iterfind("w:message", ns)
    }
    found = {}
    bound = {o.get("name"): o for o in root.iterfind("w:binding/w:operation", ns)}
    for operation in root.iterfind("w:portType/w:operation", ns):
        binding = bound[operation.get("name")]
        assert binding.find("s:operation", ns).get("soapAction") == ""
        entry: dict[str, object] = {}
        for side in ("input", "output", "fault"):
            sides = operation.findall(f"w:{side}", ns)
            entry[side] = [
                sorted(messages[s.get("message").rpartition(":")[2]].values()) for s in sides
            ]
            headers = binding.findall(f"w:{side}/s:header", ns)
            entry[f"{side} headers"] = [
                messages[h.get("message").rpartition(":")[2]][h.get("part")] for h in headers
            ]
        found[operation.get("name")] = entry
    return found
