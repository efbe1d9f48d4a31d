"""
Read what a ComfyUI server keeps about jobs: the queue and the history.

The history's `status_str` can say "success" after an `execution_error` (a dependency cycle that
appears while running), so its messages are believed instead.
"""

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.comfyui.frames import BLOCKED, ComfyFrameReader, failed_node
from comfygraph.targets.comfyui.outputs import files_of
from comfygraph.targets.observations import (
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    Observation,
    Outcome,
)
from comfygraph.targets.reading import identifier, items, mapping, number, one_line, text


def read_queue(queue: JsonValue, prompt_id: str) -> JobSeen | None:
    """
    Look for a job in the answer of `GET /queue`; `None` where it is not in it.

    Pending items `[number, prompt_id, prompt, extra_data, outputs]` stand in any order (a heap);
    the lowest number runs next.
    """
    queue = mapping(queue)
    if any(_id_of(item) == prompt_id for item in items(queue.get("queue_running"))):
        return JobSeen(JobPhase.STARTED)
    pending = [item for item in items(queue.get("queue_pending")) if _id_of(item)]
    own = [_number_of(item) for item in pending if _id_of(item) == prompt_id]
    if not own:
        return None
    ahead = sum(_number_of(item) < min(own) for item in pending)
    return JobSeen(JobPhase.QUEUED, ahead)


def read_history(entry: dict[str, JsonValue], prompt_id: str) -> tuple[Observation, ...]:
    """
    Give what one entry of `GET /history/{prompt_id}` claims: the job is over, and how.
    """
    status = mapping(entry.get("status"))
    reader = ComfyFrameReader(prompt_id)
    out: list[Observation] = []
    end: JobEnded | None = None
    for message in items(status.get("messages")):
        if isinstance(message, list) and len(message) == 2:
            kind, data = text(message[0]), mapping(message[1])
            out.extend(reader.feed_message(kind, data))
            out.extend(_executed(data))
            end = _end_of(kind, data) or end
    out.extend(_outputs(entry))
    if end is None:
        failed = text(status.get("status_str")).lower() == "error"
        end = JobEnded(Outcome.FAILED if failed else Outcome.SUCCEEDED)
    return (*out, end)


def _end_of(kind: str, data: dict[str, JsonValue]) -> JobEnded | None:
    match kind:
        case "execution_success":
            return JobEnded(Outcome.SUCCEEDED)
        case "execution_interrupted":
            return JobEnded(Outcome.CANCELLED)
        case "execution_error" if data.get("exception_type") != BLOCKED:
            node = next((seen.node_id for seen in failed_node(data)), None)
            return JobEnded(Outcome.FAILED, one_line(data.get("exception_message")), node)
        case _:
            return None


def _executed(data: dict[str, JsonValue]) -> Iterator[NodeSeen]:
    # errors and interrupts list what was done before; ids with dots are inside expanded nodes
    for item in items(data.get("executed")):
        node = identifier(item)
        if node and "." not in node:
            yield NodeSeen(node, NodeState.FINISHED)


def _outputs(entry: dict[str, JsonValue]) -> Iterator[Observation]:
    meta = mapping(entry.get("meta"))
    for node_id, output in mapping(entry.get("outputs")).items():
        shown = identifier(mapping(meta.get(node_id)).get("display_node")) or node_id
        for file in files_of(shown, output):
            yield FileSeen(file)
        yield NodeSeen(shown, NodeState.FINISHED)


def _id_of(item: JsonValue) -> str:
    return text(item[1]) if isinstance(item, list) and len(item) > 1 else ""


def _number_of(item: JsonValue) -> float:
    place = number(item[0])
    return place if place is not None else 0.0
