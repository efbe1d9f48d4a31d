"""
What a target is: a service that builds requests and reads answers, and opens nothing.

A conversation with a service is an `Exchange`: a generator that yields an `HttpRequest`, is sent
the `HttpResponse` and returns what came out of it. Most take one request; some take more (look
into the history, then into the queue). A driver runs it like this:

    request = next(exchange)
    while True:
        try:
            request = exchange.send(deliver(request))     # deliver: send, retry, follow redirects
        except StopIteration as stop:
            return stop.value

Errors of the service are raised out of `exchange.send`, as `comfygraph.errors.TargetError`.
Streams inform and polls decide: only the answer to `poll` (or `cancel`) ends a job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeAlias, TypeVar
from urllib.parse import urlsplit, urlunsplit

from comfygraph.core.values import JsonValue, Prompt
from comfygraph.errors import InputError, UsageError
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, origin, same_origin
from comfygraph.targets.local_file import LocalFile
from comfygraph.targets.observations import Observation
from comfygraph.targets.policy import Policy, Retry

__all__ = [
    "CancelAnswer",
    "CheckAnswer",
    "Exchange",
    "FrameReader",
    "JobRef",
    "LiveStream",
    "LocalFile",
    "NodeComplaint",
    "Policy",
    "PollAnswer",
    "Retry",
    "StreamRequest",
    "Submission",
    "Submitted",
    "Target",
    "graph_digest",
    "plain_base_url",
]

T = TypeVar("T")
Exchange: TypeAlias = Generator[HttpRequest, HttpResponse, T]
"""A conversation: yields requests, is sent answers, returns a `T`."""

_NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Submission:
    """
    A graph on its way to a service.

    Args:
        prompt: The graph.
        key: The idempotency key; a lower-case hyphenated UUID fits every service.
        options: What else the target takes, by name; a target refuses names that it does not know.
        partial_targets: Ids of the output nodes to run, where the service can run a part;
            empty for all.
    """

    prompt: Prompt
    key: str
    options: Mapping[str, JsonValue] = field(default_factory=lambda: _NOTHING)
    partial_targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobRef:
    """
    A handle of a job that can be written down and taken up by another process; holds no secret.

    Args:
        target: The name of the target, such as `"tams"`.
        base_url: Where the service is, without credentials.
        job_id: The service's id; empty where it is not known (sent, no answer yet).
        key: The idempotency key that the job was submitted with.
        digest: `graph_digest` of the graph.
        extra: What else the target needs to find the job again; texts.
    """

    target: str
    base_url: str
    job_id: str
    key: str
    digest: str = ""
    extra: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    def with_job_id(self, job_id: str) -> JobRef:
        """
        Give the same reference with the id that the service gave.
        """
        return replace(self, job_id=job_id)

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give the reference as a JSON object of texts.
        """
        return {
            "target": self.target,
            "base_url": self.base_url,
            "job_id": self.job_id,
            "key": self.key,
            "digest": self.digest,
            "extra": dict(self.extra),
        }

    @classmethod
    def from_json(cls, document: JsonValue) -> JobRef:
        """
        Read what `to_json` gave.

        Raises:
            InputError: It is not shaped like one.
        """
        if not isinstance(document, dict):
            raise InputError("a job reference is a JSON object")
        names = ("target", "base_url", "job_id", "key", "digest")
        texts = {name: document.get(name, "") for name in names}
        extra = document.get("extra", {})
        for name, value in (*texts.items(), ("extra", extra)):
            good = isinstance(value, dict) if name == "extra" else isinstance(value, str)
            if not good:
                raise InputError(f"`{name}` of the job reference has the wrong type")
        if not texts["target"] or not texts["base_url"]:
            raise InputError("the job reference names no target or no base URL")
        if not all(isinstance(item, str) for pair in extra.items() for item in pair):
            raise InputError("`extra` of the job reference holds something that is no text")
        return cls(**{**texts, "base_url": plain_base_url(texts["base_url"])}, extra=extra)


@dataclass(frozen=True, slots=True)
class Submitted:
    """
    What came of a submit: the job, and what the answer already claims about it.
    """

    ref: JobRef
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class PollAnswer:
    """
    What a poll claims; `next_poll` is a pause in seconds that overrides the policy's, or `None`.
    """

    observations: tuple[Observation, ...]
    next_poll: float | None = None


