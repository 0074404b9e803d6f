"""Raising signatures: what is added, what stays, and what stops it."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from connector.errors import ConnectorError, Kind
from connector.signature import xades, xades_several
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.fetching import HttpFetcher, Timeouts
from connector.signature.revocation import Checking, HttpRevocation
from connector.signature.timestamps import HttpAuthority, InTurn
from connector.signature.trust import TrustStore
from connector.signature.xades_imprints import (
    archive_timestamp_octets,
    digest_of,
    nothing_outside,
    signature_timestamp_octets,
)
from connector.signature.xades_levels import Level, Services, extend, level_of
from connector.signature.xades_packaging import (
    SignedFile,
    Signing,
    as_document,
    countersign,
    sign_beside,
    sign_element,
    sign_enveloping,
    sign_files,
)
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE,
    read_timestamp,
    read_values,
    unsigned_properties,
    with_properties,
)
from connector.xml import parse
from tests.signature.certomancer_pki import NOW, Pki, running
from tests.signature.refusals import refused
from tests.signature.test_xades import REQUEST

POLICY = AlgorithmPolicy()
QUICK = Timeouts(connect=1, read=1, total=2)


@pytest.fixture(scope="module")
def module_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pki]:
    with running(tmp_path_factory.mktemp("pki")) as pki:
        yield pki


@pytest.fixture
def ca(module_services: Pki) -> Pki:
    module_services.at(NOW)
    module_services.requests.clear()
    return module_services


def trust(ca: Pki) -> TrustStore:
    return TrustStore([ca.certificate("root")])


def services(ca: Pki, **more: object) -> Services:
    fetcher = HttpFetcher(QUICK)
    given = {
        "authority": HttpAuthority(ca.tsa(), fetcher),
        "trust": trust(ca),
        "timestamp_trust": trust(ca),
        "revocation": HttpRevocation(fetcher, now=lambda: ca.now),
        "checking": Checking.REQUIRED,
    } | more
    return Services(**given)  # type: ignore[arg-type]


def signing(ca: Pki, label: str = "signer", *above: str) -> Signing:
    return Signing(key=ca.key(label, *above), time=NOW)


def in_packaging(ca: Pki, packaging: str) -> bytes:
    how = signing(ca)
    if packaging == "enveloped":
        return xades.sign_enveloped(parse(REQUEST), how.key, NOW)
    if packaging == "beside":
        return sign_beside(parse(REQUEST), how)
    if packaging == "element":
        return sign_element(parse(b'<a><b Id="x">1</b><c/></a>'), ["x"], how)
    if packaging == "enveloping octets":
        return as_document(sign_enveloping(b"octets", how))
    if packaging == "enveloping element":
        return as_document(sign_enveloping(parse(REQUEST), how))
    file = SignedFile("a.bin", "application/octet-stream", sha256(b"content").digest())
    return as_document(sign_files([file], how))


PACKAGINGS = [
    "enveloped", "beside", "element", "enveloping octets", "enveloping element", "files",
]  # fmt: skip


def verify(document: bytes, packaging: str, ca: Pki) -> None:
    root, check = parse(document), (trust(ca), POLICY, NOW)
    if packaging == "enveloped":
        xades.verify_enveloped(root, *check)
    elif packaging == "beside":
        xades_several.verify_beside(root, *check)
    elif packaging == "element":
        xades_several.verify_elements(root[-1], *check)
    elif packaging == "files":
        xades.verify_detached(root, {"a.bin": sha256(b"content").digest()}, *check)
    else:
        xades_several.verify_enveloping(root, *check)


@pytest.mark.parametrize("packaging", PACKAGINGS)
def test_every_level_in_every_packaging(ca: Pki, packaging: str) -> None:
    """Each step leaves every byte, and each timestamp is about what the standard says."""
    document = in_packaging(ca, packaging)
    contents = (lambda reference: [b"con", b"tent"]) if packaging == "files" else nothing_outside
    for level in (Level.T, Level.LT, Level.LTA, Level.LTA):
        before = document
        document = extend(before, level, services(ca), NOW, contents=contents)
        start = next(n for n, (a, b) in enumerate(zip(before, document, strict=False)) if a != b)
        added = len(document) - len(before)
        assert added > 0
        # One piece was put in, and nothing else changed.
        assert any(
            before[:n] + before[n:] == document[:n] + document[n + added :]
            for n in range(start - 40, start + 1)
        )
        verify(document, packaging, ca)
        signature = next(parse(document).iter(SIGNATURE))
        assert level_of(signature) is level
    signature = next(parse(document).iter(SIGNATURE))
    stamps = [e for e in unsigned_properties(signature) if e.tag.endswith("TimeStamp")]
    assert len(stamps) == 3
    for element in stamps:
        stamp = read_timestamp(element)
        octets = (
            archive_timestamp_octets(signature, contents, before=element)
            if element.tag == ARCHIVE_TIMESTAMP
            else signature_timestamp_octets(signature)
        )
        assert digest_of(octets, "sha256") == stamp.tokens[0].digest
        assert stamp.tokens[0].time == NOW


def test_at_once_is_the_same_as_one_after_the_other(ca: Pki) -> None:
    signature = next(
        parse(extend(in_packaging(ca, "enveloped"), Level.LTA, services(ca), NOW)).iter(SIGNATURE)
    )
    names = [each.tag.partition("}")[2] for each in unsigned_properties(signature)]
    assert names == [
        "SignatureTimeStamp", "CertificateValues", "RevocationValues",
        "TimeStampValidationData", "ArchiveTimeStamp",
    ]  # fmt: skip
    values = [read_values(each) for each in unsigned_properties(signature)]
    # The signer's OCSP response, the CA's CRL, the authority's CRL; the root is sent by nobody.
    assert [len(v.revocation.ocsps) for v in values] == [0, 0, 1, 0, 0]
    assert [len(v.revocation.crls) for v in values] == [0, 0, 1, 1, 0]
    assert [len(v.certificates) for v in values] == [0, 1, 0, 1, 0]


def test_several_signers_each_by_itself(ca: Pki) -> None:
    document = REQUEST
    for _ in range(3):
        document = sign_beside(parse(document), signing(ca))
    with refused("signature.several"):
        extend(document, Level.T, services(ca), NOW)
    for number in (2, 0, 1):
        document = extend(document, Level.LTA, services(ca), NOW, number=number)
    assert len(xades_several.verify_beside(parse(document), trust(ca), POLICY, NOW).signatures) == 3
    assert {level_of(each) for each in parse(document).iter(SIGNATURE)} == {Level.LTA}
    with refused("signature.missing"):
        extend(document, Level.T, services(ca), NOW, number=3)


def test_a_signature_that_another_covers(ca: Pki) -> None:
    key = ca.key()
    once = xades.sign_enveloped(parse(REQUEST), key, NOW)
    twice = xades.sign_enveloped(parse(once), key, NOW.replace(hour=10))
    with refused("signature.covered-by-another"):
        extend(twice, Level.T, services(ca), NOW, number=0)
    extend(twice, Level.T, services(ca), NOW, number=1)


def test_countersigned_and_extended(ca: Pki) -> None:
    document = sign_beside(parse(REQUEST), signing(ca))
    markup = countersign(parse(document)[-1], signing(ca))
    document = with_properties(document, 0, markup)
    document = extend(document, Level.LTA, services(ca), NOW)
    root = parse(document)
    (inner,) = xades_several.countersignatures(root[-1])
    xades_several.verify_countersignature(inner, root[-1], trust(ca), POLICY, NOW)
    # The countersignature is extended by itself: it is the second in the document.
    with refused("signature.covered-by-another"):
        extend(document, Level.T, services(ca), NOW, number=1)


@pytest.mark.parametrize(
    "document",
    [
        b"\xef\xbb\xbf<a x = \"1\">\n<b   y='2' /><![CDATA[<ds:Signature>]]>&#228;</a>",
        '<?xml version="1.0" encoding="ISO-8859-1"?>\r\n<a>ä<!-- </ds:Object> --></a >'.encode(
            "latin-1"
        ),
        b"<?pi </xades:QualifyingProperties> ?><a/>",
    ],
)
def test_bytes_stay_whatever_the_document_looks_like(ca: Pki, document: bytes) -> None:
    signed = xades.sign_enveloped(parse(document), ca.key(), NOW)
    # The signature into the original bytes: those that another tool might have written.
    start = signed.index(b"<ds:Signature")
    signature = signed[start : signed.index(b"</ds:Signature>") + 15]
    at = document.rindex(b"</a") if b"</a" in document else document.rindex(b"/>")
    if document.endswith(b"/>"):
        original = document[:at] + b">" + signature + b"</a>"
    else:
        original = document[:at] + signature + document[at:]
    extended = extend(original, Level.T, services(ca), NOW)
    begin = extended.index(b"<xades:UnsignedProperties")
    end = extended.index(b"</xades:UnsignedProperties>") + len(b"</xades:UnsignedProperties>")
    assert extended[:begin] + extended[end:] == original
    xades.verify_enveloped(parse(extended), trust(ca), POLICY, NOW)


def test_utf_16_is_refused(ca: Pki) -> None:
    signed = xades.sign_enveloped(parse(REQUEST), ca.key(), NOW).decode().partition("?>")[2]
    with refused("signature.encoding"):
        extend(f'<?xml version="1.0" encoding="UTF-16"?>{signed}'.encode("utf-16"), Level.T,
               services(ca), NOW)  # fmt: skip


# --- What stops it ---


def test_revoked_signers_are_not_raised(ca: Pki) -> None:
    document = sign_beside(parse(REQUEST), signing(ca, "revoked"))
    with refused("certificate.revoked"):
        extend(document, Level.LT, services(ca), NOW)


def test_a_signer_whose_issuer_is_revoked(ca: Pki) -> None:
    document = sign_beside(parse(REQUEST), signing(ca, "under-gone", "gone-ca"))
    with refused("certificate.revoked"):
        extend(document, Level.LT, services(ca), NOW)


def test_strangers_are_not_raised_and_nothing_is_fetched_for_them(ca: Pki) -> None:
    document = sign_beside(parse(REQUEST), signing(ca, "stranger", "stranger-ca"))
    with refused("certificate.unknown-issuer"):
        extend(document, Level.LT, services(ca), NOW)
    assert ca.requests == ["/pki/tsa/tsa"]


def test_without_revocation_data(ca: Pki) -> None:
    document = sign_beside(parse(REQUEST), signing(ca))
    down: list[str] = ["/pki/ocsp/ca", "/pki/crls/ca/latest.crl"]
    with ca.answering(down[0], lambda _: 500), ca.answering(down[1], lambda _: b"no CRL"):
        with refused("certificate.revocation-unknown", Kind.TRANSIENT):
            extend(document, Level.LT, services(ca), NOW)
        assert set(down) <= set(ca.requests)
    with ca.answering(down[0], lambda _: 500):
        values = extend(document, Level.LT, services(ca), NOW)
    assert values.count(b"<xades:EncapsulatedCRLValue>") == 3


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (lambda _: 503, "web.refused"),
        (lambda _: b"words", "timestamp.malformed"),
        (lambda _: b"x" * 300_000, "web.too-large"),
    ],
)
def test_authorities_in_turn(ca: Pki, answer: object, code: str) -> None:
    fetcher = HttpFetcher(QUICK)
    nobody = HttpAuthority("http://127.0.0.1:9/tsa", fetcher)
    bad = HttpAuthority(ca.tsa("late-tsa"), fetcher)
    good = HttpAuthority(ca.tsa(), fetcher)
    digest = sha256(b"x").digest()
    with ca.answering("/pki/tsa/late-tsa", answer):  # type: ignore[arg-type]
        assert InTurn([nobody, bad, good]).stamp(digest)
        with pytest.raises(ConnectorError) as caught:
            InTurn([nobody, bad]).stamp(digest)
    assert [p.code for p in caught.value.problems] == ["web.unreachable", code]
    assert caught.value.kind is Kind.TRANSIENT


def test_an_authority_that_stamps_something_else(ca: Pki) -> None:
    fetcher = HttpFetcher(QUICK)
    good = HttpAuthority(ca.tsa(), fetcher)
    kept: list[bytes] = []

    def replay(body: bytes) -> bytes:
        return kept[0]

    kept.append(fetcher.post(ca.tsa(), _query(b"y"), "application/timestamp-query", limit=10**5))
    with ca.answering("/pki/tsa/tsa", replay), refused("timestamp.wrong-answer", Kind.TRANSIENT):
        good.stamp(sha256(b"x").digest())


def _query(data: bytes) -> bytes:
    from asn1crypto import tsp

    imprint = {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": sha256(data).digest()}
    made: bytes = tsp.TimeStampReq(
        {"version": 1, "message_imprint": imprint, "nonce": 5, "cert_req": True}
    ).dump()
    return made


def test_offline_with_what_was_kept(ca: Pki, tmp_path: Path) -> None:
    """What was fetched is used until there is newer data, and offline for as long as it is good."""
    document = extend(sign_beside(parse(REQUEST), signing(ca)), Level.T, services(ca), NOW)
    kept = HttpRevocation(HttpFetcher(QUICK), cache=tmp_path, now=lambda: ca.now)
    extend(document, Level.LT, services(ca, revocation=kept), NOW)
    asked = list(ca.requests)
    extend(document, Level.LT, services(ca, revocation=kept), NOW)
    assert ca.requests == asked
    offline = HttpRevocation(_Nothing(), cache=tmp_path, now=lambda: ca.now)
    extend(document, Level.LT, services(ca, revocation=offline), NOW)


class _Nothing:
    """A machine without network."""

    def get(self, url: str, *, limit: int) -> bytes:
        return HttpFetcher(QUICK).get("http://127.0.0.1:9/", limit=limit)

    def post(
        self, url: str, body: bytes, content_type: str, *, limit: int, accept: str | None = None
    ) -> bytes:
        return self.get(url, limit=limit)
