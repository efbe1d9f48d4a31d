"""
What the callbacks of a workflow are told: of the workflow, of its steps, of their jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.model import TERMINAL, Step, Workflow, iso
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.signals import JobEnded, NodeStepped, RunStarted, Signal

if TYPE_CHECKING:
    from comfygraph.emulator.civitai.service import Civitai

_JOB_ENDS = {"succeeded": "succeeded", "failed": "failed", "interrupted": "canceled"}


def call_back(service: Civitai, workflow: Workflow, step: Step) -> None:
    """
    Tell the callbacks of a workflow that a step, and maybe the workflow, has changed.
    """
    _put(service, workflow, "step", step.status, {"name": step.name}, _step_details(step))
    if workflow.status in TERMINAL or workflow.status in ("preparing", "processing"):
        details: dict[str, JsonValue] = {
            "metadata": workflow.metadata,
            "createdAt": iso(workflow.created),
            "startedAt": iso(workflow.started),
            "completedAt": iso(workflow.completed),
            "steps": [
                {"name": one.name, "status": one.status, "metadata": one.metadata}
                for one in workflow.steps
            ],
        }
        _put(service, workflow, "workflow", workflow.status, {}, details)


def call_back_job(
    service: Civitai, workflow: Workflow, step: Step, job: Job, signal: Signal
) -> None:
    """
    Tell the callbacks of a workflow how a job of a step is; progress comes again and again.
    """
    name = next((one.id for one in step.jobs if one.job is job), "")
    more: dict[str, JsonValue] = {"stepName": step.name, "jobId": name}
    if isinstance(signal, RunStarted | NodeStepped):
        more["progress"] = round(job.share, 3)
        _put(service, workflow, "job", "processing", more, {})
    elif isinstance(signal, JobEnded):
        _put(service, workflow, "job", _JOB_ENDS.get(job.state, "failed"), more, {})


def _put(
    service: Civitai,
    workflow: Workflow,
    kind: str,
    status: str,
    more: dict[str, JsonValue],
    details: dict[str, JsonValue],
) -> None:
    callbacks = workflow.template.get("callbacks")
    for callback in callbacks if isinstance(callbacks, list) else ():
        if not {f"{kind}:*", f"{kind}:{status}"}.intersection(callback["type"]):
            continue
        event: dict[str, JsonValue] = {
            "$type": kind,
            "workflowId": workflow.id,
            "status": status,
            **more,
            "timestamp": iso(service.host.clock()),
        }
        if callback.get("detailed") and details:
            event["details"] = details
        service.webhooks.put(callback["url"], event)


def _step_details(step: Step) -> dict[str, JsonValue]:
    return {
        "startedAt": iso(step.started),
        "completedAt": iso(step.completed),
        "estimatedProgressRate": round(step.fetched, 3),
        "retries": step.retries or 0,
        "metadata": step.metadata,
        "input": step.input,
    }
