"""
Submitting, reading and listing workflows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
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
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.web import faults_of, json_answer, read_json

_JSON = "application/json; charset=utf-8"
_WORDS = {"true": True, "false": False}
_NOT_ENABLED = "Emulated resource is not enabled for generation. Please contact support"
_GATE = "insufficientBuzz: the balance does not pay for the minimum duration."


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
    whatif = flag(request, "whatif", False)
    body = await read_json(request)
    faults = faults_of(request)
    steps = read_steps(body, wait, faults)
    external = body.get("externalId")
    if external is not None and external in service.external:
        return await _shown(service, request, service.external[external], wait)
    workflow = plan(service, body, steps, faults, estimate=whatif)
    if whatif and any(refers(step.input) for step in steps):
        # the service stumbles over references between steps in an estimate
        return problem(500)
    if external is not None:
        # Also after an estimate: the service knows one key once.
        service.external[external] = workflow
    if whatif:
        return estimated(service, workflow, _hides(request))
    refused = unpaid(workflow)
    if refused is not None:
        return refused
    start(service, workflow)
    return await _shown(service, request, workflow, wait)


def plan(
    service: Civitai,
    body: dict[str, JsonValue],
    steps: list[Step],
    faults: Faults,
    *,
    estimate: bool,
) -> Workflow:
    """
    Make a workflow of a checked body; nothing runs yet.

    Raises:
        InvalidError: ComfyUI would refuse a graph, jobs may not use a model, or the account cannot
            pay for the least time.
    """
    if faults.bad_graphs == "reject":
        _check_graphs(service, steps)
    if faults.not_enabled and any(_resources(step) for step in steps):
        raise InvalidError({"messages": [_NOT_ENABLED]})
    for index, step in enumerate(steps):
        if faults.no_funds and step.input.get("minimumDurationSeconds"):
            raise InvalidError({f"steps[{index}].input.minimumDurationSeconds": [_GATE]})
    return Workflow(
        id=service.new_id(opaque=faults.opaque_ids),
        created=service.host.clock(),
        steps=steps,
        template=body,
        tags=list(body.get("tags") or []),
        metadata=dict(body.get("metadata") or {}),
        cost=sum(_cost(service, step) for step in steps),
        faults=faults,
        estimate=estimate,
        allow_mature=body.get("allowMatureContent"),
    )


def start(service: Civitai, workflow: Workflow) -> None:
    """
    Let a workflow run.
    """
    for step in workflow.steps:
        step.cold = [air for air in _resources(step) if air not in service.warm]
    service.workflows[workflow.id] = workflow
    service.host.account.submit("civitai")
    service.begin(workflow)


def unpaid(workflow: Workflow) -> Response | None:
    """
    Give the answer to a submit that cannot be paid, where the knobs say so.
    """
    faults = workflow.faults
    if not faults.plain_forbidden or not (workflow.cost or workflow.is_custom):
        return None
    if faults.money_status == 402:
        return Response(status_code=402)
    if faults.money_status == 400:
        body = {"title": "Bad Request", "status": 400, "errors": {"messages": ["insufficientBuzz"]}}
        return answer(body, 400)
    return answer("You do not have enough Buzz for this workflow.", 403)


def estimated(service: Civitai, workflow: Workflow, hide: bool) -> Response:
    """
    Give an estimate: the workflow that there would be, and its price in headers too.
    """
    shown = answer(workflow_view(service, workflow, hide))
    shown.headers["X-Civitai-Cost-Total"] = str(workflow.cost)
    shown.headers["X-Civitai-Cost-By-Currency"] = f"blue={workflow.cost}"
    lacking = workflow.faults.no_funds and workflow.cost > 0
    shown.headers["X-Civitai-Insufficient-Buzz"] = str(lacking).lower()
    return shown


def refers(value: JsonValue) -> bool:
    """
    Tell whether a value holds a reference to another step.
    """
    todo = [value]
    while todo:
        item = todo.pop()
        if isinstance(item, dict):
            if "$ref" in item and item["$ref"] != "$arguments":
                return True
            todo += item.values()
        elif isinstance(item, list):
            todo += item
    return False


async def _shown(service: Civitai, request: Request, workflow: Workflow, wait: float) -> Response:
    if wait > 0 and not workflow.estimate:
        await service.wait_for(workflow, wait, any_change=False)
    done = workflow.status in TERMINAL or workflow.estimate
    return answer(workflow_view(service, workflow, _hides(request)), 200 if done else 202)


def _hides(request: Request) -> bool:
    return flag(request, "hideMatureContent", False)


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
        return min(float(int(text)), faults_of(request).wait_cap)
    except ValueError:
        raise wrong from None


def flag(request: Request, name: str, default: bool) -> bool:
    """
    Read a boolean of the query.

    Raises:
        InvalidError: It is none.
    """
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
    if until not in {"completion", "change"}:
        raise InvalidError({"until": [f"The value '{until}' is not valid."]})
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    if wait > 0:
        await service.wait_for(workflow, wait, any_change=until == "change")
    status = 200 if workflow.status in TERMINAL or wait <= 0 else 202
    view = workflow_view(service, workflow, _hides(request))
    view = workflow.echo.of(view, workflow.faults)
    return answer(view, status)


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
        ("GET", f"{_WORKFLOWS}/{{workflow_id}}"): read,
        ("GET", f"{_WORKFLOWS}/{{workflow_id}}/steps/{{step_name:path}}"): read_step,
    }
)
