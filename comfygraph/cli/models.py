"""
`comfygraph models`.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from comfygraph.cli.model_options import Wishes, model_options
from comfygraph.errors import ExitCode

if TYPE_CHECKING:
    from comfygraph.references.resolution import Resolution
    from comfygraph.references.resolve import Resolver, ServiceName
    from comfygraph.references.retarget import Graph
    from comfygraph.references.uses import FamilyGuess, ModelUse


@click.command(short_help="List the models that a graph needs.")
@click.argument("graph", metavar="GRAPH")
@click.option(
    "--target", "-t", type=click.Choice(["civitai", "comfyui", "novita", "tams"]),
    help="Also tell what this service calls them, and whether it has them.",
)  # fmt: skip
@model_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    help="Colour; auto looks at NO_COLOR, FORCE_COLOR and the terminal.",
)  # fmt: skip
def models(
    graph: str,
    target: ServiceName | None,
    map_path: str | None,
    models_dir: str | None,
    catalog_source: str | None,
    offline: bool,
    refresh: bool,
    as_json: bool,
    color: str,
) -> int:
    """
    List the models that GRAPH needs: kind, name, what they are made for, and which nodes want
    them. Embeddings in texts count as well. GRAPH is any document that carries a graph; `-`
    reads it from stdin.

    \b
    comfygraph models graph.json
    comfygraph models picture.png --json
    comfygraph models graph.json -t comfyui --catalog http://127.0.0.1:8188
        are the files there?
    comfygraph models graph.json --target civitai --map models.toml
        may jobs on Civitai use them?

    Without --target nobody is asked. With it, services are asked what the table does not say,
    and answers are kept for a while. Nobody can find a model by the name of its file, so a file
    needs a line in the table, or its bytes under --models-dir:

    \b
    # models.toml
    "dreamshaper_8.safetensors" = "urn:air:sd1:checkpoint:civitai:4384@128713"
    ["add_detail.safetensors"]
    civitai = 62833               # a version on Civitai: its number, AIR or page
    tams = "648628718430054626"   # the number of the model on TensorArt
    sha256 = "7c6bad76eb54…"      # Civitai finds it by this

    \b
    Environment:
      CIVITAI_API_TOKEN   to ask whether jobs may use a model; CIVITAI_API_URL
      CIVITAI_SITE_URL    another address than https://civitai.com; gets no token
      TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE; TAMS_BASE_URL
      NOVITA_API_KEY      a key of Novita, which runs no graphs; NOVITA_BASE_URL
      COMFYUI_URL         the server of --target comfyui

    Exit codes: 0 fine, 1 a model is missing or has no name on the target, 2 usage, 3 unreadable
    graph, 4 the server of --catalog is out of reach.
    """
    from comfygraph.cli.model_options import open_catalog, open_resolver, read_document
    from comfygraph.references.resolution import Availability
    from comfygraph.references.retarget import read_graph

    wishes = Wishes(map_path, models_dir, catalog_source, offline, refresh)
    resolver = open_resolver(wishes)
    document, _ = read_document(graph)
    found = read_graph(document, open_catalog(wishes, target))
    with resolver.lookup:
        rows = _rows(found, resolver, target)
    if as_json:
        click.echo(json.dumps(_json(found, rows, target), indent=2))
    else:
        click.echo(_text(found, rows, color))
    bad = [
        row
        for row in rows
        if row.found is not None
        and (row.found.name is None or row.found.availability is Availability.UNAVAILABLE)
    ]
    return ExitCode.FINDINGS if bad else ExitCode.OK


class _Row(NamedTuple):
    """One model with all its uses."""

    uses: list[ModelUse]
    family: FamilyGuess | None
    found: Resolution | None


def _rows(graph: Graph, resolver: Resolver, target: ServiceName | None) -> list[_Row]:
    groups: dict[tuple[str, str | None], list[ModelUse]] = {}
    for use in graph.uses:
        groups.setdefault((use.value, use.folder), []).append(use)
    rows = []
    for uses in groups.values():
        found = resolver.check(uses[0], target) if target is not None else None
        rows.append(_Row(uses, resolver.family(uses[0], found), found))
    return rows


def _json(graph: Graph, rows: list[_Row], target: ServiceName | None) -> dict[str, Any]:
    from comfygraph.references.forms import FORM_NAMES

    return {
        "file": graph.document.path,
        "target": target,
        "models": [
            {
                "kind": row.uses[0].kind,
                "name": row.uses[0].value,
                "form": FORM_NAMES[type(row.uses[0].reference)],
                "folder": row.uses[0].folder,
                "family": None
                if row.family is None
                else {
                    "key": row.family.family.key,
                    "label": row.family.family.label,
                    "confidence": row.family.confidence.value,
                    "why": row.family.why,
                },
                "uses": [
                    {
                        "node_id": use.node_id,
                        "class_type": use.class_type,
                        "title": use.title,
                        "input": use.input,
                        "pointer": graph.pointer(use),
                    }
                    for use in row.uses
                ],
                "found": None
                if row.found is None
                else {
                    "name": row.found.name,
                    "availability": row.found.availability.value,
                    "evidence": row.found.evidence,
                    "help": row.found.help,
                },
            }
            for row in rows
        ],
    }


_MOST_PLACES = 3


def _text(graph: Graph, rows: list[_Row], color: str) -> str:
    from comfygraph.cli.model_options import place_of
    from comfygraph.cli.terminal import use_color
    from comfygraph.lint.render.text import clean

    painted = use_color(color, sys.stdout)

    def paint(text: str, code: str) -> str:
        return f"\033[{code}m{text}\033[0m" if painted else text

    count = len(rows)
    if not rows:
        return f"{clean(graph.document.path)} needs no models"
    lines = [f"{clean(graph.document.path)} needs {count} model{'s' if count > 1 else ''}"]
    for row in rows:
        use = row.uses[0]
        kind = use.kind or use.folder or "model"
        lines += ["", f"{paint(clean(use.value), '1')}"]
        facts = [_KIND_WORDS.get(kind, kind)]
        if row.family is not None:
            facts.append(f"for {row.family.family.label}, by {row.family.why}")
        lines.append(f"    {', '.join(facts)}")
        lines += [f"    {place_of(place)}" for place in row.uses[:_MOST_PLACES]]
        if len(row.uses) > _MOST_PLACES:
            lines.append(f"    … and {len(row.uses) - _MOST_PLACES} more places")
        if row.found is not None:
            lines += _found_lines(row.found, use.value, paint)
    return "\n".join(lines)


_KIND_WORDS = {
    "lora": "LoRA", "vae": "VAE", "controlnet": "ControlNet", "text_encoders": "text encoder",
    "clip": "text encoder", "diffusionmodel": "diffusion model", "unet": "diffusion model",
    "clipvision": "CLIP vision", "lycoris": "LyCORIS", "dora": "DoRA",
    "hypernet": "hypernetwork", "motion": "motion module",
}  # fmt: skip


def _found_lines(found: Resolution, value: str, paint: Any) -> list[str]:
    from comfygraph.lint.render.text import clean
    from comfygraph.references.resolution import Availability

    words = {
        Availability.AVAILABLE: ("available", "32"),
        Availability.PENDING: ("on its way", "33"),
        Availability.UNAVAILABLE: ("missing", "31"),
        Availability.UNKNOWN: ("not checked", "33") if found.name else ("no name", "31"),
    }
    word, code = words[found.availability]
    lines = [f"    {found.target}: {paint(word, code)}: {clean(found.evidence)}"]
    if found.name is not None and found.name != value:
        lines.append(f"      as {clean(found.name)}")
    if found.help:
        lines.append(f"      help: {clean(found.help)}")
    return lines
