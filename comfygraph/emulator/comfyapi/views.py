"""
A job as `GET /api/v2/jobs/{id}` shows it.
"""

from __future__ import annotations

from datetime import UTC, datetime

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled, worded
from comfygraph.emulator.comfyapi.service import ApiJob, ComfyApi
from comfygraph.emulator.jobs import ENDED, Job
from comfygraph.emulator.store import StoredFile

OPTIONAL = frozenset(
    {
        "created_at",
        "started_at",
        "completed_at",
        "expires_at",
        "queue_position",
        "progress",
        "metrics",
        "urls",
        "nodes_done",
        "nodes_total",
        "current_node_class",
        "step",
        "steps",
        "content_type",
        "size_bytes",
        "hash",
        "url_expires_at",
        "traceback",
        "class_type",
    }
)
_TYPES = {"image": "image", "video": "video", "audio": "audio"}
_KEPT = 7 * 24 * 3600


def status_word(job: Job) -> str:
    """
    Give the status of a job, lower case.
    """
    match job.state:
        case "succeeded":
            return "succeeded"
        case "failed":
            return "failed"
        case "interrupted":
            return "expired" if job.faults.expire_jobs else "canceled"
        case "running":
            return "canceling" if job.stopping else "running"
        case _:
            return "queued"


def job_view(service: ComfyApi, known: ApiJob, *, keys: bool | None = None) -> JsonValue:
    """
    Give the job object.

    Args:
        service: The service.
        known: The job.
        keys: Whether its key is shown; as the knobs of the job say by default.
    """
    job = known.job
    own = f"/api/v2/jobs/{job.id}"
    view: dict[str, JsonValue] = {
        "id": job.id,
        "status": worded(status_word(job), job.faults),
        "created_at": moment(job.created),
        "started_at": moment(job.started),
        "completed_at": moment(job.ended),
        "expires_at": moment(job.created + _KEPT),
        "queue_position": service.engine.ahead_of(job) if job.state == "pending" else None,
        "progress": progress_view(job),
        "outputs": outputs_view(service, job),
        "error": _error(job),
        "metrics": {"execution_seconds": job.ended - job.started}
        if job.ended is not None and job.started is not None
        else None,
        "urls": {"self": own, "events": f"{own}/events", "cancel": f"{own}/cancel"},
    }
    if known.key and (job.faults.shown_keys if keys is None else keys):
        view["idempotency_key"] = known.key
    return spoiled(view, job.faults, OPTIONAL)


def progress_view(job: Job) -> dict[str, JsonValue]:
    """
    Give how far a job is, 0 to 1, and what it does.
    """
    done = sum(run.finished for run in job.runs.values()) + len(job.cached)
    view: dict[str, JsonValue] = {
        "value": round(job.share, 4),
        "nodes_done": done,
        "nodes_total": len(job.nodes),
        "current_node": None,
        "current_node_class": None,
        "step": None,
        "steps": None,
        "message": None,
    }
    run = job.runs.get(job.current) if job.current is not None else None
    if run is not None and job.state not in ENDED:
        view["current_node"] = run.node_id
        view["current_node_class"] = job.class_of(run.node_id)
        if isinstance(run.max, int):
            view["step"], view["steps"] = int(run.value), run.max
        view["message"] = f"running {job.title(run.node_id)}"
    return view


def outputs_view(service: ComfyApi, job: Job) -> list[JsonValue]:
    """
    Give the files so far, each with a signed address.
    """
    return [
        output_view(service, job, node_id, file)
        for node_id, files in job.files.items()
        for file in files
    ]


def output_view(service: ComfyApi, job: Job, node_id: str, file: StoredFile) -> JsonValue:
    """
    Give one file.
    """
    name = service.file_id(file, job)
    expires = int(service.host.clock() + job.faults.url_ttl)
    query = f"expires={expires}&signature={service.signature(name, expires)}"
    return {
        "node_id": node_id,
        "name": file.filename,
        "type": _TYPES.get(file.kind, "file"),
        "content_type": f"{file.kind}/{file.format}",
        "size_bytes": file.path.stat().st_size if file.path.is_file() else 0,
        "id": name,
        "hash": f"blake3:{name.replace('-', '')}",
        "url": f"/api/v2/files/{name}?{query}",
        "url_expires_at": moment(expires),
    }


def _error(job: Job) -> JsonValue:
    failure = job.failure
    if job.state != "failed" or failure is None:
        return None
    return {
        "code": "execution_error",
        "message": failure.message.strip(),
        "node_id": failure.node_id,
        "class_type": failure.node_type,
        "traceback": "".join(failure.traceback),
    }


def moment(seconds: float | None) -> str | None:
    """
    Give a time as the service writes it, or `None`.
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
