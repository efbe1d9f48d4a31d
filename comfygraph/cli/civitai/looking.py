"""
`comfygraph civitai workflow`, `step` and `job`: one thing, looked at closely.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import click

from comfygraph.cli.civitai.common import (
    cost_of,
    json_option,
    kinds_of,
    prompt_of,
    rows,
    service,
    shown_time,
    state_of,
    texts,
)
from comfygraph.cli.output import print_json
from comfygraph.core.values import JsonValue
from comfygraph.errors import DeadlinePassed, ExitCode, NotFound, ServiceUnavailable
from comfygraph.lint.render.text import clean
from comfygraph.targets.reading import identifier, mapping, mappings, number, one_line

if TYPE_CHECKING:
    from comfygraph.references.web import Web
    from comfygraph.targets.civitai import CivitaiTarget
    from comfygraph.targets.observations import Observation

_PAUSE, _AFTER_HELD = 3.0, 1.0
"""Seconds between two questions to a service that holds no answers back, and to one that does:
it may also take the wait and answer at once."""
_HELD = 15
"""Seconds that the service may hold an answer until something changes."""


@click.command(short_help="Tell how a workflow is; --wait follows it to its end.")
@click.argument("workflow_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Ask again until it is over.")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", default=1800.0,
    show_default=True, help="How long to wait.",
)  # fmt: skip
@json_option
def workflow(workflow_id: str, wait: bool, deadline: float, as_json: bool) -> int:
    """
    Tell how a workflow is: status, price, each step with its progress, files, what went wrong.

    With --json, the workflow as the service gives it. Addresses of files expire.

    \b
    comfygraph civitai workflow 4164149-20260617151546446
    comfygraph civitai workflow 4164149-20260617151546446 --wait

    Exit codes: 0 it is well, 4 no such workflow, or Civitai is out of reach, 5 it failed, expired
    or was cancelled, 6 the deadline passed.
    """
    with service() as (target, web):
        found = _ask(target, web, workflow_id, wait, deadline)
        place = target.base_url
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(workflow_lines(found, place)))
    from comfygraph.targets.civitai.workflow import ENDS

    bad = state_of(found) in ENDS and state_of(found) != "succeeded"
    return ExitCode.JOB_FAILED if bad else ExitCode.OK


def _ask(
    target: CivitaiTarget, web: Web, workflow_id: str, wait: bool, deadline: float
) -> dict[str, JsonValue]:
    from comfygraph.targets.civitai.workflow import ENDS, read_workflow

    until = time.monotonic() + deadline
    shown = ""
    held = 0
    while True:
        try:
            found, was_held = web.run(target.api.workflow(workflow_id, wait=held))
        except ServiceUnavailable as exc:
            left = until - time.monotonic()
            if not shown or left <= 0:
                raise
            shown = _told(exc.message, shown)
            time.sleep(min(_PAUSE, left))
            web.forgive()
            continue
        if not wait or state_of(found) in ENDS:
            return found
        said = ", ".join([state_of(found), *_remarks(read_workflow(found))])
        shown = _told(said, shown)
        left = until - time.monotonic()
        if left <= 0:
            raise DeadlinePassed(f"the workflow is {state_of(found)} after {deadline:g} s")
        if held:
            time.sleep(min(_AFTER_HELD if was_held else _PAUSE, left))
        held = max(1, min(_HELD, int(left)))


def _told(said: str, shown: str) -> str:
    """Tell how it is, where that is new."""
    if said != shown:
        click.echo(said, err=True)
    return said


def _remarks(seen: tuple[Observation, ...]) -> list[str]:
    from comfygraph.targets.observations import JobEnded, JobSeen, NoticeSeen, ProgressSeen

    out = []
    for item in seen:
        match item:
            case JobSeen(position=int(position)):
                out.append(f"{position} before it")
            case ProgressSeen(fraction=fraction):
                out.append(f"about {fraction:.0%}")
            case NoticeSeen(message=message) | JobEnded(message=message) if message:
                out.append(clean(message))
            case _:
                pass
    return out


def workflow_lines(found: JsonValue, base_url: str) -> list[str]:
    """
    Give the lines that tell of a workflow of the service at an address.
    """
    from comfygraph.targets.civitai.workflow import read_workflow

    whole = mapping(found)
    seen = read_workflow(whole, base_url)
    lines = [f"{clean(identifier(whole.get('id')))}: {state_of(whole)}"]
    lines += rows(
        [
            ("made", shown_time(whole.get("createdAt"))),
            ("started", shown_time(whole.get("startedAt"))),
            ("over", shown_time(whole.get("completedAt"))),
            ("cost", cost_of(whole)),
            ("steps", kinds_of(whole)),
            ("tags", ", ".join(texts(whole.get("tags")))),
            ("key", clean(one_line(whole.get("externalId"), 200))),
        ]
    )
    for index, step in enumerate(mappings(whole.get("steps"))):
        name = clean(one_line(step.get("name"), 80)) or str(index)
        lines.append(f"  step {name}: {_step_head(step)}")
        said = prompt_of(step)
        lines += [f'    "{said}"'] if said else []
    lines += [f"  {remark}" for remark in _remarks(seen)]
    lines += [f"  {url}" for url in _urls(seen)]
    return lines


def _step_head(step: dict[str, JsonValue]) -> str:
    share = number(step.get("estimatedProgressRate"))
    jobs = len(list(mappings(step.get("jobs"))))
    state = clean(one_line(step.get("status"), 40).lower())
    # while it prepares, the rate is the share that is downloaded; then it is a guess by the clock
    form = "{:.0%} downloaded" if state == "preparing" else "about {:.0%}"
    parts = [
        clean(one_line(step.get("$type"), 40)),
        state,
        form.format(share) if share is not None and 0 <= share <= 1 else "",
        f"{jobs} jobs" if jobs > 1 else "",
    ]
    return ", ".join(part for part in parts if part)


def _urls(seen: tuple[Observation, ...]) -> list[str]:
    from comfygraph.targets.observations import FileSeen

    return [clean(item.file.url) for item in seen if isinstance(item, FileSeen)]


@click.command(short_help="Tell about one step of a workflow.")
@click.argument("workflow_id", metavar="ID")
@click.argument("step_name", metavar="STEP")
@json_option
def step(workflow_id: str, step_name: str, as_json: bool) -> int:
    """
    Tell about one step of a workflow. STEP is its name, or its place, from 0.

    \b
    comfygraph civitai step 4164149-20260617151546446 0
    """
    from comfygraph.targets.civitai.workflow import read_workflow

    with service() as (target, web):
        found = _step(target, web, workflow_id, step_name)
        place = target.base_url
    if as_json:
        print_json(found)
        return ExitCode.OK
    seen = read_workflow({"steps": [found]}, place)
    name = clean(one_line(found.get("name"), 80)) or clean(step_name)
    lines = [f"step {name}: {_step_head(found)}"]
    lines += rows(
        [
            ("started", shown_time(found.get("startedAt"))),
            ("over", shown_time(found.get("completedAt"))),
            ("timeout", clean(one_line(found.get("timeout"), 40))),
            ("priority", clean(one_line(found.get("priority"), 40))),
            ("prompt", prompt_of(found)),
        ]
    )
    for item in mappings(found.get("jobs")):
        state = clean(one_line(item.get("status"), 40).lower())
        lines.append(f"  job {clean(identifier(item.get('id')))}: {state}")
    lines += [f"  {remark}" for remark in _remarks(seen)]
    lines += [f"  {url}" for url in _urls(seen)]
    click.echo("\n".join(lines))
    return ExitCode.OK


def _step(
    target: CivitaiTarget, web: Web, workflow_id: str, step_name: str
) -> dict[str, JsonValue]:
    try:
        return web.run(target.api.step(workflow_id, step_name))
    except NotFound:
        # the service counts only steps that have no name
        if not (step_name.isascii() and step_name.isdigit()) or len(step_name) > 4:
            raise
        whole, _ = web.run(target.api.workflow(workflow_id))
        steps = list(mappings(whole.get("steps")))
        if int(step_name) >= len(steps):
            raise
        return steps[int(step_name)]


@click.command(short_help="Tell about a job of the older interface, with its scans.")
@click.argument("job_id", metavar="JOB_ID")
@click.option("--raw", "--json", "as_json", is_flag=True, help="Print the JSON of the service.")
def job(job_id: str, as_json: bool) -> int:
    """
    Tell about a job: its last event, what scans found in its results, whether they are there.

    JOB_ID stands in `jobs` of a step.

    \b
    comfygraph civitai job 58de87d7-d594-4d71-ae43-dd8fc1bcbd23
    comfygraph civitai job 58de87d7-d594-4d71-ae43-dd8fc1bcbd23 --raw
    """
    with service() as (target, web):
        found = web.run(target.api.job(job_id))
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(job_lines(job_id, found)))
    return ExitCode.OK


def job_lines(job_id: str, found: JsonValue) -> list[str]:
    """
    Give the lines that tell of a job of the older interface.
    """
    whole = mapping(found)
    properties, event = mapping(whole.get("properties")), mapping(whole.get("lastEvent"))
    body = mapping(whole.get("job"))
    results = list(mappings(whole.get("result")))
    context = mapping(event.get("context"))
    kind = event.get("jobType") or body.get("$type") or whole.get("jobType")
    cost = number(whole.get("cost"))
    lines = [f"job {clean(identifier(whole.get('jobId')) or job_id)}"]
    lines += rows(
        [
            ("type", clean(one_line(kind, 60))),
            ("workflow", clean(one_line(properties.get("workflowId"), 100))),
            ("prompt classification", _plain(properties.get("promptClassification"))),
            ("cost", f"{cost:g}" if cost is not None else ""),
            ("last event", clean(one_line(event.get("type"), 40))),
            ("at", shown_time(event.get("dateTime"))),
            ("provider", clean(one_line(event.get("provider"), 60))),
        ]
    )
    if results:
        lines.append(f"  results: {len(results)}")
    for item in results:
        there = "there" if item.get("available") is True else "not there"
        lines.append(f"    {clean(identifier(item.get('blobKey')) or '?')}: {there}")
    if context:
        lines.append("  scans and figures")
        lines += rows([(clean(name), _plain(value)) for name, value in context.items()], "    ")
    return lines


def _plain(value: JsonValue) -> str:
    if isinstance(value, list):
        return ", ".join(_plain(item) for item in value)
    if isinstance(value, bool | int | float):
        return str(value).lower()
    if isinstance(value, dict) and value:
        return clean(one_line(json.dumps(value, ensure_ascii=False), 300))
    return clean(one_line(value, 300))
