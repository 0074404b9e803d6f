"""Where the gateway's endpoint listens, and the certificate that it shows."""

from __future__ import annotations

import socket
import ssl
from typing import Any, Final

from connector.errors import ConnectorError, misconfigured
from connector.runtime.assembly import read_password
from connector.settings import Home

_BACKLOG: Final = 1024


def listen(address: str) -> socket.socket:
    """A socket that listens on `host:port`. Raises `gateway.cannot-listen` (configuration)."""
    host, _, port = address.rpartition(":")
    if not (port.isascii() and port.isdigit() and int(port) < 1 << 16):
        raise _cannot_listen(address, "it is no host:port")  # the resolver takes 70000 for 4464
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        # With the protocol named asyncio switches Nagle off, which else costs 40 ms a message.
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(_BACKLOG)
        except BaseException:
            listener.close()
            raise
    except OSError as error:
        raise _cannot_listen(address, error.strerror or str(error)) from error
    return listener


def _cannot_listen(address: str, why: str) -> ConnectorError:
    return misconfigured(
        "gateway.cannot-listen",
        f"The gateway's endpoint cannot listen on {address}: {why}.",
        mend="Stop what uses the port, or set another in [gateway] listen.",
        path="gateway.listen",
    )


def tls_options(home: Home) -> dict[str, Any]:
    """What uvicorn needs to serve HTTPS; empty for HTTP. Raises `gateway.tls` (configuration)."""
    tls = home.settings.gateway.tls_certificate
    if tls is None:
        return {}
    file = str(home.path(tls.file))
    password = read_password(home, tls.password_file)
    # An empty one, so that nothing ever asks on a terminal.
    text = (password or b"").decode("utf-8", "surrogateescape")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(file, password=text)
    except (OSError, ValueError) as error:
        raise misconfigured(
            "gateway.tls",
            f"The endpoint's certificate and key cannot be used: {error}.",
            mend="Put the key and the certificates, the endpoint's first, into one PEM file.",
            file=file,
            path="gateway.tls_certificate",
        ) from error
    return {"ssl_certfile": file, "ssl_keyfile_password": text}
