"""
Civitai: the single calls, and what a workflow claims about money, withheld files and its end.
"""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    UsageError,
)
from comfygraph.targets import events as ev
from comfygraph.targets.civitai.api import CivitaiApi, Listing
from comfygraph.targets.civitai.calls import Page
from comfygraph.targets.civitai.workflow import read_workflow, trace_url
from comfygraph.targets.http import HttpRequest, HttpResponse, Resend, Secret, bearer
from comfygraph.targets.observations import CostSeen, JobPhase, JobSeen, NoticeSeen
from comfygraph.targets.tracker import Tracker

BASE = "https://orchestration.civitai.com"
AIR = "urn:air:zimageturbo:diffusion_model:huggingface:Comfy-Org/z@main/split/z.safetensors"
BLOB = "ABCDEFGHJKMNPQRSTVWXYZ0123.jpeg"


@pytest.fixture
def api() -> CivitaiApi:
    """
    Give the calls of an account.
    """
    return CivitaiApi(auth=bearer(Secret("t-secret")))


def _line(request: HttpRequest) -> str:
    return f"{request.method} {request.url.removeprefix(BASE)}"


def test_every_call(api: CivitaiApi, converse: Any, answer: Any) -> None:
    """
    Each call is one request to its place; results are objects, pages, or nothing.
    """
    thing = answer({"id": BLOB, "uploadUrl": "https://h.test/up", "items": [{"id": "a"}, 1]})
    nothing = HttpResponse(204)
    calls = [
        (api.workflows(Listing(take=20)), thing),
        (api.step("1-2", "a b"), thing),
        (api.job("j/1"), thing),
        (api.add_tag("1-2", "project:x"), nothing),
        (api.remove_tag("1-2", "a/b"), nothing),
        (api.remove_tag("1-2"), nothing),
        (api.delete("1-2"), nothing),
        (api.patch("1-2", [{"op": "add", "path": "/tags/-", "value": "t"}]), nothing),
        (api.update_step("1-2", "run", {"a": 1}), nothing),
        (api.refresh_blob(BLOB), thing),
        (api.has_blob(BLOB), nothing),
        (api.upload_address(), thing),
        (api.upload_blob(b"x", "image/png"), thing),
        (api.resource(AIR), thing),
        (api.resources(cursor="c", take=5), thing),
        (api.services(prefix="utility/"), thing),
        (api.service("utility/customComfy"), thing),
        (api.user_workflows("7", Listing(tags=("a", "b"), exclude_failed=True)), thing),
    ]
    told = [converse(exchange, reply) for exchange, reply in calls]

    assert [
        "GET /v2/consumer/workflows?take=20&hideMatureContent=false",
        "GET /v2/consumer/workflows/1-2/steps/a%20b",
        "GET /v1/consumer/jobs/j%2F1?detailed=true",
        "POST /v2/consumer/workflows/1-2/tags",
        "DELETE /v2/consumer/workflows/1-2/tags/a%2Fb",
        "DELETE /v2/consumer/workflows/1-2/tags",
        "DELETE /v2/consumer/workflows/1-2",
        "PATCH /v2/consumer/workflows/1-2",
        "PUT /v2/consumer/workflows/1-2/steps/run",
        f"POST /v2/consumer/blobs/{BLOB}/refresh",
        f"HEAD /v2/consumer/blobs/{BLOB}",
        "GET /v2/consumer/blobs/upload",
        "POST /v2/consumer/blobs",
        f"GET /v2/resources/{AIR}",
        "GET /v2/resources?view=queue&take=5&cursor=c",
        "GET /v2/services?prefix=utility%2F&limit=100",
        "GET /v2/services/utility/customComfy",
        "GET /v1/manager/workflows?UserId=7&Take=10&Tags=a&Tags=b&ExcludeFailed=true",
    ] == [_line(request) for _, [request] in told]
    assert Page(({"id": "a"},)) == told[0][0]
    assert (b'"project:x"', "application/json-patch+json") == (
        told[3][1][0].body, told[7][1][0].headers["Content-Type"]
    )  # fmt: skip
    assert (True, "https://h.test/up") == (told[10][0], told[11][0])
    assert all("t-secret" not in json.dumps(request.masked()) for _, [request] in told)


def test_listing_filters() -> None:
    """
    All filters land where the service reads them, dates in UTC; a wrong one is told.
    """
    listing = Listing(
        take=5,
        cursor="c&d",
        tags=("a", "b"),
        query="night",
        from_date="2026-10-01",
        to_date="2026-10-02",
        exclude_failed=True,
        oldest_first=True,
        hide_mature=True,
    )

    assert [
        ("take", "5"),
        ("hideMatureContent", "true"),
        ("tags", "a"),
        ("tags", "b"),
        ("cursor", "c&d"),
        ("query", "night"),
        ("fromDate", "2026-10-01T00:00:00.000Z"),
        ("toDate", "2026-10-02T23:59:59.999Z"),
        ("excludeFailed", "true"),
        ("ascending", "true"),
    ] == listing.parameters()
    for bad in (Listing(take=0), Listing(from_date="soon")):
        with pytest.raises(UsageError):
            bad.parameters()


