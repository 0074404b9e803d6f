"""The files of a zip archive as validation wants them: by name, readable as often as asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from connector.container.extraction import Inflater
from connector.container.zip_reading import Window
from connector.container.zip_records import Entry


def entries_of(
    window: Window, entries: Sequence[Entry]
) -> dict[str, Callable[[], Iterable[bytes]]]:
    """Each file of the archive; folders are left out. The window must stay open meanwhile."""
    return {entry.name: _reader(window, entry) for entry in entries if not entry.name.endswith("/")}


def _reader(window: Window, entry: Entry) -> Callable[[], Iterable[bytes]]:
    return lambda: read_pieces(window, entry)


def read_pieces(window: Window, entry: Entry) -> Iterator[bytes]:
    """The bytes of one file. Raises `container.corrupt`, `container.size-disagrees`."""
    inflater = Inflater(entry)
    pieces: list[bytes] = []
    for piece in window.chunks(entry.data, entry.compressed):
        inflater.feed(piece, pieces.append)
        yield from pieces
        pieces.clear()
    inflater.finish(pieces.append)
    yield from pieces
