"""Timestamps (RFC 3161): asking authorities for them in turn, and reading their tokens.

A token is the DER of a CMS ContentInfo. What is read here is a claim; whether it counts is for the
validation (EN 319 102-1, 5.4) to say.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from asn1crypto import cms, core, tsp  # type: ignore[import-untyped]
from cryptography import x509

from connector.errors import ConnectorError, transient, unacceptable
from connector.signature.algorithms import DIGEST_METHODS, SHA256
from connector.signature.certificates import MALFORMED, asn1
from connector.signature.fetching import Fetcher

_LONGEST: Final = 262_144
_QUERY: Final = "application/timestamp-query"
_REPLY: Final = "application/timestamp-reply"
_GRANTED: Final = frozenset({"granted", "granted_with_mods"})


class TimestampAuthority(Protocol):
    """Whoever certifies that a digest existed."""

    digest_method: str
    """URI of the algorithm that it wants digests of."""

    def stamp(self, digest: bytes) -> bytes:
        """A token for `digest`. Raises `ConnectorError` (transient): `timestamp.refused`,
        `timestamp.malformed`, `timestamp.wrong-answer`, and `web.*`."""


@dataclass(frozen=True, slots=True)
class Token:
    """What a token says."""

    der: bytes
    time: datetime
    """With time zone."""
    digest: bytes
    hash_name: str
    """As hashlib knows it; of `digest`."""
    policy: str
    """OID of the authority's policy."""
    certificates: tuple[x509.Certificate, ...]
    """That came along, the signer's first if it is among them."""
    has_signer: bool
    signed_data: Any
    """The CMS SignedData, as asn1crypto parses it."""


def read_token(der: bytes) -> Token:
    """The token in `der`. Raises `timestamp.malformed`."""
    if len(der) > _LONGEST:
        raise _malformed("more than 256 KiB")
    try:
        content = cms.ContentInfo.load(der, strict=True)
        if content["content_type"].native != "signed_data":
            raise _malformed("no CMS SignedData")
        signed = content["content"]
        inner = signed["encap_content_info"]
        if inner["content_type"].native != "tst_info" or len(signed["signer_infos"]) != 1:
            raise _malformed("no TSTInfo, or not exactly one signer")
        info = inner["content"].parsed
        imprint = info["message_imprint"]
        time = info["gen_time"].native
        found = _certificates(signed)
        return Token(
            der=der,
            time=time,
            digest=imprint["hashed_message"].native,
            hash_name=imprint["hash_algorithm"]["algorithm"].native,
            policy=info["policy"].dotted,
            certificates=found[0],
            has_signer=found[1],
            signed_data=signed,
        )
    except MALFORMED as error:
        raise _malformed(str(error)[:200]) from error


def _certificates(signed: Any) -> tuple[tuple[x509.Certificate, ...], bool]:
    # Imported here and below: it takes half a second, which those who only sign need not wait.
    from pyhanko.sign.general import CMSExtractionError, extract_certificate_info

    try:
        info = extract_certificate_info(signed)
        found, has_signer = [info.signer_cert, *info.other_certs], True
    except CMSExtractionError:
        found = [c.chosen for c in signed["certificates"] if c.name == "certificate"]
        has_signer = False
    return tuple(x509.load_der_x509_certificate(each.dump()) for each in found), has_signer


def is_intact(token: Token, certificate: x509.Certificate) -> bool:
    """Whether the token is signed by the holder of `certificate` (content and value)."""
    from pyhanko.sign.validation.errors import SignatureValidationError
    from pyhanko.sign.validation.generic_cms import validate_sig_integrity

    signed = token.signed_data
    signer = signed["signer_infos"][0]
    try:
        digest = _content_digest(signed, signer)
        fits = validate_sig_integrity(signer, asn1(certificate), "tst_info", digest)
    except (SignatureValidationError, *MALFORMED):
        return False
    return all(fits)


def _content_digest(signed: Any, signer: Any) -> bytes:
    name = signer["digest_algorithm"]["algorithm"].native
    content = bytes(signed["encap_content_info"]["content"])
    return hashlib.new(name, content).digest()


class HttpAuthority:
    """An authority that is asked by HTTP (RFC 3161, 3.4)."""

    def __init__(
        self,
        url: str,
        fetcher: Fetcher,
        *,
        digest_method: str = SHA256,
        policy: str | None = None,
    ) -> None:
        """`policy` is the OID of the policy to certify under, if the authority has several."""
        self.url: Final = url
        self.digest_method = digest_method
        self._fetcher = fetcher
        self._policy = policy

    def stamp(self, digest: bytes) -> bytes:
        """See `TimestampAuthority`."""
        nonce = secrets.randbits(63) | 1
        request = tsp.TimeStampReq(
            {
                "version": 1,
                "message_imprint": tsp.MessageImprint(
                    {
                        "hash_algorithm": {"algorithm": DIGEST_METHODS[self.digest_method]},
                        "hashed_message": digest,
                    }
                ),
                "nonce": core.Integer(nonce),
                "cert_req": True,
            }
        )
        if self._policy is not None:
            request["req_policy"] = self._policy
        answer = self._fetcher.post(self.url, request.dump(), _QUERY, limit=_LONGEST, accept=_REPLY)
        return self._checked(answer, digest, nonce)

    def _checked(self, answer: bytes, digest: bytes, nonce: int) -> bytes:
        try:
            response = tsp.TimeStampResp.load(answer, strict=True)
            status = response["status"]["status"].native
            if status not in _GRANTED:
                raise self._refused("refused", f"it answered {status}")
            der: bytes = response["time_stamp_token"].dump()
            token = read_token(der)
            info = token.signed_data["encap_content_info"]["content"].parsed
            answered = info["nonce"].native
        except MALFORMED as error:
            raise self._refused("malformed", "its answer is no timestamp") from error
        except ConnectorError as error:
            raise self._refused(error.code.partition(".")[2], error.problems[0].what) from error
        right = (digest, DIGEST_METHODS[self.digest_method], nonce)
        if (token.digest, token.hash_name, answered) != right:
            raise self._refused("wrong-answer", "its token is about something else")
        if not token.has_signer or not is_intact(token, token.certificates[0]):
            raise self._refused("wrong-answer", "its token's signature does not fit")
        return der

    def _refused(self, code: str, why: str) -> ConnectorError:
        return transient(
            f"timestamp.{code}",
            f"The timestamp authority {self.url} is of no use: {why.rstrip('.')}.",
            mend="It is tried again; if it goes on, choose another authority.",
        )


class InTurn:
    """Several authorities: the first that answers well is used."""

    def __init__(self, authorities: Sequence[TimestampAuthority]) -> None:
        """All with the same digest method."""
        methods = {authority.digest_method for authority in authorities}
        if len(methods) != 1:
            raise ValueError("the authorities must be asked with one digest method")
        self.digest_method = methods.pop()
        self._authorities = tuple(authorities)

    def stamp(self, digest: bytes) -> bytes:
        """The token of the first that gives one. Raises all their problems (transient)."""
        problems = []
        for authority in self._authorities:
            try:
                return authority.stamp(digest)
            except ConnectorError as error:
                problems.append(error)
        raise ConnectorError(problems[0].kind, *(p for error in problems for p in error.problems))


def _malformed(why: str) -> ConnectorError:
    return unacceptable(
        "timestamp.malformed", f"The timestamp is no RFC 3161 token: {why}.", mend=""
    )
