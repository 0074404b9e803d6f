"""Every way to have something accepted that nobody signed."""

from __future__ import annotations

import copy
import hashlib
import hmac
from base64 import b64encode
from collections.abc import Callable

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from lxml import etree

from connector.signature import xades
from connector.signature.algorithms import (
    C14N,
    ECDSA_SHA256,
    ECDSA_SHA512,
    ED25519,
    EXC_C14N,
    RSA_PSS_SHA256,
    RSA_SHA1,
    RSA_SHA256,
    RSA_SHA512,
    SHA1,
    SIGNATURE_METHODS,
    AlgorithmPolicy,
    verify,
)
from connector.signature.dsig_model import (
    ATTACHMENT_CONTENT,
    ENVELOPED,
    FILTER2,
    STR_TRANSFORM,
    XPATH,
    Reference,
    Transform,
)
from connector.signature.dsig_reading import MAX_REFERENCES
from connector.signature.dsig_writing import x509_data
from connector.signature.pki import KeyType
from connector.signature.trust import TrustStore
from connector.xml import Element, parse
from tests.signature.conftest import TestPki
from tests.signature.forging import D, X, handmade, over, resigned, signature_of, text
from tests.signature.moments import NOW
from tests.signature.refusals import refused

POLICY = AlgorithmPolicy()
BODY = b'<request Id="r"><amount>100</amount><to Id="t">DE</to></request>'
XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
HMAC = "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"


def check(data: bytes, pki: TestPki, policy: AlgorithmPolicy = POLICY) -> xades.VerifiedDocument:
    return xades.verify_enveloped(parse(data), pki.trust, policy, NOW)


def signed(pki: TestPki) -> bytes:
    return xades.sign_enveloped(parse(BODY), pki.key, NOW)


def enveloping(signature: bytes, body: bytes = BODY) -> bytes:
    return body.replace(b"</request>", signature + b"</request>")


def test_the_handmade_signature_itself_is_accepted(pki: TestPki) -> None:
    """Otherwise the refusals below would prove nothing."""
    check(enveloping(handmade(pki.key, [over(BODY)])), pki)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">100<", b">900<"),
        (b'Id="r"', b'Id="x"'),
        (b"<to ", b"<too/><to "),
        (b"<amount>100</amount>", b""),
        (b"</amount>", b"</amount> "),
        (b"</ds:Signature>", b"</ds:Signature>tail"),
        (b"</ds:Signature>", b"</ds:Signature><to>FR</to>"),
        (b"<request ", b'<request xmlns="urn:x" '),
    ],
)
def test_altered_content(pki: TestPki, old: bytes, new: bytes) -> None:
    data = signed(pki)
    assert old in data
    with refused("signature.digest-mismatch"):
        check(data.replace(old, new, 1), pki)


def test_altered_signed_properties(pki: TestPki) -> None:
    with refused("signature.digest-mismatch"):
        check(signed(pki).replace(b"2026-03-14T09", b"2026-03-14T08"), pki)


def test_altered_signature_value(pki: TestPki) -> None:
    root = parse(signed(pki))
    value = signature_of(root)[1]
    assert value.text
    value.text = ("B" if value.text[0] == "A" else "A") + value.text[1:]
    with refused("signature.value-mismatch"):
        check(text(root), pki)


def test_altered_digest_value(pki: TestPki) -> None:
    """The digest made to fit the forged content: then the value does not fit."""
    forged = BODY.replace(b"100", b"900")
    right, wrong = (b64encode(over(each).digest) for each in (BODY, forged))
    data = signed(pki).replace(b"100", b"900").replace(right, wrong)
    with refused("signature.value-mismatch"):
        check(data, pki)


# --- Signature wrapping: a true signature, made to look as if it covered something else. ---


def wrap_as_child(root: Element) -> Element:
    """The original, signature and all, inside a forged document."""
    outer = parse(BODY.replace(b"100", b"900").replace(b'Id="r"', b'Id="forged"'))
    outer.append(root)
    return outer


def wrap_in_object(root: Element) -> Element:
    """The original moved into an Object of its own signature, that one put into a forgery."""
    signature = signature_of(root)
    outer = parse(BODY.replace(b"100", b"900").replace(b'Id="r"', b'Id="forged"'))
    outer.append(signature)
    holder = etree.SubElement(signature, f"{D}Object")
    holder.append(root)
    return outer


