"""XAdES signatures in every packaging and at every level: ours, as others are to judge them."""

from __future__ import annotations

import copy
import hashlib
import io
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import unquote

from cryptography.hazmat.primitives.serialization import Encoding

from connector.container.asic import Document, open_container, seal
from connector.container.asic_extended import Item, open_extended, seal_extended
from connector.container.payloads import BytesSource, MemoryWriter
from connector.signature import xades
from connector.signature.algorithms import AlgorithmPolicy
from connector.signature.dsig_model import Reference
from connector.signature.fetching import HttpFetcher, Timeouts
from connector.signature.keys import SigningKey
from connector.signature.pki import KeyType
from connector.signature.revocation import Checking, HttpRevocation
from connector.signature.timestamps import HttpAuthority, is_intact
from connector.signature.trust import TrustStore
from connector.signature.xades_imprints import (
    Contents,
    archive_timestamp_octets,
    digest_of,
    nothing_outside,
    signature_timestamp_octets,
)
from connector.signature.xades_levels import Level, Services, extend
from connector.signature.xades_packaging import (
    SignedFile,
    Signing,
    as_document,
    sign_beside,
    sign_element,
    sign_enveloping,
    sign_files,
)
from connector.signature.xades_several import verify_enveloping
from connector.signature.xades_unsigned import (
    ARCHIVE_TIMESTAMP,
    SIGNATURE,
    SIGNATURE_TIMESTAMP,
    read_timestamp,
    unsigned_properties,
)
from connector.xml import parse
from tests.interop.key_files import keystore
from tests.signature.certomancer_pki import Pki

XML = "<e:request xmlns:e='urn:emla'><e:facts Id='f'>Größe &lt; 5</e:facts>\n</e:request>".encode()
FILE = "Anlage 1.bin"
CONTENT = bytes(range(256)) * 40
PACKAGINGS = (
    "enveloped",
    "enveloped, beside others",
    "element",
    "enveloping, element",
    "enveloping, octets",
    "detached",
    "ASiC-S",
    "ASiC-E",
)
CONTAINERS = {"ASiC-S", "ASiC-E"}


def signed(packaging: str, how: Signing) -> bytes:
    """Something signed at level B; what is detached is a file `FILE` with `CONTENT`."""
    match packaging:
        case "enveloped":
            return xades.sign_enveloped(
                parse(XML), how.key, how.time, signature_method=how.signature_method
            )
        case "enveloped, beside others":
            return sign_beside(parse(sign_beside(parse(XML), how)), how)
        case "element":
            return sign_element(parse(XML), ["f"], how)
        case "enveloping, element":
            return as_document(sign_enveloping(parse(XML), how))
        case "enveloping, octets":
            return as_document(sign_enveloping(CONTENT, how))
        case "detached":
            file = SignedFile("Anlage%201.bin", "application/octet-stream", how.digest(CONTENT))
            return as_document(sign_files([file], how))
    return _container(packaging, how)


def _container(packaging: str, how: Signing) -> bytes:
    target = io.BytesIO()
    documents = [
        Document("envelope.xml", "text/xml", BytesSource(XML)),
        Document(FILE, "application/octet-stream", BytesSource(CONTENT)),
    ]
    if packaging == "ASiC-S":
        seal(target, documents, how.key, how.time)
    else:

        def sign(items: Iterable[Item]) -> bytes:
            return sign_files([SignedFile(*item) for item in items], how)

        seal_extended(target, documents, sign, how.time)
    return target.getvalue()


def raised(packaging: str, data: bytes, level: Level, services: Services, pki: Pki) -> bytes:
    """The same at a higher level: every signature of it."""
    if packaging in CONTAINERS:
        return _raised_container(data, level, services, pki)
    contents = given if packaging == "detached" else nothing_outside
    for number in range(2 if packaging == "enveloped, beside others" else 1):
        data = extend(data, level, services, pki.now, number=number, contents=contents)
    return data


def given(reference: Reference) -> Iterable[bytes] | None:
    """The content of the detached file."""
    return [CONTENT] if reference.uri and unquote(reference.uri) == FILE else None


def _raised_container(data: bytes, level: Level, services: Services, pki: Pki) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            content = old.read(entry)
            if "signatures" in entry.filename:
                content = extend(content, level, services, pki.now, contents=inside(old))
            new.writestr(copy.copy(entry), content)
    return target.getvalue()


