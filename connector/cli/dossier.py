"""`emla dossier`: a case as a judge gets it, and checking one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from connector.cli import options
from connector.cli.output import Output, mark, visible

if TYPE_CHECKING:
    from connector.dossier.verifying import DossierVerdict
    from connector.validation.report import ValidationReport

VERIFY = "verify"


def dossier(
    wanted: Annotated[
        str, typer.Argument(metavar="ID|verify", help="A message's id, or the word verify.")
    ],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The dossier, e.g. case.zip.")],
    *,
    only: Annotated[
        bool, typer.Option("--only", help="This message alone, without the rest of its case.")
    ] = False,
    trust: options.Trust = None,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """Make a dossier of a message's case, or check one.

    `emla dossier ID OUT.zip` seals everything that belongs to the case with its chain of custody
    into one container; `emla dossier verify FILE` checks one, offline.
    """
    output = Output(json=json)
    if wanted == VERIFY:
        _verify(output, file, trust, home)
    else:
        _make(output, wanted, file, home or Path(), only=only)


def _make(output: Output, wanted: str, target: Path, folder: Path, *, only: bool) -> None:
    from connector.cli.opening import home_store
    from connector.dossier.gathering import gather
    from connector.dossier.writing import Sealing, dossier_documents, write_dossier
    from connector.errors import misconfigured
    from connector.runtime.archiving import archive_services, seal_key, validation_basis
    from connector.runtime.lookup import find_message
    from connector.settings import load

    if target.exists():
        raise misconfigured(
            "dossier.exists",
            "There is such a file already.",
            mend="Name another.",
            file=str(target),
        )
    home = load(folder)
    now = datetime.now(UTC)
    services = archive_services(home)
    sealing = Sealing(key=seal_key(home), services=services, at=now)
    with home_store(folder) as store:
        found = gather(
            store,
            find_message(store, wanted),
            validation_basis(home, now),
            made_by=home.settings.connector.name,
            whole_case=not only,
        )
        documents = dossier_documents(found, store.payloads)
        passes = 2 if services is None else 3
        total = passes * sum(document.source.size for document in documents)
        unfinished = target.with_name(f"{target.name}.part")
        try:
            with _bar(output, total) as passed, unfinished.open("wb") as sink:
                seal = write_dossier(sink, documents, sealing, progress=passed)
            unfinished.rename(target)
        finally:
            unfinished.unlink(missing_ok=True)
    level = "B" if services is None else "LTA"
    told: dict[str, Any] = {
        "ok": True,
        "file": str(target),
        "level": level,
        "messages": len(found.messages),
        "files": len(seal.names),
        "size": seal.size,
    }
    if output.json:
        output.document(told)
        return
    output.text(
        f"{visible(str(target))}: {len(found.messages)} messages, {len(seal.names)} files, "
        f"{seal.size} bytes, sealed at level {level}."
    )
    if services is None:
        output.text("For a seal that counts for years, name a timestamp authority in [timestamps].")


@contextmanager
def _bar(output: Output, total: int) -> Iterator[Callable[[int], object]]:
    if output.json or not output.interactive or total < 16 * 1024 * 1024:
        yield lambda _: None
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    with Progress(
        TextColumn("Sealing"), BarColumn(), DownloadColumn(), console=output.err, transient=True
    ) as progress:
        task = progress.add_task("", total=total)
        yield lambda count: progress.advance(task, count)


def _verify(output: Output, file: Path, trust: Path | None, folder: Path | None) -> None:
    from connector.dossier.verifying import verify_dossier

    with output.busy("Checking"):
        verdict = verify_dossier(file, _basis(trust, folder))
    if output.json:
        output.document(_as_json(verdict))
    else:
        _show(output, verdict)
    if not verdict.whole:
        raise typer.Exit(1)


def _basis(trust: Path | None, folder: Path | None) -> Any:
    """Offline: what is inside the dossier must do."""
    from connector.runtime.archiving import timestamp_trust
    from connector.settings import FILE_NAME, load
    from connector.signature.revocation import Checking
    from connector.signature.trust import TrustStore
    from connector.validation.basis import Basis
    from connector.validation.policy import load_validation_policy

    now = datetime.now(UTC)
    policy = load_validation_policy(None, Checking.DECLARED)
    if trust is not None:
        store = TrustStore.from_folder(trust)
        return Basis(trust=store, timestamp_trust=store, at=now, policy=policy)
    place = folder or Path()
    if (place / FILE_NAME).exists():
        home = load(place)
        return Basis(
            trust=TrustStore.from_folder(home.path(home.settings.trust.folder)),
            timestamp_trust=timestamp_trust(home),
            at=now,
            policy=policy,
        )
    nobody = TrustStore(())
    return Basis(trust=nobody, timestamp_trust=nobody, at=now, policy=policy)


def _show(output: Output, verdict: DossierVerdict) -> None:
    summary = verdict.summary
    output.text(f"Case {visible(str(summary.get('conversation')))}")
    output.text(f"made {summary.get('madeAt')} by {visible(str(summary.get('madeBy')))}")
    for each in verdict.seal.signatures:
        signer = each.certificate.subject.rfc4514_string() if each.certificate else "nobody known"
        proven = (
            f", proven for {each.best_signature_time:%Y-%m-%d %H:%M}" if each.timestamps else ""
        )
        _line(
            output,
            each.conclusion.passed,
            f"seal at level {each.level} by {visible(signer)}{proven}: "
            f"{each.conclusion.indication.value}",
        )
    for finding in verdict.findings:
        passed = _passed(finding.report)
        _line(output, passed, f"{visible(finding.path)}: {finding.report.indication.value}")
    output.problems(verdict.problems)
    output.text("The dossier is whole." if verdict.whole else "The dossier cannot be relied on.")


def _line(output: Output, good: bool, what: str) -> None:
    from rich.text import Text

    output.text(Text.assemble(mark(good), " ", what))


def _passed(report: ValidationReport) -> bool:
    from connector.validation.indications import Indication

    return report.indication is Indication.TOTAL_PASSED


def _as_json(verdict: DossierVerdict) -> dict[str, Any]:
    return {
        "ok": verdict.whole,
        "conversation": verdict.summary.get("conversation"),
        "seal": [
            {
                "indication": each.conclusion.indication.value,
                "level": each.level,
                "signer": each.certificate.subject.rfc4514_string() if each.certificate else None,
                "provenAt": each.best_signature_time.isoformat()
                if each.best_signature_time
                else None,
                "why": list(each.conclusion.why),
            }
            for each in verdict.seal.signatures
        ],
        "signatures": [
            {"file": each.path, "indication": each.report.indication.value}
            for each in verdict.findings
        ],
        "problems": [each.as_json() for each in verdict.problems],
    }
