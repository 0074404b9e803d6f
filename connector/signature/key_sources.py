"""A key wherever it is, by what the settings say: a file (PEM, PKCS#12), a token, a remote service.

    keys/signature.pem
    pkcs11:token=emla;object=signature?module-path=/usr/lib/softhsm/libsofthsm2.so
    keys/signature.csc.toml

The last is a file like this, readable by its owner only:

    url = "https://signing.example/"
    credential = "GX0112348"
    client_id = "emla"
    client_secret = "..."
    pin = "..."              # of the credential, where the service wants one
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

from connector.errors import ConnectorError, misconfigured
from connector.signature.keys import (
    DecryptionKey,
    SigningKey,
    load_decryption_key,
    load_signing_key,
    private_file,
)

_PKCS11: Final = "pkcs11:"
_SERVICE: Final = ".csc.toml"
_NEEDED: Final = frozenset({"url", "credential", "client_id", "client_secret"})
_KNOWN: Final = _NEEDED | {"pin"}


def is_file(location: str) -> bool:
    """Whether a location is that of a file, and not in a token."""
    return not location.startswith(_PKCS11)


def open_signing_key(location: str, secret: bytes | None = None) -> SigningKey:
    """The key at `location`; `secret` is the file's password, or the token's PIN.

    Raises `ConnectorError`: `key.*` (configuration, or transient where a device does not answer),
    `web.*` (transient).
    """
    if location.startswith(_PKCS11):
        # Imported here and below: few need these, and they load libraries of their own.
        from connector.signature.pkcs11_keys import Pkcs11Key, load_pkcs11_key

        return load_pkcs11_key(Pkcs11Key.from_uri(location, _pin(secret)))
    if location.endswith(_SERVICE):
        return _service_key(Path(location))
    return load_signing_key(Path(location), secret)


def open_decryption_key(location: str, secret: bytes | None = None) -> DecryptionKey:
    """The RSA key at `location`, in a file or token. Raises as `open_signing_key`."""
    if location.startswith(_PKCS11):
        from connector.signature.pkcs11_keys import Pkcs11Key, load_pkcs11_decryption_key

        return load_pkcs11_decryption_key(Pkcs11Key.from_uri(location, _pin(secret)))
    if location.endswith(_SERVICE):
        raise misconfigured(
            "key.unsupported",
            "A remote signing service cannot decrypt.",
            mend="Use a key in a file or token for transport.",
            file=location,
        )
    return load_decryption_key(Path(location), secret)


def _pin(secret: bytes | None) -> str | None:
    try:
        return None if secret is None else secret.decode("utf-8")
    except UnicodeDecodeError as error:
        raise misconfigured("key.wrong-pin", "The token's PIN is not UTF-8.") from error


def _service_key(path: Path) -> SigningKey:
    from connector.signature.csc_keys import CscSettings, load_csc_key
    from connector.signature.fetching import HttpFetcher

    try:
        data = tomllib.loads(private_file(path).decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _invalid(path, f"Not a TOML file in UTF-8: {error}") from error
    if not _NEEDED <= data.keys() <= _KNOWN or not all(isinstance(v, str) for v in data.values()):
        raise _invalid(path, f"It must have the texts {', '.join(sorted(_NEEDED))}, perhaps pin.")
    return load_csc_key(CscSettings(**data), HttpFetcher())


def _invalid(path: Path, what: str) -> ConnectorError:
    return misconfigured(
        "key.malformed-service",
        f"The description of a signing service cannot be used: {what}",
        file=str(path),
    )
