"""The token's XML in both spellings and back."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from connector.container.token import (
    AdvancedSystem,
    AuthenticationData,
    LegalLevel,
    SignatureData,
    Spelling,
    TechnicalLevel,
    Token,
    TokenDocument,
    TokenIssuer,
    TokenValidation,
    authentication_token,
)
from connector.container.token_xml import parse_token, token_xml
from connector.errors import ConnectorError
from connector.xml import parse
from tests.evidence.strategies import TEXT, TIMES
from tests.reference import reference

NOW = datetime(2026, 3, 31, 14, 5, tzinfo=UTC)
TOKEN = authentication_token(
    issuer=TokenIssuer("Ministry <&>", "DE"),
    document=TokenDocument(filename="ä.xml", media_type="text/xml", digest=bytes(range(32))),
    identity_provider="national",
    username="DE-GBA",
    at=NOW,
)
EMPTY_OR_TEXT = st.one_of(st.just(""), TEXT)
LENGTHS = {"SHA-256": 32, "SHA-384": 48, "SHA-512": 64}


@st.composite
def documents(draw: st.DrawFn) -> TokenDocument:
    algorithm = draw(st.sampled_from(list(LENGTHS)))
    length = LENGTHS[algorithm]
    return TokenDocument(
        filename=draw(TEXT),
        media_type=draw(TEXT),
        digest=draw(st.binary(min_size=length, max_size=length)),
        digest_algorithm=algorithm,
        signature_filename=draw(EMPTY_OR_TEXT),
    )


SIGNATURES = st.builds(
    SignatureData,
    signing_time=st.one_of(st.none(), TIMES),
    signature_verified=st.booleans(),
    structure_verified=st.booleans(),
    format=EMPTY_OR_TEXT,
    level=EMPTY_OR_TEXT,
    certificate_issuer=EMPTY_OR_TEXT,
    certificate_verified=st.booleans(),
    valid_at_signing_time=st.booleans(),
)
AUTHENTICATIONS = st.builds(AuthenticationData, identity_provider=TEXT, username=TEXT, time=TIMES)


@st.composite
def tokens(draw: st.DrawFn) -> Token:
    data = draw(st.one_of(SIGNATURES, AUTHENTICATIONS))
    signed = isinstance(data, SignatureData)
    system = AdvancedSystem.SIGNATURE if signed else AdvancedSystem.AUTHENTICATION
    return Token(
        TokenIssuer(draw(TEXT), draw(TEXT), system),
        draw(documents()),
        TokenValidation(
            time=draw(TIMES),
            data=data,
            technical=draw(st.sampled_from(TechnicalLevel)),
            comments=draw(EMPTY_OR_TEXT),
            legal=draw(st.sampled_from(LegalLevel)),
            disclaimer=draw(EMPTY_OR_TEXT),
            report=draw(st.sampled_from([b"", b'<a xmlns="urn:x">1<b/></a>', b"<a/><b/>"])),
        ),
    )


def codes(data: str) -> list[str]:
    return [weakness.code for weakness in parse_token(parse(data.encode()))[1]]


@given(tokens())
def test_strict_round_trip(token: Token) -> None:
    assert parse_token(parse(token_xml(token, Spelling.STRICT).encode())) == (token, ())


@given(tokens())
def test_ecodex_round_trip(token: Token) -> None:
    read, weaknesses = parse_token(parse(token_xml(token, Spelling.ECODEX).encode()))
    assert read == token
    assert [weakness.code for weakness in weaknesses] == [
        "token.digest-not-uri",
        "token.digest-encoded-twice",
    ]


def _schema() -> etree.XMLSchema:
    """The token's schema, its import of XMLDSig pointed at the copy beside it."""
    path = reference("ecodex-connector", "xsd", "TrustOkToken.xsd")
    beside = path.with_name("xmldsig-core-schema.xsd").as_uri()
    text = path.read_bytes().replace(
        b'schemaLocation="http://www.w3.org/2000/09/xmldsig#"',
        f'schemaLocation="{beside}"'.encode(),
    )
    return etree.XMLSchema(etree.parse(io.BytesIO(text)))


def test_strict_is_valid_against_the_schema_of_e_codex() -> None:
    schema = _schema()

    @given(tokens())
    def every_token(token: Token) -> None:
        assert schema.validate(parse(token_xml(token, Spelling.STRICT).encode())), schema.error_log

    every_token()
    unsigned = replace(
        TOKEN, validation=replace(TOKEN.validation, data=SignatureData(unsigned=True))
    )
    assert schema.validate(parse(token_xml(unsigned, Spelling.STRICT).encode()))


