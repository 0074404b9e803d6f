"""Requests of a national case system, each with three attachments of its own."""

from __future__ import annotations

import random
import re
import uuid
from dataclasses import dataclass, field

from connector.exchange.context import Connector
from connector.intake.submission import GivenFile, Submission
from connector.shipped import shipped
from connector.xml import parse

FORMAT = "case-json"
ATTACHMENTS = {"ersuchen.xml": 4_000, "beschluss.pdf": 20_000, "pedido.pdf": 40_000}
"""Name and bytes of each."""
_REFERENCE = b"125 Js 4711/26"
_STATED = re.compile(r"<Name>([\w.]+)</Name>\s*<MediaType>[^<]*</MediaType>.*?<Sha256>(\w+)<", re.S)


@dataclass
class Documents:
    """Makes submissions from the sample request, written as the national format."""

    connector: Connector
    dice: random.Random = field(default_factory=random.Random)

    def __post_init__(self) -> None:
        sample = (shipped("samples") / "envelope" / "request.xml").read_bytes()
        written = self.connector.formats.write(parse(sample), FORMAT)
        assert not written.problems, written.problems
        self._document = written.data
        self._digests = dict(_STATED.findall(sample.decode()))

    def submission(self, number: int) -> Submission:
        """Request `number`, its files stored."""
        payloads = self.connector.store.payloads
        document = self._document.replace(_REFERENCE, f"N-{number:07d}".encode())
        attachments = []
        for name, size in ATTACHMENTS.items():
            ref = payloads.put(self.dice.randbytes(size))
            document = document.replace(self._digests[name].encode(), ref.sha256.encode())
            attachments.append(GivenFile(name=name, payload=ref))
        return Submission(
            message_id=str(uuid.uuid4()),
            document=GivenFile(name="request.json", payload=payloads.put(document)),
            attachments=attachments,
        )
