"""
The story of a job as the ledger keeps it: it only moves forward and ends once, however often and
by however many processes the job is followed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobFailed,
    JobProgress,
    JobQueued,
    JobStarted,
    JobSucceeded,
    NodePreview,
    NodeProgress,
    event_to_json,
)

_PASSING = (NodeProgress, NodePreview, JobProgress)
"""What is worth seeing and not worth keeping."""
_ENDS = frozenset(kind.__name__ for kind in (JobSucceeded, JobFailed, JobCancelled))
_NODE_ENDS = frozenset({"NodeFinished", "NodeCached", "NodeFailed"})


class Story:
    """
    Lets through what is new.

    Args:
        bodies: The events that are kept already, as `compact` gives them.
    """

    def __init__(self, bodies: Iterable[Mapping[str, Any]] = ()) -> None:
        self.length = 0
        self.ended = False
        self._queued = False
        self._started = False
        self._begun: set[str] = set()
        self._done: set[str] = set()
        self._said: set[str] = set()
        for body in bodies:
            if self._is_new(body):
                self.length += 1

    def admit(self, event: Event) -> tuple[int, dict[str, Any]] | None:
        """
        Give the number and the form in which an event is kept; `None` where it is not.
        """
        if isinstance(event, _PASSING):
            return None
        body = compact(event)
        if not self._is_new(body):
            return None
        self.length += 1
        return self.length - 1, body

    def _is_new(self, body: Mapping[str, Any]) -> bool:
        kind = body.get("type", "")
        node = str(body.get("node_id"))
        if self.ended:
            return False
        match kind:
            case JobQueued.__name__:
                new = not (self._queued or self._started)
                self._queued = True
            case JobStarted.__name__:
                new = not self._started
                self._started = True
            case "NodeStarted":
                new = node not in self._begun and node not in self._done
                self._begun.add(node)
                self._started = True
            case _ if kind in _NODE_ENDS:
                new = node not in self._done
                self._done.add(node)
                self._started = True
            case _ if kind in _ENDS:
                new = self.ended = True
            case _:
                said = f"{kind} {body.get('message')} {node} {_name_of(body)}"
                new = said not in self._said
                self._said.add(said)
        return new


def compact(event: Event) -> dict[str, Any]:
    """
    Give the JSON form of an event without what is empty, and without the queries of signed
    addresses: for a time they let anybody in who reads them.
    """
    body = {key: value for key, value in event_to_json(event).items() if value not in (None, [])}
    body.pop("files", None)  # each was told on its own
    body.pop("outputs", None)
    if "file" in body:
        body["file"] = _plain_file(body["file"])
    return body


def lasting_url(url: str) -> str:
    """
    Give an address without what signs it; one that is relative to the service is not signed.
    """
    return url.partition("?")[0] if "://" in url else url


def _plain_file(file: Mapping[str, Any]) -> dict[str, Any]:
    out = {key: value for key, value in file.items() if value not in (None, False)}
    return {**out, "url": lasting_url(str(file.get("url", "")))}


def _name_of(body: Mapping[str, Any]) -> str:
    file = body.get("file")
    return f"{file.get('id')} {file.get('url')}" if isinstance(file, Mapping) else ""
