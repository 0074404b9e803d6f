"""Putting a connector together from its home: the one place where all parts meet."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from connector.delivery.folder import FolderBackend
from connector.directory.authorities import load_directory
from connector.errors import misconfigured
from connector.evidence.types import Profile
from connector.exchange.context import Connector, Identity, KeyRing
from connector.exchange.ports import Queue
from connector.exchange.reception import Reception
from connector.exchange.states import TimerName
from connector.queueing.open import open_queue
from connector.runtime.agreements import pmodes_of
from connector.settings import Home, KeyFile, TimeoutsSection
from connector.shipped import shipped
from connector.signature.key_sources import is_file, open_decryption_key, open_signing_key
from connector.signature.keys import DecryptionKey, SigningKey
from connector.signature.policy_file import load_policy
from connector.signature.trust import TrustStore
from connector.store.sql_store import SqlStore, open_store
from connector.translation.formats import Formats, load_formats
from gateway_client.as4.client import As4Client
from gateway_client.domibus.access import Access
from gateway_client.domibus.gateway import DomibusGateway
from gateway_client.model import Gateway, PullGateway
from gateway_client.pmode.model import PModes


@dataclass(frozen=True)
class Assembly:
    """A connector's parts, opened. `close` when done."""

    home: Home
    connector: Connector
    store: SqlStore
    pmodes: PModes
    transport: SigningKey
    decryption: DecryptionKey | None
    reception: Reception
    pull: PullGateway | None
    """The gateway to be polled, where there is one."""

    def queue(self) -> Queue:
        """A queue connection for one worker thread."""
        return open_home_queue(self.home, self.store)

    def close(self) -> None:
        """Close connections and files."""
        self.connector.gateway.close()
        self.store.close()


def open_home_store(home: Home) -> SqlStore:
    """The store of a home, its tables brought up to date. Raises `store.*`."""
    return open_store(home.store_url, home.path(home.settings.store.payloads))


def open_home_queue(home: Home, store: SqlStore) -> Queue:
    """A connection to the queue of a home. Raises `queue.url`."""
    section = home.settings.queue
    return open_queue(
        section.url, store, prefix=section.prefix, ladder=section.ladder, lease=section.lease
    )


def assemble(home: Home) -> Assembly:
    """Everything opened as the settings say.

    Raises `ConnectorError` (configuration): whatever `key.*`, `trust.*`, `directory.*`,
    `mapping.*`, `partner.*`, `policy.*` finds; `store.*` where the database cannot be opened.
    """
    settings = home.settings
    policy = load_policy(home.path(settings.trust.policy) if settings.trust.policy else None)
    pmodes = pmodes_of(home, policy)
    transport = load_key(home, settings.keys.transport)
    formats = home_formats(home)
    formats[settings.delivery.format]  # refuses a format that does not exist
    store = open_home_store(home)
    gateway, pull = _gateway(home, pmodes, transport, store)
    connector = Connector(
        identity=identity_of(home),
        store=store,
        gateway=gateway,
        backend=FolderBackend(
            home.path(settings.delivery.path), settings.delivery.format, store.payloads
        ),
        keys=_key_ring(home),
        trust=TrustStore.from_folder(home.path(settings.trust.folder)),
        policy=policy,
        directory=load_directory(home.path(settings.directory)),
        formats=formats,
        limits=limits_of(settings.timeouts),
        ladder=settings.queue.ladder,
        profiles={each.party: Profile(each.evidence_profile) for each in settings.partner},
        clock=utc_now,
        new_id=new_id,
        random=secrets.SystemRandom().random,
    )
    return Assembly(
        home=home,
        connector=connector,
        store=store,
        pmodes=pmodes,
        transport=transport,
        decryption=load_decryption(home),
        reception=Reception(
            store,
            settings.connector.party,
            handover=connector.limits[TimerName.HANDOVER],
            clock=utc_now,
            new_id=new_id,
        ),
        pull=pull,
    )


def utc_now() -> datetime:
    """The clock of a running connector."""
    return datetime.now(UTC)


