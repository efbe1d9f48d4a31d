"""
What a conversation asks of a driver, and what the driver brings back.

A conversation (`comfygraph.jobs.conversation`) is a generator: it yields an `Effect`, is sent an
`Outcome`, and does nothing else to the world. The sync and the async driver carry the effects out.

`Send` and `Save` start something and wait for the first thing that happens, which may be news of
the stream and not yet the answer; a `Pause` then waits on. So frames are told while a long poll
is on its way, and a cancel does not wait for it.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias, TypeVar

from comfygraph.jobs.files import Sink
from comfygraph.targets.base import JobRef, StreamRequest
from comfygraph.targets.events import Event
from comfygraph.targets.http import HttpRequest, HttpResponse

T = TypeVar("T")


class Stage(Enum):
    """
    What is known about a submit; a ledger writes it down before the conversation goes on.
    """

    INTENDED = "intended"
    """About to be sent; from here on the job may exist."""
    ACCEPTED = "accepted"
    """The service has the job, and `ref.job_id` is its id."""
    UNCERTAIN = "uncertain"
    """Sent, and nobody knows whether it arrived."""
    REFUSED = "refused"
    """Surely no job."""
    ENDED = "ended"
    """The job is over and its files are saved, as far as they could be."""


@dataclass(frozen=True, slots=True)
class Send:
    """
    Start a request; wait for its answer, or for news. At most one is on its way.

    `connect` and `timeout` are seconds: for the connection, and between two bytes of the answer;
    after `limit` seconds the driver looks up whatever has come.
    """

    request: HttpRequest
    connect: float
    timeout: float
    limit: float


@dataclass(frozen=True, slots=True)
class Save:
    """
    Start a request whose body goes into `sink`; wait for the end of it, or for news.
    """

    request: HttpRequest
    sink: Sink
    connect: float
    timeout: float
    limit: float


@dataclass(frozen=True, slots=True)
class Drop:
    """
    Forget the request that is on its way; its answer is thrown away.
    """


@dataclass(frozen=True, slots=True)
class Pause:
    """
    Wait for the answer on its way or for news, at most `seconds`; without end for `None`.
    """

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Listen:
    """
    Start to open a stream, in place of the one that was there. `StreamOpened` or `StreamLost` follows.
    """  # noqa: E501

    stream: StreamRequest
    timeout: float


@dataclass(frozen=True, slots=True)
class Hush:
    """
    Close the stream; no news of it comes any more.
    """


@dataclass(frozen=True, slots=True)
class Tell:
    """
    Give events to whoever follows the job.
    """

    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """
    Note how far the submit is, and under which reference the job can be found again.
    """

    stage: Stage
    ref: JobRef


Effect: TypeAlias = Send | Save | Drop | Pause | Listen | Hush | Tell | Mark


@dataclass(frozen=True, slots=True)
class Unreached:
    """
    No answer. `sent` is false only where surely not a byte of the request arrived.
    """

    reason: str
    sent: bool


@dataclass(frozen=True, slots=True)
class Saved:
    """
    The body of a `Save` is complete and in its place; `damage` says what is wrong with it.
    """

    path: str
    size: int
    damage: str = ""


@dataclass(frozen=True, slots=True)
class NotSaved:
    """
    The body of a `Save` came and could not be kept: too large, the disk refused, or it is not what
    the service sent (`damaged`).
    """

    reason: str
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class StreamOpened:
    """
    The stream is open.
    """


@dataclass(frozen=True, slots=True)
class StreamLost:
    """
    The stream could not be opened, or ended.

    Args:
        reason: Why.
        missing: There is nothing at its address (yet).
        over: It came to its proper end: a byte stream that was whole.
    """

    reason: str
    missing: bool = False
    over: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """
    A message of a websocket, or the next piece of a byte stream.
    """

    data: str | bytes


@dataclass(frozen=True, slots=True)
class CancelAsked:
    """
    Somebody wants the job cancelled.
    """


@dataclass(frozen=True, slots=True)
class Nudged:
    """
    Somebody has heard, perhaps by a webhook, that the job has news.
    """


News: TypeAlias = StreamOpened | StreamLost | Frame | CancelAsked | Nudged
Answer: TypeAlias = HttpResponse | Unreached | Saved | NotSaved
Outcome: TypeAlias = Answer | News | None
Talk: TypeAlias = Generator[Effect, Outcome, T]
"""A part of a conversation that returns a `T`."""
