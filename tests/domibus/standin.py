"""A Domibus for tests: the WS plugin's operations over HTTP, written from its description.

It shares no code with the client, answers as CXF does (every answer multipart/related), checks each
request against the description, and fails on demand.
"""

from __future__ import annotations

import base64
import itertools
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

from tests.domibus import description
from tests.domibus.description import BACKEND, EB, XOP

SOAP = "http://www.w3.org/2003/05/soap-envelope"
BOUNDARY = "uuid:6c4ffdf8-27a2-4e0c-8a5c-0d7f3c3e7a53"
TAIL = f"\r\n--{BOUNDARY}--".encode()


@dataclass
class Repeated:
    """Large content that nobody keeps in memory."""

    block: bytes
    times: int

    def __len__(self) -> int:
        return len(self.block) * self.times

    def __iter__(self) -> Iterator[bytes]:
        return itertools.repeat(self.block, self.times)


Content = bytes | Repeated


@dataclass
class Stored:
    """A message that waits, or that was submitted."""

    header: str
    """The eb:Messaging element."""
    contents: dict[str | None, Content]
    """By payloadId; None is a bodyload without one."""


@dataclass
class Behaviour:
    """What is to happen instead of the proper answer, `times` times."""

    status: int = 200
    content_type: str = "application/soap+xml"
    body: bytes = b""
    cut_after: int | None = None
    """Close the connection after so many bytes of the proper answer."""
    hang: float = 0
    """Seconds before anything is answered."""
    after: bool = False
    """Do the work first (the answer alone is lost)."""
    times: int = 1


def fault(code: str, text: str, *, status: int = 500) -> Behaviour:
    """A fault of the plugin."""
    fields = f"<code>{code}</code><message>{text}</message>"
    detail = f'<b:FaultDetail xmlns:b="{BACKEND}">{fields}</b:FaultDetail>'
    return Behaviour(status, body=fault_envelope("soap:Receiver", text, detail))


def fault_envelope(code: str, text: str, detail: str = "") -> bytes:
    detail = f"<soap:Detail>{detail}</soap:Detail>" if detail else ""
    return envelope(
        f"<soap:Fault><soap:Code><soap:Value>{code}</soap:Value></soap:Code><soap:Reason>"
        f'<soap:Text xml:lang="en">{text}</soap:Text></soap:Reason>{detail}</soap:Fault>'
    )


def envelope(body: str, header: str = "") -> bytes:
    header = f"<soap:Header>{header}</soap:Header>" if header else ""
    return (
        f'<soap:Envelope xmlns:soap="{SOAP}">{header}<soap:Body>{body}</soap:Body></soap:Envelope>'
    ).encode()


@dataclass
class Standin:
    """The gateway. `with Standin() as gateway:` listens on a port of loopback."""

    user: str = "plugin"
    password: str = "secret"
    statuses: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, Stored] = field(default_factory=dict)
    downloaded: dict[str, Stored] = field(default_factory=dict)
    submitted: dict[str, Stored] = field(default_factory=dict)
    errors: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    behaviours: dict[str, list[Behaviour]] = field(default_factory=dict)
    """By operation."""
    calls: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    """What was wrong with requests; tests expect it to be empty."""
    retention: bool = True
    """Whether a downloaded message can be retrieved again."""
    given_id: str | None = None
    """The message id that submitMessage answers with, if not the submitted one."""

    def __enter__(self) -> Standin:
        standin = self

        class Handler(_Handler):
            gateway = standin

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/domibus/services/backend"

    def next(self, operation: str, *behaviours: Behaviour) -> None:
        self.behaviours.setdefault(operation, []).extend(behaviours)

    def deliver(self, message_id: str, contents: dict[str | None, Content], **values: str) -> None:
        """A message from the other side."""
        self.waiting[message_id] = Stored(header(message_id, contents, **values), contents)
        self.statuses[message_id] = "RECEIVED"


def header(
    message_id: str, hrefs: Iterable[str | None], *, mime_type: str = "text/xml", more: str = ""
) -> str:
    """An eb:Messaging header as Domibus writes it."""
    parts = "".join(
        f"<eb:PartInfo{'' if href is None else f' href={quoteattr(href)}'}><eb:PartProperties>"
        f'<eb:Property name="MimeType">{mime_type}</eb:Property>'
        f'<eb:Property name="name">part {n}</eb:Property>'
        "</eb:PartProperties></eb:PartInfo>"
        for n, href in enumerate(hrefs)
    )
    return f"""<eb:Messaging xmlns:eb="{EB}"><eb:UserMessage mpc="{EB}defaultMPC">
      <eb:MessageInfo><eb:Timestamp>2026-03-01T12:30:00.250Z</eb:Timestamp>
        <eb:MessageId>{escape(message_id)}</eb:MessageId>{more}</eb:MessageInfo>
      <eb:PartyInfo><eb:From><eb:PartyId type="urn:x:type">blue</eb:PartyId>
        <eb:Role>urn:x:initiator</eb:Role></eb:From>
        <eb:To><eb:PartyId type="urn:x:type">red</eb:PartyId>
        <eb:Role>urn:x:responder</eb:Role></eb:To></eb:PartyInfo>
      <eb:CollaborationInfo><eb:Service type="urn:x:services">mla</eb:Service>
        <eb:Action>Form_A</eb:Action><eb:ConversationId>c-1</eb:ConversationId>
        </eb:CollaborationInfo>
      <eb:MessageProperties><eb:Property name="originalSender">fr</eb:Property>
        <eb:Property name="finalRecipient">at</eb:Property></eb:MessageProperties>
      <eb:PayloadInfo>{parts}</eb:PayloadInfo></eb:UserMessage></eb:Messaging>"""


