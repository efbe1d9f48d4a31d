"""
`comfygraph tams template`.
"""

from __future__ import annotations

import json
import os
import sys
import uuid
from typing import TYPE_CHECKING, Any, cast

import click

from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from comfygraph.core.values import Prompt
    from comfygraph.jobs.local_files import Sources
    from comfygraph.references.web import Web
    from comfygraph.targets.base import CheckAnswer, Submission
    from comfygraph.targets.tams import TamsTarget
    from comfygraph.targets.tams.template import Template


@click.command(short_help="Show, fill, check and run an AI tool.")
@click.argument("template_id", metavar="ID")
@click.option(
    "--set", "-s", "assignments", metavar="NODE.FIELD=VALUE", multiple=True,
    help="Fill a field; the name of the field is enough where only one node has it.",
)  # fmt: skip
@click.option("--submit", is_flag=True, help="Run it, and follow it to its pictures.")
@click.option("--out", "-o", metavar="DIR", help="Save the files that it makes in DIR.")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS",
    help="Stop following after so long; the job may run on (exit code 6).",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with --submit, the events.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def template(
    template_id: str,
    assignments: tuple[str, ...],
    submit: bool,
    out: str | None,
    deadline: float | None,
    as_json: bool,
    color: str,
) -> int:
    """
    Show the fields of an AI tool: a graph that somebody has published on TensorArt, with a few
    fields to fill in. ID is the number in the address of its page.

    \b
    comfygraph tams template 676018193025756628
        the fields, and what stands in them
    comfygraph tams template 676018193025756628 --set 6.text="a harbour"
        fill a field; would it run, and for how much?
    comfygraph tams template 676018193025756629 -s image=photo.png --submit -o out
        run it on a picture of your own, which is uploaded first

    Exit codes: 0 fine, 1 the fields are not right, 2 usage, 4 no such tool, or TAMS refused or is
    out of reach, 5 the job failed, 6 deadline passed, 130 interrupted.
    """
    from comfygraph.jobs.local_files import Sources
    from comfygraph.references.web import Web
    from comfygraph.targets import get_target
    from comfygraph.targets.base import Submission

    if out is not None and not submit:
        raise UsageError("--out keeps what a job makes, and there is none without --submit")
    target = cast("TamsTarget", get_target("tams", os.environ))
    web = Web()
    try:
        found = web.run(target.template(template_id))
        prompt, given = _filled(found, assignments)
        submission = Submission(prompt, str(uuid.uuid4()), {"template_id": found.id})
        sources = Sources((), frozenset(given))
        if submit:
            return _run(target, submission, sources, out, deadline, as_json, color)
        answer = _checked(target, submission, sources, web) if assignments else None
    finally:
        web.close()
    if as_json:
        click.echo(json.dumps(_json(found, prompt, answer), indent=2))
    else:
        click.echo("\n".join(_lines(found, prompt, answer)))
    return ExitCode.OK if answer is None or answer.valid else ExitCode.FINDINGS


def _filled(found: Template, assignments: tuple[str, ...]) -> tuple[Prompt, list[tuple[str, str]]]:
    """
    Fill fields as a person asks; give the prompt, and which fields they filled.

    Raises:
        UsageError: There is no such field, or more than one is meant.
    """
    from comfygraph.core.edit import set_input

    prompt = found.to_prompt()
    presets = {(node_id, name): value for node_id, name, value in found.fields}
    given: list[tuple[str, str]] = []
    for source in assignments:
        left, equals, text = source.partition("=")
        if not equals:
            raise UsageError(f"cannot read `--set {source}`", hint="write NODE.FIELD=VALUE")
        place = _place(presets, left.strip(), source)
        value = _value(text, presets[place])
        wrapped = {"__value__": value} if isinstance(value, list) else value
        prompt = set_input(prompt, *place, wrapped)
        given.append(place)
    return prompt, given


