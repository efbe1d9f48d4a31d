"""
The emulated TAMS where its documentation leaves things open: a switch for each reading; diffusion
jobs, forms, templates with pictures, and our own client against all of it.
"""

from __future__ import annotations

import base64
import copy
import json
import time
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from emulation import until
from PIL import Image
from test_emulator_tams import follow, submit

from comfygraph.emulator import Emulator, Faults
from comfygraph.emulator.tams.auth import signed_text
from comfygraph.emulator.tams.submit import ACCESS_KEY
from comfygraph.emulator.tams.templates import IMAGE_TEMPLATE_ID
from comfygraph.errors import UsageError

CHECK = "/v1/jobs/workflow/params/check"
SUBMIT = "/v1/jobs/workflow"
DIFFUSION = {
    "width": 512, "height": "768", "prompts": [{"text": "a harbour", "weight": 1}],
    "sdModel": "600423083519508503", "sampler": "Euler a", "steps": 4, "cfgScale": 7,
}  # fmt: skip


def knobs(text: str) -> dict[str, str]:
    """
    Give the header that sets knobs for one request.
    """
    return {"X-Emulator-Faults": f"qps=0;{text}"}


def picture(width: int = 48, height: int = 32) -> bytes:
    """
    Give a small PNG.
    """
    data = BytesIO()
    Image.new("RGB", (width, height)).save(data, "PNG")
    return data.getvalue()


def stages(count: int = 2, **diffusion: Any) -> list[dict[str, Any]]:
    """
    Give the stages of a diffusion job.
    """
    return [
        {"type": "INPUT_INITIALIZE", "inputInitialize": {"seed": "-1", "count": count}},
        {"type": "DIFFUSION", "diffusion": {**DIFFUSION, **diffusion}},
    ]


@pytest.fixture
def tams_workflow(tams_workflow: dict[str, Any]) -> dict[str, Any]:
    """
    Give a copy that a test may change.
    """
    return copy.deepcopy(tams_workflow)


@pytest.fixture
def bad(tams_workflow: dict[str, Any]) -> dict[str, Any]:
    """
    Give a graph that lacks an input.
    """
    broken: dict[str, Any] = json.loads(json.dumps(tams_workflow))
    del broken["params"]["3"]["inputs"]["model"]
    return broken


@pytest.mark.parametrize(
    ("style", "status", "body"),
    [("valid", 200, {"valid": False}), ("omitted", 200, {}), ("status", 400, None)],
)
def test_check_styles(
    client: httpx.Client, bad: dict[str, Any], style: str, status: int, body: Any
) -> None:
    """
    A bad graph is refused by a status, by a false, or by a false that is left out.
    """
    answer = client.post(CHECK, json=bad, headers=knobs(f"check_style={style}"))

    assert status == answer.status_code
    assert body is None or body == answer.json()


@pytest.mark.parametrize(
    ("spelling", "camel", "snake"), [("both", 200, 200), ("camel", 200, 400), ("snake", 400, 200)]
)
def test_node_spelling(
    client: httpx.Client, tams_workflow: dict[str, Any], spelling: str, camel: int, snake: int
) -> None:
    """
    `classType`, `class_type`, or both.
    """
    other = {
        key: {"class_type": node["classType"], "inputs": node["inputs"]}
        for key, node in tams_workflow["params"].items()
    }
    statuses = [
        client.post(CHECK, json={"params": params}, headers=knobs(f"node_spelling={spelling}"))
        for params in (tams_workflow["params"], other)
    ]

    assert [camel, snake] == [answer.status_code for answer in statuses]


@pytest.mark.parametrize(
    ("reading", "status", "same"),
    [("same", 200, True), ("new", 200, False), ("refuse", 400, False)],
)
def test_duplicate_ids(
    client: httpx.Client, tams_workflow: dict[str, Any], reading: str, status: int, same: bool
) -> None:
    """
    A `requestId` that was seen gives the first job, another job, or an error.
    """
    first = submit(client, tams_workflow, **knobs(""))
    answer = client.post(
        "/v1/jobs/workflow", json=tams_workflow, headers=knobs(f"duplicate_id={reading}")
    )

    assert status == answer.status_code
    assert same == (answer.json().get("job", {}).get("id") == first)


