"""
The whole conversation about one job, without any I/O: hand in, follow, cancel, fetch the files.

`Conversation.run` is a generator of effects; a driver carries them out. Streams inform and polls
decide. The end of the job is told last, when its files are in their folder.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from comfygraph.errors import (
    AuthenticationError,
    DeadlinePassed,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    ServiceUnavailable,
    SubmissionUncertain,
    TargetError,
)
from comfygraph.jobs.courier import CancelWanted, Courier
from comfygraph.jobs.effects import (
    Frame,
    Mark,
    News,
    Nudged,
    Stage,
    StreamLost,
    StreamOpened,
    Talk,
    Tell,
)
from comfygraph.jobs.files import Folder
from comfygraph.jobs.follower import Rhythm, Stream
from comfygraph.jobs.preparation import forget_uploads, prepare
from comfygraph.jobs.recovery import Doubt, look_up, submission_of
from comfygraph.jobs.results import Results
from comfygraph.jobs.settings import Settings
from comfygraph.jobs.uploads import Uploads
from comfygraph.targets.base import JobRef, Policy, Submission, Submitted, Target
from comfygraph.targets.events import Event, JobCancelled, JobEnd, Notice, OutputReady
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.observations import JobPhase, JobSeen, Observation, PollNow
from comfygraph.targets.tracker import Tracker

_TRANSIENT = (ServiceUnavailable, RateLimited, ProtocolError, NotFound)
_LOOK_UPS = (0.0, 2.0, 6.0)
"""The pauses before looking for a job that was lost sight of, in first pauses of the policy."""
_LOOK_UP_TIME = 20.0
_FORGIVEN = 3
"""How many answers in a row may be unreadable."""
_EARLY = 16 << 20
"""How much of a stream is kept that comes before the answer to the submit."""
_NEWBORN = 10.0
"""For so many seconds after its submit a job may be unknown to a part of the service."""


class Conversation:
    """
    Talk with a service about one job.

    Args:
        target: The service.
        job: The graph to hand in, one that may have been handed in before, or the reference of a
            job that is there already.
        settings: Clock, chance, limits, patience.
        policy: How to treat the service, where not as the target says.
        folder: Where the files go; `None` fetches none.
        deadline: Seconds until patience is over; `None` for the policy's.
        previews: Whether pictures of nodes at work are told.
        order: Node ids in the order in which they run, as far as known.
        uploads: The local files to bring to the service before the graph.
        live: Whether a live stream is listened to, where there is one.
        have: Files that were saved before: a key of `file_keys` → path.
    """

    def __init__(
        self,
        target: Target,
        job: Submission | Doubt | JobRef,
        *,
        settings: Settings,
        policy: Policy | None = None,
        folder: Folder | None = None,
        deadline: float | None = None,
        previews: bool = False,
        order: Sequence[str] = (),
        uploads: Uploads | None = None,
        live: bool = True,
        have: Mapping[str, str] | None = None,
    ) -> None:
        self._target = target
        self._policy = policy or target.policy
        self._settings = settings
        self._uploads = uploads or Uploads()
        self._doubt = job if isinstance(job, Doubt) else None
        self._submission = None if isinstance(job, JobRef) else submission_of(job)
        match job:
            case Submission():
                self.ref = target.reference(job)
            case Doubt(ref=ref):
                self.ref = ref
            case JobRef():
                self.ref = job
        self._patience = self._policy.deadline if deadline is None else deadline
        self._courier = Courier(
            self._policy,
            settings,
            key=self._policy.rate_key or target.base_url,
            deadline=settings.clock() + self._patience,
            on_news=self._on_news,
        )
        self._tracker = Tracker(self.ref.job_id, order=order, previews=previews)
        self._results = Results(target, self._courier, folder, have)
        self._stream = Stream(target, self._policy, self._courier, live)
        self._rhythm = Rhythm(self._policy)
        self._next_poll = 0.0
        self._outage_since: float | None = None
        self._outage_told = False
        self._unreadable = 0
        self._accepted_at: float | None = None
        self._early: list[str | bytes] = []
        self._early_room = _EARLY
        self._end: JobEnd | None = None
        self.cancel_settled = False
        """Whether a cancel that was asked for has been answered."""

    def settle(self) -> None:
        """
        Take in that all that was told is written down, where anybody writes.
        """
        self._results.settle()

    def run(self) -> Talk[None]:
        """
        Do everything.

        Raises:
            SubmissionUncertain: The graph was sent, and nobody knows whether it arrived.
            DeadlinePassed: The job may still run.
            TargetError: The service refused or was out of reach.
        """
        found = None if self._doubt is None else (yield from self._look_up(self._doubt))
        if self._doubt is not None and found is None and not self._doubt.send:
            yield Mark(Stage.REFUSED, self.ref)
            yield Tell((JobCancelled(self.ref.job_id),))
            return
        if self._submission is not None and found is None:
            if not (yield from self._hand_in(self._submission)):
                return
        else:
            self._accepted_at = self._courier.now()
        while self._end is None:
            yield from self._step()
        yield from self._stream.close()
        self._courier.deadline = math.inf
        self._courier.take_cancel()
        yield from self._results.fetch_rest(self.ref)
        yield Mark(Stage.ENDED, self.ref)
        yield Tell((self._results.with_paths(self._end),))

    def _look_up(self, doubt: Doubt) -> Talk[JobRef | None]:
        """
        Adopt a job that may have been handed in before; `None` where it may be handed in (again).
        """
        try:
            found = yield from look_up(self._target, self._policy, self._courier, doubt)
        except SubmissionUncertain:
            yield Mark(Stage.UNCERTAIN, self.ref)
            raise
        if found is not None:
            self.ref = found
            self._tracker.job_id = found.job_id
            yield Mark(Stage.ACCEPTED, self.ref)
        return found

    def _hand_in(self, submission: Submission) -> Talk[bool]:
        try:
            ready = yield from prepare(
                self._target,
                submission,
                self._uploads,
                courier=self._courier,
                policy=self._policy,
                settings=self._settings,
            )
        except CancelWanted:
            yield from self._leave()
            return False
        if ready is not submission:  # another graph: it names what was uploaded
            self.ref = self._target.reference(ready)
        if self._policy.stream_first:
            yield from self._stream.open(self.ref, wait=True)
        try:
            submitted = yield from self._courier.run(
                self._target.submit(ready), vow=Mark(Stage.INTENDED, self.ref)
            )
        except CancelWanted:
            yield from self._stream.close()
            yield from self._leave()
            return False
        except (TargetError, DeadlinePassed) as exc:
            if isinstance(exc, Rejected):
                forget_uploads(self._uploads, self._target, self._policy, self._settings)
            submitted = yield from self._after_failure(exc)
        known_before = self.ref.job_id == submitted.ref.job_id
        self.ref = submitted.ref
        self._tracker.job_id = self.ref.job_id
        yield Mark(Stage.ACCEPTED, self.ref)
        if not known_before:
            self._stream.turn_to(self.ref)
        # a service that says nothing more than "taken" has queued the job
        yield from self._take((*submitted.observations, JobSeen(JobPhase.QUEUED)))
        self._accepted_at = self._courier.now()
        for data in self._early:
            yield from self._take(self._stream.read(data))
        self._early.clear()
        self._plan_poll(self._rhythm.after_submit())
        return True

    @property
    def _unsent(self) -> Stage:
        """
        What a job is that was not handed in: there surely is none, or it may exist from before.
        """
        before = self._doubt is not None and self._doubt.lingers(self._policy)
        return Stage.UNCERTAIN if before else Stage.REFUSED

    def _leave(self) -> Talk[None]:
        """
        End with nothing handed in, for a cancel.
        """
        yield Mark(self._unsent, self.ref)
        if self._unsent is Stage.UNCERTAIN:
            raise SubmissionUncertain(
                "left before it was handed in again; the job may exist from before",
                hint=f"look at {self.ref.base_url} (key {self.ref.key})",
            )
        yield Tell((JobCancelled(self.ref.job_id),))

    def _after_failure(self, exc: TargetError | DeadlinePassed) -> Talk[Submitted]:
        """
        Find out whether a submit that failed has made a job all the same.
        """
        unclear = self._courier.doubt or isinstance(exc, ProtocolError)
        if not unclear or isinstance(exc, GraphRejected):
            yield Mark(self._unsent, self.ref)
            raise exc
        # what is refused when it is sent again may have been taken the first time: the refusal
        # is of the second, perhaps because the first has used up the credits
        lost = self._courier.lost or isinstance(
            exc, DeadlinePassed | AuthenticationError | Rejected
        )
        looked = False
        # a job that may have been bought is worth looking for, deadline or not
        deadline = self._courier.deadline
        self._courier.deadline = max(deadline, self._courier.now() + _LOOK_UP_TIME)
        for pause in _LOOK_UPS if lost else _LOOK_UPS[:1]:
            exchange = self._target.find(self.ref)
            if exchange is None:
                break
            yield from self._courier.pause(pause * self._policy.backoff_base, firm=True)
            try:
                found = yield from self._courier.run(exchange, firm=True)
            except (TargetError, DeadlinePassed):
                continue
            looked = True
            if found is not None:
                self._courier.deadline = deadline
                return Submitted(found)
        if looked and not lost:
            yield Mark(self._unsent, self.ref)
            raise exc
        yield Mark(Stage.UNCERTAIN, self.ref)
        if isinstance(exc, ProtocolError):
            raise exc  # most likely a wrong address; its own words help more than ours
        said = "it was looked for and not found" if looked else "it could not be looked up"
        raise SubmissionUncertain(
            f"{exc.message}; the job may exist all the same, {said}",
            hint=f"look at {self.ref.base_url} before you send it again (key {self.ref.key})",
        ) from exc

    def _step(self) -> Talk[None]:
        """
        Do the next thing: cancel, poll, fetch a file, or wait for one of these to be due.
        """
        now = self._courier.now()
        if now >= self._courier.deadline:
            raise DeadlinePassed(
                f"the deadline of {self._patience:g} s passed, "
                f"job `{self.ref.job_id}` may still run",
                hint="allow it more time with a later deadline",
            )
        try:
            if self._courier.cancel_pending:
                yield from self._cancel()
            elif now >= self._next_poll:
                yield from self._poll()
            elif self._results.waiting:
                yield from self._results.fetch_next(self.ref)
            else:
                yield from self._stream.open(self.ref)
                until = min(self._next_poll, self._courier.deadline, self._stream.next_try)
                yield from self._courier.wait_for_news(until - now)
        except CancelWanted:
            return

    def _cancel(self) -> Talk[None]:
        self._courier.take_cancel()
        yield Tell((Notice("asking the service to cancel the job"),))
        try:
            answer = yield from self._courier.run(self._target.cancel(self.ref), firm=True)
        except TargetError as exc:
            self.cancel_settled = True
            yield Tell((Notice(f"the service did not take the cancel: {exc.message}"),))
            return
        self.cancel_settled = True
        yield from self._take(answer.observations)
        if not answer.accepted and self._end is None:
            yield Tell((Notice("the service says that it is too late to cancel"),))
        self._plan_poll(self._rhythm.hurry())

    def _poll(self) -> Talk[None]:
        try:
            answer = yield from self._courier.run(self._target.poll(self.ref))
        except _TRANSIENT as exc:
            yield from self._outage(exc)
            return
        except DeadlinePassed:
            self._next_poll = self._courier.deadline
            return
        if self._outage_since is not None and self._outage_told:
            yield Tell((Notice("the service answers again"),))
        self._outage_since = None
        self._unreadable = 0
        news = yield from self._take(answer.observations)
        lively = self._stream.lively(self._courier.now())
        self._plan_poll(self._rhythm.after_poll(news, lively, answer.next_poll))
        self._stream.ask_again()

    def _outage(self, exc: TargetError) -> Talk[None]:
        now = self._courier.now()
        if isinstance(exc, NotFound) and now - (self._accepted_at or 0.0) > _NEWBORN:
            raise exc
        self._unreadable += isinstance(exc, ProtocolError)
        if self._unreadable > _FORGIVEN:
            raise exc
        if self._outage_since is None:
            self._outage_since = now
            self._outage_told = not isinstance(exc, NotFound)
            if self._outage_told:
                yield Tell((Notice(f"{exc.message}; the job may run on, asking again"),))
        if now - self._outage_since > self._settings.patience:
            raise exc
        self._plan_poll(max(self._courier.backoff(3), exc.retry_after or 0.0))

    def _plan_poll(self, seconds: float) -> None:
        self._next_poll = self._courier.now() + seconds

    def _on_news(self, news: News) -> Talk[None]:
        match news:
            case StreamOpened():
                self._stream.opened()
            case StreamLost(missing=missing, over=over):
                was_open = self._stream.lost(missing=missing, over=over)
                if was_open:  # polling fills the gap
                    self._next_poll = min(self._next_poll, self._courier.now())
            case Frame(data=data) if self._accepted_at is None:
                # the stream is faster than the answer to the submit: that one is told first
                if len(data) <= self._early_room:
                    self._early_room -= len(data)
                    self._early.append(data)
            case Frame(data=data):
                yield from self._take(self._stream.read(data))
            case Nudged() if self._accepted_at is not None:
                self._next_poll = min(self._next_poll, self._courier.now())
            case _:
                pass

    def _take(self, observations: Iterable[Observation]) -> Talk[bool]:
        seen = tuple(observations)
        if any(isinstance(item, PollNow) for item in seen):
            self._plan_poll(0.0)
            self._rhythm.hurry()
        told = self._tracker.feed(seen)
        out: list[Event] = []
        for event in told:
            if isinstance(event, JobEnd):
                self._end = event
            elif not (isinstance(event, OutputReady) and self._results.takes(event.file)):
                out.append(event)
        if out:
            yield Tell(tuple(out))
        return bool(told)
