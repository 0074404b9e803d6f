"""What document commands work with: a home if there is one, else what emla ships."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from connector.errors import misconfigured
from connector.settings import FILE_NAME, load
from connector.settings import Home as ConnectorHome

if TYPE_CHECKING:
    from connector.examination.drafting import Surroundings
    from connector.examination.judgement import Basis
    from connector.signature.algorithms import AlgorithmPolicy
    from connector.translation.formats import Formats


@dataclass(frozen=True)
class Situation:
    """Where a document command runs. Everything is loaded when it is first asked for."""

    home: ConnectorHome | None
    trust_folder: Path | None = None
    """Named by `--trust`."""
    policy_file: Path | None = None
    """Named by `--policy`."""
    official_folders: Mapping[str, Path] | None = None
    """Named by `--official`."""

    @cached_property
    def now(self) -> datetime:
        """When the command looked at its documents."""
        return datetime.now(UTC)

    @cached_property
    def formats(self) -> Formats:
        """Shipped formats and those of the home, with official schemas where somebody said where
        they are. Raises `official.*`, `translation.no-such-format`."""
        from connector.shipped import shipped
        from connector.translation.formats import load_formats

        own = [] if self.home is None else map(self.home.path, self.home.settings.mappings)
        return load_formats([shipped("mappings"), *own], official=self._official())

    @property
    def trusts_somebody(self) -> bool:
        """Whether anybody said whom to trust."""
        return self.home is not None or self.trust_folder is not None

    def basis(self, at: datetime | None = None) -> Basis:
        """What signatures are judged by, now or at another time."""
        from connector.examination.judgement import Basis
        from connector.signature.trust import TrustStore

        folder = self.trust_folder
        if folder is None and self.home is not None:
            folder = self.home.path(self.home.settings.trust.folder)
        trust = TrustStore(()) if folder is None else TrustStore.from_folder(folder)
        return Basis(trust, self._policy(), at or self.now)

    def _policy(self) -> AlgorithmPolicy:
        from connector.signature.policy_file import load_policy

        if self.policy_file is None and self.home is not None:
            own = self.home.settings.trust.policy
            return load_policy(self.home.path(own) if own else None)
        return load_policy(self.policy_file)

    @cached_property
    def around(self) -> Surroundings:
        """What completes an envelope."""
        from connector.directory.authorities import EXAMPLES, load_directory
        from connector.examination.drafting import Surroundings
        from connector.runtime.assembly import identity_of

        home = self.home
        file = EXAMPLES if home is None else home.path(home.settings.directory)
        suffix = "translated" if home is None else home.settings.connector.party
        return Surroundings(
            directory=load_directory(file),
            identity=None if home is None else identity_of(home),
            now=self.now.replace(microsecond=0),
            new_id=lambda: f"{uuid.uuid4()}@{suffix}.emla",
        )

    def _official(self) -> dict[str, Path]:
        """Folders of official schemas by format; those of the command line win."""
        folders: dict[str, Path] = {}
        if self.home is not None:
            for name, section in self.home.settings.format.items():
                if section.official_schemas is not None:
                    folders[name] = self.home.path(section.official_schemas)
        folders |= self.official_folders or {}
        for name, folder in folders.items():
            if not folder.is_dir():
                raise misconfigured(
                    "official.folder-missing",
                    f"There is no folder of official schemas for {name}.",
                    mend="Name the folder where the ministry keeps them.",
                    file=str(folder),
                )
        return folders


def situation(
    home: Path | None,
    *,
    trust: Path | None = None,
    policy: Path | None = None,
    official: Sequence[str] = (),
) -> Situation:
    """The home that was named, or that the current folder is, or none.

    Raises `ConnectorError` (configuration) if a home was named and cannot be loaded.
    """
    folder = home
    if folder is None and Path(FILE_NAME).is_file():
        folder = Path()
    return Situation(
        home=None if folder is None else load(folder),
        trust_folder=trust,
        policy_file=policy,
        official_folders=dict(map(_named_folder, official)),
    )


def _named_folder(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not (name and equals and folder):
        raise misconfigured(
            "usage",
            f"{text!r} does not say which folder is meant for which format.",
            mend="Write --official FORMAT=FOLDER, e.g. --official xjustiz=/srv/xjustiz-3.6.2.",
        )
    return name, Path(folder)
