"""The demonstration from beginning to end."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from connector.demo.check import Verdict, check
from connector.demo.evidence_files import LARGE_NAME
from connector.demo.exhibits import put_out
from connector.demo.logs import complaints
from connector.demo.manifest import Log, Manifest, read_manifest, write_manifest
from connector.demo.national import NationalSystem
from connector.demo.network import Plan, make_network
from connector.demo.output import OutputFolder, claimed, existing
from connector.demo.page import write_page
from connector.demo.partner import Partner, Script, Surroundings
from connector.demo.processes import Connectors, warm_up
from connector.demo.progress import progress
from connector.demo.samples import Sample, find_requests
from connector.demo.show import Moment, Show
from connector.demo.story import tell
from connector.demo.watch import Snapshot, Watch
from connector.errors import ConnectorError, Problem, misconfigured
from connector.runtime.assembly import new_id, utc_now
from connector.settings import FILE_NAME, Home, Settings, load
from connector.shipped import shipped
from connector.translation.formats import Formats, load_formats

COUNTRIES: Final = Plan().countries
_LOOK_SECONDS: Final = 0.2
_COPIES: Final = 8
"""How often the large file is on the disk at most: originals, stores, containers, deliveries."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What whoever starts a demonstration can choose."""

    output: Path
    large_size: int = 200_000_000
    """Bytes of the large evidence file."""
    patience: float = 240.0
    """Seconds after which what has not arrived will not be waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of it."""

    output: OutputFolder
    manifest: Manifest
    verdict: Verdict
    homes: Mapping[str, Home]

    @property
    def seconds(self) -> float:
        """How long the exchange took."""
        return (self.manifest.ended - self.manifest.started).total_seconds()


def run_demo(wishes: Wishes, show: Show) -> Outcome:
    """Three countries exchange everything that is among the samples, and answer it.

    Raises `ConnectorError` (configuration): `demo.output-*`, `demo.disk`, `demo.no-samples`,
    `demo.connector-*`. What goes wrong in the exchange itself is in the verdict.
    """
    _forget_settings_of_others()
    with claimed(wishes.output) as output:
        _require_room(output.root, wishes.large_size)
        warm_up()
        show.step("Making keys and homes for " + ", ".join(COUNTRIES) + " ...")
        homes = _homes(output, utc_now())
        show.step("Starting three connectors ...")
        with Connectors(homes) as connectors:
            formats = load_formats([shipped("mappings")])
            samples = find_requests(shipped("samples"), COUNTRIES, formats)
            connectors.wait_until_listening()
            with Watch(homes) as watch:
                exchange = _Exchange(homes, connectors, watch, wishes)
                manifest, stopped = exchange.run(samples, formats, show)
        if stopped:
            stopped = (*stopped, *complaints(homes))
        write_manifest(output.manifest, manifest)
        show.step("Checking every document, file and evidence ...")
        return _conclude(output, manifest, homes, formats, stopped)


def check_again(root: Path) -> Outcome:
    """Check what an earlier demonstration left behind, and write its page anew.

    Raises `ConnectorError` (configuration): `demo.output-missing`, `demo.manifest`.
    """
    _forget_settings_of_others()
    output = existing(root)
    manifest = read_manifest(output.manifest)
    homes = {
        country: load(output.connectors / country)
        for country in COUNTRIES
        if (output.connectors / country / FILE_NAME).is_file()
    }
    return _conclude(output, manifest, homes, load_formats([shipped("mappings")]), ())


def _conclude(
    output: OutputFolder,
    manifest: Manifest,
    homes: Mapping[str, Home],
    formats: Formats,
    stopped: Sequence[Problem],
) -> Outcome:
    with Watch(homes) as watch:
        verdict = check(manifest, watch, formats, now=utc_now(), stopped=stopped)
        exhibits = put_out(output, verdict, watch)
        story = tell(output, manifest, verdict, exhibits=exhibits, watch=watch, formats=formats)
        write_page(story, output.page)
    return Outcome(output=output, manifest=manifest, verdict=verdict, homes=homes)


def _homes(output: OutputFolder, now: datetime) -> dict[str, Home]:
    """Homes whose deliveries and originals lie where people look for them."""
    paths: dict[str, dict[str, Any]] = {
        country: {
            "delivery": {"path": f"../../{output.delivered.name}/{country}"},
            "intake": {"accepted": f"../../{output.originals.name}/{country}"},
        }
        for country in COUNTRIES
    }
    output.connectors.mkdir(mode=0o700)
    return make_network(output.connectors, Plan(extra=paths), now)


def _forget_settings_of_others() -> None:
    """The environment may override a connector's settings; here it would override all three."""
    for name in list(os.environ):
        section = name.removeprefix("EMLA_").partition("__")[0].lower()
        if name.startswith("EMLA_") and section in Settings.model_fields:
            del os.environ[name]


