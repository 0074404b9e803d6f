"""Comparing what a signature's references cover with their digests (XMLDSig 1.1, clause 3.2.1)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Final, cast

from lxml import etree

from connector.errors import ConnectorError, Problem
from connector.signature.algorithms import C14N, AlgorithmPolicy, weakness
from connector.signature.dsig_model import (
    BASE64,
    CANONICALISATIONS,
    DS,
    FOREIGN,
    REMOVALS,
    REMOVES_ALL,
    WSU,
    Covered,
    Digested,
    ParsedSignature,
    Reference,
    Transform,
    refused,
)
from connector.signature.dsig_reading import base64_value, canonical_octets
from connector.xml import Element

Resolver = Callable[[Reference], bytes | Digested | None]
"""Gives the octets of a reference to something outside the document, or their digest; None if it
does not know the URI. It applies the reference's transforms itself."""

_VALUES: Final = etree.XPath("descendant-or-self::*/@*[. = $id]")
_IDS: Final = frozenset(
    {"Id", "ID", "id", f"{{{WSU}}}Id", "{http://www.w3.org/XML/1998/namespace}id"}
)
"""Every attribute that some reader might take for an Id."""
_SIGNATURE: Final = f"{{{DS}}}Signature"
_DEFAULT: Final = Transform(C14N)
"""What a node-set becomes by default (clause 4.4.3.2)."""


class SameDocument:
    """Resolves the references of signatures into one document."""

    def __init__(self, root: Element, *, several: bool = False) -> None:
        """With `several`, a filter that drops every signature is let do so; the caller then has to
        verify each of them."""
        self.root = root
        self._several = several

    def element(self, uri: str) -> Element:
        """The one element that `uri` (empty, or `#` and an Id) means.

        Raises `signature.unresolved`,
        `signature.duplicate-id`.
        """
        if not uri:
            return self.root
        if uri[0] != "#" or len(uri) == 1:
            raise _unresolved(uri)
        values = cast(list[etree._ElementUnicodeResult], _VALUES(self.root, id=uri[1:]))
        found = [value.getparent() for value in values if value.attrname in _IDS]
        if len(found) > 1:
            raise refused(
                "duplicate-id",
                f"{len(found)} elements have the Id {uri[1:]!r}, so the signature is ambiguous.",
                found[1],
            )
        if not found or found[0] is None:
            raise _unresolved(uri)
        return found[0]

    def octets(
        self, reference: Reference, signature: Element, default: Transform = _DEFAULT
    ) -> tuple[Element, bytes]:
        """The element that a same-document reference means, and its canonical bytes, by `default`
        if the reference itself does not say how.

        Where the reference says enveloped, `signature` is taken out of the document, for good:
        what remains is what is signed. Raises further `signature.transform-refused`,
        `signature.not-covered`, `xml.not-canonicalisable`.
        """
        node = self.element(reference.uri or "")
        if any(transform.algorithm == BASE64 for transform in reference.transforms):
            if len(reference.transforms) > 1:
                raise _wrong_order(reference)
            return node, base64_value(node)
        removal, method = _plan(reference, default)
        if removal is not None:
            _take_out(signature, node)
            if removal.algorithm in REMOVES_ALL and self._several:
                drop_signatures(node)
            elif removal.algorithm in REMOVES_ALL and _signed_within(node):
                # That filter drops every signature with all it holds, not only its own.
                raise refused(
                    "not-covered",
                    "The document holds further signatures, whose content nothing covers.",
                    node,
                )
        beside = node.getprevious() is not None or node.getnext() is not None
        whole = not reference.uri and beside  # processing instructions around the root
        return node, canonical_octets(node.getroottree() if whole else node, method)


def _signed_within(node: Element) -> bool:
    return next(node.iter(_SIGNATURE), None) is not None


def drop_signatures(node: Element) -> None:
    """Remove every ds:Signature inside `node` with all it holds, as the XPath filter does."""
    for signature in list(node.iter(_SIGNATURE)):
        # One inside another has gone with it.
        if any(above is node for above in signature.iterancestors()):
            _take_out(signature, node)


