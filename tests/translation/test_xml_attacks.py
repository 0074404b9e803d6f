"""What is no XML document of a format, or is made to be costly: refused, in bounds, by name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from lxml import etree

from connector.errors import ConnectorError, Kind
from connector.translation import Formats, Read, load_formats
from tests.translation.bounded import refusal
from tests.translation.xjustiz import EXAMPLE, MAPPING

WHEN = datetime(2026, 11, 25, tzinfo=UTC)
FORMATS: Formats = load_formats([MAPPING], strict=True)
LENIENT: Formats = load_formats([MAPPING])
REQUEST = EXAMPLE.read_bytes()
TEXT = REQUEST.decode()
ROOT = "nachricht.gds.uebermittlungSchriftgutobjekte.0005005"
FIELD = "<name>Sachverhalt</name>"
LAUGHS = "<!DOCTYPE l [" + "".join(
    f'<!ENTITY l{i + 1} "{f"&l{i};" * 10}">' if i else '<!ENTITY l1 "haha">' for i in range(10)
)


def _read(data: bytes, formats: Formats = FORMATS) -> Read:
    return formats.read(data, "xjustiz", filename="ersuchen.xml")


def _doctype(declared: str, before: str = "", after: str = "") -> bytes:
    text = TEXT.replace(before, after, 1)
    return text.replace("<" + ROOT, f"{declared}<{ROOT}", 1).encode()


def _on_root(attributes: str) -> bytes:
    return TEXT.replace("<" + ROOT, f"<{ROOT} {attributes}", 1).encode()


def _below_root(more: str) -> bytes:
    start, end = TEXT.rsplit("</", 1)
    return f"{start}{more}</{end}".encode()


NOT_SUCH = {
    "empty": (b"", "xml.malformed"),
    "blanks": (b"  \n", "xml.malformed"),
    "cut": (REQUEST[:-40], "xml.malformed"),
    "twice": (REQUEST + b"<a/>", "xml.malformed"),
    "tag": (REQUEST.replace(b"</grunddaten>", b"</grunddatem>", 1), "xml.malformed"),
    "nul": (REQUEST.replace(b"Sachverhalt", b"Sach\x00verhalt", 1), "xml.malformed"),
    "reference": (REQUEST.replace(b"Sachverhalt", b"Sach&#2;verhalt", 1), "xml.malformed"),
    "entity": (REQUEST.replace(b"Sachverhalt", b"Sach&uuml;verhalt", 1), "xml.malformed"),
    "prefix": (REQUEST.replace(b"<grunddaten>", b"<x:grunddaten>", 1), "xml.malformed"),
    "doctype": (_doctype(f"<!DOCTYPE {ROOT}>"), "xml.doctype"),
    "external": (
        _doctype(f'<!DOCTYPE {ROOT} [<!ENTITY e SYSTEM "file:///etc/passwd">]>', FIELD, "&e;"),
        "xml.doctype",
    ),
    "remote": (_doctype('<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd">'), "xml.doctype"),
    "parameter": (
        _doctype('<!DOCTYPE a [<!ENTITY % p SYSTEM "http://127.0.0.1:1/p">%p;]>'),
        "xml.doctype",
    ),
    "laughs": (_doctype(LAUGHS + "]>", FIELD, "<name>&l10;</name>"), "xml.doctype"),
    "quadratic": (
        _doctype(f'<!DOCTYPE a [<!ENTITY q "{"q" * 100_000}">]>', FIELD, "&q;" * 1000),
        "xml.doctype",
    ),
    "utf-16-doctype": (
        _doctype("<!DOCTYPE a>").decode().replace("UTF-8", "UTF-16").encode("utf-16"),
        "xml.doctype",
    ),
    "latin-1": (TEXT.encode("latin-1", "replace"), "translation.wrong-encoding"),
    "no-such-encoding": (
        REQUEST.replace(b"UTF-8", b"X-NONE", 1),
        "translation.wrong-encoding",
    ),
    "comment": (
        REQUEST.replace(b">Sachverhalt<", b">Sach<!-- x -->verhalt<", 1),
        "xml.comment-in-value",
    ),
    "instruction": (
        REQUEST.replace(b">Sachverhalt<", b">Sachverhalt<?x y?><", 1),
        "xml.comment-in-value",
    ),
    "other": (b"<rechnung/>", "translation.unknown-format"),
    "other-root": (
        REQUEST.replace(ROOT.encode(), b"nachricht.gds.basisnachricht.0005006"),
        "translation.unknown-format",
    ),
    "other-namespace": (
        REQUEST.replace(b"http://www.xjustiz.de", b"http://www.xjustiz.eu"),
        "translation.unknown-format",
    ),
}


@pytest.mark.parametrize(("data", "code"), NOT_SUCH.values(), ids=NOT_SUCH)
def test_what_is_no_such_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(ConnectorError) as refused:
        _read(data)

    assert refused.value.kind is Kind.UNACCEPTABLE
    assert refused.value.code == code
    assert refused.value.problems[0].file == "ersuchen.xml"
    assert refused.value.problems[0].mend
    str(refused.value).encode()  # may be shown and stored
    with pytest.raises(ConnectorError) as unknown:
        FORMATS.identify(data, "ersuchen.xml")
    assert unknown.value.code == code if data.strip() else "translation.unknown-format"


def test_the_line_of_a_syntax_error_and_of_a_wrong_byte() -> None:
    for broken in (b"<aktenzeichen>1</aktenzeichem>", b"<aktenzeichen>\xff</aktenzeichen>"):
        lines = REQUEST.splitlines(keepends=True)
        lines.insert(7, broken + b"\n")
        with pytest.raises(ConnectorError) as refused:
            _read(b"".join(lines))
        assert refused.value.problems[0].line == 8


def test_other_encodings_that_are_declared() -> None:
    for encoding in ("utf-8-sig", "utf-16"):
        text = TEXT.replace("UTF-8", encoding.removesuffix("-sig").upper(), 1)
        assert FORMATS.identify(text.encode(encoding)) == "xjustiz"
        assert _read(text.encode(encoding)).problems == ()


def test_an_unknown_document_is_told_what_it_looks_like() -> None:
    with pytest.raises(ConnectorError) as refused:
        FORMATS.identify(b'<rechnung xmlns="urn:r"/>', "x.xml")

    assert "{urn:r}rechnung" in refused.value.problems[0].what


@pytest.mark.parametrize("declared", ["", "<!DOCTYPE a>"])
def test_nothing_outside_the_document_is_looked_at(declared: str, tmp_path: Path) -> None:
    """A schema location, a style sheet, an XInclude: names only, and fields like others."""
    secret = tmp_path / "secret.xml"
    secret.write_text("<s>geheim</s>", "utf-8")
    more = (
        f'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}"/>'
        f'<?xml-stylesheet href="{secret.as_uri()}"?>'
    )
    located = f'xsi:schemaLocation="http://www.xjustiz.de {secret.as_uri()}"'
    text = _below_root(more).decode()
    hint = f'{declared}<{ROOT} xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" {located}'
    data = text.replace(f"<{ROOT}", hint, 1).encode()
    if declared:
        assert refusal(lambda: _read(data)) == "xml.doctype"
        return

    found = _read(data, LENIENT)

    assert "geheim" not in etree.tostring(found.envelope, encoding="unicode")
    assert not any("geheim" in each.value for each in found.account.entries)
    assert [each.origin.rpartition("/")[2] for each in found.account.unknown] == ["@href"]


COSTLY = {
    "attributes": (
        _on_root(" ".join(f'a{i}="1"' for i in range(100_000))),
        "xml.too-many-attributes",
    ),
    "namespaces": (
        _on_root(" ".join(f'xmlns:n{i}="u{i}"' for i in range(100_000))),
        "xml.too-many-attributes",
    ),
    "same-attribute": (_on_root('a="1" ' * 100_000), "xml.malformed"),
    "deep": (_below_root("<a>" * 200 + "</a>" * 200), "translation.too-deep"),
    "too-deep-to-parse": (_below_root("<a>" * 200_000 + "</a>" * 200_000), "xml.malformed"),
    "never-closed": (_below_root("<a>" * 500_000), "xml.malformed"),
    "elements": (_below_root("<a/>" * 400_000), "xml.too-many-elements"),
    "markup": (_below_root("<a/>" * 5_000_000), "translation.too-many-fields"),
    "elements-with-attributes": (
        _below_root('<a b="" c="" d=""/>' * 200_000),
        "translation.too-many-fields",
    ),
    "huge": (_below_root(f"<a>{'x' * 35_000_000}</a>"), "translation.too-large"),
    "text": (_below_root(f"<a>{'x' * 20_000_000}</a>"), "xml.malformed"),
    "attribute": (_below_root(f'<a b="{"x" * 20_000_000}"/>'), "xml.malformed"),
    "name": (_below_root(f"<{'n' * 1_000_000}/>"), "xml.malformed"),
    "comment": (_below_root(f"<!--{'x' * 20_000_000}-->"), "xml.malformed"),
    "instructions": (_below_root("<?a?>" * 5_000_000), "translation.too-many-fields"),
    "equal-signs": (REQUEST.replace(b">Sachverhalt<", b">" + b"=" * 9_000_000 + b"<", 1), ""),
}


@pytest.mark.parametrize(("data", "code"), COSTLY.values(), ids=COSTLY)
def test_a_document_that_is_made_to_be_costly(data: bytes, code: str) -> None:
    assert refusal(lambda: _read(data, LENIENT), megabytes=400) == code
    assert refusal(lambda: FORMATS.identify(data), megabytes=400) == code
