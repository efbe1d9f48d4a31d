"""
The emulated Novita, and the part of Civitai's site that tells of models.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from emulation import DATA, client_of

from comfygraph.emulator import DEV_TOKEN, Emulator
from comfygraph.emulator.shelf import Shelf

SEED = json.loads((DATA / "seed" / "novita_model.json").read_text("utf-8"))
MODEL = "/v2/model/civitai_version_id/64094"


def knobs(text: str) -> dict[str, str]:
    """
    Give the header that sets knobs for one request.
    """
    return {"X-Emulator-Faults": text}


def test_the_documented_example(client: httpx.Client) -> None:
    """
    The version of Novita's own example is answered with the same facts in the same form; the
    flag that its example leaves open is a knob.
    """
    found = client.get(MODEL, headers=knobs("enable=null")).json()
    seed = SEED["data"]["model"]
    mine = found["data"]["model"]
    same = (
        "id", "model_id", "hash", "name", "type", "sd_name", "third_source", "enable",
        "download_name", "download_status", "dependency_status", "delete_time", "civitai_link",
        "civitai_model_id", "civitai_version_id", "civitai_allow_commercial_use",
        "civitai_download_url", "civitai_trained_words", "civitai_dependency_version_id",
        "civitai_image_height", "civitai_image_width",
    )  # fmt: skip

    assert set() == mine.keys() - seed.keys()
    assert (0, "") == (found["code"], found["msg"])
    assert {name: seed[name] for name in same} == {name: mine[name] for name in same}
    assert [1, 0] == [
        client.get(MODEL, headers=knobs(knob)).json()["data"]["model"]["enable"]
        for knob in ("", "enable=0")
    ]


@pytest.mark.parametrize(
    ("knob", "expected"),
    [
        ("", {"code": 2, "msg": "model not exists", "data": {}}),
        ("no_model=null", {"code": 0, "msg": "", "data": {"model": None}}),
        ("no_model=absent", {"code": 0, "msg": "", "data": {}}),
    ],
)
@pytest.mark.parametrize("number", ["999999999", "0", "abc", "1" * 30])
def test_no_such_model(client: httpx.Client, number: str, knob: str, expected: Any) -> None:
    """
    There are three ways to say that there is none.
    """
    answer = client.get(f"/v2/model/civitai_version_id/{number}", headers=knobs(knob))

    assert (200, expected) == (answer.status_code, answer.json())


@pytest.mark.parametrize(
    ("token", "path", "knob", "status", "fact"),
    [
        (None, "/v3/model", "", 400, "MISSING_API_KEY"),
        ("wrong", "/v3/model", "", 403, "INVALID_API_KEY"),
        ("wrong", "/v3/model", "key_refusal=status", 401, None),
        ("wrong", "/v3/model", "key_refusal=code", 403, "INVALID_API_KEY"),
        ("wrong", MODEL, "key_refusal=code", 200, None),
        (None, MODEL, "", 400, "MISSING_API_KEY"),
    ],
)
def test_keys_are_checked(
    emulator: Emulator, token: str | None, path: str, knob: str, status: int, fact: str | None
) -> None:
    """
    A wrong or missing key is refused in each of the documented ways.
    """
    with client_of(emulator, token) as one:
        answer = one.get(path, headers=knobs(knob))

    assert (status, fact) == (answer.status_code, answer.json().get("reason"))


def test_older_routes_take_a_bare_key(emulator: Emulator) -> None:
    """
    One of the SDKs sends the key without `Bearer`; v2 takes that, v3 does not.
    """
    with client_of(emulator, None) as one:
        bare = {"Authorization": "emulator-token"}
        statuses = [one.get(path, headers=bare).status_code for path in (MODEL, "/v3/user")]

    assert [200, 403] == statuses


def test_the_list_is_filtered_and_paged(client: httpx.Client) -> None:
    """
    Filters hold together, `filter.type` has no effect, and cursors lead to the end.
    """

    def names(query: str) -> list[str]:
        return [model["name"] for model in client.get(f"/v3/model?{query}").json()["models"]]

    first = client.get("/v3/model?pagination.limit=4").json()
    last = client.get("/v3/model?pagination.limit=4&pagination.cursor=c_4").json()
    next_style = client.get(
        "/v3/model?pagination.limit=4&pagination.cursor=c_4", headers=knobs("last_cursor=next")
    ).json()

    assert ["Detail Tweaker LoRA", "Add More Details"] == names("filter.types=lora")
    assert names("filter.types=lora&filter.types=upscaler") == names("filter.types=lora,upscaler")
    assert names("") == names("filter.type=lora")
    assert ["WAI-illustrious-SDXL"] == names("filter.is_sdxl=true")
    assert ["DreamShaper"] == names("filter.query=DREAMSHAPER&filter.visibility=public")
    assert [] == names("filter.visibility=private")
    assert (4, "c_4", 3, "", "c_8") == (
        len(first["models"]), first["pagination"]["next_cursor"], len(last["models"]),
        last["pagination"]["next_cursor"], next_style["pagination"]["next_cursor"],
    )  # fmt: skip


@pytest.mark.parametrize(
    "query", ["pagination.limit=0", "pagination.limit=101", "pagination.limit=x",
              "pagination.cursor=7"],
)  # fmt: skip
def test_pages_out_of_range(client: httpx.Client, query: str) -> None:
    """
    A page out of range is a bad request.
    """
    answer = client.get(f"/v3/model?{query}")

    assert (400, "INVALID_REQUEST_BODY") == (answer.status_code, answer.json()["reason"])


def test_a_task_goes_on_when_it_is_asked_for(client: httpx.Client, bare: httpx.Client) -> None:
    """
    Queued, two steps with percent, done with pictures that can be fetched without a key.
    """
    made = client.post("/v3/async/txt2img", json={"request": {"model_name": "x", "image_num": 2}})
    task_id = made.json()["task_id"]
    path = f"/v3/async/task-result?task_id={task_id}"
    answers = [client.get(path).json() for _ in range(5)]
    pictures = [bare.get(image["image_url"]) for image in answers[-1]["images"]]

    assert [("QUEUED", 0), ("PROCESSING", 40), ("PROCESSING", 80), ("SUCCEED", 100)] == [
        (one["task"]["status"].removeprefix("TASK_STATUS_"), one["task"]["progress_percent"])
        for one in answers[:4]
    ]
    assert answers[3] == answers[4]
    assert "7" == answers[0]["extra"]["seed"]
    assert 7 == client.get(path, headers=knobs("plain_numbers")).json()["extra"]["seed"]
    assert [(200, b"\x89PNG")] * 2 == [(one.status_code, one.content[:4]) for one in pictures]
    assert 404 == bare.get(f"{client.base_url}/novita/{task_id}_9.png").status_code


def test_a_task_that_fails(client: httpx.Client) -> None:
    """
    The knobs that make a job fail make a task fail as well.
    """
    task_id = client.post("/v3/async/txt2img", json={"request": {"model_name": "x"}}).json()
    query = {"task_id": task_id["task_id"]}
    head = knobs("fail_node=*; fail_message=no luck")
    last = [client.get("/v3/async/task-result", params=query, headers=head) for _ in range(4)][-1]

    assert ("TASK_STATUS_FAILED", "no luck") == (
        last.json()["task"]["status"], last.json()["task"]["reason"],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "reason"),
    [
        ("GET", "/v3/async/task-result?task_id=none", None, 404, "TASK_NOT_FOUND"),
        ("GET", "/v3/nothing", None, 404, "API_NOT_FOUND"),
        ("POST", "/v3/async/txt2img", {}, 400, "INVALID_REQUEST_BODY"),
        ("POST", "/v3/async/txt2img", {"request": {"model_name": "x", "image_num": 9}}, 400,
         "INVALID_REQUEST_BODY"),
        ("POST", "/v3/async/txt2img", [], 400, "INVALID_REQUEST_BODY"),
    ],
)  # fmt: skip
def test_errors_have_a_reason(
    client: httpx.Client, method: str, path: str, body: Any, status: int, reason: str
) -> None:
    """
    v3 refuses with a word that machines can read.
    """
    answer = client.request(method, path, json=body)

    assert (status, reason) == (answer.status_code, answer.json()["reason"])


def test_v2_may_be_gone(client: httpx.Client) -> None:
    """
    Nobody knows whether the routes of 2023 still answer.
    """
    answer = client.get(MODEL, headers=knobs("no_v2"))

    assert (404, "API_NOT_FOUND") == (answer.status_code, answer.json()["reason"])


def test_shared_knobs_hold(client: httpx.Client) -> None:
    """
    429, errors and pages come in Novita's own form, fields can be missing.
    """
    statuses = [
        client.get("/v3/user", headers=knobs(f"too_many=1; retry_after={place}"))
        for place in ("2", "3")
    ]
    bare = client.get(MODEL, headers=knobs("missing_fields=*")).json()

    assert [("RATE_LIMIT_EXCEEDED", "2"), ("RATE_LIMIT_EXCEEDED", "3")] == [
        (one.json()["reason"], one.headers["Retry-After"]) for one in statuses
    ]
    assert {"data"} == bare.keys()


def test_the_site_tells_of_models(client: httpx.Client, bare: httpx.Client) -> None:
    """
    Civitai's site finds a version by its number and by hashes, and asks for no token.
    """
    base = f"{client.base_url}/api/v1/model-versions"
    one = bare.get(f"{base}/128713").json()
    hashes = one["files"][0]["hashes"]
    by_hash = [bare.get(f"{base}/by-hash/{value}").json() for value in hashes.values()]
    many = bare.post(f"{base}/by-hash", json=[hashes["SHA256"].lower(), "0" * 64]).json()
    ids = bare.post(f"{base}/by-hash/ids", json=[hashes["SHA256"]]).json()

    assert "urn:air:sd1:checkpoint:civitai:4384@128713" == one["air"]
    assert [one, one] == by_hash
    assert [one] == many
    assert [{"modelVersionId": 128713, "hash": hashes["SHA256"]}] == ids


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/999999999", None, 404),
        ("GET", "/abc", None, 400),
        ("GET", "/by-hash/0123456789", None, 404),
        ("POST", "/by-hash", ["short"], 400),
        ("POST", "/by-hash", ["0" * 64] * 101, 400),
        ("POST", "/by-hash", {"a": 1}, 400),
    ],
)
def test_errors_of_the_site(
    client: httpx.Client, method: str, path: str, body: Any, status: int
) -> None:
    """
    The site refuses with `{"error": …}`.
    """
    answer = client.request(method, f"/api/v1/model-versions{path}", json=body)

    assert (status, ["error"]) == (answer.status_code, list(answer.json()))


def test_services_agree_about_a_model(client: httpx.Client) -> None:
    """
    A version has the same file and the same hash on Civitai and on Novita.
    """
    site = client.get("/api/v1/model-versions/62833").json()
    novita = client.get("/v2/model/civitai_version_id/62833").json()["data"]["model"]
    resource = client.get("/v2/resources/urn:air:sdxl:lora:civitai:58390@62833").json()

    assert site["files"][0]["name"] == novita["sd_name"]
    assert site["files"][0]["hashes"]["AutoV2"] == novita["hash"]
    assert site["air"] == resource["air"]


def test_a_model_that_nobody_described() -> None:
    """
    Any number is some model, the same each time, and found by its hash once it was asked for.
    """
    shelf = Shelf()
    before = shelf.by_hash(Shelf().version(77).sha256)  # type: ignore[union-attr]  # it is one
    model = shelf.version(77)

    assert before is None
    assert model is not None
    assert model == shelf.by_hash(model.sha256[:10].lower())
    assert (None, None) == (shelf.version(0), shelf.version(100_000_000))


def test_an_emulator_of_novita_alone(bare: httpx.Client) -> None:
    """
    The service can be had by itself.
    """
    head = {"Authorization": f"Bearer {DEV_TOKEN}"}
    with Emulator(["novita"]) as one:
        url = one.url("novita")
        answers = [bare.get(f"{url}{path}", headers=head) for path in ("/v3/user", "/prompt")]

    assert [200, 404] == [answer.status_code for answer in answers]
