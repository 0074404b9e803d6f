"""A dossier of a real exchange: whole, sealed, told apart from one that was tampered with."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connector.cli import main
from connector.demo.network import Plan, make_network
from connector.exchange.states import State
from connector.runtime.service import Service
from connector.shipped import shipped

SAMPLE = shipped("samples") / "br" / "lavagem-quebra-de-sigilo"


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """Brazil has sent one request to Germany, and has its evidences."""
    folder = tmp_path_factory.mktemp("dossier")
    plan = Plan(countries=("BR", "DE"), formats={"BR": "register-csv", "DE": "case-json"})
    network = make_network(folder, plan, datetime.now(UTC))
    services = [Service(home) for home in network.values()]
    for each in services:
        each.start()
    shutil.copytree(SAMPLE, network["BR"].folder / "intake" / SAMPLE.name)
    until = time.monotonic() + 60
    while not services[0].assembly.store.counts().get(State.DELIVERED.value):
        assert time.monotonic() < until, services[0].assembly.store.counts()
        time.sleep(0.1)
    for each in services:
        each.stop()
    yield {country: home.folder for country, home in network.items()}


@pytest.fixture(scope="module")
def dossier(homes: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of that request, made by the sender."""
    from connector.runtime.assembly import open_home_store
    from connector.settings import load

    store = open_home_store(load(homes["BR"]))
    message = next(m for m in store.messages() if m.message_type == "Request")
    store.close()
    target = tmp_path_factory.mktemp("made") / "case.zip"
    assert main(["dossier", message.id, str(target), "--home", str(homes["BR"])]) == 0
    return target


def test_it_holds_the_case(dossier: Path) -> None:
    with zipfile.ZipFile(dossier) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        summary = json.loads(archive.read("dossier.json"))
        page = archive.read("chain-of-custody.html").decode()
        bundle = json.loads(archive.read("case.jsonld"))
        assert archive.read("chain-of-custody.pdf").startswith(b"%PDF-")
    events = [each["event"] for each in summary["messages"][0]["transfers"]]
    assert events == ["SUBMISSION_ACCEPTANCE", "RELAY_REMMD_ACCEPTANCE", "DELIVERY"]
    assert {each["indication"] for each in summary["messages"][0]["transfers"]} == {"TOTAL-PASSED"}
    originals = [name for name in names if "/original/" in name]
    with zipfile.ZipFile(dossier) as archive:
        assert archive.read(originals[0]) == (SAMPLE / "pedido.csv").read_bytes()
    assert all(event in page for event in events)
    hashes = {
        facet["uco-observable:hash"]["uco-types:hashValue"]["@value"]
        for each in bundle["@graph"]
        if each["@type"] == "uco-observable:File"
        for facet in each["uco-core:hasFacet"]
        if "uco-observable:hash" in facet
    }
    assert hashes == {file["sha256"] for file in summary["messages"][0]["files"]}


def test_it_is_whole_wherever_its_signers_are_trusted(
    dossier: Path, homes: dict[str, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    trust = str(homes["DE"] / "trust")
    assert main(["dossier", "verify", str(dossier), "--trust", trust, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is True
    assert {each["indication"] for each in told["signatures"]} == {"TOTAL-PASSED"}


def test_nobody_trusted_nothing_believed(
    dossier: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["dossier", "verify", str(dossier)]) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [("altered", "dossier.altered-file"), ("added", "dossier.unsealed-file")],
)
def test_tampered_with(
    dossier: Path,
    homes: dict[str, Path],
    tmp_path: Path,
    change: str,
    code: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    forged = tmp_path / "forged.zip"
    with zipfile.ZipFile(dossier) as source, zipfile.ZipFile(forged, "w") as sink:
        for name in source.namelist():
            data = source.read(name)
            if change == "altered" and "/original/" in name:
                data += b"\n"
            sink.writestr(name, data)
        if change == "added":
            sink.writestr("messages/more.txt", b"never sent")
    trust = str(homes["DE"] / "trust")
    assert main(["dossier", "verify", str(forged), "--trust", trust, "--json"]) == 1
    found = {each["code"] for each in json.loads(capsys.readouterr().out)["problems"]}
    assert code in found
    assert change != "altered" or "dossier.seal" in found
