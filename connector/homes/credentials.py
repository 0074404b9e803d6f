"""Looking at keys, certificates, the trust folder and the policy of a home."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from cryptography import x509

from connector.errors import ConnectorError
from connector.homes.creation import NOT_FOR_PRODUCTION
from connector.homes.findings import Aspect, Collector, Looking
from connector.runtime.assembly import load_decryption, load_key
from connector.settings import KeyFile
from connector.signature.algorithms import WEAK, AlgorithmPolicy
from connector.signature.key_sources import is_file
from connector.signature.keys import SigningKey
from connector.signature.policy_file import load_policy
from connector.signature.trust import Purpose, TrustStore

_DEMONSTRATION: Final = ("demonstration root", NOT_FOR_PRODUCTION)


def keys(look: Looking) -> Aspect:
    """Each key file: there, readable by its owner only, with its certificate, strong, valid."""
    found = Collector()
    policy = policy_of(look)
    self_made: list[str] = []
    entries = dict(_entries(look))
    for path, entry in entries.items():
        try:
            key = load_key(look.home, entry)
        except ConnectorError as error:
            found.caught(error, path=path)
            continue
        where = {"path": path}
        if is_file(str(entry.file)):
            where["file"] = str(look.home.path(entry.file))
        purposes = [Purpose.SIGNATURE]
        if path == _TRANSPORT and look.home.settings.gateway.kind == "as4":
            purposes.append(Purpose.ENCRYPTION)
            _decrypts(look, found, **where)
        certificate_problems(key.certificate, look.now, policy, found, purposes, **where)
        expiry(key.certificate, look.now, look.warn_before, found, **where)
        if _is_self_made(key):
            self_made.append(path)
    if self_made:
        found.warn(
            "key.self-made",
            f"emla itself made {', '.join(self_made)}: nobody else vouches for these keys. They "
            "are not for production.",
            mend="Put keys with certificates of a trust service provider in their place.",
            path="keys",
        )
    return found.aspect("keys", f"{len(entries)} private keys with their certificates")


_TRANSPORT: Final = "keys.transport"


def _entries(look: Looking) -> Iterator[tuple[str, KeyFile]]:
    """The key files by their place in the settings."""
    section = look.home.settings.keys
    named = {
        "keys.signature": section.signature,
        "keys.seal": section.seal,
        "keys.evidence": section.evidence,
        _TRANSPORT: section.transport,
        "gateway.tls_certificate": look.home.settings.gateway.tls_certificate,
    }
    return ((path, entry) for path, entry in named.items() if entry is not None)


def _decrypts(look: Looking, found: Collector, **where: str) -> None:
    """Partners encrypt for the transport key, which only an RSA key in a file or token serves."""
    try:
        load_decryption(look.home)
    except ConnectorError as error:
        found.caught(error, path=where["path"])


def _is_self_made(key: SigningKey) -> bool:
    top = (key.certificate, *key.intermediates)[-1]
    return any(word in top.issuer.rfc4514_string() for word in _DEMONSTRATION)


def certificate_problems(
    certificate: x509.Certificate,
    now: datetime,
    policy: AlgorithmPolicy,
    found: Collector,
    purposes: Sequence[Purpose],
    **where: str,
) -> None:
    """What speaks against a certificate, whoever issued it: dates, usage, size."""
    by_itself = TrustStore((), pinned=[certificate])
    told: set[str] = set()
    for purpose in purposes:
        try:
            by_itself.validate(certificate, (), now, policy, purpose)
        except ConnectorError as error:
            if error.code not in told:
                problem = error.problems[0]
                found.error(problem.code, problem.what, mend=problem.mend, **where)
            told.add(error.code)


def expiry(
    certificate: x509.Certificate,
    now: datetime,
    before: timedelta,
    found: Collector,
    **where: str,
) -> None:
    """Warns of a certificate that is about to expire."""
    left = certificate.not_valid_after_utc - now
    if timedelta() <= left <= before:
        found.warn(
            "certificate.expires-soon",
            f"The certificate of {certificate.subject.rfc4514_string()} expires in {left.days} "
            f"days, on {certificate.not_valid_after_utc:%Y-%m-%d}.",
            mend="Get the next one in time, and give it to the partners.",
            **where,
        )


def policy_of(look: Looking) -> AlgorithmPolicy:
    """The policy of the home, or the default where it cannot be read (which `policy` tells)."""
    file = look.home.settings.trust.policy
    try:
        return load_policy(look.home.path(file) if file else None)
    except ConnectorError:
        return AlgorithmPolicy()


def policy(look: Looking) -> Aspect:
    """The policy file, and what it lets pass."""
    found = Collector()
    file = look.home.settings.trust.policy
    if file is None:
        return found.aspect("policy", "nothing weak is accepted")
    path = look.home.path(file)
    try:
        loaded = load_policy(path)
    except ConnectorError as error:
        found.caught(error)
        return found.aspect("policy")
    names = sorted(uri.rpartition("#")[2] for uri in loaded.permitted & WEAK)
    if names or loaded.rsa_bits < AlgorithmPolicy().rsa_bits:
        short = loaded.rsa_bits < AlgorithmPolicy().rsa_bits
        names += [f"RSA from {loaded.rsa_bits} bits"] if short else []
        found.warn(
            "policy.weak",
            f"The policy accepts what is known to be weak: {', '.join(names)}.",
            mend="Remove each as soon as no partner needs it any more.",
            file=str(path),
        )
    return found.aspect("policy", str(file))


def trust(look: Looking) -> Aspect:
    """The trust folder, and CA certificates that have expired or are about to."""
    found = Collector()
    folder = look.home.path(look.home.settings.trust.folder)
    try:
        store = TrustStore.from_folder(folder)
    except ConnectorError as error:
        found.caught(error, path="trust.folder")
        return found.aspect("trust")
    everything = (*store.anchors, *store.intermediates, *store.pinned)
    for each in everything:
        if each.not_valid_after_utc < look.now:
            found.warn(
                "certificate.expired",
                f"The CA certificate of {each.subject.rfc4514_string()} expired on "
                f"{each.not_valid_after_utc:%Y-%m-%d}; whom it issued is not trusted any more.",
                mend="Replace it by its successor.",
                file=str(folder),
            )
        expiry(each, look.now, look.warn_before, found, file=str(folder))
    return found.aspect("trust", f"{len(everything)} trusted certificates")