def test_pages_of_both_forms(api: CivitaiApi, converse: Any, answer: Any) -> None:
    """
    A page is an object with `next`, or the bare list of the older interface; anything else is an
    empty one.
    """
    pages = [
        converse(api.workflows(Listing()), answer(body))[0]
        for body in ({"items": [{"id": 1}], "next": "c"}, [{"id": 2}], {"items": None}, "x")
    ]

    assert [Page(({"id": 1},), "c"), Page(({"id": 2},)), Page(()), Page(())] == pages


def test_whatif_and_submit_share_no_key(api: CivitaiApi, converse: Any, answer: Any) -> None:
    """
    An estimate never carries `externalId`; a submit without one is never sent twice.
    """
    body = {"steps": [], "externalId": "k"}
    _, [priced] = converse(api.whatif(body), answer({"id": None}))

    assert b"externalId" not in priced.body
    assert [Resend.SAME_KEY, Resend.NEVER] == [
        api.submit(it).resend for it in (body, {"steps": []})
    ]


@pytest.mark.parametrize("reply", [HttpResponse(204), HttpResponse(200, {}, b'{"id": "1-2"}')])
def test_update_gives_the_workflow(
    api: CivitaiApi, converse: Any, answer: Any, reply: HttpResponse
) -> None:
    """
    Whether a service answers an update with the workflow or with nothing: it is given.
    """
    replies = [reply] if reply.body else [reply, answer({"id": "1-2"})]
    found, requests = converse(api.cancel("1-2"), *replies)

    assert {"id": "1-2"} == found
    assert ["PUT", "GET"][: len(replies)] == [request.method for request in requests]


def test_blob_request(api: CivitaiApi) -> None:
    """
    A blob is asked for with the level that is meant to be seen, and its redirect is followed.
    """
    request = api.blob(BLOB, nsfw_level="pg13", workflow_id="1-2", download=True)

    assert f"GET /v2/consumer/blobs/{BLOB}?nsfwLevel=pg13&workflowId=1-2&download=true" == (
        _line(request)
    )
    assert request.follow


def test_errors_of_calls(api: CivitaiApi, converse: Any) -> None:
    """
    Refusals become the exception of their kind; a quota says when it is whole again.
    """
    cases: list[tuple[HttpResponse, type[Exception], str]] = [
        (HttpResponse(401), AuthenticationError, "CIVITAI_API_TOKEN"),
        (HttpResponse(403, {}, b'{"error": "insufficient_scope"}'), AuthenticationError, "scope"),
        (HttpResponse(404), NotFound, ""),
        (HttpResponse(400, {}, b'{"errors": {"messages": ["A is not enabled for generation"]}}'),
         Rejected, "another version"),
        (HttpResponse(200, {}, b"[1]"), ProtocolError, ""),
    ]  # fmt: skip
    for reply, kind, hint in cases:
        with pytest.raises(kind) as caught:
            converse(api.job("j"), reply)
        assert hint in (getattr(caught.value, "hint", None) or "")
    with pytest.raises(RateLimited) as limited:
        converse(api.job("j"), HttpResponse(429, {"RateLimit": '"buzz";r=0;t=12'}))

    assert 12.0 == limited.value.retry_after


@pytest.mark.parametrize("tag", ["", "x" * 201])
def test_tag_that_is_none(api: CivitaiApi, tag: str) -> None:
    """
    An empty tag cannot be removed, since its address is that of all tags; nor be added.
    """
    for exchange in (api.remove_tag("w", tag), api.add_tag("w", tag)):
        with pytest.raises(UsageError, match="1 to 200 characters"):
            next(exchange)


def test_hostile_ids_stay_in_their_place(api: CivitaiApi) -> None:
    """
    An id of dots, slashes or half characters cannot leave its place in the path.
    """
    paths = [next(api.step(name, "x")).url for name in ("..", "a/../b", "\ud800", "?a=1#")]

    assert [
        f"{BASE}/v2/consumer/workflows/{part}/steps/x"
        for part in ("%2E%2E", "a%2F..%2Fb", "%3F", "%3Fa%3D1%23")
    ] == paths
    with pytest.raises(UsageError):
        next(api.workflow(""))


def _transactions(*amounts: tuple[str, float]) -> dict[str, Any]:
    return {"list": [{"type": kind, "amount": amount} for kind, amount in amounts]}


