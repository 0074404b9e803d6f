"""multipart/related (RFC 2387) as a stream: bytes in, events out; parts in, bytes out.

Sans-I/O and in constant memory. Shared by everything that speaks SOAP with attachments or MTOM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from connector.errors import ConnectorError, unacceptable
from gateway_client.model import PayloadSource

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

CHUNK = 1 << 20
"""Bytes read at a time."""


@dataclass(frozen=True, slots=True)
class PartBegins:
    """The headers of the next part, names in lower case."""

    headers: Mapping[str, str]

    @property
    def content_id(self) -> str:
        """Content-ID without angle brackets; empty if there is none (RFC 2392)."""
        return bare_id(self.headers.get("content-id", ""))

    @property
    def media_type(self) -> str:
        """Content-Type without parameters, in lower case."""
        return media_type(self.headers.get("content-type", "text/plain"))[0]


@dataclass(frozen=True, slots=True)
class PartData:
    """Content of the part that began last."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PartEnds:
    """The part is complete."""


Event = PartBegins | PartData | PartEnds


def bare_id(content_id: str) -> str:
    """A Content-ID without white space and angle brackets."""
    return content_id.strip().removeprefix("<").removesuffix(">")


def media_type(content_type: str) -> tuple[str, dict[str, str]]:
    """Content-Type as (type in lower case, parameters)."""
    name, parameters = parse_options_header(content_type.encode("latin-1", "replace"))
    return (
        name.decode("latin-1").lower(),
        {k.decode("latin-1").lower(): v.decode("latin-1") for k, v in parameters.items()},
    )