def test_unknown_fields(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    Fields that nobody knows are let pass or refused by name.
    """
    body = {**tams_workflow, "whatever": 1}
    lenient = client.post(CHECK, json=body, headers=knobs(""))
    strict = client.post(CHECK, json=body, headers=knobs("unknown_fields=refuse"))

    assert 200 == lenient.status_code
    assert (400, 'unknown field "whatever"') == (strict.status_code, strict.json()["message"])


def test_model_names(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    Names of files pass for models, or do not.
    """
    tams_workflow["params"]["4"]["inputs"]["ckpt_name"] = "sd.safetensors"
    lenient = client.post(CHECK, json=tams_workflow, headers=knobs(""))
    strict = client.post(CHECK, json=tams_workflow, headers=knobs("model_names=refuse"))

    assert 200 == lenient.status_code
    assert "ckpt_name: no such model" in strict.json()["details"][0]["message"]


@pytest.mark.parametrize(
    ("place", "extra"),
    [("inputs.accessKey", {"inputs": True}), ("accessKey", {"inputs": False})],
)
def test_private_models(
    client: httpx.Client, tams_workflow: dict[str, Any], place: str, extra: dict[str, bool]
) -> None:
    """
    A private model wants its key in the place that the switch names, and nowhere else.
    """
    node = tams_workflow["params"]["4"]
    model = node["inputs"]["ckpt_name"]
    header = knobs(f"private_models={model};access_place={place}")
    refused = client.post(CHECK, json=tams_workflow, headers=header)
    (node["inputs"] if extra["inputs"] else node)["accessKey"] = ACCESS_KEY
    taken = client.post(CHECK, json=tams_workflow, headers=header)
    elsewhere = client.post(
        CHECK, json=tams_workflow,
        headers=knobs(f"private_models={model};access_place=properties.key"),
    )  # fmt: skip

    assert [400, 200, 400] == [item.status_code for item in (refused, taken, elsewhere)]
    assert "node id: 4\n" in refused.json()["details"][0]["message"]


@pytest.mark.parametrize(("late", "status"), [("refuse", 400), ("accept", 200)])
def test_late_cancel(
    client: httpx.Client, tams_workflow: dict[str, Any], late: str, status: int
) -> None:
    """
    A cancel of a job that is over is refused or taken; the job stays as it is.
    """
    job_id = submit(client, tams_workflow)
    follow(client, job_id)
    answer = client.delete(f"/v1/jobs/{job_id}", headers=knobs(f"late_cancel={late}"))

    assert status == answer.status_code
    assert "SUCCESS" == client.get(f"/v1/jobs/{job_id}").json()["job"]["status"]


@pytest.mark.parametrize(
    ("reading", "route", "expected"),
    [
        ("plain", "delete", ["jobId"]),
        ("plain", "post", []),
        ("job", "delete", ["job"]),
        ("job", "post", ["job"]),
        ("nothing", "delete", None),
        ("nothing", "post", None),
    ],
)
def test_answers_to_a_cancel(
    client: httpx.Client,
    tams_workflow: dict[str, Any],
    reading: str,
    route: str,
    expected: list[str] | None,
) -> None:
    """
    A cancel answers with an id or an empty object, with the job, or with nothing at all.
    """
    path = f"/v1/jobs/{submit(client, tams_workflow)}"
    method, path = ("DELETE", path) if route == "delete" else ("POST", f"{path}/cancel")
    headers = knobs(f"cancel_answer={reading}; late_cancel=accept")
    answer = client.request(method, path, headers=headers)

    assert 200 == answer.status_code
    assert expected == (list(answer.json()) if answer.content else None)


@pytest.mark.parametrize("status", [200, 400, 500])
def test_status_of_a_bad_graph(client: httpx.Client, bad: dict[str, Any], status: int) -> None:
    """
    The status with which a graph is refused is not documented: a knob sets it.
    """
    headers = knobs(f"argument_status={status}")
    answers = [client.post(path, json=bad, headers=headers) for path in (CHECK, SUBMIT)]

    assert [(status, "Params Valid")] * 2 == [
        (answer.status_code, answer.json()["message"]) for answer in answers
    ]


def test_no_funds(client: httpx.Client, tams_workflow: dict[str, Any]) -> None:
    """
    Without money a submit is refused, in details that speak of credits; a check is not.
    """
    submits = client.post(SUBMIT, json=tams_workflow, headers=knobs("no_funds"))
    checks = client.post(CHECK, json=tams_workflow, headers=knobs("no_funds"))

    assert [400, 200] == [submits.status_code, checks.status_code]
    assert "insufficient credits" == submits.json()["details"][0]["message"]


def test_place_of_films(client: httpx.Client) -> None:
    """
    `outputUi` lists films under the name that a knob says.
    """
    made = {"width": 64, "height": 32, "batch_size": 3, "color": 0}
    film = {"images": ["1", 0], "filename_prefix": "f", "codec": "vp9", "fps": 8.0, "crf": 32.0}
    params = {
        "1": {"classType": "EmptyImage", "inputs": made},
        "2": {"classType": "SaveWEBM", "inputs": film},
    }
    body = {"requestId": "film", "params": params}
    job = follow(client, submit(client, body, **knobs("film_place=gifs")))[-1]

    assert ["gifs"] == list(job["successInfo"]["workflowFinishItem"]["nodes"]["2"]["outputUi"])


def test_uploads_settle_and_put_status(client: httpx.Client, bare: httpx.Client) -> None:
    """
    A fresh upload is unknown for a while if so wanted; the storage may answer 203.
    """
    place = client.post("/v1/resource/image", json={}).json()
    put = bare.put(
        place["putUrl"], content=picture(), headers={**place["headers"], **knobs("put_status=203")}
    )
    params = {
        "1": {"classType": "LoadImage", "inputs": {"image": place["resourceId"]}},
        "2": {"classType": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }
    checks = [
        client.post(CHECK, json={"params": params}, headers=knobs("upload_settles=2")).status_code
        for _ in range(3)
    ]

    assert 203 == put.status_code
    assert [400, 400, 200] == checks


def test_upload_by_form(client: httpx.Client, bare: httpx.Client) -> None:
    """
    The other upload takes a form with its policy and signature, and no other.
    """
    place = client.post("/v1/resource/image/sts", json={}).json()
    fields = {
        "key": place["filePath"], "policy": place["policy"], "OSSAccessKeyId": place["accessId"],
        "signature": place["signature"], "success_action_status": "200",
    }  # fmt: skip
    sent = [
        bare.post(place["host"], data=data, files={"file": ("a.png", picture())}).status_code
        for data in (
            {**fields, "signature": "x"},
            {**fields, "policy": "!"},
            {**fields, "policy": base64.b64encode(b"x until 99").decode()},
            {**fields, "key": "elsewhere"},
            fields,
        )
    ]
    params = {
        "1": {"classType": "LoadImage", "inputs": {"image": place["resourceId"]}},
        "2": {"classType": "SaveImage", "inputs": {"images": ["1", 0], "filename_prefix": "x"}},
    }

    assert [403, 400, 403, 400, 200] == sent
    assert 200 == client.post(CHECK, json={"params": params}).status_code


def test_diffusion_job(client: httpx.Client) -> None:
    """
    Stages are priced and run; pictures come as many and as large as asked for, and nothing is
    told of nodes.
    """
    price = client.post("/v1/jobs/credits", json={"requestId": "x", "stages": stages()}).json()
    body = {"requestId": "d-1", "stages": stages()}
    created = client.post("/v1/jobs", json=body).json()["job"]
    again = client.post("/v1/jobs", json=body).json()["job"]
    seen = follow(client, created["id"])
    running = [job["runningInfo"] for job in seen if "runningInfo" in job]
    images = seen[-1]["successInfo"]["images"]

    assert price["credits"] == seen[-1]["credits"]
    assert created["id"] == again["id"]
    assert [(512, 768), (512, 768)] == [
        (image["meta"]["image"]["width"], image["meta"]["image"]["height"]) for image in images
    ]
    assert "workflowFinishItem" not in seen[-1]["successInfo"]
    assert all(info.keys() == {"processingImages"} for info in running)


def test_upscaled_diffusion_in_the_older_form(client: httpx.Client) -> None:
    """
    A second stage scales; the form of 2024 has results under `stages`.
    """
    parts = [*stages(1), {"type": "IMAGE_TO_UPSCALER", "imageToUpscaler": {"hrScale": 2}}]
    answer = client.post(
        "/v1/jobs", json={"request_id": "d-2", "stages": parts}, headers=knobs("stage_form=stages")
    )
    [stage] = follow(client, answer.json()["job"]["id"])[-1]["successInfo"]["stages"]
    [image] = stage["processingImages"]

    assert (1024, 1536) == tuple(
        image["resourceImage"]["meta"]["image"][side] for side in ("width", "height")
    )
    assert 1 == image["progress"]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "invalid stages"),
        (stages(5), "invalid_samples"),
        (stages(sampler="mine"), "invalid_samples"),
        (stages(steps=99), "invalid_samples"),
        (stages(width=500), "invalid_height_or_width"),
        (stages(width=1536, height=1536), "invalid_height_or_width"),
        (stages(width="wide"), "invalid width"),
        (stages(prompts=[]), "invalid prompts"),
        ([{"type": "NOISE"}], "invalid stage type NOISE"),
        ([{"type": "INPUT_INITIALIZE"}], "invalid stages: no diffusion"),
        (
            [*stages(), {"type": "IMAGE_TO_UPSCALER", "imageToUpscaler": {"hrScale": 9}}],
            "invalid hrScale",
        ),
        (
            [*stages(), {"type": "IMAGE_TO_UPSCALER", "imageToUpscaler": {"hrResizeX": 9}}],
            "invalid_height_or_width",
        ),
    ],
)
def test_stages_out_of_range(client: httpx.Client, parts: Any, message: str) -> None:
    """
    What the service does not take is refused in its words, by submit and price alike.
    """
    answers = [
        client.post(path, json={"requestId": "bad", "stages": parts}, headers=knobs(""))
        for path in ("/v1/jobs", "/v1/jobs/credits")
    ]

    assert [(400, message)] * 2 == [(item.status_code, item.json()["message"]) for item in answers]


