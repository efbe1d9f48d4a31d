"""
How TAMS refuses: graphs, keys, credentials, cancels, and what is no TAMS at all.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    ServiceUnavailable,
    TargetError,
)
from comfygraph.targets import get_target
from comfygraph.targets.base import CancelAnswer, CheckAnswer, JobRef, NodeComplaint, Submission
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.tams import TamsTarget

JOB = "683082404926062625"


@pytest.fixture
def tams() -> TamsTarget:
    """
    Give the target with a bearer key.
    """
    target = get_target("tams", {"TAMS_API_KEY": "k-secret", "TAMS_BASE_URL": "https://tams.test"})
    assert isinstance(target, TamsTarget)
    return target


@pytest.fixture
def ref() -> JobRef:
    """
    Give the reference of the recorded job.
    """
    return JobRef("tams", "https://tams.test", JOB, "key")


ARGUMENT_ERROR = {
    "code": 3,
    "message": "Params Valid",
    "details": [
        {
            "@type": "type.googleapis.com/tams_api.ArgumentError",
            "field": "workflow",
            "message": "node id: 25\nclass type: LoadImage\nimage: 字段必填\n"
            "node id: 3\nclass type: KSampler\nsteps: too large\nseed: too small\n",
        }
    ],
}
COMPLAINTS = (
    NodeComplaint("25", "字段必填 (a value is required)", "image", "LoadImage"),
    NodeComplaint("3", "too large", "steps", "KSampler"),
    NodeComplaint("3", "too small", "seed", "KSampler"),
)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_invalid_graph(
    tams: TamsTarget, submission: Submission, status: int, converse: Any, answer: Any
) -> None:
    """
    An invalid graph is refused by its `code` and details, whatever the status and the message
    ("Params Valid") say; every complaint keeps its node and input.
    """
    with pytest.raises(GraphRejected) as caught:
        converse(tams.submit(submission), answer(ARGUMENT_ERROR, status))

    assert COMPLAINTS == caught.value.complaints
    assert (
        "TAMS refused the graph: node `25` (LoadImage), `image`: "
        "字段必填 (a value is required), and 2 more" == caught.value.message
    )


def test_check_reads_complaints(
    tams: TamsTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    The same error from the check is an answer, not a failure.
    """
    checked, [request] = converse(tams.check(submission), answer(ARGUMENT_ERROR, 400))

    assert "https://tams.test/v1/jobs/workflow/params/check" == request.url
    assert ["params"] == list(json.loads(request.body))
    assert CheckAnswer(False, unit="credits", complaints=COMPLAINTS) == checked


@pytest.mark.parametrize(
    ("body", "valid", "cost"),
    [
        ({"valid": True, "credits": 2.4}, True, 2.4),
        ({"valid": False}, False, None),
        ({}, False, None),
        ({"credits": 0.8}, False, 0.8),
    ],
)
def test_check_of_a_graph(
    tams: TamsTarget,
    submission: Submission,
    body: Any,
    valid: bool,
    cost: float | None,
    converse: Any,
    answer: Any,
) -> None:
    """
    A good graph is priced in credits; a false that was left out is a false.
    """
    checked, _ = converse(tams.check(submission), answer(body))

    assert (valid, cost, "credits") == (checked.valid, checked.cost, checked.unit)


