"""Looking at what a home says of others: partners, authorities, national formats."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final
from urllib.parse import urlsplit

from connector.directory.authorities import Directory, load_directory
from connector.errors import ConnectorError
from connector.homes.credentials import certificate_problems, expiry, policy_of
from connector.homes.findings import Aspect, Collector, Looking
from connector.runtime.agreements import load_certificate
from connector.runtime.assembly import home_formats
from connector.settings import PartnerSection
from connector.signature.trust import Purpose, TrustStore
from connector.translation.official import OfficialSchemas

PATIENCE: Final = 3.0
"""Seconds that somebody on the network has to answer."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def partners(look: Looking) -> Aspect:
    """Each partner: certificate, trust, address, and whether somebody is there."""
    found = Collector()
    sections = look.home.settings.partner
    _names(look, sections, found)
    for place, section in enumerate(sections):
        _certificate(look, section, f"partner.{place}.certificate", found)
        _endpoint(section, f"partner.{place}.endpoint", found)
    if look.network:
        _reachable(sections, found)
    if not sections:
        found.warn(
            "partner.none",
            "There is no partner yet, so nothing can be sent or received.",
            mend="Add a [[partner]] table for each connector that you exchange messages with.",
            path="partner",
        )
    return found.aspect("partners", f"{len(sections)} partners")


def _names(look: Looking, sections: Sequence[PartnerSection], found: Collector) -> None:
    own = look.home.settings.connector.party
    for party, times in Counter(each.party for each in sections).items():
        if times > 1:
            found.error(
                "partner.doubled",
                f"The party {party} is there {times} times.",
                mend="Keep one table for each partner.",
                path="partner",
            )
        if party == own:
            found.error(
                "partner.own-party",
                f"A partner has this connector's own party {party}.",
                mend="Give each connector a party name of its own.",
                path="partner",
            )


def _certificate(look: Looking, section: PartnerSection, path: str, found: Collector) -> None:
    file = look.home.path(section.certificate)
    try:
        certificate = load_certificate(file)
    except ConnectorError as error:
        found.caught(error, path=path)
        return
    policy = policy_of(look)
    where = {"file": str(file), "path": path}
    purposes = [Purpose.SIGNATURE, Purpose.ENCRYPTION]
    certificate_problems(certificate, look.now, policy, found, purposes, **where)
    expiry(certificate, look.now, look.warn_before, found, **where)
    try:
        trust = TrustStore.from_folder(look.home.path(look.home.settings.trust.folder))
    except ConnectorError:
        return  # `trust` tells
    try:
        trust.validate(certificate, (), look.now, policy)
    except ConnectorError as error:
        if error.code == "certificate.unknown-issuer":
            found.warn(
                "partner.not-trusted",
                f"Nobody in the trust folder issued the certificate of {section.party}; its "
                "envelopes and evidences will hardly be trusted either.",
                mend="Put the CA certificates of the partner into the trust folder.",
                **where,
            )


def _endpoint(section: PartnerSection, path: str, found: Collector) -> None:
    address = urlsplit(section.endpoint)
    if address.scheme not in {"http", "https"} or not address.hostname:
        found.error(
            "partner.endpoint",
            f"{section.endpoint!r} is no address of a gateway.",
            mend="Write https://host/path as the partner says it.",
            path=path,
        )
    elif address.scheme == "http" and address.hostname not in _LOOPBACK:
        found.warn(
            "partner.no-tls",
            f"Messages to {section.party} travel without TLS; their content is encrypted, who "
            "talks with whom is not.",
            mend="Ask the partner for an https:// address.",
            path=path,
        )


def _reachable(sections: Sequence[PartnerSection], found: Collector) -> None:
    with ThreadPoolExecutor(max_workers=8) as pool:
        answers = pool.map(lambda each: silence(each.endpoint), sections)
        for place, (section, problem) in enumerate(zip(sections, answers, strict=True)):
            if problem:
                found.warn(
                    "partner.unreachable",
                    f"{section.party} does not answer at {section.endpoint}: {problem}.",
                    mend="Ask the partner, or look at the network in between. Messages wait.",
                    path=f"partner.{place}.endpoint",
                )


