"""Homes of connectors for tests, and documents to be sent between them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import structlog
from lxml import etree

from connector.demo.network import Plan, make_network
from connector.envelope.binding import NAMESPACE
from connector.settings import Home
from connector.shipped import shipped
from connector.signature.pki import Pki, make_pki
from connector.translation.formats import Formats, load_formats
from connector.xml import parse

COUNTRIES = ("DE", "BR", "FR")
FORMATS = {"DE": "case-json", "BR": "register-csv", "FR": "case-json"}
ATTACHMENTS = {
    "ersuchen.xml": b"<ersuchen/>",
    "beschluss.pdf": b"%PDF-1.7\nBeschluss\n" * 500,
    "pedido.pdf": bytes(range(256)) * 64,
}
"""What the request that is a sample names."""
CENTRAL_BR = "urn:emla:authority:br:drci"
_E = f"{{{NAMESPACE}}}"


@cache
def keys() -> Pki:
    """Keys of all countries, made once in a process."""
    return make_pki(Path(mkdtemp(prefix="emla-test-keys-")), COUNTRIES, datetime.now(UTC))


def homes(
    folder: Path, *countries: str, common: Mapping[str, Any] | None = None, **extra: Any
) -> dict[str, Home]:
    """Homes below `folder` that know each other, with ports that are free. Documents are taken as
    soon as they are there. `extra` are settings by country."""
    plan = Plan(countries=countries or ("DE", "BR"), formats=FORMATS, extra=extra)
    settings = {"intake": {"settle": "0s"}, **(common or {})}
    return make_network(folder, replace(plan, common=settings), datetime.now(UTC), keys=keys())


def sample(name: str = "request", **texts: str | None) -> bytes:
    """An envelope that is shipped, with other texts in its header: `Urgency_Deadline="…"`;
    None takes an element out."""
    root = etree.parse(str(shipped("samples") / "envelope" / f"{name}.xml")).getroot()
    header = root.find(f"{_E}Header")
    assert header is not None
    for path, text in texts.items():
        *steps, last = path.split("_")
        place = header
        for step in steps:
            found = place.find(_E + step)
            assert found is not None, path
            place = found
        element = place.find(_E + last)
        if text is None:
            if element is not None:
                place.remove(element)
            continue
        assert element is not None, path
        element.text = text
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def with_digests(document: bytes, attachments: Mapping[str, bytes] = ATTACHMENTS) -> bytes:
    """An envelope that states what its attachments really are."""
    root = etree.fromstring(document)
    for each in root.iter(f"{_E}Attachment"):
        data = attachments[each.findtext(f"{_E}Name") or ""]
        for name, text in (("Size", str(len(data))), ("Sha256", hashlib.sha256(data).hexdigest())):
            element = each.find(_E + name)
            assert element is not None
            element.text = text
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


def national(name: str, document: bytes | None = None) -> bytes:
    """A request in a national format, which states what its attachments really are."""
    written = shipped_formats().write(parse(with_digests(document or sample())), name)
    assert not written.problems
    return written.data


@cache
def shipped_formats() -> Formats:
    """Compiling the mappings takes longer than all else, and does not differ between homes."""
    return load_formats([shipped("mappings")])


def plain_logs() -> None:
    """Without this structlog shows every local variable of a traceback, which takes minutes."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ]
    )


def moment(now: datetime, after: timedelta) -> str:
    """A moment as an envelope has it."""
    return (now + after).isoformat(timespec="seconds")


def put(
    folder: Path,
    document: bytes,
    attachments: Mapping[str, bytes] = ATTACHMENTS,
    name: str = "document.xml",
) -> Path:
    """A document with attachments as a folder."""
    folder.mkdir(parents=True)
    for each, data in attachments.items():
        (folder / each).write_bytes(data)
    (folder / name).write_bytes(document)
    return folder