def _place(presets: dict[tuple[str, str], JsonValue], wanted: str, source: str) -> tuple[str, str]:
    named = {f"{node_id}.{name}": (node_id, name) for node_id, name in presets}
    if wanted in named:
        return named[wanted]
    alike = [place for place in presets if place[1] == wanted]
    if len(alike) == 1:
        return alike[0]
    if alike:
        places = ", ".join(".".join(place) for place in alike)
        raise UsageError(f"`--set {source}`: several nodes have it", hint=f"say which: {places}")
    hint = did_you_mean(wanted, list(named)) or f"it has {', '.join(named)}"
    raise UsageError(f"`--set {source}`: the template has no field `{wanted}`", hint=hint)


def _value(text: str, preset: JsonValue) -> JsonValue:
    if isinstance(preset, str):
        return text
    try:
        return cast("JsonValue", json.loads(text))
    except (ValueError, RecursionError):
        return text


def _checked(target: TamsTarget, submission: Submission, sources: Sources, web: Web) -> CheckAnswer:
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.tams_check import with_uploads

    return web.run(target.check(with_uploads(submission, target, sources, load_catalog(), web)))


def _run(
    target: TamsTarget,
    submission: Submission,
    sources: Sources,
    out: str | None,
    deadline: float | None,
    as_json: bool,
    color: str,
) -> int:
    from comfygraph.catalog import load_catalog
    from comfygraph.cli.submit_follow import Follower
    from comfygraph.cli.submit_ledger import written_down
    from comfygraph.cli.submit_run import Request
    from comfygraph.jobs.files import open_folder
    from comfygraph.jobs.plan import Plan

    request = Request(
        graph=f"template-{submission.options['template_id']}",
        target="tams",
        out=out,
        deadline=deadline,
        as_json=as_json,
        color=color,
        save_graph=False,
        config=dict(os.environ),
    )
    folder = open_folder(out) if out is not None else None
    plan = Plan(target, submission, folder=folder, deadline=deadline, sources=sources)
    plan = written_down(plan, request, sys.stderr)
    catalog = load_catalog()
    return Follower(request, plan, submission.prompt, catalog, sys.stdout, sys.stderr).run()


def _lines(found: Template, prompt: Prompt, answer: CheckAnswer | None) -> list[str]:
    from comfygraph.lint.render.text import clean

    lines = [f"{clean(found.name) or 'template'} ({clean(found.id)})"]
    places = [f"{clean(node_id)}.{clean(name)}" for node_id, name, _ in found.fields]
    width = min(max(map(len, places)), 40)
    for place, (node_id, name, preset) in zip(places, found.fields, strict=True):
        value = _plain(prompt, node_id, name)
        changed = "" if value == preset else "   set"
        shown = clean(shorten(json.dumps(value, ensure_ascii=False)))
        lines.append(f"  {place:<{width}}  {shown}{changed}")
    if answer is None:
        lines.append("fill fields with --set, run it with --submit")
    elif answer.valid:
        price = f" for {answer.cost:g} credits" if answer.cost is not None else ""
        lines.append(f"TAMS would run it{price}; --submit runs it")
    else:
        lines += [
            f"  {clean(item.node_id)}.{clean(item.input or '')}: {clean(item.message)}"
            for item in answer.complaints
        ]
        lines += [f"  {clean(note)}" for note in answer.notes]
        lines.append("TAMS would refuse it")
    return lines


def _plain(prompt: Prompt, node_id: str, name: str) -> JsonValue:
    value = prompt[node_id].to_json()["inputs"][name]
    return value["__value__"] if isinstance(value, dict) and "__value__" in value else value


def _json(found: Template, prompt: Prompt, answer: CheckAnswer | None) -> dict[str, Any]:
    out: dict[str, Any] = {
        "id": found.id,
        "name": found.name,
        "fields": [
            {"node_id": node_id, "field": name, "value": _plain(prompt, node_id, name),
             "preset": preset}
            for node_id, name, preset in found.fields
        ],
    }  # fmt: skip
    if answer is not None:
        out |= {
            "valid": answer.valid,
            "credits": answer.cost,
            "complaints": [
                {"node_id": item.node_id, "field": item.input, "message": item.message}
                for item in answer.complaints
            ],
        }
    return out
