"""
`comfygraph submit`.
"""

from __future__ import annotations

import os
import sys

import click


@click.command(short_help="Run a graph on a service and follow it to its pictures.")
@click.argument("graph", metavar="GRAPH")
@click.option(
    "--target", "-t", metavar="NAME", default=None,
    help="The service: tams, civitai, comfyui, or emulator for one that runs in this command.",
)  # fmt: skip
@click.option(
    "--url", metavar="URL", default=None,
    help="Where the service is; with no --target, the address of a ComfyUI server.",
)  # fmt: skip
@click.option(
    "--set", "-s", "assignments", metavar="NODE.INPUT=VALUE", multiple=True,
    help="Change an input first. NODE is an id, a title, or a class that occurs once.",
)  # fmt: skip
@click.option(
    "--out", "-o", metavar="DIR", default=None, help="Save the files that the job makes in DIR."
)
@click.option(
    "--upload-from", metavar="DIR", multiple=True,
    help="Also upload local files that GRAPH names below DIR.",
)  # fmt: skip
@click.option("--overwrite", is_flag=True, help="Replace files of the same name in DIR.")
@click.option(
    "--deadline", type=click.FloatRange(min=0, min_open=True), metavar="SECONDS", default=None,
    help="Stop following after so long; the job may run on (exit code 6).",
)  # fmt: skip
@click.option("--no-wait", is_flag=True, help="Print the job's reference and leave it running.")
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
def submit(
    graph: str,
    target: str | None,
    url: str | None,
    assignments: tuple[str, ...],
    out: str | None,
    upload_from: tuple[str, ...],
    overwrite: bool,
    deadline: float | None,
    no_wait: bool,
    dry_run: bool,
    as_json: bool,
    no_lint: bool,
    catalog_path: str | None,
    color: str,
) -> int:
    """
    Run a graph on a service and follow it to its pictures.

    GRAPH is a prompt (the API format), a workflow of the editor, a body of TAMS or Civitai,
    an entry of a history, or a picture that carries its graph; `-` reads it from stdin. It is
    linted first, and nothing is sent while lint has errors.

    Local pictures, sounds and films that it names are uploaded first: a file given by --set may
    be anywhere, those that GRAPH itself names must be media files below its folder, the working
    folder or --upload-from DIR; of a GRAPH from stdin or out of a picture, only below DIR.

    Paths of the files go to stdout, everything else to stderr.

    \b
    comfygraph submit graph.json --out out
        run it; with no service set up, on the embedded emulator
    comfygraph submit graph.json --url http://127.0.0.1:8188 --out out
        run it on a ComfyUI server
    comfygraph submit graph.json --target tams --out out
        run it on TensorArt, with the key in TAMS_API_KEY
    comfygraph submit graph.json --set 3.seed=5 --set KSampler.steps=20
        change inputs first: by node id, by class
    comfygraph submit graph.json --set '"second pass".denoise=0.4'
        ... by title, in quotes where it has dots
    comfygraph submit graph.json --set LoadImage.image=~/photo.jpg
        run it on a picture of your own
    comfygraph submit graph.json --target civitai --dry-run
        show what would be sent
    comfygraph submit graph.json -o out --json | jq -r 'select(.type == "OutputReady").file.path'
        read the events in a script

    \b
    Environment:
      COMFYGRAPH_TARGET   the target, where --target does not say
      COMFYUI_URL         of --target comfyui
      TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE; TAMS_BASE_URL
      CIVITAI_API_TOKEN; CIVITAI_API_URL
    Target, url, out, catalog and timeout can also stand under [submit] in comfygraph.toml.

    \b
    Ctrl-C asks the service to cancel the job; a second one leaves it running.
    Exit codes: 0 done, 1 lint errors, 2 usage, 3 unreadable graph, 4 the service refused or is
    out of reach, 5 the job failed, 6 deadline passed, 130 interrupted.
    """
    from comfygraph.cli.submit_run import Request, run_submit
    from comfygraph.config import settings

    known = settings("submit")
    configured = os.environ.get("COMFYGRAPH_TARGET") or known.get("target")
    # an address in the configuration belongs to the target in the configuration
    ours = target is None or target == configured
    request = Request(
        graph=graph,
        target=target or configured,
        url=known.get("url", url) if ours else url,
        assignments=assignments,
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
        config=dict(os.environ),
    )
    return run_submit(request, stdout=sys.stdout, stderr=sys.stderr)
