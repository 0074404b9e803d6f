"""Requests held against an interface description: the plugin's own where it is there, else ours."""

from __future__ import annotations

import base64
from functools import cache
from io import BytesIO
from pathlib import Path
from threading import Lock

from lxml import etree

import gateway_client.domibus
from tests.reference import REFERENCE

OWN_WSDL = Path(gateway_client.domibus.__file__).with_name("backend.wsdl")
THEIR_FOLDER = REFERENCE / "domibus"
XS = "{http://www.w3.org/2001/XMLSchema}"
EB = "http://docs.oasis-open.org/ebxml-msg/ebms/v3.0/ns/core/200704/"
BACKEND = "http://org.ecodex.backend/1_1/"
XOP = "http://www.w3.org/2004/08/xop/include"
_lock = Lock()  # a schema keeps its error log


@cache
def own_schemas() -> dict[str, etree.XMLSchema]:
    """By target namespace."""
    found = {}
    schemas = etree.parse(OWN_WSDL).getroot().findall(f".//{XS}schema")
    texts = {s.get("targetNamespace", ""): etree.tostring(s) for s in schemas}

    class Beside(etree.Resolver):
        def resolve(self, url: str, public_id: str, context: object) -> object:
            return self.resolve_string(texts[url], context)

    for namespace, text in texts.items():
        parser = etree.XMLParser()
        parser.resolvers.add(Beside())
        root = etree.fromstring(text, parser)
        for wanted in root.iter(f"{XS}import"):
            wanted.set("schemaLocation", wanted.get("namespace", ""))
        found[namespace] = etree.XMLSchema(root)
    return found


@cache
def their_schemas() -> dict[str, etree.XMLSchema]:
    """By target namespace; empty where the reference data are absent."""
    if not THEIR_FOLDER.exists():
        return {}
    files = {BACKEND: "domibus-backend.xsd", EB: "domibus-header.xsd"}
    return {namespace: _their_schema(name) for namespace, name in files.items()}


def _their_schema(name: str) -> etree.XMLSchema:
    # Its imports name no place; the WSDL does.
    tree = etree.parse(THEIR_FOLDER / name)
    places = {
        "http://www.w3.org/2005/05/xmlmime": "xmlmime.xsd",
        "http://www.w3.org/XML/1998/namespace": "xml.xsd",
    }
    for wanted in tree.getroot().iter(f"{XS}import"):
        wanted.set("schemaLocation", str(THEIR_FOLDER / places[wanted.get("namespace", "")]))
    # libxml2 resolves against the tree's own place.
    text = etree.tostring(tree)
    return etree.XMLSchema(etree.parse(BytesIO(text), base_url=str(THEIR_FOLDER / name)))


def check(element: etree._Element) -> None:
    """Raises AssertionError if an eb:Messaging or a body element fits a description badly."""
    copy = etree.fromstring(etree.tostring(element))
    for include in list(copy.iter(f"{{{XOP}}}Include")):
        value = include.getparent()
        assert value is not None
        value.remove(include)
        value.text = base64.b64encode(b"its content").decode()
    namespace = etree.QName(copy).namespace or ""
    if namespace == EB and "{" in "".join(copy.attrib):
        copy.attrib.clear()  # soap:mustUnderstand is SOAP's
    with _lock:
        for schemas in (own_schemas(), their_schemas()):
            if schemas and not schemas[namespace].validate(copy):
                raise AssertionError(str(schemas[namespace].error_log))