def test_digest_in_either_spelling() -> None:
    once = base64.b64encode(bytes(range(32))).decode()
    twice = base64.b64encode(once.encode()).decode()
    assert f">{once}</ds:DigestValue>" in token_xml(TOKEN, Spelling.STRICT)
    assert f">{twice}</ds:DigestValue>" in token_xml(TOKEN, Spelling.ECODEX)
    assert 'Algorithm="SHA-256"' in token_xml(TOKEN, Spelling.ECODEX)


def test_unsigned_document() -> None:
    data = SignatureData(
        unsigned=True,
        signature_verified=False,
        structure_verified=False,
        certificate_verified=False,
        valid_at_signing_time=False,
    )
    issuer = replace(TOKEN.issuer, system=AdvancedSystem.SIGNATURE)
    token = replace(TOKEN, issuer=issuer, validation=replace(TOKEN.validation, data=data))
    assert parse_token(parse(token_xml(token, Spelling.STRICT).encode())) == (token, ())


def test_token_of_e_codex() -> None:
    data = reference("ecodex-connector", "message", "Token.xml").read_bytes()
    token, weaknesses = parse_token(parse(data))
    assert token.issuer == TokenIssuer("BRZ", "AT", AdvancedSystem.AUTHENTICATION)
    assert token.document.filename == "name"
    assert token.document.digest.hex().startswith("43cc23fa52b87b4c")
    assert isinstance(token.validation.data, AuthenticationData)
    assert token.validation.data.username == "original"
    assert [weakness.code for weakness in weaknesses] == [
        "token.digest-not-uri",
        "token.digest-encoded-twice",
    ]


def test_elements_that_signature_based_tokens_of_e_codex_have_on_top() -> None:
    token = replace(
        TOKEN,
        issuer=replace(TOKEN.issuer, system=AdvancedSystem.SIGNATURE),
        validation=replace(TOKEN.validation, data=SignatureData(certificate_issuer="CN=x")),
    )
    text = token_xml(token, Spelling.STRICT).replace(
        "</CertificateInformation>",
        "<Subject>CN=y</Subject></CertificateInformation><TechnicalResult/>",
    )
    read, weaknesses = parse_token(parse(text.encode()))
    assert read == token
    assert [weakness.code for weakness in weaknesses] == ["token.not-schema-valid.unknown-element"]


STRICT = token_xml(TOKEN, Spelling.STRICT)


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("TrustOkToken", "Token", "token.unknown-root"),
        ("<TrustOkToken>", '<TrustOkToken xmlns="urn:x">', "token.unknown-root"),
        ("</Filename>", "</Filename><Filename>other</Filename>", "token.element-doubled"),
        ("<Filename>ä.xml</Filename>", "", "token.element-missing"),
        ("<Filename>ä", "<Filename>ä<!-- -->", "xml.comment-in-value"),
        ("Authentication-based", "Faith-based", "token.value"),
        (">SUCCESSFUL<", ">PERHAPS<", "token.value"),
        ("xmlenc#sha256", "xmlenc#md5", "token.digest-algorithm"),
        ("AAECAwQF", "AAAAAAECAwQF", "xml.base64"),
        ("AAECAwQF", "A!ECAwQF", "xml.base64"),
        ("2026-03-31T", "2026-13-31T", "xml.date-time"),
        ("<VerificationData>", "<Nothing>", "xml.malformed"),
    ],
)
def test_altered_token_is_refused(old: str, new: str, code: str) -> None:
    with pytest.raises(ConnectorError) as caught:
        parse_token(parse(STRICT.replace(old, new).encode()))
    assert caught.value.code == code


def test_digest_of_the_wrong_length() -> None:
    value = base64.b64encode(bytes(range(32))).decode()
    for digest in (b"short", base64.b64encode(b"short")):
        text = STRICT.replace(value, base64.b64encode(digest).decode())
        with pytest.raises(ConnectorError) as caught:
            parse_token(parse(text.encode()))
        assert caught.value.code in {"token.value", "xml.base64"}


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("<OriginalValidationReport></OriginalValidationReport>", "", "element-missing"),
        ("<Issuer>", "<Extra/><Issuer>", "unknown-element"),
    ],
)
def test_deviation_is_named(old: str, new: str, code: str) -> None:
    assert codes(STRICT.replace(old, new)) == [f"token.not-schema-valid.{code}"]


def test_kind_of_system_and_of_data_must_fit() -> None:
    text = STRICT.replace("Authentication-based", "Signature-based")
    assert codes(text) == ["token.system-mismatch"]


def test_report_cannot_break_out() -> None:
    evil = b"</OriginalValidationReport><OriginalValidationReport>"
    token = replace(TOKEN, validation=replace(TOKEN.validation, report=evil))
    with pytest.raises(ConnectorError) as caught:
        token_xml(token, Spelling.STRICT)
    assert caught.value.code == "xml.malformed"