def silence(url: str) -> str:
    """Why nobody takes a connection at the host and port of `url`; empty if somebody does."""
    address = urlsplit(url)
    try:
        port = address.port or {"https": 443, "http": 80}.get(address.scheme, 0)
        if not address.hostname or not port:
            return ""  # told as a wrong address
        socket.create_connection((address.hostname, port), timeout=PATIENCE).close()
    except (OSError, ValueError) as error:
        return str(getattr(error, "strerror", None) or error)
    return ""


def directory(look: Looking) -> Aspect:
    """The directory, the connector's own authority in it, and who serves the others."""
    found = Collector()
    settings = look.home.settings
    file = look.home.path(settings.directory)
    try:
        loaded = load_directory(file)
    except ConnectorError as error:
        found.caught(error, path="directory")
        return found.aspect("directory")
    _own_authority(look, loaded, found)
    known = {settings.connector.party, *(each.party for each in settings.partner)}
    strangers = sorted({each.party for each in loaded.authorities} - known)
    if strangers:
        found.warn(
            "directory.unknown-party",
            f"Authorities are served by {', '.join(strangers)}, who is no partner.",
            mend="Add a [[partner]] table, or mend the party in the directory.",
            file=str(file),
        )
    for party in sorted(known - {each.party for each in loaded.authorities}):
        found.warn(
            "directory.party-without-authority",
            f"The directory has no authority that {party} serves, so nothing can be sent to it.",
            mend="Add its authorities to the directory.",
            file=str(file),
        )
    return found.aspect("directory", f"{len(loaded.authorities)} authorities")


def _own_authority(look: Looking, loaded: Directory, found: Collector) -> None:
    own = look.home.settings.connector
    entry = loaded.find(own.authority)
    if entry is None:
        found.error(
            "directory.unknown-authority",
            f"The connector's own authority {own.authority} is not in the directory.",
            mend="Add it, or correct [connector] authority.",
            file=str(look.home.path(look.home.settings.directory)),
            path="connector.authority",
        )
    elif entry.party != own.party:
        found.error(
            "directory.wrong-party",
            f"{own.authority} is served by {entry.party} in the directory; this is {own.party}.",
            mend="Correct the party in the directory, or [connector] authority.",
            path="connector.authority",
        )


def formats(look: Looking) -> Aspect:
    """The mappings, the format of deliveries, and the official schemas."""
    found = Collector()
    settings = look.home.settings
    try:
        loaded = home_formats(look.home)
    except ConnectorError as error:
        found.caught(error)
        loaded = None
    for place in settings.mappings:
        if not look.home.path(place).is_dir():
            found.error(
                "mapping.folder-missing",
                "There is no such folder of mappings.",
                mend="Correct it, or remove it from mappings.",
                file=str(look.home.path(place)),
                path="mappings",
            )
    if loaded is None:
        return found.aspect("formats")
    try:
        loaded[settings.delivery.format]
    except ConnectorError as error:
        found.caught(error, path="delivery.format")
    for each in loaded.by_name.values():
        if each.official is not None:
            _official(each.name, each.official, found)
    return found.aspect("formats", ", ".join(sorted(loaded.by_name)))


def _official(name: str, schemas: OfficialSchemas, found: Collector) -> None:
    wanted = [*schemas.xsd, *(file for rules in schemas.rules for file in rules.files)]
    missing = [pattern for pattern in wanted if not any(schemas.folder.glob(pattern))]
    if missing:
        found.error(
            "official.files-missing",
            f"Official files are missing: {', '.join(missing)}.",
            mend="Put the official XSDs and rules there, all of one version.",
            file=str(schemas.folder),
            path=f"format.{name}.official_schemas",
        )
