"""
Workflows, steps, jobs and blobs as the service shows them.
"""

from __future__ import annotations

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled, worded
from comfygraph.emulator.civitai.checks import prompt_of
from comfygraph.emulator.civitai.model import TERMINAL, Blob, Step, StepJob, Workflow, iso
from comfygraph.emulator.civitai.service import USER, Civitai

OPTIONAL = frozenset(
    {
        "jobs",
        "queuePosition",
        "estimatedProgressRate",
        "preparation",
        "transactions",
        "urlExpiresAt",
        "nsfwLevel",
        "width",
        "height",
        "jobId",
        "usage",
        "startedAt",
        "metadata",
        "arguments",
        "callbacks",
        "tips",
        "factors",
        "fixed",
        "type",
    }
)
_JOB_STATES = {
    "pending": "scheduled",
    "running": "processing",
    "succeeded": "succeeded",
    "failed": "failed",
    "interrupted": "canceled",
}
_SAVING = ("Save", "Preview")


def workflow_view(service: Civitai, workflow: Workflow, hide: bool = False) -> JsonValue:
    """
    Give a workflow.

    Args:
        service: The service.
        workflow: The workflow.
        hide: Whether its mature files are left out.
    """
    template, faults = workflow.template, workflow.faults
    external = template.get("externalId")
    listed: list[JsonValue] = []
    if not workflow.estimate:
        used = _used(service, workflow) if workflow.status in TERMINAL else 0
        for kind, amount in (("debit", workflow.cost + used), ("credit", workflow.refunded)):
            if amount:
                name = f"{workflow.id}-{kind}"
                account = "yellow" if workflow.allow_mature else "blue"
                listed.append({"type": kind, "amount": amount, "id": name, "accountType": account})
    transactions: dict[str, JsonValue] = {"list": listed}
    if workflow.estimate:
        transactions["insufficientBuzz"] = faults.no_funds and workflow.cost > 0
    quantity = sum(step.input.get("quantity", 1) for step in workflow.steps if step.type == "comfy")
    view: dict[str, JsonValue] = {
        "id": None if workflow.estimate else workflow.id,
        "createdAt": iso(workflow.created),
        "startedAt": iso(workflow.started),
        "completedAt": iso(workflow.completed),
        "status": worded(workflow.status, faults),
        "steps": [step_view(service, workflow, step, hide) for step in workflow.steps],
        "tags": list(workflow.tags),
        "metadata": workflow.metadata,
        "arguments": template.get("arguments") or {},
        "callbacks": template.get("callbacks") or [],
        "tips": template.get("tips") or {"civitai": 0, "creators": 0},
        "currencies": template.get("currencies") or [],
        "cost": {
            "base": workflow.cost,
            "factors": {"quantity": float(quantity)} if quantity else {},
            "fixed": {},
            "tips": {"civitai": 0, "creators": 0},
            "total": workflow.cost,
        },
        "transactions": transactions,
        "upgradeMode": template.get("upgradeMode") or "manual",
        "allowMatureContent": workflow.allow_mature,
        "forceRefunded": False,
        "externalId": f"{USER}-{external}" if external else None,
    }
    return spoiled(view, faults, OPTIONAL)


def step_view(
    service: Civitai, workflow: Workflow, step: Step, hide: bool = False
) -> dict[str, JsonValue]:
    """
    Give a step.
    """
    faults = workflow.faults
    shares = [one.job.share for one in step.jobs]
    share = sum(shares) / len(shares) if shares else step.fetched
    view: dict[str, JsonValue] = {
        "$type": step.type,
        "name": step.name,
        "priority": step.priority,
        "timeout": step.timeout,
        "status": worded(step.status, faults),
        "startedAt": iso(step.started),
        "completedAt": iso(step.completed),
        "metadata": step.metadata,
        "estimatedProgressRate": None if step.status in TERMINAL else round(share, 3),
        "jobs": [_job_view(service, step, one, workflow) for one in step.jobs],
        "input": _spelled(step.input) if faults.spec_names else step.input,
    }
    if step.retries is not None:
        view["retries"] = step.retries
    if step.status == "preparing":
        view["preparation"] = {
            "resource": step.cold[0],
            "queuePosition": 0,
            "progress": round(step.fetched, 3),
        }
    output = _output(service, workflow, step, hide)
    if output is not None:
        view["output"] = output
    return view


def _job_view(
    service: Civitai, step: Step, one: StepJob, workflow: Workflow
) -> dict[str, JsonValue]:
    job = one.job
    status = _JOB_STATES[job.state]
    if status == "canceled" and step.status == "expired":
        status = "expired"
    view: dict[str, JsonValue] = {
        "id": one.id,
        "status": worded(status, workflow.faults),
        "cost": float(max(1, job.steps_all)),
        "startedAt": iso(job.started),
        "completedAt": iso(job.ended),
        "estimatedProgressRate": round(job.share, 3) if job.state == "running" else None,
    }
    if job.state in {"pending", "running"}:
        view["queuePosition"] = {
            "support": "available",
            "precedingJobs": service.engine.ahead_of(job),
        }
    if step.reason and not workflow.faults.no_reason and job.state in {"failed", "interrupted"}:
        view["reason"] = step.reason
    return view


