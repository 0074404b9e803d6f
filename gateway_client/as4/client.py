"""Sending: the `Gateway` that pushes user messages to partners' access points over HTTP."""

from __future__ import annotations

import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
import urllib3
from urllib3.exceptions import HTTPError, SSLError
from urllib3.util import Timeout

from connector.errors import ConnectorError, Kind, misconfigured, transient
from connector.signature.keys import SigningKey
from gateway_client.as4.answers import check_answer
from gateway_client.as4.send import SMALL, Entity, PreparedMessage, prepare
from gateway_client.mime import RelatedWriter
from gateway_client.model import Submission, UserMessage
from gateway_client.pmode.model import PMode, PModes, Tls

_log = structlog.get_logger(__name__)
MAX_ANSWER: Final = 4 * 1024 * 1024
"""Bytes of an answer: a receipt repeats one reference for each payload."""
_SLICE: Final = 128 * 1024
"""Bytes handed to the socket at a time, each of which must get away within the time-out."""


class As4Client:
    """One-way push of eDelivery AS4 1.15. Safe between threads; connections are kept alive."""

    def __init__(
        self,
        pmodes: PModes,
        signing: SigningKey,
        *,
        scratch: Path,
        max_connections: int = 16,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
        new_token: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        """`signing` is this access point's own key; `scratch` a folder for large payloads while
        they are on their way; `max_connections` how many are kept for each partner."""
        self._pmodes = pmodes
        self._signing = signing
        self._scratch = scratch
        self._max_connections = max_connections
        self._clock = clock
        self._sleep = sleep
        self._new_token = new_token
        self._pools: dict[Tls, urllib3.PoolManager] = {}
        self._lock = threading.Lock()

    def submit(self, message: UserMessage) -> Submission:
        """Send one message and wait for its receipt, as often as its PMode says.

        Each try carries the same eb:MessageId, so the partner takes the message once. Raises
        `ConnectorError`: transient `as4.no-answer`, `as4.no-receipt`, `as4.invalid-receipt`,
        `as4.refused-by-partner` (an error that may pass), `as4.scratch`; unacceptable
        `as4.refused-by-partner`, `as4.http-refused`, `pmode.unknown-recipient` and its like;
        configuration `pmode.no-endpoint`, `pmode.no-encryption-certificate`, `as4.tls`.
        """
        pmode = self._pmodes.governing(message)
        if pmode.endpoint is None:
            raise misconfigured("pmode.no-endpoint", f"PMode {pmode.id!r} has no endpoint URL.")
        pool = self._pool(pmode.tls)
        prepared = prepare(
            message, pmode, self._signing, scratch=self._scratch, token=self._new_token()
        )
        try:
            for delay in pmode.retry.delays:
                try:
                    return self._push(pool, pmode.endpoint, message, prepared, pmode)
                except ConnectorError as error:
                    if error.kind is not Kind.TRANSIENT:
                        raise
                    # The last try's error is raised; the first is often the one that tells.
                    _log.warning(
                        "as4.try-failed",
                        message_id=message.message_id,
                        code=error.code,
                        problem=str(error),
                    )
                self._sleep(delay.total_seconds())
            return self._push(pool, pmode.endpoint, message, prepared, pmode)
        finally:
            prepared.close()

    def close(self) -> None:
        """Close connections."""
        with self._lock:
            for pool in self._pools.values():
                pool.clear()
            self._pools.clear()

    def _push(
        self,
        pool: urllib3.PoolManager,
        url: str,
        message: UserMessage,
        prepared: PreparedMessage,
        pmode: PMode,
    ) -> Submission:
        entity = prepared.entity(self._new_token())
        status, content_type, body = self._exchange(pool, url, entity, pmode)
        now = self._clock()
        check_answer(
            status,
            content_type,
            body,
            message_id=message.message_id,
            references=prepared.references,
            pmode=pmode,
            at=now,
            private=url.lower().startswith("https:"),
        )
        return Submission(message_id=message.message_id, taken_at=now, delivered=True, receipt=body)

    def _exchange(
        self, pool: urllib3.PoolManager, url: str, entity: Entity, pmode: PMode
    ) -> tuple[int, str, bytes]:
        """Status, Content-Type and body of the answer. Raises `as4.no-answer` (transient)."""
        try:
            response = pool.request(
                "POST",
                url,
                body=_body(entity),
                headers={
                    "Content-Type": entity.content_type,
                    "Content-Length": str(entity.length),
                    "Accept": "application/soap+xml",
                    "User-Agent": "emla",
                },
                timeout=Timeout(connect=pmode.connect_timeout, read=pmode.answer_timeout),
                retries=False,
                redirect=False,
                preload_content=False,
            )
            try:
                body = response.read(MAX_ANSWER + 1)
                if len(body) > MAX_ANSWER:
                    response.close()
                    raise transient(
                        "as4.no-receipt", f"The partner's answer has more than {MAX_ANSWER} bytes."
                    )
                return response.status, response.headers.get("Content-Type", ""), body
            finally:
                response.release_conn()
        except SSLError as error:
            raise transient(
                "as4.no-answer",
                f"No TLS connection to {url}: {error}.",
                mend="Check the server's certificate and the CAs that the PMode trusts.",
            ) from error
        except (HTTPError, OSError) as error:
            raise transient(
                "as4.no-answer",
                f"No answer from {url}: {error}.",
                mend="Check the endpoint's URL, the network and the partner's server.",
            ) from error

    def _pool(self, tls: Tls) -> urllib3.PoolManager:
        with self._lock:
            if (pool := self._pools.get(tls)) is None:
                pool = urllib3.PoolManager(
                    maxsize=self._max_connections, ssl_context=_tls_context(tls)
                )
                self._pools[tls] = pool
            return pool


def _body(entity: Entity) -> bytes | Iterator[bytes]:
    content = entity.content
    if isinstance(content, bytes):
        return content
    if entity.length <= SMALL:
        return b"".join(content)
    return _slices(content)


def _slices(content: RelatedWriter) -> Iterator[bytes]:
    for chunk in content:
        for start in range(0, len(chunk), _SLICE):
            yield chunk[start : start + _SLICE]


def _tls_context(tls: Tls) -> ssl.SSLContext:
    """Raises `as4.tls` (configuration)."""
    try:
        context = ssl.create_default_context(
            cafile=None if tls.ca_file is None else str(tls.ca_file)
        )
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.client_certificate is not None:
            context.load_cert_chain(tls.client_certificate, tls.client_key)
    except (OSError, ValueError) as error:
        raise misconfigured(
            "as4.tls",
            f"The TLS certificates or keys of the PMode cannot be used: {error}.",
            file=str(tls.client_certificate or tls.ca_file),
        ) from error
    return context