def check_references(
    parsed: ParsedSignature,
    document: SameDocument | None,
    policy: AlgorithmPolicy,
    *,
    resolve: Resolver | None = None,
    resolver_applies: frozenset[str] = frozenset(),
) -> tuple[tuple[Covered, ...], tuple[Problem, ...]]:
    """Digest what each reference means and compare: what is covered, in the order of the
    references, and what the policy let pass.

    `document` resolves same-document references without foreign transforms; `resolve` all others,
    whose transforms must be among `resolver_applies`. If a reference is enveloped, the signature
    is taken out of the document.

    Raises `signature.digest-mismatch`, `signature.unresolved`, `signature.duplicate-id`,
    `signature.transform-refused`, `signature.not-covered`, `signature.weak-algorithm`,
    `signature.unknown-algorithm`, `xml.not-canonicalisable`.
    """
    covered: dict[int, Covered] = {}
    weaknesses: dict[str, Problem] = {}
    # Enveloped ones last: inclusive C14N of the others still needs the signature in its place.
    for index, reference in sorted(enumerate(parsed.references), key=_is_enveloped):
        name = policy.digest_method(reference.digest_method)
        if found := weakness(reference.digest_method):
            weaknesses[reference.digest_method] = found
        node: Element | None = None
        given: bytes | Digested
        if document is not None and is_same_document(reference):
            node, given = document.octets(reference, parsed.element)
        else:
            given = _from_outside(reference, resolve, resolver_applies)
        if isinstance(given, Digested):
            digest = given.digest if given.method == reference.digest_method else b""
        else:
            digest = hashlib.new(name, given).digest()
        if digest != reference.digest:
            raise _mismatch(reference, node)
        octets = None if isinstance(given, Digested) else given
        covered[index] = Covered(reference, node, octets)
    return tuple(covered[i] for i in range(len(covered))), tuple(weaknesses.values())


def _is_enveloped(numbered: tuple[int, Reference]) -> bool:
    return any(transform.algorithm in REMOVALS for transform in numbered[1].transforms)


def is_same_document(reference: Reference) -> bool:
    """Whether `SameDocument` resolves the reference, not the caller's resolver."""
    if reference.uri is None or reference.uri[:1] not in {"", "#"}:
        return False
    return not any(transform.algorithm in FOREIGN for transform in reference.transforms)


def _from_outside(
    reference: Reference, resolve: Resolver | None, applies: frozenset[str]
) -> bytes | Digested:
    for transform in reference.transforms:
        if transform.algorithm not in applies:
            raise refused(
                "transform-refused",
                f"The transform {transform.algorithm} does not belong to {reference.uri!r}.",
            )
    given = resolve(reference) if resolve is not None else None
    if given is None:
        raise _unresolved(reference.uri)
    return given


def _plan(reference: Reference, method: Transform) -> tuple[Transform | None, Transform]:
    """What is removed, if anything, then how it is canonicalised: no other order is accepted."""
    steps = list(reference.transforms)
    removal = steps.pop(0) if steps and steps[0].algorithm in REMOVALS else None
    if steps and steps[0].algorithm in CANONICALISATIONS:
        method = steps.pop(0)
    if steps:
        raise _wrong_order(reference)
    return removal, method


def _wrong_order(reference: Reference) -> ConnectorError:
    return refused(
        "transform-refused",
        f"The transforms of {reference.uri!r} do not stand in an accepted order.",
    )


def _take_out(signature: Element, node: Element) -> None:
    """Remove the signature from `node`, keeping the text that follows it."""
    parent = signature.getparent()
    if parent is None:
        return
    if not any(above is node for above in signature.iterancestors()):
        raise refused(
            "transform-refused",
            "An enveloped reference means an element that the signature is not in.",
            signature,
        )
    if signature.tail:
        previous = signature.getprevious()
        if previous is None:
            parent.text = (parent.text or "") + signature.tail
        else:
            previous.tail = (previous.tail or "") + signature.tail
        signature.tail = None
    parent.remove(signature)


def _unresolved(uri: str | None) -> ConnectorError:
    return refused("unresolved", f"The signature covers {uri!r}, which is not there.")


def _mismatch(reference: Reference, node: Element | None) -> ConnectorError:
    what = f"{reference.uri!r}" if reference.uri else "The document"
    return refused(
        "digest-mismatch",
        f"{what} is not what was signed: its digest differs.",
        node,
        "It was altered on the way, or re-formatted after signing. Ask for it again.",
    )
