"""
When to poll, and the state of the live stream of a job.
"""

from __future__ import annotations

import math
from enum import Enum

from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import Hush, Listen, Talk
from comfygraph.targets.base import FrameReader, JobRef, Policy, Target
from comfygraph.targets.observations import Observation

_QUICK = (0.1, 0.2, 0.4, 0.8)
_MOST_LOSSES = 5
_MISSING_CAP = 5.0
"""The longest pause before a stream is asked for again that is not there yet, in seconds."""
_STEADY = 10.0
"""A stream that lived for so many seconds was fine; its loss counts as the first."""


class Rhythm:
    """
    The pauses between polls: longer while nothing happens, short when something is about to.
    """

    def __init__(self, policy: Policy) -> None:
        self._intervals = policy.poll_intervals or (1.0,)
        self._stream_interval = policy.stream_poll_interval
        self._idle = 0
        self._quick = len(_QUICK)

    def after_submit(self) -> float:
        """
        Give the seconds until the first poll.
        """
        return self._intervals[0]

    def hurry(self) -> float:
        """
        Poll at once, and soon again if that shows no end: the service may be about to write it.
        """
        self._quick = 0
        return 0.0

    def after_poll(self, news: bool, lively: bool, asked: float | None) -> float:
        """
        Give the seconds until the next poll.

        Args:
            news: Whether this poll told something new.
            lively: Whether a live stream tells what happens.
            asked: What the target says, where it does.
        """
        self._idle = max(self._idle - 1, 0) if news else self._idle + 1
        usual = self._intervals[min(self._idle, len(self._intervals) - 1)]
        if lively:
            usual = max(usual, self._stream_interval)
        if asked is not None:
            usual = max(asked, 0.0)
        if self._quick < len(_QUICK):
            self._quick += 1
            return min(_QUICK[self._quick - 1], usual)
        return usual


class _State(Enum):
    CLOSED = 0
    OPENING = 1
    OPEN = 2


class Stream:
    """
    The live stream of a job: opened again when it breaks, given up when it keeps breaking.

    Args:
        target: The service.
        policy: How to treat it.
        courier: Gives the time, and waits.
        live: Whether it is to be opened at all.
    """

    def __init__(self, target: Target, policy: Policy, courier: Courier, live: bool = True) -> None:
        self._target = target
        self._policy = policy
        self._courier = courier
        self._live = live
        self._state = _State.CLOSED
        self._reader: FrameReader | None = None
        self._losses = 0
        self._misses = 0
        self._opened_at = 0.0
        self._heard_at = -math.inf
        self.next_try = 0.0
        """When `open` may do something; infinity where it will not."""

    def open(self, ref: JobRef, *, wait: bool = False) -> Talk[None]:
        """
        Start to open the stream, if there is one, it is not open, and it is time.

        Args:
            ref: The job.
            wait: Whether to wait until it is open or has failed.
        """
        if self._courier.now() < self.next_try:
            return
        self.next_try = math.inf
        live = self._target.stream(ref) if self._live else None
        if live is None:
            return
        self._reader = live.reader
        self._state = _State.OPENING
        yield Listen(live.request, self._policy.connect_timeout)
        if wait:
            until = self._courier.now() + self._policy.connect_timeout
            while self._state is _State.OPENING and (left := until - self._courier.now()) > 0:
                yield from self._courier.wait_for_news(left)

    def turn_to(self, ref: JobRef) -> None:
        """
        Read on as the stream of this job: the submit has given it another id than was expected.
        """
        live = self._target.stream(ref) if self._reader is not None else None
        if live is not None:
            self._reader = live.reader

    def ask_again(self) -> None:
        """
        Let the target be asked for a stream again, where it had none yet.
        """
        if self._state is _State.CLOSED and self._losses == 0 and self._misses == 0:
            self.next_try = 0.0

    def opened(self) -> None:
        """
        Take in that the stream is open.
        """
        self._state = _State.OPEN
        self._opened_at = self._heard_at = self._courier.now()

    def lost(self, *, missing: bool = False, over: bool = False) -> bool:
        """
        Take in that the stream is closed or could not be opened; say whether it was open.

        Args:
            missing: It is not there yet: that is no loss, and it is asked for again.
            over: It came to its end, and will say nothing more.
        """
        was_open = self._state is _State.OPEN
        self._state = _State.CLOSED
        now = self._courier.now()
        if over:
            self._losses = _MOST_LOSSES
            self.next_try = math.inf
            return was_open
        if missing:
            self._misses += 1
            self.next_try = now + min(self._courier.backoff(self._misses), _MISSING_CAP)
            return was_open
        if was_open and now - self._opened_at >= _STEADY:
            self._losses = 0
        self._losses += 1
        gives_up = self._losses >= _MOST_LOSSES
        self.next_try = math.inf if gives_up else now + self._courier.backoff(self._losses)
        return was_open

    def read(self, data: str | bytes) -> tuple[Observation, ...]:
        """
        Read a frame.
        """
        self._heard_at = self._courier.now()
        return () if self._reader is None else self._reader.feed(data)

    def lively(self, now: float) -> bool:
        """
        Whether the stream is open and was heard of lately, so that polls may be rare.
        """
        silence = now - self._heard_at
        return self._state is _State.OPEN and silence < 2 * self._policy.stream_poll_interval

    def close(self) -> Talk[None]:
        """
        Close the stream, if there is one; `open` may open another.
        """
        if self._state is not _State.CLOSED:
            self._state = _State.CLOSED
            yield Hush()
        self.next_try = 0.0
