"""The order in which children are written: that of the rules, then of the `[[order]]` tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from connector.translation.compiled import Order
from connector.translation.mapping import Group, Mapping, MessageName, OrderTable
from connector.translation.paths import ANY_DEPTH, Path, parse_path


def national_order(
    mapping: Mapping, message: MessageName, first: Iterable[Path], *, arrays: bool
) -> Order:
    """The order of the national document; the paths of `first` come before all others."""
    order = Order()
    for path in first:
        _grow(order, (), path)
    for group in mapping.group:
        _grow_group(order, group, (), message, arrays=arrays)
    for table in mapping.order:
        if table.path.startswith(f"{ANY_DEPTH}/"):
            names = tuple(table.path.split("/")[1:])
            for at in _places(order, names, ()):
                _rank(at, table)
            continue
        at = order
        for name in below((), parse_path(table.path, arrays=arrays)):
            at = at.grow(name)
        _rank(at, table)
    return order


def _places(order: Order, names: tuple[str, ...], above: tuple[str, ...]) -> Iterator[Order]:
    """All places below `order` whose path ends with `names`."""
    for name, child in order.children.items():
        path = (*above, name)
        if path[-len(names) :] == names:
            yield child
        yield from _places(child, names, path)


def _rank(at: Order, table: OrderTable) -> None:
    ranks: dict[str, int] = {}
    for rank, names in enumerate(table.children):
        ranks.update(dict.fromkeys(names, rank))
    rest = [name for name in at.ranks if name not in ranks]
    ranks.update({name: len(table.children) + i for i, name in enumerate(rest)})
    at.ranks = ranks


def below(names: tuple[str, ...], path: Path) -> tuple[str, ...]:
    """The names that a path leads to from a place with `names`."""
    found = [] if path.absolute else list(names)
    for step in path.steps:
        if step.name == "..":
            del found[-1:]
        elif step.name != ".":
            found.append(step.name)
    return tuple(found)


def _grow_group(
    order: Order, group: Group, names: tuple[str, ...], message: MessageName, *, arrays: bool
) -> None:
    if not group.direction.writes or (group.messages and message not in group.messages):
        return
    try:
        source = parse_path(group.source, arrays=arrays)
        _grow(order, names, source)
        names = below(names, source)
        for rule in group.rules:
            if not rule.direction.writes or rule.annex is not None or rule.drop is not None:
                continue
            for text in rule.source:
                path = parse_path(text, arrays=arrays)
                _grow(order, names, path)
                beside = below(names, path)[:-1]
                for also in rule.write_also:
                    _grow(order, beside, parse_path(also))
    except ValueError:
        return  # the compiler has told what is wrong with the path
    for inner in group.groups:
        _grow_group(order, inner, names, message, arrays=arrays)


def _grow(order: Order, names: tuple[str, ...], path: Path) -> None:
    if not path.writable:
        return
    at = [order]
    for name in () if path.absolute else names:
        at.append(at[-1].grow(name))
    for step in path.steps:
        if step.name == "..":
            at.pop()
        elif step.name != ".":
            at.append(at[-1].grow(step.name))
        for test in step.tests:
            leaf = at[-1]
            written = test.writes is not None or (test.other is not None and not test.negated)
            for name in test.names if written else ():
                leaf = leaf.grow(name)
