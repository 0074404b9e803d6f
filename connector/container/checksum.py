"""CRC-32 of bytes that follow each other, from the CRC-32 of each: no byte is read again.

The outer archive's header states the checksum of the whole inner archive before its first byte;
it is put together here from the checksums of headers and documents.
"""

from __future__ import annotations

from typing import Final

_POLYNOMIAL: Final = 0xEDB88320
_ONE: Final = 1 << 31
"""The polynomial 1, bits reflected."""


def _product(a: int, b: int) -> int:
    """a times b modulo the CRC polynomial, over GF(2), bits reflected."""
    product = 0
    while a:
        if a & _ONE:
            product ^= b
        a = a << 1 & 0xFFFFFFFF
        b = b >> 1 ^ (_POLYNOMIAL if b & 1 else 0)
    return product


def _squares() -> tuple[int, ...]:
    """x to the power 8, 16, 32 …: one factor for each bit of a length in bytes."""
    powers = [1 << 23]
    while len(powers) < 64:
        powers.append(_product(powers[-1], powers[-1]))
    return tuple(powers)


_POWERS: Final = _squares()


def combined(first: int, second: int, length: int) -> int:
    """The CRC-32 of two runs of bytes, from that of each and the second one's length."""
    shift = _ONE
    bit = 0
    while length:
        if length & 1:
            shift = _product(_POWERS[bit], shift)
        length >>= 1
        bit += 1
    return _product(shift, first) ^ second
