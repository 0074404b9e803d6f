"""Making the home of a new connector: settings, directory, folders, and keys to begin with."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from string import Template
from typing import Final

import tomli_w
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from connector.directory.countries import Country
from connector.errors import misconfigured
from connector.settings import FILE_NAME, Home, load
from connector.signature.pki import Authority, KeyType, write_key
from connector.translation.formats import Formats

NOT_FOR_PRODUCTION: Final = "not for production"
"""Stands in the name of every certificate that is made here."""
TRANSPORT_CERTIFICATE: Final = "keys/transport-certificate.pem"
"""Without its key: for the partners."""
PURPOSES: Final = ("signature", "seal", "evidence", "transport")
_FOLDERS: Final = ("keys", "trust", "partners", "intake", "accepted", "refused", "delivered")
_TEMPLATE: Final = Path(__file__).with_name("settings.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Founding:
    """What a home is made of."""

    country: Country
    party: str
    name: str
    authority: str
    """Identifier of the authority that the directory begins with."""
    authority_name: str
    format: str
    """National format of the country's documents."""
    listen: str
    key_type: KeyType | None
    """None if the operator brings keys along."""


def found(folder: Path, founding: Founding, now: datetime) -> Home:
    """Make a home in `folder`, whole or not at all.

    Raises `ConnectorError` (configuration): `home.exists` if there is anything in the folder,
    `home.cannot-make`.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise misconfigured(
            "home.exists",
            "There is something here already; nothing was changed.",
            mend="Name a new folder, or remove this one if it is of no use any more.",
            file=str(folder),
        )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        try:
            _fill(made, founding, now)
            made.rename(folder)  # replaces an empty folder
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
    except OSError as error:
        raise misconfigured(
            "home.cannot-make",
            f"The home cannot be made: {error.strerror}.",
            mend="Check the folder that it is to be in.",
            file=str(folder),
        ) from error
    return load(folder)


def _fill(folder: Path, founding: Founding, now: datetime) -> None:
    for name in _FOLDERS:
        (folder / name).mkdir(mode=0o700)
    settings = folder / FILE_NAME
    settings.touch(mode=0o600)  # passwords may stand in it one day
    settings.write_text(_settings(founding), "utf-8")
    (folder / "directory.toml").write_text(_directory(founding), "utf-8")
    if founding.key_type is not None:
        _make_keys(folder, founding, founding.key_type, now)


def _settings(founding: Founding) -> str:
    note = _NO_KEYS if founding.key_type is None else _SELF_MADE_KEYS
    values = {
        "country": founding.country.code,
        "party": founding.party,
        "name": founding.name,
        "authority": founding.authority,
        "listen": founding.listen,
        "format": founding.format,
    }
    quoted = {name: _quoted(value) for name, value in values.items()}
    template = Template(_TEMPLATE.read_text("utf-8"))
    return template.substitute(quoted, key_note=note, certificate=TRANSPORT_CERTIFICATE)


_NO_KEYS: Final = "# Put the files there that are named here."
_SELF_MADE_KEYS: Final = """\
# `emla init` made these to begin with: NOT FOR PRODUCTION. Get certificates from a trust service
# provider, put them in their place, and remove trust/self-made-root.pem."""


def _quoted(value: str) -> str:
    """A TOML basic string, which is written like one of JSON."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _directory(founding: Founding) -> str:
    own = {
        "identifier": founding.authority,
        "country": founding.country.code,
        "role": "central",
        "party": founding.party,
        "names": {"en": founding.authority_name},
    }
    return _DIRECTORY_NOTE + tomli_w.dumps({"authority": [own]})


_DIRECTORY_NOTE: Final = """\
# The authorities that messages come from and go to: one table each.
#
#   identifier  world-wide unique; stands in every message
#   country     ISO 3166-1 alpha-2
#   role        issuing, validating, central, diplomatic, executing, contact-point, interpol-ncb
#   party       the connector that serves it: this one, or a partner's
#   names       by language, e.g. { de = "...", en = "..." }
#   format      optional: the national format that it reads and writes

"""


def _make_keys(folder: Path, founding: Founding, key_type: KeyType, now: datetime) -> None:
    of = f"{founding.party}, {NOT_FOR_PRODUCTION}"
    country = founding.country.code
    root = Authority.root(f"Self-made root of {of}", now, key_type=key_type)
    issuer = root.authority(f"Self-made CA of {of}", now, country=country, key_type=key_type)
    for purpose in PURPOSES:
        transport = purpose == "transport"
        key = issuer.issue(
            f"{founding.party}, {purpose}",
            now,
            country=country,
            # eDelivery AS4 1.15 encrypts content keys with RSA.
            key_type=KeyType.RSA_3072 if transport and "rsa" not in key_type else key_type,
            encipherment=transport,
        )
        write_key(folder / "keys" / f"{purpose}.pem", key)
        if transport:
            _write_certificate(folder / TRANSPORT_CERTIFICATE, key.certificate)
    _write_certificate(folder / "trust" / "self-made-root.pem", root.key.certificate)


def _write_certificate(path: Path, certificate: x509.Certificate) -> None:
    path.write_bytes(certificate.public_bytes(Encoding.PEM))
    os.chmod(path, 0o644)  # noqa: PTH101 - for everybody


def format_for(country: str, formats: Formats) -> str:
    """The format that documents of a country are likely to be in: its own, else one of no country,
    else the first."""
    known = sorted(formats.by_name)
    own = [name for name in known if formats[name].mapping.format.country == country]
    neutral = [name for name in known if formats[name].mapping.format.country is None]
    return (own or neutral or known)[0]
