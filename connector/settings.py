"""A connector's settings: one TOML file in its home, typed; the environment may override it.

`EMLA_STORE__URL=…` overrides `[store] url = …`, so that secrets need not stand in the file.
Relative paths count from the folder of the file. Nothing here touches keys or the network.
"""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from connector.errors import ConnectorError, Problem, misconfigured
from connector.errors import Kind as ErrorKind

FILE_NAME = "emla.toml"
_UNITS = {"ms": 0.001, "s": 1, "min": 60, "m": 60, "h": 3600, "d": 86400}


def _duration(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)\s*", value)
    if found is None:
        raise ValueError(f"{value!r} is no duration; write for example 30s, 10min, 12h or 2d")
    return timedelta(seconds=float(found[1]) * _UNITS[found[2]])


Duration = Annotated[timedelta, BeforeValidator(_duration)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ConnectorSection(_Section):
    """Who this connector is."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    party: str = Field(min_length=1, max_length=255)
    name: str = Field(min_length=1)
    authority: str = Field(min_length=1)
    """Identifier of the authority that requests come from when the document names none."""


class AddressSection(_Section):
    """Where the connector's operator sits; stated in every evidence."""

    street: str = "-"
    locality: str = "-"
    postal_code: str = "-"


class KeyFile(_Section):
    """A private key with its certificate (and intermediates): PEM, or PKCS#12."""

    file: Path
    password_file: Path | None = None


class KeysSection(_Section):
    """One key for each purpose; without an entry of its own a purpose uses `signature`."""

    signature: KeyFile
    seal: KeyFile | None = None
    evidence: KeyFile | None = None
    transport: KeyFile


class TrustSection(_Section):
    """Whose signatures count."""

    folder: Path
    """CA certificates (PEM) that issue partners' and authorities' certificates."""
    policy: Path | None = None
    """A TOML file that permits, by name, what is refused by default."""


class TimestampSection(_Section):
    """Who stamps signatures that must count for years."""

    urls: tuple[str, ...] = ()
    """Authorities after RFC 3161, asked in this order until one answers."""
    trust: Path | None = None
    """CA certificates (PEM) of the authorities; without it those of `[trust] folder` count."""


class RevocationSection(_Section):
    """Whether certificates have been revoked, where signatures are validated for a dossier."""

    checking: Literal["required", "declared", "none"] = "declared"
    """`declared`: for certificates that name an OCSP responder or a CRL."""
    cache: Path = Path("revocation")
    """What was fetched is kept here, and used while it is valid."""


class StoreSection(_Section):
    """Where messages are kept."""

    url: str = "sqlite:///emla.db"
    payloads: Path = Path("payloads")


class QueueSection(_Section):
    """`embedded` (in the store) or an `amqp://` URL."""

    url: str = "embedded"
    prefix: str = "emla"
    ladder: tuple[Duration, ...] = tuple(
        timedelta(seconds=s) for s in (30, 120, 600, 3600, 6 * 3600)
    )
    lease: Duration = timedelta(seconds=15)
    """How long a job stays with a process that has vanished with it."""


class GatewaySection(_Section):
    """Which gateway carries the messages: `as4` is built in, `domibus` is a WS plugin."""

    kind: Literal["as4", "domibus"] = "as4"
    listen: str = "127.0.0.1:8080"
    path: str = "/as4"
    timeout: Duration = timedelta(seconds=60)
    max_message_bytes: int = 16 * 1024**3
    tls_certificate: KeyFile | None = None
    domibus_url: str | None = None
    domibus_user: str | None = None
    domibus_password_file: Path | None = None
    poll: Duration = timedelta(seconds=10)


class FolderIntake(_Section):
    """A watched folder: a document, or a folder with a document and its attachments."""

    path: Path = Path("intake")
    settle: Duration = timedelta(seconds=1)
    """A file must not have changed for this long before it is taken."""
    accepted: Path = Path("accepted")
    refused: Path = Path("refused")


class FolderDelivery(_Section):
    """Where the national system finds what arrives: one folder a message."""

    path: Path = Path("delivered")
    format: str
    """The national format that documents are translated into."""


class FormatSection(_Section):
    """Extras of one national format."""

    official_schemas: Path | None = None
    """The folder where the official schemas of the format are kept."""


class PartnerSection(_Section):
    """Another connector: its party, where it listens, its certificate."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    party: str
    endpoint: str
    certificate: Path
    evidence_profile: Literal["strict", "ecodex"] = "strict"


class TimeoutsSection(_Section):
    """How long each stage may take, counted from the one named; 0s switches a limit off."""

    submission: Duration = timedelta(hours=12)
    """From acceptance until the gateway must have taken the message."""
    relay: Duration = timedelta(hours=12)
    """This and the following: from the moment the gateway took the message."""
    relay_warn: Duration = timedelta(hours=1)
    delivery: Duration = timedelta(hours=24)
    delivery_warn: Duration = timedelta(hours=12)
    retrieval: Duration = timedelta(hours=36)
    retrieval_warn: Duration = timedelta(hours=24)


class RunSection(_Section):
    """Processes and threads of `emla run`."""

    workers: int = Field(default=0, ge=0, le=64)
    """Worker processes beside the main one; 0 = one worker thread in the main process."""
    drain: Duration = timedelta(seconds=20)


class Settings(BaseSettings):
    """Everything a connector needs to know, checked."""

    model_config = SettingsConfigDict(
        extra="forbid", frozen=True, env_prefix="EMLA_", env_nested_delimiter="__"
    )

    connector: ConnectorSection
    address: AddressSection = AddressSection()
    keys: KeysSection
    trust: TrustSection
    timestamps: TimestampSection = TimestampSection()
    revocation: RevocationSection = RevocationSection()
    store: StoreSection = StoreSection()
    queue: QueueSection = QueueSection()
    gateway: GatewaySection = GatewaySection()
    intake: FolderIntake = FolderIntake()
    delivery: FolderDelivery
    format: dict[str, FormatSection] = {}
    directory: Path = Path("directory.toml")
    """The authorities that messages come from and go to, and the party that serves each."""
    mappings: tuple[Path, ...] = ()
    """Folders with mappings of the ministry's own, beside those that emla ships."""
    partner: tuple[PartnerSection, ...] = ()
    timeouts: TimeoutsSection = TimeoutsSection()
    run: RunSection = RunSection()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file."""
        return (env_settings, init_settings)


class Home:
    """A connector's folder and its settings, with paths made absolute."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.folder = folder
        self.settings = settings

    def path(self, path: Path) -> Path:
        """`path` as seen from the home."""
        return path if path.is_absolute() else self.folder / path

    @property
    def store_url(self) -> str:
        """The store's URL, a relative SQLite file placed in the home."""
        url, prefix = self.settings.store.url, "sqlite:///"
        if url.startswith(prefix) and not url.startswith(prefix + "/"):
            return prefix + str(self.folder / url.removeprefix(prefix))
        return url


def load(folder: Path) -> Home:
    """The home in `folder`.

    Raises `ConnectorError` (configuration): `settings.missing`, `settings.malformed`,
    `settings.invalid` with one problem for each wrong entry.
    """
    file = folder / FILE_NAME
    try:
        data = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError as error:
        raise misconfigured(
            "settings.missing",
            f"There is no {FILE_NAME} in {folder}.",
            mend=f"Make a home with `emla init {folder} --country XX`, or name one with --home.",
            file=str(file),
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise misconfigured(
            "settings.malformed", f"Not a TOML file in UTF-8: {error}", file=str(file)
        ) from error
    try:
        return Home(folder.resolve(), Settings(**data))
    except ValidationError as error:
        raise ConnectorError(ErrorKind.CONFIGURATION, *_problems(error, file)) from error


def _problems(error: ValidationError, file: Path) -> list[Problem]:
    return [
        Problem(
            code="settings.invalid",
            what=f"{item['msg']} (found {_shown(item['input'])}).",
            mend="See the comments in the file that `emla init` writes.",
            file=str(file),
            path=".".join(str(step) for step in item["loc"]),
        )
        for item in error.errors(include_url=False)
    ]


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str | int | float | bool) else type(value).__name__
