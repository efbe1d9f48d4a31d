"""
`comfygraph novita`: models and tasks of Novita.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from shlex import quote
from typing import TYPE_CHECKING

import click

from comfygraph.cli.civitai.common import fitted
from comfygraph.cli.output import print_json
from comfygraph.errors import (
    DeadlinePassed,
    ExitCode,
    JobError,
    ProtocolError,
    ServiceUnavailable,
    UsageError,
)
from comfygraph.lint.render.text import clean

if TYPE_CHECKING:
    from comfygraph.references.novita import ModelFilter, Novita, NovitaModel, NovitaTask
    from comfygraph.references.novita.listing import ListedModel
    from comfygraph.references.web import Web

_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
MOST_PAGES = 1_000
_PAUSE = 2.0


@click.group(short_help="Ask Novita about models and tasks.")
def novita() -> None:
    """
    Ask Novita, a host of models and pictures, which models it has and how a task is. Novita
    runs no graphs.

    \b
    comfygraph novita model 64094           has it this version of Civitai?
    comfygraph novita models --type lora    the list
    comfygraph novita task ID               how is a task, and what did it make?

    \b
    Environment:
      NOVITA_API_KEY    a key of your account
      NOVITA_BASE_URL   another address than https://api.novita.ai
      CIVITAI_SITE_URL  asked for the hash where Novita knows no versions

    Exit codes: 0 fine, 1 Novita cannot use the model, 2 usage, 4 Novita refused or is out of
    reach, 5 the task failed, 6 the deadline passed.
    """


def _open() -> tuple[Novita, Web]:
    from comfygraph.references.novita import Novita
    from comfygraph.references.web import Web

    return Novita.from_config(os.environ), Web()


@novita.command(short_help="Tell whether Novita has a version of a model on Civitai.")
@click.argument("version", metavar="CIVITAI_VERSION_ID")
@_json_option
def model(version: str, as_json: bool) -> int:
    """
    Tell whether Novita has a version of a model on Civitai, and what requests call it there.

    CIVITAI_VERSION_ID is the number behind `modelVersionId=` in the address of a model's page;
    the address itself and an AIR will do as well.

    \b
    comfygraph novita model 64094
    comfygraph novita model urn:air:sd1:checkpoint:civitai:10028@64094 --json

    Exit codes: 0 it can be used, 1 it cannot, or Novita does not say so.
    """
    from comfygraph.references.forms import read_civitai_version
    from comfygraph.references.lookup import Lookup
    from comfygraph.references.resolution import Availability

    wanted = read_civitai_version(version)
    if wanted is None:
        raise UsageError(
            f"`{version[:80]}` names no version of a model on Civitai",
            hint="give the number behind modelVersionId= in the address of its page",
        )
    with Lookup(os.environ, refresh=True) as lookup:
        found = lookup.novita_model(wanted.id)
    if found is None:
        evidence = f"Novita has no model for version {wanted.id} of Civitai"
        if as_json:
            print_json({"civitai_version_id": wanted.id, "availability": "unavailable",
                    "evidence": evidence, "model": None})  # fmt: skip
        else:
            click.echo(evidence)
        return ExitCode.FINDINGS
    if as_json:
        answer = found.resolution
        print_json({"civitai_version_id": wanted.id, "availability": answer.availability.value,
                "evidence": answer.evidence, "model": found._asdict()})  # fmt: skip
    else:
        click.echo("\n".join(_model_lines(found)))
    usable = found.resolution.availability is Availability.AVAILABLE
    return ExitCode.OK if usable else ExitCode.FINDINGS


def _model_lines(found: NovitaModel) -> list[str]:
    answer = found.resolution
    page = found.link
    if page and found.civitai_version_id is not None and "?" not in page:
        page += f"?modelVersionId={found.civitai_version_id}"
    depends = found.dependency_name
    if found.dependency_version_id is not None:
        depends = f"{depends or 'a model'} (version {found.dependency_version_id})"
    rows = [
        ("use as", found.sd_name),
        ("type", found.type),
        ("hash", f"{found.hash} (AutoV2)" if len(found.hash) == 10 else found.hash),
        ("needs", depends),
        ("words", ", ".join(found.trained_words)),
        ("tags", ", ".join(found.tags)),
        ("licence", _licence(found)),
        ("rating", f"{found.rating:g} of 5" if found.rating is not None else ""),
        ("updated", found.updated),
        ("page", page),
        ("file", found.download_url),
    ]
    lines = [
        f"{found.name or found.sd_name or 'a model'}",
        f"  {answer.availability.value}: {answer.evidence}",
    ]
    return [clean(line) for line in lines] + [
        _row(name, clean(text)) for name, text in rows if text
    ]


def _licence(found: NovitaModel) -> str:
    """Civitai's words for commercial use; `None` is one of them."""
    parts = [f"commercial use: {found.commercial_use}"] if found.commercial_use else []
    if found.different_license is not None:
        parts.append("other licences " + ("allowed" if found.different_license else "not allowed"))
    if found.nsfw:
        parts.append("not safe for work")
    return ", ".join(parts)