def inside(container: zipfile.ZipFile) -> Contents:
    """What the signatures of a container refer to."""

    def find(reference: Reference) -> Iterable[bytes] | None:
        if reference.uri is None or reference.uri.startswith("#"):
            return None
        return [container.read(unquote(reference.uri))]

    return find


@dataclass(frozen=True, slots=True)
class Surroundings:
    """A PKI with its services, and what of it DSS needs in files."""

    pki: Pki
    kind: KeyType
    key: SigningKey
    services: Services
    folder: Path
    trust: Path
    crls: Path
    keystore: Path
    tsa: Path

    @property
    def store(self) -> TrustStore:
        """For our own verification."""
        return self.services.trust

    def signing(self, method: str | None = None) -> Signing:
        """As the PKI's signer, now."""
        return Signing(key=self.key, time=self.pki.now, signature_method=method)


def surroundings(pki: Pki, kind: KeyType, folder: Path) -> Surroundings:
    """Write the files for DSS under `folder`."""
    folder.mkdir()
    trust, crls = folder / "trust", folder / "crls"
    trust.mkdir()
    crls.mkdir()
    root = pki.certificate("root")
    (trust / "root.pem").write_bytes(root.public_bytes(Encoding.PEM))
    fetcher = HttpFetcher(Timeouts(connect=30, read=60, total=120))  # busy machines
    for name in ("root", "ca"):
        (crls / f"{name}.crl").write_bytes(
            fetcher.get(f"{pki.url}/pki/crls/{name}/latest.crl", limit=10**6)
        )
    store = TrustStore([root])
    services = Services(
        authority=HttpAuthority(pki.tsa(), fetcher),
        trust=store,
        timestamp_trust=store,
        revocation=HttpRevocation(fetcher, now=lambda: pki.now),
        checking=Checking.REQUIRED,
    )
    key = pki.key()
    tsa = SigningKey(pki.keys["tsa"], pki.certificate("tsa"), (root,))
    return Surroundings(
        pki,
        kind,
        key,
        services,
        folder,
        trust,
        crls,
        keystore(key, folder / "signer.p12"),
        keystore(tsa, folder / "tsa.p12"),
    )


FORMATS = ("enveloped", "enveloping", "enveloping, element", "detached", "asic-s", "asic-e")
"""What DSS signs; those with a dash are containers."""


def verified(form: str, data: bytes, store: TrustStore, at: datetime) -> list[xades.Verified]:
    """The signatures that count in what DSS has signed: over all of it, and nothing else."""
    policy = AlgorithmPolicy()
    if form == "asic-s":
        return list(open_container(BytesSource(data), store, policy, at, MemoryWriter).signatures)
    if form == "asic-e":
        opened = open_extended(BytesSource(data), store, policy, at, MemoryWriter)
        return [each.verified for each in opened.signatures]
    root = parse(data)
    if form == "enveloped":
        return [xades.verify_enveloped(root, store, policy, at)]
    if form == "detached":
        signature = root if root.tag == SIGNATURE else root[0]
        return [xades.verify_detached(signature, _digest_of_file, store, policy, at)]
    return [verify_enveloping(root, store, policy, at)]


def _digest_of_file(name: str, algorithm: str) -> bytes | None:
    return hashlib.new(algorithm, CONTENT).digest() if name == FILE else None


def signature_documents(form: str, data: bytes) -> Iterator[tuple[bytes, Contents]]:
    """Each XML document that holds a signature, and what it refers to outside."""
    if "-" not in form:
        yield data, given if form == "detached" else nothing_outside
        return
    container = zipfile.ZipFile(io.BytesIO(data))
    for name in container.namelist():
        if "signatures" in name:
            yield container.read(name), inside(container)


def stamped(form: str, data: bytes) -> list[str]:
    """The timestamps of its signature in order, each found to be about what it has to be about."""
    found = []
    for document, contents in signature_documents(form, data):
        signature = next(parse(document).iter(SIGNATURE))
        for element in unsigned_properties(signature):
            if element.tag not in {SIGNATURE_TIMESTAMP, ARCHIVE_TIMESTAMP}:
                continue
            stamp = read_timestamp(element)
            octets = (
                signature_timestamp_octets(signature, stamp.c14n)
                if element.tag == SIGNATURE_TIMESTAMP
                else archive_timestamp_octets(signature, contents, before=element, c14n=stamp.c14n)
            )
            (token,) = stamp.tokens
            assert digest_of(octets, token.hash_name) == token.digest
            assert any(is_intact(token, each) for each in token.certificates)
            found.append(element.tag.partition("}")[2])
    return found
