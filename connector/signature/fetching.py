"""Small things from the web: timestamps, revocation data, trusted lists. Bounded in every way.

What is fetched comes from strangers; whoever asks for it has to verify it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import urlsplit

import urllib3

from connector.errors import ConnectorError, transient

_REDIRECTS: Final = 3
_CHUNK: Final = 65_536
_EXCERPT: Final = 300


class Fetcher(Protocol):
    """Gets the content behind a URL, or raises `ConnectorError` (transient)."""

    def get(self, url: str, *, limit: int) -> bytes:
        """The content, at most `limit` bytes. Raises `web.unreachable`, `web.unauthorized`,
        `web.refused`, `web.too-large`."""

    def post(
        self, url: str, body: bytes, content_type: str, *, limit: int, accept: str | None = None
    ) -> bytes:
        """The answer to `body`. Raises as `get`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeouts:
    """How long one request may take, in seconds."""

    connect: float = 5.0
    read: float = 10.0
    """Without a byte."""
    total: float = 20.0
    """From the beginning to the last byte."""


class HttpFetcher:
    """Fetches by HTTP and HTTPS. Safe between threads."""

    def __init__(
        self,
        timeouts: Timeouts | None = None,
        *,
        proxy: str | None = None,
        user_agent: str = "emla",
        headers: dict[str, str] | None = None,
    ) -> None:
        """`headers` go with every request, e.g. the authorization that a service wants."""
        self._timeouts = timeouts or Timeouts()
        self._headers = {"User-Agent": user_agent, **(headers or {})}
        settings = {
            "timeout": urllib3.Timeout(self._timeouts.connect, self._timeouts.read),
            "retries": urllib3.Retry(total=_REDIRECTS, connect=0, read=0, redirect=_REDIRECTS),
        }
        self._pool: urllib3.PoolManager = (
            urllib3.ProxyManager(proxy, **settings)  # type: ignore[arg-type]
            if proxy
            else urllib3.PoolManager(**settings)  # type: ignore[arg-type]
        )

    def get(self, url: str, *, limit: int) -> bytes:
        """See `Fetcher`."""
        return self._answer("GET", url, None, {}, limit)

    def post(
        self,
        url: str,
        body: bytes,
        content_type: str,
        *,
        limit: int,
        accept: str | None = None,
        authorization: str | None = None,
    ) -> bytes:
        """See `Fetcher`; `authorization` is a header that is sent with it."""
        headers = {"Content-Type": content_type}
        if accept is not None:
            headers["Accept"] = accept
        if authorization is not None:
            headers["Authorization"] = authorization
        return self._answer("POST", url, body, headers, limit)

    def _answer(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], limit: int
    ) -> bytes:
        if urlsplit(url).scheme not in {"http", "https"}:
            raise _failed("refused", url, "only http and https are used")
        end = time.monotonic() + self._timeouts.total
        try:
            response = self._pool.request(
                method, url, body=body, headers=self._headers | headers, preload_content=False
            )
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            raise _failed("unreachable", url, _reason(error)) from error
        try:
            if response.status in {401, 403}:
                raise _failed("unauthorized", url, f"the server answered {response.status}")
            if response.status != 200:
                said = _printable(response.read1(_EXCERPT))
                raise _failed("refused", url, f"the server answered {response.status}{said}")
            return _read(response, url, limit, end)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise _failed("unreachable", url, _reason(error)) from error
        finally:
            # What was not read must not be waited for, so the connection is given up.
            response.close()
            response.release_conn()


def _read(response: urllib3.BaseHTTPResponse, url: str, limit: int, end: float) -> bytes:
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > limit:
            raise _failed("too-large", url, f"more than {limit} bytes")
        if time.monotonic() > end:
            raise _failed("unreachable", url, "the answer took too long")
    return bytes(content)


def _printable(body: bytes) -> str:
    text = "".join(c for c in body.decode("utf-8", "replace") if c.isprintable())
    return f" ({text})" if text else ""


def _reason(error: Exception) -> str:
    inner = getattr(error, "reason", None) or error
    return type(inner).__name__


def _failed(code: str, url: str, why: str) -> ConnectorError:
    return transient(
        f"web.{code}",
        f"{url[:200]} cannot be fetched: {why}.",
        mend="It is tried again; check the network, the proxy and the address.",
    )
