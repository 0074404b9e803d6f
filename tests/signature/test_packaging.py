"""Every packaging, several signers, countersignatures: what each covers, and what it says."""

from __future__ import annotations

from hashlib import sha256, sha384, sha512

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from connector.signature import xades, xades_several
from connector.signature.algorithms import (
    RSA_PSS_SHA384,
    SHA256,
    SHA384,
    SHA512,
    AlgorithmPolicy,
)
from connector.signature.dsig_model import BASE64, DS, Reference, Transform
from connector.signature.pki import KeyType
from connector.signature.xades_packaging import (
    SignedFile,
    Signing,
    countersign,
    sign_beside,
    sign_element,
    sign_enveloping,
    sign_files,
    sign_other_signature,
)
from connector.signature.xades_signing import with_last_child
from connector.signature.xades_statements import (
    PROOF_OF_APPROVAL,
    Commitment,
    ImpliedPolicy,
    Place,
    SignaturePolicy,
    Statements,
)
from connector.xml import Element, parse
from tests.signature.conftest import TestPki, made
from tests.signature.forging import EXCLUSIVE, handmade
from tests.signature.moments import NOW
from tests.signature.refusals import refused
from tests.signature.test_xades import REQUEST, elements, letters

POLICY = AlgorithmPolicy()
KINDS = list(KeyType)
SIGNATURE = f"{{{DS}}}Signature"


def signing(pki: TestPki, **how: object) -> Signing:
    return Signing(key=pki.key, time=NOW, **how)  # type: ignore[arg-type]


def add_unsigned(signature: Element, markup: bytes) -> None:
    """Put a property into UnsignedSignatureProperties."""
    x = "{http://uri.etsi.org/01903/v1.3.2#}"
    qualifying = signature.find(f"{{{DS}}}Object/{x}QualifyingProperties")
    assert qualifying is not None
    unsigned = etree.SubElement(
        etree.SubElement(qualifying, f"{x}UnsignedProperties"), f"{x}UnsignedSignatureProperties"
    )
    unsigned.append(etree.fromstring(markup))


@pytest.mark.parametrize("kind", KINDS)
def test_every_key_in_every_packaging(kind: KeyType) -> None:
    pki = made(kind)
    how = signing(pki)
    check = (pki.trust, POLICY, NOW)
    found: xades.Verified = xades_several.verify_beside(
        parse(sign_beside(parse(REQUEST), how)), *check
    ).signatures[0]
    assert found.signature_method == pki.key.algorithm
    found = xades_several.verify_enveloping(parse(sign_enveloping(b"octets\0", how)), *check)
    assert found.covered[0].octets == b"octets\0"
    found = xades_several.verify_enveloping(parse(sign_enveloping(parse(REQUEST), how)), *check)
    assert found.covered[0].node is not None
    inside, before = (
        etree.tostring(each, method="c14n", exclusive=True)
        for each in (found.covered[0].node[0], parse(REQUEST))
    )
    assert inside == before
    root = parse(sign_element(parse(b'<a><b Id="x">1</b><c/></a>'), ["x"], how))
    _, (node,) = xades_several.verify_elements(root[-1], *check)
    assert node is root[0]
    files = {"a.bin": b"1"}
    root = parse(sign_files([SignedFile("a.bin", "x/y", sha256(b"1").digest())], how))
    xades.verify_detached(root, {n: sha256(b).digest() for n, b in files.items()}, *check)


@pytest.mark.parametrize(
    ("method", "digest"), [(SHA384, sha384(b"1").digest()), (SHA512, sha512(b"1").digest())]
)
def test_files_by_other_digests(rsa_pki: TestPki, method: str, digest: bytes) -> None:
    how = signing(rsa_pki, digest_method=method, signature_method=RSA_PSS_SHA384)
    file = SignedFile("a.bin", "x/y", digest)
    signature = parse(sign_files([file], how))

    def digests(name: str, algorithm: str) -> bytes | None:
        return file.digest if (name, algorithm) == ("a.bin", method[-6:]) else None

    found = xades.verify_detached(signature, digests, rsa_pki.trust, POLICY, NOW)
    assert found.signature_method == RSA_PSS_SHA384


