"""
The engine's signals as the messages of a ComfyUI server: what its websocket says, what its
history keeps, and what Civitai's trace of a run records.

Order and fields are those of recordings of ComfyUI 0.33.0 (`execution.py`, `server.py`,
`comfy_execution/progress.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias, assert_never

from comfygraph.core.values import JsonValue
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.signals import (
    JobEnded,
    NodeEnded,
    NodeRunning,
    NodeSaid,
    NodeShowed,
    NodeStepped,
    QueueChanged,
    RunFailed,
    RunInterrupted,
    RunStarted,
    RunSucceeded,
    Signal,
)

MAX_STATES = 1000


@dataclass(frozen=True, slots=True)
class Message:
    """
    One JSON message.

    Args:
        type: `executing`, `progress`, ...
        data: Its data.
        kept: Whether the history keeps it.
        public: Whether it goes to every socket if the prompt named no client.
    """

    type: str
    data: dict[str, JsonValue]
    kept: bool = False
    public: bool = False

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give it as the websocket sends it.
        """
        return {"type": self.type, "data": self.data}


@dataclass(frozen=True, slots=True)
class PreviewDue:
    """The place in the order where a preview picture goes."""

    node_id: str
    with_metadata: bool


@dataclass(frozen=True, slots=True)
class TextDue:
    """The place in the order where a line of text goes."""

    node_id: str
    text: str


Spoken: TypeAlias = Message | PreviewDue | TextDue


def states_of(job: Job) -> dict[str, JsonValue]:
    """
    Give the data of `progress_state`: every node that has started, with its value.

    The real message names all of them each time. Past 1,000 nodes that is gigabytes for one
    run; from there on only the last 1,000 are named.
    """
    runs = list(job.runs.values())[-MAX_STATES:]
    return {
        "prompt_id": job.id,
        "nodes": {
            run.node_id: {
                "value": run.value,
                "max": run.max,
                "state": "finished" if run.finished else "running",
                "node_id": run.node_id,
                "prompt_id": job.id,
                "display_node_id": run.node_id,
                "parent_node_id": None,
                "real_node_id": run.node_id,
            }
            for run in runs
        },
    }


def spoken(job: Job, signal: Signal, now: float, *, states: bool = True) -> list[Spoken]:
    """
    Give the messages for one signal, in order.

    Args:
        job: The job that it is about.
        signal: What happened.
        now: Seconds since 1970.
        states: Whether anybody is there to read `progress_state`, the long one.
    """
    moment = int(now * 1000)
    match signal:
        case QueueChanged():
            return []
        case RunStarted(cached=cached):
            start = {"prompt_id": job.id, "timestamp": moment}
            known = {"nodes": list(cached), "prompt_id": job.id, "timestamp": moment}
            return [
                Message("execution_start", start, kept=True),
                Message("execution_cached", known, kept=True),
            ]
        case NodeRunning(node_id=node_id):
            data = {"node": node_id, "display_node": node_id, "prompt_id": job.id}
            return [*_progress_state(job, states), Message("executing", data)]
        case NodeStepped(node_id=node_id):
            run = job.runs[node_id]
            step = {"value": run.value, "max": run.max, "prompt_id": job.id, "node": node_id}
            return [
                *_progress_state(job, states),
                PreviewDue(node_id, with_metadata=True),
                Message("progress", step, public=True),
                PreviewDue(node_id, with_metadata=False),
            ]
        case NodeSaid(node_id=node_id, text=text):
            return [TextDue(node_id, text)]
        case NodeShowed(node_id=node_id, ui=ui):
            shown = {"node": node_id, "display_node": node_id, "output": dict(ui)}
            return [Message("executed", {**shown, "prompt_id": job.id})]
        case NodeEnded():
            return _progress_state(job, states)
        case RunFailed():
            return [Message("execution_error", _error(job, moment), kept=True)]
        case RunInterrupted(node_id=node_id):
            stopped = {
                "prompt_id": job.id,
                "node_id": node_id,
                "node_type": job.class_of(node_id),
                "executed": list(job.executed),
                "timestamp": moment,
            }
            return [Message("execution_interrupted", stopped, kept=True, public=True)]
        case RunSucceeded():
            done = {"prompt_id": job.id, "timestamp": moment}
            return [Message("execution_success", done, kept=True)]
        case JobEnded():
            return [Message("executing", {"node": None, "prompt_id": job.id})]
        case _:
            assert_never(signal)


def _progress_state(job: Job, wanted: bool) -> list[Spoken]:
    return [Message("progress_state", states_of(job), public=True)] if wanted else []


def _error(job: Job, moment: int) -> dict[str, JsonValue]:
    failure = job.failure
    if failure is None:
        return {"prompt_id": job.id, "timestamp": moment}
    return {
        "prompt_id": job.id,
        "node_id": failure.node_id,
        "node_type": failure.node_type,
        "executed": list(job.executed),
        "exception_message": failure.message,
        "exception_type": failure.exception_type,
        "traceback": list(failure.traceback),
        "current_inputs": failure.current_inputs,
        "current_outputs": list(job.nodes),
        "timestamp": moment,
    }