class RelatedReader:
    """Reads one multipart/related entity: call `feed` with each chunk, `close` at the end.

    The first part is the root; a `start` parameter that names another one is refused
    (`mime.root-not-first`), since the root must be known before a payload can be placed.
    """

    def __init__(self, content_type: str, *, max_parts: int = 1000) -> None:
        name, parameters = media_type(content_type)
        if name != "multipart/related":
            raise unacceptable("mime.not-related", f"{name!r} instead of multipart/related.")
        if not (boundary := parameters.get("boundary")):
            raise unacceptable("mime.no-boundary", "multipart/related without a boundary.")
        self._start = bare_id(parameters.get("start", ""))
        self._max_parts = max_parts
        self._seen: set[str] = set()
        self._parts = 0
        self._events: list[Event] = []
        self._name = bytearray()
        self._value = bytearray()
        self._headers: dict[str, str] = {}
        self._complete = False
        try:
            self._parser = MultipartParser(boundary.encode("latin-1"), self._callbacks())
        except FormParserError as error:
            raise unacceptable("mime.malformed", f"The boundary is unusable: {error}") from error

    def feed(self, data: bytes) -> Sequence[Event]:
        """The events in `data`. Raises `ConnectorError` (unacceptable): `mime.malformed`,
        `mime.duplicate-header`, `mime.duplicate-content-id`, `mime.transfer-encoding`,
        `mime.too-many-parts`, `mime.root-not-first`."""
        try:
            self._parser.write(data)
        except FormParserError as error:
            raise unacceptable("mime.malformed", f"Not readable as multipart: {error}") from error
        events, self._events = self._events, []
        return events

    def close(self) -> None:
        """Raises `mime.truncated` (unacceptable) unless the closing boundary has been seen."""
        if not self._complete:
            raise unacceptable("mime.truncated", "The entity ends before its closing boundary.")

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begin,
            "on_header_field": lambda data, start, end: self._name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._value.extend(data[start:end]),
            "on_header_end": self._header_end,
            "on_headers_finished": self._headers_finished,
            "on_part_data": self._part_data,
            "on_part_end": lambda: self._events.append(PartEnds()),
            "on_end": self._end,
        }

    def _part_begin(self) -> None:
        self._headers = {}
        self._parts += 1
        if self._parts > self._max_parts:
            raise unacceptable("mime.too-many-parts", f"More than {self._max_parts} parts.")

    def _header_end(self) -> None:
        name = self._name.decode("latin-1").lower()
        if name in self._headers:
            raise unacceptable("mime.duplicate-header", f"A part has two {name} headers.")
        self._headers[name] = self._value.decode("latin-1").strip()
        self._name.clear()
        self._value.clear()

    def _headers_finished(self) -> None:
        part = PartBegins(self._headers)
        encoding = self._headers.get("content-transfer-encoding", "binary").lower()
        if encoding not in ("binary", "8bit", "7bit"):
            raise unacceptable(
                "mime.transfer-encoding",
                f"Content-Transfer-Encoding {encoding!r}; HTTP carries binary (RFC 9110, 8.3).",
            )
        if self._parts == 1 and self._start and part.content_id not in ("", self._start):
            raise unacceptable(
                "mime.root-not-first", f"The root <{self._start}> is not the first part."
            )
        if part.content_id and part.content_id in self._seen:
            raise unacceptable(
                "mime.duplicate-content-id", f"Two parts have the Content-ID {part.content_id!r}."
            )
        self._seen.add(part.content_id)
        self._events.append(part)

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        whole = start == 0 and end == len(data)
        self._events.append(PartData(data if whole else data[start:end]))

    def _end(self) -> None:
        self._complete = True


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingPart:
    """One part to write."""

    content_id: str
    """Without angle brackets."""
    content_type: str
    source: PayloadSource
    headers: tuple[tuple[str, str], ...] = ()
    """Further headers."""

    def head(self) -> bytes:
        """The part's headers with the blank line. Raises `mime.header-value`."""
        lines = [
            ("Content-Type", self.content_type),
            ("Content-Transfer-Encoding", "binary"),
            ("Content-ID", f"<{self.content_id}>"),
            *self.headers,
        ]
        if any(c in value for _, value in lines for c in "\r\n\0"):
            raise unacceptable("mime.header-value", "A MIME header value holds a line break.")
        return "".join(f"{name}: {value}\r\n" for name, value in lines).encode() + b"\r\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedWriter:
    """A multipart/related entity whose length is known before a byte is sent."""

    parts: tuple[OutgoingPart, ...]
    """The first one is the root."""
    boundary: str
    """Random, so that no payload holds it (e.g. 32 hex digits)."""
    parameters: tuple[tuple[str, str], ...] = field(default=())
    """Of the Content-Type besides boundary and start, e.g. `type`."""

    @property
    def content_type(self) -> str:
        """The entity's Content-Type."""
        extra = "".join(f'; {name}="{value}"' for name, value in self.parameters)
        start = f'; start="<{self.parts[0].content_id}>"'
        return f'multipart/related; boundary="{self.boundary}"{start}{extra}'

    def __len__(self) -> int:
        """Content-Length."""
        return sum(len(self._opening(p)) + p.source.size for p in self.parts) + len(self._closing())

    def __iter__(self) -> Iterator[bytes]:
        """The entity in chunks of at most `CHUNK` bytes; may be repeated.

        Raises `mime.source-size` (unacceptable) if a source has another size than it says.
        """
        for part in self.parts:
            yield self._opening(part)
            yield from _chunks(part)
        yield self._closing()

    def _opening(self, part: OutgoingPart) -> bytes:
        return b"\r\n--" + self.boundary.encode() + b"\r\n" + part.head()

    def _closing(self) -> bytes:
        return b"\r\n--" + self.boundary.encode() + b"--\r\n"


def _chunks(part: OutgoingPart) -> Iterator[bytes]:
    left = part.source.size
    with part.source.open() as stream:
        while chunk := stream.read(CHUNK):
            left -= len(chunk)
            if left < 0:
                raise _wrong_size(part)
            yield chunk
    if left:
        raise _wrong_size(part)


def _wrong_size(part: OutgoingPart) -> ConnectorError:
    return unacceptable(
        "mime.source-size",
        f"The content of part {part.content_id!r} does not have {part.source.size} bytes.",
    )
