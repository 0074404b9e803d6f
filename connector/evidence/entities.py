"""Reading the entities of an evidence: names, postal and electronic addresses."""

from __future__ import annotations

from urllib.parse import unquote

from lxml import etree

from connector.errors import Problem
from connector.evidence.markup import PLACEHOLDER
from connector.evidence.model import Address, Entity, PostalAddress
from connector.evidence.types import REM
from connector.xml import Element, text_of

_TSL = "http://uri.etsi.org/02231/v2#"


class Findings:
    """Weaknesses found while an evidence is read, each once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._found: dict[str, Problem] = {}

    def add(self, code: str, what: str, path: str) -> None:
        """A weakness under `evidence.` + code, the first of its kind."""
        place = f"/{self._root}/{path}".rstrip("/")
        self._found.setdefault(code, Problem(code=f"evidence.{code}", what=what, path=place))

    def invalid(self, code: str, what: str, path: str) -> None:
        """A weakness that makes the evidence invalid against ETSI's schema."""
        self.add(f"not-schema-valid.{code}", what, path)

    @property
    def problems(self) -> tuple[Problem, ...]:
        """In the order in which they were found."""
        return tuple(self._found.values())


def read_entity(element: Element, found: Findings) -> Entity:
    """An EntityDetailsType."""
    names: list[str] = []
    postal: PostalAddress | None = None
    addresses: list[Address] = []
    for child in element.iterchildren("*"):
        name = etree.QName(child)
        if name.localname == "NamesPostalAddresses" and name.namespace == REM:
            for place in child.iterchildren(f"{{{REM}}}NamePostalAddress"):
                names += _names(place, found)
                postal = postal or _postal(place, found)
        elif name.localname == "AttributedElectronicAddress" and name.namespace == REM:
            addresses.append(read_address(child, found))
        elif name.localname == "ElectronicAddress" and name.namespace == _TSL:
            addresses += [Address(text_of(uri)) for uri in child.iterchildren("*")]
    return Entity(names=tuple(names), postal=postal, addresses=tuple(addresses))


def read_address(element: Element, found: Findings) -> Address:
    """An AttributedElectronicAddressType; the placeholder of e-CODEX is no display name."""
    value = unquote(text_of(element).strip())
    if not value:
        found.invalid(
            "address-empty", "An electronic address is empty.", etree.QName(element).localname
        )
    shown = element.get("DisplayName", "")
    return Address(value, element.get("scheme", "mailto"), "" if shown == PLACEHOLDER else shown)


def _names(place: Element, found: Findings) -> list[str]:
    names = [
        text_of(name)
        for entity in place.iterchildren(f"{{{REM}}}EntityName")
        for name in entity.iterchildren(f"{{{REM}}}Name")
    ]
    if not all(names) or (not names and place.find(f"{{{REM}}}EntityName") is not None):
        found.invalid("entity-name-empty", "An EntityName holds no name.", "EntityName")
    return [name for name in names if name]


def _postal(place: Element, found: Findings) -> PostalAddress | None:
    element = place.find(f"{{{REM}}}PostalAddress")
    if element is None:
        return None
    values: dict[str, list[str]] = {}
    for child in element.iterchildren("*"):
        values.setdefault(etree.QName(child).localname, []).append(text_of(child))
    for name in ("StreetAddress", "Locality", "PostalCode", "CountryName"):
        if not values.get(name) or not all(values[name]):
            found.invalid(
                "postal-address-incomplete", f"A postal address has no {name}.", "PostalAddress"
            )
    return PostalAddress(
        streets=tuple(values.get("StreetAddress", ())),
        locality=_first(values, "Locality"),
        postal_code=_first(values, "PostalCode"),
        country=_first(values, "CountryName"),
        state=_first(values, "StateOrProvince"),
    )


def _first(values: dict[str, list[str]], name: str) -> str:
    return values.get(name, [""])[0]
