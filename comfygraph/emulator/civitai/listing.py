"""
Lists of workflows: filtered, by pages, as JSON or as an archive.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.emulator.civitai.model import Workflow
from comfygraph.emulator.civitai.problems import InvalidError, problem
from comfygraph.emulator.civitai.service import USER, Civitai, ServiceHandler
from comfygraph.emulator.civitai.views import workflow_view
from comfygraph.emulator.civitai.workflows import answer, flag
from comfygraph.emulator.web import json_text

_BAD = frozenset({"failed", "expired", "canceled"})
_MANAGER_MOST = 10


async def query(service: Civitai, request: Request) -> Response:
    """
    List workflows, newest first; with `Accept: application/zip`, an archive of them.
    """
    params = request.query_params
    try:
        take = int(params.get("take", "100"))
        first, last = _moment(params.get("fromDate")), _moment(params.get("toDate"))
    except ValueError:
        raise InvalidError({"query": ["A number or a date is not valid."]}) from None
    ascending = flag(request, "ascending", False)
    found = [
        workflow
        for workflow in _matching(
            service,
            params.getlist("tags"),
            params.get("query", ""),
            flag(request, "excludeFailed", False),
        )
        if (first is None or workflow.created >= first)
        and (last is None or workflow.created <= last)
    ]
    found.sort(key=lambda workflow: workflow.id, reverse=not ascending)
    page, following = _page(found, params.get("cursor"), take, ascending)
    # here mature content is hidden unless asked for
    hide = flag(request, "hideMatureContent", True)
    items = [workflow_view(service, workflow, hide) for workflow in page]
    if "application/zip" in request.headers.get("accept", ""):
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for workflow, item in zip(page, items, strict=True):
                archive.writestr(f"{workflow.id}.json", json_text(item))
        return Response(packed.getvalue(), media_type="application/zip")
    return answer({"next": following, "items": items})


async def manager(service: Civitai, request: Request) -> Response:
    """
    Give the workflows of a user as a bare list, ten at most.
    """
    params = request.query_params
    if params.get("UserId", str(USER)) != str(USER):
        return answer([])
    try:
        take = min(int(params.get("Take", "10")), _MANAGER_MOST)
    except ValueError:
        return problem(400)
    ascending = flag(request, "Inverse", False)
    drop_failed = flag(request, "ExcludeFailed", False)
    found = _matching(service, params.getlist("Tags"), params.get("Query", ""), drop_failed)
    found.sort(key=lambda workflow: workflow.id, reverse=not ascending)
    page, _ = _page(found, params.get("Cursor"), take, ascending)
    return answer([workflow_view(service, workflow) for workflow in page])


def _matching(service: Civitai, tags: list[str], words: str, drop_failed: bool) -> list[Workflow]:
    return [
        workflow
        for workflow in service.workflows.values()
        if set(tags) <= set(workflow.tags)
        and (not words or words.lower() in json.dumps(workflow.metadata).lower())
        and not (drop_failed and workflow.status in _BAD)
        and not workflow.template.get("ephemeral")
    ]


def _page(
    found: list[Workflow], cursor: str | None, take: int, ascending: bool
) -> tuple[list[Workflow], str | None]:
    if cursor:
        found = [item for item in found if (item.id > cursor if ascending else item.id < cursor)]
    page = found[: max(1, min(take, 1000))]
    return page, page[-1].id if len(page) < len(found) else None


def _moment(text: str | None) -> float | None:
    if not text:
        return None
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo is not None else at.replace(tzinfo=UTC)).timestamp()


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/v2/consumer/workflows"): query,
        ("GET", "/v1/manager/workflows"): manager,
    }
)