def test_the_chain_of_transmission_endorses() -> None:
    """Issuing, central authority and ministry sign the same document, each with role and note."""
    document = REQUEST
    said = [
        Statements(roles=("issuing authority",), commitments=(Commitment(PROOF_OF_APPROVAL),)),
        Statements(roles=("central authority",), note="Forwarded without change. <1> & 2"),
        Statements(roles=("diplomatic mission",), note="Überbracht", place=Place("Wien", "AT")),
    ]
    pkis = [made(kind) for kind in (KeyType.RSA_2048, KeyType.P256, KeyType.ED25519)]
    for statements, pki in zip(said, pkis, strict=True):
        document = sign_beside(parse(document), signing(pki, statements=statements))
    trust = type(pkis[0].trust)(pki.root.key.certificate for pki in pkis)
    root = parse(document)
    before = etree.tostring(root)
    found = xades_several.verify_beside(root, trust, POLICY, NOW)
    assert etree.tostring(root) == before
    assert [xades_several.statements(each) for each in found.signatures] == said
    assert etree.tostring(found.root) == etree.tostring(parse(REQUEST))
    with refused("signature.digest-mismatch"):
        xades_several.verify_beside(parse(document.replace(b"mehr", b"more")), trust, POLICY, NOW)
    with refused("certificate.unknown-issuer"):
        xades_several.verify_beside(parse(document), pkis[0].trust, POLICY, NOW)
    # One of them alone is a signature of the document, too.
    for number in (-3, -2, -1):
        root = parse(document)
        for signature in [c for c in root if c.tag == SIGNATURE and c is not root[number]]:
            root.remove(signature)
        xades_several.verify_beside(root, trust, POLICY, NOW)


def test_the_single_document_verifier_wants_no_others(pki: TestPki, rsa_pki: TestPki) -> None:
    """Whoever asks for one signature is not given content that hides in another."""
    once = sign_beside(parse(REQUEST), signing(pki))
    xades.verify_enveloped(parse(once), pki.trust, POLICY, NOW)
    root = parse(sign_beside(parse(once), signing(rsa_pki)))
    with refused("signature.not-covered"):
        xades.verify_enveloped(root, pki.trust, POLICY, NOW, signature=root[-2])


@pytest.mark.parametrize(
    "hidden",
    [
        b"<part>x%b</part>",
        b"<part><deeper>x%b</deeper></part>",
    ],
)
def test_a_signature_where_nothing_covers_it(pki: TestPki, hidden: bytes) -> None:
    """The XPath filter drops it, so that its content would be nobody's."""
    smuggled = b'<ds:Signature xmlns:ds="%b"><evil/></ds:Signature>' % DS.encode()
    document = sign_beside(parse(b"<a>" + hidden % b"" + b"</a>"), signing(pki))
    xades_several.verify_beside(parse(document), pki.trust, POLICY, NOW)
    before, _, after = hidden.partition(b"%b")
    forged = document.replace(before + after, before + smuggled + after)
    assert forged != document
    with refused("signature.not-covered"):
        xades_several.verify_beside(parse(forged), pki.trust, POLICY, NOW)


def test_a_false_signature_beside_a_true_one(pki: TestPki) -> None:
    document = sign_beside(parse(REQUEST), signing(pki))
    empty = b'<ds:Signature xmlns:ds="%b"><evil/></ds:Signature>' % DS.encode()
    with refused("signature.malformed"):
        xades_several.verify_beside(
            parse(document.replace(b"</e:request>", empty + b"</e:request>")),
            pki.trust, POLICY, NOW,
        )  # fmt: skip


def test_countersignature_inside(pki: TestPki, rsa_pki: TestPki) -> None:
    root = parse(xades.sign_enveloped(parse(REQUEST), pki.key, NOW))
    signature = root[-1]
    add_unsigned(signature, countersign(signature, signing(rsa_pki)))
    data = etree.tostring(root)
    root = parse(data)
    (found,) = xades_several.countersignatures(root[-1])
    verified = xades_several.verify_countersignature(found, root[-1], rsa_pki.trust, POLICY, NOW)
    assert verified.certificate == rsa_pki.key.certificate
    xades.verify_enveloped(root, pki.trust, POLICY, NOW)


def test_countersignature_by_reference(pki: TestPki, rsa_pki: TestPki) -> None:
    root = parse(sign_beside(parse(REQUEST), signing(pki)))
    other = sign_other_signature(root[-1], signing(rsa_pki))
    root = parse(with_last_child(root, other))
    verified = xades_several.verify_countersignature(root[-1], root[-2], rsa_pki.trust, POLICY, NOW)
    assert verified.element is root[-1]
    with refused("signature.not-covered"):
        xades_several.verify_countersignature(root[-2], root[-1], pki.trust, POLICY, NOW)


