"""
`/api/v2/jobs`: handing in, listing, asking, cancelling.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.comfyapi.service import ApiJob, ComfyApi, ServiceHandler, problem
from comfygraph.emulator.comfyapi.views import job_view
from comfygraph.emulator.host import rewritten
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.web import faults_of, json_answer, read_object

_FIELDS = frozenset({"workflow", "extra_data"})
_ASSET = "core/ASSET"
_LISTED = 50


class MissingAssetError(Exception):
    """A graph names an asset that was not uploaded; the argument is its id."""


async def create_job(service: ComfyApi, request: Request) -> Response:
    """
    Take a job. A key is good once: it is freed only where the submit surely made no job.
    """
    body = await read_object(request)
    key = request.headers.get("idempotency-key", "")
    if key and key in service.keys:
        return problem(422, "idempotency_key_reuse", "this idempotency key was used before")
    reserved = sorted(body.keys() - _FIELDS)
    if reserved:
        return problem(400, "invalid_request", f"`{reserved[0]}` is not supported")
    workflow = body.get("workflow")
    if not isinstance(workflow, dict) or not workflow:
        return problem(422, "invalid_workflow", "`workflow` is no graph")
    if isinstance(workflow.get("nodes"), list):
        return problem(
            422, "workflow_format_ui", "this is the editor's format; export it for the API"
        )
    faults = faults_of(request)
    if faults.no_funds:
        return problem(402, "insufficient_credits", "not enough credits")
    try:
        prompt = {node_id: _with_files(service, node) for node_id, node in workflow.items()}
    except MissingAssetError as exc:
        return problem(422, "missing_asset", f"asset {exc} not found")
    verdict = service.host.check(prompt, None)
    if verdict.status != 200:
        said = verdict.to_json() if verdict.status < 500 else {}
        errors = said.get("node_errors") or {} if isinstance(said, dict) else {}
        details = {"node_errors": errors}
        return problem(422, "invalid_workflow", "the workflow failed validation", details)
    nodes = rewritten(prompt, verdict)
    job = Job(
        id=str(uuid.uuid4()),
        number=len(service.jobs),
        nodes=nodes,
        outputs=list(verdict.outputs),
        faults=faults,
        metadata={"prompt": nodes},
        created=service.engine.clock(),
    )
    known = service.jobs[job.id] = ApiJob(job, key)
    if key:
        service.keys.add(key)
    service.engine.put(job)
    if faults.expire_jobs:
        service.engine.withdraw(job)
    service.host.account.submit("comfyapi")
    return json_answer(job_view(service, known), 201)


def _with_files(service: ComfyApi, node: JsonValue) -> JsonValue:
    inputs = node.get("inputs") if isinstance(node, dict) else None
    if not isinstance(inputs, dict):
        return node
    return {**node, "inputs": {name: _file(service, value) for name, value in inputs.items()}}


def _file(service: ComfyApi, value: JsonValue) -> JsonValue:
    if not isinstance(value, dict) or value.get("__type") != _ASSET:
        return value
    info = value.get("info")
    asset = info.get("id") if isinstance(info, dict) else None
    if not isinstance(asset, str) or asset not in service.assets:
        raise MissingAssetError(asset)
    return service.assets[asset]


async def list_jobs(service: ComfyApi, request: Request) -> Response:
    """
    Give the newest jobs first.
    """
    newest = list(service.jobs.values())[::-1][:_LISTED]
    keys = faults_of(request).shown_keys
    return json_answer({"jobs": [job_view(service, known, keys=keys) for known in newest]})


async def get_job(service: ComfyApi, request: Request) -> Response:
    """
    Give one job.
    """
    known = service.jobs.get(request.path_params["job_id"])
    return _lost() if known is None else json_answer(job_view(service, known))


async def cancel_job(service: ComfyApi, request: Request) -> Response:
    """
    Stop a job; nothing happens to one that is over.
    """
    known = service.jobs.get(request.path_params["job_id"])
    if known is None:
        return _lost()
    service.engine.stop_job(known.job)
    return json_answer(job_view(service, known))


def _lost() -> Response:
    return problem(404, "not_found", "job not found")


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", "/api/v2/jobs"): create_job,
        ("GET", "/api/v2/jobs"): list_jobs,
        ("GET", "/api/v2/jobs/{job_id}"): get_job,
        ("POST", "/api/v2/jobs/{job_id}/cancel"): cancel_job,
    }
)
