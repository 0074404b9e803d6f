"""Reading a ds:Signature strictly, and checking its value (XMLDSig 1.1, clauses 3.2.2 and 4)."""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from lxml import etree

from connector.errors import Problem, unacceptable
from connector.signature.algorithms import (
    EXC_C14N,
    AlgorithmPolicy,
    verify,
    weakness,
)
from connector.signature.dsig_model import (
    CANONICALISATIONS,
    DS,
    FILTER2,
    STR_TRANSFORM,
    TRANSFORMS,
    XPATH,
    ParsedSignature,
    Reference,
    Transform,
    refused,
)
from connector.xml import Element

MAX_REFERENCES: Final = 256
MAX_TRANSFORMS: Final = 4

_SIGNATURE: Final = f"{{{DS}}}Signature"
_SIGNED_INFO: Final = f"{{{DS}}}SignedInfo"
_VALUE: Final = f"{{{DS}}}SignatureValue"
_KEY_INFO: Final = f"{{{DS}}}KeyInfo"
_OBJECT: Final = f"{{{DS}}}Object"
_C14N_METHOD: Final = f"{{{DS}}}CanonicalizationMethod"
_METHOD: Final = f"{{{DS}}}SignatureMethod"
_REFERENCE: Final = f"{{{DS}}}Reference"
_TRANSFORMS: Final = f"{{{DS}}}Transforms"
_TRANSFORM: Final = f"{{{DS}}}Transform"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
_XPATH: Final = f"{{{DS}}}XPath"
_INCLUSIVE: Final = f"{{{EXC_C14N}}}InclusiveNamespaces"
_WSSE: Final = "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-wssecurity-secext-1.0.xsd"
_FILTER2_XPATH: Final = f"{{{FILTER2}}}XPath"
_NOT_SIGNATURE: Final = re.compile(
    r"\s*not\s*\(\s*ancestor-or-self\s*::\s*([\w.-]+):Signature\s*\)\s*", re.ASCII
)
_ALL_SIGNATURES: Final = re.compile(r"\s*/\s*descendant\s*::\s*([\w.-]+):Signature\s*", re.ASCII)


def parse_signature(element: Element, *, max_references: int = MAX_REFERENCES) -> ParsedSignature:
    """What `element` (a ds:Signature in its document) says; its SignedInfo canonicalised in place.

    Raises `ConnectorError` (unacceptable): `signature.malformed`, `signature.comment`,
    `signature.too-many-references`, `signature.unknown-algorithm` (canonicalisation),
    `signature.transform-refused`.
    """
    if element.tag != _SIGNATURE:
        raise refused("malformed", f"{element.tag} is no ds:Signature.", element)
    parts = [child for child in element if isinstance(child.tag, str)]
    tags = [child.tag for child in parts]
    key_infos = tags[2:3].count(_KEY_INFO)
    if tags[:2] != [_SIGNED_INFO, _VALUE] or set(tags[2 + key_infos :]) - {_OBJECT}:
        raise refused("malformed", "A ds:Signature has other parts than the standard's.", element)
    info = parts[0]
    c14n, method, references = _signed_info(info, max_references)
    return ParsedSignature(
        element=element,
        id=element.get("Id"),
        signed_info=canonical_octets(info, c14n),
        signature_method=method,
        value=base64_value(parts[1]),
        references=references,
        key_info=parts[2] if key_infos else None,
        objects=tuple(parts[2 + key_infos :]),
    )


def _signed_info(
    info: Element, max_references: int
) -> tuple[Transform, str, tuple[Reference, ...]]:
    children = list(_elements(info))
    tags = [child.tag for child in children[:2]]
    if tags != [_C14N_METHOD, _METHOD] or len(children) < 3:
        raise refused("malformed", "The ds:SignedInfo is incomplete.", info)
    if len(children) - 2 > max_references:
        raise refused(
            "too-many-references",
            f"The signature has {len(children) - 2} references; {max_references} are allowed.",
            info,
        )
    c14n, method = children[0], children[1]
    if c14n.get("Algorithm") not in CANONICALISATIONS:
        raise unacceptable(
            "signature.unknown-algorithm",
            f"The canonicalisation {c14n.get('Algorithm')!r} is not accepted.",
            mend="Sign with exclusive C14N (without comments).",
            line=c14n.sourceline,
        )
    if len(method):
        # HMACOutputLength and RSASSA-PSS parameters: nothing accepted here has any.
        raise refused("malformed", "The ds:SignatureMethod has parameters.", method)
    return (
        _canonicalisation(c14n),
        method.get("Algorithm", ""),
        tuple(_reference(child) for child in children[2:]),
    )


def _reference(element: Element) -> Reference:
    if element.tag != _REFERENCE:
        raise refused("malformed", f"{element.tag} stands among the references.", element)
    children = list(_elements(element))
    transforms: tuple[Transform, ...] = ()
    if children and children[0].tag == _TRANSFORMS:
        transforms = _transforms(children.pop(0))
    if [child.tag for child in children] != [_DIGEST_METHOD, _DIGEST_VALUE]:
        raise refused("malformed", "A ds:Reference has no digest, or more than one.", element)
    return Reference(
        uri=element.get("URI"),
        digest=base64_value(children[1]),
        digest_method=children[0].get("Algorithm", ""),
        transforms=transforms,
        type=element.get("Type"),
        id=element.get("Id"),
    )