def test_missing_template_field(
    tams: TamsTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A field that the service misses is told with its node.
    """
    body = {"code": 2, "message": "can't find [nodeId:fieldName] 25:image in fields parameter"}
    with pytest.raises(GraphRejected) as caught:
        converse(tams.submit(submission), answer(body, 500))

    assert (NodeComplaint("25", "the field is missing", "image"),) == caught.value.complaints


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, b"", AuthenticationError),
        (401, b'{"code":100002,"message":"invalid authorization header"}', AuthenticationError),
        (200, b'{"code":100002,"message":"invalid authorization header"}', AuthenticationError),
        (400, b'{"code":100002,"message":"invalid authorization header"}', AuthenticationError),
        (403, b'{"code":7,"message":"denied"}', AuthenticationError),
        (404, b'{"code":5,"message":"Not Found: job not found"}', NotFound),
        (200, b'{"code":5,"message":"Not Found: job not found"}', NotFound),
        (429, b"", RateLimited),
        (400, b'{"code":3,"message":"invalid_samples"}', Rejected),
        (500, b"{}", ServiceUnavailable),
        (502, b"<!DOCTYPE html><html>bad gateway</html>", ServiceUnavailable),
        (503, b"", ServiceUnavailable),
        (200, b"<html>hello</html>", ProtocolError),
        (200, b"", ProtocolError),
        (200, b"[]", ProtocolError),
        (200, b"{}", ProtocolError),
        (302, b"", ProtocolError),
    ],
)
def test_errors(
    tams: TamsTarget, ref: JobRef, status: int, body: bytes, kind: type[TargetError], converse: Any
) -> None:
    """
    Each refusing answer becomes the exception of its kind, on one line, without markup.
    """
    with pytest.raises(TargetError) as caught:
        converse(tams.poll(ref), HttpResponse(status, {}, body))

    assert kind is type(caught.value)
    assert "\n" not in caught.value.message
    assert "<" not in caught.value.message


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"code": 6, "message": "already exists"}),
        (200, {"code": 6, "message": "already exists"}),
        (409, {}),
        (400, {"code": 3, "message": "requestId already exists"}),
        (400, {"code": 3, "message": "invalid", "details": [{"message": "duplicate request_id"}]}),
        (500, {"code": 2, "message": "request_id must be unique"}),
    ],
)
def test_a_key_that_was_used_is_no_refusal(
    tams: TamsTarget, submission: Submission, status: int, body: Any, converse: Any, answer: Any
) -> None:
    """
    Where the service will not take a `requestId` twice, a job with it is there: that is no
    refusal, after which somebody would pay for a second one.
    """
    with pytest.raises(ProtocolError, match="was handed in before") as caught:
        converse(tams.submit(submission), answer(body, status))

    assert submission.key in caught.value.message


@pytest.mark.parametrize("said", ["invalid requestId", "requestId is required"])
def test_a_bad_key_is_a_refusal(
    tams: TamsTarget, submission: Submission, said: str, converse: Any, answer: Any
) -> None:
    """
    A `requestId` that the service does not like for another reason made no job.
    """
    with pytest.raises(Rejected, match=said):
        converse(tams.submit(submission), answer({"code": 3, "message": said}, 400))


@pytest.mark.parametrize(
    ("status", "body", "options", "said", "hint"),
    [
        (404, {"code": 5, "message": "no"}, {"template_id": "1"}, "no such template", None),
        (404, {"code": 5, "message": "no"}, {}, "no `/v1/jobs/workflow`", None),
        (404, {}, {}, "no `/v1/jobs/workflow`", "check TAMS_BASE_URL"),
        (405, {"detail": "Method Not Allowed"}, {}, "HTTP 405", "check TAMS_BASE_URL"),
    ],
)
def test_a_submit_to_a_wrong_place(
    tams: TamsTarget,
    submission: Submission,
    status: int,
    body: Any,
    options: Any,
    said: str,
    hint: str | None,
    converse: Any,
    answer: Any,
) -> None:
    """
    A submit names what is not there, and the setting where what answers is not TAMS.
    """
    with pytest.raises(TargetError, match=said) as caught:
        converse(tams.submit(replace(submission, options=options)), answer(body, status))

    assert hint == caught.value.hint


def test_lack_of_credits_is_hinted(
    tams: TamsTarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    A refusal that speaks of credits says where to look.
    """
    body = {"code": 9, "message": "refused", "details": [{"message": "insufficient credits"}]}
    with pytest.raises(Rejected) as caught:
        converse(tams.submit(submission), answer(body, 400))

    assert "credits" in (caught.value.hint or "")


def test_cancel_by_delete_then_post(
    tams: TamsTarget, ref: JobRef, converse: Any, answer: Any
) -> None:
    """
    `auto` deletes; where that is no route it posts; a job that is not found is no missing route.
    """
    base = f"https://tams.test/v1/jobs/{JOB}"
    missing = answer({"code": 5, "message": "Not Found: job not found"}, 404)
    deleted, first = converse(tams.cancel(ref), answer({"jobId": JOB}))
    posted, both = converse(tams.cancel(ref), answer({"code": 12}, 405), HttpResponse(200))

    assert CancelAnswer(accepted=True) == deleted == posted
    assert [("DELETE", base)] == [(request.method, request.url) for request in first]
    assert [("DELETE", base), ("POST", f"{base}/cancel")] == [
        (request.method, request.url) for request in both
    ]
    with pytest.raises(NotFound):
        converse(tams.cancel(ref), missing)


@pytest.mark.parametrize(("style", "method"), [("post", "POST"), ("delete", "DELETE")])
def test_cancel_style(style: str, method: str, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    A configured style is the only one that is tried.
    """
    config = {"TAMS_API_KEY": "k", "TAMS_CANCEL_STYLE": style}
    target = get_target("tams", config)
    _, [request] = converse(target.cancel(ref), HttpResponse(200))

    assert method == request.method


def test_cancel_too_late(tams: TamsTarget, ref: JobRef, converse: Any, answer: Any) -> None:
    """
    A job that is over cannot be cancelled, which is no error.
    """
    late, _ = converse(tams.cancel(ref), answer({"code": 9, "message": "finished"}, 400))

    assert CancelAnswer(accepted=False) == late
