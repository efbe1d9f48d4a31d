"""
Recipes: one step, its input as the body, its output as the answer. The call stays open until the
step is over, and no id comes back.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.emulator.civitai.checks import read_steps
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.views import step_view, workflow_view
from comfygraph.emulator.civitai.workflows import (
    answer,
    estimated,
    flag,
    plan,
    start,
    unpaid,
)
from comfygraph.emulator.web import faults_of, read_json

_KNOWN = frozenset({"comfy", "customComfy", "comfyNodepackSnapshot", "echo"})
_LONGEST = 3600.0
_TIERS = frozenset({"paid", "free"})


async def run(service: Civitai, request: Request) -> Response:
    """
    Run a recipe, or say what it would cost.
    """
    recipe = request.path_params["recipe"]
    if recipe not in _KNOWN:
        return problem(404)
    given = await read_json(request)
    faults = faults_of(request)
    allow = flag(request, "allowMatureContent", False)
    if request.query_params.get("tier", "paid") not in _TIERS:
        raise InvalidError({"tier": ["The value must be paid or free."]})
    for name in ("experimental", "ephemeral"):
        flag(request, name, False)
    body = {"steps": [{"$type": recipe, "input": given}]}
    try:
        steps = read_steps(body, 0.0, faults)
    except InvalidError as exc:
        # the body is the input itself, and so are its paths
        prefix = "steps[0].input."
        raise InvalidError(
            {path.removeprefix(prefix): said for path, said in exc.errors.items()}
        ) from None
    whatif = flag(request, "whatif", False)
    workflow = plan(service, body, steps, faults, estimate=whatif)
    if allow:
        workflow.allow_mature = True
    if whatif:
        return estimated(service, workflow, False)
    refused = unpaid(workflow)
    if refused is not None:
        return refused
    start(service, workflow)
    await service.wait_for(workflow, _LONGEST, any_change=False)
    if faults.recipe_style == "workflow":
        return answer(workflow_view(service, workflow))
    return answer(step_view(service, workflow, steps[0]).get("output") or {})


async def describe(service: Civitai, request: Request) -> Response:
    """
    Give the outline of a recipe's OpenAPI document.
    """
    recipe = request.path_params["recipe"]
    if recipe not in _KNOWN:
        return problem(404)
    text = (
        "openapi: 3.1.0\n"
        f"info: {{title: {recipe}, version: v2}}\n"
        f"paths: {{/v2/consumer/recipes/{recipe}: {{post: {{}}}}}}\n"
    )
    return Response(text, media_type="application/yaml")


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("POST", "/v2/consumer/recipes/{recipe}"): run}
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/v2/consumer/recipes/{recipe}/openapi.yaml"): describe}
)
