"""
Writing one job down while it is carried out.

What must not be lost is on the disk before the next step: that it is about to be sent, that the
service has it, how it ended. The rest is written every few seconds. A ledger that fails before
the send ends the conversation; one that fails later, such as on a full disk, is told of and
tried again with the next write: a job that is paid for goes on.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from comfygraph.errors import ComfyGraphError, NotFound, RateLimited, ServiceUnavailable
from comfygraph.jobs.effects import Stage
from comfygraph.jobs.ledger.base import (
    Changes,
    ClaimLost,
    JobRecord,
    LedgerError,
    ResultRecord,
    State,
)
from comfygraph.jobs.ledger.claims import Claim
from comfygraph.jobs.ledger.pace import Stopwatch, learn, learned_weights
from comfygraph.jobs.ledger.story import Story, lasting_url
from comfygraph.jobs.progress import Progress
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.events import (
    Event,
    JobCancelled,
    JobEnd,
    JobFailed,
    JobStarted,
    JobSucceeded,
    Notice,
    OutputFile,
    OutputReady,
)
from comfygraph.targets.tracker import file_keys

_PAUSE = 2.0
"""Seconds between two writes about things that may be lost."""


class LedgerRecorder:
    """
    Writes about one job, under its claim; the claim is released at the end.

    Args:
        claim: The job.
        submission: Its graph; default is read from the ledger.
        record: What is known of it; default is read from the ledger.
        clock: Seconds, never going back.
        estimates: What each node costs by other reckoning, where nothing was learned.
        then: Called when nothing more is to be written.
    """

    def __init__(
        self,
        claim: Claim,
        submission: Submission | None = None,
        *,
        record: JobRecord | None = None,
        clock: Callable[[], float] = time.monotonic,
        estimates: Mapping[str, float] | None = None,
        then: Callable[[], None] | None = None,
    ) -> None:
        record = record or claim.record()
        self._then = then
        self._embedded = record.embedded
        self._claim = claim
        self._clock = clock
        self._target = record.target
        self._attempts = record.attempts
        self._state = record.state
        self._prompt = (submission or claim.ledger.submission(claim.job)).prompt
        # of a job that was never about to be sent nothing can have been told
        told = claim.ledger.events(claim.job) if record.attempts else []
        self._story = Story(body for _, body in told)
        self._watch = Stopwatch(clock)
        self.weights = learned_weights(claim.ledger, record.target, self._prompt, estimates)
        """What each node will take, by what the ledger has learned."""
        self._progress = Progress(self._prompt, clock=clock, weights=self.weights)
        self._fraction = record.fraction
        self._events: list[tuple[int, float, dict[str, Any]]] = []
        self._results: list[ResultRecord] = []
        self._changes: Changes = {}
        self._written_at = clock()
        self._trouble: LedgerError | None = None
        self._complained = False

    @property
    def behind(self) -> bool:
        """
        Whether the ledger is in trouble, and lacks something that must not be lost.
        """
        return self._trouble is not None

    def mark(self, stage: Stage, ref: JobRef) -> None:
        """
        Note how far the submit is, on the disk.

        Raises:
            LedgerError: It is about to be sent, and that cannot be written: it must not be.
            ClaimLost: Somebody else has the job.
        """
        found = Changes(job_id=ref.job_id, extra=dict(ref.extra))
        if not self._embedded:
            found["base_url"] = ref.base_url
        match stage:
            case Stage.INTENDED:
                found["state"] = State.INTENDED
                found["attempts"] = self._attempts + 1
                self._claim.write(durable=True, **found)
                self._attempts, self._state = found["attempts"], State.INTENDED
            case Stage.ACCEPTED:
                self._changes.update(found)
                self._settle(State.ACCEPTED)
                self._write(durable=True)
            case Stage.UNCERTAIN:
                self._settle(State.UNCERTAIN)
                self._write(durable=True)
            case Stage.REFUSED:
                self._settle(State.REFUSED)
                self._write(durable=True)
            case Stage.ENDED:
                pass  # the end is told next, and written with what it was

    def tell(self, events: Sequence[Event]) -> Sequence[Event]:
        """
        Note what happened; a ledger in trouble adds a notice.

        Raises:
            ClaimLost: Somebody else has the job.
        """
        over = urgent = False
        for event in events:
            self._watch.feed(event)
            self._progress.feed(event)
            kept = self._story.admit(event)
            if kept is not None:
                self._events.append((kept[0], self._claim.ledger.clock(), kept[1]))
            if isinstance(event, JobStarted) and not self._state.ended:
                self._state = State.RUNNING
                self._changes["state"] = self._state
                urgent = True
            elif isinstance(event, OutputReady) and event.file.path is not None:
                self._results.append(result_of(event.file))
                urgent = True
            elif isinstance(event, JobEnd):
                self._end(event)
                over = True
        self._fraction = max(self._fraction, self._progress.fraction)
        if over:
            self._write(durable=True, release=True)
            self._learn(events)
        elif urgent or self._clock() - self._written_at >= _PAUSE:
            self._write()
        return self._with_trouble(events)

    def fail(self, exc: ComfyGraphError) -> None:
        """
        Note what ended the conversation early.
        """
        over = self._state.ended and self._state is not State.REFUSED
        if over or isinstance(exc, ClaimLost):
            return
        state = self._state
        if state is State.PLANNED:
            state = State.REFUSED
        elif state in (State.ACCEPTED, State.RUNNING) and isinstance(exc, NotFound):
            state = State.ABANDONED
        transient = isinstance(exc, ServiceUnavailable | RateLimited)
        self._settle(state, type(exc).__name__, exc.message, transient)
        with suppress(ClaimLost):
            self._write(durable=True)

    def close(self) -> None:
        """
        Write what is left and let others have the job.
        """
        if self._events or self._changes or self._results:
            with suppress(ClaimLost):
                self._write()
        self._claim.release()
        if self._then is not None:
            self._then()
            self._then = None

    @property
    def job(self) -> str:
        """
        The id of the job in the ledger.
        """
        return self._claim.job

    def _end(self, end: JobEnd) -> None:
        self._results += [result_of(file) for file in end.files if file.path is None]
        if self._state.ended:
            return
        match end:
            case JobSucceeded(cost=cost):
                self._settle(State.SUCCEEDED)
                if cost is not None:
                    self._changes["cost"] = cost
            case JobFailed(message=message, transient=transient):
                self._settle(State.FAILED, "JobFailed", message, transient)
            case JobCancelled():
                self._settle(State.CANCELLED)

    def _settle(
        self, state: State, error: str = "", message: str = "", transient: bool = False
    ) -> None:
        self._state = state
        self._changes["state"] = state
        self._changes["error"] = error
        self._changes["message"] = message
        self._changes["transient"] = transient

    def _write(self, *, durable: bool = False, release: bool = False) -> None:
        self._changes["fraction"] = self._fraction
        self._written_at = self._clock()
        try:
            self._claim.write(
                durable=durable,
                events=self._events,
                results=self._results,
                release=release,
                **self._changes,
            )
        except ClaimLost:
            raise
        except LedgerError as exc:
            self._trouble = exc
            return
        self._trouble = None
        self._events, self._results, self._changes = [], [], {}

    def _learn(self, events: Sequence[Event]) -> None:
        if any(isinstance(event, JobSucceeded) for event in events):
            try:
                learn(self._claim.ledger, self._target, self._prompt, self._watch.spent)
            except LedgerError:
                return  # the next job teaches the same

    def _with_trouble(self, events: Sequence[Event]) -> Sequence[Event]:
        if self._trouble is None or self._complained:
            return events
        self._complained = True
        record = f"job {self._claim.job[:8]} goes on and is not written down any further"
        return [Notice(f"{self._trouble.message}: {record}"), *events]


def result_of(file: OutputFile) -> ResultRecord:
    """
    Describe a file of a job, with size and digest where it was saved.
    """
    size, digest = 0, ""
    if file.path is not None:
        try:
            with Path(file.path).open("rb") as body:
                digest = hashlib.file_digest(body, "sha256").hexdigest()
                size = body.tell()
        except OSError:
            pass  # somebody has taken it away already
    return ResultRecord(
        key=file_keys(file)[0],
        name=file.name,
        node_id=file.node_id,
        kind=file.kind,
        url=lasting_url(file.url),
        path=file.path or "",
        size=size,
        sha256=digest,
        preview=file.preview,
    )
