"""
What `models` and `retarget` share: their options, and what is made of them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import click

from comfygraph.errors import InputError, UsageError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.documents import Document
    from comfygraph.references.lookup import Lookup
    from comfygraph.references.resolve import Resolver, ServiceName
    from comfygraph.references.uses import ModelUse

F = TypeVar("F", bound=Callable[..., object])

_OPTIONS = (
    click.option(
        "--map", "-m", "map_path", metavar="FILE",
        help="What your models are called elsewhere, as TOML or JSON.",
    ),
    click.option(
        "--models-dir", metavar="DIR",
        help="The folder `models` of a ComfyUI: Civitai is asked by the hash of files there.",
    ),
    click.option(
        "--catalog", "catalog_source", metavar="SOURCE",
        help="A saved /object_info or the URL of a server; with --target comfyui its lists of "
        "files count. Default is the bundled core, or the server in COMFYUI_URL for that target.",
    ),
    click.option("--offline", is_flag=True, help="Ask nobody; answers kept from before count."),
    click.option("--refresh", is_flag=True, help="Ask again where an answer is kept."),
)  # fmt: skip


def model_options(command: F) -> F:
    """
    Add the options to a command.
    """
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Wishes(NamedTuple):
    """What the person said by these options."""

    map_path: str | None
    models_dir: str | None
    catalog_source: str | None
    offline: bool
    refresh: bool


def open_resolver(wishes: Wishes) -> Resolver:
    """
    Make the resolver; close its `lookup` in the end.

    Raises:
        UsageError: The table or the folder cannot be read.
    """
    from comfygraph.references.local import LocalModels
    from comfygraph.references.lookup import Lookup
    from comfygraph.references.resolve import Resolver
    from comfygraph.references.table import ModelTable
    from comfygraph.references.table_file import read_table

    if wishes.offline and wishes.refresh:
        raise UsageError("--offline and --refresh want the opposite")
    local = None
    if wishes.models_dir is not None:
        folder = Path(wishes.models_dir)
        if not folder.is_dir():
            raise UsageError(f"{wishes.models_dir}: no such folder")
        local = LocalModels(folder)
    table = read_table(wishes.map_path) if wishes.map_path is not None else ModelTable()
    lookup: Lookup = Lookup(os.environ, offline=wishes.offline, refresh=wishes.refresh)
    return Resolver(table, lookup, local.hash_of if local is not None else None)


def open_catalog(wishes: Wishes, target: ServiceName | None) -> NodeCatalog:
    """
    Open the catalog: a file, a server, or the bundled core.

    Raises:
        CatalogError: The file holds no catalog.
        TargetError: The server is out of reach, refuses, or gives no catalog.
    """
    from comfygraph.api import load_catalog

    source = wishes.catalog_source
    if source is None and target == "comfyui" and not wishes.offline:
        source = os.environ.get("COMFYUI_URL", "").strip() or None
    if source is not None and wishes.offline and source.startswith(("http://", "https://")):
        raise UsageError("--offline and a catalog on a server want the opposite")
    return load_catalog(source)


def read_document(name: str) -> tuple[Document, bytes | None]:
    """
    Open a graph that is named on the command line, with its bytes where it is a text of its own.

    Raises:
        BuildError: The graph of a script has mistakes.
        InputError: It cannot be read, or holds no graph.
    """
    from comfygraph.cli.graphs import open_graph
    from comfygraph.documents import JsonSyntaxError, open_document

    if name != "-":
        document = open_graph(name)
        is_text = document.container is None and os.path.isfile(name)
        return document, Path(name).read_bytes() if is_text else None
    data = sys.stdin.buffer.read()
    try:
        document = open_document(data, name="<stdin>")
    except JsonSyntaxError as exc:
        raise InputError(f"<stdin>:{exc.line}:{exc.column}: {exc.message}") from exc
    return document, data if document.container is None else None


def place_of(use: ModelUse) -> str:
    """
    Say where a graph names a model: `ckpt_name of CheckpointLoaderSimple "base" (4)`.
    """
    from comfygraph.core.nearest import shorten
    from comfygraph.lint.render.text import clean

    title = f' "{shorten(use.title)}"' if use.title != use.class_type else ""
    node = f"{shorten(use.class_type)}{title} ({shorten(use.node_id)})"
    return clean(f"{shorten(use.input)} of {node}")
