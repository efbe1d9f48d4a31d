"""
`comfygraph civitai results` and `blob`: what a workflow made, shown or fetched.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from comfygraph.cli.civitai.common import json_option, service, state_of
from comfygraph.cli.output import print_json
from comfygraph.core.values import JsonValue
from comfygraph.errors import ExitCode, Rejected
from comfygraph.lint.render.text import clean
from comfygraph.targets.reading import is_web_url, one_line

if TYPE_CHECKING:
    from comfygraph.targets.base import JobRef, Target

DEFAULT_FOLDER = "civitai-downloads"

_MATURE = ("r", "x", "xxx")

_download = click.option("--download", is_flag=True, help="Save the files.")
_folder = click.option(
    "--dir", "-o", "folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path),
    default=Path(DEFAULT_FOLDER), show_default=True, help="Where --download saves them.",
)  # fmt: skip
_overwrite = click.option("--overwrite", is_flag=True, help="Replace files of the same name.")


@click.command(short_help="List the files of a workflow, or download them.")
@click.argument("workflow_id", metavar="ID")
@_download
@_folder
@_overwrite
@json_option
def results(workflow_id: str, download: bool, folder: Path, overwrite: bool, as_json: bool) -> int:
    """
    List the files that a workflow made, or download them: paths go to stdout. A workflow that is
    still at work is followed to its end first, when it is to be downloaded.

    \b
    comfygraph civitai results 4164149-20260617151546446
    comfygraph civitai results 4164149-20260617151546446 --download --dir pictures

    Exit codes: 0 fine, 4 no such workflow, or a file cannot be fetched, 5 the workflow failed.
    """
    from comfygraph.targets.base import JobRef

    with service() as (target, web):
        # Asked for first: a job that is followed may be so new that it is not to be seen yet, and
        # one that does not exist would be waited for.
        found, _ = web.run(target.api.workflow(workflow_id))
        if download:
            ref = JobRef("civitai", target.base_url, workflow_id, "")
            return _fetch(target, ref, folder, overwrite, as_json)
        place = target.base_url
    from comfygraph.targets.civitai.workflow import read_workflow
    from comfygraph.targets.events import OutputReady, event_to_json
    from comfygraph.targets.observations import FileSeen, NoticeSeen

    seen = read_workflow(found, place)
    files = [item.file for item in seen if isinstance(item, FileSeen)]
    notices = [item.message for item in seen if isinstance(item, NoticeSeen)]
    if as_json:
        listed = [event_to_json(OutputReady(file))["file"] for file in files]
        print_json({"id": workflow_id, "status": state_of(found), "files": listed,
                    "notices": notices})  # fmt: skip
        return ExitCode.OK
    for file in files:
        size = f"{file.width}×{file.height}" if file.width and file.height else ""
        click.echo(
            "  ".join(part for part in (clean(file.name), file.kind, size, file.url) if part)
        )
    for notice in notices:
        click.echo(clean(notice), err=True)
    if not files:
        click.echo(f"no files; the workflow is {state_of(found)}", err=True)
    return ExitCode.OK


@click.command(short_help="Give the address of a blob, or download it.")
@click.argument("blob_id", metavar="BLOB_ID")
@_download
@_folder
@_overwrite
@click.option(
    "--nsfw", is_flag=True,
    help="Take it at any level; without it, what is above PG-13 is refused.",
)  # fmt: skip
@json_option
def blob(
    blob_id: str, download: bool, folder: Path, overwrite: bool, nsfw: bool, as_json: bool
) -> int:
    """
    Give the address of a blob (a picture, a film or a sound), or download it. The address holds
    for a while and needs no token.

    \b
    comfygraph civitai blob JNFDW54JNTATNW42HACYCWSQP0.jpeg
    comfygraph civitai blob JNFDW54JNTATNW42HACYCWSQP0.jpeg --download --nsfw

    Its 30 days on the service start anew. Exit codes: 0 fine, 4 no such blob, it is withheld, or
    it cannot be fetched.
    """
    from comfygraph.targets.civitai.one_blob import BlobTarget

    level = "xxx" if nsfw else "pg13"
    with service() as (target, web):
        found = web.run(target.api.refresh_blob(blob_id))
        url = _address(found, blob_id, nsfw)
        if download:
            one = BlobTarget(target, blob_id, level)
            return _fetch(one, one.ref, folder, overwrite, as_json)
    if as_json:
        print_json(found)
    else:
        click.echo(url)
    return ExitCode.OK


def _address(found: dict[str, JsonValue], blob_id: str, nsfw: bool) -> str:
    """Give the address of a blob's content, where it is to be had at this level."""
    name = clean(blob_id[:100])
    level = one_line(found.get("nsfwLevel"), 20).lower()
    if level in _MATURE and not nsfw:
        raise Rejected(f"{name} is mature content ({level})", hint="--nsfw takes it all the same")
    url = one_line(found.get("url"), 10_000)
    reason = one_line(found.get("blockedReason"), 200)
    if reason or found.get("available") is False or not is_web_url(url):
        raise Rejected(
            f"{name} is withheld{f': {clean(reason)}' if reason else ', or not there yet'}"
        )
    return url


def _fetch(target: Target, ref: JobRef, folder: Path, overwrite: bool, as_json: bool) -> int:
    """Follow a job to its end and save its files; paths go to stdout as they come."""
    from comfygraph.jobs import attach
    from comfygraph.targets.events import (
        JobCancelled,
        JobFailed,
        JobStarted,
        Notice,
        OutputReady,
        event_to_json,
    )

    missing: list[str] = []
    saved: list[object] = []
    code = ExitCode.OK
    with attach(ref, target=target, out=folder, overwrite=overwrite) as job:
        for event in job:
            match event:
                case OutputReady(file=file) if file.path is not None:
                    saved.append(event_to_json(event)["file"])
                    if not as_json:
                        click.echo(file.path)
                case OutputReady(file=file) if not file.preview:
                    missing.append(file.name)
                case Notice(message=message):
                    click.echo(clean(message), err=True)
                case JobStarted():
                    click.echo("at work; Ctrl-C leaves it as it is", err=True)
                case JobFailed(message=message):
                    click.echo(f"the workflow failed: {clean(message)}", err=True)
                    code = ExitCode.JOB_FAILED
                case JobCancelled():
                    click.echo("the workflow was cancelled", err=True)
                    code = ExitCode.JOB_FAILED
                case _:
                    pass
    if as_json:
        print_json({"id": ref.job_id, "files": saved, "missing": missing})
    if missing:
        names = ", ".join(map(clean, missing[:5]))
        raise Rejected(f"{len(missing)} of the files could not be fetched: {names}")
    if not saved and not as_json:
        click.echo("no files", err=True)
    return code