def _output(
    service: Civitai, workflow: Workflow, step: Step, hide: bool
) -> dict[str, JsonValue] | None:
    if step.type not in {"comfy", "customComfy"}:
        return step.output
    if not step.jobs:
        return None
    kept: list[JsonValue] = []
    temporary: list[JsonValue] = []
    for one in step.jobs:
        if not workflow.faults.late_blobs:
            _announce(service, one)
        for blob in one.blobs:
            shown = blob_view(service, blob, workflow, hide)
            is_temporary = blob.file is not None and blob.file.folder == "temp"
            (temporary if is_temporary else kept).append(shown)
    output: dict[str, JsonValue] = {"blobs": kept}
    if step.error:
        output["errors"] = [step.error]
    if step.type == "customComfy":
        output["tempBlobs"] = temporary
        _live(service, workflow, step, output)
    return output


def _live(service: Civitai, workflow: Workflow, step: Step, output: dict[str, JsonValue]) -> None:
    if step.trace is not None:
        step.trace_polls += 1
        if step.trace_polls > workflow.faults.late_trace:
            ending = "bin" if step.trace.binary else "txt"
            name = f"{step.trace.key}.{ending}"
            sig = service.signature(step.trace.key, "")
            address = f"{service.host.base_url}/v2/consumer/streaming-blobs/{name}"
            output["traceUrl"] = f"{address}?sig={sig}"
    job = step.jobs[0].job
    if job.started is not None:
        now = job.ended or service.host.clock()
        seconds = max(0.0, now - job.started)
        output["usage"] = {
            "buzzPerSecond": 1.0,
            "runtimeSeconds": round(seconds, 3),
            "estimatedCost": max(1, round(seconds)),
            "startedAt": iso(job.started),
            "computedAt": iso(now),
        }


def _used(service: Civitai, workflow: Workflow) -> int:
    """What the steps that are paid by the second have cost."""
    runs = [step.jobs[0].job for step in workflow.steps if step.type == "customComfy" and step.jobs]
    now = service.host.clock()
    return sum(
        max(1, round((job.ended or now) - job.started)) for job in runs if job.started is not None
    )


def _spelled(given: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Give an input with the graph as the schema names its keys."""
    graph = given.get("comfyWorkflow")
    if not isinstance(graph, dict):
        return given
    nodes: dict[str, JsonValue] = {}
    for node_id, node in prompt_of(graph).items():
        nodes[node_id] = {"classType": node["class_type"], "inputs": node["inputs"]}
        if "_meta" in node:
            nodes[node_id]["meta"] = node["_meta"]
    return {**given, "comfyWorkflow": nodes}


def _announce(service: Civitai, one: StepJob) -> None:
    """Blobs are listed before they are there, one for every saving node."""
    if one.job.ended is not None or one.blobs:
        return
    for node_id in one.job.outputs:
        if one.job.class_of(node_id).startswith(_SAVING[0]):
            one.blobs.append(service.new_blob(_extension(one, node_id), one.id))


def _extension(one: StepJob, node_id: str) -> str:
    class_type = one.job.class_of(node_id)
    inputs = one.job.nodes[node_id].get("inputs", {})
    if str(inputs.get("format", "")).lower() in {"jpeg", "jpg"}:
        return "jpeg"
    names = {"Video": "mp4", "WEBM": "webm", "WEBP": "webp", "MP3": "mp3", "Audio": "flac"}
    return next((end for part, end in names.items() if part in class_type), "png")


def blob_view(
    service: Civitai, blob: Blob, workflow: Workflow | None, hide: bool = False
) -> dict[str, JsonValue]:
    """
    Give a blob, with a signed address if it is there and not withheld.
    """
    file = blob.file
    kind = file.kind if file is not None else "image"
    view: dict[str, JsonValue] = {
        "type": kind if kind in {"image", "video", "audio", "model3d"} else "image",
        "id": blob.id,
        "available": False,
        "url": None,
    }
    if blob.job_id is not None:
        view["jobId"] = blob.job_id
    faults = workflow.faults if workflow is not None else service.host.faults
    withheld = faults.withheld and workflow is not None and (hide or not workflow.allow_mature)
    if file is not None and withheld:
        view |= {"blockedReason": "siteRestricted", "nsfwLevel": "x"}
        file = None
    if file is not None:
        address, until = service.sign(blob, faults.url_ttl)
        view |= {"available": True, "url": address, "urlExpiresAt": until}
        view["nsfwLevel"] = "x" if faults.withheld else "pg"
        if file.width:
            view |= {"width": file.width, "height": file.height}
        if file.seconds is not None:
            view["duration"] = file.seconds
    if faults.untyped_blobs:
        del view["type"]
    return view
