"""Judging XAdES signatures: first as strictly as the exchange does; if that fails, once more
without asking who signed and how strongly, to tell the person what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from connector.errors import ConnectorError, Problem
from connector.examination.judgement import (
    ANYTHING,
    Anyone,
    Basis,
    Judgement,
    Signer,
    Verdict,
    algorithm_name,
    digest_name,
    path_of,
)
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.dsig_model import DS
from connector.signature.dsig_reading import parse_signature
from connector.signature.trust import TrustStore
from connector.signature.xades_properties import (
    read_signed_properties,
    sent_certificates,
    signing_certificate,
)
from connector.xml import Element, parse

SIGNATURE: Final = f"{{{DS}}}Signature"
FORM: Final = "XAdES"
WHOLE: Final = "the whole document"

Verify = Callable[[TrustStore, AlgorithmPolicy], xades.Verified]
"""Verifies one signature; each call starts afresh."""


def judge_enveloped(data: bytes, basis: Basis) -> tuple[Judgement, ...]:
    """Every signature that is a child of the root of the document in `data`, in order."""
    count = len(_signatures(parse(data)))
    return tuple(_judge_one(data, index, basis) for index in range(count))


def _judge_one(data: bytes, index: int, basis: Basis) -> Judgement:
    def verify(trust: TrustStore, policy: AlgorithmPolicy) -> xades.Verified:
        root = parse(data)  # afresh: verifying takes the signature out
        signature = _signatures(root)[index]
        return xades.verify_enveloped(root, trust, policy, basis.at, signature=signature)

    return judge(verify, lambda: _signatures(parse(data))[index], basis, covers=(WHOLE,))


def judge(
    verify: Verify,
    element: Callable[[], Element],
    basis: Basis,
    *,
    covers: tuple[str, ...],
) -> Judgement:
    """One signature, verified by `verify`; `element` gives it afresh where it does not hold."""
    try:
        return held(verify(basis.trust, basis.policy), covers)
    except ConnectorError as error:
        strict = error
    try:
        intact = verify(Anyone(), ANYTHING)
    except ConnectorError as lenient:
        return claimed(element(), (*lenient.problems, *strict.problems))
    problems = tuple(dict.fromkeys((*strict.problems, *_distrust(intact, element(), basis))))
    said = {each.code for each in problems}
    found = held(intact, covers)
    return replace(
        found,
        verdict=Verdict.INTACT,
        path=(),
        problems=problems,
        weaknesses=tuple(each for each in found.weaknesses if each.code not in said),
    )


def _distrust(intact: xades.Verified, element: Element, basis: Basis) -> tuple[Problem, ...]:
    """What else speaks against the signer, where verification stopped at something before."""
    others = [
        each for each in sent_certificates(parse_signature(element)) if each != intact.certificate
    ]
    try:
        basis.trust.validate(intact.certificate, others, basis.at, basis.policy)
    except ConnectorError as error:
        return error.problems
    return ()


def held(verified: xades.Verified, covers: tuple[str, ...]) -> Judgement:
    """A signature that counts."""
    digests = (digest_name(each.reference.digest_method) for each in verified.covered)
    return Judgement(
        verdict=Verdict.VALID,
        form=FORM,
        signer=Signer.of(verified.certificate),
        path=path_of(verified.path),
        algorithm=algorithm_name(verified.signature_method),
        digests=tuple(dict.fromkeys(digests)),
        signing_time=verified.signing_time,
        roles=verified.roles,
        covers=covers,
        weaknesses=verified.weaknesses,
    )


def claimed(element: Element, problems: tuple[Problem, ...]) -> Judgement:
    """A signature that does not hold, with what it says of itself."""
    judgement = Judgement(
        verdict=Verdict.INVALID, form=FORM, problems=tuple(dict.fromkeys(problems))
    )
    try:
        parsed = parse_signature(element)
        judgement = replace(
            judgement,
            algorithm=algorithm_name(parsed.signature_method),
            digests=tuple(dict.fromkeys(digest_name(r.digest_method) for r in parsed.references)),
        )
        properties = read_signed_properties(parsed)
        sent = sent_certificates(parsed)
        judgement = replace(judgement, signing_time=properties.signing_time, roles=properties.roles)
        certificate, _ = signing_certificate(properties, sent, ANYTHING)
        return replace(judgement, signer=Signer.of(certificate))
    except ConnectorError:
        return judgement  # it cannot even be read; the problems say why


def _signatures(root: Element) -> list[Element]:
    return list(root.iterchildren(SIGNATURE))
