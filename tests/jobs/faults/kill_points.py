"""
Points at which a process can be killed: around every write of the ledger, and at every stage of
every request. They lie in the seams that everybody has: the engine of a ledger, the HTTP clients.
"""

from __future__ import annotations

import os
import re
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

from comfygraph.jobs.async_clients import Clients
from comfygraph.jobs.ledger import State
from comfygraph.jobs.ledger.engine import Engine, Transaction
from comfygraph.targets.http import HttpRequest

_STATES = frozenset(state.value for state in State)
_ID = re.compile(r"(?<=/)((?=[^/]*[0-9])[^/]{6,}|[^/]{20,})")
"""A part of a path that tells one job or file from another."""

_STAGES = {
    "connection.connect_tcp.complete": "connected",
    "http11.send_request_headers.complete": "headers out",
    "http11.send_request_body.complete": "all bytes out",
    "http11.receive_response_headers.complete": "head of the answer in",
    "http11.receive_response_body.complete": "all of the answer in",
}
"""The stages of a request, as httpcore traces them."""


class Reaper:
    """
    Counts the points that a process passes, and kills it at one of them.

    Args:
        deadly: Says of a point, by its number (from 1) and name, whether it is the last one.
        last_words: Takes the name of that point, and the names of all.
    """

    def __init__(
        self, deadly: Callable[[int, str], bool], last_words: Callable[[str, set[str]], None]
    ) -> None:
        self.seen: Counter[str] = Counter()
        self._deadly = deadly
        self._last_words = last_words

    def at(self, point: str) -> None:
        """
        Pass a point, or die.
        """
        self.seen[point] += 1
        if self._deadly(self.seen.total(), point):
            self._last_words(point, set(self.seen))
            os.kill(os.getpid(), signal.SIGKILL)


class MortalEngine:
    """
    A ledger's engine with points before, within and after each transaction.
    """

    def __init__(self, engine: Engine, reaper: Reaper) -> None:
        self._engine = engine
        self._reaper = reaper

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    @contextmanager
    def write(self, *, durable: bool) -> Iterator[Transaction]:
        """Write, or die."""
        with self._engine.write(durable=durable) as inner:
            mortal = _MortalTransaction(inner, self._reaper)
            yield mortal
            self._reaper.at(f"{mortal.name}: before the commit")
        self._reaper.at(f"{mortal.name}: written")


class _MortalTransaction:
    def __init__(self, inner: Transaction, reaper: Reaper) -> None:
        self._inner = inner
        self._reaper = reaper
        self.name = ""

    def run(self, sql: str, values: Sequence[Any] = ()) -> int:
        state = next((value for value in values if value in _STATES), "")
        self._pass(sql, str(state))
        return self._inner.run(sql, values)

    def run_many(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        several = list(rows)
        if several:
            self._pass(sql)
        self._inner.run_many(sql, several)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def _pass(self, sql: str, state: str = "") -> None:
        words = sql.split()
        table = words[1] if words[0] == "UPDATE" else words[2]
        if self.name and not state:
            return  # undone with all of it, wherever it breaks off
        first = not self.name
        self.name = " ".join(filter(None, (words[0].lower(), table, state)))
        if first:
            self._reaper.at(f"{self.name}: begun")


class MortalClients(Clients):
    """
    HTTP clients with points at each stage of a request.
    """

    def __init__(self, reaper: Reaper) -> None:
        super().__init__()
        self._reaper = reaper

    def for_request(self, request: HttpRequest) -> httpx.AsyncClient:
        """
        Give the client for a request.
        """
        client = super().for_request(request)
        client.event_hooks = {"request": [self._watch]}
        return client

    async def _watch(self, request: httpx.Request) -> None:
        name = f"{request.method} {_ID.sub('*', request.url.path)}"

        self._reaper.at(f"{name}: about to be sent")

        async def trace(stage: str, info: dict[str, Any]) -> None:
            if stage in _STAGES:
                self._reaper.at(f"{name}: {_STAGES[stage]}")

        request.extensions["trace"] = trace
