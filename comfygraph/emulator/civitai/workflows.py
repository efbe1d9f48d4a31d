"""
Submitting, reading and listing workflows.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.checks import airs_of, prompt_of, read_steps
from comfygraph.emulator.civitai.model import TERMINAL, Step, Workflow
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.views import step_view, workflow_view
from comfygraph.emulator.estimate import work_of
from comfygraph.emulator.web import faults_of, json_answer, read_json

_JSON = "application/json; charset=utf-8"
_WORDS = {"true": True, "false": False}


def answer(value: JsonValue, status: int = 200) -> Response:
    """
    Answer with JSON.
    """
    return json_answer(value, status, media_type=_JSON)


async def submit(service: Civitai, request: Request) -> Response:
    """
    Take a workflow, or say what it would cost (`whatif`), or give the one that the same
    `externalId` made before.
    """
    wait = _wait(request)
    whatif = _flag(request, "whatif", False)
    body = await read_json(request)
    faults = faults_of(request)
    steps = read_steps(body, wait)
    external = body.get("externalId")
    if external is not None and external in service.external:
        return await _shown(service, service.external[external], wait)
    if faults.bad_graphs == "reject":
        _check_graphs(service, steps)
    cost = sum(_cost(service, step) for step in steps)
    if faults.plain_forbidden and cost and not whatif:
        return answer("You do not have enough Buzz for this workflow.", 403)
    workflow = Workflow(
        id=service.new_id(),
        created=service.host.clock(),
        steps=steps,
        template=body,
        tags=list(body.get("tags") or []),
        metadata=dict(body.get("metadata") or {}),
        cost=cost,
        faults=faults,
        estimate=whatif,
        allow_mature=body.get("allowMatureContent"),
    )
    if external is not None:
        # Also after an estimate: the service knows one key once.
        service.external[external] = workflow
    if whatif:
        return answer(workflow_view(service, workflow))
    for step in steps:
        step.cold = [air for air in _resources(step) if air not in service.warm]
    service.workflows[workflow.id] = workflow
    service.host.account.submit("civitai")
    service.begin(workflow)
    return await _shown(service, workflow, wait)


async def _shown(
    service: Civitai, workflow: Workflow, wait: float, *, any_change: bool = False
) -> Response:
    if wait > 0 and not workflow.estimate:
        await service.wait_for(workflow, wait, any_change=any_change)
    done = workflow.status in TERMINAL or workflow.estimate
    return answer(workflow_view(service, workflow), 200 if done else 202)


def _wait(request: Request) -> float:
    text = request.query_params.get("wait")
    if text is None:
        return 0.0
    wrong = InvalidError({"wait": [f"The value '{text}' is not valid."]})
    if faults_of(request).wait_bool:
        if text.lower() not in _WORDS:
            raise wrong
        return 30.0 if _WORDS[text.lower()] else 0.0
    try:
        return float(int(text))
    except ValueError:
        raise wrong from None


def _flag(request: Request, name: str, default: bool) -> bool:
    text = request.query_params.get(name)
    if text is None:
        return default
    if text.lower() not in _WORDS:
        raise InvalidError({name: [f"The value '{text}' is not valid."]})
    return _WORDS[text.lower()]


def _resources(step: Step) -> list[str]:
    if step.type == "customComfy":
        return [air for air in step.input["resources"] if isinstance(air, str)]
    return list(airs_of(step.input["comfyWorkflow"])) if step.type == "comfy" else []


def _check_graphs(service: Civitai, steps: list[Step]) -> None:
    errors: dict[str, list[str]] = {}
    for index, step in enumerate(steps):
        if step.type != "comfy":
            continue
        path = f"steps[{index}].input.comfyWorkflow"
        verdict = service.host.check(prompt_of(step.input["comfyWorkflow"]), None)
        if verdict.status == 200:
            continue
        body = verdict.to_json()
        found = body.get("node_errors", {}) if isinstance(body, dict) else {}
        for node_id, item in found.items():
            for error in item["errors"]:
                name = (error.get("extra_info") or {}).get("input_name")
                where = f"{path}.{node_id}" + (f".inputs.{name}" if name else "")
                text = f"{error['message']}: {error['details']}".strip(": ")
                errors.setdefault(where, []).append(text)
        if not found:
            said = body.get("error", {}).get("message") if isinstance(body, dict) else None
            errors[path] = [said or "The workflow is not valid."]
    if errors:
        raise InvalidError(errors)


def _cost(service: Civitai, step: Step) -> int:
    if step.type != "comfy":
        return 0
    prompt = prompt_of(step.input["comfyWorkflow"])
    work = work_of(prompt, service.engine.catalog, service.engine.file_frame)
    return max(1, math.ceil(work / 5)) * int(step.input.get("quantity", 1))


def find(service: Civitai, request: Request) -> Workflow | None:
    """
    Give the workflow that the path names; an ephemeral one is gone once it is over.
    """
    workflow = service.workflows.get(request.path_params["workflow_id"])
    if workflow is None:
        return None
    gone = workflow.template.get("ephemeral") and workflow.status in TERMINAL
    return None if gone else workflow


async def read(service: Civitai, request: Request) -> Response:
    """
    Give a workflow, at once or when it is over (or has changed) or time is up.
    """
    wait = _wait(request)
    until = request.query_params.get("until", "completion")
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    if wait > 0:
        await service.wait_for(workflow, wait, any_change=until == "change")
    status = 200 if workflow.status in TERMINAL or wait <= 0 else 202
    view = workflow.echo.of(workflow_view(service, workflow), workflow.faults)
    return answer(view, status)


async def query(service: Civitai, request: Request) -> Response:
    """
    List workflows, newest first, filtered and by pages.
    """
    params = request.query_params
    try:
        take = int(params.get("take", "100"))
        first, last = _moment(params.get("fromDate")), _moment(params.get("toDate"))
    except ValueError:
        raise InvalidError({"query": ["A number or a date is not valid."]}) from None
    ascending = _flag(request, "ascending", False)
    drop_failed = _flag(request, "excludeFailed", False)
    tags, words = params.getlist("tags"), params.get("query", "").lower()
    found = [
        workflow
        for workflow in service.workflows.values()
        if set(tags) <= set(workflow.tags)
        and (not words or words in json.dumps(workflow.metadata).lower())
        and (first is None or workflow.created >= first)
        and (last is None or workflow.created <= last)
        and not (drop_failed and workflow.status in {"failed", "expired", "canceled"})
    ]
    found.sort(key=lambda workflow: workflow.id, reverse=not ascending)
    cursor = params.get("cursor")
    if cursor:
        found = [item for item in found if (item.id > cursor if ascending else item.id < cursor)]
    page = found[: max(1, min(take, 1000))]
    following = page[-1].id if len(page) < len(found) else None
    items = [workflow_view(service, workflow) for workflow in page]
    return answer({"next": following, "items": items})


def _moment(text: str | None) -> float | None:
    if not text:
        return None
    return datetime.fromisoformat(text).timestamp()


async def read_step(service: Civitai, request: Request) -> Response:
    """
    Give one step.
    """
    workflow = find(service, request)
    name = request.path_params["step_name"]
    step = next((one for one in workflow.steps if one.name == name), None) if workflow else None
    if workflow is None or step is None:
        return problem(404)
    return answer(step_view(service, workflow, step))


_WORKFLOWS = "/v2/consumer/workflows"
HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", _WORKFLOWS): submit,
        ("GET", _WORKFLOWS): query,
        ("GET", f"{_WORKFLOWS}/{{workflow_id}}"): read,
        ("GET", f"{_WORKFLOWS}/{{workflow_id}}/steps/{{step_name}}"): read_step,
    }
)