@dataclass(frozen=True, slots=True)
class CancelAnswer:
    """
    What came of a cancel. `accepted` is false where it was too late or there was no such job;
    an end that is already sure is among the observations, else poll on.
    """

    accepted: bool
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """
    Where a live stream is.

    Args:
        kind: `"websocket"`, or `"bytes"` for a plain GET whose body grows.
        url: `ws:`/`wss:` for a websocket, else `http:`/`https:`.
        auth: Who we are, or `None`; belongs to the origin of `home`, as in `HttpRequest`.
        opening: Text messages to send as soon as the websocket is open.
    """

    kind: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    auth: Auth | None = field(default=None, repr=False)
    home: str = ""
    opening: tuple[str, ...] = ()

    def wire_headers(self) -> dict[str, str]:
        """
        Give all headers as they go onto the wire, secrets revealed.
        """
        out = dict(self.headers)
        if self.auth is not None and same_origin(self.url, self.home):
            for name, value in self.auth.headers("GET", self.url, b"").items():
                out[name] = value.reveal()
        return out


class FrameReader(Protocol):
    """
    Reads one live stream of one job; keeps what it needs between frames.
    """

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Read a text or binary frame, or the next piece of a byte stream. Never raises:
        what cannot be read claims nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class LiveStream:
    """
    A stream and its reader. A broken stream is taken up by asking the target for a new one.
    """

    request: StreamRequest
    reader: FrameReader


@dataclass(frozen=True, slots=True)
class NodeComplaint:
    """
    What a service has against one node; `code` is the service's own word, where it has one.
    """

    node_id: str
    message: str
    input: str | None = None
    class_type: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class CheckAnswer:
    """
    What a service says about a graph without running it.

    Args:
        valid: Whether it would take the graph.
        cost: The price in the service's own unit; `None` where it cannot tell beforehand.
        unit: The name of that unit, such as `"credits"`.
        affordable: Whether the account can pay; `None` where the service does not say.
        complaints: What is wrong, node by node.
        notes: What else a person should know.
        retry_in: Where the answer may be better in so many seconds: something is on its way.
    """

    valid: bool
    cost: float | None = None
    unit: str = ""
    affordable: bool | None = None
    complaints: tuple[NodeComplaint, ...] = ()
    notes: tuple[str, ...] = ()
    retry_in: float | None = None


class Target(Protocol):
    """
    A service. Every method builds or reads; none of them opens, sleeps or reads a clock.

    The optional abilities give `None` where the service has nothing of the kind.
    """

    @property
    def name(self) -> str:
        """
        The target's name, as in `comfygraph submit --target`.
        """
        ...

    @property
    def base_url(self) -> str:
        """
        Where the service is, without credentials and without a slash at the end.
        """
        ...

    @property
    def policy(self) -> Policy:
        """
        How a driver should treat the service.
        """
        ...

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; `job_id` is empty where the service chooses it.
        """
        ...

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph. The first request is the one that `--dry-run` shows.
        """
        ...

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Ask how the job is.
        """
        ...

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Ask the service to stop the job.
        """
        ...

    def find(self, ref: JobRef) -> Exchange[JobRef | None] | None:
        """
        Look for a job by its key, when a submit was sent and no answer came.
        """
        ...

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        Give the live stream of a job, where there is one (yet).
        """
        ...

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Ask for the bytes of a file. Credentials go along only to the service itself.
        """
        ...

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile] | None:
        """
        Ask for a fresh address of a file whose address has expired (401, 403 or 404 on download).
        """
        ...

    def check(self, submission: Submission) -> Exchange[CheckAnswer] | None:
        """
        Ask whether the graph would be taken, and what it would cost.
        """
        ...

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        """
        Bring a local file to the service; gives the value for the input of the graph that named
        it. `None` where the service takes no such files.
        """
        ...


def graph_digest(prompt: Prompt) -> str:
    """
    Give a digest of what a graph computes: 64 hex digits, the same for any order of nodes and keys.

    Titles and other metadata do not count.
    """
    plain = {
        node.id: [node.class_type, node.to_json().get("inputs", {})] for node in prompt.nodes()
    }
    try:
        text = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError, TypeError) as exc:
        raise UsageError("the graph cannot be written as JSON") from exc
    return hashlib.sha256(text.encode()).hexdigest()


def plain_base_url(url: str) -> str:
    """
    Give a base URL without credentials, query, fragment and final slash.

    Raises:
        UsageError: It is no `http:` or `https:` URL with a host.
    """
    scheme, host, _ = origin(url)
    if scheme not in ("http", "https") or not host:
        raise UsageError(
            "the base URL of the target is not an http: or https: address",
            hint="write it like http://127.0.0.1:8188",
        )
    parts = urlsplit(url)
    place = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme.lower(), place, parts.path.rstrip("/"), "", ""))
