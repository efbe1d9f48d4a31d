"""
The emulated orchestration service of Civitai: recipes, lists, edits, and every switch for what is
uncertain about the real one.
"""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import httpx
import pytest
from emulation import client_of, graph, sampler, until

from comfygraph.emulator import Emulator, Faults

WORKFLOWS = "/v2/consumer/workflows"
RECIPES = "/v2/consumer/recipes"
AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
PACK = "urn:air:comfy:nodepack:comfyregistry:kijai/comfyui-kjnodes@1.4.0"


def comfy(nodes: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A workflow of one `comfy` step."""
    return {"steps": [{"$type": "comfy", "input": {"comfyWorkflow": nodes or graph()}}], **more}


def custom(nodes: dict[str, Any] | None = None, **given: Any) -> dict[str, Any]:
    """A workflow of one `customComfy` step."""
    filled = {"trace": "binary", "resources": [AIR], "workflow": nodes or graph(), **given}
    return {"steps": [{"$type": "customComfy", "input": filled}]}


def post(client: httpx.Client, body: Any, knobs: str = "", **params: Any) -> httpx.Response:
    """Submit a workflow; `wait` is 10 seconds unless said."""
    headers = {"X-Emulator-Faults": knobs} if knobs else {}
    return client.post(WORKFLOWS, json=body, params={"wait": 10, **params}, headers=headers)


def test_recipe_answers_with_the_output_of_its_step(client: httpx.Client) -> None:
    """
    A recipe takes the input alone and gives the output alone; an estimate has its price in the
    headers; the switch has it give a workflow, as the guide once said.
    """
    body = {"comfyWorkflow": graph(), "quantity": 2}
    done = client.post(f"{RECIPES}/comfy", json=body)
    priced = client.post(f"{RECIPES}/comfy", json=body, params={"whatif": "true"})
    whole = client.post(
        f"{RECIPES}/comfy", json=body, headers={"X-Emulator-Faults": "recipe_style=workflow"}
    )
    wrong = client.post(f"{RECIPES}/comfy", json={"quantity": 0})

    assert ([True, True], ["blobs"]) == (
        [blob["available"] for blob in done.json()["blobs"]], list(done.json())
    )  # fmt: skip
    price = str(priced.json()["cost"]["total"])
    assert (price, f"blue={price}", "false") == tuple(
        priced.headers[f"X-Civitai-{name}"]
        for name in ("Cost-Total", "Cost-By-Currency", "Insufficient-Buzz")
    )
    assert "succeeded" == whole.json()["status"]
    assert {"quantity", "comfyWorkflow"} == set(wrong.json()["errors"])


def test_recipes_that_are_not(client: httpx.Client, bare: httpx.Client, emulator: Emulator) -> None:
    """
    An unknown recipe is 404, reading one 405; its outline needs no token.
    """
    place = f"{emulator.url()}{RECIPES}"

    assert [404, 405, 400] == [
        client.post(f"{RECIPES}/paint", json={}).status_code,
        client.get(f"{RECIPES}/comfy").status_code,
        client.post(f"{RECIPES}/echo", json={}, params={"tier": "gold"}).status_code,
    ]
    assert "openapi" in bare.get(f"{place}/comfy/openapi.yaml").text
    assert 404 == bare.get(f"{place}/paint/openapi.yaml").status_code


def test_archive_and_manager_list(client: httpx.Client) -> None:
    """
    A list can be had as an archive; the list of the older interface has its own filters.
    """
    ids = [
        post(client, comfy(tags=[f"t{n}"], metadata={"word": f"w{n}"})).json()["id"]
        for n in range(3)
    ]
    answer = client.get(WORKFLOWS, headers={"Accept": "application/zip"})
    names = zipfile.ZipFile(io.BytesIO(answer.content)).namelist()

    def listed(**params: Any) -> list[str]:
        return [item["id"] for item in client.get("/v1/manager/workflows", params=params).json()]

    assert [f"{name}.json" for name in reversed(ids)] == names
    assert ids[::-1] == listed()
    assert (ids[:2], [ids[1]], [ids[2]], []) == (
        listed(Take=2, Inverse="true"), listed(Tags="t1"), listed(Query="W2"), listed(UserId="9")
    )  # fmt: skip
    assert [ids[0]] == listed(Cursor=ids[1])


def test_mature_files_are_hidden_where_it_is_asked(client: httpx.Client) -> None:
    """
    A list hides mature files unless it is told not to; a workflow shows them, where the account
    may see them; a level below theirs is refused.
    """
    body = comfy(allowMatureContent=True)
    workflow = post(client, body, "withheld").json()
    blob = workflow["steps"][0]["output"]["blobs"][0]

    def shown(answer: httpx.Response) -> bool:
        found = answer.json()
        item = found["items"][0] if "items" in found else found
        return bool(item["steps"][0]["output"]["blobs"][0]["available"])

    one = f"{WORKFLOWS}/{workflow['id']}"
    hide, show = {"hideMatureContent": "true"}, {"hideMatureContent": "false"}
    assert [True, False, False, True] == [
        shown(client.get(one)),
        shown(client.get(one, params=hide)),
        shown(client.get(WORKFLOWS)),
        shown(client.get(WORKFLOWS, params=show)),
    ]
    address = f"/v2/consumer/blobs/{blob['id']}"
    assert [403, 308, 400] == [
        client.get(address, params={"nsfwLevel": level}).status_code for level in ("pg", "x", "z")
    ]


def test_patches_of_every_kind(client: httpx.Client) -> None:
    """
    JSON Patch copies and moves too, and refuses what does not fit.
    """
    path = f"{WORKFLOWS}/{post(client, comfy(metadata={'a': {'b': 1}})).json()['id']}"
    good = [
        {"op": "copy", "from": "/metadata/a", "path": "/metadata/c"},
        {"op": "move", "from": "/metadata/a/b", "path": "/metadata/d"},
        {"op": "test", "path": "/metadata/d", "value": 1},
    ]
    bad: list[Any] = [
        [{"op": "move", "from": "/metadata", "path": "/metadata/x"}],
        [{"op": "copy", "from": "/none", "path": "/metadata/x"}],
        [{"op": "test", "path": "/metadata/d", "value": 2}],
        [{"op": "jump", "path": "/metadata/d"}],
        ["no"],
        {},
    ]
    statuses = [client.patch(path, json=good).status_code]
    statuses += [client.patch(path, json=operations).status_code for operations in bad]

    assert [204, *[400] * len(bad)] == statuses
    assert {"a": {}, "c": {"b": 1}, "d": 1} == client.get(path).json()["metadata"]


def test_updates_and_their_switches(client: httpx.Client) -> None:
    """
    An update can be priced; it conflicts with what is over, or cannot be paid, where switched so.
    """
    path = f"{WORKFLOWS}/{post(client, comfy()).json()['id']}"

    def put(change: Any, knobs: str = "", **params: str) -> httpx.Response:
        return client.put(path, json=change, headers={"X-Emulator-Faults": knobs}, params=params)

    mature = {"allowMatureContent": True}
    assert [204, 200, 200, 409, 400, 400, 400] == [
        put({"status": "canceled"}).status_code,
        put(mature, whatif="true").status_code,
        put(mature, "put_body").status_code,
        put({"status": "canceled"}, "conflicts").status_code,
        put(mature, "no_funds").status_code,
        put({"tags": ["x"] * 2}).status_code,
        put({"downloadPriority": "low"}).status_code,
    ]


@pytest.mark.parametrize(
    ("status", "body"),
    [(402, b""), (403, b'"You do not have'), (400, b'{"title": "Bad Request"')],
)
def test_ways_to_be_without_money(client: httpx.Client, status: int, body: bytes) -> None:
    """
    No money left is told in three ways, and a run with a least time is refused by path.
    """
    answer = post(client, comfy(), f"plain_forbidden;money_status={status}")
    gate = post(client, custom(minimumDurationSeconds=60), "no_funds")

    assert status == answer.status_code
    assert answer.content.startswith(body)
    assert ["steps[0].input.minimumDurationSeconds"] == list(gate.json()["errors"])


@pytest.mark.parametrize("knobs", ["not_enabled", "not_enabled;messages_form"])
def test_models_that_jobs_may_not_use(client: httpx.Client, knobs: str) -> None:
    """
    A workflow with a model that is not enabled is refused with a message alone; one without
    models is not.
    """
    answer = post(client, custom(), knobs)
    said = "Emulated resource is not enabled for generation. Please contact support"

    assert (400, {"messages": [said]}) == (answer.status_code, answer.json()["errors"])
    assert 200 == post(client, comfy(), knobs).status_code


def test_token_without_a_scope(client: httpx.Client) -> None:
    """
    A token that may not do this is told so as OAuth has it.
    """
    answer = client.get(WORKFLOWS, headers={"X-Emulator-Faults": "no_scope"})

    assert (403, "insufficient_scope") == (answer.status_code, answer.json()["error"])


def test_money_of_a_run(client: httpx.Client) -> None:
    """
    A `customComfy` run has no price and is paid in the end; what failed is paid back where
    switched so; a run whose money is gone is cancelled.
    """
    priced = post(client, custom(), whatif="true").json()
    run = post(client, custom()).json()
    failed = post(client, comfy(), "refunds;fail_node=*").json()

    assert (0, 0) == (priced["cost"]["base"], priced["cost"]["total"])
    assert [("debit", 1)] == [(it["type"], it["amount"]) for it in run["transactions"]["list"]]
    assert ["debit", "credit"] == [it["type"] for it in failed["transactions"]["list"]]
    with Emulator(speed=50) as emulator, client_of(emulator) as slow:
        body = custom({**sampler(500), "4": {**sampler()["4"], "inputs": {"ckpt_name": AIR}}})
        broke = post(slow, body, "out_of_buzz=0.2").json()

    assert "canceled" == broke["status"]
    assert broke["steps"][0]["output"]["usage"]["estimatedCost"] >= 1


def test_estimate_stumbles_over_references(client: httpx.Client) -> None:
    """
    An estimate of a workflow whose steps refer to each other is an error of the service.
    """
    body = custom(resources=[{"$ref": "packs", "path": "output.results[0].layerAir"}, AIR])
    snapshot = {"$type": "comfyNodepackSnapshot", "name": "packs", "input": {"nodepacks": [PACK]}}
    body["steps"].insert(0, snapshot)

    assert 500 == post(client, body, whatif="true").status_code
    assert "succeeded" == post(client, body).json()["status"]


def test_spellings(client: httpx.Client) -> None:
    """
    Ids, keys of echoed graphs and links are as the guide, the schema or ComfyUI has them.
    """
    numbered = graph()
    numbered["2"]["inputs"]["images"] = [1, 0]
    odd = post(client, comfy(numbered), "opaque_ids;spec_names;numeric_links").json()
    refused = post(client, comfy(), "numeric_links")
    echoed = odd["steps"][0]["input"]["comfyWorkflow"]["2"]

    assert odd["id"].startswith("wf_")
    assert "succeeded" == odd["status"] == client.get(f"{WORKFLOWS}/{odd['id']}").json()["status"]
    assert ("SaveImage", {"title": "Keep"}, False) == (
        echoed["classType"], echoed["meta"], "class_type" in echoed
    )  # fmt: skip
    assert ["steps[0].input.comfyWorkflow.2.inputs.images"] == list(refused.json()["errors"])


def test_what_is_said_or_left_out(client: httpx.Client) -> None:
    """
    Reasons of jobs, early blobs, bare packs and the need for currencies are switches.
    """
    failed = post(client, comfy(), "fail_node=*").json()["steps"][0]["jobs"][0]
    silent = post(client, comfy(), "fail_node=*;no_reason").json()["steps"][0]["jobs"][0]
    packs = custom(resources=[PACK, AIR])

    assert ("failed", False) == (failed["reason"], "reason" in silent)
    assert [400, 200] == [post(client, packs, knobs).status_code for knobs in ("", "bare_packs")]
    assert ["currencies"] == list(post(client, comfy(), "require_currencies").json()["errors"])
    paid = post(client, comfy(currencies=["blue"]), "require_currencies")
    assert 200 == paid.status_code


@pytest.mark.parametrize(("knobs", "early"), [("", 1), ("late_blobs", 0)])
def test_blobs_before_the_end(knobs: str, early: int) -> None:
    """
    Blobs are listed while the step runs, not yet there; or only when it is over.
    """
    with Emulator(speed=50) as emulator, client_of(emulator) as client:
        body = comfy(sampler(5000))
        path = f"{WORKFLOWS}/{post(client, body, knobs, wait=0).json()['id']}"

        def step() -> dict[str, Any]:
            found: dict[str, Any] = client.get(path).json()["steps"][0]
            return found

        until(lambda: step()["status"] == "processing")
        blobs = step()["output"]["blobs"]
        client.put(path, json={"status": "canceled"})

    assert [False] * early == [blob["available"] for blob in blobs]


def test_waits_have_a_cap() -> None:
    """
    A wait is granted up to the cap; `until=change` answers on the first change.
    """
    with Emulator(speed=50) as emulator, client_of(emulator) as client:
        submitted = post(client, comfy(), "slow_start=600", wait=0).json()
        path = f"{WORKFLOWS}/{submitted['id']}"
        headers = {"X-Emulator-Faults": "wait_cap=0.05"}
        capped = client.get(path, params={"wait": 60}, headers=headers)
        client.put(path, json={"status": "canceled"})
        changed = client.get(path, params={"wait": 60, "until": "change"})
        wrong = client.get(path, params={"until": "never"})

    assert [202, 200, 400] == [it.status_code for it in (capped, changed, wrong)]
    assert ["unassigned", "canceled"] == [it.json()["status"] for it in (capped, changed)]


def test_traces_in_bursts_and_with_garbage(client: httpx.Client, bare: httpx.Client) -> None:
    """
    Garbage stands in whole frames between those of the run; bursts change nothing but the time.
    """
    plain = post(client, custom()).json()["steps"][0]["output"]["traceUrl"]
    mixed = post(client, custom(), "trace_garbage;trace_bursts=0.01").json()
    noisy = bare.get(mixed["steps"][0]["output"]["traceUrl"]).content

    assert b"of a kind that nobody knows" in noisy
    assert len(noisy) > len(bare.get(plain).content) > 0


def test_uploads_refused_and_blobs_elsewhere(
    client: httpx.Client, bare: httpx.Client, emulator: Emulator
) -> None:
    """
    Uploads are refused with any status; archives are gone, unknown tokens show nothing.
    """
    statuses = [
        client.post(
            "/v2/consumer/blobs",
            content=b"x",
            headers={"Content-Type": "image/png", "X-Emulator-Faults": f"upload_status={status}"},
        ).status_code
        for status in (401, 413, 415, 422)
    ]
    content = f"{emulator.url()}/v2/consumer/blobs"

    assert [401, 413, 415, 422] == statuses
    assert [410, 403] == [
        bare.get(f"{content}/{kind}/x").status_code for kind in ("archive", "blocked")
    ]


def test_services_and_waiting_resources(client: httpx.Client) -> None:
    """
    Kinds of steps are listed by prefix, word and page; models that are at hand by pages.
    """
    post(client, custom())

    def ids(**params: Any) -> list[str]:
        return [row["id"] for row in client.get("/v2/services", params=params).json()["items"]]

    assert ["model/comfyNodepackSnapshot"] == ids(prefix="model/")
    assert ["utility/customComfy"] == ids(query="custom", limit=1)
    assert 4 == len(ids())
    assert [200, 404] == [
        client.get(f"/v2/services/{name}").status_code for name in ("utility/comfy", "x")
    ]
    loaded = client.get("/v2/resources", params={"view": "loaded", "take": 1}).json()
    assert [(AIR, "available")] == [
        (item["air"], item["availability"]["status"]) for item in loaded["items"]
    ]
    assert [] == client.get("/v2/resources", params={"view": "queue"}).json()["items"]


def test_ephemeral_workflow_is_gone(client: httpx.Client) -> None:
    """
    An ephemeral workflow is answered once, and unknown when it is over.
    """
    workflow = post(client, comfy(ephemeral=True)).json()

    assert "succeeded" == workflow["status"]
    assert 404 == client.get(f"{WORKFLOWS}/{workflow['id']}").status_code
    assert [] == client.get(WORKFLOWS).json()["items"]


def test_more_validation_by_path(client: httpx.Client) -> None:
    """
    Fields beside the steps, and those of the worker, are checked too.
    """
    bodies: list[tuple[dict[str, Any], str]] = [
        (comfy(nsfwLevel="z"), "nsfwLevel"),
        (comfy(tier="gold"), "tier"),
        (comfy(upgradeMode=1), "upgradeMode"),
        (comfy(downloadPriority="low"), "downloadPriority"),
        (comfy(allowMatureContent="yes"), "allowMatureContent"),
        (comfy(currencies=["gold"]), "currencies"),
        (comfy(tips={"civitai": 3}), "tips"),
        (comfy(tips="much"), "tips"),
        (comfy(callbacks="x"), "callbacks"),
        (comfy(callbacks=[{"url": "http://h.test", "type": ["step:*"]}]), "callbacks[0].url"),
        (comfy(callbacks=[{"url": "https://h.test", "type": ["x"]}]), "callbacks[0].type"),
        (custom(minVramGb="much"), "steps[0].input.minVramGb"),
        (custom(comfyImage="!"), "steps[0].input.comfyImage"),
        (custom(useSageAttention=1), "steps[0].input.useSageAttention"),
        (custom(minimumDurationSeconds=1.5), "steps[0].input.minimumDurationSeconds"),
    ]
    for body, path in bodies:
        answer = post(client, body)

        assert (400, [path]) == (answer.status_code, list(answer.json()["errors"])), path


@pytest.mark.parametrize(
    ("span", "form", "status"),
    [
        ("1.01:00:00", "days", 200),
        ("25:00:00", "days", 400),
        ("25:00:00", "hours", 200),
        ("1.01:00:00", "hours", 400),
        ("1:2:3", "days", 400),
        (90000, "days", 400),
    ],
)
def test_forms_of_timeouts(client: httpx.Client, span: Any, form: str, status: int) -> None:
    """
    Nobody outside knows how a timeout of a day and more is written: the form is a switch.
    """
    body = comfy()
    body["steps"][0]["timeout"] = span

    assert status == post(client, body, f"span_form={form}").status_code


@pytest.mark.parametrize("odd", [[], {}, 1.5, True], ids=str)
def test_values_of_other_types(client: httpx.Client, odd: Any) -> None:
    """
    A list or an object where a word belongs is refused like a wrong word.
    """
    bodies = [comfy(nsfwLevel=odd), comfy(tier=odd), custom(trace=odd)]
    for field in ("priority", "$type", "name"):
        body = comfy()
        body["steps"][0][field] = odd
        bodies.append(body)
    bodies.append(custom(resources=[{"$ref": odd}]))

    assert [400] * len(bodies) == [post(client, body).status_code for body in bodies]


def test_callbacks_of_jobs_with_details(client: httpx.Client) -> None:
    """
    Callbacks for jobs tell progress again and again, then the end; details come where asked for.
    """
    from http.server import BaseHTTPRequestHandler, HTTPServer
    from threading import Thread

    seen: list[dict[str, Any]] = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        url = f"http://127.0.0.1:{server.server_port}/"
        types = ["job:*", "workflow:*"]
        post(client, comfy(callbacks=[{"url": url, "type": types, "detailed": True}]))
        until(lambda: bool(seen) and seen[-1]["status"] == "succeeded" and "details" in seen[-1])
        server.shutdown()
        thread.join()
    jobs = [event for event in seen if event["$type"] == "job"]

    assert ["processing", "succeeded"] == [jobs[0]["status"], jobs[-1]["status"]]
    assert {"stepName", "jobId", "progress"} <= jobs[0].keys()
    assert ["0"] == [step["name"] for step in seen[-1]["details"]["steps"]]


def test_job_of_the_older_interface_tells_its_scans(client: httpx.Client) -> None:
    """
    The last event of a job holds what its scans said; `detailed` adds what was asked for.
    """
    job = post(client, comfy(), "withheld").json()["steps"][0]["jobs"][0]["id"]
    plain = client.get(f"/v1/consumer/jobs/{job}").json()
    detailed = client.get(f"/v1/consumer/jobs/{job}", params={"detailed": "true"}).json()

    assert ("X", "siteRestricted") == (
        plain["lastEvent"]["context"]["nsfwLevel"],
        plain["lastEvent"]["context"]["blocked_reason"],
    )
    assert ("job" in plain, detailed["job"]["$type"]) == (False, "comfy")
    assert 404 == client.get("/v1/consumer/jobs/none").status_code


def test_switches_from_the_command_line() -> None:
    """
    Every switch can be set by its text, as the command line and the header give it.
    """
    texts = ["money-status=402", "trace_bursts=0.5", "recipe_style=workflow", "late_blobs"]

    assert Faults(
        money_status=402, trace_bursts=0.5, recipe_style="workflow", late_blobs=True
    ) == Faults().changed(texts)
