"""
What a job is in both drivers: events that were told and not yet taken, a reference, an end.
"""

from __future__ import annotations

import weakref
from collections import deque
from collections.abc import Callable, Sequence

from comfygraph.errors import ComfyGraphError, JobError
from comfygraph.jobs.beside import save_graph
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import Effect, Mark, Outcome, Stage, Talk, Tell
from comfygraph.jobs.plan import Plan
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event, JobCancelled, JobEnd, JobFailed, JobSucceeded

OnMark = Callable[[Stage, JobRef], None]
"""Is told how far the submit is before the conversation goes on; a ledger writes it down."""


class JobState:
    """
    The part of a job that does no I/O.

    Args:
        plan: What to do.
        on_mark: Is told each stage of the submit.
    """

    def __init__(self, plan: Plan, on_mark: OnMark | None = None) -> None:
        self.plan = plan
        self.stage = Stage.ACCEPTED if isinstance(plan.job, JobRef) else None
        self.end: JobEnd | None = None
        self.told: deque[Event] = deque()
        self._on_mark = on_mark
        self._recorder = plan.recorder
        if self._recorder is not None:
            weakref.finalize(self, self._recorder.close)
        self._ref: JobRef | None = plan.job if isinstance(plan.job, JobRef) else None
        self._conversation: Conversation | None = None
        self._talk: Talk[None] | None = None
        self._outcome: Outcome = None
        self._effect: Effect | None = None
        """What the conversation asks for and was not dealt with to the end."""
        self.over = False

    @property
    def ref(self) -> JobRef | None:
        """
        The reference of the job; `None` before the target is known.
        """
        return self._ref

    @property
    def started(self) -> bool:
        """
        Whether the conversation has begun.
        """
        return self._talk is not None

    def begin(self, conversation: Conversation) -> None:
        """
        Take the conversation up.
        """
        self._ref = conversation.ref
        self._conversation = conversation
        self._talk = conversation.run()

    def next_effect(self) -> Effect | None:
        """
        Give the next effect that a driver has to carry out; `None` when the conversation is over.

        Raises:
            ComfyGraphError: What ended the conversation early.
        """
        if self._effect is None:
            self._effect = self._go_on()
        # an interrupt in here leaves the effect where it is, to be dealt with once more
        match self._effect:
            case Tell(events=events):
                self._take(events)
            case Mark(stage=stage, ref=ref):
                if self._recorder is not None:
                    self._recorder.mark(stage, ref)
                self.stage, self._ref = stage, ref
                if self._on_mark is not None:
                    self._on_mark(stage, ref)
            case _:
                pass
        effect, self._effect = self._effect, None
        return effect

    def _go_on(self) -> Effect | None:
        assert self._talk is not None
        outcome, self._outcome = self._outcome, None
        try:
            return self._talk.send(outcome)
        except BaseException as exc:
            self.over = True
            if isinstance(exc, StopIteration):
                self._close_record()
                return None
            if isinstance(exc, ComfyGraphError) and self._recorder is not None:
                self._recorder.fail(exc)
            self._close_record()
            raise

    def give(self, outcome: Outcome) -> None:
        """
        Take what a driver brings back, for the next `next_effect`.
        """
        self._outcome = outcome

    def stop(self) -> None:
        """
        End the conversation where it stands.
        """
        self.over = True
        if self._talk is not None:
            self._talk.close()
        self._close_record()

    def _close_record(self) -> None:
        if self._recorder is not None:
            self._recorder.close()

    def _take(self, events: Sequence[Event]) -> None:
        graph, folder = self.plan.graph, self.plan.folder
        end = next((event for event in events if isinstance(event, JobEnd)), None)
        if end is not None and graph is not None and folder is not None:
            save_graph(graph, end.files, folder)  # once the end is written down nobody comes back
        if self._recorder is not None:
            events = self._recorder.tell(events)
        if self._conversation is not None and (self._recorder is None or not self._recorder.behind):
            self._conversation.settle()
        self.end = end or self.end
        self.told.extend(events)

    def outcome_of(self) -> JobSucceeded:
        """
        Give the good end of the job.

        Raises:
            JobError: It failed or was cancelled.
        """
        match self.end:
            case JobSucceeded() as end:
                return end
            case JobFailed(message=message, node_id=node_id):
                raise JobError(message, node_id=node_id)
            case JobCancelled():
                raise JobError("the job was cancelled")
            case _:
                raise JobError("the job was left before its end")
