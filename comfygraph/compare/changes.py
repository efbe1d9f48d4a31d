"""
The differences between two prompts, in the words of the graph.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from comfygraph.compare.match import digests, match_nodes
from comfygraph.core.values import InputValue, Link, Node, Prompt

SameSource = Callable[[str, str], bool]


@dataclass(frozen=True, slots=True)
class InputChange:
    """
    One input that is not what it was.

    Args:
        name: The input.
        before: A `Link` or a constant of the old prompt.
        after: The same of the new prompt.
        had: Whether the old node has the input.
        has: Whether the new node has it.
    """

    name: str
    before: InputValue
    after: InputValue
    had: bool = True
    has: bool = True

    def to_json(self) -> dict[str, Any]:
        """
        Give `{"name", "before", "after"}`; an absent side is left out.
        """
        out: dict[str, Any] = {"name": self.name}
        if self.had:
            out["before"] = _plain(self.before)
        if self.has:
            out["after"] = _plain(self.after)
        return out


@dataclass(frozen=True, slots=True)
class Change:
    """
    A node that is in both prompts, with inputs that differ.
    """

    old: Node
    new: Node
    inputs: tuple[InputChange, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """
    What changed in meaning. Ids, titles, positions and the order of nodes do not count.

    Args:
        old: The prompt before.
        new: The prompt after.
        pairs: Old id → new id of the nodes that are in both.
        changed: Nodes whose inputs differ, in the order of the new prompt.
        added: Nodes that are only in the new prompt.
        removed: Nodes that are only in the old prompt.
    """

    old: Prompt
    new: Prompt
    pairs: Mapping[str, str]
    changed: tuple[Change, ...]
    added: tuple[Node, ...]
    removed: tuple[Node, ...]

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)

    def to_json(self) -> dict[str, Any]:
        """
        Give the JSON form: `changed`, `added`, `removed` and `renamed` (old id → new id).
        """
        return {
            "changed": [
                {
                    "old_id": change.old.id,
                    "new_id": change.new.id,
                    "class_type": change.new.class_type,
                    "title": change.new.title,
                    "inputs": [item.to_json() for item in change.inputs],
                }
                for change in self.changed
            ],
            "added": [_brief(node) for node in self.added],
            "removed": [_brief(node) for node in self.removed],
            "renamed": {old: new for old, new in self.pairs.items() if old != new},
        }


def compare(old: Prompt, new: Prompt) -> Difference:
    """
    Compare two prompts.

    Args:
        old: The prompt before.
        new: The prompt after.
    """
    was, now = digests(old), digests(new)
    pairs = match_nodes(old, new, was, now)

    def same_source(before: str, after: str) -> bool:
        # Twins compute the same: a link to either means the same. A link to nothing has no
        # partner, and there the id itself is the meaning.
        if pairs.get(before, before) == after:
            return True
        return before in was and after in now and was[before] == now[after]

    changed = []
    for old_id, new_id in pairs.items():
        inputs = (
            ()
            if was[old_id] == now[new_id]
            else _input_changes(old[old_id], new[new_id], same_source)
        )
        if inputs:
            changed.append(Change(old[old_id], new[new_id], inputs))
    place = {node_id: index for index, node_id in enumerate(new)}
    changed.sort(key=lambda change: place[change.new.id])
    kept = set(pairs.values())
    return Difference(
        old,
        new,
        pairs,
        tuple(changed),
        tuple(node for node_id, node in new.items() if node_id not in kept),
        tuple(node for node_id, node in old.items() if node_id not in pairs),
    )


def _input_changes(old: Node, new: Node, same_source: SameSource) -> tuple[InputChange, ...]:
    names = list(dict.fromkeys([*old.inputs, *new.inputs]))
    out = []
    for name in names:
        had, has = name in old.inputs, name in new.inputs
        before, after = old.inputs.get(name), new.inputs.get(name)
        if had and has and _same(before, after, same_source):
            continue
        out.append(InputChange(name, before, after, had, has))
    return tuple(out)


def _same(before: InputValue, after: InputValue, same_source: SameSource) -> bool:
    if isinstance(before, Link) and isinstance(after, Link):
        return before.slot == after.slot and same_source(before.node_id, after.node_id)
    if isinstance(before, bool) != isinstance(after, bool):
        return False  # To Python, true equals 1.
    return bool(before == after)


def _plain(value: InputValue) -> Any:
    return value.to_json() if isinstance(value, Link) else value


def _brief(node: Node) -> dict[str, Any]:
    return {"id": node.id, "class_type": node.class_type, "title": node.title}
