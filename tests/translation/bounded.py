"""What a stranger's document may cost: time and memory, measured in a process of its own."""

from __future__ import annotations

import os
import pickle
import re
import time
from collections.abc import Callable
from pathlib import Path

from connector.errors import ConnectorError

_STATUS = Path("/proc/self/status")


def refusal(action: Callable[[], object], *, seconds: float = 10, megabytes: int = 200) -> str:
    """The code of the refusal that `action` ends in, within bounds of time and further memory."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins here
        before = _memory("VmRSS")
        began = time.process_time()  # others may be busy too
        try:
            action()
            code = ""
        except ConnectorError as error:
            code = error.code
        except BaseException as error:
            code = repr(error)
        spent = time.process_time() - began
        os.write(writing, pickle.dumps((code, spent, _memory("VmHWM") - before)))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    assert answer, "the process died"
    code, spent, grown = pickle.loads(answer)
    assert spent < seconds, f"{code} after {spent:.1f} s"
    assert grown < megabytes * 1024, f"{code} with {grown // 1024} MiB more"
    return str(code)


def _memory(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", _STATUS.read_text())
    assert found is not None
    return int(found[1])
