"""What the tests of XJustiz share: the format, and its example changed in one place."""

from __future__ import annotations

from functools import cache

from connector.shipped import shipped
from connector.translation import Formats, Read, load_formats
from tests.reference import REFERENCE

MAPPING = shipped("mappings") / "xjustiz"
EXAMPLE = MAPPING / "examples" / "request" / "document.xml"
X = "{http://www.xjustiz.de}"


@cache
def formats(*, strict: bool = True) -> Formats:
    """With the official schemas, where there are any."""
    folder = REFERENCE / "xjustiz"
    return load_formats(
        [MAPPING], strict=strict, official={"xjustiz": folder} if folder.is_dir() else {}
    )


def read_document(data: bytes, *, strict: bool = False) -> Read:
    """What the mapping makes of a document; what it does not know is a warning."""
    return formats(strict=strict).read(data, "xjustiz", filename="ersuchen.xml")


def changed(before: str, after: str) -> bytes:
    """The example with one place changed."""
    text = EXAMPLE.read_text("utf-8")
    assert before in text
    return text.replace(before, after, 1).encode()


def with_field(field: str) -> bytes:
    """The example with one more field of the request."""
    before, after = EXAMPLE.read_text("utf-8").split("<name>Sachverhalt</name>")
    start = before.rindex("<feld>")
    return f"{before[:start]}{field}{before[start:]}<name>Sachverhalt</name>{after}".encode()