def move_signature_only(root: Element) -> Element:
    outer = parse(BODY.replace(b"100", b"900"))
    outer.append(signature_of(root))
    return outer


def beside_a_copy(root: Element) -> Element:
    """The signature at the top, the original and a forged copy below."""
    outer = etree.Element("request")
    signature = signature_of(root)
    forged = copy.deepcopy(root)
    forged[0].text = "900"
    outer.extend([forged, root, signature])
    return outer


@pytest.mark.parametrize("whole", ["", "#r"])
@pytest.mark.parametrize(
    "attack", [wrap_as_child, wrap_in_object, move_signature_only, beside_a_copy]
)
def test_wrapping(pki: TestPki, attack: Callable[[Element], Element], whole: str) -> None:
    data = enveloping(handmade(pki.key, [over(BODY, whole)]))
    check(data, pki)
    forged = text(attack(parse(data)))
    with pytest.raises(Exception, match=r"\[signature\.") as caught:
        check(forged, pki)
    assert caught.value.code in {  # type: ignore[attr-defined]
        "signature.missing",
        "signature.digest-mismatch",
        "signature.duplicate-id",
        "signature.transform-refused",
        "signature.not-covered",
    }


def test_a_signature_below_another_element_does_not_count(pki: TestPki) -> None:
    root = parse(signed(pki))
    below = etree.SubElement(root, "below")
    below.append(signature_of(root))
    with refused("signature.missing"):
        check(text(root), pki)
    with refused("signature.missing"):
        xades.verify_enveloped(root, pki.trust, POLICY, NOW, signature=signature_of(root))


def test_reference_to_another_element(pki: TestPki) -> None:
    """A valid signature, but only over a part: `to` is signed, `amount` is not."""
    part = over(b'<to Id="t">DE</to>', "#t", (Transform(EXC_C14N),))
    data = enveloping(handmade(pki.key, [part]))
    with refused("signature.not-covered"):
        check(data, pki)
    with refused("signature.not-covered"):
        check(enveloping(handmade(pki.key, [part, over(BODY)])), pki)


def test_no_reference_to_the_content(pki: TestPki) -> None:
    with refused("signature.not-covered"):
        check(enveloping(handmade(pki.key, [])), pki)


@pytest.mark.parametrize("name", ["Id", "ID", "id", "xml:id"])
def test_duplicate_ids(pki: TestPki, name: str) -> None:
    """Two readers may take different elements, whichever of them was signed."""
    data = enveloping(handmade(pki.key, [over(BODY, "#r")]))
    twin = f'<twin {name}="r"/>'.encode()
    for forged in (
        data.replace(b"<amount>", twin + b"<amount>"),
        data.replace(b"<ds:Object>", b"<ds:Object>" + twin),
    ):
        with refused("signature.duplicate-id"):
            check(forged, pki)
    with refused("signature.duplicate-id"):
        check(data.replace(b"<amount>", f'<twin {name}="p"/><amount>'.encode()), pki)


@pytest.mark.parametrize(
    "uri", ["#none", "#", "#xpointer(/)", "#xpointer(id('r'))", "file:///etc/passwd", "other.xml"]
)
def test_references_to_elsewhere(pki: TestPki, uri: str) -> None:
    reference = over(BODY, uri, (Transform(EXC_C14N),) if uri[0] == "#" else ())
    with refused("signature.unresolved"):
        check(enveloping(handmade(pki.key, [reference])), pki)


def test_reference_without_uri(pki: TestPki) -> None:
    reference = Reference(None, over(BODY).digest, over(BODY).digest_method)
    with refused("signature.unresolved"):
        check(enveloping(handmade(pki.key, [reference])), pki)


# --- Transforms: what is digested must be what the document says. ---


@pytest.mark.parametrize(
    "algorithm",
    [
        XSLT,
        "http://www.w3.org/2000/09/xmldsig#base64",
        "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments",
        "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
        "http://www.w3.org/2002/07/decrypt#XML",
        "urn:nothing",
        "",
    ],
)
def test_unknown_transforms(pki: TestPki, algorithm: str) -> None:
    reference = over(BODY, "", (Transform(ENVELOPED), Transform(algorithm)))
    with refused("signature.transform-refused"):
        check(enveloping(handmade(pki.key, [reference])), pki)