def _transforms(element: Element) -> tuple[Transform, ...]:
    children = list(_elements(element))
    if not 0 < len(children) <= MAX_TRANSFORMS:
        raise refused("transform-refused", f"{len(children)} transforms in one reference.", element)
    return tuple(_transform(child) for child in children)


def _transform(element: Element) -> Transform:
    algorithm = element.get("Algorithm")
    if element.tag != _TRANSFORM or algorithm not in TRANSFORMS:
        raise refused(
            "transform-refused",
            f"The transform {algorithm!r} is not accepted.",
            element,
            "Only enveloped-signature, C14N, the attachment transforms and their like are.",
        )
    if algorithm in CANONICALISATIONS:
        return _canonicalisation(element)
    children = list(_elements(element))
    if algorithm == XPATH:
        _check_xpath(element, children, _XPATH, {}, _NOT_SIGNATURE)
    elif algorithm == FILTER2:
        _check_xpath(element, children, _FILTER2_XPATH, {"Filter": "subtract"}, _ALL_SIGNATURES)
    elif algorithm == STR_TRANSFORM:
        return Transform(algorithm, c14n=_str_parameters(element))
    elif children:
        raise refused("transform-refused", f"{algorithm} takes no parameters.", element)
    return Transform(algorithm)


def _check_xpath(
    transform: Element,
    children: Sequence[Element],
    tag: str,
    attributes: Mapping[str, str],
    expression: re.Pattern[str],
) -> None:
    """Accept the one expression for all signatures alone, its prefix looked up where it stands:
    exclusive C14N does not protect what a prefix inside a text means."""
    if len(children) == 1 and children[0].tag == tag and len(children[0]) == 0:
        found = expression.fullmatch(children[0].text or "")
        said = dict(children[0].attrib.items()) == attributes
        if found and said and children[0].nsmap.get(found[1]) == DS:
            return
    raise refused(
        "transform-refused", "An XPath transform other than the enveloped one.", transform
    )


def _str_parameters(transform: Element) -> str | None:
    method = transform.find(f"{{{_WSSE}}}TransformationParameters/{_C14N_METHOD}")
    return None if method is None else method.get("Algorithm")


def _canonicalisation(element: Element) -> Transform:
    algorithm = element.get("Algorithm", "")
    children = list(_elements(element))
    if not children:
        return Transform(algorithm)
    if algorithm != EXC_C14N or len(children) != 1 or children[0].tag != _INCLUSIVE:
        raise refused("transform-refused", f"{algorithm} with unknown parameters.", element)
    return Transform(algorithm, tuple(children[0].get("PrefixList", "").split()))


def _elements(parent: Element) -> Iterator[Element]:
    """The child elements; comments, instructions and text between them are refused."""
    if parent.text and not parent.text.isspace():
        raise refused("malformed", f"Text in {etree.QName(parent).localname}.", parent)
    for child in parent:
        if not isinstance(child.tag, str):
            raise _comment(parent)
        if child.tail and not child.tail.isspace():
            raise refused("malformed", f"Text in {etree.QName(parent).localname}.", parent)
        yield child


def base64_value(element: Element) -> bytes:
    """The octets in an element of Base64. Raises `signature.malformed`, `signature.comment`."""
    if len(element):
        raise _comment(element)
    try:
        return b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError) as error:
        name = etree.QName(element).localname
        raise refused("malformed", f"{name} is not Base64.", element) from error


def _comment(element: Element) -> Exception:
    return refused(
        "comment",
        f"{etree.QName(element).localname} holds a comment or other markup.",
        element,
        "Values of a signature must be plain text.",
    )


def canonical_octets(node: Element | etree._ElementTree, method: Transform) -> bytes:
    """`node` in canonical form without comments. Raises `xml.not-canonicalisable`."""
    exclusive = method.algorithm == EXC_C14N
    try:
        return etree.tostring(
            node,
            method="c14n",
            exclusive=exclusive,
            with_comments=False,
            inclusive_ns_prefixes=list(method.inclusive_prefixes) or None,
        )
    except (etree.C14NError, ValueError) as error:
        raise unacceptable(
            "xml.not-canonicalisable", f"Cannot be canonicalised: {error}"
        ) from error


def verify_signature_value(
    parsed: ParsedSignature, public_key: object, policy: AlgorithmPolicy
) -> tuple[Problem, ...]:
    """Make sure that the value over SignedInfo was made by the owner of `public_key` (of whatever
    type); what the policy let pass.

    Raises `signature.hmac`, `signature.unknown-algorithm`, `signature.weak-algorithm`,
    `signature.weak-key`, `signature.unknown-key`, `signature.wrong-key` (method and key do not
    belong together), `signature.value-mismatch`.
    """
    method = policy.signature_method(parsed.signature_method)
    key = policy.check_key(public_key)
    if not method.fits(key):
        raise refused(
            "wrong-key",
            f"{method.uri} does not work with the signer's key ({type(key).__name__}).",
            parsed.element,
        )
    if not verify(key, method, parsed.value, parsed.signed_info):
        raise refused(
            "value-mismatch",
            "The signature value does not fit: the signature was altered, or made by another key.",
            parsed.element,
            "Ask the sender to send it again.",
        )
    found = weakness(method.uri)
    return (found,) if found else ()
