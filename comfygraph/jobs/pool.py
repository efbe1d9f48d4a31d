"""
Several ComfyUI servers as one: a new job goes to the server with the shortest queue, a job that is
there already is followed where it is.

A server that is out of reach is left out. The reference of a job names its server, so that it is
found again whatever the queues are by then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from comfygraph.core.within import within
from comfygraph.errors import AuthenticationError, ServiceUnavailable, TargetError, UsageError
from comfygraph.jobs import wire
from comfygraph.jobs.recovery import Doubt
from comfygraph.jobs.settings import Settings
from comfygraph.targets import get_target
from comfygraph.targets.base import Exchange, JobRef, Submission, Target
from comfygraph.targets.comfyui import ComfyUITarget, server_urls
from comfygraph.targets.http import HttpRequest, HttpResponse

POOLED = ("comfyui", "emulator")
CONNECT_TIMEOUT = 3.0
ANSWER_TIMEOUT = 5.0
WHOLE_ANSWER = 15.0
"""Seconds that all of an answer may take."""
_MOST_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class _Load:
    """How many jobs wait or run on a server, or why nobody knows."""

    target: ComfyUITarget
    jobs: int = 0
    problem: TargetError | None = None


def open_target(
    name: str,
    config: Mapping[str, str],
    job: Submission | Doubt | JobRef,
    settings: Settings | None = None,
) -> Target:
    """
    Give the target by name that a job is for.

    Where `COMFYUI_URL` holds several addresses, each server is asked for its queue, all at once;
    the shortest wins, and chance decides between equals, so that jobs that are handed in at the
    same moment spread.

    Args:
        name: The target.
        config: Its settings.
        job: What is to be done.
        settings: Gives the chance.

    Raises:
        UsageError: The target is not configured, or the job is on none of the servers.
        ServiceUnavailable: No server can be reached.
        AuthenticationError: No server can be reached, and the first problem is the credentials.
    """
    urls = server_urls(config) if name in POOLED else ()
    if len(urls) < 2:
        return get_target(name, config)
    targets = [_server(name, config, url) for url in urls]
    if isinstance(job, Submission):
        return least_loaded(targets, settings or Settings())
    place = job.base_url if isinstance(job, JobRef) else job.ref.base_url
    for target in targets:
        if target.base_url == place:
            return target
    raise UsageError(
        f"the job is at {place}, which is none of the servers in COMFYUI_URL",
        hint=f"follow it with --url {place}",
    )


def servers(name: str, config: Mapping[str, str]) -> list[Target]:
    """
    Give all servers that a target by name stands for, in the order of the setting; asks none.

    Raises:
        UsageError: The target is not configured.
    """
    urls = server_urls(config) if name in POOLED else ()
    if len(urls) < 2:
        return [get_target(name, config)]
    return [_server(name, config, url) for url in urls]


def fellows(target: Target, config: Mapping[str, str]) -> list[Target]:
    """
    Give the servers beside a target in `COMFYUI_URL`; none where it is no member of that pool.
    """
    if not isinstance(target, ComfyUITarget):
        return []
    found = servers(target.name, config)
    others = [other for other in found if other.base_url != target.base_url]
    return others if len(others) < len(found) else []


def least_loaded(targets: Sequence[ComfyUITarget], settings: Settings) -> ComfyUITarget:
    """
    Give the server with the fewest jobs, waiting and running.

    Raises:
        ServiceUnavailable: None can be reached.
        AuthenticationError: None can be reached, and the first problem is the credentials.
    """
    with (
        httpx.Client(**wire.client_options()) as client,
        ThreadPoolExecutor(min(len(targets), _MOST_AT_ONCE)) as threads,
    ):
        loads = list(threads.map(lambda target: _load(client, target), targets))
    known = [load for load in loads if load.problem is None]
    if known:
        least = min(load.jobs for load in known)
        best = [load.target for load in known if load.jobs == least]
        return best[min(int(settings.chance() * len(best)), len(best) - 1)]
    first = loads[0].problem
    assert first is not None
    if isinstance(first, AuthenticationError):
        raise first
    places = "; ".join(f"{load.target.base_url}: {_said(load)}" for load in loads)
    raise ServiceUnavailable(
        f"none of {len(loads)} ComfyUI servers can be used: {places}", hint="check COMFYUI_URL"
    )


def _server(name: str, config: Mapping[str, str], url: str) -> ComfyUITarget:
    target = get_target(name, {**config, "COMFYUI_URL": url})
    assert isinstance(target, ComfyUITarget)
    return target


def _load(client: httpx.Client, target: ComfyUITarget) -> _Load:
    try:
        return _Load(target, _run(client, target.load()))
    except TargetError as exc:
        return _Load(target, problem=exc)


def _run(client: httpx.Client, exchange: Exchange[int]) -> int:
    request = next(exchange)
    while True:
        try:
            request = exchange.send(_deliver(client, request))
        except StopIteration as stop:
            found: int = stop.value
            return found


def _deliver(client: httpx.Client, request: HttpRequest) -> HttpResponse:
    timeout = wire.timeouts(CONNECT_TIMEOUT, ANSWER_TIMEOUT)
    headers = wire.wire_headers(request)

    def ask() -> HttpResponse:
        with client.stream(
            request.method, request.url, headers=headers, timeout=timeout
        ) as response:
            return wire.whole(response)

    try:
        answer = within(WHOLE_ANSWER, ask)
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as exc:
        reason = wire.unreached(exc, CONNECT_TIMEOUT, ANSWER_TIMEOUT).reason
        raise ServiceUnavailable(reason, hint="is it running?") from None
    return request.scrubbed(answer)


def _said(load: _Load) -> str:
    return load.problem.message if load.problem is not None else ""