@pytest.mark.parametrize(
    "transforms",
    [
        (Transform(EXC_C14N), Transform(ENVELOPED)),
        (Transform(ENVELOPED), Transform(EXC_C14N), Transform(C14N)),
        (Transform(ENVELOPED), Transform(XPATH), Transform(EXC_C14N)),
        (Transform(EXC_C14N),) * 5,
        (Transform(ENVELOPED), Transform(EXC_C14N), Transform(ATTACHMENT_CONTENT)),
        (Transform(STR_TRANSFORM),),
    ],
)
def test_transforms_in_another_order(pki: TestPki, transforms: tuple[Transform, ...]) -> None:
    with refused("signature.transform-refused"):
        check(enveloping(handmade(pki.key, [over(BODY, "", transforms)])), pki)


FILTERS = {XPATH: f"{D}XPath", FILTER2: f"{{{FILTER2}}}XPath"}


def filtered(pki: TestPki, filter: str) -> bytes:
    """A document that is signed without any of its signatures."""
    transforms = (Transform(filter), Transform(EXC_C14N))
    return enveloping(handmade(pki.key, [over(BODY, "", transforms)]))


@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(
    "expression",
    [
        "not(ancestor-or-self::ds:Signature or self::amount)",
        "not(ancestor-or-self::ds:Signature) and not(self::amount)",
        "not(ancestor-or-self::x:Signature)",
        "not(ancestor-or-self::amount)",
        "/descendant::amount",
        "/descendant::ds:Signature | /descendant::amount",
        "/descendant::x:Signature",
        "//*",
        "true()",
        "",
    ],
)
def test_other_xpath_filters(pki: TestPki, expression: str, filter: str) -> None:
    """A filter that drops more than the signature would leave the rest free to be altered."""
    data = filtered(pki, filter)
    check(data, pki)
    root = parse(data)
    found = root.find(f".//{FILTERS[filter]}")
    assert found is not None
    found.text = expression
    with refused("signature.transform-refused"):
        check(resigned(root, pki.key), pki)


@pytest.mark.parametrize("said", ["intersect", "union", "", None])
def test_filters_that_do_not_subtract(pki: TestPki, said: str | None) -> None:
    """What is kept by them could be next to nothing."""
    root = parse(filtered(pki, FILTER2))
    (found,) = root.iter(FILTERS[FILTER2])
    del found.attrib["Filter"]
    if said is not None:
        found.set("Filter", said)
    with refused("signature.transform-refused"):
        check(resigned(root, pki.key), pki)


def test_several_filters_at_once(pki: TestPki) -> None:
    root = parse(filtered(pki, FILTER2))
    (found,) = root.iter(FILTERS[FILTER2])
    found.addnext(copy.deepcopy(found))
    with refused("signature.transform-refused"):
        check(resigned(root, pki.key), pki)


def test_the_xpath_prefix_means_what_it_says(pki: TestPki) -> None:
    """Exclusive C14N does not sign what the prefix in the expression is bound to."""
    data = filtered(pki, XPATH)
    for element in (b"<ds:XPath>", b"<ds:XPath >"):
        rebound = data.replace(element, b'<ds:XPath xmlns:q="urn:q">').replace(
            b"self::ds:Sig", b"self::q:Sig"
        )
        if rebound == data:
            continue
        with refused("signature.transform-refused"):
            check(resigned(parse(rebound), pki.key), pki)


@pytest.mark.parametrize("filter", FILTERS)
def test_the_xpath_filter_leaves_other_signatures_open(pki: TestPki, filter: str) -> None:
    """It drops every ds:Signature: what a forger puts into another one is signed by nobody."""
    data = filtered(pki, filter)
    forged = data.replace(
        b"<to ",
        b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><amount>900</amount>'
        b"</ds:Signature><to ",
    )
    root = parse(forged)
    with refused("signature.not-covered"):
        xades.verify_enveloped(root, pki.trust, POLICY, NOW, signature=root[-1])


