"""A connector as a process of its own, to be killed.

python -m tests.connector_process HOME
"""

from __future__ import annotations

import sys
from pathlib import Path

from connector.runtime.logs import configure_logs
from connector.runtime.service import Service
from connector.settings import load


def main(folder: str) -> None:
    configure_logs()
    service = Service(load(Path(folder)))
    service.start()
    service.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
