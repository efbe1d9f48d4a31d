"""
`comfygraph submit`.
"""

from __future__ import annotations

import os
import sys

import click

from comfygraph.cli.sizes import byte_size
from comfygraph.cli.submit_batch_options import BatchWishes, batch_options, refuse_batch_only


@click.command(short_help="Run a graph on a service and follow it to its pictures.")
@click.argument("graph", metavar="[GRAPH]", required=False, default="")
@click.option(
    "--target", "-t", metavar="NAME", default=None,
    help="The service: tams, civitai, comfyui, comfyapi, or emulator for one that runs in this "
    "command.",
)  # fmt: skip
@click.option(
    "--url", "urls", metavar="URL", multiple=True,
    help="Where the service is; with no --target, the address of a ComfyUI server. Of several, "
    "the ComfyUI server with the shortest queue is taken.",
)  # fmt: skip
@click.option(
    "--set", "-s", "assignments", metavar="NODE.INPUT=VALUE", multiple=True,
    help="Change an input first. NODE is an id, a title, or a class that occurs once.",
)  # fmt: skip
@click.option(
    "--option", "-O", "options", metavar="NAME=VALUE", multiple=True,
    help="Say something to the service besides the graph; may be repeated.",
)  # fmt: skip
@click.option(
    "--out", "-o", metavar="DIR", default=None, help="Save the files that the job makes in DIR."
)
@click.option(
    "--upload-from", metavar="DIR", multiple=True,
    help="Also upload local files that GRAPH names below DIR.",
)  # fmt: skip
@click.option(
    "--only", "only", metavar="NODE", multiple=True,
    help="Run this output node and what it needs, and no other output (ComfyUI only).",
)  # fmt: skip
@click.option(
    "--previews", metavar="DIR", default=None,
    help="Save pictures of samplers at work in DIR, and show them where the terminal can "
    "(comfyui, comfyapi).",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files of the same name in DIR.")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", default=None,
    help="Stop following after so long; the job may run on (exit code 6).",
)  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Print the job's reference and leave it running.")
@click.option(
    "--resume", is_flag=True,
    help="Go on with an unfinished job that asks the same of the same service, if there is one.",
)  # fmt: skip
@click.option(
    "--ledger", metavar="PATH|URL", default=None,
    help="Where jobs are written down before they are sent; see `comfygraph jobs`. Several "
    "machines share one at postgresql://...",
)  # fmt: skip
@click.option("--no-ledger", is_flag=True, help="Write nothing down.")
@click.option("--no-graph", is_flag=True, help="Do not save the graph beside the files in DIR.")
@click.option(
    "--max-size", callback=byte_size, metavar="SIZE", default=None,
    help="The largest file to save, such as 500M; default is 8G.",
)  # fmt: skip
@click.option(
    "--dry-run", is_flag=True, help="Print the request, credentials masked; send nothing."
)
@click.option("--json", "as_json", is_flag=True, help="Print one event a line, as JSON.")
@click.option("--no-lint", is_flag=True, help="Send the graph whatever lint says.")
@click.option(
    "--catalog", "catalog_path", metavar="PATH", default=None,
    help="A saved /object_info to lint against; default is the bundled core.",
)  # fmt: skip
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
@batch_options
def submit(
    wishes: BatchWishes,
    graph: str,
    target: str | None,
    urls: tuple[str, ...],
    assignments: tuple[str, ...],
    options: tuple[str, ...],
    out: str | None,
    upload_from: tuple[str, ...],
    only: tuple[str, ...],
    previews: str | None,
    overwrite: bool,
    deadline: float | None,
    no_wait: bool,
    resume: bool,
    ledger: str | None,
    no_ledger: bool,
    no_graph: bool,
    max_size: int | None,
    dry_run: bool,
    as_json: bool,
    no_lint: bool,
    catalog_path: str | None,
    color: str,
) -> int:
    """
    Run a graph on a service and follow it to its pictures.

    GRAPH is a prompt (the API format), a workflow of the editor, a body of TAMS or Civitai,
    an entry of a history, or a picture that carries its graph; `-` reads it from stdin, and
    `script.py:graph` runs a Python script for it. It is linted first, and nothing is sent while
    lint has errors.

    Local pictures, sounds and films that it names are uploaded first: a file given by --set may
    be anywhere, those that GRAPH itself names must be media files below its folder, the working
    folder or --upload-from DIR; of a GRAPH from stdin or out of a picture, only below DIR.

    Paths of the files go to stdout, everything else to stderr.

    \b
    comfygraph submit graph.json --out out
        run it; with no service set up, on the embedded emulator
    comfygraph submit graph.json --url http://127.0.0.1:8188 --out out
        run it on a ComfyUI server
    comfygraph submit graph.json --url http://a:8188 --url http://b:8188 --out out
        ... on the one of them with the shortest queue
    comfygraph submit graph.json --only 9 --previews steps --out out
        run what output node 9 needs, and watch it grow
    comfygraph submit graph.json --target tams --out out
        run it on TensorArt, with the key in TAMS_API_KEY
    comfygraph submit graph.json --set 3.seed=5 --set KSampler.steps=20
        change inputs first: by node id, by class
    comfygraph submit graph.json --set '"second pass".denoise=0.4'
        ... by title, in quotes where it has dots
    comfygraph submit script.py:graph --set seed=3
        run a graph in Python; `comfygraph params` lists what it takes
    comfygraph submit graph.json --set LoadImage.image=~/photo.jpg
        run it on a picture of your own
    comfygraph submit graph.json --target civitai -O step=customComfy -o out
        run it on Civitai's own ComfyUI, node by node, paid by the second
    comfygraph submit graph.json --target civitai --dry-run
        show what would be sent
    comfygraph submit graph.json -o out --json | jq -r .type
        read the events in a script

    \b
    Environment:
      COMFYGRAPH_TARGET   the target, where --target does not say
      COMFYGRAPH_LEDGER   the ledger, where --ledger does not say
      COMFYUI_URL         of --target comfyui; commas between several servers
      COMFYUI_TOKEN, COMFYUI_API_KEY, COMFYUI_HEADERS   for a proxy before it
      COMFY_API_KEY       of comfy.org: for API nodes, and of --target comfyapi
      COMFY_API_URL, COMFY_API_TOKEN   of --target comfyapi, where not Comfy Cloud
      TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE; TAMS_BASE_URL
      CIVITAI_API_TOKEN; CIVITAI_API_URL

    Target, url, out, catalog and timeout can also stand under [submit] in comfygraph.toml.

    Batches: --batch, --sweep and --params make many jobs of it, all of them linted, without twins
    and priced before the first is sent. A NAME is `3.seed`, `"second pass".denoise`, a role as in
    `positive.text`, or `seed` where only one node has it.

    \b
    comfygraph submit graph.json --sweep 3.seed=1..100 --sweep 3.cfg=6,7,8 -o out
        300 pictures, and a table of them: out/batch-ID.csv
    comfygraph submit graph.json --params runs.csv --sweep seed=random:3 --out out
        each row of the table with three seeds
    comfygraph submit --batch graphs/ --sweep positive.text=@cats.txt --out out
        every graph of a folder (of a JSONL: every line) with every line of a file
    comfygraph submit --batch all.jsonl -t civitai --max-cost 500 --yes --out out
        stop before, and when, 500 Buzz are spent
    comfygraph submit --batch all.jsonl --ledger postgresql://db/jobs --detach
        leave it to `comfygraph worker`, on as many machines as there are

    Ctrl-C sends nothing more and follows what the service has; a second one leaves that as well.
    The same command with --resume goes on with a batch, whatever ended it, as it was written down:
    what it may cost, how often something is tried again and how files are saved is as said now.

    Each job is written down before it is sent: `comfygraph jobs list` shows it, and whatever
    happens to this command, `comfygraph jobs resume` goes on with it.

    Ctrl-C asks the service to cancel the job; a second one leaves it running.

    Exit codes: 0 done, 1 lint errors, 2 usage, 3 unreadable graph, 4 the service refused or is
    out of reach, 5 a job failed, 6 deadline passed, or --max-cost reached, 130 interrupted.
    """
    from comfygraph.cli.submit_run import Request, run_submit
    from comfygraph.config import settings

    known = settings("submit")
    configured = os.environ.get("COMFYGRAPH_TARGET") or known.get("target")
    # an address in the configuration belongs to the target in the configuration
    url = ",".join(urls) or None
    ours = target is None or target == configured
    request = Request(
        graph=graph,
        target=target or configured,
        url=known.get("url", url) if ours else url,
        url_of_file=ours and not url and not known.from_environment("url"),
        only=only,
        previews=previews,
        assignments=assignments,
        options=options,
        out=known.get("out", out),
        upload_from=upload_from,
        overwrite=overwrite,
        deadline=known.get("timeout", deadline),
        wait=not no_wait,
        dry_run=dry_run,
        as_json=as_json,
        lint=not no_lint,
        catalog=known.get("catalog", catalog_path),
        color=color,
        ledger=ledger,
        use_ledger=not no_ledger,
        resume=resume,
        save_graph=not no_graph,
        max_size=max_size,
        config=dict(os.environ),
    )
    if wishes.wanted:
        from comfygraph.cli.submit_batch import run_batch

        return run_batch(request, wishes, stdout=sys.stdout, stderr=sys.stderr)
    refuse_batch_only(wishes, graph)
    return run_submit(request, stdout=sys.stdout, stderr=sys.stderr)
