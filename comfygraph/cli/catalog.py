"""
`comfygraph catalog`: fetch, list, show, diff, lock.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from comfygraph.cli.output import write_text as print_text
from comfygraph.errors import CatalogError, ExitCode, UsageError, clean

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog, NodeDef
    from comfygraph.catalog.lock import LockChange

CORE = "core"

_catalog_option = click.option(
    "--catalog", "source", metavar="SOURCE", default=CORE,
    help="A saved /object_info, the URL of a server, or `core`, the bundled one (default).",
)  # fmt: skip
_json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


@click.group(short_help="Look at node catalogs: fetch, show, list, diff, lock.")
def catalog() -> None:
    """
    Look at node catalogs: what classes a ComfyUI has, and what they take and give.

    Each command reads the bundled core, a saved /object_info, or a live server.

    \b
    comfygraph catalog show KSampler
    comfygraph catalog fetch http://127.0.0.1:8188 -o mine.json
    comfygraph catalog diff core mine.json
    comfygraph catalog lock graphs/*.json

    Exit codes: 0 fine, 1 what changed can break a graph (diff --exit-code, lock --check),
    2 usage, 3 a file cannot be read, 4 the server is out of reach.
    """


def open_catalog(source: str) -> NodeCatalog:
    """
    Open `core`, a file, or a server.

    Raises:
        CatalogError: The file holds no catalog.
        TargetError: The server is out of reach, refuses, or gives no catalog.
    """
    from comfygraph.api import load_catalog

    return load_catalog(None if source == CORE else source)


def _print_json(value: Any) -> None:
    try:
        text = json.dumps(value, indent=2)
    except (RecursionError, ValueError) as exc:
        raise CatalogError("a definition nests too deep, or is too large, to be printed") from exc
    click.echo(text)


def _plural(count: int, noun: str, nouns: str) -> str:
    return f"{count} {noun if count == 1 else nouns}"


@catalog.command(short_help="Save the catalog of a server.")
@click.argument("url", required=False)
@click.option(
    "--output", "-o", metavar="PATH", default="object_info.json",
    help="Write to PATH, `-` for stdout; default is object_info.json.",
)  # fmt: skip
@click.option(
    "--token", metavar="TOKEN", default=None,
    help="A bearer token for URL. Others can see flags: COMFYUI_TOKEN is safer.",
)  # fmt: skip
@click.option(
    "--timeout", type=click.FloatRange(min=0.1), default=300.0, show_default=True,
    help="Seconds that the fetch may take.",
)  # fmt: skip
@_json_option
def fetch(url: str | None, output: str, token: str | None, timeout: float, as_json: bool) -> int:
    """
    Save the catalog of the ComfyUI server at URL, facts only, one class a line.

    URL is COMFYUI_URL by default, then http://127.0.0.1:8188. COMFYUI_TOKEN, or a user and
    password in COMFYUI_URL, go to that server and no other.

    \b
    comfygraph catalog fetch http://127.0.0.1:8188
    comfygraph catalog fetch -o - | gzip > mine.json.gz
    """
    from comfygraph.catalog.save import catalog_text, write_text
    from comfygraph.jobs.fetch import fetch_object_info, server_place
    from comfygraph.targets.credentials import Secret

    if as_json and output == "-":
        raise UsageError("`--json` and `-o -` both want stdout", hint="give a file to -o")
    document = fetch_object_info(url, token=Secret(token) if token else None, deadline=timeout)
    place = server_place(url)
    text = catalog_text(document, place)
    count = sum(isinstance(entry, dict) for entry in document.values())
    said = f"{_plural(count, 'class', 'classes')} from {place}"
    if output == "-":
        print_text(text, None)
        click.echo(said, err=True)
        return ExitCode.OK
    write_text(Path(output), text)
    size = len(text.encode())
    if as_json:
        _print_json({"file": output, "source": place, "classes": count, "bytes": size})
    else:
        click.echo(f"{said}, written to {output} ({size / 1e6:.1f} MB)", err=True)
    return ExitCode.OK


@catalog.command(name="list", short_help="List classes, or search for them.")
@click.argument("words", nargs=-1, metavar="[WORD]...")
@_catalog_option
@click.option("--category", metavar="PATH", help="Only classes in this menu path, or below it.")
@click.option("--api/--no-api", default=None, help="Only paid API nodes, or none of them.")
@click.option(
    "--deprecated/--no-deprecated", default=None, help="Only deprecated classes, or none."
)
@click.option("--output-nodes", is_flag=True, help="Only classes that a run starts from.")
@_json_option
def list_classes(
    words: tuple[str, ...],
    source: str,
    category: str | None,
    api: bool | None,
    deprecated: bool | None,
    output_nodes: bool,
    as_json: bool,
) -> int:
    """
    List the classes, or those with every WORD in their name, title or category.

    \b
    comfygraph catalog list upscale
    comfygraph catalog list --category model/loaders --no-api
    """
    from comfygraph.catalog.signature import summary_json, table

    found = open_catalog(source)
    wanted = [word.casefold() for word in words]
    path = category.casefold().strip("/") if category is not None else None

    def fits(node: NodeDef) -> bool:
        text = f"{node.class_type}\n{node.display_name}\n{node.category}".casefold()
        place = node.category.casefold()
        return (
            all(word in text for word in wanted)
            and (path is None or place == path or place.startswith(f"{path}/"))
            and (api is None or node.api_node is api)
            and (deprecated is None or node.deprecated is deprecated)
            and (node.output_node or not output_nodes)
        )

    names = sorted(found.names())
    nodes = [node for name in names if (node := found.get(name)) is not None and fits(node)]
    if as_json:
        _print_json([summary_json(node) for node in nodes])
    elif nodes:
        click.echo(
            "\n".join(
                table([[node.class_type, node.display_name, node.category] for node in nodes], "")
            )
        )
    click.echo(
        f"{len(nodes)} of {_plural(len(names), 'class', 'classes')} in {found.label}", err=True
    )
    return ExitCode.OK


@catalog.command(short_help="Show what classes take and give.")
@click.argument("names", nargs=-1, required=True, metavar="CLASS...")
@_catalog_option
@click.option("--all-options", is_flag=True, help="Print every option of an input.")
@_json_option
def show(names: tuple[str, ...], source: str, all_options: bool, as_json: bool) -> int:
    """
    Show what a CLASS takes and gives: types, defaults, ranges, options, outputs.

    \b
    comfygraph catalog show KSampler LoraLoader
    comfygraph catalog show --catalog mine.json --json MyNode
    """
    from comfygraph.catalog.signature import signature_json, signature_text
    from comfygraph.core.nearest import did_you_mean, shorten

    found = open_catalog(source)
    nodes: list[NodeDef] = []
    for name in names:
        node = found.get(name)
        if node is None:
            raise UsageError(
                f"no class `{shorten(name)}` in {found.label}",
                hint=did_you_mean(name, found.names()),
            )
        nodes.append(node)
    if as_json:
        _print_json([signature_json(node) for node in nodes])
    else:
        click.echo("\n\n".join(signature_text(node, all_options=all_options) for node in nodes))
    return ExitCode.OK


@catalog.command(short_help="Say what changed between two catalogs.")
@click.argument("old")
@click.argument("new")
@click.option("--files", is_flag=True, help="Compare lists of model and input files, too.")
@click.option("--breaking", is_flag=True, help="Show only what can break a graph.")
@click.option("--exit-code", is_flag=True, help="End with 1 if something can break a graph.")
@_json_option
def diff(old: str, new: str, files: bool, breaking: bool, exit_code: bool, as_json: bool) -> int:
    """
    Say what changed from catalog OLD to NEW; each is a file, a URL, or `core`.

    \b
    comfygraph catalog diff core http://127.0.0.1:8188
    comfygraph catalog diff --breaking --exit-code before.json after.json
    """
    from comfygraph.catalog.diff import diff_catalogs

    before, after = open_catalog(old), open_catalog(new)
    changes = diff_catalogs(before, after, files=files)
    broken = [change for change in changes if change.breaking]
    shown = broken if breaking else changes
    if as_json:
        _print_json(
            {
                "old": before.label,
                "new": after.label,
                "changes": [change.to_json() for change in shown],
                "summary": {"breaking": len(broken), "other": len(changes) - len(broken)},
            }
        )
    else:
        heading = None
        for change in shown:
            if change.class_type != heading:
                heading = change.class_type
                click.echo(clean(heading))
            mark = "breaking" if change.breaking else "        "
            click.echo(f"  {mark}  {clean(change.message)}")
    classes = len({change.class_type for change in changes})
    click.echo(
        f"{len(broken)} breaking and {_plural(len(changes) - len(broken), 'other', 'other')} "
        f"changes in {_plural(classes, 'class', 'classes')}",
        err=True,
    )
    return ExitCode.FINDINGS if exit_code and broken else ExitCode.OK


@catalog.command(short_help="Write down what graphs rely on, or check it.")
@click.argument("graphs", nargs=-1, required=True, metavar="PROMPT...")
@_catalog_option
@click.option(
    "--output", "-o", metavar="PATH", default=None,
    help="The lock file, `-` for stdout; default is comfygraph.lock.",
)  # fmt: skip
@click.option(
    "--check", is_flag=True,
    help="Write nothing; say what changed since, and end with 1 if it breaks a PROMPT.",
)  # fmt: skip
@_json_option
def lock(
    graphs: tuple[str, ...], source: str, output: str | None, check: bool, as_json: bool
) -> int:
    """
    Write down what each PROMPT relies on: for every class in use a hash and its facts.

    Keep the file with the graphs. With --check it is told later what a newer server changed
    for these graphs, and what of it breaks them.

    \b
    comfygraph catalog lock graphs/*.json
    comfygraph catalog lock --check --catalog http://127.0.0.1:8188 graphs/*.json
    """
    from comfygraph.catalog.lock import LOCK_FILE, compare_lock, make_lock, read_lock
    from comfygraph.catalog.save import write_text
    from comfygraph.cli.graphs import read_prompts

    found = open_catalog(source)
    prompts = read_prompts(graphs, found)
    path = output or LOCK_FILE
    if check:
        if path == "-":
            raise UsageError("`--check` needs the file that it checks against")
        changes = compare_lock(read_lock(Path(path)), found, prompts)
        _report_lock(changes, found, path, as_json)
        return ExitCode.FINDINGS if any(change.breaks for change in changes) else ExitCode.OK
    if as_json and path == "-":
        raise UsageError("`--json` and `-o -` both want stdout", hint="give a file to -o")
    made = make_lock(prompts, found)
    text = made.to_text()
    for name in made.unknown:
        click.echo(
            clean(f"warning: no class `{name}` in {found.label}, it is not locked"), err=True
        )
    if path == "-":
        print_text(text, None)
    else:
        write_text(Path(path), text)
    if as_json:
        _print_json({"file": path, "classes": len(made.classes), "unknown": list(made.unknown)})
    else:
        said = _plural(len(made.classes), "class", "classes")
        click.echo(f"{said} of {_plural(len(prompts), 'graph', 'graphs')} locked", err=True)
    return ExitCode.OK


def _report_lock(changes: list[LockChange], found: NodeCatalog, path: str, as_json: bool) -> None:
    if as_json:
        _print_json(
            {
                "lock": path,
                "catalog": found.label,
                "changes": [change.to_json() for change in changes],
                "summary": {
                    "breaks": sum(change.breaks for change in changes),
                    "changes": len(changes),
                },
            }
        )
    heading = None
    for item in [] if as_json else changes:
        change = item.change
        if change.class_type != heading:
            heading = change.class_type
            click.echo(clean(heading))
        click.echo(f"  {'breaks' if item.breaks else '      '}  {clean(change.message)}")
        for use in item.uses:
            place = f" `{use.input}`" if use.input is not None else ""
            click.echo(f"            {clean(f'{use.prompt}: node {use.node_id}{place}')}")
    broken = sum(change.breaks for change in changes)
    click.echo(
        f"{_plural(len(changes), 'change', 'changes')} since {path} was written, "
        f"{broken} of them {'breaks' if broken == 1 else 'break'} a graph",
        err=True,
    )