def test_enveloped_without_being_inside(pki: TestPki) -> None:
    body = b'<request><part Id="r"><amount>1</amount></part></request>'
    part = over(b'<part Id="r"><amount>1</amount></part>', "#r")
    with refused("signature.transform-refused"):
        check(enveloping(handmade(pki.key, [part]), body), pki)


def test_too_many_references(pki: TestPki) -> None:
    with refused("signature.too-many-references"):
        check(enveloping(handmade(pki.key, [over(BODY)] * (MAX_REFERENCES + 1))), pki)


# --- Algorithms and keys. ---


def test_hmac_with_the_public_key(rsa_pki: TestPki) -> None:
    """The public key as the secret: anybody could make that."""
    root = parse(signed(rsa_pki))
    signature = signature_of(root)
    signature[0][1].set("Algorithm", HMAC)
    secret = rsa_pki.key.certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    info = etree.tostring(signature[0], method="c14n", exclusive=True)
    signature[1].text = b64encode(hmac.new(secret, info, hashlib.sha256).digest()).decode()
    with refused("signature.hmac"):
        check(text(root), rsa_pki)


@pytest.mark.parametrize("method", [ECDSA_SHA256, ED25519])
def test_method_of_another_kind_of_key(rsa_pki: TestPki, method: str) -> None:
    data = signed(rsa_pki).replace(RSA_SHA256.encode(), method.encode())
    with refused("signature.wrong-key"):
        check(data, rsa_pki)


@pytest.mark.parametrize("method", [RSA_SHA512, RSA_PSS_SHA256])
def test_substituted_method(rsa_pki: TestPki, method: str) -> None:
    data = signed(rsa_pki).replace(RSA_SHA256.encode(), method.encode())
    with refused("signature.value-mismatch"):
        check(data, rsa_pki)


@pytest.mark.parametrize(
    ("method", "code"),
    [
        (RSA_SHA1, "signature.weak-algorithm"),
        ("http://www.w3.org/2001/04/xmldsig-more#rsa-md5", "signature.weak-algorithm"),
        ("http://www.w3.org/2000/09/xmldsig#dsa-sha1", "signature.weak-algorithm"),
        ("http://www.w3.org/2009/xmldsig11#dsa-sha256", "signature.unknown-algorithm"),
        ("none", "signature.unknown-algorithm"),
        ("", "signature.unknown-algorithm"),
    ],
)
def test_methods_that_do_not_count(rsa_pki: TestPki, method: str, code: str) -> None:
    root = parse(signed(rsa_pki))
    signature_of(root)[0][1].set("Algorithm", method)
    with refused(code):
        check(text(root), rsa_pki)


def test_sha1_counts_only_where_a_policy_names_it(rsa_pki: TestPki) -> None:
    permitting = AlgorithmPolicy(permitted=frozenset({SHA1, RSA_SHA1}))
    data = xades.sign_enveloped(
        parse(BODY), rsa_pki.key, NOW, signature_method=RSA_SHA1, digest_method=SHA1
    )
    found = check(data, rsa_pki, permitting)
    assert [w.code for w in found.weaknesses] == ["signature.weak-algorithm"] * 2
    with refused("signature.weak-algorithm"):
        check(data, rsa_pki)
    with refused("signature.weak-algorithm"):  # the digests are weak still
        check(data, rsa_pki, AlgorithmPolicy(permitted=frozenset({RSA_SHA1})))


def test_rsa_1024(rsa_pki: TestPki) -> None:
    weak = rsa_pki.issuer.issue("weak", NOW, private=rsa.generate_private_key(65537, 1024))
    data = xades.sign_enveloped(parse(BODY), weak, NOW)
    with refused("signature.weak-key"):
        check(data, rsa_pki)
    check(data, rsa_pki, AlgorithmPolicy(rsa_bits=1024))
    pinned = TrustStore([], pinned=[weak.certificate])
    with refused("signature.weak-key"):
        xades.verify_enveloped(parse(data), pinned, POLICY, NOW)


def test_weak_curve(pki: TestPki) -> None:
    weak = pki.issuer.issue("weak", NOW, private=ec.generate_private_key(ec.SECP192R1()))
    with refused("signature.weak-key"):
        check(xades.sign_enveloped(parse(BODY), weak, NOW), pki)


