"""
The emulated TAMS: credentials, checks, the life of a job, pictures in and out.
"""

from __future__ import annotations

import base64
import hashlib
import json
import time
from io import BytesIO
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from emulation import client_of
from PIL import Image

from comfygraph.emulator import Emulator, Faults
from comfygraph.emulator.tams.auth import signed_text
from comfygraph.errors import UsageError


def follow(client: httpx.Client, job_id: str) -> list[dict[str, Any]]:
    """Poll a job to its end, and give all its answers."""
    seen: list[dict[str, Any]] = []
    for _ in range(20_000):
        seen.append(client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["job"])
        if seen[-1]["status"].upper() in {"SUCCESS", "FAILED", "CANCELED"}:
            return seen
        time.sleep(0.002)
    raise AssertionError(seen[-1])


def submit(client: httpx.Client, body: dict[str, Any], **headers: str) -> str:
    """Submit a job, and give its id."""
    answer = client.post("/v1/jobs/workflow", json=body, headers=headers)
    return str(answer.raise_for_status().json()["job"]["id"])


def test_life_of_a_job(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    A job is created, runs, and its graph is done before the job says so; `nodes` names the
    five nodes that the real answer named, and only samplers have `process`.
    """
    created = client.post("/v1/jobs/workflow", json=tams_workflow).json()["job"]
    seen = follow(client, created["id"])
    before, last = seen[-2], seen[-1]
    item = before["runningInfo"]["workflowFinishItem"]

    assert {"id", "status"} == created.keys()
    assert "CREATED" == created["status"]
    assert ("RUNNING", "SUCCESS") == (before["status"], item["status"])
    assert ["16", "17", "18", "3", "9"] == list(item["nodes"])
    assert {"17", "3"} == {key for key, node in item["nodes"].items() if "process" in node}
    assert "SUCCESS" == last["status"]


def test_answer_has_the_keys_of_the_real_one(
    client: httpx.Client, tams_workflow: dict[str, Any]
) -> None:
    """
    A running job whose graph is done has every key that the real answer had, the same types,
    and the sizes that the graph gives.
    """
    from emulation import DATA

    real = json.loads((DATA / "seed" / "tams_running.json").read_text())["job"]
    mine = follow(client, submit(client, tams_workflow))[-2]
    picture = mine["runningInfo"]["workflowFinishItem"]["nodes"]["9"]["outputUi"]["images"][0]
    theirs = real["runningInfo"]["workflowFinishItem"]["nodes"]["9"]["outputUi"]["images"][0]

    assert _shape(real) <= _shape(mine)
    assert (theirs["width"], theirs["height"]) == (picture["width"], picture["height"])
    assert picture["filename"].startswith("http://")
    assert "Expires=" in picture["filename"]


def _shape(value: Any, path: str = "") -> set[str]:
    if isinstance(value, dict):
        return set().union(*(_shape(item, f"{path}/{key}") for key, item in value.items()))
    if isinstance(value, list):
        return set().union(*(_shape(item, f"{path}/*") for item in value))
    return {f"{path}:{type(value).__name__}"}


def test_result_is_fetched_and_expires(tams_workflow: dict[str, Any], bare: httpx.Client) -> None:
    """
    A result URL gives the picture until its time is over; then 403, and a new look at the job
    gives a new one. A credential beside its signature is refused, as the storage does.
    """
    now = [time.time()]
    with (
        Emulator(speed=0, faults=Faults(qps=0), clock=lambda: now[0]) as emulator,
        client_of(emulator) as client,
    ):
        job_id = submit(client, tams_workflow)
        url = follow(client, job_id)[-1]["successInfo"]["images"][0]["url"]
        good = bare.get(url)
        now[0] += 3700
        late = bare.get(url)
        fresh = client.get(f"/v1/jobs/{job_id}").json()["job"]["successInfo"]["images"][0]
        again = bare.get(fresh["url"])
        forged = bare.get(url.replace("Expires=1", "Expires=2"))
        twice = client.get(fresh["url"])

    assert (200, 403, 200, 403, 400) == tuple(
        answer.status_code for answer in (good, late, again, forged, twice)
    )
    assert "two signatures" in twice.text
    assert (1024, 1536) == Image.open(BytesIO(good.content)).size
    assert "Request has expired" in late.text


def test_same_request_id_is_the_same_job(
    emulator: Emulator, client: httpx.Client, tams_workflow: dict[str, Any]
) -> None:
    """
    A repeated `requestId`, in either spelling, gives the first job; nothing runs twice.
    """
    first = submit(client, tams_workflow)
    other = {"request_id": tams_workflow["requestId"], "params": {}}
    other["params"] = {
        key: {"class_type": node["classType"], "inputs": node["inputs"]}
        for key, node in tams_workflow["params"].items()
    }

    assert first == submit(client, tams_workflow) == submit(client, other)
    assert 1 == emulator.stats().submits["tams"]


def test_check_quotes_and_refuses(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    A good graph is quoted; a bad one comes back with one `ArgumentError` for each bad node.
    """
    good = client.post("/v1/jobs/workflow/params/check", json=tams_workflow).json()
    broken = json.loads(json.dumps(tams_workflow))
    del broken["params"]["3"]["inputs"]["model"]
    answer = client.post("/v1/jobs/workflow/params/check", json=broken)
    detail = answer.json()["details"][0]

    assert good["valid"] is True
    assert good["credits"] > 0
    assert (400, 3, "Params Valid") == (
        answer.status_code, answer.json()["code"], answer.json()["message"]
    )  # fmt: skip
    assert "type.googleapis.com/tams_api.ArgumentError" == detail["@type"]
    assert "node id: 3\nclass type: KSampler\nmodel: 字段必填\n" == detail["message"]
    assert 400 == client.post("/v1/jobs/workflow", json=broken).status_code


def test_upload_wants_exactly_its_headers(client: httpx.Client, bare: httpx.Client) -> None:
    """
    A presigned PUT takes its headers, no fewer and no more; then the picture can be loaded.
    """
    data = BytesIO()
    Image.new("RGB", (48, 32)).save(data, "PNG")
    place = client.post("/v1/resource/image", json={"expireSec": "60", "term": 1}).json()
    url, headers = place["putUrl"], place["headers"]
    params = {
        "1": {"classType": "LoadImage", "inputs": {"image": place["resourceId"]}},
        "2": {"classType": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    early = client.post("/v1/jobs/workflow/params/check", json={"params": params})
    statuses = [
        bare.put(url, content=data.getvalue()).status_code,
        bare.put(url, content=b"", headers={**headers, "Authorization": "Bearer x"}).status_code,
        bare.put(url, content=b"", headers={**headers, "X-More": "1"}).status_code,
        bare.put(url + "x", content=b"", headers=headers).status_code,
        bare.put(url, content=data.getvalue(), headers=headers).status_code,
    ]
    job = follow(client, submit(client, {"requestId": "up", "params": params}))[-1]

    assert (400, "image: image not found") == (
        early.status_code,
        early.json()["details"][0]["message"].splitlines()[-1],
    )
    assert [403, 400, 403, 403, 200] == statuses
    assert {"format": "png", "width": 48, "height": 32} == (
        job["successInfo"]["images"][0]["meta"]["image"]
    )


@pytest.mark.parametrize("style", ["delete", "post"])
def test_cancel(style: str, tams_workflow: dict[str, Any]) -> None:
    """
    Each cancel route stops a running job; with one style only, the other route is not there.
    """
    with (
        Emulator(speed=300, faults=Faults(qps=0, cancel_style=style)) as emulator,
        client_of(emulator) as client,
    ):
        path = f"/v1/jobs/{submit(client, tams_workflow)}"
        calls = {
            "delete": lambda: client.delete(path),
            "post": lambda: client.post(f"{path}/cancel", json={}),
        }
        other = calls["post" if style == "delete" else "delete"]()
        mine = calls[style]()
        end = follow(client, path.rpartition("/")[2])[-1]
        late = calls[style]()

    assert other.status_code in {404, 405}
    assert 200 == mine.status_code
    assert "CANCELED" == end["status"]
    assert (400, 9) == (late.status_code, late.json()["code"])


def test_failed_node(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    A failed job names node and class, and says whether another try may help.
    """
    for knob, code in (("fail_node=17", "FATAL"), ("fail_node=17;transient", "TRANSITORY")):
        body = {**tams_workflow, "requestId": knob}
        job = follow(client, submit(client, body, **{"X-Emulator-Faults": f"qps=0;{knob}"}))[-1]

        assert f"{code}_ERROR" == job["failedInfo"]["code"]
        assert job["failedInfo"]["reason"].startswith("node 17 KSampler: ")


def test_credentials(emulator: Emulator, client: httpx.Client, bare: httpx.Client) -> None:
    """
    No header, another scheme, a wrong token: 401, each in its own words.
    """
    url = f"{emulator.url()}/v1/jobs/1"
    answers = [
        bare.get(url, headers=headers).json()
        for headers in (
            {},
            {"Authorization": "Basic x"},
            {"Authorization": "TAMS-SHA256-RSA app_id=1"},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Bearer emulator-token"},
        )
    ]

    assert [100002, 100002, 100002, 16, 5] == [answer["code"] for answer in answers]


def test_signatures(tams_workflow: dict[str, Any], bare: httpx.Client) -> None:
    """
    A request signed with the right key passes, in any order of the parameters; another body,
    an old moment, another app or another key do not.
    """
    key = rsa.generate_private_key(65537, 2048)
    other = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    body = json.dumps(tams_workflow).encode()
    path = "/v1/jobs/workflow/params/check?x=1&y=%2F"

    def sign(key: rsa.RSAPrivateKey, moment: int, app: str = "app") -> dict[str, str]:
        text = signed_text("POST", path, str(moment), "n", body)
        signature = base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
        parts = f"timestamp={moment},app_id={app},nonce_str=n,signature={signature}"
        return {"Authorization": f"TAMS-SHA256-RSA {parts}"}

    now = int(time.time())
    with Emulator(faults=Faults(qps=0), public_key=pem, app_id="app") as emulator:
        url = f"{emulator.url('tams')}{path}"
        statuses = [
            bare.post(url, content=sent, headers=headers).status_code
            for sent, headers in (
                (body, sign(key, now)),
                (body + b" ", sign(key, now)),
                (body, sign(key, now - 1000)),
                (body, sign(key, now, "another")),
                (body, sign(other, now)),
            )
        ]

    assert [200, 401, 401, 401, 401] == statuses


@pytest.mark.parametrize("pem", [b"", b"{}", b"-----BEGIN PUBLIC KEY-----\nAAAA\n"])
def test_a_public_key_that_is_none(pem: bytes) -> None:
    """
    What is no public key is refused at the start, and not at the first signature.
    """
    with pytest.raises(UsageError, match="no RSA key in PEM"):
        Emulator(public_key=pem)


def test_signed_text() -> None:
    """
    The bytes under a signature are those that TAMS documents.
    """
    body = b'{"requestId":"r-1","params":{}}'
    post = signed_text("POST", "/v1/jobs/workflow?x=1", "1700000000", "abc123", body)
    get = signed_text("GET", "/v1/jobs/683082404926062625", "1700000000", "abc123", b"")

    assert [
        "4ccdb2bb1e9f5656b6801552bc1927e1941da98eb6fc779bf8401140af4d453c",
        "b773dc5f7f0c6bc56fa0e93818fc844d902141e546d9b96fd3bd6c1e71fb5025",
    ] == [hashlib.sha256(text).hexdigest() for text in (post, get)]


def test_rate_limit(emulator: Emulator, client: httpx.Client) -> None:
    """
    The sixth request of a second is refused.
    """
    emulator.faults = Faults(qps=5)
    statuses = [client.get("/v1/models/600423083519508503").status_code for _ in range(6)]

    assert [200] * 5 + [429] == statuses


def test_models_and_templates(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    A model is of the kind that graphs use it for; the template is read, filled, checked, run.
    """
    client.post("/v1/jobs/workflow/params/check", json=tams_workflow)
    lora = next(
        node["inputs"]["lora_name"]
        for node in tams_workflow["params"].values()
        if node["classType"] == "LoraLoader"
    )
    model = client.get(f"/v1/models/{lora}").json()["model"]
    template = client.get("/v1/workflows/676018193025756628").json()
    filled = {"templateId": template["templateId"], "fields": template["fields"]}
    check = client.post("/v1/workflows/template/check", json=filled).json()
    less = {"templateId": template["templateId"], "fields": {"fieldAttrs": []}}
    missing = client.post("/v1/workflows/template/check", json=less).json()
    answer = client.post("/v1/jobs/workflow/template", json={**filled, "requestId": "t"})
    job = follow(client, answer.json()["job"]["id"])[-1]

    assert "LORA" == model["modelType"]
    assert 404 == client.get("/v1/models/12").status_code
    assert check["valid"] is True
    assert "can't find [nodeId:fieldName] 6:text in fields parameter" == missing["message"]
    assert (512, 768) == tuple(
        job["successInfo"]["images"][0]["meta"]["image"][side] for side in ("width", "height")
    )


def test_queue_rank(tams_workflow: dict[str, Any]) -> None:
    """
    Waiting jobs know their place, as texts, and it gets smaller.
    """
    with Emulator(speed=200, faults=Faults(qps=0)) as emulator, client_of(emulator) as client:
        ids = [submit(client, {**tams_workflow, "requestId": str(n)}) for n in range(3)]
        info = client.get(f"/v1/jobs/{ids[2]}").json()["job"]["waitingInfo"]
        client.delete(f"/v1/jobs/{ids[1]}")
        after = client.get(f"/v1/jobs/{ids[2]}").json()["job"]["waitingInfo"]

    assert ("2", "3") == (info["queueRank"], info["queueLen"])
    assert ("1", "2") == (after["queueRank"], after["queueLen"])


def test_knobs_of_answers(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    Statuses with a capital, missing and unknown fields, all nodes, another scale, old answers.
    """
    knobs = "qps=0;capitalised;missing_fields=*;extra_fields;all_nodes;progress_scale=100"
    job = follow(client, submit(client, tams_workflow, **{"X-Emulator-Faults": knobs}))[-1]
    item = job["successInfo"]["workflowFinishItem"]
    more = {**tams_workflow, "requestId": "more"}
    other = follow(client, submit(client, more, **{"X-Emulator-Faults": "progress_scale=100"}))[-1]

    assert "Success" == job["status"]
    assert not {"credits", "progress", "runtime"} & {*job, *item, *job["successInfo"]}
    assert "xEmulatorExtra" in job
    assert tams_workflow["params"].keys() == item["nodes"].keys()
    assert 100 == other["successInfo"]["workflowFinishItem"]["progress"]


def test_old_answers_come_again(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    With stale updates a job that was seen finished is seen running once more.
    """
    for lag in (4, 5):
        headers = {"X-Emulator-Faults": f"stale_updates;lag={lag};qps=0"}
        job_id = submit(client, {**tams_workflow, "requestId": str(lag)}, **headers)
        follow(client, job_id)
        after = [client.get(f"/v1/jobs/{job_id}").json()["job"]["status"] for _ in range(4)]

        assert ("RUNNING", "SUCCESS") == (after[0], after[-1])
