"""Finding, making and ordering nodes: what the engine does to its two trees."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from connector.translation.compiled import Order
from connector.translation.node import Node, Outcome
from connector.translation.paths import ANY_DEPTH, Path, Step


def find(node: Node, path: Path) -> list[Node]:
    """The nodes at a path: of a step that does not repeat only the first."""
    found = [node]
    for step in path.steps:
        found = _next(found, step)
        if not found:
            break
    if not path.writable:
        found.sort(key=_order)
    return found


def bound(path: Path, here: Node) -> Path:
    """The path with what its tests take from other paths, which start at `here` or at its root."""
    return path.bound(lambda other: _values(here, other)) if path.dynamic else path


def _values(here: Node, path: Path) -> tuple[str, ...]:
    while path.absolute and here.parent is not None:
        here = here.parent
    return tuple(text for each in find(here, path) if (text := (each.value or "").strip()))


def _descendants(node: Node) -> Iterator[Node]:
    yield node
    for kid in node.children():
        yield from _descendants(kid)


def _next(nodes: Iterable[Node], step: Step) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        kids: Sequence[Node]
        if step.name == "..":
            kids = (node.parent,) if node.parent is not None else ()
        elif step.name == ".":
            kids = (node,)
        elif step.name == ANY_DEPTH:
            found += _descendants(node)
            continue
        else:
            kids = node.kids.get(step.name, ())
        if kids and step.tests:
            kids = [kid for kid in kids if all(test.holds(kid) for test in step.tests)]
        if kids:
            found += kids if step.repeats else kids[:1]
    return found


def make(base: Node, path: Path, origin: Node) -> Node:
    """The node at a path, made where it is not there; the last step that repeats is always new."""
    node = base
    for i, step in enumerate(path.steps):
        if step.name == "..":
            node = node.parent or node
        elif step.name == ".":
            _satisfy(node, step)
        else:
            node = _child(node, step, origin, new=i == path.fresh)
    return node


def _child(node: Node, step: Step, origin: Node, *, new: bool) -> Node:
    if not new:
        for kid in node.kids.get(step.name, ()):
            if all(test.holds(kid) for test in step.tests):
                return kid
    kid = node.add(step.name, origin.order)
    _satisfy(kid, step)
    return kid


def _satisfy(node: Node, step: Step) -> None:
    for test in step.tests:
        if test.writes is not None:
            leaf = node
            for name in test.names:
                leaf = leaf.first(name) or leaf.add(name, node.order)
            if leaf.value is None:
                leaf.value = test.writes
                leaf.test_of = node


def tested(path: Path, node: Node) -> Iterator[Node]:
    """The fields with which a node at the end of a path meets the path's tests."""
    here: Node | None = node
    for step in reversed(path.steps):
        if here is None or step.name in ("..", ANY_DEPTH):
            return
        for test in step.tests:
            if test.writes is not None:
                yield from test.told(here)
        if step.name != ".":
            here = here.parent


def use_tests(path: Path, node: Node, goal: Node, rule: str) -> None:
    """Fields that a path's tests looked at have done their part."""
    for each in tested(path, node):
        each.settle(Outcome.MAPPED, rule)
        each.uses.append(goal)


def not_mapped(field: Node) -> bool:
    """Whether a field holds something that no rule has written so far."""
    return field.outcome is not Outcome.MAPPED and bool((field.value or "").strip())


def beside_read(leaf: Node, names: tuple[str, ...]) -> Node | None:
    """The field at `names` beside a leaf, or on it where they begin with its own name."""
    own = names[0] == leaf.name
    node = leaf if own else leaf.parent
    for name in names[1:] if own else names:
        node = node.first(name) if node is not None else None
    return node


def beside_made(leaf: Node, names: tuple[str, ...]) -> Node:
    """That field, made where it is not there."""
    own = names[0] == leaf.name or leaf.parent is None
    node = leaf if own or leaf.parent is None else leaf.parent
    for name in names[1:] if own else names:
        node = node.first(name) or node.add(name, leaf.order)
    return node


def tidy(root: Node) -> None:
    """Remove nodes without any field but those that a path's tests made; siblings of one name in
    the order of their origins."""
    told: set[int] = set()
    _note_told(root, told)
    _prune(root, told)


def _note_told(node: Node, told: set[int]) -> bool:
    """Notes the nodes that hold more than what tests made."""
    found = node.value is not None and node.test_of is None
    for kid in node.children():
        found |= _note_told(kid, told)
    if found:
        told.add(id(node))
    return found


def _stays(node: Node, told: set[int]) -> bool:
    if id(node) in told or (node.test_of is not None and id(node.test_of) in told):
        return True
    return any(_stays(kid, told) for kid in node.children())


def _remove(node: Node) -> None:
    node.gone = True
    for kid in node.children():
        _remove(kid)


def _prune(node: Node, told: set[int]) -> None:
    for name, kids in list(node.kids.items()):
        kept = [kid for kid in kids if _stays(kid, told)]
        if len(kept) < len(kids):
            stays = set(map(id, kept))
            for kid in kids:
                if id(kid) not in stays:
                    _remove(kid)
        if not kept:
            del node.kids[name]
            continue
        for kid in kept:
            if kid.kids:
                _prune(kid, told)
        if len(kept) > 1:
            kept.sort(key=_order)
        for index, kid in enumerate(kept):
            kid.index = index
        node.kids[name] = kept


def _order(node: Node) -> int:
    return node.order


def in_order(node: Node, order: Order | None) -> list[Node]:
    """Children as they are to be written."""
    ranks = order.ranks if order is not None else {}
    last = len(ranks)
    return sorted(node.children(), key=lambda kid: (ranks.get(kid.name, last), kid.order))
