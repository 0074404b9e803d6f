"""What we sign verifies, and covers exactly the document."""

from __future__ import annotations

from datetime import timedelta
from hashlib import sha256, sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.signature import xades
from connector.signature.algorithms import (
    EXC_C14N,
    RSA_PSS_SHA256,
    RSA_PSS_SHA512,
    RSA_SHA384,
    RSA_SHA512,
    SHA384,
    SHA512,
    AlgorithmPolicy,
)
from connector.signature.dsig_model import DS, Transform
from connector.signature.dsig_reading import canonical_octets
from connector.signature.pki import KeyType
from connector.xml import Element, parse
from tests.signature.conftest import TestPki, made
from tests.signature.moments import NOW
from tests.signature.refusals import refused

POLICY = AlgorithmPolicy()
REQUEST = (
    b'<e:request xmlns:e="urn:emla" xmlns="urn:other" xmlns:xs="urn:xs"'
    b' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    b'  <e:facts xsi:type="xs:string">Gr\xc3\xbc\xc3\x9fe &amp; mehr&#13;</e:facts><b/>\n'
    b"</e:request>"
)


def verified(data: bytes, pki: TestPki) -> xades.VerifiedDocument:
    return xades.verify_enveloped(parse(data), pki.trust, POLICY, NOW)


def test_round_trip_with_every_kind_of_key(any_pki: TestPki) -> None:
    signed = xades.sign_enveloped(parse(REQUEST), any_pki.key, NOW)
    found = verified(signed, any_pki)
    assert found.certificate == any_pki.key.certificate
    assert found.signing_time == NOW
    assert found.signature_method == any_pki.key.algorithm
    assert found.path.certificates == (
        any_pki.key.certificate,
        any_pki.issuer.key.certificate,
        any_pki.root.key.certificate,
    )
    assert found.weaknesses == ()
    assert etree.tostring(found.root) == etree.tostring(parse(REQUEST))
    assert found.octets == canonical_octets(parse(REQUEST), Transform(EXC_C14N))


@pytest.mark.parametrize("method", [RSA_SHA384, RSA_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA512])
@pytest.mark.parametrize("digest", [SHA384, SHA512])
def test_other_methods(rsa_pki: TestPki, method: str, digest: str) -> None:
    signed = xades.sign_enveloped(
        parse(REQUEST), rsa_pki.key, NOW, signature_method=method, digest_method=digest
    )
    found = verified(signed, rsa_pki)
    assert found.signature_method == method
    assert found.covered[0].reference.digest_method == digest


def test_signing_leaves_the_document_as_it_is(pki: TestPki) -> None:
    root = parse(REQUEST)
    signed = xades.sign_enveloped(root, pki.key, NOW)
    assert etree.tostring(root) == etree.tostring(parse(REQUEST))
    before, _, after = signed.partition(b"<ds:Signature")
    assert before.endswith(etree.tostring(root, encoding="UTF-8")[: -len(b"</e:request>")])
    assert after.endswith(b"</ds:Signature></e:request>")


def test_the_signature_is_the_last_child_of_an_empty_root(pki: TestPki) -> None:
    for text in (b"<a/>", b'<p:a xmlns:p="urn:p"/>', b"<a>text</a>"):
        signed = xades.sign_enveloped(parse(text), pki.key, NOW)
        assert parse(signed)[-1].tag == f"{{{DS}}}Signature"
        assert etree.tostring(verified(signed, pki).root) == text


def test_instructions_beside_the_root_are_signed(pki: TestPki) -> None:
    signed = xades.sign_enveloped(parse(b"<?style one?><!-- c --><a>x</a><?end?>"), pki.key, NOW)
    assert signed.index(b"<?style one?>") < signed.index(b"<a>") < signed.index(b"<?end?>")
    assert b"<?style one?>" in verified(signed, pki).octets
    for altered in (
        signed.replace(b"<?style one?>", b"<?style two?>"),
        signed.replace(b"<?style one?>", b""),
    ):
        with refused("signature.digest-mismatch"):
            verified(altered, pki)


def test_comments_are_not_signed_and_not_handed_on(pki: TestPki) -> None:
    signed = xades.sign_enveloped(parse(b"<a><b>admin</b></a>"), pki.key, NOW)
    found = verified(signed.replace(b"admin", b"ad<!-- x -->min"), pki)
    assert found.root[0].text == "admin"
    assert len(found.root[0]) == 0


def test_roles_are_told_as_claims(pki: TestPki) -> None:
    signed = xades.sign_enveloped(
        parse(REQUEST), pki.key, NOW, roles=["Staatsanwältin <1>", "central authority"]
    )
    assert verified(signed, pki).roles == ("Staatsanwältin <1>", "central authority")


def test_same_input_same_document(rsa_pki: TestPki) -> None:
    """RSA PKCS#1 has no randomness, and neither has anything else."""
    one, other = (xades.sign_enveloped(parse(REQUEST), rsa_pki.key, NOW) for _ in range(2))
    assert one == other


def test_a_signature_from_the_future_is_weak(pki: TestPki) -> None:
    signed = xades.sign_enveloped(parse(REQUEST), pki.key, NOW + timedelta(hours=1))
    assert [w.code for w in verified(signed, pki).weaknesses] == ["signature.from-the-future"]


