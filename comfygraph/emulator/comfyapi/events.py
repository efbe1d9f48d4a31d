"""
`/api/v2/jobs/{id}/events`: server-sent events, from where the job is to its end.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from comfygraph.core.values import JsonValue
from comfygraph.emulator.comfyapi.service import ApiJob, ComfyApi, ServiceHandler, problem
from comfygraph.emulator.comfyapi.views import job_view, output_view, progress_view
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.jobs import ENDED, Job
from comfygraph.emulator.pictures import preview
from comfygraph.emulator.signals import (
    JobEnded,
    NodeEnded,
    NodeRunning,
    NodeStepped,
    RunStarted,
    Signal,
)
from comfygraph.emulator.web import faults_of


async def get_events(service: ComfyApi, request: Request) -> Response:
    """
    Give the stream of a job.
    """
    known = service.jobs.get(request.path_params["job_id"])
    if known is None:
        return problem(404, "not_found", "job not found")
    faults = faults_of(request)
    if faults.no_socket:
        return problem(429, "too_many_streams", "too many streams are open")
    stream = _frames(service, known, faults)
    return StreamingResponse(stream, media_type="text/event-stream")


async def _frames(service: ComfyApi, known: ApiJob, faults: Faults) -> AsyncIterator[bytes]:
    waiting: asyncio.Queue[bytes | None] = asyncio.Queue()
    held: list[bytes] = []

    def put(kind: str, data: JsonValue) -> None:
        frame = _frame(kind, data, faults)
        if faults.reordered_updates and kind != "status":
            held.append(frame)
            if len(held) < 2:
                return
            frame = held[1] + held[0]
            held.clear()
        for _ in range(1 + faults.duplicate_updates):
            waiting.put_nowait(frame)

    def watch(job: Job | None, signal: Signal) -> None:
        if job is not known.job:
            return
        for kind, data in _told(service, known, signal):
            put(kind, data)
        if isinstance(signal, JobEnded):
            waiting.put_nowait(None)

    put("status", job_view(service, known))
    if known.job.state in ENDED:
        waiting.put_nowait(None)
    service.engine.watchers.append(watch)
    over = asyncio.create_task(_end(known.job, waiting))
    sent = 0
    try:
        while (frame := await waiting.get()) is not None:
            if faults.socket_drop_after and sent >= faults.socket_drop_after:
                return
            yield frame
            sent += 1
    finally:
        over.cancel()
        service.engine.watchers.remove(watch)


async def _end(job: Job, waiting: asyncio.Queue[bytes | None]) -> None:
    # a job that was withdrawn, or whose emulator ends, tells no more
    await job.over.wait()
    waiting.put_nowait(None)


def _frame(kind: str, data: JsonValue, faults: Faults) -> bytes:
    if faults.nested_events:
        data = {"job" if kind == "status" else kind: data}
    return f"event: {kind}\ndata: {json.dumps(data)}\n\n".encode()


def _told(service: ComfyApi, known: ApiJob, signal: Signal) -> Iterator[tuple[str, JsonValue]]:
    job = known.job
    match signal:
        case RunStarted() | JobEnded():
            yield "status", job_view(service, known)
        case NodeRunning():
            yield "progress", progress_view(job)
        case NodeStepped(node_id=node_id):
            yield "progress", progress_view(job)
            run = job.runs[node_id]
            picture = preview(run.frame, f"{job.id}/{node_id}", run.value, run.max)
            image = b64encode(picture).decode()
            yield "preview", {"node_id": node_id, "content_type": "image/jpeg", "image": image}
        case NodeEnded(node_id=node_id):
            yield "log", {"message": f"{job.title(node_id)} is done"}
            for file in job.files.get(node_id, ()):
                yield "output", output_view(service, job, node_id, file)
        case _:
            return


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("GET", "/api/v2/jobs/{job_id}/events"): get_events}
)
