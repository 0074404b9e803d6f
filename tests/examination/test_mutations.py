"""Whatever is done to a file, it is looked at without a crash, and never becomes valid."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from hypothesis import example, given, settings
from hypothesis import strategies as st

from connector.container.payloads import BytesSource
from connector.directory.authorities import EXAMPLES, load_directory
from connector.errors import ConnectorError
from connector.examination.drafting import Surroundings
from connector.examination.inspection import inspect
from connector.examination.judgement import Basis
from connector.examination.recognition import recognise
from connector.examination.validation import Rules, validate
from connector.examination.verification import verify
from connector.shipped import shipped
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.trust import TrustStore
from connector.translation.formats import Formats, load_formats
from tests.examination.documents import NOW, Made, make

NAMES = ("envelope", "container", "token", "token_pdf", "evidence", "case_json", "register_csv")


@cache
def made() -> Made:
    return make(Path(mkdtemp()))


@cache
def formats() -> Formats:
    return load_formats([shipped("mappings")])


@cache
def rules() -> Rules:
    around = Surroundings(
        directory=load_directory(EXAMPLES), identity=None, now=NOW, new_id=lambda: "id@x.emla"
    )
    return Rules(formats=formats, around=lambda: around, now=NOW)


@dataclass(frozen=True)
class Change:
    """One thing done to the bytes of a file; places are shares of its length."""

    at: float
    kind: str
    value: bytes

    def __call__(self, data: bytes) -> bytes:
        place = int(self.at * len(data))
        if self.kind == "cut":
            return data[:place]
        if self.kind == "insert":
            return data[:place] + self.value + data[place:]
        if self.kind == "double":
            return data[:place] + data[place:] * 2
        return data[:place] + self.value + data[place + len(self.value) :]


PIECES = [b"<", b">", b"\0", b"\xff", b"&a;", b"<!--x-->", b"PK\x05\x06", b"{", b"]", b";", b"\r\n"]
changes = st.builds(
    Change,
    at=st.floats(0, 1, exclude_max=True),
    kind=st.sampled_from(["cut", "insert", "double", "replace"]),
    value=st.sampled_from(PIECES) | st.binary(min_size=1, max_size=8),
)


def looks() -> tuple[Callable[[bytes], object], ...]:
    basis = Basis(TrustStore.from_folder(made().trust), AlgorithmPolicy(), NOW)

    def document(data: bytes):  # type: ignore[no-untyped-def]
        return recognise("document", BytesSource(data), formats)

    return (
        lambda data: verify(document(data), basis).as_json(),
        lambda data: validate(document(data), rules()).as_json(),
        lambda data: inspect(document(data), formats).as_json(),
    )


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(NAMES), st.lists(changes, min_size=1, max_size=3))
@example("token_pdf", [Change(0.99, "insert", b"/ByteRange [0 1 2 3]")])
def test_nothing_crashes(name: str, what: list[Change]) -> None:
    data: bytes = getattr(made(), name).read_bytes()
    for change in what:
        data = change(data)
    for look in looks():
        try:
            look(data)
        except ConnectorError as error:
            assert error.problems[0].what


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(["token_pdf", "container"]), st.integers(0, 10**6), st.integers(1, 255))
def test_no_changed_byte_goes_unnoticed(name: str, place: int, mask: int) -> None:
    """In a PDF and in what a container seals every byte is signed, but the signature itself."""
    good: bytes = getattr(made(), name).read_bytes()
    place %= len(good)
    data = good[:place] + bytes([good[place] ^ mask]) + good[place + 1 :]
    basis = Basis(TrustStore.from_folder(made().trust), AlgorithmPolicy(), NOW)
    try:
        report = verify(recognise("document", BytesSource(data), formats), basis)
    except ConnectorError:
        return
    if report.valid:
        assert unsigned(name, good, place), (place, good[max(0, place - 40) : place + 40])


def unsigned(name: str, good: bytes, place: int) -> bool:
    """Bytes that are no part of the content: the padding behind a signature's value in the PDF and
    the letter case of its digits; of a container its signature file, dates and checksum-free
    fields of the archive."""
    if name == "token_pdf":
        start = good.index(b"/Contents <") + len(b"/Contents <")
        return start <= place < good.index(b">", start)
    content = good.index(b"SignedContent.zip") + len(b"SignedContent.zip")
    return not content <= place < good.index(b"META-INF/signatures.xml") - 30
