"""Finding, making and ordering nodes: what the engine does to its two trees."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector.translation.compiled import Order
from connector.translation.node import Node, Outcome
from connector.translation.paths import Path, Step


def find(node: Node, path: Path) -> list[Node]:
    """The nodes at a path: of a step that does not repeat only the first."""
    found = [node]
    for step in path.steps:
        found = _next(found, step)
        if not found:
            break
    return found


def _next(nodes: Iterable[Node], step: Step) -> list[Node]:
    found: list[Node] = []
    for node in nodes:
        kids: Sequence[Node]
        if step.name == "..":
            kids = (node.parent,) if node.parent is not None else ()
        elif step.name == ".":
            kids = (node,)
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


def use_tests(path: Path, node: Node, goal: Node, rule: str) -> None:
    """Fields that a path's tests looked at have done their part."""
    here: Node | None = node
    for step in reversed(path.steps):
        if here is None or step.name == "..":
            return
        for test in step.tests:
            tested = test.field(here) if test.writes is not None else None
            if tested is not None and tested.value is not None:
                tested.settle(Outcome.MAPPED, rule)
                tested.uses.append(goal)
        if step.name != ".":
            here = here.parent


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


def tidy(node: Node) -> None:
    """Remove nodes without any field; siblings of one name in the order of their origins."""
    for name, kids in list(node.kids.items()):
        for kid in kids:
            if kid.kids:
                tidy(kid)
        kept = [kid for kid in kids if kid.kids or kid.value is not None]
        if not kept:
            del node.kids[name]
            continue
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