def new_id() -> str:
    """A fresh UUID."""
    return str(uuid.uuid4())


def home_formats(home: Home) -> Formats:
    """The formats that emla ships and those of the home, with their official schemas."""
    official = {
        name: home.path(section.official_schemas)
        for name, section in home.settings.format.items()
        if section.official_schemas is not None
    }
    folders = [shipped("mappings"), *map(home.path, home.settings.mappings)]
    return load_formats(folders, official=official)


def limits_of(timeouts: TimeoutsSection) -> Mapping[TimerName, timedelta]:
    """The settings' limits by the timer that watches each."""
    return {
        TimerName.SUBMISSION: timeouts.submission,
        TimerName.RELAY_WARN: timeouts.relay_warn,
        TimerName.RELAY: timeouts.relay,
        TimerName.DELIVERY_WARN: timeouts.delivery_warn,
        TimerName.DELIVERY: timeouts.delivery,
        TimerName.RETRIEVAL_WARN: timeouts.retrieval_warn,
        TimerName.RETRIEVAL: timeouts.retrieval,
        # What the other side waits for at most, this side must have done.
        TimerName.HANDOVER: timeouts.delivery,
        TimerName.FETCH: timeouts.retrieval,
    }


def load_key(home: Home, key: KeyFile) -> SigningKey:
    """A signing key that the settings name. Raises `key.*`."""
    return open_signing_key(_location(home, key), read_password(home, key.password_file))


def _location(home: Home, key: KeyFile) -> str:
    """A file's path, or the URI of a key in a token as it is."""
    location = str(key.file)
    return str(home.path(key.file)) if is_file(location) else location


def _key_ring(home: Home) -> KeyRing:
    keys = home.settings.keys
    signature = load_key(home, keys.signature)
    return KeyRing(
        signature=signature,
        seal=load_key(home, keys.seal) if keys.seal else signature,
        evidence=load_key(home, keys.evidence) if keys.evidence else signature,
    )


def load_decryption(home: Home) -> DecryptionKey | None:
    """The transport key decrypts, too, unless another gateway does that. Raises `key.*`."""
    settings = home.settings
    if settings.gateway.kind != "as4":
        return None
    key = settings.keys.transport
    return open_decryption_key(_location(home, key), read_password(home, key.password_file))


def read_password(home: Home, file: Path | None) -> bytes | None:
    """What a password file holds, without the end of its line. Raises `key.password-file`."""
    if file is None:
        return None
    path = home.path(file)
    try:
        return path.read_bytes().rstrip(b"\r\n")
    except OSError as error:
        raise misconfigured(
            "key.password-file",
            f"The password file cannot be read: {error.strerror}.",
            file=str(path),
        ) from error


def identity_of(home: Home) -> Identity:
    """Who the connector of a home is."""
    section, address = home.settings.connector, home.settings.address
    return Identity(
        country=section.country,
        party=section.party,
        name=section.name,
        authority=section.authority,
        street=address.street,
        locality=address.locality,
        postal_code=address.postal_code,
    )


def _gateway(
    home: Home, pmodes: PModes, transport: SigningKey, store: SqlStore
) -> tuple[Gateway, PullGateway | None]:
    section = home.settings.gateway
    if section.kind == "as4":
        return As4Client(pmodes, transport, scratch=store.payloads.scratch()), None
    if section.domibus_url is None:
        raise misconfigured(
            "settings.invalid",
            "The gateway is a Domibus, but its address is missing.",
            mend="Set [gateway] domibus_url to the address of its WS plugin.",
            path="gateway.domibus_url",
        )
    password = read_password(home, section.domibus_password_file)
    spool = home.folder / "spool"
    spool.mkdir(mode=0o700, exist_ok=True)
    domibus = DomibusGateway(
        Access(
            url=section.domibus_url,
            user=section.domibus_user,
            password=password.decode() if password is not None else None,
            timeout=section.timeout,
            max_message_bytes=section.max_message_bytes,
        ),
        spool,
    )
    return domibus, domibus
