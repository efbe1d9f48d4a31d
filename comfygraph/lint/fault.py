"""
What the server would find wrong with one node: the values `Fault` and `Checked`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.specs import InputSpec
from comfygraph.core.records import NamedTuple

RECURSION_LIMIT = 990
"""
Chains of more nodes than this end in a `RecursionError` of the server, whose limit is
Python's default of 1,000 frames; a few belong to its own callers.
"""


class Fault(NamedTuple):
    """
    One thing that the server would refuse.

    `kind` is ours; `server_error` the server's type, `crash` where an exception escapes.
    `extra` is the server's `extra_info`; for a crash, the exception's type is in `exception`.
    """

    kind: str
    node_id: str
    input: str | None
    server_error: str
    message: str
    details: str
    extra: Mapping[str, Any] = {}
    exception: str | None = None
    spec: InputSpec | None = None


class Checked(NamedTuple):
    """
    The outcome for one node.

    `follows` are the links that are right in themselves, `(input, node id)`; the server
    follows the first `reached` of them, as an exception ends its loop over the inputs.
    """

    faults: list[Fault]
    follows: list[tuple[str, str]]
    reached: int
    rewrites: dict[str, Any]
    specs: Mapping[str, InputSpec]


def crash(kind: str, node_id: str, spec: InputSpec, exception: str, text: str) -> Fault:
    """Tell an exception that escapes; `text` is what `str()` gives of it."""
    return Fault(kind, node_id, spec.name, "crash", "", text, {}, exception, spec)


def execution_fault(kind: str, node_id: str, spec: InputSpec, value: Any) -> Fault:
    """What the server takes, and the node then fails of."""
    extra = {"received_value": value}
    return Fault(kind, node_id, spec.name, "execution", "", "", extra, spec=spec)