def test_a_countersignature_moved_to_another_signature(pki: TestPki, rsa_pki: TestPki) -> None:
    root = parse(sign_beside(parse(REQUEST), signing(pki)))
    moved = countersign(root[-1], signing(rsa_pki))
    root = parse(sign_beside(root, signing(rsa_pki)))
    add_unsigned(root[-1], moved)
    (found,) = xades_several.countersignatures(root[-1])
    with refused("signature.not-covered"):
        xades_several.verify_countersignature(found, root[-1], rsa_pki.trust, POLICY, NOW)


def test_a_value_without_id_cannot_be_countersigned(pki: TestPki) -> None:
    root = parse(xades.sign_enveloped(parse(REQUEST), pki.key, NOW))
    del root[-1][1].attrib["Id"]
    with refused("signature.no-value-id"):
        countersign(root[-1], signing(pki))


def test_enveloping_must_cover_all_objects(pki: TestPki) -> None:
    data = sign_enveloping(b"content", signing(pki))
    more = b"<ds:Object><evil/></ds:Object></ds:Signature>"
    with refused("signature.not-covered"):
        xades_several.verify_enveloping(
            parse(data.replace(b"</ds:Signature>", more)), pki.trust, POLICY, NOW
        )
    with refused("signature.digest-mismatch"):
        xades_several.verify_enveloping(
            parse(data.replace(b"Y29udGVudA==", b"Y29udGVudDA=")), pki.trust, POLICY, NOW
        )


def test_base64_is_the_only_transform(pki: TestPki) -> None:
    twice = (Transform(BASE64), EXCLUSIVE)
    forged = handmade(pki.key, [Reference("#x", sha256(b"a").digest(), SHA256, twice)])
    root = parse(b'<r><x Id="x">YQ==</x>' + forged + b"</r>")
    with refused("signature.transform-refused"):
        xades_several.verify_elements(root[-1], pki.trust, POLICY, NOW)


def test_the_root_is_no_part_of_itself(pki: TestPki) -> None:
    with refused("signature.transform-refused"):
        sign_element(parse(b'<a Id="x"/>'), ["x"], signing(pki))
    with refused("signature.unresolved"):
        sign_element(parse(b'<a Id="x"/>'), ["y"], signing(pki))
    with refused("signature.duplicate-id"):
        sign_element(parse(b'<a><b Id="x"/><c Id="x"/></a>'), ["x"], signing(pki))


POLICIES = [
    None,
    ImpliedPolicy(),
    SignaturePolicy("urn:oid:1.2.3", SHA256, b"\1" * 32, "https://example.org/policy.pdf"),
    SignaturePolicy("https://example.org/policy", SHA512, b"\2" * 64),
]
words = st.text(letters | st.sampled_from("\t\n&<>\"'"), min_size=1, max_size=12)
said = st.builds(
    Statements,
    policy=st.sampled_from(POLICIES),
    commitments=st.lists(
        st.builds(
            Commitment,
            st.sampled_from([PROOF_OF_APPROVAL, "urn:oid:1.2.840"]),
            st.none() | words,
        ),
        max_size=2,
    ).map(tuple),
    roles=st.lists(words, max_size=2).map(tuple),
    place=st.none() | st.builds(Place, words, words),
    note=st.none() | words,
)


@settings(deadline=None, max_examples=80)
@given(elements(), st.lists(said, min_size=1, max_size=3), st.sampled_from(["exc", "enc"]))
def test_any_document_and_statements_round_trip(
    element: Element, statements: list[Statements], packaging: str
) -> None:
    pki = made(KeyType.P256)
    document = etree.tostring(element, encoding="UTF-8")
    if packaging == "enc":
        signed = sign_enveloping(document, signing(pki, statements=statements[0]))
        found = xades_several.verify_enveloping(parse(signed), pki.trust, POLICY, NOW)
        assert found.covered[0].octets == document
        assert xades_several.statements(found) == statements[0]
        return
    if parse(document).tag == SIGNATURE:
        return
    for each in statements:
        document = sign_beside(parse(document), signing(pki, statements=each))
    endorsed = xades_several.verify_beside(parse(document), pki.trust, POLICY, NOW)
    assert [xades_several.statements(each) for each in endorsed.signatures] == statements
