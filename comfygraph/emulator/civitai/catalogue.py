"""
Resources and services, and the two calls of the older interface that are still used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.checks import AIR
from comfygraph.emulator.civitai.model import StepJob, iso
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.views import workflow_view
from comfygraph.emulator.civitai.workflows import answer
from comfygraph.emulator.web import faults_of
from comfygraph.references.air import Air

_LAST = {"succeeded": "Succeeded", "failed": "Failed", "interrupted": "Canceled"}


def resource(air: str, *, enabled: bool = True) -> dict[str, JsonValue]:
    """
    Give what the service knows of a model; every well-formed AIR is one.

    Args:
        air: Its AIR.
        enabled: Whether jobs may use it.
    """
    digest = hashlib.sha256(air.encode()).hexdigest()
    return {
        "air": air,
        "size": 2132625894,
        "hashes": {"SHA256": digest.upper(), "AutoV2": digest[:10].upper()},
        "downloadUrls": [f"https://civitai.com/api/download/models/{int(digest[:6], 16)}"],
        "fileFormat": "safeTensor",
        "canGenerate": enabled,
        "checkPermission": False,
        "hasMatureContentRestriction": False,
        "hasNSFWContentRestriction": False,
        "resourceName": "Emulated resource",
        "versionName": "v1.0",
    }


async def read(service: Civitai, request: Request) -> Response:
    """
    Give one resource by its AIR, which stands in the path as it is.
    """
    air = request.path_params["air"]
    if "%2f" in request.scope["raw_path"].decode("latin-1").lower() or not AIR.fullmatch(air):
        raise InvalidError({"air": ["AIR is in an invalid format."]})
    version = Air.read(air)
    number = version.version_id if version is not None else None
    known = service.host.shelf.version(number) if number is not None else None
    if number is not None and known is None:
        return problem(404)
    # The answer has the AIR as it should be: its ecosystem corrects the one that was asked for.
    canonical = known.air if known is not None and known.documented else air
    return answer(resource(canonical, enabled=not faults_of(request).not_enabled))


async def query(service: Civitai, request: Request) -> Response:
    """
    Give the resources that are being fetched: none.
    """
    if request.query_params.get("view", "").lower() not in {"queue", "loaded"}:
        raise InvalidError({"view": ["The view field is required."]})
    loaded = request.query_params["view"].lower() == "loaded"
    items = [resource(air) for air in sorted(service.warm)] if loaded else []
    return answer({"next": None, "items": items})


async def services(service: Civitai, request: Request) -> Response:
    """
    Give the catalogue of step types.
    """
    names = ("utility/comfy", "utility/customComfy", "model/comfyNodepackSnapshot")
    rows = [{"id": name, "category": name.partition("/")[0], "status": "up"} for name in names]
    return answer({"items": rows, "total": len(rows)})


async def old_job(service: Civitai, request: Request) -> Response:
    """
    Give one job as the older interface does.
    """
    wanted = request.path_params["job_id"]
    for workflow in service.workflows.values():
        for step in workflow.steps:
            for one in step.jobs:
                if one.id == wanted:
                    return answer(_old_job(one))
    return problem(404)


def _old_job(one: StepJob) -> dict[str, JsonValue]:
    job = one.job
    word = _LAST.get(job.state, "Claimed" if job.state == "running" else "Initialized")
    return {
        "jobId": one.id,
        "cost": float(job.steps_all),
        "properties": {},
        "result": [{"blobKey": blob.id, "available": blob.file is not None} for blob in one.blobs],
        "scheduled": job.state == "pending",
        "lastEvent": {
            "jobId": one.id,
            "type": word,
            "dateTime": iso(job.ended or job.started or job.created),
            "provider": "emulator",
            "workerId": "emulator-0",
            "context": {},
            "jobType": "comfy",
        },
        "serviceProviders": {},
    }


async def manager(service: Civitai, request: Request) -> Response:
    """
    Give the workflows of a user as a bare list, ten at most.
    """
    found = sorted(service.workflows.values(), key=lambda one: one.id, reverse=True)
    return answer([workflow_view(service, workflow) for workflow in found[:10]])


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/resources"): query,
        ("GET", "/v2/resources/{air:path}"): read,
        ("GET", "/v1/consumer/jobs/{job_id}"): old_job,
        ("GET", "/v1/manager/workflows"): manager,
    }
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/v2/services"): services}
)