def test_der_encoded_ecdsa_value(pki: TestPki) -> None:
    """Another encoding of the same value would make signatures malleable."""
    root = parse(signed(pki))
    signature = signature_of(root)
    info = etree.tostring(signature[0], method="c14n", exclusive=True)
    signature[1].text = b64encode(pki.key.sign_der(info)).decode()
    with refused("signature.value-mismatch"):
        check(text(root), pki)


@pytest.mark.parametrize("cut", [1, 2, 3])
def test_ecdsa_values_without_leading_zeros(cut: int) -> None:
    """EU DSS leaves them off where both halves have them; nothing else may be missing."""
    key = ec.generate_private_key(ec.SECP521R1())
    while True:
        r, s = utils.decode_dss_signature(key.sign(b"data", ec.ECDSA(hashes.SHA512())))
        if 1 << 512 <= max(r, s) < 1 << 520:
            break
    method = SIGNATURE_METHODS[ECDSA_SHA512]
    halves = [each.to_bytes(66, "big") for each in (r, s)]
    assert halves[0][0] == halves[1][0] == 0
    assert verify(key.public_key(), method, b"".join(halves), b"data")
    shorter = b"".join(half[cut:] for half in halves)
    assert verify(key.public_key(), method, shorter, b"data") is (cut == 1)
    assert not verify(key.public_key(), method, halves[0][1:] + halves[1], b"data")
    assert not verify(key.public_key(), method, b"\0" + halves[0] + b"\0" + halves[1], b"data")
    assert not verify(key.public_key(), method, b"", b"data")


# --- Certificates. ---


def test_unknown_issuer(pki: TestPki, rsa_pki: TestPki) -> None:
    with refused("certificate.unknown-issuer"):
        check(signed(rsa_pki), pki)


def test_another_certificate_in_key_info(pki: TestPki) -> None:
    """A certificate of the same key, but with another name: the signer did not mean that one."""
    other = pki.issuer.issue("Somebody else", NOW, private=pki.key.private)
    with refused("signature.certificate-mismatch"):
        check(enveloping(handmade(pki.key, [over(BODY)], sent=x509_data(other.certificates))), pki)


def test_another_key_than_the_named_one(pki: TestPki) -> None:
    """Named and sent is the certificate of one who is trusted; signed has another."""
    forger = pki.issuer.issue("Forger", NOW, key_type=KeyType.P256)
    with refused("signature.value-mismatch"):
        check(
            enveloping(
                handmade(forger, [over(BODY)], named=pki.key, sent=x509_data(pki.key.certificates))
            ),
            pki,
        )


def test_the_order_of_certificates_does_not_matter(pki: TestPki) -> None:
    backwards = x509_data(tuple(reversed(pki.key.certificates)))
    found = check(enveloping(handmade(pki.key, [over(BODY)], sent=backwards)), pki)
    assert found.certificate == pki.key.certificate


@pytest.mark.parametrize(
    "key_info",
    [
        b"",
        b"<ds:KeyName>me</ds:KeyName>",
        b"<ds:X509Data><ds:X509SubjectName>CN=me</ds:X509SubjectName></ds:X509Data>",
        b"<ds:X509Data>"
        + b"<ds:X509Certificate>AAAA</ds:X509Certificate>" * 99
        + b"</ds:X509Data>",
    ],
)
def test_no_certificate(pki: TestPki, key_info: bytes) -> None:
    with refused("signature.no-certificate"):
        check(enveloping(handmade(pki.key, [over(BODY)], sent=key_info)), pki)


@pytest.mark.parametrize("content", [b"AAAA", b"%%%", b"", b"A" * 100_000])
def test_malformed_certificate(pki: TestPki, content: bytes) -> None:
    sent = b"<ds:X509Data><ds:X509Certificate>%b</ds:X509Certificate></ds:X509Data>" % content
    with refused("certificate.malformed"):
        check(enveloping(handmade(pki.key, [over(BODY)], sent=sent)), pki)


# --- Form. ---


def test_unsigned(pki: TestPki) -> None:
    with refused("signature.missing"):
        check(BODY, pki)


