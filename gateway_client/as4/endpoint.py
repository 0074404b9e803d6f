"""Receiving over HTTP: an ASGI app around `Reception`, which does the work in threads.

A request costs a thread only while there are bytes to work on, so slow senders hold none; they
are held to an idle time and to a least rate.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Final, TypeVar

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from connector.errors import ConnectorError, Kind, transient, unacceptable
from connector.signature.keys import DecryptionKey, SigningKey
from gateway_client.as4.receive import Reception
from gateway_client.as4.signals import error_envelope, receipt_envelope
from gateway_client.as4.soap import CONTENT_TYPE, fault
from gateway_client.model import Receiver
from gateway_client.pmode.model import PModes

_SOAP: Final = f"{CONTENT_TYPE}; charset=UTF-8"
_BATCH: Final = 1024 * 1024
"""Bytes gathered before a thread is asked to work on them."""
T = TypeVar("T")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointLimits:
    """What one sender may ask of the endpoint."""

    max_message_bytes: int = 16 * 1024**3
    """Of a request's body, and again of its payloads after decompression."""
    idle_seconds: float = 30.0
    """Longest wait for the next bytes."""
    least_rate: int = 4096
    """Bytes a second that a sender must reach on the whole, after `idle_seconds` of grace."""
    max_concurrent: int = 64
    """Requests in progress; one more is answered with 503."""
    threads: int = 4
    """That decrypt, verify and write."""
    drain_bytes: int = 4 * 1024 * 1024
    """How much of a refused request is still read, so that its sender sees the answer."""


def as4_app(
    pmodes: PModes,
    signing: SigningKey,
    decryption: DecryptionKey | None,
    receiver: Receiver,
    *,
    path: str = "/as4",
    limits: EndpointLimits | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
) -> Starlette:
    """An access point: POST `path` takes user messages, GET `/health` says that it is there.

    `signing` signs receipts and errors; `decryption` is the key that partners encrypt for. Each
    verified message goes to `receiver`, which is called from several threads; its receipt is the
    HTTP response once `receiver.receive` has returned.
    """
    endpoint = _Endpoint(
        pmodes, signing, decryption, receiver, limits or EndpointLimits(), clock, new_token
    )
    return Starlette(
        routes=[
            Route(path, endpoint.message, methods=["POST"]),
            Route("/health", _health, methods=["GET"]),
        ],
        lifespan=endpoint.lifespan,
    )


async def _health(_: Request) -> Response:
    return JSONResponse({"status": "up"})


class _Endpoint:
    def __init__(  # noqa: PLR0917 called once, above
        self,
        pmodes: PModes,
        signing: SigningKey,
        decryption: DecryptionKey | None,
        receiver: Receiver,
        limits: EndpointLimits,
        clock: Callable[[], datetime],
        new_token: Callable[[], str],
    ) -> None:
        self._pmodes = pmodes
        self._signing = signing
        self._decryption = decryption
        self._receiver = receiver
        self._limits = limits
        self._clock = clock
        self._new_token = new_token
        self._active = 0
        self._threads = ThreadPoolExecutor(limits.threads, thread_name_prefix="as4")

    @asynccontextmanager
    async def lifespan(self, _: Starlette) -> AsyncIterator[None]:
        """Let messages in hand finish when the server stops."""
        yield
        self._threads.shutdown(wait=True)

    async def message(self, request: Request) -> Response:
        """Answer one POST."""
        if self._active >= self._limits.max_concurrent:
            return Response("Too many messages at once.", 503, {"Retry-After": "5"})
        self._active += 1
        try:
            return await self._answer(request)
        finally:
            self._active -= 1

    async def _answer(self, request: Request) -> Response:
        reception: Reception | None = None
        body = _Body(request, self._limits)
        try:
            body.check_length(request.headers.get("content-length"))
            reception = Reception(
                request.headers.get("content-type", ""),
                self._pmodes,
                self._decryption,
                self._receiver,
                now=self._clock(),
                max_payload_bytes=self._limits.max_message_bytes,
            )
            batch = await body.batch()
            while not body.complete:
                await self._in_thread(partial(reception.feed, batch))
                batch = await body.batch()
            return await self._in_thread(partial(self._finish, reception, batch))
        except ConnectorError as error:
            await self._abort(reception)
            await body.drain()
            return await self._in_thread(partial(self._refuse, error, reception, body.complete))
        except BaseException:
            # The sender is gone, the server stops, or something of ours broke: nothing stays.
            await self._abort(reception)
            raise

    def _finish(self, reception: Reception, last: bytes) -> Response:
        reception.feed(last)
        received = reception.finish()
        token = self._new_token()
        receipt = receipt_envelope(
            received.message.message_id,
            received.references,
            received.pmode,
            self._signing,
            signal_id=f"{token}@emla",
            token=token,
            now=self._clock(),
        )
        _log.info(
            "as4.received",
            message_id=received.message.message_id,
            sender=received.message.sender.id.value,
            duplicate=not received.fresh and not received.message.is_ping,
            ping=received.message.is_ping,
        )
        return Response(receipt, 200, media_type=_SOAP)

    def _refuse(
        self, error: ConnectorError, reception: Reception | None, complete: bool
    ) -> Response:
        message = None if reception is None else reception.message
        message_id = None if message is None else message.message_id
        _log.warning("as4.refused", message_id=message_id, code=error.code, problem=str(error))
        headers = {} if complete else {"Connection": "close"}
        if error.code == "as4.must-understand":
            return Response(
                fault("MustUnderstand", error.problems[0].what), 500, headers, media_type=_SOAP
            )
        token = self._new_token()
        signal = error_envelope(
            error,
            message_id,
            None if reception is None else reception.pmode,
            self._signing,
            signal_id=f"{token}@emla",
            token=token,
            now=self._clock(),
        )
        return Response(signal, _status(error, message_id), headers, media_type=_SOAP)

    async def _abort(self, reception: Reception | None) -> None:
        if reception is not None:
            await self._in_thread(reception.abort)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        future = asyncio.get_running_loop().run_in_executor(self._threads, work)
        try:
            return await asyncio.shield(future)
        except asyncio.CancelledError:
            await asyncio.wait([future])  # two threads must never work on one message
            raise


