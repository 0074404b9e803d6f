"""The ebMS and ebBP schemas, compiled with stand-ins for the few names they import."""

from __future__ import annotations

from pathlib import Path

import signxml
from lxml import etree

from tests.reference import reference

_XS = "http://www.w3.org/2001/XMLSchema"
_SOAP_11 = "http://schemas.xmlsoap.org/soap/envelope/"
_SOAP_12 = "http://www.w3.org/2003/05/soap-envelope"
_ATTRIBUTES = {
    "soap11.xsd": (_SOAP_11, '<xs:attribute name="mustUnderstand" type="xs:boolean"/>'),
    "soap12.xsd": (_SOAP_12, '<xs:attribute name="mustUnderstand" type="xs:boolean"/>'),
    "xml.xsd": (
        "http://www.w3.org/XML/1998/namespace",
        '<xs:attribute name="lang" type="xs:language"/>',
    ),
    "xlink.xsd": (
        "http://www.w3.org/1999/xlink",
        '<xs:attribute name="type" type="xs:string"/><xs:attribute name="href" type="xs:anyURI"/>',
    ),
}


def _compiled(source: Path, folder: Path, imports: dict[str, str]) -> etree.XMLSchema:
    for name, (namespace, content) in _ATTRIBUTES.items():
        (folder / name).write_text(
            f'<xs:schema xmlns:xs="{_XS}" targetNamespace="{namespace}">{content}</xs:schema>'
        )
    tree = etree.parse(source)
    for element in tree.iter(f"{{{_XS}}}import"):
        if location := imports.get(element.get("namespace", "")):
            element.set("schemaLocation", location)
    target = folder / source.name
    tree.write(target)
    return etree.XMLSchema(file=str(target))


def ebms_schema(folder: Path) -> etree.XMLSchema:
    source = reference("ebms", "ebms-header-3_0-200704.xsd")
    return _compiled(source, folder, {"http://www.w3.org/XML/1998/namespace": "xml.xsd"})


def ebbp_schema(folder: Path) -> etree.XMLSchema:
    found = next(Path(signxml.__file__).parent.rglob("xmldsig-core-schema.xsd"))
    dsig = etree.parse(found, etree.XMLParser(load_dtd=False, resolve_entities=False))
    plain = etree.ElementTree(dsig.getroot())  # without its DOCTYPE, which names a DTD on the net
    (folder / "dsig.xsd").write_bytes(etree.tostring(plain.getroot()))
    imports = {
        "http://www.w3.org/1999/xlink": "xlink.xsd",
        "http://www.w3.org/2000/09/xmldsig#": "dsig.xsd",
    }
    return _compiled(reference("ebms", "ebbp-signals-2.0.4.xsd"), folder, imports)
