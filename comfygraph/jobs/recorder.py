"""
Who is told what happens to a job before anybody else is.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from comfygraph.errors import ComfyGraphError
from comfygraph.jobs.effects import Stage
from comfygraph.targets.base import JobRef
from comfygraph.targets.events import Event


class Recorder(Protocol):
    """
    Writes down what happens to one job. What it raises ends the conversation.
    """

    @property
    def job(self) -> str:
        """
        The id under which the job is written down.
        """
        ...

    @property
    def behind(self) -> bool:
        """
        Whether something of what was told could not be written down yet.
        """
        ...

    def mark(self, stage: Stage, ref: JobRef) -> None:
        """
        Note how far the submit is; the next step waits until this returns.
        """
        ...

    def tell(self, events: Sequence[Event]) -> Sequence[Event]:
        """
        Note what happened; give what is to be told on, which may be more.
        """
        ...

    def fail(self, exc: ComfyGraphError) -> None:
        """
        Note what ended the conversation early.
        """
        ...

    def close(self) -> None:
        """
        Nothing more comes, whatever came; a second call does nothing.
        """
        ...