def _row(name: str, text: str) -> str:
    import shutil
    import textwrap

    width = max(40, shutil.get_terminal_size((80, 24)).columns)
    indent = " " * 12
    return textwrap.fill(
        text, width, initial_indent=f"  {name:<10}", subsequent_indent=indent,
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip


@novita.command(name="models", short_help="List the models of Novita.")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@click.option(
    "--type", "types", multiple=True, metavar="TYPE",
    help="checkpoint, lora, vae, controlnet, upscaler or textualinversion; may be repeated.",
)  # fmt: skip
@click.option("--visibility", type=click.Choice(["public", "private"]), help="Whose models.")
@click.option(
    "--source", type=click.Choice(["civitai", "training", "uploading"]), help="Where from."
)
@click.option("--sdxl/--no-sdxl", default=None, help="Only for SDXL, or only for others.")
@click.option(
    "--inpainting/--no-inpainting", default=None, help="Only for inpainting, or only others."
)
@click.option(
    "--limit", type=click.IntRange(1, 100), default=20, show_default=True, help="Models a page."
)
@click.option("--cursor", metavar="CURSOR", default="", help="Go on where a page ended.")
@click.option("--all", "everything", is_flag=True, help="Fetch page after page to the end.")
@_json_option
def models(
    words: tuple[str, ...],
    types: tuple[str, ...],
    visibility: str | None,
    source: str | None,
    sdxl: bool | None,
    inpainting: bool | None,
    limit: int,
    cursor: str,
    everything: bool,
    as_json: bool,
) -> int:
    """
    List models of Novita whose name or tags have the WORDs: what requests call them first.

    \b
    comfygraph novita models dreamshaper
    comfygraph novita models --type lora --type vae --no-sdxl --limit 100
    comfygraph novita models --visibility private --all --json

    Where there is more, the last line on stderr tells how to go on.
    """
    from comfygraph.references.novita import ModelFilter

    wanted = ModelFilter(
        query_text=" ".join(words),
        visibility=visibility or "",
        source=source or "",
        types=types,
        is_sdxl=sdxl,
        is_inpainting=inpainting,
        limit=100 if everything else limit,
        cursor=cursor,
    )
    wanted.query()  # wrong words are told before credentials are asked for
    service, web = _open()
    try:
        found, rest = _pages(service, web, wanted, everything)
    finally:
        web.close()
    if as_json:
        print_json({"models": [model._asdict() for model in found], "next_cursor": rest or None})
        return ExitCode.OK
    for line in _table(found):
        click.echo(line)
    if not found:
        click.echo("no models", err=True)
    if rest:
        click.echo(f"there is more: --cursor {quote(clean(rest))}, or --all", err=True)
    return ExitCode.OK


def _pages(
    service: Novita, web: Web, wanted: ModelFilter, everything: bool
) -> tuple[list[ListedModel], str]:
    """Fetch one page or all; gives the models, and the cursor where there is more."""
    found: list[ListedModel] = []
    seen = {wanted.cursor}
    for _ in range(MOST_PAGES):
        page = web.run(service.models(wanted))
        found += page.models
        if not everything or not page.next_cursor:
            return found, page.next_cursor
        if page.next_cursor in seen:
            raise ProtocolError("Novita's list of models goes round in a circle")
        seen.add(page.next_cursor)
        wanted = wanted._replace(cursor=page.next_cursor)
    return found, wanted.cursor


def _table(found: list[ListedModel]) -> list[str]:
    rows = [
        [
            clean(model.request_name or model.name),
            clean(model.type),
            clean(model.base_model),
            ("not available: " if model.available is False else "") + clean(model.name),
        ]
        for model in found
    ]
    widths = [min(max(map(len, column)), 44) for column in zip(*rows, strict=True)]
    return [
        fitted("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)))
        for row in rows
    ]


@novita.command(short_help="Tell how a task is, and what it made.")
@click.argument("task_id", metavar="ID")
@click.option("--wait", is_flag=True, help="Ask again until the task is over.")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", default=600.0,
    show_default=True, help="How long to wait.",
)  # fmt: skip
@_json_option
def task(task_id: str, wait: bool, deadline: float, as_json: bool) -> int:
    """
    Tell how a task is: its state, percent of the whole (Novita tells nothing of single steps),
    seconds left, and the addresses of what it made, which hold for about an hour.

    \b
    comfygraph novita task 3f1b2c
    comfygraph novita task 3f1b2c --wait --json | jq -r '.files[].url'

    Exit codes: 0 running or done, 5 failed, 6 the deadline passed.
    """
    service, web = _open()

    def ask() -> NovitaTask:
        web.forgive()
        return web.run(service.task(task_id))

    try:
        found = _waited(ask, wait, deadline)
    finally:
        web.close()
    if as_json:
        print_json(
            {**found._asdict(), "files": [file._asdict() for file in found.files],
             "over": found.is_over}
        )  # fmt: skip
    else:
        click.echo(_state_line(found))
        for file in found.files:
            click.echo(clean(file.url))
    if found.state == "failed":
        raise JobError(f"the task failed: {found.reason or 'Novita gives no reason'}")
    return ExitCode.OK


def _waited(ask: Callable[[], NovitaTask], wait: bool, deadline: float) -> NovitaTask:
    until = time.monotonic() + deadline
    shown = ""
    while True:
        try:
            found = ask()
        except ServiceUnavailable as exc:
            if not shown or time.monotonic() >= until:
                raise
            line = exc.message
        else:
            if not wait or found.is_over:
                return found
            line = _state_line(found)
            if time.monotonic() >= until:
                raise DeadlinePassed(f"the task is {found.state} after {deadline:g} s")
        if line != shown:
            click.echo(line, err=True)
            shown = line
        time.sleep(min(_PAUSE, max(until - time.monotonic(), 0)))


def _state_line(found: NovitaTask) -> str:
    words = [found.state]
    if found.progress is not None and not found.is_over:
        words.append(f"{found.progress} %")
    if found.eta and not found.is_over:
        words.append(f"about {found.eta:.0f} s left")
    if found.seed and found.state == "succeed":
        words.append(f"seed {clean(found.seed)}")
    return ", ".join(words)
