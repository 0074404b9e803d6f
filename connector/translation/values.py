"""Conversions of single values between their national form and the envelope's, both ways.

Each conversion has `read` (national to envelope) and `write`; both return the new text and a note,
which is empty unless something did not fit. They raise `NotConvertible`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Protocol
from uuid import NAMESPACE_OID, uuid5
from zoneinfo import ZoneInfo


class NotConvertible(Exception):
    """A value that does not fit; `code` is the last part of the problem's code. If it is `lenient`
    the value may stay in its document."""

    def __init__(self, code: str, what: str, mend: str = "", *, lenient: bool = False) -> None:
        super().__init__(what)
        self.code = code
        self.what = what
        self.mend = mend
        self.lenient = lenient


class Conversion(Protocol):
    """Turns a value of the national document into the envelope's, and back."""

    def read(self, text: str, /) -> tuple[str, str]:
        """The envelope's value and a note."""
        ...

    def write(self, text: str, /) -> tuple[str, str]:
        """The national value and a note."""
        ...


_FIELDS: Final = {
    "YYYY": r"(?P<Y>\d{4})",
    "MM": r"(?P<M>\d\d)",
    "DD": r"(?P<D>\d\d)",
    "hh": r"(?P<h>\d\d)",
    "mm": r"(?P<m>\d\d)",
    "ss": r"(?P<s>\d\d)",
    "ZZ": r"(?P<z>Z|[+-]\d\d:\d\d)",
}
_FIELD: Final = re.compile("YYYY|MM|DD|hh|mm|ss|ZZ")
_BAD_DATE: Final = "bad-date"


class Pattern:
    """A date or time as people write it: `DD/MM/YYYY hh:mm:ss`; `ZZ` is the offset from UTC."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields = tuple(_FIELD.findall(text))
        literals = [re.escape(part) for part in _FIELD.split(text)]
        fields = [_FIELDS[name] for name in self.fields] + [""]
        self._reads = re.compile(
            "".join(a + b for a, b in zip(literals, fields, strict=True)), re.ASCII
        )

    def parse(self, text: str) -> dict[str, str] | None:
        """The parts by letter (`Y`, `M`, `D`, `h`, `m`, `s`, `z`)."""
        found = self._reads.fullmatch(text)
        return found.groupdict() if found else None

    def format(self, parts: dict[str, str]) -> str:
        """The parts in the pattern's order."""
        keys = {"YYYY": "Y", "MM": "M", "DD": "D", "hh": "h", "mm": "m", "ss": "s", "ZZ": "z"}
        return _FIELD.sub(lambda found: parts[keys[found[0]]], self.text)


class Dates:
    """A date, or the part of it that is known: xs:date, xs:gYearMonth or xs:gYear."""

    def __init__(self, patterns: tuple[str, ...]) -> None:
        self._patterns = tuple(Pattern(text) for text in patterns)
        self._named = " or ".join(patterns)

    def read(self, text: str) -> tuple[str, str]:
        """`24/11/2026` as `2026-11-24`, `11/2026` as `2026-11`."""
        for pattern in self._patterns:
            if (parts := pattern.parse(text.strip())) is not None:
                known = [parts[key] for key in "YMD" if key in parts]
                try:
                    date(*(int(part) for part in [*known, "1", "1"][:3]))
                except ValueError as error:
                    raise self._bad(text) from error
                return "-".join(known), ""
        raise self._bad(text)

    def write(self, text: str) -> tuple[str, str]:
        """The other way."""
        parts = dict(zip("YMD", text.strip().split("-"), strict=False))
        for pattern in self._patterns:
            if len(pattern.fields) == len(parts):
                return pattern.format(parts), ""
        # The format cannot write an incomplete date: nothing may be made up.
        raise NotConvertible(
            _BAD_DATE, f"{text!r} cannot be written as {self._named}.", "Give the whole date."
        )

    def _bad(self, text: str) -> NotConvertible:
        return NotConvertible(
            _BAD_DATE, f"{text[:40]!r} is no date.", f"Write it as {self._named}."
        )


_ISO: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?(Z|[+-]\d\d:\d\d)?", re.ASCII
)
ISO: Final = "ISO"


