"""The layer below XAdES, as WS-Security uses it."""

from __future__ import annotations

from hashlib import sha256, sha512

from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.signature.algorithms import C14N, EXC_C14N, SHA256, SHA512, AlgorithmPolicy
from connector.signature.xmldsig import (
    ATTACHMENT_CONTENT,
    STR_TRANSFORM,
    WSU,
    Digested,
    Reference,
    SameDocument,
    Transform,
    build_signature,
    canonical_octets,
    check_references,
    parse_signature,
    signed_info,
    verify_signature_value,
    x509_data,
)
from connector.xml import Element, parse
from tests.signature.conftest import TestPki
from tests.signature.refusals import refused
from tests.signature.test_xades import letters

POLICY = AlgorithmPolicy()
ENVELOPE = (
    '<s:Envelope xmlns:s="urn:soap" xmlns="urn:default" xmlns:app="urn:app"><s:Header>%s'
    f'<m:Messaging xmlns:m="urn:eb" xmlns:wsu="{WSU}" wsu:Id="m" m:kind="x">'
    "<m:Id>1@b</m:Id></m:Messaging></s:Header>"
    f'<s:Body xmlns:wsu="{WSU}" wsu:Id="b"/></s:Envelope>'
)
ATTACHMENT = sha512(b"attachment").digest()
ON_ATTACHMENTS = frozenset({ATTACHMENT_CONTENT})


def message(pki: TestPki, *more: Reference) -> Element:
    """A SOAP message with two signed parts and a signed attachment."""
    root = parse((ENVELOPE % "").encode())
    header, body = root
    exclusive = Transform(EXC_C14N)
    with_prefixes = Transform(EXC_C14N, ("app", "#default"))
    references = (
        Reference("#m", _digest(header[0], exclusive), SHA256, (exclusive,)),
        Reference("#b", _digest(body, with_prefixes), SHA256, (with_prefixes,)),
        Reference("cid:1@x", ATTACHMENT, SHA512, (Transform(ATTACHMENT_CONTENT),)),
        *more,
    )
    signature = build_signature(references, pki.key, key_info=x509_data(pki.key.certificates))
    return parse((ENVELOPE % signature.decode()).encode())


def _digest(node: Element, method: Transform) -> bytes:
    return sha256(canonical_octets(node, method)).digest()


def streamed(reference: Reference) -> Digested | None:
    return Digested(ATTACHMENT, SHA512) if reference.uri == "cid:1@x" else None


def test_a_message_round_trips(any_pki: TestPki) -> None:
    root = message(any_pki)
    parsed = parse_signature(root[0][0])
    key = any_pki.key.certificate.public_key()
    assert verify_signature_value(parsed, key, POLICY) == ()
    covered, weaknesses = check_references(
        parsed, SameDocument(root), POLICY, resolve=streamed, resolver_applies=ON_ATTACHMENTS
    )
    assert weaknesses == ()
    assert [item.reference.uri for item in covered] == ["#m", "#b", "cid:1@x"]
    assert covered[0].node is root[0][1]
    assert covered[1].node is root[1]
    assert b'xmlns:app="urn:app"' in (covered[1].octets or b"")
    assert covered[2].node is None
    assert covered[2].octets is None


def test_octets_from_outside(pki: TestPki) -> None:
    parsed = parse_signature(message(pki)[0][0])
    covered, _ = check_references(
        parsed,
        SameDocument(parsed.element.getroottree().getroot()),
        POLICY,
        resolve=lambda reference: b"attachment",
        resolver_applies=ON_ATTACHMENTS,
    )
    assert covered[2].octets == b"attachment"


def test_what_the_resolver_may_give(pki: TestPki) -> None:
    root = message(pki)
    parsed = parse_signature(root[0][0])
    document = SameDocument(root)
    with refused("signature.transform-refused"):  # nobody would apply the transform
        check_references(parsed, document, POLICY, resolve=streamed)
    with refused("signature.unresolved"):
        check_references(parsed, document, POLICY, resolver_applies=ON_ATTACHMENTS)
    for wrong in (
        lambda _: Digested(ATTACHMENT, SHA256),
        lambda _: Digested(b"", SHA512),
        lambda _: b"other",
    ):
        with refused("signature.digest-mismatch"):
            check_references(
                parsed, document, POLICY, resolve=wrong, resolver_applies=ON_ATTACHMENTS
            )
    with refused("signature.unresolved"):
        check_references(
            parsed, document, POLICY, resolve=lambda _: None, resolver_applies=ON_ATTACHMENTS
        )


