"""The requests among the samples that emla ships, and who sends each."""

from __future__ import annotations

import mimetypes
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from connector.demo.evidence_files import MadeFile, stand_in
from connector.envelope.binding import NAMESPACE
from connector.envelope.codes import UrgencyLevel
from connector.errors import ConnectorError, misconfigured
from connector.translation.formats import Formats
from connector.xml import Element, parse

ENVELOPES: Final = "envelope"
"""The folder of samples that are e-MLA envelopes, of any country."""
_E: Final = f"{{{NAMESPACE}}}"
_PIECE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A request with its attachments."""

    name: str
    """Where it is among the samples."""
    country: str
    """Whose national system sends it."""
    format: str
    """A national format, or `envelope`."""
    reference: str
    """The sender's own reference of the case."""
    urgency: str
    document: Path
    attachments: tuple[MadeFile, ...]


def find_requests(
    samples: Path, countries: Collection[str], formats: Formats
) -> tuple[Sample, ...]:
    """Every request below `samples`: in the folders named after a country, and envelopes;
    emergencies first.

    Raises `ConnectorError` (configuration) `demo.no-samples` if there is none; what a reader
    refuses where a sample cannot be read.
    """
    names = (ENVELOPES, *(country.lower() for country in sorted(countries)))
    folders = [folder for name in names if (folder := samples / name).is_dir()]
    found = [
        sample
        for folder in folders
        for document, beside in _documents(folder, formats)
        if (sample := _sample(samples, document, beside, formats)) is not None
    ]
    if not found:
        raise misconfigured("demo.no-samples", f"There is no request in {samples}.")
    return tuple(sorted(found, key=lambda sample: sample.urgency != UrgencyLevel.EMERGENCY))


def _documents(folder: Path, formats: Formats) -> Iterator[tuple[Path, tuple[Path, ...]]]:
    """Documents in a known format, each with the files beside it in a folder of its own."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        files = sorted(p for p in entry.iterdir() if p.is_file()) if entry.is_dir() else [entry]
        known = [file for file in files if _is_known(file, formats)]
        for document in known:
            yield document, tuple(file for file in files if file not in known)


def _is_known(file: Path, formats: Formats) -> bool:
    data = file.read_bytes()
    if NAMESPACE.encode() in data[:4096]:
        return True
    try:
        formats.identify(data, file.name)
    except ConnectorError:
        return False
    return True


def _sample(
    samples: Path, document: Path, beside: tuple[Path, ...], formats: Formats
) -> Sample | None:
    data = document.read_bytes()
    if NAMESPACE.encode() in data[:4096]:
        format_name, draft = ENVELOPES, parse(data, file=document.name)
        country = draft.findtext(f"{_E}Header/{_E}SendingAuthority/{_E}Country") or ""
        named = draft.iterfind(f"{_E}Header/{_E}Attachment")
        there = {file.name for file in beside}
        made = tuple(made for each in named if (made := _named(each)).name not in there)
    else:
        format_name = formats.identify(data, document.name)
        read = formats.read(data, format_name, filename=document.name)
        draft, made = read.require().envelope, ()
        country = formats[format_name].mapping.format.country or ""
    if draft.find(f"{_E}Request") is None:
        return None
    return Sample(
        name=str(document.relative_to(samples)),
        country=country,
        format=format_name,
        reference=draft.findtext(f"{_E}Header/{_E}SenderReference") or document.stem,
        urgency=draft.findtext(f"{_E}Header/{_E}Urgency/{_E}Level") or "ordinary",
        document=document,
        attachments=(*(_on_disk(file) for file in beside), *made),
    )


def _named(attachment: Element) -> MadeFile:
    """Samples of envelopes come without the files that they name."""
    name = attachment.findtext(f"{_E}Name") or "attachment"
    return stand_in(name, attachment.findtext(f"{_E}MediaType") or "text/plain")


def _on_disk(file: Path) -> MadeFile:
    def pieces() -> Iterator[bytes]:
        with file.open("rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece

    media_type = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    return MadeFile(name=file.name, media_type=media_type, pieces=pieces)
