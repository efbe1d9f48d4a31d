"""
What nodes take: learned from jobs that succeeded, by graph and by class.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from comfygraph.analysis.estimates import estimate
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.targets.events import (
    Event,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeStarted,
)

if TYPE_CHECKING:
    from comfygraph.jobs.ledger.store import Ledger

_LEAST = 0.005
"""Seconds that a node takes at least, so that none counts for nothing."""


def shape_of(prompt: Prompt) -> str:
    """
    Give a digest of what a graph is made of, its values left out: 64 hex digits. Variants of a
    batch have the same.
    """
    plain = {
        node.id: [
            node.class_type,
            {
                name: [value.node_id, value.slot]
                for name, value in node.inputs.items()
                if isinstance(value, Link)
            },
        ]
        for node in prompt.nodes()
    }
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class Stopwatch:
    """
    Measures nodes from their start to their end.

    Args:
        clock: Seconds, never going back.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._since: dict[str, float] = {}
        self.spent: dict[str, float] = {}

    def feed(self, event: Event) -> None:
        """
        Take in an event.
        """
        match event:
            case NodeStarted(node_id=node_id):
                self._since.setdefault(node_id, self._clock())
            case NodeFinished(node_id=node_id):
                since = self._since.pop(node_id, None)
                if since is not None:
                    self.spent[node_id] = max(self._clock() - since, _LEAST)
            case NodeCached(node_id=node_id) | NodeFailed(node_id=node_id):
                self._since.pop(node_id, None)
            case _:
                pass


def learn(ledger: Ledger, target: str, prompt: Prompt, spent: Mapping[str, float]) -> None:
    """
    Add what the nodes of a job took.

    Args:
        ledger: Where it is kept.
        target: The name of the target.
        prompt: The graph.
        spent: Node id → seconds.

    Raises:
        LedgerError: It could not be written.
    """
    if not spent:
        return
    work = estimate(prompt)
    nodes = {
        node_id: (seconds, work[node_id]) for node_id, seconds in spent.items() if node_id in work
    }
    if not nodes:
        return
    classes: dict[str, tuple[float, float]] = {}
    for node_id, (seconds, units) in nodes.items():
        name = prompt[node_id].class_type
        before = classes.get(name, (0.0, 0.0))
        classes[name] = (before[0] + seconds, before[1] + units)
    ledger.learn(target, shape_of(prompt), nodes)
    ledger.learn(target, "", classes)


def learned_weights(
    ledger: Ledger,
    target: str,
    prompt: Mapping[str, Node],
    estimates: Mapping[str, float] | None = None,
) -> dict[str, float]:
    """
    Give the seconds that each node will take, as far as finished jobs teach it.

    Args:
        ledger: What was learned.
        target: The name of the target.
        prompt: The graph.
        estimates: What nodes cost by other reckoning, in any unit, where nothing was learned;
            default is `analysis.estimate`.

    Returns:
        Node id → seconds; or the estimates as they are, where nothing at all was learned.

    Raises:
        LedgerError: The ledger cannot be read.
    """
    work = estimate(prompt)
    by_node = ledger.paces(target, shape_of(Prompt(prompt)))
    by_class = ledger.paces(target)
    known: dict[str, float] = {}
    for node_id, node in prompt.items():
        pace = by_node.get(node_id, by_class.get(node.class_type))
        if pace is not None:
            known[node_id] = pace * work[node_id]
    if not known:
        return {**work, **(estimates or {})}
    # what services never mention takes little: it goes at the quickest of the paces
    unit = min(known[node_id] / work[node_id] for node_id in known)
    return {node_id: known.get(node_id, unit * work[node_id]) for node_id in prompt}