def test_signed_properties_must_be_there_and_be_covered(pki: TestPki) -> None:
    data = signed(pki)
    root = parse(data)
    holder = signature_of(root).find(f"{D}Object")
    assert holder is not None
    holder.getparent().remove(holder)  # type: ignore[union-attr]
    with refused("signature.not-xades"):
        check(text(root), pki)
    root = parse(data)
    info = signature_of(root)[0]
    info.remove(info[-1])
    with refused("signature.not-covered"):
        check(resigned(root, pki.key), pki)


def test_signed_properties_from_elsewhere(pki: TestPki) -> None:
    """The signed ones moved out of the signature, others put in their place."""
    root = parse(signed(pki))
    signature = signature_of(root)
    qualifying = signature.find(f"{D}Object/{X}QualifyingProperties")
    assert qualifying is not None
    original = qualifying[0]
    forged = copy.deepcopy(original)
    forged.set("Id", "forged")
    qualifying.append(forged)
    etree.SubElement(signature, f"{D}Object").append(original)
    with refused("signature.not-covered"):
        check(text(root), pki)


def test_two_signed_properties(pki: TestPki) -> None:
    root = parse(signed(pki))
    qualifying = signature_of(root).find(f"{D}Object/{X}QualifyingProperties")
    assert qualifying is not None
    qualifying.append(copy.deepcopy(qualifying[0]))
    with refused("signature.not-xades"):
        check(text(root), pki)


def test_signed_properties_of_another_type(pki: TestPki) -> None:
    root = parse(signed(pki))
    del signature_of(root)[0][-1].attrib["Type"]
    with refused("signature.not-covered"):
        check(resigned(root, pki.key), pki)


@pytest.mark.parametrize(
    ("place", "code"),
    [
        (b"<ds:DigestValue>", "signature.comment"),
        (b"</ds:SignatureValue>", "signature.comment"),
        (b'xml-exc-c14n#"></ds:CanonicalizationMethod>', "signature.comment"),
        (b"<xades:SigningTime>", "xml.comment-in-value"),
        (b"<xades:IssuerSerialV2>", "signature.comment"),
        (b"<ds:X509Certificate>", "xml.comment-in-value"),
    ],
)
def test_comments_in_values(pki: TestPki, place: bytes, code: str) -> None:
    data = signed(pki)
    assert place in data
    with refused(code):
        comment = b"<!-- -->"
        ends = place.startswith(b"</")
        check(data.replace(place, comment + place if ends else place + comment, 1), pki)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ds:SignedInfo", b"<ds:KeyInfo/><ds:SignedInfo"),
        (b"<ds:KeyInfo>", b"<ds:Manifest/><ds:KeyInfo>"),
        (b"<ds:KeyInfo>", b"<ds:SignedInfo/><ds:KeyInfo>"),
        (b"<ds:SignatureMethod", b"words<ds:SignatureMethod"),
        (b"<ds:DigestValue>", b"<ds:DigestValue>!"),
        (b"<ds:DigestMethod", b"<ds:DigestMethod/><ds:DigestMethod"),
        (b"</ds:SignatureValue>", b"=</ds:SignatureValue>"),
        (
            b"</ds:SignatureMethod>",
            b"<ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>",
        ),
    ],
)
def test_malformed(pki: TestPki, old: bytes, new: bytes) -> None:
    data = signed(pki)
    assert old in data
    with refused("signature.malformed"):
        check(data.replace(old, new, 1), pki)


def test_unknown_canonicalisation(pki: TestPki) -> None:
    root = parse(signed(pki))
    signature_of(root)[0][0].set("Algorithm", EXC_C14N + "WithComments")
    with refused("signature.unknown-algorithm"):
        check(text(root), pki)


def test_a_certificate_of_an_unknown_version(pki: TestPki) -> None:
    """What the library raises for that is no ValueError; it must not stop a worker."""
    der = bytearray(pki.key.certificates[0])
    at = der.index(bytes.fromhex("a003020102")) + 4
    der[at] = 3
    own, other = (b64encode(each) for each in (pki.key.certificates[0], bytes(der)))
    with refused("certificate.malformed"):
        check(signed(pki).replace(own, other), pki)
