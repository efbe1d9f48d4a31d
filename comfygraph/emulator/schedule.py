"""
In which order ComfyUI runs the nodes of a prompt, and which results it still has.

`Schedule` follows `ExecutionList` of `comfy_execution/graph.py`: only nodes upstream of the
output nodes run, nodes near an output first, lazy inputs when the node asks for them.
`signatures` follows the cache keys of `comfy_execution/caching.py`: a node's result is good
as long as its class, its constants and everything upstream of it are the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from heapq import heappop, heappush
from math import isfinite

from comfygraph.core.values import JsonValue

Nodes = Mapping[str, Mapping[str, JsonValue]]
"""A prompt as JSON: node id → `{"class_type", "inputs"}`."""


def link_of(value: JsonValue) -> tuple[str, int] | None:
    """
    Read a value as the link that the executor takes it for, `(node id, slot)`.

    Models `is_link` of `comfy_execution/graph_utils.py`: two members, a string and a number.
    """
    if (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int | float)
        and isfinite(value[1])
    ):
        return value[0], int(value[1])
    return None


def links_of(node: Mapping[str, JsonValue]) -> list[tuple[str, str, int]]:
    """
    Give `(input name, node id, slot)` for every linked input of a node, in order.
    """
    found: list[tuple[str, str, int]] = []
    inputs = node.get("inputs")
    for name, value in inputs.items() if isinstance(inputs, Mapping) else ():
        link = link_of(value)
        if link is not None:
            found.append((name, *link))
    return found


def upstream_first(nodes: Nodes) -> list[str]:
    """
    Give the nodes so that each comes after what it links to; those on or behind a cycle miss.
    """
    waiting: dict[str, int] = {}
    below: dict[str, list[str]] = {}
    for node_id, node in nodes.items():
        sources = {source for _, source, _ in links_of(node) if source in nodes}
        waiting[node_id] = len(sources)
        for source in sources:
            below.setdefault(source, []).append(node_id)
    order = [node_id for node_id, count in waiting.items() if not count]
    for node_id in order:
        for consumer in below.get(node_id, ()):
            waiting[consumer] -= 1
            if not waiting[consumer]:
                order.append(consumer)
    return order


def signatures(nodes: Nodes, salt: str = "") -> dict[str, str]:
    """
    Give node id → key of its result, in the order of the prompt. Nodes on or behind a cycle
    have none.

    Args:
        nodes: The whole prompt.
        salt: Goes into every key, so that results of one run are not taken for another's.
    """
    keys: dict[str, str] = {}
    for node_id in upstream_first(nodes):
        keys[node_id] = _signature(nodes[node_id], keys, salt)
    return {node_id: keys[node_id] for node_id in nodes if node_id in keys}


def _signature(node: Mapping[str, JsonValue], keys: Mapping[str, str], salt: str) -> str:
    inputs = node.get("inputs")
    parts: list[JsonValue] = [salt, node.get("class_type")]
    for name, value in sorted(inputs.items()) if isinstance(inputs, Mapping) else ():
        link = link_of(value)
        if link is None:
            parts.append((name, value))
        else:
            parts.append((name, "link", keys.get(link[0], link[0]), link[1]))
    return blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


class MissingNodeError(LookupError):
    """A reachable input links to a node that is not there; a real server's worker dies of it."""


class Schedule:
    """
    Picks one node after the other. Linear in nodes and links, but for a heap.

    Args:
        nodes: The prompt.
        outputs: The output nodes to run, in this order.
        done: Nodes whose results are still there.
        is_output: Tells whether a node is an output node.
        is_lazy: Tells whether input `name` of node `node_id` is only filled when asked for.

    Raises:
        MissingNodeError: A reachable input links to a node that is not there.
    """

    def __init__(
        self,
        nodes: Nodes,
        outputs: Iterable[str],
        done: Iterable[str],
        *,
        is_output: Callable[[str], bool],
        is_lazy: Callable[[str, str], bool],
    ) -> None:
        self._nodes = nodes
        self._done = set(done)
        self._is_output = is_output
        self._is_lazy = is_lazy
        self._place: dict[str, int] = {}
        self._blocked: dict[str, int] = {}
        self._blocking: dict[str, dict[str, None]] = {}
        self._near_output: dict[str, bool] = {}
        self._heap: list[tuple[int, int, str]] = []
        self._count = 0
        added: list[str] = []
        for node_id in outputs:
            added += self._add(node_id)
        self._settle(added)

    @property
    def waiting(self) -> int:
        """How many nodes are not done yet."""
        return len(self._place)

    def stuck(self) -> list[str]:
        """
        Give the nodes that wait, for when `pick` has none though some do: a cycle.
        """
        return list(self._place)

    def pick(self) -> str | None:
        """
        Give the node to run next, or `None` when none is ready.
        """
        while self._heap:
            _, _, node_id = self._heap[0]
            if node_id in self._place and not self._blocked[node_id]:
                return node_id
            heappop(self._heap)
        return None

    def finish(self, node_id: str) -> None:
        """
        Note that a node is done, and let those go that waited for it.
        """
        self._done.add(node_id)
        self._place.pop(node_id, None)
        for consumer in self._blocking.pop(node_id, ()):
            if consumer in self._place:
                self._blocked[consumer] -= 1
                if not self._blocked[consumer]:
                    self._ready(consumer)

    def ask(self, node_id: str, source: str) -> bool:
        """
        Let a node wait for a lazy input.

        Returns:
            Whether it has to wait: `source` is not done yet.

        Raises:
            MissingNodeError: As for the constructor.
        """
        if source in self._done:
            return False
        added = self._add(source)
        self._block(source, node_id)
        self._settle(added)
        return True

    def _add(self, start: str) -> list[str]:
        stack = [start]
        added: list[str] = []
        links: list[tuple[str, str]] = []
        while stack:
            node_id = stack.pop()
            if node_id in self._place:
                continue
            if node_id not in self._nodes:
                raise MissingNodeError(node_id)
            self._count += 1
            self._place[node_id] = self._count
            self._blocked[node_id] = 0
            added.append(node_id)
            for name, source, _ in links_of(self._nodes[node_id]):
                if not self._is_lazy(node_id, name):
                    if source not in self._done:
                        stack.append(source)
                    links.append((source, node_id))
        for source, consumer in links:
            if source not in self._done:
                self._block(source, consumer)
        return added

    def _settle(self, added: Iterable[str]) -> None:
        self._near_output.update({node_id: self._near(node_id) for node_id in added})
        for node_id in added:
            if not self._blocked[node_id]:
                self._ready(node_id)

    def _block(self, source: str, consumer: str) -> None:
        blocking = self._blocking.setdefault(source, {})
        if consumer not in blocking:
            blocking[consumer] = None
            self._blocked[consumer] += 1

    def _near(self, node_id: str) -> bool:
        return any(self._is_output(consumer) for consumer in self._blocking.get(node_id, ()))

    def _ready(self, node_id: str) -> None:
        # `ux_friendly_pick_node`: outputs first, then what feeds one, then what feeds that.
        near = self._near_output
        if self._is_output(node_id):
            rank = 0
        elif near.get(node_id, False):
            rank = 1
        elif any(near.get(consumer, False) for consumer in self._blocking.get(node_id, ())):
            rank = 2
        else:
            rank = 3
        heappush(self._heap, (rank, self._place[node_id], node_id))
