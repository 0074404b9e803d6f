"""A message of 300 MB goes out and comes in through a process that stays small."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.domibus.standin import Repeated, Standin

SIZE = 300 << 20
CLIENT = """
import json, resource, sys
from dataclasses import dataclass, field
from pathlib import Path
from gateway_client.domibus import Access, DomibusGateway
from gateway_client.model import Payload
from tests.domibus.messages import DigestWriter, File, message, payload

class Receiver:
    digest = None
    def writer(self):
        return DigestWriter()
    def receive(self, message, raw):
        with message.payloads[0].source.open() as stream:
            self.digest = stream.read().hex()
        return True

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024

url, folder = sys.argv[1], Path(sys.argv[2])
gateway = DomibusGateway(Access(url=url, user="plugin", password="secret"), folder / "spool")
gateway.submit(message("small@x"))
gateway.poll(Receiver())
before = peak()
large = Payload("large", "application/octet-stream", File(folder / "large"))
gateway.submit(message("large@x", large))
sent = peak()
print("sent", flush=True)
sys.stdin.readline()
receiver = Receiver()
gateway.poll(receiver)
print(json.dumps({"sent": sent - before, "received": peak() - before, "sha256": receiver.digest}))
"""


@pytest.mark.timeout(120)
def test_memory_stays_constant(standin: Standin, tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(SIZE)
    process = subprocess.Popen(
        [sys.executable, "-c", CLIENT, standin.url, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout.readline() == "sent\n"
    stored = standin.submitted.pop("large@x")
    assert len(stored.contents.pop("cid:large")) == SIZE
    standin.deliver("in@x", {"cid:a": Repeated(b"\1" * 65536, SIZE // 65536)})
    output, _ = process.communicate("\n")
    measured = json.loads(output)
    assert measured["sha256"] == hashlib.sha256(b"\1" * SIZE).hexdigest()
    assert measured["sent"] < 32
    assert measured["received"] < 32
