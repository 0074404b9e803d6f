"""`emla inspect`: what is in a document?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from connector.cli import options
from connector.cli.output import DIM, Output, visible

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from connector.examination.inspection import Item

_LONG = 200
"""Letters of a value that are shown on a terminal."""


def inspect(
    file: options.File,
    depth: Annotated[
        int | None, typer.Option(min=1, help="How many levels are shown; all by default.")
    ] = None,
    home: options.HomeIfAny = None,
    json: options.Json = False,
) -> None:
    """Show what is in a document, as a tree.

    Files of a container, header and body of an envelope, fields of evidences, tokens and national
    documents. Nothing is verified: see `emla verify`.
    """
    from connector.cli.reading import one_document
    from connector.cli.surroundings import situation
    from connector.examination.inspection import inspect as inspected

    output = Output(json=json)
    around = situation(home)
    item = inspected(one_document(file, around), lambda: around.formats)
    if json:
        output.document({"ok": True, **_cut(item, depth).as_json()})
        return
    output.text(_tree(_cut(item, depth)))


def _cut(item: Item, depth: int | None) -> Item:
    """The tree without what lies deeper than `depth` levels."""
    from dataclasses import replace

    if depth is None:
        return item
    if depth == 0:
        note = f"{item.note}, {len(item.items)} inside".removeprefix(", ") if item.items else ""
        return replace(item, items=(), note=note or item.note)
    return replace(item, items=tuple(_cut(each, depth - 1) for each in item.items))


def _tree(item: Item) -> Tree:
    from rich.tree import Tree

    tree = Tree(_line(item), guide_style=DIM)
    _grow(tree, item)
    return tree


def _grow(tree: Tree, item: Item) -> None:
    for each in item.items:
        _grow(tree.add(_line(each)), each)


def _line(item: Item) -> Text:
    from rich.text import Text

    line = Text(visible(item.label), "bold" if item.items else "")
    if item.value:
        value = visible(item.value, limit=_LONG)
        line.append(": " if not item.items else "  ")
        line.append(value, "cyan")
    if item.note:
        line.append(f"  {visible(item.note)}", DIM)
    return line