def _status(error: ConnectorError, message_id: str | None) -> int:
    """An ebMS error about a message that could be read is an ordinary answer (200), unless the
    trouble is ours (503); what could not be read as a message at all is a bad request."""
    if error.kind is not Kind.UNACCEPTABLE:
        return 408 if error.code == "as4.slow-sender" else 503
    if error.code == "as4.message-too-large":
        return 413
    if error.code in {"mime.not-related", "mime.no-boundary"}:
        return 415
    return 400 if message_id is None else 200


class _Body:
    """A request's body in batches, within the limits."""

    def __init__(self, request: Request, limits: EndpointLimits) -> None:
        self._request = request
        self._limits = limits
        self._started = asyncio.get_running_loop().time()
        self._seen = 0
        self.complete = False

    def check_length(self, stated: str | None) -> None:
        """Raises `as4.message-too-large` before anything is read."""
        if stated is not None and stated.isdigit():
            self._check_size(int(stated))

    async def batch(self) -> bytes:
        """Up to about 1 MiB more; `complete` is true after the last one.

        Raises `as4.message-too-large` (unacceptable), `as4.slow-sender` and
        `as4.disconnected` (transient).
        """
        pieces: list[bytes] = []
        size = 0
        while size < _BATCH and not self.complete:
            piece = await self._next()
            pieces.append(piece)
            size += len(piece)
        return b"".join(pieces)

    async def drain(self) -> None:
        """Read and drop what is left, within reason."""
        left = self._limits.drain_bytes
        while left > 0 and not self.complete:
            try:
                left -= len(await self._next()) or 1
            except ConnectorError:
                return

    async def _next(self) -> bytes:
        grace = self._limits.idle_seconds
        try:
            async with asyncio.timeout(grace):
                event = await self._request.receive()
        except TimeoutError as error:
            raise _slow(f"No bytes came for {grace:g} s.") from error
        if event["type"] == "http.disconnect":
            raise transient("as4.disconnected", "The sender closed the connection.")
        piece: bytes = event.get("body", b"")
        self._seen += len(piece)
        self.complete = not event.get("more_body", False)
        self._check_size(self._seen)
        elapsed = asyncio.get_running_loop().time() - self._started
        if not self.complete and elapsed > grace + self._seen / self._limits.least_rate:
            raise _slow(f"{self._seen} bytes in {elapsed:.0f} s.")
        return piece

    def _check_size(self, size: int) -> None:
        most = self._limits.max_message_bytes
        if size > most:
            raise unacceptable(
                "as4.message-too-large", f"The message has {size} bytes; {most} are accepted."
            )


def _slow(what: str) -> ConnectorError:
    return transient("as4.slow-sender", f"The message comes in too slowly. {what}")