@pytest.mark.parametrize(
    ("workflow", "cost", "notices"),
    [
        ({"cost": {"total": 6}}, 6, []),
        ({"cost": {"total": 0}, "steps": [{"output": {"usage": {"estimatedCost": 41}}}]}, 41, []),
        (
            {
                "cost": {"total": 6},
                "status": "Failed",
                "transactions": _transactions(("debit", 6), ("credit", 6)),
            },
            0,
            ["6 Buzz were refunded"],
        ),
        (
            {"cost": {"total": 6}, "status": "expired", "forceRefunded": True},
            0,
            ["6 Buzz were refunded"],
        ),
        (
            {"cost": {"total": 6}, "status": "succeeded", "lostBlobsRefund": 2},
            6,
            ["2 Buzz were refunded for files that the service has lost"],
        ),
        ({"cost": {"total": "much"}, "transactions": {"list": "none"}}, None, []),
    ],
)  # fmt: skip
def test_money(workflow: dict[str, Any], cost: float | None, notices: list[str]) -> None:
    """
    Priced before, paid by the second, refunded: the cost is what was taken in the end.
    """
    seen = read_workflow(workflow)

    assert cost == next((it.amount for it in seen if isinstance(it, CostSeen)), None)
    assert notices == [it.message for it in seen if isinstance(it, NoticeSeen)]


def test_success_with_nothing_to_fetch() -> None:
    """
    A run whose files are all withheld has succeeded, and says what to do.
    """
    hidden = {"id": "a.png", "available": False, "blockedReason": "siteRestricted"}
    steps = [{"status": "succeeded", "output": {"blobs": [hidden]}}]
    tracker = Tracker("j")
    events = tracker.feed(read_workflow({"status": "succeeded", "steps": steps}))

    assert isinstance(events[-1], ev.JobSucceeded)
    assert "allow_mature" in [it.message for it in events if isinstance(it, ev.Notice)][-1]


def test_steps_before_the_graph() -> None:
    """
    Installing packs is told, its layers are no results, and its progress is not the graph's.
    """
    layer = {"id": "l.tar", "url": "https://h.test/l", "available": True}
    packs = {
        "$type": "comfyNodepackSnapshot", "status": "processing", "estimatedProgressRate": 0.9,
        "output": {"results": [layer]},
    }  # fmt: skip
    run = {"$type": "customComfy", "status": "unassigned", "jobs": [{"queuePosition": 3}]}
    seen = read_workflow({"status": "processing", "steps": [packs, run]})
    queued = read_workflow({"status": "scheduled", "steps": [run]})

    assert (JobSeen(JobPhase.STARTED), NoticeSeen("the service installs the node packs")) == seen
    assert (JobSeen(JobPhase.QUEUED, 3),) == queued
    assert "" == trace_url({"steps": [{"output": {"traceUrl": None}}, 1]})


_LADDER = ["unassigned", "preparing", "scheduled", "processing", "Succeeded", "failed", "canceled"]
_ODD: list[Any] = [None, True, -1, 1e308, "", "x", [], {}, [None], {"a": []}, 10**30]


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_workflows_in_any_order(data: st.DataObject) -> None:
    """
    Answers that are late, mutated and out of order never raise, progress never goes back, and
    there is one end, after which nothing is told.
    """
    tracker = Tracker("j")
    shares: list[float] = []
    ends = 0
    for _ in range(data.draw(st.integers(1, 6))):
        status = data.draw(st.sampled_from(_LADDER))
        blob = {"id": "b.png", "available": True, "url": "https://h.test/b", "type": "image"}
        workflow: dict[str, Any] = {
            "id": "j", "status": status, "cost": {"total": 6},
            "transactions": _transactions(("debit", 6)),
            "steps": [{
                "$type": "customComfy", "status": status, "timeout": "00:20:00",
                "estimatedProgressRate": data.draw(st.floats(-1, 2)),
                "metadata": {"error": "e"}, "preparation": {"resource": "r"},
                "jobs": [{"queuePosition": {"precedingJobs": 1, "support": "unsupported"}}],
                "output": {"blobs": [blob], "usage": {"estimatedCost": 3}},
            }],
        }  # fmt: skip
        holder: Any = workflow
        while isinstance(holder, dict | list) and holder and data.draw(st.booleans()):
            keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(holder[key], dict | list) or data.draw(st.booleans()):
                holder[key] = copy.deepcopy(data.draw(st.sampled_from(_ODD)))
                break
            holder = holder[key]
        events = tracker.feed(read_workflow(workflow))
        assert not (ends and events)
        shares += [event.fraction for event in events if isinstance(event, ev.JobProgress)]
        kinds = ev.JobSucceeded | ev.JobFailed | ev.JobCancelled
        ends += sum(isinstance(event, kinds) for event in events)

    assert sorted(shares) == shares
    assert ends <= 1
