"""What commands print: text with colour on a terminal, plain text elsewhere, or one JSON document.

Whatever comes from a document goes through `visible`: a stranger's file must not send control
sequences to somebody's terminal.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import IO, TYPE_CHECKING, Any, Final, TextIO

from connector.errors import ConnectorError, Problem

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

_UNSEEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but tab and line feed, direction marks, halves of letters."""
_PLAIN_WIDTH: Final = 100_000
"""Where nobody looks at the output, lines are not broken."""
ERROR: Final = "bold red"
WARNING: Final = "yellow"
GOOD: Final = "green"
DIM: Final = "dim"


class ReaderGone(Exception):
    """Whoever read standard output has closed it."""


class Output:
    """Where a command's results and failures go."""

    def __init__(self, *, json: bool = False) -> None:
        self.json = json

    @cached_property
    def out(self) -> Console:
        """Standard output, for results."""
        return _console(sys.stdout)

    @cached_property
    def err(self) -> Console:
        """Standard error, for failures and progress."""
        return _console(sys.stderr)

    @property
    def interactive(self) -> bool:
        """Whether somebody watches standard error."""
        return not self.json and self.err.is_terminal

    @contextmanager
    def busy(self, what: str) -> Iterator[None]:
        """Shows that something takes its time, where somebody watches."""
        if not self.interactive:
            yield
            return
        with self.err.status(f"{what} …"):
            yield

    def document(self, content: Mapping[str, Any]) -> None:
        """The one JSON document of a command."""
        text = json.dumps(content, ensure_ascii=False, indent=2)
        # JSON leaves these as they are, a terminal does not.
        _write(sys.stdout, _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n")

    def text(self, *what: RenderableType, err: bool = False) -> None:
        """Something for people."""
        console = self.err if err else self.out
        for each in what:
            if console.is_terminal:
                console.print(_hanging(each, console))
                continue
            with console.capture() as captured:
                console.print(each)
            lines = captured.get().splitlines()
            _write(console.file, "".join(f"{line.rstrip()}\n" for line in lines))

    def raw(self, data: bytes) -> None:
        """A document as it is."""
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except BrokenPipeError as error:
            raise ReaderGone from error

    def problems(
        self,
        problems: Iterable[Problem],
        *,
        style: str = ERROR,
        word: str = "",
        indent: str = "",
        err: bool = False,
    ) -> None:
        """Problems with their places and what to do, one after the other."""
        for each in problems:
            self.text(problem_text(each, style, word, indent), err=err)

    def failure(self, error: ConnectorError, *, status: int | None = None) -> None:
        """Why a command ended without a result: on standard error, or as its JSON document."""
        if self.json:
            told = {
                "ok": False,
                "kind": str(error.kind),
                "exit_status": error.kind.exit_status if status is None else status,
                "problems": [each.as_json() for each in error.problems],
            }
            self.document(told)
            return
        self.problems(error.problems, word="error", err=True)


def problem_text(problem: Problem, style: str = ERROR, word: str = "", indent: str = "") -> Text:
    """`file:line: word: what [code]`, then where in the document, then what to do."""
    from rich.text import Text

    place = ":".join(str(each) for each in (problem.file, problem.line) if each is not None)
    text = Text(indent)
    if place:
        text.append(visible(f"{place}: "), "bold")
    if word:
        text.append(f"{word}: ", style)
    text.append(visible(problem.what))
    text.append(f" [{problem.code}]", DIM)
    if problem.path:
        text.append(f"\n{indent}    at {visible(problem.path)}", DIM)
    if problem.mend:
        text.append(f"\n{indent}    {'→' if can_say('→') else '>'} ", DIM)
        text.append(visible(problem.mend))
    return text


def visible(text: str, *, limit: int | None = None) -> str:
    """`text` with control characters shown as escapes, at most `limit` letters of it."""
    if limit is not None and len(text) > limit:
        text = text[:limit] + "…"
    return _UNSEEN.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"


def can_say(letter: str) -> bool:
    """Whether the terminal's encoding has the letter."""
    try:
        letter.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def mark(good: bool | None) -> Text:
    """A tick, a cross, or (None) something between."""
    from rich.text import Text

    letter, plain, style = {
        True: ("✓", "ok", GOOD),
        None: ("!", "!", WARNING),
        False: ("✗", "x", ERROR),
    }[good]
    return Text(letter if can_say(letter) else plain, style)


def _hanging(what: RenderableType, console: Console) -> RenderableType:
    """Lines of text that are too long go on below where they began, a little further in."""
    from rich.text import Text

    text = Text(what) if isinstance(what, str) else what
    if not isinstance(text, Text):
        return text
    lines: list[Text] = []
    for line in text.split("\n"):
        indent = len(line.plain) - len(line.plain.lstrip(" "))
        room = max(20, console.width - indent - 2)
        if line.cell_len <= console.width:
            lines.append(line)
            continue
        for number, part in enumerate(line[indent:].wrap(console, room)):
            part.rstrip()
            lines.append(Text(" " * (indent + (2 if number else 0))) + part)
    return Text("\n").join(lines)


def _console(stream: TextIO) -> Console:
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        width=None if terminal else _PLAIN_WIDTH,
        no_color=None if terminal else True,
        force_terminal=None if terminal else False,
        highlight=False,
        markup=False,
        emoji=False,
    )


def _write(stream: IO[str], text: str) -> None:
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError as error:
        raise ReaderGone from error
