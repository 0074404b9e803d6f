"""Homes of several connectors that know each other, made below one folder."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import tomli_w

from connector.directory.authorities import EXAMPLES, load_directory
from connector.settings import FILE_NAME, Home, load
from connector.signature.pki import KeyType, Pki, make_pki

NATIONAL_FORMATS: Final = {"DE": "xjustiz", "FR": "case-json", "BR": "register-csv"}
"""What each country of the demonstration works with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a network is made of."""

    countries: Sequence[str] = ("DE", "FR", "BR")
    formats: Mapping[str, str] = field(default_factory=lambda: NATIONAL_FORMATS)
    key_type: KeyType = KeyType.RSA_2048
    endpoints: Mapping[str, str] = field(default_factory=dict)
    """Where others reach a country, if not at its own address (a proxy that a test puts before)."""
    extra: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Further settings by country; a table is merged, anything else replaced."""
    common: Mapping[str, Any] = field(default_factory=dict)
    """Further settings of every country."""


def make_network(
    folder: Path, plan: Plan, now: datetime, *, keys: Pki | None = None
) -> dict[str, Home]:
    """A home for each country: keys, trust, directory, settings; each knows all the others.

    `keys` are those of an earlier network, if they are to serve again.
    """
    keys = keys or make_pki(folder / "pki", plan.countries, now, key_type=plan.key_type)
    ports = dict(zip(plan.countries, free_ports(len(plan.countries)), strict=True))
    homes = {}
    for country in plan.countries:
        home = folder / country
        home.mkdir(mode=0o700, parents=True)
        shutil.copytree(keys.trust, home / "trust")
        shutil.copyfile(EXAMPLES, home / "directory.toml")
        own = keys.countries[country]
        name = _party(country)
        settings: dict[str, Any] = {
            "connector": {
                "country": country,
                "party": name,
                "name": f"Demonstration connector {country}",
                "authority": central_authority(country),
            },
            "address": {"street": "-", "locality": "-", "postal_code": "-"},
            "keys": {
                "signature": {"file": str(own.signature)},
                "seal": {"file": str(own.seal)},
                "evidence": {"file": str(own.evidence)},
                "transport": {"file": str(own.transport)},
            },
            "trust": {"folder": "trust"},
            "gateway": {"kind": "as4", "listen": f"127.0.0.1:{ports[country]}"},
            "delivery": {"format": plan.formats[country]},
            "partner": [
                {
                    "country": other,
                    "party": _party(other),
                    "endpoint": plan.endpoints.get(other, f"http://127.0.0.1:{ports[other]}/as4"),
                    "certificate": str(keys.countries[other].transport_certificate),
                }
                for other in plan.countries
                if other != country
            ],
        }
        _merge(settings, plan.common)
        _merge(settings, plan.extra.get(country, {}))
        with (home / FILE_NAME).open("wb") as file:
            tomli_w.dump(settings, file)
        homes[country] = load(home)
    return homes


def central_authority(country: str) -> str:
    """Identifier of the central authority of a country of the demonstration."""
    directory = load_directory(EXAMPLES)
    return next(a.identifier for a in directory.authorities if a.party == _party(country))


def _party(country: str) -> str:
    return f"connector-{country.lower()}"


def free_ports(count: int) -> list[int]:
    """Ports of loopback that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def _merge(settings: dict[str, Any], more: Mapping[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, Mapping) and isinstance(settings.get(name), dict):
            settings[name] = {**settings[name], **value}
        else:
            settings[name] = value