def test_a_nonce_is_good_once(tams_workflow: dict[str, Any], bare: httpx.Client) -> None:
    """
    With the switch on, the same signed request is refused the second time.
    """
    key = rsa.generate_private_key(65537, 2048)
    pem = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    moment, path = str(int(time.time())), "/v1/models/600423083519508503"
    text = signed_text("GET", path, moment, "n", b"")
    signature = base64.b64encode(key.sign(text, padding.PKCS1v15(), hashes.SHA256())).decode()
    header = f"app_id=a,nonce_str=n,timestamp={moment},signature={signature}"
    with Emulator(faults=Faults(qps=0, nonce_once=True), public_key=pem) as emulator:
        statuses = [
            bare.get(
                emulator.url("tams") + path, headers={"Authorization": f"TAMS-SHA256-RSA {header}"}
            ).status_code
            for _ in range(2)
        ]

    assert [200, 401] == statuses


@pytest.fixture
def inbox() -> Iterator[tuple[str, list[Any]]]:
    """
    Give the address of a receiver of webhooks, and the list of what it got.
    """
    import threading
    from http.server import BaseHTTPRequestHandler, HTTPServer

    got: list[Any] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append(json.loads(body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/hook", got
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("style", ["job", "bare", "id", "empty"])
def test_webhooks(
    client: httpx.Client, tams_workflow: dict[str, Any], inbox: tuple[str, list[Any]], style: str
) -> None:
    """
    Each form of a call; all but the empty one name the job, and our reader finds it.
    """
    from comfygraph.targets.tams.webhook import job_of_call

    url, got = inbox
    body = {**tams_workflow, "runningNotifyUrl": url, "requestId": style}
    job_id = submit(client, body, **knobs(f"hook_style={style}"))
    follow(client, job_id)
    until(lambda: len(got) >= 2)

    assert {None if style == "empty" else job_id} == {
        job_of_call(json.dumps(call).encode()) for call in got
    }


def test_template_with_a_picture(client: httpx.Client, bare: httpx.Client) -> None:
    """
    The second template wants an upload: empty it is refused, filled it gives a scaled picture;
    a field that is missing is named, with the status that the switch wants.
    """
    template = client.get(f"/v1/workflows/{IMAGE_TEMPLATE_ID}").json()
    body = {"templateId": int(template["templateId"]), "fields": template["fields"]}
    empty = client.post("/v1/workflows/template/check", json=body)
    place = client.post("/v1/resource/image", json={}).json()
    bare.put(place["putUrl"], content=picture(), headers=place["headers"])
    body["fields"]["fieldAttrs"][0]["fieldValue"] = place["resourceId"]
    job = client.post("/v1/jobs/workflow/template", json={**body, "requestId": "t-1"}).json()["job"]
    image = follow(client, job["id"])[-1]["successInfo"]["images"][0]["meta"]["image"]
    body["fields"]["fieldAttrs"].pop(0)
    missing = client.post(
        "/v1/workflows/template/check", json=body, headers=knobs("field_status=400")
    )

    assert "image: 字段必填" in empty.json()["details"][0]["message"]
    assert (96, 64) == (image["width"], image["height"])
    assert (400, "can't find [nodeId:fieldName] 25:image in fields parameter") == (
        missing.status_code, missing.json()["message"],
    )  # fmt: skip


def test_a_word_that_a_knob_does_not_have() -> None:
    """
    A misspelt reading is refused and not taken for the usual one.
    """
    with pytest.raises(UsageError, match="one of same, refuse, new"):
        Faults().changed(["duplicate_id=sane"])