class Moments:
    """A point in time; where the text does not say its offset, in the format's own zone."""

    def __init__(self, patterns: tuple[str, ...], zone: str | None) -> None:
        self._iso = patterns[0] == ISO
        self._patterns = tuple(Pattern(text) for text in patterns if text != ISO)
        self._named = " or ".join("2026-11-24T09:15:00+01:00" if p == ISO else p for p in patterns)
        self._zone = ZoneInfo(zone) if zone else None

    def read(self, text: str) -> tuple[str, str]:
        """`24/11/2026 09:15:00` as `2026-11-24T09:15:00+01:00`."""
        text = text.strip()
        if found := _ISO.fullmatch(text):
            self._moment(text, found[1] + (found[2] or ""), found[3])
            if found[3] is not None:
                return text, ""
            return self._local(text, found[1] + (found[2] or ""))
        for pattern in self._patterns:
            if (parts := pattern.parse(text)) is not None:
                p = {"s": "00", **parts}
                local = f"{p['Y']}-{p['M']}-{p['D']}T{p['h']}:{p['m']}:{p['s']}"
                if "z" in p:
                    return self._moment(text, local, p["z"]).isoformat(), ""
                return self._local(text, local)
        raise self._bad(text)

    def _local(self, text: str, local: str) -> tuple[str, str]:
        """In the format's own zone; a note for an hour that the change of clocks repeats."""
        moment = self._moment(text, local, None)
        twice = moment.utcoffset() != moment.replace(fold=1).utcoffset()
        note = f"{text} came twice, or never, when the clocks were changed." if twice else ""
        return moment.isoformat(), note

    def write(self, text: str) -> tuple[str, str]:
        """The other way, in the format's zone."""
        if self._iso:
            return text, ""
        moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        try:
            local = moment if self._zone is None else moment.astimezone(self._zone)
        except (OverflowError, ValueError) as error:  # the first or last day of all
            raise NotConvertible(_BAD_DATE, f"{text} is out of range.") from error
        offset = local.strftime("%z")
        parts = {
            **dict(zip("YMD", local.strftime("%Y-%m-%d").split("-"), strict=True)),
            **dict(zip("hms", local.strftime("%H:%M:%S").split(":"), strict=True)),
            "z": f"{offset[:3]}:{offset[3:]}",
        }
        written = self._patterns[0].format(parts)
        same = datetime.fromisoformat(self.read(written)[0]) == moment
        return written, "" if same else f"{written} is less exact than {text}."

    def _moment(self, text: str, local: str, offset: str | None) -> datetime:
        try:
            if offset is not None:
                return datetime.fromisoformat(local + offset.replace("Z", "+00:00"))
            moment = datetime.fromisoformat(local)
        except ValueError as error:
            raise self._bad(text) from error
        if self._zone is None:
            raise NotConvertible(
                _BAD_DATE, f"{text[:40]!r} does not say its time zone.", "Add the offset: +01:00."
            )
        return moment.replace(tzinfo=self._zone)

    def _bad(self, text: str) -> NotConvertible:
        return NotConvertible(
            _BAD_DATE, f"{text[:40]!r} is no date and time.", f"Write it as {self._named}."
        )


@dataclass(frozen=True, slots=True)
class Numbers:
    """A number with the format's own decimal and grouping signs."""

    decimal: str
    group: str

    def read(self, text: str) -> tuple[str, str]:
        """`1.200,5` as `1200.5`."""
        plain = text.strip().replace(self.group, "") if self.group else text.strip()
        plain = plain.replace(self.decimal, ".", 1)
        if not re.fullmatch(r"-?\d+(\.\d+)?", plain, re.ASCII):
            raise NotConvertible("bad-number", f"{text[:40]!r} is no number.", "Correct it.")
        sign, _, digits = plain.rpartition("-")
        whole, dot, rest = digits.partition(".")
        return ("-" if _ else sign) + (whole.lstrip("0") or "0") + dot + rest, ""

    def write(self, text: str) -> tuple[str, str]:
        """The other way, without grouping."""
        return text.strip().replace(".", self.decimal), ""


@dataclass(frozen=True, slots=True)
class Booleans:
    """Yes and no as the format writes them."""

    true: str
    false: str

    def read(self, text: str) -> tuple[str, str]:
        """`true` or `false`."""
        if text.strip() in (self.true, self.false):
            return "true" if text.strip() == self.true else "false", ""
        raise NotConvertible(
            "bad-value",
            f"{text[:40]!r} is neither {self.true} nor {self.false}.",
            f"Write {self.true} or {self.false}.",
        )

    def write(self, text: str) -> tuple[str, str]:
        """The other way."""
        return self.true if text.strip() in ("true", "1") else self.false, ""


_UUID: Final = re.compile(
    r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}(?![0-9A-Za-z-])"
)


class Uuids:
    """Where the format wants a UUID: the one that an id begins with, else one made from the text
    (RFC 9562, version 5), so that the same text is the same UUID each time."""

    def read(self, text: str) -> tuple[str, str]:
        """Unchanged."""
        return text.strip(), ""

    def write(self, text: str) -> tuple[str, str]:
        """`5d0c2f4e-…@example` without what follows the UUID."""
        found = _UUID.match(text.strip())
        return found[0] if found else str(uuid5(NAMESPACE_OID, text.strip())), ""


class Wrapped:
    """A conversion between texts with fixed surroundings: `urn:emla:authority:br:{}`."""

    def __init__(self, inner: Conversion | None, source: str | None, target: str | None) -> None:
        self._inner = inner
        self._source = Template(source or "{}")
        self._target = Template(target or "{}")

    def read(self, text: str) -> tuple[str, str]:
        """Take the source's surroundings off, put the target's on."""
        core = self._core(self._source, text)
        value, note = self._inner.read(core) if self._inner is not None else (core, "")
        return self._target.fill((value,)), note

    def write(self, text: str) -> tuple[str, str]:
        """The other way."""
        core = self._core(self._target, text)
        value, note = self._inner.write(core) if self._inner is not None else (core, "")
        return self._source.fill((value,)), note

    @staticmethod
    def _core(template: Template, text: str) -> str:
        parts = template.take_apart(text.strip())
        if parts is None:
            raise NotConvertible(
                "bad-value",
                f"{text[:80]!r} does not have the form {template.text}.",
                f"Write it as {template.text}.",
            )
        return parts[0]


class Template:
    """A text with places `{}` for parts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._between = text.split("{}")
        count = len(self._between) - 1
        expression = "".join(
            re.escape(between) + ("(.*?)" if i < count - 1 else "(.*)" if i < count else "")
            for i, between in enumerate(self._between)
        )
        self._reads = re.compile(expression, re.DOTALL)
        self.count = count

    def fill(self, parts: tuple[str | None, ...]) -> str:
        """The text with its parts; an absent part goes with the text before it."""
        text = self._between[0]
        given = False
        for part, before in zip(parts, self._between, strict=False):
            if part is not None:
                text += (before if given else "") + part
                given = True
        return text + self._between[-1]

    def take_apart(self, text: str) -> tuple[str, ...] | None:
        """The parts, or None where the text does not have the form."""
        found = self._reads.fullmatch(text)
        return found.groups() if found else None
