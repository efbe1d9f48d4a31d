"""
Every service, both drivers, one list of situations, over real HTTP: `situations.py` is the table.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from driving import DRIVERS, Outcome, broken_laws
from graphs import BIG_SEED
from jobs_servers import Loopback
from PIL import Image
from services import PRIVATE_KEY, SERVICES, TOKEN, Service
from situations import SITUATIONS, Situation
from staging import Stage

from comfygraph.emulator import Emulator
from comfygraph.errors import TargetError
from comfygraph.targets.events import (
    JobFailed,
    JobProgress,
    JobQueued,
    NodeCached,
    NodeFailed,
    NodeFinished,
    NodeStarted,
    Notice,
    event_to_json,
)
from comfygraph.targets.failures import GraphRejected


def _cases() -> Iterator[Any]:
    for service in SERVICES:
        for situation in SITUATIONS:
            wanted = not situation.only or service.target in situation.only
            has_route = not situation.at or situation.at in service.routes
            can = not situation.needs or situation.needs in service.abilities
            if wanted and has_route and can:
                for driver in DRIVERS:
                    name = f"{service.name}-{driver}-{situation.name.replace(' ', '_')}"
                    yield pytest.param(service, driver, situation, id=name)


def _by(value: Any, service: Service) -> Any:
    """Give what holds for a service."""
    if not hasattr(value, "keys") or "*" not in value:
        return value
    return next(value[name] for name in (service.name, service.target, "*") if name in value)


@pytest.mark.parametrize(("service", "driver", "situation"), list(_cases()))
def test_conformance(
    service: Service,
    driver: str,
    situation: Situation,
    emulator: Emulator,
    other_host: Loopback,
    tmp_path: Path,
) -> None:
    """
    The job ends as the table says, was made as often as it says, and its story is a story; no
    knob that was to spoil something has had nothing to spoil.
    """
    out = tmp_path / "out"
    outcome = Stage(situation, service, DRIVERS[driver], emulator, out, other_host).play()
    sent = _by(situation.sent, service)
    expected: dict[str, Any] = {
        "end": _by(situation.end, service),
        "jobs": _by(situation.jobs, service),
        "sent": dict(sent),
        "broken laws": [],
        "secrets told": [],
        "unstruck": [],
    }
    found: dict[str, Any] = {
        "end": outcome.end,
        "jobs": outcome.jobs,
        "sent": {purpose: len(outcome.sent(purpose)) for purpose in sent},
        "broken laws": broken_laws(outcome.events, out),
        "secrets told": _secrets_told(outcome),
        "unstruck": outcome.unstruck,
    }
    files = _by(situation.files, service)
    if files is not None:
        expected["files"], found["files"] = files, len(outcome.files)

    assert expected == found, outcome.said
    assert _by(situation.said, service) in outcome.said
    for check in situation.checks:
        CHECKS[check](outcome, service)


def _secrets_told(outcome: Outcome) -> list[str]:
    """Give the secrets that stand in events, references and errors."""
    told = json.dumps([event_to_json(event) for event in outcome.events])
    told += str(outcome.ref) + repr(outcome.error) + str(outcome.error)
    told += str(getattr(outcome.error, "hint", ""))
    return [secret for secret in (TOKEN, PRIVATE_KEY[60:100]) if secret in told]


def _orderly(outcome: Outcome, service: Service) -> None:
    """The job is queued first, and nodes run in their order where they are told."""
    finished = [event.node_id for event in outcome.events if isinstance(event, NodeFinished)]

    told = [event for event in outcome.events if not isinstance(event, Notice)]

    assert isinstance(told[0], JobQueued)
    if "nodes" in service.abilities:
        assert ["1", "2", "3"] == finished


def _png(outcome: Outcome, service: Service) -> None:
    """Each file is a whole PNG."""
    for path in outcome.files:
        with Image.open(path) as picture:
            picture.load()

            assert "PNG" == picture.format


def _starts_with(magic: bytes, kind: str) -> Callable[[Outcome, Service], None]:
    def check(outcome: Outcome, service: Service) -> None:
        """The file is of this kind, by its content, its ending and its event."""
        (file,) = outcome.events[-1].files  # type: ignore[union-attr]  # it ended well

        assert outcome.files[0].read_bytes().startswith(magic)
        assert kind == file.kind

    return check


def _exact_seed(outcome: Outcome, service: Service) -> None:
    """The body of the submit holds every digit."""
    (request,) = outcome.sent("submit")

    assert str(BIG_SEED).encode() in request.body


def _unsent_if_refused(outcome: Outcome, service: Service) -> None:
    """What is refused by us is refused before anything is sent."""
    assert outcome.error is None or [] == outcome.requests


def _queued(outcome: Outcome, service: Service) -> None:
    """The wait is told."""
    assert any(isinstance(event, JobQueued) for event in outcome.events)


def _position(outcome: Outcome, service: Service) -> None:
    """The place in the queue is told: a job is before ours."""
    positions = [event.position for event in outcome.events if isinstance(event, JobQueued)]

    assert any(positions)


def _failed_node(outcome: Outcome, service: Service) -> None:
    """The end names the node, where the service does; a node that failed is told once."""
    end = outcome.events[-1]
    assert isinstance(end, JobFailed)
    failed = [event.node_id for event in outcome.events if isinstance(event, NodeFailed)]
    wanted = "2" if "failed node" in service.abilities else None

    assert wanted == end.node_id
    assert failed == ([wanted] if wanted else [])


def _transient(outcome: Outcome, service: Service) -> None:
    """The failure is told to be one that another try may mend."""
    end = outcome.events[-1]
    assert isinstance(end, JobFailed)

    assert end.transient


def _final(outcome: Outcome, service: Service) -> None:
    """The failure is not told to be one that another try may mend."""
    end = outcome.events[-1]
    assert isinstance(end, JobFailed)

    assert not end.transient


def _complaints(outcome: Outcome, service: Service) -> None:
    """The refusal names nodes; a `customComfy` step is only checked when it runs."""
    if service.name == "civitai-custom":
        assert "node 2: Required input is missing: image" in outcome.said
        return
    assert isinstance(outcome.error, GraphRejected)
    named = {complaint.node_id for complaint in outcome.error.complaints}

    assert named
    assert named <= {"1", "2"}


def _uploaded_once(outcome: Outcome, service: Service) -> None:
    """The bytes went once, without credentials where the address is a signed one."""
    puts = outcome.sent("put")
    bodies = [request for _, request in outcome.requests if b"\x89PNG\r\n" in request.body]

    assert 1 == len(bodies)
    assert all("authorization" not in request.headers for request in puts)
    assert all("cookie" not in request.headers for request in puts)


def _asked_once(outcome: Outcome, service: Service) -> None:
    """Credentials that are refused are not tried again."""
    assert len(outcome.requests) <= 1


def _wait_told(outcome: Outcome, service: Service) -> None:
    """The error says how long the service wants us to wait."""
    assert isinstance(outcome.error, TargetError)

    assert outcome.error.retry_after is not None
    assert outcome.error.retry_after > 120


def _same_job(outcome: Outcome, service: Service) -> None:
    """Both submits gave one job."""
    assert outcome.ref is not None
    assert outcome.first is not None

    assert outcome.first.job_id == outcome.ref.job_id


def _nothing_carried_off(outcome: Outcome, service: Service) -> None:
    """No secret goes to another host, in headers or bodies or addresses."""
    for seen in outcome.elsewhere:
        text = f"{seen.path}\n{seen.headers}\n{seen.body!r}"

        assert "authorization" not in seen.headers
        assert TOKEN not in text


def _nobody_asked_elsewhere(outcome: Outcome, service: Service) -> None:
    """Nothing went there at all."""
    assert [] == outcome.elsewhere


def _other_went_on(outcome: Outcome, service: Service) -> None:
    """Our cancel has not stopped the job of another."""
    assert "JobSucceeded" == outcome.other


def _progress(outcome: Outcome, service: Service) -> None:
    """The share of the whole is told on its way, whatever its scale."""
    shares = [event.fraction for event in outcome.events if isinstance(event, JobProgress)]

    assert any(0.05 < share < 0.95 for share in shares), shares


def _cached(outcome: Outcome, service: Service) -> None:
    """Every node is told to be known, and none to run."""
    kinds = (NodeCached, NodeStarted, NodeFinished)
    told = [event for event in outcome.events if isinstance(event, kinds)]

    assert ["1", "2", "3"] == sorted(event.node_id for event in told)
    assert {NodeCached} == {type(event) for event in told}


CHECKS: dict[str, Callable[[Outcome, Service], None]] = {
    "orderly": _orderly,
    "png": _png,
    "webm": _starts_with(b"\x1a\x45\xdf\xa3", "video"),
    "flac": _starts_with(b"fLaC", "audio"),
    "exact seed": _exact_seed,
    "unsent if refused": _unsent_if_refused,
    "queued": _queued,
    "position": _position,
    "failed node": _failed_node,
    "transient": _transient,
    "final": _final,
    "complaints": _complaints,
    "uploaded once": _uploaded_once,
    "asked once": _asked_once,
    "wait told": _wait_told,
    "same job": _same_job,
    "the other went on": _other_went_on,
    "progress": _progress,
    "cached": _cached,
    "nothing carried off": _nothing_carried_off,
    "nobody asked elsewhere": _nobody_asked_elsewhere,
}


def test_the_list_is_long_enough() -> None:
    """
    The list has no name twice, every check is used, and every service meets forty situations and
    more with each driver.
    """
    names = [situation.name for situation in SITUATIONS]
    used = {check for situation in SITUATIONS for check in situation.checks}
    met = Counter((service.name, driver) for service, driver, _ in (it.values for it in _cases()))

    assert len(names) == len(set(names))
    assert len(SERVICES) * len(DRIVERS) == len(met)
    assert min(met.values()) >= 40
    assert used == set(CHECKS)
