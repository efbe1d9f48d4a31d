"""
The routes of workflow jobs: submit, check, read, cancel.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.jobs import ENDED
from comfygraph.emulator.tams.service import ServiceHandler, Tams, TamsJob, problem
from comfygraph.emulator.tams.submit import (
    ArgumentsError,
    checked,
    known_fields,
    nodes_of,
    price,
    refused_check,
    take,
)
from comfygraph.emulator.tams.views import job_view
from comfygraph.emulator.web import faults_of, json_answer, read_object


async def submit(service: Tams, request: Request) -> Response:
    """
    Take a graph as a job.
    """
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "params", "runningNotifyUrl")
        return take(service, request, body, nodes_of(body.get("params"), faults_of(request)))
    except ArgumentsError as exc:
        return exc.answer


async def check(service: Tams, request: Request) -> Response:
    """
    Check a graph and say what it costs.
    """
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "params", "runningNotifyUrl")
        faults = faults_of(request)
        nodes, _ = checked(service, nodes_of(body.get("params"), faults), faults)
    except ArgumentsError as exc:
        return refused_check(request, exc)
    return json_answer({"valid": True, "credits": price(service, nodes)})


async def read(service: Tams, request: Request) -> Response:
    """
    Give a job.
    """
    known = _find(service, request)
    if known is None:
        return _missing()
    view = known.echo.of(job_view(service, known), known.job.faults)
    return json_answer({"job": view})


async def delete(service: Tams, request: Request) -> Response:
    """
    Cancel a job, the older way.
    """
    if faults_of(request).cancel_style == "post":
        return problem(405, 12, "Method Not Allowed")
    return _cancel(service, request, {"jobId": request.path_params["job_id"]})


async def cancel(service: Tams, request: Request) -> Response:
    """
    Cancel a job, the newer way.
    """
    if faults_of(request).cancel_style == "delete":
        return problem(404, 5, "Not Found")
    return _cancel(service, request, {})


def _cancel(service: Tams, request: Request, body: JsonValue) -> Response:
    known = _find(service, request)
    if known is None:
        return _missing()
    faults = faults_of(request)
    if known.job.state in ENDED and faults.late_cancel == "refuse":
        return problem(400, 9, "the job is already finished")
    service.engine.stop_job(known.job)
    match faults.cancel_answer:
        case "job":
            return json_answer({"job": job_view(service, known)})
        case "nothing":
            return Response()
        case _:
            return json_answer(body)


def _find(service: Tams, request: Request) -> TamsJob | None:
    return service.jobs.get(request.path_params["job_id"])


def _missing() -> Response:
    return problem(404, 5, "Not Found: job not found")


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("POST", "/v1/jobs/workflow"): submit,
        ("POST", "/v1/jobs/workflow/params/check"): check,
        ("GET", "/v1/jobs/{job_id}"): read,
        ("DELETE", "/v1/jobs/{job_id}"): delete,
        ("POST", "/v1/jobs/{job_id}/cancel"): cancel,
    }
)