class _Handler(BaseHTTPRequestHandler):
    gateway: Standin
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_: object) -> None:
        """Silent."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        credentials = f"{self.gateway.user}:{self.gateway.password}"
        if (
            self.headers["Authorization"]
            != f"Basic {base64.b64encode(credentials.encode()).decode()}"
        ):
            self._send(401, "text/html", [b"<html>who?</html>"])
            return
        try:
            root, attachments = self._parts(body)
            message = etree.fromstring(root)
            request = message.find(f"{{{SOAP}}}Body")[0]
            for element in (*message.iterfind(f"{{{SOAP}}}Header/*"), request):
                description.check(element)
            operation, work = self._work(message, request, attachments)
        except Exception as problem:
            self.gateway.failures.append(repr(problem))
            self._send(400, "text/plain", [repr(problem).encode()])
            return
        self.gateway.calls.append(operation)
        self._answer(operation, work)

    def _parts(self, body: bytes) -> tuple[bytes, dict[str, bytes]]:
        kind = self.headers["Content-Type"]
        if not kind.startswith("multipart/related"):
            assert kind.startswith("application/soap+xml"), kind
            return body, {}
        for parameter in ('type="application/xop+xml"', 'start-info="application/soap+xml"'):
            assert parameter in kind, kind
        boundary = re.search('boundary="([^"]+)"', kind)[1].encode()
        assert body.rstrip().endswith(b"--" + boundary + b"--")
        found = {}
        for part in body.split(b"\r\n--" + boundary)[1:-1]:
            head, _, content = part.partition(b"\r\n\r\n")
            headers = dict(line.split(": ", 1) for line in head.decode().strip().split("\r\n"))
            found[headers["Content-ID"].strip("<>")] = (headers["Content-Type"], content)
        start = re.search('start="<([^>]+)>"', kind)[1]
        assert next(iter(found)) == start
        root_type, root = found.pop(start)
        assert root_type.startswith("application/xop+xml")
        assert 'type="application/soap+xml"' in root_type
        return root, {name: content for name, (_, content) in found.items()}

    def _work(
        self, message: etree._Element, request: etree._Element, attachments: dict[str, bytes]
    ) -> tuple[str, Callable[[], tuple[int, str, list[Content]]]]:
        gateway, name = self.gateway, etree.QName(request).localname
        message_id = request.findtext("messageID") or ""
        if name == "statusRequest":
            status = gateway.statuses.get(message_id, "NOT_FOUND")
            return "getStatus", lambda: plain(
                f"<b:getStatusResponse>{status}</b:getStatusResponse>"
            )
        if name == "getErrorsRequest":
            return "getMessageErrors", lambda: plain(errors_of(gateway, message_id))
        if name == "listPendingMessagesRequest":
            ids = "".join(f"<messageID>{escape(i)}</messageID>" for i in gateway.waiting)
            return "listPendingMessages", lambda: plain(
                f"<b:listPendingMessagesResponse>{ids}</b:listPendingMessagesResponse>"
            )
        if name == "retrieveMessageRequest":
            return "retrieveMessage", lambda: retrieve(gateway, message_id)
        assert name == "submitRequest", name
        return "submitMessage", lambda: submit(gateway, message, request, attachments)

    def _answer(self, operation: str, work: Callable[[], tuple[int, str, list[Content]]]) -> None:
        planned = self.gateway.behaviours.get(operation)
        if not planned:
            self._send(*work())
            return
        behaviour = planned[0]
        behaviour.times -= 1
        if behaviour.times == 0:
            planned.pop(0)
        if behaviour.cut_after is not None:
            self._send(*work(), cut_after=behaviour.cut_after)
            return
        if behaviour.after:
            work()
        time.sleep(behaviour.hang)
        self._send(behaviour.status, behaviour.content_type, [behaviour.body])

    def _send(
        self, status: int, kind: str, body: list[Content], *, cut_after: int | None = None
    ) -> None:
        try:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(sum(len(part) for part in body)))
            self.end_headers()
            left = cut_after if cut_after is not None else 1 << 62
            for part in body:
                for block in [part] if isinstance(part, bytes) else part:
                    self.wfile.write(block[:left])
                    left -= len(block)
                    if left <= 0:
                        self.close_connection = True
                        return
        except ConnectionError:
            self.close_connection = True


def plain(body: str) -> tuple[int, str, list[Content]]:
    """An answer without payloads, which CXF sends as multipart all the same."""
    return multipart(envelope(body.replace(">", f' xmlns:b="{BACKEND}">', 1)), {})


def multipart(root: bytes, contents: dict[str, Content]) -> tuple[int, str, list[Content]]:
    kind = (
        f'multipart/related; type="application/xop+xml"; boundary="{BOUNDARY}"; '
        'start="<root.message@cxf.apache.org>"; start-info="application/soap+xml"'
    )
    body: list[Content] = [
        part_head(
            "root.message@cxf.apache.org",
            'application/xop+xml; charset=UTF-8; type="application/soap+xml"',
        ),
        root,
    ]
    for name, content in contents.items():
        body += [part_head(name, "application/octet-stream"), content]
    return 200, kind, [*body, TAIL]


def part_head(name: str, kind: str) -> bytes:
    return (
        f"\r\n--{BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: binary\r\n"
        f"Content-ID: <{name}>\r\n\r\n"
    ).encode()


def errors_of(gateway: Standin, message_id: str) -> str:
    items = "".join(
        f"<item><errorCode>{code}</errorCode><errorDetail>{text}</errorDetail>"
        f"<messageInErrorId>{escape(message_id)}</messageInErrorId><mshRole>SENDING</mshRole>"
        "<timestamp>2026-03-01T12:31:00Z</timestamp></item>"
        for code, text in gateway.errors.get(message_id, [])
    )
    return f"<b:getMessageErrorsResponse>{items}</b:getMessageErrorsResponse>"


def retrieve(gateway: Standin, message_id: str) -> tuple[int, str, list[Content]]:
    known = (
        gateway.waiting
        if message_id in gateway.waiting or not gateway.retention
        else (gateway.downloaded)
    )
    if message_id not in known:
        refusal = fault("EBMS_0004", f"No message with id [{message_id}] pending for download")
        return refusal.status, refusal.content_type, [refusal.body]
    stored = known.pop(message_id)
    gateway.downloaded[message_id] = stored
    gateway.statuses[message_id] = "DOWNLOADED"
    return answer_with(stored)


def answer_with(stored: Stored, **replaced: str) -> tuple[int, str, list[Content]]:
    """The answer of retrieveMessage; `replaced` swaps text in it."""
    names = {f"0f2b6c-{n}@cxf.apache.org": c for n, c in enumerate(stored.contents.values(), 1)}
    elements = "".join(
        f"<{'payload' if payload_id else 'bodyload'}"
        f"{f' payloadId={quoteattr(payload_id)}' if payload_id else ''} contentType='text/xml'>"
        f'<value><xop:Include xmlns:xop="{XOP}" href="cid:{name.replace("@", "%40")}"/></value>'
        f"</{'payload' if payload_id else 'bodyload'}>"
        for payload_id, name in zip(stored.contents, names, strict=True)
    )
    body = f'<b:retrieveMessageResponse xmlns:b="{BACKEND}">{elements}</b:retrieveMessageResponse>'
    root = envelope(body, stored.header).decode()
    for old, new in replaced.items():
        root = root.replace(old, new)
    return multipart(root.encode(), names)


def submit(
    gateway: Standin,
    message: etree._Element,
    request: etree._Element,
    attachments: dict[str, bytes],
) -> tuple[int, str, list[Content]]:
    header = message.find(f"{{{SOAP}}}Header/{{{EB}}}Messaging")
    message_id = header.findtext(f".//{{{EB}}}MessageId")
    if message_id in gateway.statuses:
        refusal = fault("EBMS_0008", f"Message with id [{message_id}] already exists")
        return refusal.status, refusal.content_type, [refusal.body]
    contents: dict[str | None, Content] = {}
    for element in request:
        href = element.find(f"value/{{{XOP}}}Include").get("href")
        contents[element.get("payloadId")] = attachments.pop(
            href.removeprefix("cid:").replace("%40", "@")
        )
    hrefs = [part.get("href") for part in header.iter(f"{{{EB}}}PartInfo")]
    assert sorted(map(str, hrefs)) == sorted(map(str, contents)), (hrefs, list(contents))
    assert not attachments, attachments
    gateway.submitted[message_id] = Stored(etree.tostring(header).decode(), contents)
    gateway.statuses[message_id] = "SEND_ENQUEUED"
    answer = gateway.given_id or message_id
    return plain(f"<b:submitResponse><messageID>{escape(answer)}</messageID></b:submitResponse>")
