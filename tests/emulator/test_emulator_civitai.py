"""
The emulated orchestration service of Civitai: workflows, traces, blobs, errors.
"""

from __future__ import annotations

import json
import struct
import time
from io import BytesIO
from typing import Any

import httpx
import pytest
from emulation import client_of, sampler
from PIL import Image

from comfygraph.emulator import Emulator, Faults

WORKFLOWS = "/v2/consumer/workflows"
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"


def nodes(steps: int = 4) -> dict[str, Any]:
    """A graph that names its model by AIR."""
    graph = sampler(steps)
    graph["4"]["inputs"]["ckpt_name"] = AIR
    return graph


def comfy(steps: int = 4, **more: Any) -> dict[str, Any]:
    """A workflow of one `comfy` step."""
    step = {"$type": "comfy", "name": "run", "input": {"comfyWorkflow": nodes(steps)}}
    return {"steps": [step], **more}


def custom(**more: Any) -> dict[str, Any]:
    """A workflow of one `customComfy` step with a trace."""
    given = {"trace": "binary", "resources": [AIR], "workflow": nodes(), **more}
    return {"steps": [{"$type": "customComfy", "name": "run", "input": given}]}


def done(client: httpx.Client, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    """Submit a workflow and wait for its end."""
    answer = client.post(WORKFLOWS, json=body, params={"wait": 10}, headers=headers)
    assert answer.status_code == 200, answer.text
    workflow: dict[str, Any] = answer.json()
    return workflow


def test_comfy_step(client: httpx.Client, bare: httpx.Client) -> None:
    """
    Each run of a `comfy` step gives its blob, which a redirect leads to.
    """
    body = comfy(tags=["a"], metadata={"run": 1})
    body["steps"][0]["input"]["quantity"] = 2
    workflow = done(client, body)
    step = workflow["steps"][0]
    blob = step["output"]["blobs"][0]
    answer = bare.get(blob["url"], follow_redirects=True)
    again = client.get(f"/v2/consumer/blobs/{blob['id']}")

    assert ("succeeded", "succeeded") == (workflow["status"], step["status"])
    assert 2 == len(step["output"]["blobs"]) == len(step["jobs"])
    assert step["estimatedProgressRate"] is None
    assert [308] == [response.status_code for response in answer.history]
    assert (64, 64) == Image.open(BytesIO(answer.content)).size
    assert (308, 204) == (
        again.status_code,
        client.head(f"/v2/consumer/blobs/{blob['id']}").status_code,
    )
    assert (["a"], {"run": 1}) == (workflow["tags"], workflow["metadata"])


def test_ladder_of_states() -> None:
    """
    A workflow goes up the ladder and never down; a cold resource is fetched first.
    """
    ladder = ["unassigned", "preparing", "scheduled", "processing", "succeeded"]
    with Emulator(speed=100) as emulator, client_of(emulator) as client:
        answer = client.post(WORKFLOWS, json=comfy(steps=20))
        seen, preparation = [answer.json()["status"]], None
        while seen[-1] != "succeeded":
            step = client.get(f"{WORKFLOWS}/{answer.json()['id']}").json()["steps"][0]
            preparation = step.get("preparation", preparation)
            seen.append(step["status"])
            time.sleep(0.002)

    assert 202 == answer.status_code
    assert sorted(seen, key=ladder.index) == seen
    assert {"unassigned", "preparing", "processing", "succeeded"} <= set(seen)
    assert preparation is not None
    assert AIR == preparation["resource"]


def test_trace_is_what_the_worker_said(client: httpx.Client, bare: httpx.Client) -> None:
    """
    The trace of a `customComfy` step is whole frames of the worker's messages and previews.
    """
    step = done(client, custom())["steps"][0]
    answer = bare.get(step["output"]["traceUrl"])
    kinds, data = [], answer.content
    while data:
        _, _, opcode, length = struct.unpack(">qBBI", data[:14])
        payload, data = data[14 : 14 + length], data[14 + length :]
        if opcode == 2:
            assert payload[:2] == b"\xff\xd8"
        kinds.append(json.loads(payload)["type"] if opcode == 1 else "preview")

    assert ["execution_start", "execution_cached"] == kinds[:2]
    assert ["execution_success", "executing"] == kinds[-2:]
    assert 4 == kinds.count("progress") == kinds.count("preview")
    assert step["output"]["usage"]["estimatedCost"] >= 1


def test_trace_is_404_before_its_first_byte_and_grows(bare: httpx.Client) -> None:
    """
    The stream is not there before the run; then it comes while the job runs.
    """
    with Emulator(speed=100) as emulator, client_of(emulator) as client:
        body = custom(workflow=nodes(steps=30))
        path = f"{WORKFLOWS}/{client.post(WORKFLOWS, json=body).json()['id']}"
        url = None
        while url is None:
            output = client.get(path).json()["steps"][0].get("output") or {}
            url = output.get("traceUrl")
        while bare.head(url).status_code == 404:
            time.sleep(0.005)
        with bare.stream("GET", url) as answer:
            parts = answer.iter_raw()
            first = next(parts)
            status = client.get(path).json()["status"]
            rest = b"".join(parts)

    assert "processing" == status
    assert len(first) > 0
    assert b"execution_success" in rest


def test_broken_trace_can_be_resumed(client: httpx.Client, bare: httpx.Client) -> None:
    """
    A stream that breaks off gives the same bytes from the start when asked again.
    """
    workflow = done(client, custom(), **{"X-Emulator-Faults": "broken_trace=300;late_trace=1"})
    assert "traceUrl" not in workflow["steps"][0]["output"]
    path = f"{WORKFLOWS}/{workflow['id']}"
    url = client.get(path).json()["steps"][0]["output"]["traceUrl"]
    part = bytearray()
    with bare.stream("GET", url) as answer, pytest.raises(httpx.RemoteProtocolError):
        part.extend(byte for chunk in answer.iter_raw() for byte in chunk)
    whole = bare.get(url).content

    assert len(part) <= 300
    assert whole.startswith(bytes(part))
    assert len(whole) > 300


def test_snapshot_then_run(client: httpx.Client) -> None:
    """
    The layer of a node pack goes from one step to the next by reference.
    """
    pack = "urn:air:comfy:nodepack:comfyregistry:kijai/comfyui-kjnodes@1.4.0"
    body = custom(resources=[{"$ref": "packs", "path": "output.results[0].layerAir"}, AIR])
    body["steps"].insert(
        0, {"$type": "comfyNodepackSnapshot", "name": "packs", "input": {"nodepacks": [pack]}}
    )
    workflow = done(client, body)
    layer = workflow["steps"][0]["output"]["results"][0]["layerAir"]

    assert "succeeded" == workflow["status"]
    assert layer.startswith("urn:air:comfy:nodepacklayer:comfyregistry:kijai/comfyui-kjnodes@1.4.0")


def test_undeclared_resource_fails_the_step(client: httpx.Client) -> None:
    """
    A model that a `customComfy` graph names and `resources` does not makes the run fail.
    """
    other = "urn:air:sd1:lora:civitai:1@2"
    workflow = done(client, custom(resources=[other]))
    step = workflow["steps"][0]

    assert ("failed", "failed") == (workflow["status"], step["status"])
    assert AIR in step["metadata"]["error"]


def test_external_id_is_replayed(emulator: Emulator, client: httpx.Client) -> None:
    """
    The same `externalId` gives the same workflow, even if the first was an estimate.
    """
    first = client.post(WORKFLOWS, json=comfy(externalId="k-1")).json()
    second = client.post(WORKFLOWS, json=comfy(externalId="k-1")).json()
    quote = client.post(WORKFLOWS, json=comfy(externalId="k-2"), params={"whatif": "true"})
    stale = client.post(WORKFLOWS, json=comfy(externalId="k-2"))

    assert first["id"] == second["id"]
    assert (200, None, "unassigned") == (
        quote.status_code, quote.json()["id"], quote.json()["status"]
    )  # fmt: skip
    assert quote.json()["cost"]["total"] > 0
    assert (200, None) == (stale.status_code, stale.json()["id"])
    assert 1 == emulator.stats().submits["civitai"]


def test_cancel_update_delete() -> None:
    """
    A workflow is cancelled by an update, changed by patches, and gone when deleted.
    """
    with Emulator(speed=100) as emulator, client_of(emulator) as client:
        path = f"{WORKFLOWS}/{client.post(WORKFLOWS, json=comfy(steps=9000)).json()['id']}"
        operations = [
            {"op": "add", "path": "/metadata/label", "value": "night"},
            {"op": "add", "path": "/tags/-", "value": "t"},
        ]
        statuses = [
            client.patch(path, json=operations).status_code,
            client.patch(path, json=[{"op": "remove", "path": "/nope"}]).status_code,
            client.post(f"{path}/tags", json="u").status_code,
            client.delete(f"{path}/tags/t").status_code,
            client.put(path, json={"status": "canceled"}).status_code,
        ]
        end = client.get(path, params={"wait": 5}).json()
        statuses += [client.delete(path).status_code, client.get(path).status_code]

    assert [204, 400, 204, 204, 204, 204, 404] == statuses
    assert ("canceled", "canceled") == (end["status"], end["steps"][0]["status"])
    assert ({"label": "night"}, ["u"]) == (end["metadata"], end["tags"])


@pytest.mark.slow
def test_timeout_expires() -> None:
    """
    A step that takes longer than its timeout expires.
    """
    with Emulator(speed=20) as emulator, client_of(emulator) as client:
        body = comfy(steps=900)
        body["steps"][0]["timeout"] = "00:00:01"
        workflow = done(client, body)

    assert "expired" == workflow["status"]
    assert ["expired"] == [job["status"] for job in workflow["steps"][0]["jobs"]]


def test_list_by_pages_tags_and_dates(client: httpx.Client) -> None:
    """
    Pages follow each other by `next`; tags must all be there; failed ones can be left out.
    """
    ids = [
        done(client, comfy(tags=["all", f"n{n % 2}"], metadata={"word": f"w{n}"}))["id"]
        for n in range(4)
    ]
    bad = done(client, comfy(), **{"X-Emulator-Faults": "fail_node=3"})["id"]
    found, cursor = [], None
    while True:
        params = {"take": 2, **({"cursor": cursor} if cursor else {})}
        page = client.get(WORKFLOWS, params=params).json()
        found += [item["id"] for item in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break

    def listed(**params: Any) -> list[str]:
        return [item["id"] for item in client.get(WORKFLOWS, params=params).json()["items"]]

    assert [bad, *reversed(ids)] == found
    assert [ids[1], ids[3]] == listed(tags=["all", "n1"], ascending="true")
    assert [ids[2]] == listed(query="W2")
    assert list(reversed(ids)) == listed(excludeFailed="true")
    assert [] == listed(fromDate="2100-01-01")


def test_validation_by_path(client: httpx.Client) -> None:
    """
    Every fault of a body is reported at its path.
    """
    bodies: list[tuple[Any, set[str]]] = [
        ({}, {"steps"}),
        ([], {"$"}),
        ({"steps": [{"$type": "nope"}]}, {"steps[0].$type"}),
        ({**comfy(), "foo": 1}, {"foo"}),
        ({**comfy(), "externalId": "a b"}, {"externalId"}),
        ({**comfy(), "tags": ["x"] * 2}, {"tags"}),
        ({**comfy(), "ephemeral": True}, {"ephemeral"}),
        (custom(resources=[]), {"steps[0].input.resources"}),
        (custom(resources=["no air"]), {"steps[0].input.resources[0]"}),
        (
            custom(resources=["urn:air:comfy:nodepack:comfyregistry:a/b@1"]),
            {"steps[0].input.resources[0]"},
        ),
        (custom(trace="loud"), {"steps[0].input.trace"}),
        (custom(resources=[{"$ref": "later"}]), {"steps[0].input.resources[0]"}),
    ]
    for body, paths in bodies:
        answer = client.post(WORKFLOWS, json=body)

        assert (400, paths) == (answer.status_code, set(answer.json()["errors"])), body
    messages = client.post(WORKFLOWS, json={}, headers={"X-Emulator-Faults": "messages_form"})

    assert ["messages"] == list(messages.json()["errors"])


def test_bad_graph_is_refused_or_fails(client: httpx.Client) -> None:
    """
    A graph that ComfyUI refuses is refused at its node and input, or fails the step.
    """
    body = comfy()
    del body["steps"][0]["input"]["comfyWorkflow"]["3"]["inputs"]["model"]
    refused = client.post(WORKFLOWS, json=body)
    failed = done(client, body, **{"X-Emulator-Faults": "bad_graphs=fail"})

    assert ["steps[0].input.comfyWorkflow.3.inputs.model"] == list(refused.json()["errors"])
    assert "failed" == failed["status"]
    assert "model" in failed["steps"][0]["metadata"]["error"]


def test_wait_as_older_servers_have_it(client: httpx.Client) -> None:
    """
    An older server takes `wait` as true or false, and says 400 to a number.
    """
    headers = {"X-Emulator-Faults": "wait_bool"}
    number = client.post(WORKFLOWS, json=comfy(), params={"wait": 5}, headers=headers)
    truth = client.post(WORKFLOWS, json=comfy(), params={"wait": "true"}, headers=headers)
    neither = client.post(WORKFLOWS, json=comfy(), params={"wait": "x"})

    assert (400, 200, 400) == (number.status_code, truth.status_code, neither.status_code)
    assert ["wait"] == list(number.json()["errors"])


def test_knobs_of_answers(client: httpx.Client) -> None:
    """
    Statuses with a capital, blobs without type or withheld, missing and unknown fields.
    """
    knobs = "capitalised;untyped_blobs;withheld;missing_fields=cost,tips;extra_fields"
    workflow = done(client, comfy(), **{"X-Emulator-Faults": knobs})
    blob = workflow["steps"][0]["output"]["blobs"][0]

    assert "Succeeded" == workflow["status"]
    assert not {"cost", "tips"} & workflow.keys()
    assert "type" not in blob
    assert (False, None, "siteRestricted") == (
        blob["available"],
        blob["url"],
        blob["blockedReason"],
    )
    assert "xEmulatorExtra" in workflow


def test_money(client: httpx.Client) -> None:
    """
    Without money a paid submit gets 403 and a bare text; an estimate says so.
    """
    headers = {"X-Emulator-Faults": "plain_forbidden;no_funds"}
    paid = client.post(WORKFLOWS, json=comfy(), headers=headers)
    quote = client.post(WORKFLOWS, json=comfy(), headers=headers, params={"whatif": "true"})

    assert 403 == paid.status_code
    assert isinstance(paid.json(), str)
    assert quote.json()["transactions"]["insufficientBuzz"] is True


def test_blob_expires_and_is_refreshed(bare: httpx.Client) -> None:
    """
    A signed address is refused after its time; a refresh gives a new one.
    """
    now = [time.time()]
    with Emulator(speed=0, clock=lambda: now[0]) as emulator, client_of(emulator) as client:
        blob = done(client, comfy())["steps"][0]["output"]["blobs"][0]
        now[0] += 4000
        late = bare.get(blob["url"])
        fresh = client.post(f"/v2/consumer/blobs/{blob['id']}/refresh").json()
        again = bare.get(fresh["url"], follow_redirects=True)

    assert (403, 200) == (late.status_code, again.status_code)


def test_upload_and_use(client: httpx.Client, bare: httpx.Client) -> None:
    """
    An uploaded picture can be loaded by the AIR of its blob or by its address.
    """
    data = BytesIO()
    Image.new("RGB", (24, 16)).save(data, "PNG")
    place = client.get("/v2/consumer/blobs/upload").json()["uploadUrl"]
    blob = bare.post(place, content=data.getvalue(), headers={"Content-Type": "image/png"}).json()
    air = f"urn:air:other:other:orchestrator:blob@{blob['id']}"
    sizes = []
    for image in (air, blob["url"]):
        graph = {
            "1": {"class_type": "LoadImage", "inputs": {"image": image}},
            "2": {
                "class_type": "SaveImage",
                "inputs": {"images": ["1", 0], "filename_prefix": "x", "format": "jpeg"},
            },
        }
        workflow = done(client, {"steps": [{"$type": "comfy", "input": {"comfyWorkflow": graph}}]})
        made = workflow["steps"][0]["output"]["blobs"][0]
        sizes.append((made["width"], made["height"], made["id"].rpartition(".")[2]))
    refused = [
        client.post("/v2/consumer/blobs", content=b"x", headers={"Content-Type": kind}).status_code
        for kind in ("text/plain", "image/png")
    ]

    assert [(24, 16, "jpeg")] * 2 == sizes
    assert [415, 422] == refused


def test_resources_and_the_older_interface(
    emulator: Emulator, client: httpx.Client, bare: httpx.Client
) -> None:
    """
    A resource is looked up by its AIR as it is; a job, and a list, as the older calls give them.
    """
    workflow = done(client, comfy())
    job = workflow["steps"][0]["jobs"][0]["id"]
    old = client.get(f"/v1/consumer/jobs/{job}", params={"detailed": "true"}).json()

    assert AIR == client.get(f"/v2/resources/{AIR}").json()["air"]
    assert 400 == client.get("/v2/resources/urn%3Aair%2Fx").status_code
    assert 400 == client.get("/v2/resources").status_code
    assert ("Succeeded", True) == (old["lastEvent"]["type"], old["result"][0]["available"])
    assert [workflow["id"]] == [one["id"] for one in client.get("/v1/manager/workflows").json()]
    assert 401 == bare.get(f"{emulator.url()}{WORKFLOWS}").status_code
    assert 404 == client.get("/v2/nowhere").json()["status"]


def test_callbacks(client: httpx.Client) -> None:
    """
    Callbacks come in order, and a refused one is sent again; other hosts are never called.
    """
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    seen: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            seen.append(json.loads(self.rfile.read(size)))
            self.send_response(200 if len(seen) != 1 else 500)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/hook?x=1"
        callbacks = [
            {"url": "https://192.0.2.1/", "type": ["step:*"]},
            {"url": url, "type": ["step:*", "workflow:succeeded"]},
        ]
        done(client, comfy(callbacks=callbacks))
        for _ in range(200):
            if seen and seen[-1]["$type"] == "workflow":
                break
            time.sleep(0.01)
        server.shutdown()
        thread.join()

    assert seen[0] == seen[1]
    assert ["preparing", "scheduled", "processing", "succeeded"] == [
        event["status"] for event in seen[1:] if event["$type"] == "step"
    ]
    assert "succeeded" == seen[-1]["status"]


def test_faults_value_is_not_shared() -> None:
    """
    A workflow keeps the knobs of the request that made it.
    """
    with (
        Emulator(speed=0, faults=Faults(capitalised=True)) as emulator,
        client_of(emulator) as client,
    ):
        workflow = done(client, comfy())
        emulator.faults = Faults()
        again = client.get(f"{WORKFLOWS}/{workflow['id']}").json()

    assert ("Succeeded", "Succeeded") == (workflow["status"], again["status"])