def test_signed_twice(pki: TestPki, rsa_pki: TestPki) -> None:
    """A second signature by another signer covers the first; each must be asked for by itself."""
    once = xades.sign_enveloped(parse(REQUEST), pki.key, NOW)
    twice = xades.sign_enveloped(parse(once), rsa_pki.key, NOW)
    with refused("signature.several"):
        verified(twice, rsa_pki)
    root = parse(twice)
    found = xades.verify_enveloped(root, rsa_pki.trust, POLICY, NOW, signature=root[-1])
    assert etree.tostring(found.root) == etree.tostring(parse(once))
    inner = xades.verify_enveloped(found.root, pki.trust, POLICY, NOW)
    assert etree.tostring(inner.root) == etree.tostring(parse(REQUEST))


names = st.sampled_from(["a", "b", "c-d", "é", "Signature"])
spaces = st.sampled_from([None, "urn:one", "urn:two", "http://www.w3.org/2001/XMLSchema-instance"])
letters = st.characters(
    codec="utf-8", exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"
)
values = st.text(letters | st.sampled_from("\t\n\r&<>\"'"), max_size=8)


@st.composite
def elements(draw: st.DrawFn, depth: int = 3) -> Element:
    prefixes = draw(st.sampled_from([{}, {None: "urn:one"}, {"p": "urn:two"}, {"q": "urn:one"}]))
    space = draw(spaces)
    tag = etree.QName(space, draw(names)) if space else draw(names)
    element = etree.Element(tag, nsmap=prefixes if space else {})
    for name in draw(st.sets(names, max_size=2)):
        at = draw(spaces)
        element.set(etree.QName(at, name) if at else name, draw(values))
    element.text = draw(values)
    for _ in range(draw(st.integers(0, 3)) if depth else 0):
        kind = draw(st.integers(0, 5))
        if kind == 0:
            child: Element = etree.ProcessingInstruction("target", "data")
        elif kind == 1:
            child = etree.Comment(" remark ")
        else:
            child = draw(elements(depth - 1))
        child.tail = draw(values)
        element.append(child)
    return element


@settings(deadline=None, max_examples=150)
@given(elements(), st.sampled_from([KeyType.P256, KeyType.ED25519]))
def test_any_document_round_trips(element: Element, key_type: KeyType) -> None:
    pki = made(key_type)
    text = etree.tostring(element, encoding="UTF-8")
    root = parse(text)
    found = verified(xades.sign_enveloped(root, pki.key, NOW), pki)
    etree.strip_tags(root, etree.Comment)
    assert etree.tostring(found.root, method="c14n") == etree.tostring(root, method="c14n")
    assert found.octets == etree.tostring(root, method="c14n", exclusive=True)


FILES = {"SignedContent.zip": sha256(b"zip").digest(), "a b.xml": sha256(b"xml").digest()}


def detached(pki: TestPki) -> Element:
    items = [
        ("SignedContent.zip", "application/zip", FILES["SignedContent.zip"]),
        ("a%20b.xml", "text/xml", FILES["a b.xml"]),
    ]
    return parse(b"<s>" + xades.sign_detached(items, pki.key, NOW) + b"</s>")[0]


def test_detached_round_trip(any_pki: TestPki) -> None:
    found = xades.verify_detached(detached(any_pki), FILES, any_pki.trust, POLICY, NOW)
    assert [item.reference.uri for item in found.covered] == ["SignedContent.zip", "a%20b.xml"]
    assert found.signing_time == NOW


def test_detached_by_a_function(pki: TestPki) -> None:
    asked = []

    def digests(name: str, algorithm: str) -> bytes | None:
        asked.append((name, algorithm))
        return FILES[name]

    xades.verify_detached(detached(pki), digests, pki.trust, POLICY, NOW)
    assert asked == [("SignedContent.zip", "sha256"), ("a b.xml", "sha256")]


def test_detached_must_cover_all_and_only_what_is_there(pki: TestPki) -> None:
    def check(digests: xades.Digests) -> None:
        xades.verify_detached(detached(pki), digests, pki.trust, POLICY, NOW)

    with refused("signature.not-covered"):
        check({**FILES, "more.pdf": b"x" * 32})
    with refused("signature.unresolved"):
        check({"SignedContent.zip": FILES["SignedContent.zip"]})
    with refused("signature.digest-mismatch"):
        check({**FILES, "a b.xml": sha256(b"altered").digest()})
    with refused("signature.digest-mismatch"):
        check(lambda name, algorithm: sha512(b"zip").digest())
    with refused("signature.unresolved"):
        check(lambda name, algorithm: None)


def test_an_enveloped_signature_is_none_over_files(pki: TestPki) -> None:
    root = parse(xades.sign_enveloped(parse(REQUEST), pki.key, NOW))
    with refused("signature.not-covered"):
        xades.verify_detached(root[-1], FILES, pki.trust, POLICY, NOW)


def test_a_detached_signature_is_none_over_a_document(pki: TestPki) -> None:
    signature = xades.sign_detached(
        [("SignedContent.zip", "application/zip", FILES["SignedContent.zip"])], pki.key, NOW
    )
    with refused("signature.unresolved"):
        verified(b"<a>" + signature + b"</a>", pki)


def test_only_whole_documents_are_verified(pki: TestPki) -> None:
    root = parse(b"<outer>" + REQUEST + b"</outer>")
    with pytest.raises(ValueError, match="not its root"):
        xades.verify_enveloped(root[0], pki.trust, POLICY, NOW)
