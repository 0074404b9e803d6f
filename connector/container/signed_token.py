"""The TrustOK token's XML, signed (XAdES-B-B, enveloped) and read back once verified."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from connector.container.token import Spelling, Token
from connector.container.token_xml import parse_token, token_xml
from connector.errors import Problem
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.keys import SigningKey
from connector.signature.trust import TrustStore
from connector.xml import parse


def build_token(
    token: Token,
    key: SigningKey,
    signing_time: datetime,
    spelling: Spelling = Spelling.STRICT,
) -> bytes:
    """The signed token. Raises `ConnectorError`: see `token_xml.token_xml`, and what the key
    raises."""
    root = parse(token_xml(token, spelling).encode())
    return xades.sign_enveloped(root, key, signing_time)


@dataclass(frozen=True, slots=True)
class ReadToken:
    """A token whose signature has been verified."""

    token: Token
    signature: xades.Verified
    weaknesses: tuple[Problem, ...]
    """Deviations of its form, and what the policy let pass in its signature."""


def read_token(data: bytes, trust: TrustStore, policy: AlgorithmPolicy, at: datetime) -> ReadToken:
    """Verify a token's signature, then read what the signature covers, in either spelling.

    Raises `ConnectorError` (unacceptable): `xml.*`, `signature.*`, `token.*`.
    """
    verified = xades.verify_enveloped(parse(data, file="Token.xml"), trust, policy, at)
    token, weaknesses = parse_token(verified.root)
    return ReadToken(token, verified, (*weaknesses, *verified.weaknesses))
