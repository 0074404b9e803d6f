"""The `emla` command, for people and for scripts.

Exit status: 0 fine; 1 the document or message is not acceptable; 2 wrong use or configuration;
3 try again later. 70 is a defect of emla itself, 130 an interruption by the user, 141 a reader of
the output who went away.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with `arguments` (those of the process by default); its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given == ["--version"]:
        # The one answer that needs nothing else.
        from importlib.metadata import version

        sys.stdout.write(f"emla {version('emla')}\n")
        return 0
    from connector.cli.running import run

    return run(given)
