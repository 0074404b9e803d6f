"""Looking at where a connector works: store, queue, gateway, folders, disk."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connector.errors import ConnectorError, transient
from connector.homes.agreements import PATIENCE, silence
from connector.homes.findings import Aspect, Collector, Looking
from connector.settings import FILE_NAME
from connector.store.database import Database, sqlite_file
from connector.store.migrate import HEAD, revision

_LITTLE: Final = 1024**3
_NOTHING: Final = 64 * 1024**2
_OTHERS_READ: Final = 0o044


def store(look: Looking) -> Aspect:
    """Whether the database can be opened and is up to date."""
    found = Collector()
    url = look.home.store_url
    try:
        database = Database(url)
    except ConnectorError as error:
        found.caught(error, path="store.url")
        return found.aspect("store")
    shown = database.url.render_as_string(hide_password=True)
    try:
        if database.is_sqlite and not sqlite_file(database.url).exists():
            _writable(sqlite_file(database.url).parent, "store.url", found)
            return found.aspect("store", f"{shown}, made at the first start")
        if not database.is_sqlite and not look.network:
            return found.aspect("store", f"{shown}, not asked")
        at = revision(database)
        if at is not None and at > HEAD:
            found.error(
                "store.newer-schema",
                f"The store's tables are at revision {at}; this version of emla knows {HEAD}.",
                mend="Install the version of emla that was used last, or a newer one.",
                path="store.url",
            )
        elif at != HEAD:
            shown += ", brought up to date at the next start"
    except ConnectorError as error:
        found.caught(error, path="store.url")
    finally:
        database.close()
    return found.aspect("store", shown)


def queue(look: Looking) -> Aspect:
    """Whether the broker answers and lets the connector in."""
    found = Collector()
    url = look.home.settings.queue.url
    if url == "embedded":
        return found.aspect("queue", "embedded in the store")
    if not url.startswith(("amqp://", "amqps://")):
        found.error(
            "queue.url",
            "The queue's URL is neither `embedded` nor an amqp:// URL.",
            mend="Write `embedded`, or amqp://user:password@host:5672/vhost.",
            path="queue.url",
        )
        return found.aspect("queue")
    shown = f"RabbitMQ at {urlsplit(url).hostname}"
    if not look.network:
        return found.aspect("queue", f"{shown}, not asked")
    try:
        _knock(url)
    except ConnectorError as error:
        found.caught(error, path="queue.url")
    return found.aspect("queue", shown)


def _knock(url: str) -> None:
    import pika

    from connector.queueing.amqp_failures import bad_url, failure

    try:
        parameters = pika.URLParameters(url)
    except (ValueError, TypeError) as error:
        raise bad_url() from error
    parameters.socket_timeout = parameters.stack_timeout = PATIENCE
    parameters.blocked_connection_timeout = PATIENCE
    parameters.connection_attempts = 1
    try:
        pika.BlockingConnection(parameters).close()
    except Exception as error:  # the names of all failures are in the translation
        raise failure(error) from error


def gateway(look: Looking) -> Aspect:
    """Whether the endpoint can listen, or the Domibus answers."""
    found = Collector()
    section = look.home.settings.gateway
    if section.kind == "as4":
        _listen(section.listen, found)
        return found.aspect("gateway", f"AS4, listening on {section.listen}{section.path}")
    if not section.domibus_url:
        found.error(
            "settings.invalid",
            "The gateway is a Domibus, but its address is missing.",
            mend="Set [gateway] domibus_url to the address of its WS plugin.",
            path="gateway.domibus_url",
        )
        return found.aspect("gateway", "Domibus")
    if section.domibus_password_file is not None:
        _password_file(look.home.path(section.domibus_password_file), found)
    if look.network and (why := silence(section.domibus_url)):
        error = transient(
            "gateway.unreachable",
            f"The Domibus does not answer at {section.domibus_url}: {why}.",
            mend="Start it, or correct [gateway] domibus_url.",
        )
        found.caught(error, path="gateway.domibus_url")
    return found.aspect("gateway", f"Domibus at {section.domibus_url}")


def _listen(address: str, found: Collector) -> None:
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        found.error(
            "gateway.listen",
            f"{address!r} is no address to listen on.",
            mend="Write host:port, e.g. 127.0.0.1:8080 or 0.0.0.0:8443.",
            path="gateway.listen",
        )
        return
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, int(port)))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            found.warn(
                "gateway.port-in-use",
                f"Something listens on {address} already.",
                mend="That is right if this connector runs; else set another port.",
                path="gateway.listen",
            )
            return
        found.error(
            "gateway.cannot-listen",
            f"The gateway cannot listen on {address}: {error.strerror or error}.",
            mend="Set an address of this machine and a port from 1024 on.",
            path="gateway.listen",
        )


def _password_file(path: Path, found: Collector) -> None:
    try:
        mode = path.stat().st_mode
        path.read_bytes()
    except OSError as error:
        found.error(
            "key.password-file",
            f"The password file cannot be read: {error.strerror}.",
            mend="Write the password into it, and nothing else.",
            file=str(path),
        )
        return
    if mode & _OTHERS_READ:
        found.warn(
            "key.readable-by-others",
            f"Others may read the password (mode {mode & 0o777:o}).",
            mend=f"Run: chmod 600 {path}",
            file=str(path),
        )


def folders(look: Looking) -> Aspect:
    """Whether the connector can write where it must, and no folder serves two purposes."""
    found = Collector()
    home, settings = look.home, look.home.settings
    named = {
        "intake.path": home.path(settings.intake.path),
        "intake.accepted": home.path(settings.intake.accepted),
        "intake.refused": home.path(settings.intake.refused),
        "delivery.path": home.path(settings.delivery.path),
        "store.payloads": home.path(settings.store.payloads),
    }
    owners: dict[Path, str] = {}
    for entry, path in named.items():
        _writable(path, entry, found)
        first = owners.setdefault(path.resolve(), entry)
        if first != entry:
            found.error(
                "folders.same",
                f"{first} and {entry} are the same folder.",
                mend="Give each a folder of its own.",
                file=str(path),
                path=entry,
            )
    _secrets(look, found)
    return found.aspect("folders", "intake, accepted, refused, delivered, payloads")


def _secrets(look: Looking, found: Collector) -> None:
    file = look.home.folder / FILE_NAME
    settings = look.home.settings
    with_password = [
        entry
        for entry, url in (("store.url", settings.store.url), ("queue.url", settings.queue.url))
        if urlsplit(url).password
    ]
    if with_password and file.stat().st_mode & _OTHERS_READ:
        found.warn(
            "settings.readable-by-others",
            f"A password stands in {', '.join(with_password)}, and others may read the settings.",
            mend=f"Run: chmod 600 {file}, or set the URL in the environment.",
            file=str(file),
        )


def _writable(folder: Path, entry: str, found: Collector) -> None:
    """Whether a file can be made in the folder, or the folder itself where it is not there yet."""
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        if not place.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        with tempfile.TemporaryFile(dir=place):
            pass
    except OSError as error:
        found.error(
            "folders.not-writable",
            f"Nothing can be written there: {error.strerror}.",
            mend="Give the connector's user the right to write, or name another folder.",
            file=str(folder),
            path=entry,
        )


def disk(look: Looking) -> Aspect:
    """Room for what comes in."""
    found = Collector()
    place = look.home.path(look.home.settings.store.payloads)
    while not place.exists() and place != place.parent:
        place = place.parent
    free = shutil.disk_usage(place).free
    shown = f"{free / 1024**3:.1f} GiB free"
    if free < _LITTLE:
        tell = found.error if free < _NOTHING else found.warn
        tell(
            "disk.little-room",
            f"Only {shown} where payloads are kept.",
            mend="Make room: without it nothing is accepted.",
            file=str(place),
        )
    return found.aspect("disk", shown)
