"""
The queue, the history, and the newer view of both as jobs (`server.py`,
`comfy_execution/jobs.py`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.comfyui.service import ComfyUI, ServiceHandler, answer
from comfygraph.emulator.comfyui.submit import is_job_id
from comfygraph.emulator.comfyui.views import (
    STATUSES,
    history_entry,
    job_detail,
    job_summary,
    queue_item,
    status_of,
    workflow_id,
)
from comfygraph.emulator.jobs import ENDED, Job
from comfygraph.emulator.web import BodyError, faults_of, read_object


async def get_queue(service: ComfyUI, request: Request) -> Response:
    """
    Give the running and the waiting jobs, as the queue holds them.
    """
    running = service.engine.running
    return answer(
        {
            "queue_running": [queue_item(running)] if running is not None else [],
            "queue_pending": [queue_item(job) for job in service.engine.pending()],
        }
    )


async def post_queue(service: ComfyUI, request: Request) -> Response:
    """
    Take jobs out of the queue: `{"clear": true}` or `{"delete": [ids]}`.
    """
    body = await read_object(request)
    engine = service.engine
    if body.get("clear"):
        for job in engine.pending():
            engine.withdraw(job)
    gone = _ids(body)
    for job in engine.pending():
        if job.id in gone:
            engine.withdraw(job)
    return Response()


async def post_interrupt(service: ComfyUI, request: Request) -> Response:
    """
    Stop what runs; with `prompt_id`, only if it is that job.
    """
    try:
        job_id = (await read_object(request, empty={})).get("prompt_id")
    except BodyError:
        # `post_interrupt` takes what it cannot read for an empty body.
        job_id = None
    running = service.engine.running
    if running is not None and (not job_id or running.id == job_id):
        service.engine.stop_job(running)
    return Response()


async def get_history(service: ComfyUI, request: Request) -> Response:
    """
    Give the finished jobs, oldest first; `max_items` keeps the newest.
    """
    jobs = list(service.engine.history.values())
    most, offset = _whole(request, "max_items"), _whole(request, "offset")
    if most is not None:
        first = offset if offset is not None and offset >= 0 else max(0, len(jobs) - most)
        jobs = jobs[first : first + most]
    elif offset is not None and offset >= 0:
        jobs = jobs[offset:]
    return answer({job.id: history_entry(job, service.messages) for job in jobs})


async def get_history_of(service: ComfyUI, request: Request) -> Response:
    """
    Give one finished job, `{}` for one that is not.
    """
    job = service.engine.history.get(request.path_params["prompt_id"])
    if service.host.counts.strikes(faults_of(request), "empty_history"):
        job = None
    return answer({job.id: history_entry(job, service.messages)} if job is not None else {})


async def post_history(service: ComfyUI, request: Request) -> Response:
    """
    Forget finished jobs: `{"clear": true}` or `{"delete": [ids]}`.
    """
    body = await read_object(request)
    history = service.engine.history
    for job_id in list(history) if body.get("clear") else _ids(body):
        history.pop(job_id, None)
        service.messages.pop(job_id, None)
    return Response()


async def list_jobs(service: ComfyUI, request: Request) -> Response:
    """
    Give all jobs, newest first, filtered and by pages.
    """
    query = request.query_params
    wanted = [part.strip().lower() for part in query.get("status", "").split(",") if part.strip()]
    unknown = [part for part in wanted if part not in STATUSES]
    if unknown:
        return _bad(
            f"Invalid status value(s): {', '.join(unknown)}. Valid values: {', '.join(STATUSES)}"
        )
    sort_by = query.get("sort_by", "created_at").lower()
    if sort_by not in {"created_at", "execution_duration"}:
        return _bad("sort_by must be 'created_at' or 'execution_duration'")
    order = query.get("sort_order", "desc").lower()
    if order not in {"asc", "desc"}:
        return _bad("sort_order must be 'asc' or 'desc'")
    limit, offset = _whole(request, "limit"), max(0, _whole(request, "offset") or 0)
    if "limit" in query and (limit is None or limit < 1):
        return _bad("limit must be a positive integer")

    engine, messages = service.engine, service.messages
    jobs = [*engine.history.values(), *engine.pending()]
    jobs += [engine.running] if engine.running is not None else []
    if wanted:
        jobs = [job for job in jobs if status_of(job, messages) in wanted]
    if (wanted_id := query.get("workflow_id")) is not None:
        jobs = [job for job in jobs if workflow_id(job) == wanted_id]
    key = _duration if sort_by == "execution_duration" else _created
    jobs.sort(key=key, reverse=order == "desc")
    page = jobs[offset : offset + limit if limit is not None else None]
    return answer(
        {
            "jobs": [job_summary(job, messages) for job in page],
            "pagination": {
                "offset": offset,
                "limit": limit,
                "total": len(jobs),
                "has_more": offset + len(page) < len(jobs),
            },
        }
    )


async def get_job(service: ComfyUI, request: Request) -> Response:
    """
    Give one job with its outputs, or 404.
    """
    job = service.find(request.path_params["job_id"])
    if job is None:
        return answer({"error": "Job not found"}, 404)
    return answer(job_detail(job, service.messages))


async def cancel_job(service: ComfyUI, request: Request) -> Response:
    """
    Stop one job, whether it waits or runs.
    """
    return answer({"cancelled": _cancel(service, request.path_params["job_id"])})


async def cancel_jobs(service: ComfyUI, request: Request) -> Response:
    """
    Stop several jobs.
    """
    body = await read_object(request)
    ids = body.get("job_ids")
    if not isinstance(ids, list) or not ids:
        return _bad("job_ids must be a non-empty list")
    bad = [job_id for job_id in ids if not is_job_id(job_id)]
    if bad:
        return answer({"error": "job_ids contains invalid id(s)", "invalid_ids": bad}, 400)
    cancelled = [_cancel(service, job_id) for job_id in ids]
    return answer({"cancelled": any(cancelled)})


def _ids(body: Mapping[str, JsonValue]) -> set[str]:
    given = body.get("delete")
    return {item for item in given if isinstance(item, str)} if isinstance(given, list) else set()


def _cancel(service: ComfyUI, job_id: str) -> bool:
    job = service.find(job_id)
    return job is not None and job.state not in ENDED and service.engine.stop_job(job)


def _bad(message: str) -> Response:
    return answer({"error": message}, 400)


def _whole(request: Request, name: str) -> int | None:
    try:
        return int(request.query_params[name])
    except (KeyError, ValueError):
        return None


def _created(job: Job) -> float:
    return job.created


def _duration(job: Job) -> float:
    return (job.ended - job.started) if job.ended and job.started else 0.0


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/queue"): get_queue,
        ("POST", "/queue"): post_queue,
        ("POST", "/interrupt"): post_interrupt,
        ("GET", "/history"): get_history,
        ("GET", "/history/{prompt_id}"): get_history_of,
        ("POST", "/history"): post_history,
    }
)
API_HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/jobs"): list_jobs,
        ("POST", "/jobs/cancel"): cancel_jobs,
        ("GET", "/jobs/{job_id}"): get_job,
        ("POST", "/jobs/{job_id}/cancel"): cancel_job,
    }
)
