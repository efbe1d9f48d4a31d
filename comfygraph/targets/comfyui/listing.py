"""
Read the list of jobs that newer ComfyUI servers keep (`GET /api/jobs`, `GET /api/jobs/{id}`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.targets.comfyui.history import read_history
from comfygraph.targets.observations import JobEnded, JobPhase, JobSeen, Observation, Outcome
from comfygraph.targets.reading import identifier, integer, mapping, mappings, number, text

STATUSES = ("pending", "in_progress", "completed", "failed", "cancelled")

_OUTCOMES = {
    "completed": Outcome.SUCCEEDED,
    "failed": Outcome.FAILED,
    "cancelled": Outcome.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class ServerJob:
    """
    One line of the list. Times are unix seconds, `None` where they are still to come.

    `status` is the server's word, one of `STATUSES`; "completed" can be wrong for a graph that
    failed with a dependency cycle, which `read_api_job` gets right.
    """

    id: str
    status: str
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    outputs: int = 0


@dataclass(frozen=True, slots=True)
class JobPage:
    """
    A page of the list; `more` says that there is another after it.
    """

    jobs: tuple[ServerJob, ...]
    total: int | None = None
    more: bool = False


def list_query(statuses: Sequence[str], limit: int, offset: int) -> dict[str, str]:
    """
    Give the query for a page.

    Raises:
        UsageError: There is no such status.
    """
    unknown = [status for status in statuses if status not in STATUSES]
    if unknown:
        raise UsageError(
            f"there is no job status `{unknown[0]}`", hint=f"choose from {', '.join(STATUSES)}"
        )
    query = {"limit": str(limit), "offset": str(offset)}
    return {"status": ",".join(statuses), **query} if statuses else query


def read_page(page: JsonValue) -> JobPage:
    """
    Read the answer of `GET /api/jobs`.
    """
    pagination = mapping(mapping(page).get("pagination"))
    found = [_server_job(job) for job in mappings(mapping(page).get("jobs"))]
    return JobPage(
        tuple(job for job in found if job.id),
        integer(pagination.get("total")),
        pagination.get("has_more") is True,
    )


def read_api_job(job: JsonValue) -> tuple[Observation, ...]:
    """
    Give what the answer of `GET /api/jobs/{id}` claims; its messages are believed before its status.
    """  # noqa: E501
    data = mapping(job)
    status = text(data.get("status")).lower()
    if status in _OUTCOMES:
        entry = {
            "status": data.get("execution_status"),
            "outputs": data.get("outputs"),
        }
        claims = read_history(entry, identifier(data.get("id")))
        if mapping(data.get("execution_status")).get("messages"):
            return claims
        return (*claims[:-1], JobEnded(_OUTCOMES[status]))
    return (JobSeen(JobPhase.STARTED if status == "in_progress" else JobPhase.QUEUED),)


def _server_job(job: dict[str, JsonValue]) -> ServerJob:
    return ServerJob(
        id=identifier(job.get("id")),
        status=text(job.get("status")).lower(),
        created=_seconds(job.get("create_time")),
        started=_seconds(job.get("execution_start_time")),
        ended=_seconds(job.get("execution_end_time")),
        outputs=integer(job.get("outputs_count")) or 0,
    )


def _seconds(milliseconds: JsonValue) -> float | None:
    value = number(milliseconds)
    return None if value is None else value / 1000
