"""
Changing workflows: cancel, metadata, tags, JSON Patch, delete.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.model import TERMINAL, Step, Workflow
from comfygraph.emulator.civitai.problems import Findings, InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.template import check_tags
from comfygraph.emulator.civitai.views import workflow_view
from comfygraph.emulator.civitai.workflows import answer, estimated, find, flag
from comfygraph.emulator.web import faults_of, read_json

_UPDATE = frozenset({"status", "metadata", "tags", "allowMatureContent", "downloadPriority"})


async def update(service: Civitai, request: Request) -> Response:
    """
    Cancel a workflow, or replace its metadata or tags.
    """
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    body = await read_json(request)
    if not isinstance(body, dict):
        raise InvalidError({"$": ["The value must be an object."]})
    unknown = [name for name in body if name not in _UPDATE]
    if unknown:
        raise InvalidError({name: ["The JSON property could not be mapped."] for name in unknown})
    if faults_of(request).conflicts and workflow.status in TERMINAL:
        return problem(409, "The workflow is over.")
    if body.get("allowMatureContent") is True and faults_of(request).no_funds:
        raise InvalidError({"messages": ["insufficientBuzz"]})
    if flag(request, "whatif", False):
        return estimated(service, workflow, False)
    _apply(service, workflow, body)
    if faults_of(request).put_body:
        return answer(workflow_view(service, workflow))
    return Response(status_code=204)


def _apply(service: Civitai, workflow: Workflow, body: Mapping[str, JsonValue]) -> None:
    metadata, tags = body.get("metadata"), body.get("tags")
    if not isinstance(metadata, dict | None):
        raise InvalidError({"metadata": ["The value must be an object."]})
    found = Findings()
    check_tags(found, tags)
    if body.get("downloadPriority", "high") != "high":
        found.add("downloadPriority", "The value must be high.")
    if not isinstance(body.get("allowMatureContent"), bool | None):
        found.add("allowMatureContent", "The value must be a boolean.")
    found.done()
    if body.get("status") is not None:
        if str(body["status"]).lower() != "canceled":
            raise InvalidError({"status": ["The value must be 'canceled'."]})
        if workflow.status not in TERMINAL:
            service.cancel(workflow)
    if metadata is not None:
        workflow.metadata = metadata
    if tags is not None:
        workflow.tags = tags
    if body.get("allowMatureContent") is not None:
        workflow.allow_mature = bool(body["allowMatureContent"])


async def patch(service: Civitai, request: Request) -> Response:
    """
    Change a workflow by JSON Patch: its metadata, its tags, its status.
    """
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    before: JsonValue = {"metadata": workflow.metadata, "tags": workflow.tags, "status": None}
    _apply(service, workflow, patched(before, await read_json(request)))
    return Response(status_code=204)


async def delete(service: Civitai, request: Request) -> Response:
    """
    Remove a workflow; what still runs is stopped.
    """
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    service.cancel(workflow)
    del service.workflows[workflow.id]
    return Response(status_code=204)


async def add_tag(service: Civitai, request: Request) -> Response:
    """
    Add one tag; the body is a JSON text.
    """
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    tag = await read_json(request)
    if not isinstance(tag, str) or not 0 < len(tag) <= 200 or len(workflow.tags) >= 10:
        raise InvalidError({"tag": ["At most 10 tags of at most 200 characters are allowed."]})
    if tag not in workflow.tags:
        workflow.tags.append(tag)
    return Response(status_code=204)


async def remove_tags(service: Civitai, request: Request) -> Response:
    """
    Remove one tag, or all.
    """
    workflow = find(service, request)
    if workflow is None:
        return problem(404)
    tag = request.path_params.get("tag")
    workflow.tags = [one for one in workflow.tags if tag is not None and one != tag]
    return Response(status_code=204)


async def update_step(service: Civitai, request: Request) -> Response:
    """
    Replace the metadata of a step.
    """
    step = _step(service, request)
    if step is None:
        return problem(404)
    body = await read_json(request)
    metadata = body.get("metadata") if isinstance(body, dict) else None
    if not isinstance(metadata, dict):
        raise InvalidError({"metadata": ["The metadata field is required."]})
    step.metadata = metadata
    return Response(status_code=204)


async def patch_step(service: Civitai, request: Request) -> Response:
    """
    Change the metadata of a step by JSON Patch.
    """
    step = _step(service, request)
    if step is None:
        return problem(404)
    changed = patched(step.metadata, await read_json(request))
    step.metadata = changed if isinstance(changed, dict) else {}
    return Response(status_code=204)


def _step(service: Civitai, request: Request) -> Step | None:
    workflow = find(service, request)
    name = request.path_params["step_name"]
    return next((one for one in workflow.steps if one.name == name), None) if workflow else None


def patched(document: JsonValue, operations: JsonValue) -> JsonValue:
    """
    Carry out a JSON Patch (RFC 6902).

    Raises:
        InvalidError: An operation does not fit the document.
    """
    import copy

    document = copy.deepcopy(document)
    for place, operation in enumerate(operations if isinstance(operations, list) else [None]):
        try:
            for simple in _simple(document, operation):
                _operate(document, simple)
        except (KeyError, IndexError, TypeError, ValueError, AttributeError):
            raise InvalidError({f"[{place}]": ["The operation does not fit."]}) from None
    return document


def _simple(document: JsonValue, operation: JsonValue) -> list[JsonValue]:
    """Write `move` and `copy` as what they come to."""
    import copy

    kind = operation["op"]
    if kind not in ("move", "copy"):
        return [operation]
    source = operation["from"]
    if operation["path"].startswith(f"{source}/"):
        raise ValueError(source)
    value = copy.deepcopy(_at(document, source))
    put = {"op": "add", "path": operation["path"], "value": value}
    return [{"op": "remove", "path": source}, put] if kind == "move" else [put]


def _at(document: JsonValue, path: str) -> JsonValue:
    for part in _parts(path):
        document = document[int(part)] if isinstance(document, list) else document[part]
    return document


def _parts(path: str) -> list[str]:
    if not path.startswith("/"):
        raise ValueError(path)
    return [part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/")]


def _operate(document: JsonValue, operation: JsonValue) -> None:
    kind, path = operation["op"], operation["path"]
    *above, last = _parts(path)
    holder = document
    for part in above:
        holder = holder[int(part)] if isinstance(holder, list) else holder[part]
    if isinstance(holder, list):
        index = len(holder) if last == "-" else int(last)
        if kind == "add":
            holder.insert(index, operation["value"])
        elif kind == "remove":
            del holder[index]
        elif kind == "replace":
            holder[index] = operation["value"]
        elif kind != "test" or holder[index] != operation["value"]:
            raise ValueError(kind)
    elif kind in {"add", "replace"}:
        holder[last] = operation["value"]
    elif kind == "remove":
        del holder[last]
    elif kind != "test" or holder[last] != operation["value"]:
        raise ValueError(kind)


_ONE = "/v2/consumer/workflows/{workflow_id}"
HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("PUT", _ONE): update,
        ("PATCH", _ONE): patch,
        ("DELETE", _ONE): delete,
        ("POST", f"{_ONE}/tags"): add_tag,
        ("DELETE", f"{_ONE}/tags"): remove_tags,
        ("DELETE", f"{_ONE}/tags/{{tag:path}}"): remove_tags,
        ("PUT", f"{_ONE}/steps/{{step_name:path}}"): update_step,
        ("PATCH", f"{_ONE}/steps/{{step_name:path}}"): patch_step,
    }
)
