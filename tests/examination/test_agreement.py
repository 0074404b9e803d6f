"""What a person is told about a signature is what the exchange does with it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from connector.container.asic import open_container
from connector.container.payloads import BytesSource, MemoryWriter
from connector.container.signed_token import read_token
from connector.errors import ConnectorError
from connector.evidence.read import read_evidence
from connector.examination.judgement import Basis, Verdict
from connector.examination.recognition import Document, recognise
from connector.examination.verification import verify
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.trust import TrustStore
from connector.translation.formats import Formats
from connector.xml import parse
from tests.examination.documents import NOW, Made, make


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    return make(tmp_path_factory.mktemp("documents"))


def document(data: bytes) -> Document:
    return recognise("document", BytesSource(data), lambda: Formats({}))


def as_envelope(data: bytes, basis: Basis) -> object:
    return xades.verify_enveloped(parse(data), basis.trust, basis.policy, basis.at)


def as_token(data: bytes, basis: Basis) -> object:
    return read_token(data, basis.trust, basis.policy, basis.at)


def as_evidence(data: bytes, basis: Basis) -> object:
    return read_evidence(data, basis.trust, basis.policy, basis.at)


def as_container(data: bytes, basis: Basis) -> object:
    source = BytesSource(data)
    return open_container(source, basis.trust, basis.policy, basis.at, MemoryWriter)


EXCHANGE: dict[str, Callable[[bytes, Basis], object]] = {
    "envelope": as_envelope,
    "token": as_token,
    "evidence": as_evidence,
    "container": as_container,
}


def bases(made: Made) -> dict[str, Basis]:
    trust, nobody = TrustStore.from_folder(made.trust), TrustStore(())
    policy = AlgorithmPolicy()

    def at(moment: datetime, trust: TrustStore = trust, policy: AlgorithmPolicy = policy) -> Basis:
        return Basis(trust, policy, moment)

    return {
        "now": at(NOW),
        "strangers": at(NOW, nobody),
        "too late": at(NOW + timedelta(days=4000)),
        "too early": at(NOW - timedelta(days=4000)),
        "curves": at(NOW, trust, AlgorithmPolicy(curves=frozenset({"secp384r1"}))),
    }


@pytest.mark.parametrize("name", EXCHANGE)
def test_a_verdict_is_valid_exactly_if_the_exchange_accepts(made: Made, name: str) -> None:
    file: Path = getattr(made, name)
    good = file.read_bytes()
    altered = good[:-200] + bytes([good[-200] ^ 1]) + good[-199:]
    for data in (good, altered):
        for situation, basis in bases(made).items():
            try:
                EXCHANGE[name](data, basis)
                refused = None
            except ConnectorError as error:
                refused = error
            try:
                report = verify(document(data), basis)
            except ConnectorError:
                assert refused is not None  # it is not even recognised
                continue
            verdict = [judgement.verdict for judgement in report.judgements]
            assert (verdict == [Verdict.VALID] and not report.problems) == (refused is None), (
                situation,
                refused,
                report,
            )
            if refused is not None:
                told = {p.code for j in report.judgements for p in j.problems}
                assert refused.code in told | {p.code for p in report.problems}


def test_an_intact_signature_is_never_called_valid(made: Made) -> None:
    for name in EXCHANGE:
        data = getattr(made, name).read_bytes()
        for situation, basis in bases(made).items():
            report = verify(document(data), basis)
            expected = Verdict.VALID if situation == "now" else Verdict.INTACT
            assert report.verdict is expected, (name, situation)
            assert report.valid == (situation == "now")


def test_of_everything_that_is_wrong_with_the_signer_all_is_told(made: Made) -> None:
    """A signature with a forbidden algorithm by a stranger: both."""
    policy = AlgorithmPolicy(curves=frozenset({"secp384r1"}))
    report = verify(document(made.envelope.read_bytes()), Basis(TrustStore(()), policy, NOW))
    (judgement,) = report.judgements
    assert {p.code for p in judgement.problems} == {
        "signature.weak-key",
        "certificate.unknown-issuer",
    }
