"""
The websocket of the emulated ComfyUI: who hears what, and what the knobs do to it.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from emulation import client_of, graph, sampler, until
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from comfygraph.emulator import Emulator, Faults


def address(emulator: Emulator, client_id: str) -> str:
    """The address of a socket."""
    return f"{emulator.url().replace('http', 'ws', 1)}/ws?clientId={client_id}"


def messages(socket: ClientConnection, last: str = "executing") -> list[dict[str, Any]]:
    """Read until the worker is done with the prompt, or `last` comes."""
    seen: list[dict[str, Any]] = []
    while True:
        payload = socket.recv(timeout=60)
        if isinstance(payload, str):
            message = json.loads(payload)
            seen.append(message)
            if message["type"] == last and message["data"].get("node") is None:
                return seen


def test_two_clients(emulator: Emulator, client: httpx.Client) -> None:
    """
    A client hears of its own job; the other one hears only how long the queue is.
    """
    with connect(address(emulator, "a")) as a, connect(address(emulator, "b")) as b:
        client.post("/prompt", json={"prompt": graph(), "client_id": "a"})
        heard = messages(a)
        client.post("/prompt", json={"prompt": graph(color=1), "client_id": "b"})
        aside = messages(b)
    own = {message["data"].get("prompt_id") for message in heard} - {None}
    others = {message["data"].get("prompt_id") for message in aside} - {None}

    assert (1, 1) == (len(own), len(others))
    assert own.isdisjoint(others)


def test_reconnect_hears_the_running_node() -> None:
    """
    A client that comes back while its job runs hears at once which node runs, without prompt id.
    """
    with Emulator(speed=300) as emulator, client_of(emulator) as client:
        with connect(address(emulator, "a")) as first:
            client.post("/prompt", json={"prompt": sampler(), "client_id": "a"})
            while json.loads(first.recv(timeout=60))["data"].get("node") != "3":
                pass
        with connect(address(emulator, "a")) as again:
            hello = [json.loads(again.recv(timeout=60)) for _ in range(2)]
            client.post("/interrupt")
            rest = messages(again)

    assert ["status", "executing"] == [message["type"] for message in hello]
    assert {"node": "3"} == hello[1]["data"]
    assert "execution_interrupted" in [message["type"] for message in rest]


def test_previews_of_a_job_without_client(emulator: Emulator, client: httpx.Client) -> None:
    """
    Everybody gets the previews of a job that named no client, as frames that name no job, also
    who can take the other kind.
    """
    body = {"prompt": sampler(2), "extra_data": {"preview_method": "auto"}}
    flags = {"type": "feature_flags", "data": {"supports_preview_metadata": True}}
    with connect(address(emulator, "a")) as socket:
        socket.send(json.dumps(flags))
        messages(socket, last="feature_flags")
        client.post("/prompt", json=body)
        frames: list[bytes] = []
        while len(frames) < 2:
            payload = socket.recv(timeout=60)
            frames += [payload[:4]] if isinstance(payload, bytes) else []

    assert [b"\0\0\0\1"] * 2 == frames


def test_socket_without_client_id(emulator: Emulator) -> None:
    """
    Without a client id the server makes one and tells it.
    """
    with connect(f"{emulator.url().replace('http', 'ws', 1)}/ws") as socket:
        hello = json.loads(socket.recv(timeout=60))

    assert 32 == len(hello["data"]["sid"])


def test_duplicated_and_reordered_updates(emulator: Emulator, client: httpx.Client) -> None:
    """
    With the knobs set, messages come twice, and in pairs the wrong way round; none is lost.
    """
    with connect(address(emulator, "a")) as socket:
        client.post("/prompt", json={"prompt": graph(), "client_id": "a"})
        straight = [message["type"] for message in messages(socket)]
    emulator.faults = Faults(duplicate_updates=True)
    with connect(address(emulator, "b")) as socket:
        client.post("/prompt", json={"prompt": graph(color=1), "client_id": "b"})
        doubled = [message["type"] for message in messages(socket)]
    emulator.faults = Faults(reordered_updates=True)
    with connect(address(emulator, "c")) as socket:
        client.post("/prompt", json={"prompt": graph(color=2), "client_id": "c"})
        # The last two messages change places, too.
        mixed = [message["type"] for message in messages(socket)]

    assert [kind for kind in straight for _ in range(2)][: len(doubled)] == doubled
    assert straight != mixed
    assert sorted(set(straight)) == sorted(set(mixed))


def test_socket_knobs(emulator: Emulator, client: httpx.Client) -> None:
    """
    The socket can be refused, and cut after so many messages while the job goes on.
    """
    emulator.faults = Faults(no_socket=True)
    with pytest.raises(InvalidStatus), connect(address(emulator, "a")):
        pass
    emulator.faults = Faults(socket_drop_after=3)
    with connect(address(emulator, "b")) as socket:
        client.post("/prompt", json={"prompt": graph(), "client_id": "b"})
        with pytest.raises(ConnectionClosed):
            [socket.recv(timeout=60) for _ in range(10)]

    until(lambda: emulator.stats().jobs.get("succeeded") == 1)


def test_odd_messages_of_a_client(emulator: Emulator) -> None:
    """
    Whatever a client says, the socket stays; features count only in the first message.
    """
    with connect(address(emulator, "a")) as socket:
        socket.recv(timeout=60)
        for text in ("{", '{"type": "feature_flags"}', "[" * 5000, "null"):
            socket.send(text)
        socket.send(b"\0")
        with pytest.raises(TimeoutError):
            socket.recv(timeout=0.05)
