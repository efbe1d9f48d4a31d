"""
A job as `GET /v1/jobs/{id}` shows it.

64-bit numbers are texts, and what is zero, empty or false is left out, as gRPC's JSON gateway
does. What a real answer showed is kept: `nodes` names only some of the nodes, only samplers
have `process`, and the graph is done before the job says so.
"""

from __future__ import annotations

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled, worded
from comfygraph.emulator.jobs import ENDED, Job
from comfygraph.emulator.schedule import link_of
from comfygraph.emulator.store import StoredFile
from comfygraph.emulator.tams.service import Tams, TamsJob

OPTIONAL = frozenset(
    {
        "credits",
        "waitingInfo",
        "progress",
        "process",
        "expiredIn",
        "meta",
        "runtime",
        "type",
        "height",
        "width",
        "format",
        "imageResourceId",
        "ctime",
        "mtime",
    }
)
_STATES = {"succeeded": "SUCCESS", "failed": "FAILED", "interrupted": "CANCELED"}


def job_view(service: Tams, known: TamsJob, *, final: bool = False) -> JsonValue:
    """
    Give the job object.

    Args:
        service: The service.
        known: The job.
        final: Skip the lag between the end of the graph and the end of the job.
    """
    job, faults = known.job, known.job.faults
    view: dict[str, JsonValue] = {"id": job.id, "credits": known.credits}
    if job.state in ENDED and (final or job.state != "succeeded"):
        _ended(service, view, known)
    elif job.state in ENDED:
        known.polls_after += 1
        if known.polls_after > faults.lag:
            _ended(service, view, known)
        else:
            view["status"] = "RUNNING"
            view["runningInfo"] = _running(service, known)
    elif job.phase == "running":
        view["status"] = "RUNNING"
        view["runningInfo"] = _running(service, known)
    else:
        rank = service.engine.ahead_of(job) + 1
        length = max(rank, service.engine.remaining())
        view["status"] = "WAITING"
        view["waitingInfo"] = {"queueRank": str(rank), "queueLen": str(length)}
    view["status"] = worded(view["status"], faults)
    if not known.credits:
        del view["credits"]
    return spoiled(view, faults, OPTIONAL)


def _running(service: Tams, known: TamsJob) -> dict[str, JsonValue]:
    if not known.stages:
        return {"workflowFinishItem": _item(service, known.job)}
    share = round(known.job.share, 4) * known.job.faults.progress_scale
    images: list[JsonValue] = [{"progress": share}] if share else []
    return _staged(images, known.job)


def _staged(images: list[JsonValue], job: Job) -> dict[str, JsonValue]:
    info: dict[str, JsonValue] = {"processingImages": images}
    if job.faults.stage_form == "stages":
        return {"stages": [{"stageIndex": "0", **info}]}
    return info


def _ended(service: Tams, view: dict[str, JsonValue], known: TamsJob) -> None:
    job = known.job
    view["status"] = _STATES[job.state]
    if job.state == "succeeded":
        ttl = job.faults.url_ttl
        info: dict[str, JsonValue] = {}
        for file in job.all_files():
            key = {"video": "videos"}.get(file.kind, "images")
            info.setdefault(key, []).append(_resource(service, job, file, ttl))
        if not known.stages:
            info["workflowFinishItem"] = _item(service, job)
        elif job.faults.stage_form == "stages":
            whole = job.faults.progress_scale
            images = info.pop("images", [])
            done = [{"resourceImage": image, "progress": whole} for image in images]
            info = _staged(done, job)
        if job.started and job.ended:
            info["runtime"] = str(max(1, round(job.ended - job.started)))
        view["successInfo"] = info
    elif job.state == "failed":
        failure = job.failure
        reason = "the job failed"
        if failure is not None:
            text = failure.message.strip()
            reason = f"node {failure.node_id} {failure.node_type}: {text}"
        code = "TRANSITORY_ERROR" if job.faults.transient else "FATAL_ERROR"
        view["failedInfo"] = {"reason": reason, "code": code}


def _item(service: Tams, job: Job) -> dict[str, JsonValue]:
    done = job.state == "succeeded"
    status = "SUCCESS" if done else "RUNNING"
    nodes: dict[str, JsonValue] = {}
    for node_id in job.nodes:
        if _reported(service, job, node_id):
            nodes[node_id] = _node(service, job, node_id)
    item: dict[str, JsonValue] = {"status": worded(status, job.faults)}
    if job.share:
        item["progress"] = round(job.share, 4) * job.faults.progress_scale
    # A map of protobuf has no order; the service shows its keys sorted as texts.
    item["nodes"] = dict(sorted(nodes.items()))
    if job.faults.extra_fields:
        item["finishedNodes"] = {run.node_id: True for run in job.runs.values() if run.finished}
    return item


def _reported(service: Tams, job: Job, node_id: str) -> bool:
    definition = service.engine.catalog.find(job.class_of(node_id))
    if job.faults.all_nodes or definition is None or definition.output_node:
        return True
    inputs = job.nodes[node_id].get("inputs") or {}
    return any(
        link_of(inputs.get(name)) is not None and spec.type in {"LATENT", "IMAGE"}
        for name, spec in definition.inputs.items()
    )


def _node(service: Tams, job: Job, node_id: str) -> dict[str, JsonValue]:
    run = job.runs.get(node_id)
    if run is None:
        status = "INIT"
    elif job.failure is not None and job.failure.node_id == node_id:
        status = "FAILED"
    else:
        status = "SUCCESS" if run.finished else "RUNNING"
    state: dict[str, JsonValue] = {"id": node_id, "status": worded(status, job.faults)}
    if run is not None and isinstance(run.max, int) and run.value:
        share = run.value / run.max
        state["process"] = int(share) if share == 1 else round(share, 4)
    shown: dict[str, JsonValue] = {}
    for file in job.files.get(node_id, ()):
        place = job.faults.film_place if file.kind == "video" else "images"
        shown.setdefault(place, []).append(_ui_image(service, job, file))
    if shown:
        state["outputUi"] = shown
    return state


def _path(service: Tams, job: Job, file: StoredFile) -> tuple[str, str]:
    name = service.result_id(file.path, job)
    return name, f"resource-upload/short-term/2024-01-15/{name}.{file.format}"


def _ui_image(service: Tams, job: Job, file: StoredFile) -> dict[str, JsonValue]:
    name, path = _path(service, job, file)
    image: dict[str, JsonValue] = {
        "filename": service.sign(path, job.faults.url_ttl),
        "type": file.folder,
        "height": file.height,
        "width": file.width,
        "format": file.format,
        "imageResourceId": name,
    }
    return {key: value for key, value in image.items() if value is not None}


def _resource(service: Tams, job: Job, file: StoredFile, ttl: float) -> dict[str, JsonValue]:
    name, path = _path(service, job, file)
    resource: dict[str, JsonValue] = {
        "id": name,
        "url": service.sign(path, ttl),
        "expiredIn": str(int(ttl)),
    }
    if file.width:
        size = {"format": file.format, "width": file.width, "height": file.height}
        resource["meta"] = {"image": size}
    return resource
