"""
Carrying out a workflow: one step after the other, each through the ladder of states.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Mapping

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.callbacks import call_back
from comfygraph.emulator.civitai.checks import airs_of, prompt_of
from comfygraph.emulator.civitai.model import TERMINAL, Step, StepJob, Workflow
from comfygraph.emulator.civitai.service import Civitai
from comfygraph.emulator.civitai.trace import Trace
from comfygraph.emulator.host import rewritten
from comfygraph.emulator.jobs import Job

_GLANCE = 0.05
"""Seconds after which a workflow in the queue looks whether it was cancelled."""
_FETCH_TICKS = 4
_LAYER_IMAGE = "urn:air:oci:image:ghcr:civitai/civitai-spine-comfy-cloud@v2.7.5"


class _EndError(Exception):
    """The step ends here, and not well."""

    def __init__(self, status: str, message: str | None = None, reason: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.reason = reason


async def carry_out(service: Civitai, workflow: Workflow) -> None:
    """
    Run a workflow to its end.
    """
    for step in workflow.steps:
        try:
            if workflow.canceling:
                raise _EndError("canceled", reason="canceled")
            if any(other.status in TERMINAL - {"succeeded"} for other in workflow.steps):
                raise _EndError("canceled")
            await _step(service, workflow, step)
            _set(service, workflow, step, "succeeded")
        except _EndError as end:
            step.error, step.reason = end.message, end.reason
            if end.message:
                step.metadata = {**step.metadata, "error": end.message}
            _set(service, workflow, step, end.status)
        except Exception as exc:
            # A mistake of the emulator's own must not leave the workflow without an end.
            step.error = f"{type(exc).__name__}: {exc}"
            _set(service, workflow, step, "failed")


def _set(service: Civitai, workflow: Workflow, step: Step, status: str) -> None:
    now = service.host.clock()
    step.status = status  # type: ignore[assignment]  # the callers name statuses only
    if status == "processing" and step.started is None:
        step.started = now
    if step.status in TERMINAL:
        step.completed = now
        if workflow.faults.refunds and status in ("failed", "expired"):
            workflow.refunded = workflow.cost
        if step.trace is not None:
            step.trace.end()
    workflow.roll_up(now)
    call_back(service, workflow, step)


async def _step(service: Civitai, workflow: Workflow, step: Step) -> None:
    await _pause(service, workflow)
    given = service.resolved(workflow, step.input)
    await _slow_start(workflow)
    if step.cold:
        _set(service, workflow, step, "preparing")
        for tick in range(_FETCH_TICKS):
            step.fetched = tick / _FETCH_TICKS
            await _pause(service, workflow)
        service.warm.update(step.cold)
    if workflow.faults.expire_jobs:
        raise _EndError("expired")
    if step.type == "echo":
        _set(service, workflow, step, "processing")
        step.output = {"message": given.get("message")}
    elif step.type == "comfyNodepackSnapshot":
        _set(service, workflow, step, "processing")
        await _pause(service, workflow)
        step.output = {"results": [_layer(pack) for pack in given["nodepacks"]]}
    else:
        await _graph(service, workflow, step, given)


async def _slow_start(workflow: Workflow) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + workflow.faults.slow_start
    while (left := until - loop.time()) > 0:
        await asyncio.sleep(min(left, _GLANCE))
        if workflow.canceling:
            raise _EndError("canceled", reason="canceled")


async def _pause(service: Civitai, workflow: Workflow) -> None:
    await service.engine.pause()
    if workflow.canceling:
        raise _EndError("canceled", reason="canceled")


def _layer(pack: str) -> JsonValue:
    name = pack.partition("urn:air:comfy:nodepack:")[2]
    return {
        "nodepack": pack,
        "layerAir": f"urn:air:comfy:nodepacklayer:{name}+{_LAYER_IMAGE.encode().hex()}",
    }


async def _graph(
    service: Civitai, workflow: Workflow, step: Step, given: Mapping[str, JsonValue]
) -> None:
    custom = step.type == "customComfy"
    prompt = prompt_of(given["workflow" if custom else "comfyWorkflow"])
    if custom:
        declared = {air.lower() for air in given["resources"] if isinstance(air, str)}
        for air, (node_id, name) in airs_of(prompt).items():
            if air.lower() not in declared:
                text = f"node {node_id}: value not in list: {name}: '{air}' is no declared resource"
                raise _EndError("failed", text, "failed")
    verdict = service.host.check(prompt, None)
    if verdict.status != 200:
        raise _EndError("failed", _said(verdict.to_json()), "failed")
    nodes = rewritten(prompt, verdict)
    if custom and given.get("trace", "none") != "none":
        bursts = workflow.faults.trace_bursts
        step.trace = Trace(uuid.uuid4().hex, given["trace"] == "binary", bursts)
        service.traces[step.trace.key] = (step.trace, workflow)
    for number in range(1 if custom else given.get("quantity", 1)):
        job = Job(
            id=str(uuid.uuid4()),
            number=_priority(step),
            nodes=nodes,
            outputs=list(verdict.outputs),
            faults=workflow.faults,
            metadata={"prompt": nodes},
            salt=f"{workflow.id}/{step.name}/{number}",
            created=service.host.clock() - workflow.faults.slow_start,
        )
        step.jobs.append(StepJob(str(uuid.uuid4()), job))
        service.owners[job.id] = (workflow, step)
        service.engine.put(job)
    _set(service, workflow, step, "scheduled")
    await _wait(service, workflow, step)


def _priority(step: Step) -> float:
    return {"high": 0.0, "normal": 1.0, "low": 2.0}[step.priority]


async def _wait(service: Civitai, workflow: Workflow, step: Step) -> None:
    broke = workflow.faults.out_of_buzz if step.type == "customComfy" else 0.0
    try:
        async with asyncio.timeout(min(step.seconds, broke) if broke else step.seconds):
            for one in step.jobs:
                await one.job.over.wait()
    except TimeoutError:
        for one in step.jobs:
            service.engine.stop_job(one.job)
        for one in step.jobs:
            await one.job.over.wait()
        if 0 < broke < step.seconds:
            # the same on the wire as a cancel
            raise _EndError("canceled", reason="canceled") from None
        raise _EndError("expired", reason="timeout") from None
    finally:
        for one in step.jobs:
            service.register_blobs(one)
    if workflow.canceling:
        raise _EndError("canceled", reason="canceled")
    for one in step.jobs:
        failure = one.job.failure
        if failure is not None:
            text = f"node {failure.node_id} ({failure.node_type}): {failure.message.strip()}"
            raise _EndError("failed", text, "failed")
        if one.job.state != "succeeded":
            raise _EndError("canceled", reason="canceled")


def _said(body: JsonValue) -> str:
    """Give what the worker's ComfyUI says of a graph that it refuses, in one line."""
    if not isinstance(body, dict):
        return "the worker's ComfyUI stumbled over the graph"
    texts = [body.get("error", {}).get("message", "")]
    for node_id, found in body.get("node_errors", {}).items():
        texts += [
            f"node {node_id}: {item['message']}: {item['details']}" for item in found["errors"]
        ]
    return "; ".join(text for text in texts if text)
