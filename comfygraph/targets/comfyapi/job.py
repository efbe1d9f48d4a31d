"""
Read a job of Comfy API v2: `{"id", "status", "progress", "outputs", "error", "urls", ...}`.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.events import OutputFile
from comfygraph.targets.observations import (
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    Observation,
    Outcome,
    ProgressSeen,
)
from comfygraph.targets.reading import (
    identifier,
    integer,
    kind_of,
    mapping,
    mappings,
    number,
    one_line,
    pick,
    text,
    url_name,
)

_ENDS = {
    "succeeded": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "expired": Outcome.FAILED,
    # both spellings are about
    "canceled": Outcome.CANCELLED,
    "cancelled": Outcome.CANCELLED,
}
_RUNNING = frozenset({"running", "canceling", "cancelling"})
_MEDIA_KINDS = frozenset({"image", "video", "audio"})


def status_of(job: JsonValue) -> str:
    """
    Give the status in lower case, empty where there is none.
    """
    return text(mapping(job).get("status")).strip().lower()


def is_over(job: JsonValue) -> bool:
    """
    Whether a job has ended.
    """
    return status_of(job) in _ENDS


def read_job(job: JsonValue) -> tuple[Observation, ...]:
    """
    Give what a job claims; a status that nobody knows claims nothing.
    """
    data = mapping(job)
    status = status_of(data)
    out: list[Observation] = []
    if status == "queued":
        out.append(JobSeen(JobPhase.QUEUED, integer(data.get("queue_position"))))
    elif status in _RUNNING:
        out.append(JobSeen(JobPhase.STARTED))
    if status != "queued":
        out.extend(read_progress(data.get("progress")))
    for output in mappings(data.get("outputs")):
        out.extend(read_output(output))
    if status in _ENDS:
        out.extend(_end(data, status))
    return tuple(out)


def read_progress(progress: JsonValue) -> Iterator[Observation]:
    """
    Yield what `{"value": 0..1, "current_node", "step", "steps", ...}` claims.

    Only the current node is named: which nodes are done it does not say, and neither do we.
    """
    data = mapping(progress)
    node = identifier(data.get("current_node"))
    if node:
        step, steps = number(data.get("step")), number(data.get("steps"))
        yield NodeSeen(node, NodeState.STARTED, step, steps)
    fraction = number(data.get("value"))
    if fraction is not None:
        yield ProgressSeen(fraction)


def read_output(output: JsonValue) -> Iterator[Observation]:
    """
    Yield the file of an entry of `outputs`; an entry without an address is none yet.
    """
    data = mapping(output)
    url = text(data.get("url"))
    if not url:
        return
    name = text(data.get("name")) or url_name(url) or "file"
    kind = text(data.get("type")).lower()
    yield FileSeen(
        OutputFile(
            url=url,
            name=name,
            node_id=identifier(data.get("node_id")) or None,
            kind=kind if kind in _MEDIA_KINDS else kind_of(name),
            id=identifier(pick(data, "id", "hash")) or None,
        )
    )


def _end(data: dict[str, JsonValue], status: str) -> Iterator[Observation]:
    outcome = _ENDS[status]
    if outcome is not Outcome.FAILED:
        yield JobEnded(outcome)
        return
    error = mapping(data.get("error"))
    node = identifier(error.get("node_id")) or None
    message = one_line(error.get("message")) or one_line(error.get("code"))
    if not message:
        message = "the job expired before it was done" if status == "expired" else ""
    if node is not None:
        code = one_line(error.get("code"), 100) or None
        yield NodeSeen(node, NodeState.FAILED, message=message or None, exception_type=code)
    yield JobEnded(outcome, message, node, transient=status == "expired")
