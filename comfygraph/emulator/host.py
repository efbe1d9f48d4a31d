"""
What the services of one emulator share: the catalog, the checker, the knobs, the accounts.
"""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import JsonValue
from comfygraph.emulator.faults import FaultCounts, Faults
from comfygraph.emulator.shelf import Shelf

DEV_TOKEN = "emulator-token"
"""The credential that every service of the emulator takes, unless told otherwise."""


class Verdict(Protocol):
    """
    What a checker says of a prompt; `comfygraph.lint.PredictedResponse` is one.
    """

    @property
    def status(self) -> int:
        """200 accepted, 400 refused, 500 the server stumbles."""
        ...

    @property
    def outputs(self) -> Iterable[str]:
        """The ids of the output nodes that run."""
        ...

    @property
    def rewritten(self) -> Mapping[str, Mapping[str, list[Any]]]:
        """Node id → input → `[before, after]`."""
        ...

    def to_json(self) -> JsonValue:
        """Give the body of the answer as ComfyUI's `POST /prompt` has it."""
        ...


class Check(Protocol):
    """
    Foretells what ComfyUI's `POST /prompt` says of a prompt.
    """

    def __call__(self, prompt: JsonValue, targets: Iterable[str] | None) -> Verdict:
        """
        Check one prompt.

        Args:
            prompt: Any JSON value.
            targets: The output nodes to run; `None` for all.
        """
        ...


def default_check(catalog: NodeCatalog) -> Check:
    """
    Give the checker of `comfygraph.lint`; any string passes for the name of a model file.
    """

    def check(prompt: JsonValue, targets: Iterable[str] | None) -> Verdict:
        from comfygraph.lint.predict import predict

        return predict(prompt, catalog, files="assume", targets=targets)

    return check


def rewritten(prompt: JsonValue, verdict: Verdict) -> dict[str, dict[str, JsonValue]]:
    """
    Give a prompt with the values as the server has converted them (`denoise: 1` is `1.0`).
    """
    nodes = {
        node_id: {**node, "inputs": dict(node.get("inputs") or {})}
        for node_id, node in prompt.items()
    }
    for node_id, changes in verdict.rewritten.items():
        for name, (_, after) in changes.items():
            if node_id in nodes:
                nodes[node_id]["inputs"][name] = after
    return nodes


@dataclass(frozen=True, slots=True)
class Stats:
    """
    What an emulator has been asked so far.

    Args:
        requests: `"POST /prompt"` → number of requests, by the path as the service declares it.
        submits: Service → number of jobs that it took.
        jobs: State → number of jobs that ended so: `succeeded`, `failed`, `interrupted`.
    """

    requests: Mapping[str, int]
    submits: Mapping[str, int]
    jobs: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Received:
    """
    A request as it arrived.

    Args:
        method: Upper case.
        path: Without the query.
        query: What stands behind the `?`.
        headers: Names in lower case; credentials are among them.
        body: As far as the service has read it.
    """

    method: str
    path: str
    query: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


_MOST_KEPT = 2000
_MOST_BYTES = 32 * 1024 * 1024


class Account:
    """
    Counts requests and jobs, and keeps the newest requests. Safe to read from another thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: deque[Received] = deque()
        self._kept_bytes = 0
        self._requests: Counter[str] = Counter()
        self._submits: Counter[str] = Counter()
        self._jobs: Counter[str] = Counter()

    def request(self, route: str) -> None:
        """Count a request."""
        with self._lock:
            self._requests[route] += 1

    def keep(self, request: Received) -> None:
        """Keep a request, and forget the oldest ones."""
        with self._lock:
            self._kept.append(request)
            self._kept_bytes += len(request.body)
            while len(self._kept) > _MOST_KEPT or self._kept_bytes > _MOST_BYTES:
                self._kept_bytes -= len(self._kept.popleft().body)

    def kept(self) -> list[Received]:
        """Give the requests that are kept, the oldest first."""
        with self._lock:
            return list(self._kept)

    def submit(self, service: str) -> None:
        """Count a job that a service took."""
        with self._lock:
            self._submits[service] += 1

    def end(self, state: str) -> None:
        """Count a job that ended."""
        with self._lock:
            self._jobs[state] += 1

    def read(self) -> Stats:
        """
        Give the counts as they stand.
        """
        with self._lock:
            return Stats(dict(self._requests), dict(self._submits), dict(self._jobs))


@dataclass(slots=True, eq=False)
class Host:
    """
    Args:
        catalog: The classes that the services have installed.
        check: Checks prompts.
        faults: The knobs for requests that bring none of their own.
        token: The credential of TAMS, Civitai, Novita and Comfy API.
        any_token: Take any credential.
        comfyui_token: A bearer token that ComfyUI asks for, as behind a proxy; `None` for none.
        public_key: The PEM of the RSA key that TAMS signatures are checked with, or `None`.
        app_id: The app that it belongs to; `None` takes any.
        clock: Seconds since 1970.
        base_url: `http://127.0.0.1:PORT`, once the server is bound.
        shelf: The models that Civitai and Novita know.
    """

    catalog: NodeCatalog
    check: Check
    faults: Faults = field(default_factory=Faults)
    token: str = field(default=DEV_TOKEN, repr=False)
    any_token: bool = False
    comfyui_token: str | None = field(default=None, repr=False)
    public_key: bytes | None = field(default=None, repr=False)
    app_id: str | None = None
    clock: Callable[[], float] = time.time
    base_url: str = ""
    counts: FaultCounts = field(default_factory=FaultCounts)
    account: Account = field(default_factory=Account)
    shelf: Shelf = field(default_factory=Shelf)
