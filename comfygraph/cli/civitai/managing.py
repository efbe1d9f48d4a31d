"""
`comfygraph civitai test`, `cancel`, `tags` and `services`.
"""

from __future__ import annotations

import click

from comfygraph.cli.civitai.common import json_option, service, state_of, texts
from comfygraph.cli.output import print_json
from comfygraph.errors import ExitCode
from comfygraph.lint.render.text import clean
from comfygraph.targets.reading import identifier, one_line

_LOOKS = 3
"""How often a workflow is looked at after a cancel: the service takes a moment."""


@click.command(short_help="Try the address and the token.")
@json_option
def test(as_json: bool) -> int:
    """
    Try whether the service answers and takes the token: asks for one workflow.

    \b
    CIVITAI_API_TOKEN=... comfygraph civitai test

    Exit codes: 0 all is well, 2 there is no token, 4 it is refused, or nothing answers.
    """
    from comfygraph.targets.civitai.api import Listing

    with service() as (target, web):
        page = web.run(target.api.workflows(Listing(take=1)))
        place = target.base_url
    if as_json:
        print_json({"url": place, "ok": True, "workflows": bool(page.items)})
        return ExitCode.OK
    last = clean(identifier(page.items[0].get("id"))) if page.items else ""
    click.echo(f"{place} answers, and the token is good")
    click.echo(f"the last workflow is {last}" if last else "there are no workflows yet")
    return ExitCode.OK


@click.command(short_help="Cancel a workflow.")
@click.argument("workflow_id", metavar="ID")
@json_option
def cancel(workflow_id: str, as_json: bool) -> int:
    """
    Cancel a workflow. What it has cost so far is not given back.

    Exit codes: 0 it is cancelled, 1 it was too late, 4 no such workflow.
    """
    from comfygraph.targets.civitai.workflow import ENDS

    with service() as (target, web):
        found, _ = web.run(target.api.workflow(workflow_id))
        over = state_of(found) in ENDS
        if not over:
            found = web.run(target.api.cancel(workflow_id))
        for _ in range(0 if over else _LOOKS):
            if state_of(found) in ENDS:
                break
            found, _held = web.run(target.api.workflow(workflow_id, wait=1))
    state = state_of(found)
    accepted = state in ("canceled", "cancelled") and not over
    if as_json:
        print_json({"id": workflow_id, "accepted": accepted, "status": state})
    elif accepted:
        click.echo(f"{clean(workflow_id)} is cancelled")
    elif over or state in ENDS:
        click.echo(f"too late: {clean(workflow_id)} is {state}")
    else:
        click.echo(f"Civitai was asked to cancel {clean(workflow_id)}; it is {state}")
        return ExitCode.OK
    return ExitCode.OK if accepted else ExitCode.FINDINGS


@click.command(short_help="Show, add and remove the tags of a workflow.")
@click.argument("workflow_id", metavar="ID")
@click.option("--add", "added", multiple=True, metavar="TAG", help="Add this tag.")
@click.option("--remove", "removed", multiple=True, metavar="TAG", help="Remove this tag.")
@click.option("--clear", is_flag=True, help="Remove all tags first.")
@json_option
def tags(
    workflow_id: str, added: tuple[str, ...], removed: tuple[str, ...], clear: bool, as_json: bool
) -> int:
    """
    Show the tags of a workflow, a line each, after the changes that were asked for. A workflow
    has ten at most, of at most 200 characters.

    \b
    comfygraph civitai tags ID --add project:x --remove draft
    """
    from comfygraph.targets.civitai.api import checked_tag

    for tag in (*added, *removed):
        checked_tag(tag)
    with service() as (target, web):
        api = target.api
        if clear:
            web.run(api.remove_tag(workflow_id))
        for tag in removed:
            web.run(api.remove_tag(workflow_id, tag))
        for tag in added:
            web.run(api.add_tag(workflow_id, tag))
        found, _ = web.run(api.workflow(workflow_id))
    there = texts(found.get("tags"))
    if as_json:
        print_json({"id": workflow_id, "tags": there})
    else:
        click.echo("\n".join(there) if there else "no tags", err=not there)
    return ExitCode.OK


@click.command(short_help="List what the service can run.")
@click.argument("query", metavar="[WORD]", default="")
@click.option("--prefix", metavar="TEXT", default="", help="Only ids that begin so: utility/")
@click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="At most so many."
)
@json_option
def services(query: str, prefix: str, limit: int, as_json: bool) -> int:
    """
    List the kinds of steps that the service offers: id, status, what it is.

    \b
    comfygraph civitai services comfy
    """
    with service() as (target, web):
        page = web.run(target.api.services(prefix=prefix, query=query, limit=limit))
    if as_json:
        print_json({"items": list(page.items), "next": page.next or None})
        return ExitCode.OK
    for item in page.items:
        words = (item.get("status"), item.get("name") or item.get("title"))
        tail = "  ".join(clean(one_line(word, 80)) for word in words if one_line(word, 80))
        click.echo(f"{clean(identifier(item.get('id'))):<36}  {tail}".rstrip())
    if not page.items:
        click.echo("no services", err=True)
    return ExitCode.OK
