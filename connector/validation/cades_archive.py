"""Archive timestamps of CAdES: archive-time-stamp-v3 (ETSI EN 319 122-1, clause 5.5.3).

Each token brings an index of the digests of all that it protects beside the signature itself:
certificates, revocation data, other unsigned attributes. What the index names must be there; what
it does not name is not protected.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from asn1crypto import algos, core  # type: ignore[import-untyped]

from connector.errors import unacceptable
from connector.signature.timestamps import Token, read_token
from connector.validation.in_time import Stamp
from connector.validation.report import Stamped

ARCHIVE_TIMESTAMP: Final = "0.4.0.1733.2.4"
_INDEX: Final = "0.4.0.19122.1.5"
_OLD_INDEX: Final = "0.4.0.1733.2.5"


class _Digests(core.SequenceOf):  # type: ignore[misc]
    _child_spec = core.OctetString


class _IndexV3(core.Sequence):  # type: ignore[misc]
    """ATSHashIndexV3, and ATSHashIndex, in which the algorithm may be left out (SHA-256)."""

    _fields = [  # noqa: RUF012 as asn1crypto wants it
        ("algorithm", algos.DigestAlgorithm, {"default": {"algorithm": "sha256"}}),
        ("certificates", _Digests),
        ("crls", _Digests),
        ("attributes", _Digests),
    ]


def archive_stamps(
    signed: Any, signer: Any, content: Callable[[], Iterable[bytes]]
) -> Iterator[Stamp]:
    """The archive timestamps of one SignerInfo, in the order in which they were made."""
    found = [
        read_token(value.dump())
        for attribute in signer["unsigned_attrs"] or ()
        if attribute["type"].dotted == ARCHIVE_TIMESTAMP
        for value in attribute["values"]
    ]
    for token in sorted(found, key=lambda each: each.time):
        protected = _Protected(signed, signer, token, content)
        yield Stamp(
            Stamped.ARCHIVE, token, protected.imprint, partial(protected.objects, further=True)
        )


@dataclass(frozen=True, slots=True)
class _Protected:
    """What one archive timestamp is about."""

    signed: Any
    signer: Any
    token: Token
    content: Callable[[], Iterable[bytes]]

    def imprint(self, hash_name: str) -> bytes:
        """The digest that the token must hold. Raises `timestamp.index` where the index is not
        there, or names what is not there."""
        index = self._index()
        self._check(index)
        digest = hashlib.new(hash_name)
        for piece in self.content():
            digest.update(piece)
        made = hashlib.new(hash_name)
        made.update(self.signed["encap_content_info"]["content_type"].dump())
        made.update(digest.digest())
        for part in ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm"):
            made.update(self.signer[part].dump())
        made.update(self.signer["signature"].dump())
        made.update(index.dump())
        return made.digest()

    def objects(self, *, further: bool) -> Iterator[bytes]:
        """What existed when the token was made: the signature, and what the index names."""
        if further:
            yield self.signer["signature"].native
        index = self._index()
        name = index["algorithm"]["algorithm"].native
        wanted = {
            each.native for part in ("certificates", "crls", "attributes") for each in index[part]
        }
        for octets, proven in self._all():
            if hashlib.new(name, octets).digest() in wanted:
                yield from proven

    def _index(self) -> Any:
        attributes = self.token.signed_data["signer_infos"][0]["unsigned_attrs"] or ()
        for attribute in attributes:
            if attribute["type"].dotted in {_INDEX, _OLD_INDEX}:
                values = list(attribute["values"])
                if len(values) == 1:
                    return _IndexV3.load(values[0].dump(), strict=True)
        raise unacceptable(
            "timestamp.index", "The archive timestamp does not say what it is about."
        )

    def _check(self, index: Any) -> None:
        name = index["algorithm"]["algorithm"].native
        there = {hashlib.new(name, octets).digest() for octets, _ in self._all()}
        for part in ("certificates", "crls", "attributes"):
            if any(each.native not in there for each in index[part]):
                raise unacceptable(
                    "timestamp.index",
                    f"The archive timestamp is about {part} that are not there any more.",
                )

    def _all(self) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
        """Each thing that an index may name as it is digested, and what it proves."""
        for each in self.signed["certificates"] or ():
            yield each.dump(), (each.chosen.dump(),)
        for each in self.signed["crls"] or ():
            inner = each.chosen if each.name == "crl" else each.chosen["other_rev_info"]
            yield each.dump(), (inner.dump(),)
        for attribute in self.signer["unsigned_attrs"] or ():
            yield attribute.dump(), ()
            kind = attribute["type"].dump()
            for value in attribute["values"]:
                yield kind + value.dump(), tuple(_proven_by(attribute, value))


def _proven_by(attribute: Any, value: Any) -> Iterator[bytes]:
    name = attribute["type"].native
    if name == "signature_time_stamp_token" or attribute["type"].dotted == ARCHIVE_TIMESTAMP:
        token = read_token(value.dump())
        yield token.der
        for each in token.signed_data["certificates"] or ():
            yield each.chosen.dump()
        for each in token.signed_data["crls"] or ():
            yield each.chosen.dump()
