"""
Several ComfyUI servers: the shortest queue, servers that are down, jobs that are found again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from jobs_servers import Seen, free_port, loopback

from comfygraph.core.values import Prompt
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.server import Emulator
from comfygraph.errors import AuthenticationError, ServiceUnavailable, UsageError
from comfygraph.jobs.api import attach, submit
from comfygraph.jobs.pool import open_target
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import JobRef, Submission
from comfygraph.targets.events import JobSucceeded

GRAPH = {
    "1": {
        "class_type": "EmptyImage",
        "inputs": {"width": 16, "height": 16, "batch_size": 1, "color": 0},
    },
    "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
}
SUBMISSION = Submission(Prompt.from_json(GRAPH), "0b8c6f0a-4f5e-4a7f-9a3d-7a0c5a2a9d11")


class Servers:
    """
    Servers that say how long their queues are, and nothing else.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack

    def add(self, jobs: int, status: int = 200) -> str:
        """
        Start one; give its address.
        """
        body = json.dumps({"exec_info": {"queue_remaining": jobs}}).encode()

        def answer(seen: Seen) -> tuple[int, dict[str, str], bytes]:
            return status, {"Content-Type": "application/json"}, body

        return self._stack.enter_context(loopback(answer)).url


@pytest.fixture
def servers() -> Iterator[Servers]:
    """
    Give a starter of servers.
    """
    with ExitStack() as stack:
        yield Servers(stack)


def _chosen(*urls: str, chance: float = 0.0) -> str:
    settings = Settings(chance=lambda: chance)
    return open_target("comfyui", {"COMFYUI_URL": ",".join(urls)}, SUBMISSION, settings).base_url


def test_shortest_queue(servers: Servers) -> None:
    """
    The server with the fewest jobs is taken; one that is down, in trouble, or no ComfyUI at all
    is left out, however short its queue.
    """
    down = f"http://127.0.0.1:{free_port()}"
    busy, idle, broken = servers.add(5), servers.add(1), servers.add(0, status=503)

    assert idle == _chosen(down, busy, idle, broken)


@pytest.mark.parametrize(("chance", "expected"), [(0.0, 0), (0.49, 0), (0.5, 1), (0.999, 1)])
def test_chance_decides_between_equals(servers: Servers, chance: float, expected: int) -> None:
    """
    Jobs that are handed in at the same moment spread over servers with equal queues.
    """
    urls = [servers.add(2), servers.add(2), servers.add(3)]

    assert urls[expected] == _chosen(*urls, chance=chance)


def test_all_down(servers: Servers) -> None:
    """
    Where none can be used, each is told with its reason.
    """
    first, second = f"http://127.0.0.1:{free_port()}", servers.add(0, status=502)
    with pytest.raises(ServiceUnavailable) as caught:
        _chosen(first, second)

    assert "none of 2 ComfyUI servers can be used" in caught.value.message
    assert f"{first}: connection refused" in caught.value.message
    assert f"{second}: ComfyUI is in trouble (HTTP 502)" in caught.value.message


def test_wrong_credentials(servers: Servers) -> None:
    """
    Where all refuse the credentials, that is what is told.
    """
    with pytest.raises(AuthenticationError):
        _chosen(servers.add(0, status=401), servers.add(0, status=401))


def test_job_is_followed_where_it_is() -> None:
    """
    A job goes to the idle server of two, its reference names that one, and it is followed there
    from the same settings; a job of a third server is none of theirs.
    """
    with Emulator(["comfyui"], speed=0) as idle, Emulator(["comfyui"], speed=0) as busy:
        busy.faults = Faults(slow_start=60)
        config = {"COMFYUI_URL": busy.url()}
        submit(GRAPH, target="comfyui", config=config).close()
        config = {"COMFYUI_URL": f"{busy.url()},{idle.url()}"}
        with submit(GRAPH, target="comfyui", config=config) as job:
            ref = job.ref
            assert ref is not None
            job.result()
        with attach(ref, config=config) as again:
            end = again.result()
        with pytest.raises(UsageError, match="none of the servers"):
            open_target("comfyui", config, JobRef("comfyui", "http://else:1", "x", "x"))

        assert idle.url() == ref.base_url
        assert isinstance(end, JobSucceeded)
        assert (1, 1) == (idle.stats().submits["comfyui"], busy.stats().submits["comfyui"])


def test_one_address_asks_nobody(servers: Servers) -> None:
    """
    With one address there is nothing to choose.
    """
    url = f"http://127.0.0.1:{free_port()}"

    assert url == _chosen(url)
