"""
Resources and services, and the two calls of the older interface that are still used.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.checks import AIR
from comfygraph.emulator.civitai.model import StepJob, iso
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import Civitai, ServiceHandler
from comfygraph.emulator.civitai.workflows import answer, flag
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
    List the resources that wait to be fetched (`queue`), or that are at hand (`loaded`).
    """
    params = request.query_params
    view = params.get("view", "").lower()
    if view not in {"queue", "loaded"}:
        raise InvalidError({"view": ["The view field is required."]})
    try:
        take = max(1, min(int(params.get("take", "100")), 1000))
    except ValueError:
        raise InvalidError({"take": ["The value is not valid."]}) from None
    waiting = {
        air
        for workflow in service.workflows.values()
        for step in workflow.steps
        if step.status in ("unassigned", "preparing")
        for air in step.cold
    }
    found = sorted(service.warm if view == "loaded" else waiting - service.warm)
    start = params.get("cursor", "")
    found = [air for air in found if air > start]
    page = found[:take]
    status = {"queue": "queued", "loaded": "available"}[view]
    items = [{**resource(air), "availability": {"status": status}} for air in page]
    return answer({"next": page[-1] if len(page) < len(found) else None, "items": items})


_SERVICES = ("utility/comfy", "utility/customComfy", "model/comfyNodepackSnapshot", "utility/echo")


def _service(name: str) -> dict[str, JsonValue]:
    return {
        "id": name,
        "name": name.partition("/")[2],
        "category": name.partition("/")[0],
        "status": "up",
        "tags": [],
    }


async def services(service: Civitai, request: Request) -> Response:
    """
    Give the catalogue of step types.
    """
    params = request.query_params
    words, prefix = params.get("query", "").lower(), params.get("prefix", "")
    category = params.get("category", "")
    try:
        limit, offset = int(params.get("limit", "100")), int(params.get("offset", "0"))
    except ValueError:
        raise InvalidError({"limit": ["The value is not valid."]}) from None
    names = [
        name
        for name in _SERVICES
        if words in name.lower()
        and name.startswith(prefix)
        and (not category or name.startswith(f"{category}/"))
    ]
    rows = [_service(name) for name in names[max(offset, 0) :][: max(limit, 0)]]
    return answer({"items": rows, "total": len(names)})


async def one_service(service: Civitai, request: Request) -> Response:
    """
    Give one kind of step.
    """
    name = request.path_params["service_id"]
    return answer(_service(name)) if name in _SERVICES else problem(404)


async def old_job(service: Civitai, request: Request) -> Response:
    """
    Give one job as the older interface does; with `detailed`, what it was asked to do too.
    """
    wanted = request.path_params["job_id"]
    detailed = flag(request, "detailed", False)
    for workflow in service.workflows.values():
        for step in workflow.steps:
            for one in step.jobs:
                if one.id == wanted:
                    view = _old_job(one, withheld=workflow.faults.withheld)
                    if detailed:
                        view["job"] = {"$type": step.type, "params": step.input}
                    return answer(view)
    return problem(404)


def _old_job(one: StepJob, *, withheld: bool) -> dict[str, JsonValue]:
    job = one.job
    word = _LAST.get(job.state, "Claimed" if job.state == "running" else "Initialized")
    # what the scans of a finished picture say
    scans: dict[str, JsonValue] = {}
    if job.state == "succeeded":
        scans = {"nsfwLevel": "X" if withheld else "PG", "hive_csam_score": "0"}
        if withheld:
            scans["blocked_reason"] = "siteRestricted"
    started = job.started or job.created
    return {
        "jobId": one.id,
        "cost": float(job.steps_all),
        "properties": {},
        "result": [{"blobKey": blob.id, "available": blob.file is not None} for blob in one.blobs],
        "scheduled": job.state == "pending",
        "lastEvent": {
            "jobId": one.id,
            "type": word,
            "dateTime": iso(job.ended or started),
            "provider": "emulator",
            "workerId": "emulator-0",
            "context": scans,
            "claimDuration": str(timedelta(seconds=round(started - job.created))),
            "jobDuration": str(timedelta(seconds=round((job.ended or started) - started))),
            "retryAttempt": 0,
            "cost": float(job.steps_all),
            "jobType": "comfy",
            "jobPriority": job.number,
        },
        "serviceProviders": {},
    }


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/resources"): query,
        ("GET", "/v2/resources/{air:path}"): read,
        ("GET", "/v1/consumer/jobs/{job_id}"): old_job,
    }
)
OPEN_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/services"): services,
        ("GET", "/v2/services/{service_id:path}"): one_service,
    }
)
