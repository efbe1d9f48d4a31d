"""
The server as a whole: start, stop, what it leaves behind, and hostile input.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from emulation import client_of, finish, graph, sampler, until
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from comfygraph.emulator import Emulator, Faults
from comfygraph.errors import UsageError

KEYS = (
    "prompt", "params", "steps", "input", "inputs", "class_type", "classType", "1", "2", "$type",
    "$ref", "extra_data", "client_id", "comfyWorkflow", "workflow", "resources", "requestId",
    "tags", "metadata", "name", "width",
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS),
            inner,
            max_size=4,
        )
        | st.sampled_from([["1", 0], ["2", -1], ["1", 0.5], "KSampler", "SaveImage", "comfy"])
    ),
    max_leaves=25,
)
ROUTES = [
    ("POST", "/prompt"),
    ("POST", "/queue"),
    ("POST", "/history"),
    ("POST", "/interrupt"),
    ("POST", "/api/jobs/cancel"),
    ("POST", "/v1/jobs/workflow"),
    ("POST", "/v1/jobs/workflow/params/check"),
    ("POST", "/v1/jobs/workflow/template"),
    ("POST", "/v1/resource/image"),
    ("POST", "/v2/consumer/workflows"),
]


@pytest.fixture(scope="module")
def shared() -> Any:
    """
    One emulator and one client for all examples of a property.
    """
    with Emulator(speed=0, faults=Faults(qps=0)) as emulator, client_of(emulator) as client:
        yield client


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(route=st.sampled_from(ROUTES), body=JSON)
def test_any_json_gets_an_answer(shared: httpx.Client, route: tuple[str, str], body: Any) -> None:
    """
    Whatever JSON a route gets, it answers, and the server works as before.
    """
    text = json.dumps(body)
    answer = shared.request(*route, content=text, headers={"Content-Type": "application/json"})

    assert answer.status_code in {200, 202, 400, 404, 500}
    assert "Traceback" not in answer.text
    assert 200 == shared.get("/queue").status_code


MUTATIONS = st.sampled_from(
    [None, True, -1, 0, 10**30, 1e308, float("nan"), "", "\ud800", "x" * 5000, [], ["4", 0],
     ["9", 0], ["nope", 0], ["4", 99], ["4", float("nan")], {}, {"__value__": ["4", 0]}]
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    place=st.sampled_from(
        [(node_id, name) for node_id, one in sampler(2).items() for name in one["inputs"]]
    ),
    value=MUTATIONS,
    extra=st.booleans(),
)
def test_any_value_in_a_graph_gets_an_end(
    shared: httpx.Client, place: tuple[str, str], value: Any, extra: bool
) -> None:
    """
    A graph with any odd value is refused, or runs to an end; the server works as before.
    """
    prompt = sampler(2)
    node_id, name = place
    prompt[node_id]["inputs"][name] = value
    if extra:
        prompt[node_id]["_meta"] = {"title": "\ud800\0 title"}
    body = json.dumps({"requestId": json.dumps(prompt), "params": prompt})
    answer = shared.post("/v1/jobs/workflow", content=body)
    if answer.status_code == 200:
        job_id = answer.json()["job"]["id"]
        status = ""
        while status not in {"SUCCESS", "FAILED"}:
            status = shared.get(f"/v1/jobs/{job_id}").json()["job"]["status"]

    assert answer.status_code in {200, 400}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"prompt":' + b'{"a":' * 50_000,
        b'{"prompt":' + b"[" * 500 + b"]" * 500 + b"}",
        b"1" * 5000,
        b"\xff\xfe",
    ],
)
def test_unreadable_bodies(shared: httpx.Client, body: bytes) -> None:
    """
    What is no JSON, or nested without end, gets an error answer from every service.
    """
    statuses = [
        shared.request(method, path, content=body).status_code
        for method, path in ROUTES
        if path not in {"/interrupt", "/v1/resource/image"}
    ]

    assert set(statuses) <= {400, 500}
    assert 200 == shared.get("/queue").status_code


def test_large_bodies(client: httpx.Client) -> None:
    """
    A body over the limit is refused with 413, whether its length was told or not.
    """
    part = b" " * (1 << 20)
    told = client.post("/prompt", content=part * 33)
    untold = client.post("/v2/consumer/workflows", content=(part for _ in range(33)))

    assert (413, 413) == (told.status_code, untold.status_code)


def test_deadly_graph_hangs_as_on_a_real_server() -> None:
    """
    A reachable input that no class declares, linked to a missing node, kills a real worker: the
    job runs for ever, later ones wait, and the server answers; the emulator still stops.
    """
    prompt = graph()
    prompt["1"]["inputs"]["bogus"] = ["77", 0]
    with Emulator(["comfyui"], speed=0) as emulator, client_of(emulator) as c:
        first = c.post("/prompt", json={"prompt": prompt})
        c.post("/prompt", json={"prompt": graph()})
        c.post("/interrupt")
        queue = c.get("/queue").json()

    assert 200 == first.status_code
    assert (1, 1) == (len(queue["queue_running"]), len(queue["queue_pending"]))


def test_cycle_through_an_undeclared_input(client: httpx.Client) -> None:
    """
    A cycle that the server's check does not see ends in an error, and the history calls it
    a success, as a real server does.
    """
    prompt = graph()
    prompt["1"]["inputs"]["bogus"] = ["2", 0]
    entry = finish(client, client.post("/prompt", json={"prompt": prompt}).json()["prompt_id"])
    kind, data = entry["status"]["messages"][-1]

    assert ("execution_error", "graph.DependencyCycleError") == (kind, data["exception_type"])
    assert "success" == entry["status"]["status_str"]


def test_nothing_is_left_behind(bare: httpx.Client) -> None:
    """
    After the stop there is no thread, no socket and no temporary file; a second start works.
    """
    emulator = Emulator(speed=5)
    for _ in range(2):
        before = set(threading.enumerate())
        with emulator:
            url, folder = emulator.url(), emulator.folder
            bare.post(f"{url}/prompt", json={"prompt": sampler()})
            headers = {"Authorization": "Bearer emulator-token"}
            with httpx.Client(base_url=url, headers=headers) as kept:
                kept.get("/queue")
                emulator.stop()

        assert before == set(threading.enumerate())
        assert not folder.exists()
        with pytest.raises(httpx.TransportError):
            bare.get(f"{url}/queue")


def test_answers_are_not_held_back(emulator: Emulator, client: httpx.Client) -> None:
    """
    Answers on a kept connection go without Nagle's algorithm, which costs each of them 40 ms.
    """
    client.get("/queue")
    [connection] = emulator._server.server_state.connections
    kept = connection.transport.get_extra_info("socket")

    assert kept.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_stop_lets_long_polls_go(bare: httpx.Client) -> None:
    """
    A client that waits for a workflow is not left waiting when the emulator stops.
    """
    emulator = Emulator(speed=1)
    emulator.start()
    step = {"$type": "comfy", "input": {"comfyWorkflow": sampler()}}
    seen: list[int] = []

    def wait() -> None:
        answer = bare.post(
            f"{emulator.url()}/v2/consumer/workflows?wait=50",
            json={"steps": [step]},
            headers={"Authorization": "Bearer emulator-token"},
            timeout=60,
        )
        seen.append(answer.status_code)

    thread = threading.Thread(target=wait)
    thread.start()
    until(lambda: bool(emulator.stats().submits))
    emulator.stop()
    thread.join(60)

    assert [202] == seen


def test_files_are_kept_where_they_are_wanted(tmp_path: Path) -> None:
    """
    With a folder given, pictures stay there, and the count of names goes on at the next start.
    """
    for _ in range(2):
        with Emulator(speed=0, out=tmp_path) as one, client_of(one) as client:
            done = client.post("/prompt", json={"prompt": graph()}).json()
            finish(client, done["prompt_id"])

    assert ["pic_00001_.png", "pic_00002_.png"] == sorted(
        path.name for path in (tmp_path / "output" / "t").iterdir()
    )


def test_wrong_settings() -> None:
    """
    A dialect that there is not, a port that is taken, a URL before the start: clear messages.
    """
    with pytest.raises(UsageError):
        Emulator(["replicate"])  # type: ignore[list-item]  # the point of the test
    with pytest.raises(UsageError):
        Emulator().url()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(UsageError, match="cannot listen on"):
            Emulator(port=taken.getsockname()[1]).start()


def test_dialects_are_apart(bare: httpx.Client) -> None:
    """
    An emulator of one service does not answer for another.
    """
    with Emulator(["comfyui"]) as emulator:
        status = bare.get(f"{emulator.url()}/v1/jobs/1").status_code
        with pytest.raises(UsageError):
            emulator.url("tams")

    assert 404 == status


def test_import_is_light() -> None:
    """
    Importing the package loads no web library, no picture library and no websocket library.
    """
    program = (
        "import sys, comfygraph.emulator\n"
        "heavy = {'starlette', 'uvicorn', 'PIL', 'websockets', 'httpx', 'cryptography', 'anyio'}\n"
        "print(sorted(heavy & {name.partition('.')[0] for name in sys.modules}))"
    )
    out = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert "[]" == out.stdout.strip()


@pytest.mark.slow
def test_fixture_for_users(tmp_path: Path) -> None:
    """
    The fixture of `comfygraph.testing` starts an emulator for a test of somebody else's.
    """
    (tmp_path / "conftest.py").write_text("from comfygraph.testing import emulator\n")
    (tmp_path / "test_it.py").write_text(
        "import urllib.request\n"
        "def test_it(emulator):\n"
        "    with urllib.request.urlopen(emulator.url() + '/queue') as answer:\n"
        "        assert answer.status == 200\n"
        "    assert emulator.stats().requests == {'GET /queue': 1}\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    out = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert "1 passed" in out.stdout, out.stdout + out.stderr
