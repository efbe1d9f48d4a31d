"""
The emulated ComfyUI over REST: status, bodies, queue, files.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from io import BytesIO
from typing import Any

import httpx
import pytest
from emulation import client_of, finish, graph, sampler, until
from PIL import Image

from comfygraph.emulator import Emulator, Faults

Recording = Callable[[str], list[dict[str, Any]]]

# Long lists of a real installation, or answers about its own files.
_ITS_OWN = {"/node_replacements", "/extensions", "/global_subgraphs", "/settings"}


def test_answers_are_those_of_a_real_server(recording: Recording) -> None:
    """
    The recorded REST calls get the same status, content type and body.
    """
    calls = [
        line
        for line in recording("rest_misc")
        if len(line["req"]) < 300
        and line["path"].partition("?")[0] not in _ITS_OWN
        and not line["path"].startswith(("/object_info/K", "/view_metadata", "/internal"))
    ]
    mine, theirs = [], []
    with Emulator(["comfyui"], speed=0) as emulator, client_of(emulator) as c:
        for line in calls:
            body = line["req"].encode("latin-1")
            answer = c.request(
                line["method"], line["path"], content=body, headers=line["req_headers"]
            )
            binary = line["body"].startswith("<binary")
            kind = answer.headers.get("content-type")
            place = (line["method"], line["path"])
            mine.append((*place, answer.status_code, kind, None if binary else answer.text))
            kind = line["headers"].get("Content-Type")
            theirs.append((*place, line["status"], kind, None if binary else line["body"]))

    assert len(calls) > 25
    assert theirs == mine


def test_file_has_the_size_of_the_graph_and_carries_it(client: httpx.Client) -> None:
    """
    The picture is as large as the graph says, and its metadata is the prompt and the workflow.
    """
    prompt = graph(batch_size=2)
    workflow = {"id": "w-1", "nodes": []}
    extra = {"extra_pnginfo": {"workflow": workflow}}
    done = client.post("/prompt", json={"prompt": prompt, "extra_data": extra}).json()
    images = finish(client, done["prompt_id"])["outputs"]["2"]["images"]
    pictures = [Image.open(BytesIO(client.get("/view", params=one).content)) for one in images]

    assert [
        {"filename": "pic_00001_.png", "subfolder": "t", "type": "output"},
        {"filename": "pic_00002_.png", "subfolder": "t", "type": "output"},
    ] == images
    assert [(64, 32), (64, 32)] == [picture.size for picture in pictures]
    assert prompt == json.loads(pictures[0].info["prompt"])
    assert workflow == json.loads(pictures[0].info["workflow"])


def test_refusal_is_the_prediction(client: httpx.Client) -> None:
    """
    A prompt that the server refuses gets 400 with the errors of its nodes.
    """
    prompt = graph()
    del prompt["1"]["inputs"]["width"]
    answer = client.post("/prompt", json={"prompt": prompt})

    assert answer.status_code == 400
    assert "prompt_outputs_failed_validation" == answer.json()["error"]["type"]
    assert ["required_input_missing"] == [
        error["type"] for error in answer.json()["node_errors"]["1"]["errors"]
    ]


def test_partial_acceptance(client: httpx.Client) -> None:
    """
    One bad output of two: 200 with `node_errors`, and the good one runs.
    """
    prompt = graph()
    prompt["3"] = {"class_type": "SaveImage", "inputs": {"filename_prefix": "x"}}
    answer = client.post("/prompt", json={"prompt": prompt})
    entry = finish(client, answer.json()["prompt_id"])

    assert (200, ["3"]) == (answer.status_code, list(answer.json()["node_errors"]))
    assert ["2"] == list(entry["outputs"])


def test_history_shows_converted_values(client: httpx.Client) -> None:
    """
    The prompt in the history has the values as the server converted them.
    """
    done = client.post("/prompt", json={"prompt": sampler(steps=1)}).json()
    entry = finish(client, done["prompt_id"])

    assert "8.0" == str(entry["prompt"][2]["3"]["inputs"]["cfg"])


def test_prefix_cannot_leave_the_output_folder(emulator: Emulator, client: httpx.Client) -> None:
    """
    A prefix that leads out of the folder fails the node, and nothing is written there.
    """
    for prefix in ("../../evil", "/tmp/evil", "a/../../../evil", "x\0y", "n" * 300):
        prompt = graph()
        prompt["2"]["inputs"]["filename_prefix"] = prefix
        done = client.post("/prompt", json={"prompt": prompt}).json()
        entry = finish(client, done["prompt_id"])

        assert "error" == entry["status"]["status_str"], prefix
    written = [path for path in emulator.folder.rglob("*") if path.is_file()]

    assert [] == written


def test_queue_order_and_withdrawal() -> None:
    """
    `front` runs before `number`, lower numbers first; a withdrawn job leaves no trace.
    """
    with Emulator(speed=500) as emulator, client_of(emulator) as client:
        first = client.post("/prompt", json={"prompt": sampler()}).json()
        until(lambda: bool(client.get("/queue").json()["queue_running"]))
        jobs = {
            name: client.post("/prompt", json={"prompt": graph(color=n), **more}).json()
            for n, (name, more) in enumerate(
                {
                    "last": {},
                    "front": {"front": True},
                    "numbered": {"number": -0.5},
                    "withdrawn": {},
                }.items()
            )
        }
        numbers = [job["number"] for job in jobs.values()]
        gone = jobs["withdrawn"]["prompt_id"]
        deleted = client.post("/queue", json={"delete": [gone, "no-such-id"]})
        remaining = client.get("/prompt").json()
        client.post("/interrupt", json={"prompt_id": jobs["last"]["prompt_id"]})
        still = client.get("/queue").json()["queue_running"][0][1]
        client.post("/interrupt", json={"prompt_id": first["prompt_id"]})
        stopped = finish(client, first["prompt_id"])
        finish(client, jobs["last"]["prompt_id"])
        order = list(client.get("/history").json())

    assert [1, -2, -0.5, 3] == numbers
    assert (200, "") == (deleted.status_code, deleted.text)
    assert {"exec_info": {"queue_remaining": 4}} == remaining
    assert first["prompt_id"] == still
    assert "execution_interrupted" == stopped["status"]["messages"][-1][0]
    assert [first["prompt_id"], *(jobs[n]["prompt_id"] for n in ("front", "numbered", "last"))] == (
        order
    )


def test_jobs_interface() -> None:
    """
    `/api/jobs` lists waiting, running and finished jobs, and cancels the first two.
    """
    with Emulator(speed=500) as emulator, client_of(emulator) as client:
        ids = [
            client.post("/prompt", json={"prompt": sampler()}).json()["prompt_id"] for _ in range(2)
        ]
        until(lambda: client.get(f"/api/jobs/{ids[0]}").json()["status"] == "in_progress")
        waiting = client.get("/api/jobs", params={"status": "pending"}).json()
        cancelled = [client.post(f"/api/jobs/{one}/cancel").json() for one in reversed(ids)]
        finish(client, ids[0])
        after = client.get("/api/jobs").json()
        again = client.post("/api/jobs/cancel", json={"job_ids": ids}).json()
        bad = client.post("/api/jobs/cancel", json={"job_ids": ["zzz"]})

    assert [ids[1]] == [job["id"] for job in waiting["jobs"]]
    assert [{"cancelled": True}, {"cancelled": True}] == cancelled
    assert [(ids[0], "cancelled")] == [(job["id"], job["status"]) for job in after["jobs"]]
    assert {"cancelled": False} == again
    assert (400, ["zzz"]) == (bad.status_code, bad.json()["invalid_ids"])


def test_failed_node_is_in_history(emulator: Emulator, client: httpx.Client) -> None:
    """
    A job that is told to fail names the node, its class and the message.
    """
    emulator.faults = Faults(fail_node="SaveImage", fail_message="out of memory")
    done = client.post("/prompt", json={"prompt": graph()}).json()
    kind, data = finish(client, done["prompt_id"])["status"]["messages"][-1]
    job = client.get(f"/api/jobs/{done['prompt_id']}").json()

    assert "execution_error" == kind
    assert ("2", "SaveImage", "out of memory\n", ["1"]) == (
        data["node_id"], data["node_type"], data["exception_message"], data["executed"]
    )  # fmt: skip
    assert ("failed", "2") == (job["status"], job["execution_error"]["node_id"])


def test_upload_gives_the_size_of_later_pictures(client: httpx.Client) -> None:
    """
    A graph that starts from an uploaded picture makes pictures of its size.
    """
    data = BytesIO()
    Image.new("RGB", (40, 24)).save(data, "PNG")
    name = client.post(
        "/upload/image", files={"image": ("in.png", data.getvalue())}, data={"subfolder": "s"}
    ).json()
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": f"{name['subfolder']}/in.png"}},
        "2": {
            "class_type": "ImageScaleBy",
            "inputs": {"image": ["1", 0], "upscale_method": "area", "scale_by": 2.0},
        },
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["2", 0]}},
    }
    done = client.post("/prompt", json={"prompt": prompt}).json()
    image = finish(client, done["prompt_id"])["outputs"]["3"]["images"][0]
    picture = Image.open(BytesIO(client.get("/view", params=image).content))

    assert {"name": "in.png", "subfolder": "s", "type": "input"} == name
    assert ("temp", (80, 48)) == (image["type"], picture.size)


def _png(size: tuple[int, int], alpha: int) -> bytes:
    data = BytesIO()
    Image.new("RGBA", size, (200, 100, 50, alpha)).save(data, "PNG")
    return data.getvalue()


def test_mask_upload(client: httpx.Client) -> None:
    """
    A mask is refused while the picture that it is for is not there; then that picture is kept
    with the alpha channel of the mask. A mask of another size makes the server stumble.
    """
    reference = json.dumps({"filename": "photo.png", "type": "input"})

    def send(size: tuple[int, int]) -> httpx.Response:
        files = {"image": ("mask.png", _png(size, 7))}
        return client.post("/upload/mask", files=files, data={"original_ref": reference})

    before = send((6, 4))
    client.post("/upload/image", files={"image": ("photo.png", _png((6, 4), 255))})
    after, other = send((6, 4)), send((3, 3))
    kept = client.get("/view", params={"filename": "mask.png", "type": "input"}).content

    assert (400, 200, 500) == (before.status_code, after.status_code, other.status_code)
    assert (200, 100, 50, 7) == Image.open(BytesIO(kept)).getpixel((0, 0))


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("filename=../x", 400),
        ("filename=/etc/passwd", 400),
        ("filename=x&type=bogus", 400),
        ("filename=x&subfolder=../..", 403),
        ("filename=x", 404),
        ("", 404),
        ("filename=x%00y", 403),
    ],
)
def test_view_stays_inside(client: httpx.Client, query: str, status: int) -> None:
    """
    `/view` gives nothing from outside the emulator's folders.
    """
    assert status == client.get(f"/view?{query}").status_code


def test_proxy_token(bare: httpx.Client) -> None:
    """
    With a token set, as behind a proxy, every request must bring it.
    """
    with Emulator(["comfyui"], comfyui_token="secret") as emulator:
        without = bare.get(f"{emulator.url()}/queue")
        headers = {"Authorization": "Bearer secret"}
        with_it = bare.get(f"{emulator.url()}/queue", headers=headers)

    assert (401, 200) == (without.status_code, with_it.status_code)
    assert "secret" not in repr(emulator) + repr(emulator._host)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=b", b"--b\r\n\r\n"),
        ("multipart/form-data; boundary=b", b"nothing of the kind"),
        ("application/json", b"{}"),
        ("", b""),
    ],
)
def test_odd_uploads(client: httpx.Client, kind: str, body: bytes) -> None:
    """
    An upload that is no form, or has no file in it, is refused.
    """
    for path in ("/upload/image", "/upload/mask"):
        answer = client.post(path, content=body, headers={"Content-Type": kind})

        assert 400 == answer.status_code
