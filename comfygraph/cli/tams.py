"""
`comfygraph tams`: ask TAMS, the graph service of TensorArt, about graphs, templates, models, jobs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from comfygraph.cli.output import print_json
from comfygraph.cli.tams_check import check
from comfygraph.cli.tams_template import template
from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.references.tams import TamsModel
    from comfygraph.references.web import Web
    from comfygraph.targets.tams import TamsTarget

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(short_help="Ask TAMS (TensorArt, Tusi) about graphs, templates, models and jobs.")
def tams() -> None:
    """
    Ask TAMS, the graph service of TensorArt and Tusi. To run a graph there, use
    `comfygraph submit --target tams`.

    \b
    comfygraph tams check graph.json      would it be taken, and for how much?
    comfygraph tams template ID           the fields of an AI tool; runs it too
    comfygraph tams model 600423083519508503
    comfygraph tams upload photo.png      give a picture a resource id
    comfygraph tams job ID                how is a job?
    comfygraph tams cancel ID

    \b
    Environment:
      TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE
      TAMS_BASE_URL            the endpoint that the console shows for your app
      TAMS_CANCEL_STYLE        auto, delete or post
      TAMS_CHECK=off           `submit` does not have graphs checked first
      TAMS_NOTIFY_URL          where TAMS reports that a job has news
      TAMS_ACCESS_KEYS         keys of private models: ID=KEY,ID=KEY
      TAMS_ACCESS_KEYS_FILE    the same as JSON: {"ID": "KEY"}
      TAMS_ACCESS_KEY_PLACE    where in a node they go; default inputs.accessKey

    Exit codes: 0 fine, 1 findings, or too late to cancel, 2 usage, 3 unreadable, 4 TAMS refused
    or is out of reach, 5 the job failed.
    """


tams.add_command(check)
tams.add_command(template)


@contextmanager
def _service() -> Iterator[tuple[TamsTarget, Web]]:
    from comfygraph.references.web import Web
    from comfygraph.targets import get_target

    target = cast("TamsTarget", get_target("tams", os.environ))
    web = Web()
    try:
        yield target, web
    finally:
        web.close()


@tams.command(short_help="Tell what a model is.")
@click.argument("model_id", metavar="ID")
@_json_option
def model(model_id: str, as_json: bool) -> int:
    """
    Tell what the model with this number is: the one in the address of its page.

    \b
    comfygraph tams model 600423083519508503
    comfygraph tams model 600423083519508503 --json

    Exit codes: 0 there is one, 1 there is none, 4 TAMS refused or is out of reach.
    """
    from comfygraph.references.forms import TamsId, read_reference
    from comfygraph.references.tams import TamsModels

    reference = read_reference(model_id)
    if not isinstance(reference, TamsId):
        raise UsageError(
            f"`{model_id[:80]}` is no number of a model on TAMS", hint="it has 15 to 20 digits"
        )
    with _service() as (_, web):
        found = web.run(TamsModels.from_config(os.environ).model(reference))
    if as_json:
        print_json(found._asdict() if found is not None else {"id": reference.id, "model": None})
    elif found is None:
        click.echo(f"TAMS knows no model {reference.id}")
    else:
        click.echo("\n".join(_model_lines(found)))
    return ExitCode.OK if found is not None else ExitCode.FINDINGS


def _model_lines(found: TamsModel) -> list[str]:
    rows = [
        ("id", found.id),
        ("kind", found.kind or "not told"),
        ("base", found.base_model),
        ("words", found.trigger_words),
    ]
    return [found.name or "a model", *(f"  {name:<6} {text}" for name, text in rows if text)]


@tams.command(short_help="Upload a picture and print its resource id.")
@click.argument("file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--keep", is_flag=True, help="Keep it for good; else it is kept for seven days.")
@_json_option
def upload(file: Path, keep: bool, as_json: bool) -> int:
    """
    Upload a picture and print its resource id, for `image` of LoadImage.

    `comfygraph submit --target tams` does this by itself for pictures that a graph names.

    \b
    comfygraph tams upload photo.png
    comfygraph tams upload photo.png --keep

    Exit codes: 0 uploaded, 3 the file cannot be read, 4 TAMS refused or is out of reach.
    """
    from comfygraph.jobs.local_files import read_local_file

    local = read_local_file(file, "upload")
    with _service() as (target, web):
        resource = web.run(target.upload_image(local, keep=keep))
    if as_json:
        print_json(
            {"resource_id": resource, "name": local.name, "sha256": local.digest, "keep": keep}
        )
    else:
        click.echo(resource)
    return ExitCode.OK


@tams.command(short_help="Tell how a job is.")
@click.argument("job_id", metavar="ID")
@_json_option
def job(job_id: str, as_json: bool) -> int:
    """
    Tell how a job is: its state, its nodes as far as TAMS tells of them, its files.

    With --json, the job object as TAMS gives it. Addresses of files expire.

    Exit codes: 0 it is well, 4 no such job, or TAMS refused or is out of reach, 5 it failed.
    """
    from comfygraph.cli.tams_job import job_lines
    from comfygraph.targets.observations import JobEnded, Outcome
    from comfygraph.targets.tams.job import read_job

    with _service() as (target, web):
        found = web.run(target.job(job_id))
    seen = read_job(found)
    if as_json:
        print_json(found)
    else:
        click.echo("\n".join(job_lines(job_id, found, seen)))
    failed = any(isinstance(item, JobEnded) and item.outcome is Outcome.FAILED for item in seen)
    return ExitCode.JOB_FAILED if failed else ExitCode.OK


@tams.command(short_help="Cancel a job.")
@click.argument("job_id", metavar="ID")
@_json_option
def cancel(job_id: str, as_json: bool) -> int:
    """
    Ask TAMS to cancel a job.

    Exit codes: 0 TAMS took it, 1 it was too late, 4 no such job, or TAMS is out of reach.
    """
    from comfygraph.targets.base import JobRef

    with _service() as (target, web):
        answer = web.run(target.cancel(JobRef("tams", target.base_url, job_id, "")))
    if as_json:
        print_json({"job_id": job_id, "accepted": answer.accepted})
    elif answer.accepted:
        click.echo(f"TAMS cancels job {job_id}")
    else:
        click.echo(f"too late: job {job_id} is over")
    return ExitCode.OK if answer.accepted else ExitCode.FINDINGS
