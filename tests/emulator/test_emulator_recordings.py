"""
The emulator against recordings of a real ComfyUI: message by message.
"""

from __future__ import annotations

import json
import re
import struct
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest
from emulation import client_of
from websockets.sync.client import connect

from comfygraph.catalog import load_catalog
from comfygraph.emulator import Emulator, Faults
from comfygraph.emulator.host import Check, Verdict, default_check
from comfygraph.lint.predict import PredictedResponse

Recording = Callable[[str], list[dict[str, Any]]]

# Recording → the recordings whose prompts ran before it, so that the same results are cached.
RUNS = {
    "simple": [],
    "simple_no_client_id": [],
    "simple_partial_targets": ["simple_no_client_id"],
    "sd15": [],
    "sd15_cached": ["sd15"],
    "sd15_partial_cache_preview_features": ["sd15_cached"],
    "sd15_preview_nofeatures": ["sd15_partial_cache_preview_features"],
    "sd15_error": ["sd15_interrupted"],
    "text_progress_lazy_switch": [],
}


def submitted(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """The body that the recording's client posted."""
    body: dict[str, Any] = next(line for line in lines if line["kind"] == "http")["body"]
    return body


def plain(value: Any) -> Any:
    """A message without what differs from run to run: ids, moments, random and counted names."""
    if isinstance(value, dict):
        drop = {"prompt_id", "timestamp", "traceback", "current_inputs", "sid"}
        return {
            key: f"<{type(item).__name__}>" if key in drop else plain(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, str):
        value = re.sub(r"_temp_[a-z]{5}_", "_temp_xxxxx_", value)
        return re.sub(r"^(sd15|simple)_\d{5}_", r"\1_NNNNN_", value)
    return value


def told(message: dict[str, Any]) -> Any:
    """A JSON message for comparison; sets that the server lists in random order are sorted."""
    data = plain(message["data"])
    for key in ("nodes", "executed", "current_outputs"):
        if isinstance(data.get(key), list):
            data[key] = sorted(data[key])
    if message["type"] == "execution_error":
        data["exception_message"] = "<text>"
    return [message["type"], data, list(message["data"])]


def recorded(lines: list[dict[str, Any]]) -> list[Any]:
    """What the real server sent, for comparison."""
    seen: list[Any] = []
    for line in lines:
        if line["kind"] == "ws_json":
            seen.append(told(line["msg"]))
        elif line["kind"] == "ws_binary":
            about = line.get("metadata")
            text = line.get("text")
            seen.append(["binary", line["event"], list(about) if about else None, text])
    return seen


def received(payload: str | bytes) -> Any:
    """What the emulator sent, for comparison."""
    if isinstance(payload, str):
        return told(json.loads(payload))
    event = struct.unpack(">I", payload[:4])[0]
    about, text = None, None
    if event == 3:
        length = struct.unpack(">I", payload[4:8])[0]
        text = payload[8 + length :].decode()
    elif event == 4:
        length = struct.unpack(">I", payload[4:8])[0]
        about = list(json.loads(payload[8 : 8 + length]))
        assert payload[8 + length :][:2] == b"\xff\xd8"
    else:
        assert payload[4:8] == b"\0\0\0\1"
        assert payload[8:10] == b"\xff\xd8"
    return ["binary", event, about, text]


def run(emulator: Emulator, lines: list[dict[str, Any]]) -> list[Any]:
    """Do what the recording's client did, and give what the emulator sent."""
    body = submitted(lines)
    client_id = next(line for line in lines if line["kind"] == "ws_open")["url"].partition("=")[2]
    first = [line["msg"] for line in lines if line["kind"] == "ws_send"]
    seen: list[Any] = []
    address = emulator.url().replace("http", "ws", 1)
    with connect(f"{address}/ws?clientId={client_id}") as socket:
        for message in first:
            socket.send(json.dumps(message))
        seen.extend(received(socket.recv(timeout=60)) for _ in range(1 + len(first)))
        with client_of(emulator) as client:
            response = client.post("/prompt", json=body)
        assert response.status_code == 200, response.text
        wanted = len(recorded(lines))
        while len(seen) < wanted:
            seen.append(received(socket.recv(timeout=60)))
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.05)
    return seen


@pytest.mark.parametrize("name", list(RUNS))
def test_messages_are_those_of_a_real_server(name: str, recording: Recording) -> None:
    """
    A run of the same prompt gives the same messages: order, nodes, values, keys and their order.
    """
    lines = recording(name)
    faults = Faults(fail_node="3", fail_at=0) if name == "sd15_error" else Faults()
    with Emulator(["comfyui"], speed=0, check=_in_order(_outputs(lines))) as emulator:
        for before in _all_before(name):
            post(emulator, submitted(recording(before)))
        emulator.faults = faults
        seen = run(emulator, lines)

    assert recorded(lines) == seen


def _outputs(lines: list[dict[str, Any]]) -> list[str]:
    return list(next(iter(_answer(lines, "/history/").values()))["prompt"][4])


def _in_order(outputs: list[str]) -> Check:
    """A real server walks its outputs in an order that is random from process to process."""
    check = default_check(load_catalog())

    def ordered(prompt: Any, targets: Iterable[str] | None) -> Verdict:
        verdict = check(prompt, targets)
        assert isinstance(verdict, PredictedResponse)
        if set(outputs) == set(verdict.outputs):
            return replace(verdict, outputs=tuple(outputs))
        return verdict

    return ordered


def _all_before(name: str) -> list[str]:
    chain = [*RUNS.get(name, ())]
    while RUNS.get(chain[0]) if chain else False:
        chain = [*RUNS[chain[0]], *chain]
    return chain


def post(emulator: Emulator, body: dict[str, Any]) -> str:
    """Run a prompt to its end, and give its id."""
    with client_of(emulator) as client:
        prompt_id: str = client.post("/prompt", json=body).json()["prompt_id"]
        gone = threading.Event()
        while not gone.wait(0.01):
            if client.get(f"/history/{prompt_id}").json():
                return prompt_id
    raise AssertionError


@pytest.mark.parametrize("name", ["simple", "sd15", "sd15_error", "text_progress_lazy_switch"])
def test_history_and_job_are_those_of_a_real_server(name: str, recording: Recording) -> None:
    """
    History and job of a finished run have the same keys and values as recorded.
    """
    lines = recording(name)
    body = submitted(lines)
    faults = Faults(fail_node="3", fail_at=0) if name == "sd15_error" else Faults()
    with Emulator(["comfyui"], speed=0, faults=faults) as emulator:
        prompt_id = post(emulator, body)
        with client_of(emulator) as client:
            mine = {
                "history": client.get(f"/history/{prompt_id}").json()[prompt_id],
                "job": client.get(f"/api/jobs/{prompt_id}").json(),
            }
    theirs = {
        "history": next(iter(_answer(lines, "/history/").values())),
        "job": _answer(lines, "/api/jobs/"),
    }

    assert _outline(theirs) == _outline(mine)


def _answer(lines: list[dict[str, Any]], path: str) -> Any:
    return next(
        line["response"]
        for line in lines
        if line["kind"] == "http" and line["path"].startswith(path)
    )


_ANY = {
    "prompt_id", "timestamp", "create_time", "execution_start_time", "execution_end_time",
    "traceback", "current_inputs", "current_outputs", "exception_message", "id", "priority",
    "client_id", "executed",
}  # fmt: skip


def _outline(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            key: f"<{type(item).__name__}>" if key in _ANY else _outline(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        if len(value) == 5 and isinstance(value[1], str):
            # A queue item; the server lists outputs in random order.
            return ["<number>", "<id>", _outline(value[2]), _outline(value[3]), sorted(value[4])]
        if len(value) == 2 and value[0] == "execution_cached":
            return [value[0], dict.fromkeys(value[1], "<any>")]
        return [_outline(item) for item in value]
    return plain(value)
