"""Digesting what an attachment's signature covers (SwA profile 1.1.1, 5.4.2).

Octets as they are, but where the media type is text, some senders normalise line ends first, and
where it is XML, they canonicalise. Both forms say the same, so either digest proves the content.
"""

from __future__ import annotations

import hashlib
import re
from typing import Final, Protocol

from connector.errors import ConnectorError
from connector.xml import canonical, parse

MAX_XML: Final = 16 * 1024 * 1024
"""Bytes of an uncompressed XML attachment whose canonical form is looked at."""
_LINE_END: Final = re.compile(rb"\r\n|\r|\n")
_XML_TYPE: Final = re.compile(r"(text/xml|application/xml|(application|image)/[^;]*\+xml)", re.I)


class Digest(Protocol):
    """A digest that grows."""

    def update(self, data: bytes) -> None:
        """Add octets."""
        ...

    def matches(self, expected: bytes) -> bool:
        """Whether the octets so far have this digest."""
        ...


def is_text(media_type: str) -> bool:
    """Whether peers may digest content of this type in another form than its octets."""
    return media_type.lower().startswith("text/") or _XML_TYPE.match(media_type) is not None


def digest_of(media_type: str, hash_name: str) -> Digest:
    """A digest for an attachment of this media type."""
    if _XML_TYPE.match(media_type):
        return _XmlDigest(hash_name)
    if media_type.lower().startswith("text/"):
        return _TextDigest(hash_name)
    return _OctetDigest(hash_name)


class _OctetDigest:
    def __init__(self, hash_name: str) -> None:
        self._hash = hashlib.new(hash_name)

    def update(self, data: bytes) -> None:
        self._hash.update(data)

    def matches(self, expected: bytes) -> bool:
        return self._hash.digest() == expected


class _TextDigest(_OctetDigest):
    """Also with every line end as CR LF."""

    def __init__(self, hash_name: str) -> None:
        super().__init__(hash_name)
        self._lines = hashlib.new(hash_name)
        self._held = b""  # a CR whose LF may come with the next piece

    def update(self, data: bytes) -> None:
        super().update(data)
        whole = self._held + data
        self._held = b"\r" if whole.endswith(b"\r") else b""
        whole = whole[: len(whole) - len(self._held)]
        self._lines.update(_LINE_END.sub(b"\r\n", whole))

    def matches(self, expected: bytes) -> bool:
        if super().matches(expected):
            return True
        lines = self._lines.copy()
        lines.update(b"\r\n" if self._held else b"")
        return lines.digest() == expected


class _XmlDigest(_OctetDigest):
    """Also in exclusive canonical form."""

    def __init__(self, hash_name: str) -> None:
        super().__init__(hash_name)
        self._name = hash_name
        self._octets: bytearray | None = bytearray()

    def update(self, data: bytes) -> None:
        super().update(data)
        if self._octets is not None:
            self._octets += data
            if len(self._octets) > MAX_XML:
                self._octets = None

    def matches(self, expected: bytes) -> bool:
        if super().matches(expected):
            return True
        if self._octets is None:
            return False
        try:
            form = canonical(parse(bytes(self._octets)))
        except ConnectorError:
            return False  # whatever it is, it is not what was signed
        return hashlib.new(self._name, form).digest() == expected
