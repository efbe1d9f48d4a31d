"""
Read the job object of TAMS (`GET /v1/jobs/{jobId}`).

Every field is optional: defaults are left out, 64-bit numbers come as texts, names come in camel
case and are accepted in snake case. `nodes` is partial: what is absent is not pending.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.events import OutputFile
from comfygraph.targets.observations import (
    CostSeen,
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
    is_web_url,
    kind_of,
    mapping,
    mappings,
    number,
    one_line,
    pick,
    text,
    url_name,
)

_QUEUED = {"DEFAULT", "CREATED", "PENDING", "WAITING"}
_NODE_STATES = {
    "INIT": NodeState.QUEUED,
    "RUNNING": NodeState.STARTED,
    "SUCCESS": NodeState.FINISHED,
    "FAILED": NodeState.FAILED,
}
_NODE_IN_REASON = re.compile(r"\bnode(?: id)?:? ([0-9][0-9:.]*)\b", re.IGNORECASE)


def read_job(job: JsonValue) -> tuple[Observation, ...]:
    """
    Give what a job object claims. Never raises.
    """
    out: list[Observation] = []
    job = mapping(job)
    cost = number(job.get("credits"))
    if cost is not None:
        out.append(CostSeen(cost))
    out.extend(FileSeen(file) for file in job_files(job))
    failed_node: str | None = None
    reason = _reason(job)
    for item in _finish_items(job):
        for seen in _read_item(item, reason):
            if isinstance(seen, NodeSeen) and seen.state is NodeState.FAILED:
                failed_node = failed_node or seen.node_id
            out.append(seen)
    out.extend(_read_stages(job))
    out.extend(_read_status(job, reason, failed_node))
    return tuple(out)


def job_files(job: JsonValue) -> list[OutputFile]:
    """
    Give the files that a job object lists: first those of nodes, which say whose they are, then
    all; a file may stand in both.
    """
    out: list[OutputFile] = []
    for item in _finish_items(mapping(job)):
        for node_id, node in _nodes(item):
            ui = mapping(pick(node, "outputUi", "output_ui"))
            for entries in ui.values():
                out.extend(_ui_files(node_id, entries))
    success = mapping(pick(job, "successInfo", "success_info"))
    out.extend(_resources(success.get("images"), "image"))
    out.extend(_resources(success.get("videos"), "video"))
    for stage in mappings(success.get("stages")):
        images = pick(stage, "processingImages", "processing_images")
        found = [pick(image, "resourceImage", "resource_image") for image in mappings(images)]
        out.extend(_resources(found, "image"))
    return out


def _finish_items(job: dict[str, JsonValue]) -> Iterator[dict[str, JsonValue]]:
    for camel, snake in (
        ("successInfo", "success_info"),
        ("runningInfo", "running_info"),
        ("failedInfo", "failed_info"),
    ):
        item = pick(pick(job, camel, snake), "workflowFinishItem", "workflow_finish_item")
        if isinstance(item, dict):
            yield item


def _nodes(item: dict[str, JsonValue]) -> Iterator[tuple[str, dict[str, JsonValue]]]:
    for node_id, node in mapping(item.get("nodes")).items():
        if isinstance(node, dict):
            yield node_id, node


def _reason(job: dict[str, JsonValue]) -> str:
    return one_line(mapping(pick(job, "failedInfo", "failed_info")).get("reason"))


def _read_item(item: dict[str, JsonValue], reason: str) -> Iterator[Observation]:
    for node_id, node in _nodes(item):
        state = _NODE_STATES.get(text(node.get("status")).upper())
        if state is not None:
            value = _share(node.get("process")) if state is NodeState.STARTED else None
            message = reason if state is NodeState.FAILED and reason else None
            yield NodeSeen(node_id, state, value, None if value is None else 1.0, message)
    finished = pick(item, "finishedNodes", "finished_nodes")
    for node_id, done in mapping(finished).items():
        if done is True:
            yield NodeSeen(node_id, NodeState.FINISHED)
    share = _share(item.get("progress"))
    if share is not None:
        yield ProgressSeen(share)


def _read_stages(job: dict[str, JsonValue]) -> Iterator[Observation]:
    """Read how far the pictures of a diffusion job are, in either form."""
    info = mapping(pick(job, "runningInfo", "running_info"))
    shares = [
        _share(image.get("progress")) or 0.0
        for place in (info, *mappings(info.get("stages")))
        for image in mappings(pick(place, "processingImages", "processing_images"))
    ]
    if any(shares):
        yield ProgressSeen(sum(shares) / len(shares))


def _share(value: JsonValue) -> float | None:
    # the scale is not documented. Above 1 it must be per cent; at exactly 1 it may be either, and
    # saying nothing costs nothing, since a state of SUCCESS follows where it meant the end
    share = number(value)
    if share is None or share == 1 or not 0 < share <= 100:
        return None
    return share if share < 1 else share / 100


def _read_status(
    job: dict[str, JsonValue], reason: str, failed_node: str | None
) -> Iterator[Observation]:
    waiting = mapping(pick(job, "waitingInfo", "waiting_info"))
    running = pick(job, "runningInfo", "running_info")
    match text(job.get("status")).upper() or "DEFAULT":
        case "SUCCESS":
            yield JobEnded(Outcome.SUCCEEDED)
        case "CANCELED" | "CANCELLED":
            yield JobEnded(Outcome.CANCELLED)
        case "FAILED":
            info = mapping(pick(job, "failedInfo", "failed_info"))
            named = _NODE_IN_REASON.search(reason)
            yield JobEnded(
                Outcome.FAILED,
                reason,
                failed_node or (named.group(1) if named else None),
                transient=text(info.get("code")).upper() == "TRANSITORY_ERROR",
            )
        case "RUNNING":
            yield JobSeen(JobPhase.STARTED)
        case "DEFAULT" if isinstance(running, dict):
            yield JobSeen(JobPhase.STARTED)
        case status if status in _QUEUED:
            yield JobSeen(JobPhase.QUEUED, _rank(waiting))
        case _:
            # a status of the future: not an end that we know, so the job goes on
            yield JobSeen(JobPhase.STARTED if isinstance(running, dict) else JobPhase.QUEUED)


def _rank(waiting: dict[str, JsonValue]) -> int | None:
    rank = integer(pick(waiting, "queueRank", "queue_rank"))
    if rank is None and integer(pick(waiting, "queueLen", "queue_len")):
        return 0  # a zero is left out
    return rank


def _ui_files(node_id: str, entries: JsonValue) -> Iterator[OutputFile]:
    for entry in mappings(entries):
        url = text(pick(entry, "filename", "url"))
        if is_web_url(url):
            ending = text(entry.get("format"))
            name = _name(url, ending)
            yield OutputFile(
                url=url,
                name=name,
                node_id=node_id,
                kind=kind_of(name, "image"),
                width=integer(entry.get("width")),
                height=integer(entry.get("height")),
                preview=text(entry.get("type")) == "temp",
                id=identifier(pick(entry, "imageResourceId", "image_resource_id", "id")) or None,
            )


def _resources(entries: JsonValue, kind: str) -> Iterator[OutputFile]:
    for entry in mappings(entries):
        url = text(entry.get("url"))
        if is_web_url(url):
            meta = mapping(pick(mapping(entry.get("meta")), kind))
            name = _name(url, text(meta.get("format")))
            yield OutputFile(
                url=url,
                name=name,
                kind=kind_of(name, kind),
                width=integer(meta.get("width")),
                height=integer(meta.get("height")),
                id=identifier(entry.get("id")) or None,
            )


def _name(url: str, ending: str) -> str:
    name = url_name(url) or "output"
    return name if "." in name or not ending else f"{name}.{ending}"