def test_the_token_reference_goes_to_the_resolver(pki: TestPki) -> None:
    """STR-Transform dereferences a token, which only the caller can do."""
    token = Reference("#str", sha256(b"token").digest(), SHA256, (Transform(STR_TRANSFORM),))
    root = message(pki, token)
    seen = []

    def resolve(reference: Reference) -> bytes | Digested | None:
        seen.append(reference.uri)
        return b"token" if reference.uri == "#str" else streamed(reference)

    parsed = parse_signature(root[0][0])
    check_references(
        parsed,
        SameDocument(root),
        POLICY,
        resolve=resolve,
        resolver_applies=ON_ATTACHMENTS | {STR_TRANSFORM},
    )
    assert seen == ["cid:1@x", "#str"]


def test_the_limit_of_references_is_the_callers(pki: TestPki) -> None:
    element = message(pki)[0][0]
    assert len(parse_signature(element, max_references=3).references) == 3
    with refused("signature.too-many-references"):
        parse_signature(element, max_references=2)


def test_moved_and_copied_parts(pki: TestPki) -> None:
    """What is covered is the node that was digested, wherever a forger put it."""
    root = message(pki)
    signed = root[0][1]
    forged = parse(etree.tostring(signed).replace(b"1@b", b"evil").replace(b'"m"', b'"forged"'))
    root[0].replace(signed, forged)
    etree.SubElement(root[0], "wrapper").append(signed)
    parsed = parse_signature(root[0][0])
    covered, _ = check_references(
        parsed, SameDocument(root), POLICY, resolve=streamed, resolver_applies=ON_ATTACHMENTS
    )
    assert covered[0].node is signed
    assert covered[0].node is not root[0][1]
    twin = parse(etree.tostring(signed))
    root[1].append(twin)
    with refused("signature.duplicate-id"):
        check_references(
            parsed, SameDocument(root), POLICY, resolve=streamed, resolver_applies=ON_ATTACHMENTS
        )


attribute = st.text(letters | st.sampled_from("\t\n\r&<>\"'"), max_size=12)
prefixes = st.lists(st.sampled_from(["soap", "eb", "#default"]), max_size=2).map(tuple)
transforms = st.one_of(
    st.builds(Transform, st.just(EXC_C14N), prefixes),
    st.builds(Transform, st.sampled_from([C14N, ATTACHMENT_CONTENT])),
)
references = st.builds(
    Reference,
    st.none() | attribute,
    st.binary(max_size=64),
    st.sampled_from([SHA256, SHA512]),
    st.lists(transforms, max_size=4).map(tuple),
    st.none() | attribute,
    st.none() | attribute,
)


@settings(deadline=None)
@given(st.lists(references, min_size=1, max_size=5))
def test_signed_info_is_written_in_canonical_form(many: list[Reference]) -> None:
    """Wherever it is put: here below a root with a default namespace and prefixes of its own."""
    written = signed_info(many, "urn:method")
    around = b'<r xmlns="urn:r" xmlns:eb="urn:eb" xmlns:soap="urn:s"><x>%b</x></r>' % written
    assert etree.tostring(parse(around)[0][0], method="c14n", exclusive=True) == written


@settings(deadline=None)
@given(many=st.lists(references, min_size=1, max_size=5))
def test_what_is_written_is_read(many: list[Reference], pki: TestPki) -> None:
    written = build_signature(many, pki.key, id="a&b", key_info=b"<k xmlns='urn:k'/>")
    parsed = parse_signature(parse(written))
    assert list(parsed.references) == many
    assert parsed.id == "a&b"
    assert parsed.key_info is not None
    assert parsed.key_info[0].tag == "{urn:k}k"
    assert verify_signature_value(parsed, pki.key.certificate.public_key(), POLICY) == ()


def test_documents_that_cannot_be_canonicalised(pki: TestPki) -> None:
    """Canonical XML knows no relative namespace names."""
    root = parse(b'<r xmlns="relative/name" Id="x"/>')
    reference = Reference("#x", b"", SHA256, (Transform(EXC_C14N),))
    signature = parse(build_signature([reference], pki.key))
    with refused("xml.not-canonicalisable"):
        check_references(parse_signature(signature), SameDocument(root), POLICY)
