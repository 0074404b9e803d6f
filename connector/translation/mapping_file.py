"""Reads a mapping's files: TOML, checked, with what they include and abbreviate in its place."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from connector.errors import ConnectorError, Kind, Problem, misconfigured
from connector.translation.mapping import MAPPING_FILE, Block, Group, Mapping, Rule

_ABBREVIATION: Final = re.compile(r"\$([a-z][a-z0-9-]*)(?:\(([^()]*)\))?")
_PATHS: Final = frozenset(
    {
        "source",
        "target",
        "if_source",
        "if_target",
        "unless_source",
        "unless_target",
        "rest_source",
        "rest_target",
        "path",
    }
)
"""Keys whose values are paths."""
_BY_PATH: Final = frozenset({"match", "write_also"})
"""Keys of tables whose keys are paths."""
_DEPTH: Final = 10


def read_mapping(folder: Path) -> Mapping:
    """The mapping in `folder`, with the groups of the files it includes.

    Raises `ConnectorError` (configuration): `mapping.unreadable`, `mapping.invalid` with one
    problem for each key that is wrong.
    """
    file = folder / MAPPING_FILE
    raw = read_toml(file)
    for name in raw.get("include", ()):
        more = read_toml(folder / str(name))
        if others := sorted(set(more) - {"group", "block", "texts", "order"}):
            raise misconfigured(
                "mapping.invalid",
                f"An included file holds groups, blocks, texts and orders, not "
                f"{', '.join(others)}.",
                mend=f"Move the rest to {MAPPING_FILE}.",
                file=str(folder / str(name)),
            )
        for table in ("group", "block", "order"):
            raw.setdefault(table, []).extend(more.get(table, ()))
        raw.setdefault("texts", {}).update(more.get("texts", {}))
    return _expanded(validated(Mapping, _spelled_out(raw, file), file), file)


def _spelled_out(raw: dict[str, Any], file: Path) -> dict[str, Any]:
    """With the abbreviations in paths replaced by what they stand for."""
    known = raw.get("abbreviations", {})
    if not isinstance(known, dict) or not known:
        return raw

    def replaced(found: re.Match[str]) -> str:
        stands_for = known.get(found[1])
        if not isinstance(stands_for, str):
            raise KeyError(found[1])
        return stands_for.replace("%", found[2] or "")

    def path(text: str, key: str) -> str:
        whole = text
        try:
            for _ in range(_DEPTH):
                whole = _ABBREVIATION.sub(replaced, whole)
                if "$" not in whole:
                    return whole
        except KeyError as error:
            raise _unclear(f"There is no abbreviation {error}, used in {text!r}.", key) from None
        raise _unclear(f"An abbreviation in {text!r} is none, or stands for itself.", key)

    def _unclear(what: str, key: str) -> ConnectorError:
        mend = "Correct the path, or the table [abbreviations]."
        return misconfigured("mapping.invalid", what, mend=mend, file=str(file), path=key)

    def walk(value: Any, key: str, at: str) -> Any:
        if isinstance(value, dict):
            return {
                path(k, at) if key in _BY_PATH else k: walk(v, k, f"{at}.{k}" if at else k)
                for k, v in value.items()
            }
        if isinstance(value, list):
            return [walk(each, key, f"{at}[{i}]") for i, each in enumerate(value)]
        return path(value, at) if key in _PATHS and isinstance(value, str) else value

    return {key: walk(value, key, key) for key, value in raw.items()}


def _expanded(mapping: Mapping, file: Path) -> Mapping:
    """The mapping with the blocks put into the groups that use them."""
    blocks = {block.id: block for block in mapping.block}

    def parts(
        each: Group | Block, within: tuple[str, ...]
    ) -> tuple[tuple[Rule, ...], tuple[Group, ...]]:
        rules, groups = each.rules, tuple(whole(group, within) for group in each.groups)
        for name in each.use:
            if name not in blocks or name in within:
                what = "holds itself" if name in within else "does not exist"
                raise misconfigured(
                    "mapping.invalid",
                    f"The block {name!r} {what}.",
                    mend="Correct 'use'.",
                    file=str(file),
                    path=f"{each.id}.use",
                )
            more_rules, more_groups = parts(blocks[name], (*within, name))
            rules, groups = rules + more_rules, groups + more_groups
        return rules, groups

    def whole(group: Group, within: tuple[str, ...]) -> Group:
        rules, groups = parts(group, within)
        return group.model_copy(update={"rules": rules, "groups": groups, "use": ()})

    return mapping.model_copy(update={"group": tuple(whole(g, ()) for g in mapping.group)})


def read_toml(file: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises `mapping.unreadable`."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise misconfigured(
            "mapping.unreadable",
            f"The file cannot be read: {error}",
            mend="It must be TOML 1.0 in UTF-8.",
            file=str(file),
        ) from error


M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], raw: dict[str, Any], file: Path) -> M:
    """`raw` as a `model`. Raises `mapping.invalid` with a problem for each wrong key."""
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        raise ConnectorError(
            Kind.CONFIGURATION,
            *(
                Problem(
                    code="mapping.invalid",
                    what=str(each["msg"]).removeprefix("Value error, "),
                    mend="See docs/mapping.md for what may stand here.",
                    file=str(file),
                    path=_key(each["loc"]),
                )
                for each in error.errors(include_url=False, include_context=False)
            ),
        ) from error


def _key(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text
