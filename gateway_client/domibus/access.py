"""HTTP to the WS plugin: where it is, who asks, and what may take how long."""

from __future__ import annotations

import base64
import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)

from connector.errors import ConnectorError, misconfigured, transient, unacceptable
from gateway_client.mime import CHUNK

_SOAP_TYPES: Final = ("application/soap+xml", "application/xop+xml", "text/xml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to reach the WS plugin. Raises `domibus.url` or `domibus.password-in-clear`
    (configuration) for what must not be used."""

    url: str
    """e.g. `https://gateway.example/domibus/services/backend`; https unless on this machine."""
    user: str | None = None
    """The plugin user for HTTP basic authentication."""
    password: str | None = field(default=None, repr=False)
    timeout: timedelta = timedelta(seconds=60)
    """For a connection, and for each wait for the next bytes of an answer."""
    transfer_timeout: timedelta = timedelta(hours=1)
    """For one answer as a whole."""
    max_message_bytes: int = 16 * 1024**3
    """Of one retrieved message, MIME included."""
    ca_file: Path | None = None
    """PEM of the authorities that may vouch for the gateway; the system's if None."""
    client_certificate: Path | None = None
    """PEM of our certificate and key for mutual TLS."""
    plain_http: bool = False
    """Allow a password over http to another machine (a network that is protected otherwise)."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise misconfigured(
                "domibus.url",
                f"{self.url!r} is no http(s) address of a WS plugin.",
                mend="Give scheme, host and path; user and password have settings of their own.",
            )
        clear = parts.scheme == "http" and not _is_local(parts.hostname)
        if self.password is not None and clear and not self.plain_http:
            raise misconfigured(
                "domibus.password-in-clear",
                f"The plugin user's password would travel unprotected to {parts.hostname}.",
                mend="Use https.",
            )


def _is_local(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@dataclass(slots=True)
class Answer:
    """An HTTP answer whose body is read once."""

    url: str
    status: int
    content_type: str
    chunks: Iterator[bytes]

    @property
    def is_soap(self) -> bool:
        """Whether the body may be a SOAP message, with or without attachments."""
        name = self.content_type.partition(";")[0].strip().lower()
        return name in _SOAP_TYPES or name == "multipart/related"

    def read(self, limit: int = 16 * CHUNK) -> bytes:
        """The whole body. Raises `domibus.answer-too-large` (unacceptable) beyond `limit`."""
        body = bytearray()
        for chunk in self.chunks:
            body += chunk
            if len(body) > limit:
                raise unacceptable(
                    "domibus.answer-too-large", f"The answer has more than {limit} bytes."
                )
        return bytes(body)


class Connections:
    """A pool of connections to one WS plugin; may be used by several threads."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._headers = {"SOAPAction": '""', "Accept-Encoding": "identity"}
        if access.user is not None:
            credentials = f"{access.user}:{access.password or ''}".encode()
            self._headers["Authorization"] = f"Basic {base64.b64encode(credentials).decode()}"
        https = urlsplit(access.url).scheme == "https"
        self._pool = urllib3.PoolManager(
            maxsize=16,
            retries=False,
            timeout=urllib3.Timeout(access.timeout.total_seconds()),
            ssl_context=_tls(access) if https else None,
        )

    @contextmanager
    def post(self, content_type: str, body: bytes | Iterable[bytes], size: int) -> Iterator[Answer]:
        """Send one request; the answer is valid inside the block.

        Raises `ConnectorError`: transient `domibus.unreachable`, `domibus.timeout`,
        `domibus.connection-lost`; configuration `domibus.tls`.
        """
        headers = {**self._headers, "Content-Type": content_type, "Content-Length": str(size)}
        with self._told():
            response = self._pool.request(
                "POST",
                self.access.url,
                body=body,
                headers=headers,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        kind = response.headers.get("Content-Type", "")
        complete = False
        try:
            yield Answer(self.access.url, response.status, kind, self._chunks(response))
            complete = response.closed
        finally:
            # What has not been read to its end cannot carry another request.
            if complete:
                response.release_conn()
            else:
                response.close()

    def _chunks(self, response: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
        deadline = time.monotonic() + self.access.transfer_timeout.total_seconds()
        with self._told():
            for chunk in response.stream(CHUNK):
                yield chunk
                if time.monotonic() > deadline:
                    raise transient(
                        "domibus.timeout",
                        f"{self.access.url} has not finished its answer within "
                        f"{self.access.transfer_timeout}.",
                    )

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except HTTPError as error:
            raise self._failure(error) from error

    def _failure(self, error: HTTPError) -> ConnectorError:
        url = self.access.url
        if isinstance(error, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(error):
            return misconfigured(
                "domibus.tls",
                f"The certificate of {url} is not trusted: {error}",
                mend="Name the gateway's authority in the settings.",
            )
        if isinstance(error, NewConnectionError | SSLError):  # the first is a ConnectTimeoutError
            return transient("domibus.unreachable", f"{url} cannot be reached: {error}")
        if isinstance(error, ConnectTimeoutError | ReadTimeoutError):
            return transient(
                "domibus.timeout", f"{url} has not answered within {self.access.timeout}."
            )
        return transient("domibus.connection-lost", f"The connection to {url} broke: {error}")

    def close(self) -> None:
        """Close idle connections."""
        self._pool.clear()


def _tls(access: Access) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=access.ca_file)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if access.client_certificate is not None:
            context.load_cert_chain(access.client_certificate)
    except (OSError, ssl.SSLError) as error:
        raise misconfigured(
            "domibus.tls-files",
            f"The certificates for {access.url} cannot be read: {error}",
            mend="Name PEM files; a key must not be encrypted.",
        ) from error
    return context
