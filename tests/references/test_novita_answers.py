"""
What is read of Novita's answers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.errors import ComfyGraphError, ProtocolError, TargetError, UsageError
from comfygraph.references.novita import ModelFilter, Novita
from comfygraph.references.novita.listing import read_page
from comfygraph.references.novita.model import NovitaModel, read_model, split_list
from comfygraph.references.novita.task import read_task
from comfygraph.targets.base import Exchange
from comfygraph.targets.http import HttpResponse, Secret, bearer

SEED = json.loads((Path(__file__).parents[1] / "data/seed/novita_model.json").read_text("utf-8"))
NOVITA = Novita(bearer(Secret("k")))


def answered(exchange: Exchange[Any], body: Any, status: int = 200) -> Any:
    """
    Answer the one request of an exchange, and give what comes out.
    """
    next(exchange)
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(StopIteration) as stop:
        exchange.send(HttpResponse(status, {}, raw))
    return stop.value.value


def test_novitas_own_example() -> None:
    """
    The documented answer: nulls stay open, lists are split, flags are texts; an unset `enable`
    is no yes, though the file is ready.
    """
    found: NovitaModel = answered(NOVITA.model(64094), SEED)

    assert ("neverendingDreamNED_v122BakedVae.safetensors", "checkpoint", "ECEFB796FF") == (
        found.sd_name, found.type, found.hash,
    )  # fmt: skip
    assert (None, None, 1, 1, None) == (
        found.id, found.enable, found.download_status, found.dependency_status,
        found.dependency_version_id,
    )  # fmt: skip
    assert ("Rent", True, False, 4.96) == (
        found.commercial_use, found.different_license, found.nsfw, found.rating,
    )  # fmt: skip
    assert ((), 20, "base model") == (found.trained_words, len(found.tags), found.tags[7])
    assert ("unknown", found.sd_name) == (
        found.resolution.availability.value, found.resolution.name,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"enable": 1}, "available"),
        ({"enable": True}, "available"),
        ({"enable": "1"}, "available"),
        ({"enable": 1, "delete_time": "2024-01-01"}, "unavailable"),
        ({"enable": 0}, "unavailable"),
        ({"enable": 1, "download_status": 0}, "pending"),
        ({"enable": None, "dependency_status": 0}, "pending"),
        ({"enable": 1, "download_status": None}, "unknown"),
        ({"enable": None}, "unknown"),
    ],
)
def test_whether_a_model_can_be_used(changes: dict[str, Any], expected: str) -> None:
    """
    The flags together say whether requests can use a model, in a fixed order.
    """
    model = read_model({**SEED["data"]["model"], **changes})

    assert expected == model.resolution.availability.value


@pytest.mark.parametrize(
    "body",
    [
        {"code": 2, "msg": "model not exists"},
        {"code": 0, "data": {"model": None}},
        {"code": 0, "data": {}},
        {"code": 0, "data": None},
        {},
    ],
)
def test_no_such_model(body: Any) -> None:
    """
    A code, a null and an absence all say that there is none.
    """
    assert answered(NOVITA.model(1), body) is None


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (200, {"code": 4, "msg": "bad"}, "AuthenticationError",
         "Novita refused (code 4): the key is not known: bad"),
        (200, {"code": "5"}, "ServiceUnavailable",
         "Novita refused (code 5): no machine is free"),
        (200, {"code": 99}, "Rejected", "Novita refused (code 99): the code is not known"),
        (200, [], "ProtocolError", "Novita answered with no JSON object"),
        (200, {"code": 0, "data": {"model": {"civitai_version_id": 8}}}, "ProtocolError",
         "Novita was asked for version 7 and answered with version 8"),
        (400, {"code": 400, "reason": "MISSING_API_KEY", "message": "no key"},
         "AuthenticationError", "Novita refused (HTTP 400): MISSING_API_KEY: no key"),
        (403, {"reason": "INVALID_API_KEY"}, "AuthenticationError",
         "Novita refused (HTTP 403): INVALID_API_KEY"),
        (401, {}, "AuthenticationError", "Novita does not know these credentials (HTTP 401): {}"),
        (400, {"reason": "BILLING_BALANCE_NOT_ENOUGH", "message": "empty"}, "Rejected",
         "Novita refused (HTTP 400): BILLING_BALANCE_NOT_ENOUGH: empty"),
        (429, {"reason": "RATE_LIMIT_EXCEEDED"}, "RateLimited",
         "Novita refused (HTTP 429): RATE_LIMIT_EXCEEDED"),
        (404, {"reason": "API_NOT_FOUND"}, "ProtocolError",
         "Novita refused (HTTP 404): API_NOT_FOUND"),
        (503, b"<html>", "ServiceUnavailable",
         "Novita is in trouble (HTTP 503) with a web page"),
    ],
)  # fmt: skip
def test_errors_of_novita(status: int, body: Any, kind: str, message: str) -> None:
    """
    Codes in envelopes, reasons and bare statuses become the error that they mean.
    """
    with pytest.raises(TargetError) as caught:
        answered(NOVITA.model(7), body, status)

    assert (kind, message) == (type(caught.value).__name__, str(caught.value))


def test_filters_of_the_list() -> None:
    """
    The filter's words go along as Novita calls them, several types as several parameters.
    """
    wanted = ModelFilter("a b", "public", "civitai", ("lora", "vae"), True, False, 5, "c_10")
    request = next(NOVITA.models(wanted))
    plain = next(NOVITA.models(ModelFilter()))

    assert (
        "https://api.novita.ai/v3/model?filter.visibility=public&filter.source=civitai"
        "&filter.types=lora&filter.types=vae&filter.is_sdxl=true&filter.is_inpainting=false"
        "&filter.query=a+b&pagination.limit=5&pagination.cursor=c_10"
    ) == request.url
    assert plain.url.endswith("/v3/model?pagination.limit=100&pagination.cursor=c_0")


@pytest.mark.parametrize(
    "wrong",
    [
        ModelFilter(limit=0), ModelFilter(limit=101), ModelFilter(visibility="x"),
        ModelFilter(source="x"), ModelFilter(types=("lora", "x")),
    ],
    ids=str,
)  # fmt: skip
def test_filters_that_novita_does_not_know(wrong: ModelFilter) -> None:
    """
    A word that Novita does not know is an error before anything is sent.
    """
    with pytest.raises(UsageError):
        wrong.query()


def test_pages_of_the_list() -> None:
    """
    A short page or one without a cursor is the last; the name for requests comes first.
    """
    model = {
        "id": "12345678901234567890",
        "name": "N",
        "sd_name": "old",
        "sd_name_in_api": "new",
        "type": {"name": "lora"},
        "status": 1,
        "hash_sha256": "ab",
        "tags": ["x", None],
    }
    full = read_page({"models": [model], "pagination": {"next_cursor": "c_1"}}, 1)
    short = read_page({"models": [model], "pagination": {"next_cursor": "c_1"}}, 2)
    last = read_page({"models": [{**model, "sd_name_in_api": None}], "pagination": {}}, 1)

    assert ["c_1", "", ""] == [full.next_cursor, short.next_cursor, last.next_cursor]
    assert ("new", "old", "lora", "AB", True, ("x",)) == (
        full.models[0].request_name, last.models[0].request_name, full.models[0].kind,
        full.models[0].sha256, full.models[0].available, full.models[0].tags,
    )  # fmt: skip
    with pytest.raises(ProtocolError):
        read_page({"models": 7}, 1)


def test_tasks() -> None:
    """
    Numbers of 64 bits may be texts or numbers; percent is that of the whole task.
    """
    body = {
        "extra": {"seed": "18446744073709551615"},
        "task": {"task_id": "t", "task_type": "TXT_TO_IMG", "status": "TASK_STATUS_PROCESSING",
                 "eta": 12, "progress_percent": "40"},
        "images": [{"image_url": "https://x/a.png", "image_url_ttl": "3600", "image_type": "png"},
                   {"image_url": ""}, None],
        "videos": [{"video_url": "https://x/a.mp4", "video_url_ttl": 60}],
        "audios": None,
    }  # fmt: skip
    found = read_task(body, "t")
    bare = read_task({"task": {"status": "whatever", "progress_percent": 1e9}}, "mine")

    assert ("processing", 40, 12.0, "18446744073709551615", False) == (
        found.state, found.progress, found.eta, found.seed, found.is_over,
    )  # fmt: skip
    assert [("image", "https://x/a.png", 3600), ("video", "https://x/a.mp4", 60)] == [
        (file.kind, file.url, file.ttl) for file in found.files
    ]
    assert ("mine", "unknown", 100) == (bare.id, bare.state, bare.progress)


def test_lists_with_commas() -> None:
    """
    Lists are texts with commas, whose words have spaces inside.
    """
    assert ("base model", "3d", "x") == split_list(" base model,,3d , x")
    assert ("a",) == split_list(["a", None, ""])
    assert () == split_list(None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["code", "msg", "data", "model", "models", "type", "name", "task", "status",
             "pagination", "next_cursor", "images", "image_url", "tags", "enable", "extra",
             "civitai_version_id", "reason", "progress_percent", "eta", "seed"]
        ), inner, max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(JSON, st.sampled_from([200, 200, 400, 404, 500]))
def test_any_answer_is_read_or_refused(body: Any, status: int) -> None:
    """
    No answer brings anything but values and our own errors.
    """
    raw = json.dumps(body).encode()
    for exchange in (NOVITA.model(7), NOVITA.models(ModelFilter()), NOVITA.task("t")):
        next(exchange)
        try:
            exchange.send(HttpResponse(status, {}, raw))
        except StopIteration as stop:
            value = stop.value
        except ComfyGraphError as exc:
            value = exc

        assert value is None or repr(value)
