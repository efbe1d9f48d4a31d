"""
A job as the queue, the history and the list of jobs show it (`execution.py`, `PromptQueue`;
`comfy_execution/jobs.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

from comfygraph.core.values import JsonValue
from comfygraph.emulator.jobs import ENDED, Job

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")
Messages = Mapping[str, list[list[JsonValue]]]
_UNCOUNTED = frozenset({"animated", "text"})


def queue_item(job: Job) -> list[JsonValue]:
    """
    Give `[number, prompt_id, prompt, extra_data, outputs]`.
    """
    return [job.number, job.id, job.nodes, dict(job.extra), job.outputs]


def history_entry(job: Job, messages: Messages) -> dict[str, JsonValue]:
    """
    Give a finished job as `GET /history` does.
    """
    return {
        "prompt": queue_item(job),
        "outputs": {node_id: dict(ui) for node_id, ui in job.shown.items()},
        "status": _status(job, messages),
        "meta": {
            node_id: {
                "node_id": node_id,
                "display_node": node_id,
                "parent_node": None,
                "real_node_id": node_id,
            }
            for node_id in job.shown
        },
    }


def _status(job: Job, messages: Messages) -> dict[str, JsonValue]:
    good = job.state == "succeeded"
    if job.failure is not None and (
        job.faults.false_success or job.failure.exception_type == "graph.DependencyCycleError"
    ):
        # The server keeps the verdict of its last good step (`execution.py`, `e.success`).
        good = True
    return {
        "status_str": "success" if good else "error",
        "completed": good,
        "messages": messages.get(job.id, []),
    }


def status_of(job: Job, messages: Messages) -> str:
    """
    Give the status of a job as `GET /api/jobs` has it, one of `STATUSES`.
    """
    if job.state not in ENDED:
        return "in_progress" if job.state == "running" else "pending"
    if _status(job, messages)["status_str"] == "success":
        return "completed"
    return "cancelled" if job.state == "interrupted" else "failed"


def job_summary(job: Job, messages: Messages) -> dict[str, JsonValue]:
    """
    Give a job as `GET /api/jobs` lists it; what is not known is left out.
    """
    kept = messages.get(job.id, []) if job.state in ENDED else []
    said: dict[str, dict[str, JsonValue]] = {str(item[0]): item[1] for item in kept}
    ends = ("execution_success", "execution_error", "execution_interrupted")
    ended = next((said[name]["timestamp"] for name in ends if name in said), None)
    outputs = _listed(job) if job.state in ENDED else []
    summary: dict[str, JsonValue] = {
        "id": job.id,
        "status": status_of(job, messages),
        "priority": job.number,
        "create_time": job.extra.get("create_time"),
        "execution_start_time": said.get("execution_start", {}).get("timestamp"),
        "execution_end_time": ended,
        "execution_error": said.get("execution_error"),
        "outputs_count": len(outputs),
        "previewable_outputs_count": len(outputs),
        "preview_output": _preview(outputs),
        "workflow_id": workflow_id(job),
    }
    return {key: value for key, value in summary.items() if value is not None}


def job_detail(job: Job, messages: Messages) -> dict[str, JsonValue]:
    """
    Give a job as `GET /api/jobs/{id}` does.
    """
    detail = job_summary(job, messages)
    if job.state in ENDED:
        detail["outputs"] = {node_id: dict(ui) for node_id, ui in job.shown.items()}
        detail["execution_status"] = _status(job, messages)
        detail["workflow"] = {"prompt": job.nodes, "extra_data": dict(job.extra)}
    return detail


def workflow_id(job: Job) -> JsonValue:
    """
    Give the id of the editor's workflow that came with a prompt, or `None`.
    """
    pnginfo = job.extra.get("extra_pnginfo")
    workflow = pnginfo.get("workflow") if isinstance(pnginfo, dict) else None
    return workflow.get("id") if isinstance(workflow, dict) else None


def _listed(job: Job) -> list[dict[str, JsonValue]]:
    return [
        {**item, "nodeId": node_id, "mediaType": media}
        for node_id, ui in job.shown.items()
        for media, items in ui.items()
        if media not in _UNCOUNTED and isinstance(items, list)
        for item in items
        if isinstance(item, dict)
    ]


def _preview(outputs: list[dict[str, JsonValue]]) -> dict[str, JsonValue] | None:
    kept = [item for item in outputs if item.get("type") == "output"]
    return next(iter(kept or outputs), None)
