"""
How a ComfyUI server refuses a graph, and what stands in front of it.
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    Rejected,
    ServiceUnavailable,
    TargetError,
)
from comfygraph.targets import get_target
from comfygraph.targets.base import NodeComplaint, Retry, Submission
from comfygraph.targets.comfyui import ComfyUITarget
from comfygraph.targets.comfyui.refusals import node_complaints
from comfygraph.targets.failures import GraphRejected
from comfygraph.targets.http import HttpResponse

BASE = "http://127.0.0.1:8188"


ID = "0b8c6f0a-4f5e-4a7f-9a3d-7a0c5a2a9d11"


@pytest.fixture
def server() -> ComfyUITarget:
    """
    Give a server without a proxy.
    """
    target = get_target("comfyui")
    assert isinstance(target, ComfyUITarget)
    return target


def test_refused_graph(
    server: ComfyUITarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    Every error of every node is kept, with input, class and the server's own word.
    """
    body = {
        "error": {
            "type": "prompt_outputs_failed_validation",
            "message": "Prompt outputs failed validation",
            "details": "",
            "extra_info": {},
        },
        "node_errors": {
            "3": {
                "errors": [
                    {
                        "type": "value_not_in_list",
                        "message": "Value not in list",
                        "details": "scheduler: 'x' not in [...]",
                        "extra_info": {"input_name": "scheduler"},
                    },
                    {"type": "required_input_missing", "message": "Required input is missing"},
                ],
                "dependent_outputs": ["9"],
                "class_type": "KSampler",
            }
        },
    }
    with pytest.raises(GraphRejected) as caught:
        converse(server.submit(submission), answer(body, 400))

    first = "Value not in list: 'x' not in [...]"
    assert (
        NodeComplaint("3", first, "scheduler", "KSampler", "value_not_in_list"),
        NodeComplaint("3", "Required input is missing", None, "KSampler", "required_input_missing"),
    ) == caught.value.complaints
    assert (
        f"ComfyUI refused the graph: node `3` (KSampler), `scheduler`: {first}, and 1 more"
        == caught.value.message
    )


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ("steps", "wrong"),
        ("steps: 'x' not in list", "wrong: 'x' not in list"),
        ("model, received_type(A) mismatch", "wrong: model, received_type(A) mismatch"),
        ("steps, received_type(A) mismatch", "wrong: received_type(A) mismatch"),
        ("steps_at_end", "wrong: steps_at_end"),
        ("", "wrong"),
    ],
)
def test_the_name_of_an_input_is_told_once(details: str, expected: str) -> None:
    """
    The server writes the name of the input into the details; a person reads it only once.
    """
    error = {"message": "wrong", "details": details, "extra_info": {"input_name": "steps"}}
    [complaint] = node_complaints({"3": {"errors": [error], "class_type": "KSampler"}})

    assert ("steps", expected) == (complaint.input, complaint.message)


def test_missing_node_class(
    server: ComfyUITarget, submission: Submission, converse: Any, answer: Any
) -> None:
    """
    An unknown class is told of its node, with what to do.
    """
    error = {
        "type": "missing_node_type",
        "message": "Node 'Foo' not found. The custom node may not be installed.",
        "details": "Node ID '#8'",
        "extra_info": {"node_id": "8", "class_type": "Foo", "node_title": "Foo"},
    }
    with pytest.raises(GraphRejected) as caught:
        converse(server.submit(submission), answer({"error": error, "node_errors": {}}, 400))

    assert [("8", "Foo")] == [(it.node_id, it.class_type) for it in caught.value.complaints]
    assert "node's pack" in (caught.value.hint or "")


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (500, b"500 Internal Server Error\n\nServer got itself in trouble", Rejected),
        (400, b'{"error": {"type": "invalid_prompt_id", "message": "no UUID"}}', Rejected),
        (400, b'{"error": "no prompt"}', Rejected),
        (400, b"", Rejected),
        (403, b"", AuthenticationError),
        (404, b"<html>404</html>", NotFound),
        (405, b"", Rejected),
        (413, b"", Rejected),
        # no refusal: the driver looks whether there is a job
        (500, b"<html>proxy</html>", ProtocolError),
        (502, b"<html>proxy</html>", ServiceUnavailable),
        (200, b"<!DOCTYPE html><p>login", ProtocolError),
        (200, b"{}", ProtocolError),
        (200, b"[1]", ProtocolError),
        (301, b"", ProtocolError),
    ],
)
def test_errors_of_submit(
    server: ComfyUITarget,
    submission: Submission,
    status: int,
    body: bytes,
    kind: type[TargetError],
    converse: Any,
) -> None:
    """
    Each refusing answer becomes the exception of its kind, on one line, without markup.
    """
    with pytest.raises(TargetError) as caught:
        converse(server.submit(submission), HttpResponse(status, {}, body))

    assert kind is type(caught.value)
    assert not {"\n", "<"} & set(caught.value.message)


def test_recorded_refusals(server: ComfyUITarget, submission: Submission, converse: Any) -> None:
    """
    What a real server answered to bad submits, and to good ones.
    """
    path = Path(__file__).parent.parent / "data" / "comfyui_ws" / "rest_misc.jsonl.gz"
    with gzip.open(path, "rt") as file:
        calls = [json.loads(line) for line in file]
    outcomes = []
    for call in calls:
        if (call["method"], call["path"]) == ("POST", "/prompt"):
            raw = call.get("body", "").encode()
            try:
                converse(server.submit(submission), HttpResponse(call["status"], {}, raw))
                outcomes.append("taken")
            except TargetError as error:
                outcomes.append(type(error).__name__)

    assert [
        "Rejected",
        "Rejected",
        "taken",
        "AuthenticationError",
        "AuthenticationError",
        "taken",
    ] == outcomes


def test_server_error_is_not_tried_again(server: ComfyUITarget) -> None:
    """
    500 is this server's way of refusing a graph; a proxy's 502 may pass.
    """
    assert Retry.NO is server.policy.retry(500)
    assert Retry.UNKNOWN is server.policy.retry(502)
    assert Retry.REFUSED is server.policy.retry(429)