def _require_room(folder: Path, large_size: int) -> None:
    needed = large_size * _COPIES + 100_000_000
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise misconfigured(
            "demo.disk",
            f"The demonstration needs {needed // 1_000_000} MB in {folder}; {free // 1_000_000} MB "
            "are free.",
            mend="Make room, name another folder with --output, or choose a smaller "
            "--evidence-size.",
            file=str(folder),
        )


class _Exchange:
    """The exchange itself, while the connectors run."""

    def __init__(
        self,
        homes: Mapping[str, Home],
        connectors: Connectors,
        watch: Watch,
        wishes: Wishes,
    ) -> None:
        self._homes = homes
        self._connectors = connectors
        self._watch = watch
        self._wishes = wishes
        self._log = Log()

    def run(
        self, samples: Sequence[Sample], formats: Formats, show: Show
    ) -> tuple[Manifest, Sequence[Problem]]:
        """What was sent, and why it was stopped early if it was."""
        started = utc_now()
        partners = self._partners(samples, formats)
        stop = threading.Event()
        with ExitStack() as stack:
            for partner in partners.values():
                thread = threading.Thread(target=partner.run, args=(stop,), daemon=True)
                stack.callback(thread.join)
                stack.callback(stop.set)
                thread.start()
            stack.enter_context(show)
            stopped = self._watch_until_done(partners, len(samples), started, show)
        manifest = Manifest(
            started=started, ended=utc_now(), large=LARGE_NAME, sent=tuple(self._log.sent)
        )
        return manifest, stopped

    def _partners(self, samples: Sequence[Sample], formats: Formats) -> dict[str, Partner]:
        around = Surroundings(formats=formats, log=self._log, clock=utc_now, new_id=new_id)
        script = _script(samples, self._wishes.large_size)
        partners = {
            country: Partner(
                country,
                NationalSystem.of(home),
                national_format=home.settings.delivery.format,
                script=script,
                around=around,
                requests=[sample for sample in samples if sample.country == country],
            )
            for country, home in self._homes.items()
        }
        if strangers := [sample for sample in samples if sample.country not in partners]:
            raise misconfigured(
                "demo.foreign-sample",
                f"The sample {strangers[0].name} is sent by {strangers[0].country or 'nobody'}, "
                f"who takes no part: {', '.join(partners)}.",
                mend="Correct the sample, or take it out of samples/.",
            )
        return partners

    def _watch_until_done(
        self, partners: Mapping[str, Partner], requests: int, started: datetime, show: Show
    ) -> Sequence[Problem]:
        deadline = time.monotonic() + self._wishes.patience
        while True:
            snapshot = self._watch.look()
            sent = self._log.sent
            done = progress(self._homes, self._wishes.large_size, sent, snapshot)
            show.update(Moment(started, utc_now(), snapshot, done))
            if self._is_done(snapshot, requests):
                return ()
            if reasons := self._hopeless(partners, snapshot):
                return reasons
            if time.monotonic() > deadline:
                what = f"The exchange was not over after {self._wishes.patience:.0f} s."
                return (Problem(code="demo.timeout", what=what),)
            time.sleep(_LOOK_SECONDS)

    def _is_done(self, snapshot: Snapshot, requests: int) -> bool:
        """Every request has its response, and all that was sent has come all the way."""
        sent = self._log.sent
        answered = {s.answers for s in sent if s.message_type == "Response"}
        asked = [s for s in sent if s.message_type == "Request"]
        return (
            len(asked) == requests
            and all(s.message_id in answered for s in asked)
            and {s.message_id for s in sent} == {p.message_id for p in snapshot.passages}
            and all(passage.complete for passage in snapshot.passages)
        )

    def _hopeless(self, partners: Mapping[str, Partner], snapshot: Snapshot) -> Sequence[Problem]:
        """Why waiting longer is of no use."""
        found = [p for each in partners.values() if each.failure for p in each.failure.problems]
        try:
            self._connectors.check()
        except ConnectorError as error:
            found += error.problems
        for country, parked in self._watch.parked():
            what = f"In {country} a message waits for a person: {parked.reason}"
            found.append(Problem(code="demo.parked", what=what))
        for passage in snapshot.passages:
            if passage.failed:
                record = passage.record
                what = f"The {record.message_type} {record.ebms_id} will not arrive any more."
                found.append(Problem(code="demo.failed", what=what))
        return found


def _script(samples: Sequence[Sample], large_size: int) -> Script:
    """The question and the large file belong to two ordinary requests, so that both overlap."""
    count = Counter(sample.reference for sample in samples)
    alone = [sample for sample in samples if count[sample.reference] == 1]
    ordinary = [s.reference for s in alone if s.urgency != "emergency"]
    chosen = ordinary or [s.reference for s in samples]
    return Script(asks_about=chosen[0], large_for=chosen[-1], large_size=large_size)
