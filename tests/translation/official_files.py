"""Small official schemas for tests: an XSD of a note, and Schematron rules about it."""

from __future__ import annotations

from pathlib import Path

from connector.translation.official import OfficialSchemas, RuleFiles

XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="urn:t"
  xmlns="urn:t" elementFormDefault="qualified">{more}
  <xs:element name="note"><xs:complexType><xs:sequence>
    <xs:element name="to" type="xs:date"/><xs:element name="text" type="xs:string" minOccurs="0"/>
  </xs:sequence><xs:attribute name="nr" type="xs:int" use="required"/></xs:complexType></xs:element>
</xs:schema>"""
SCH = """<sch:schema xmlns:sch="http://purl.oclc.org/dsdl/schematron" queryBinding="xslt2">
  <sch:ns prefix="t" uri="urn:t"/>{rules}</sch:schema>"""
NOTE = b'<note xmlns="urn:t" nr="1"><to>2026-11-24</to></note>'


RULE = """<sch:pattern><sch:rule context="t:text">
  <sch:assert test=". = 'yes'" id="T-1" diagnostics="d">[T-1] The text is
    <sch:value-of select="."/> in <sch:name/>.</sch:assert></sch:rule></sch:pattern>
  <sch:diagnostics><sch:diagnostic id="d">Write yes.</sch:diagnostic></sch:diagnostics>"""


def schemas_of(folder: Path, *rules: str) -> OfficialSchemas:
    """The schemas in a folder, with rule files by their names."""
    held = (RuleFiles(roots="note", files=rules),) if rules else ()
    return OfficialSchemas(folder=folder, xsd=("*.xsd",), rules=held)


def with_rules(folder: Path, rules: str) -> OfficialSchemas:
    """The schemas in a folder, with patterns that are written there."""
    (folder / "note.sch").write_text(SCH.format(rules=rules))
    return schemas_of(folder, "note.sch")
