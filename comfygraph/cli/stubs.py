"""
`comfygraph stubs`.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from comfygraph.errors import clean

if TYPE_CHECKING:
    from comfygraph.catalog.diff import Change

SHOWN = 40
"""So many changes are printed one by one; `--all` prints the rest."""


@click.command(short_help="Write a typed Python package for any node pack.")
@click.argument("source", metavar="[SERVER|OBJECT_INFO.json]", required=False)
@click.option(
    "--output", "-o", "directory", metavar="DIR", required=True,
    help="The folder of the package: `-o mynodes` is imported as `mynodes`.",
)  # fmt: skip
@click.option(
    "--only", metavar="PACK", multiple=True,
    help="Only the classes of this node pack, `core` for ComfyUI's own; can be repeated.",
)  # fmt: skip
@click.option("--all", "show_all", is_flag=True, help="List all changes of an update.")
def stubs(source: str | None, directory: str, only: tuple[str, ...], show_all: bool) -> None:
    """
    Write a typed Python package for the node classes of a server.

    The source is a saved /object_info, the URL of a ComfyUI server, or the bundled core if
    left out. The same classes give the same files; written again over an older package, it
    says what changed.

    \b
    comfygraph stubs http://127.0.0.1:8188 -o mynodes
    comfygraph stubs object_info.json -o impact --only ComfyUI-Impact-Pack
    python -c "from mynodes import KSampler; help(KSampler)"

    Exit codes: 0 written, 2 usage, 3 the file cannot be read, 4 the server is out of reach.
    """
    from comfygraph.api import load_catalog
    from comfygraph.dsl.package import make_package, write_package

    package = make_package(load_catalog(source), only)
    changes = write_package(package, Path(directory))
    if changes is None:
        click.echo(f"{directory}: {len(package.names)} classes")
        return
    breaking = sum(change.breaking for change in changes)
    click.echo(
        f"{directory}: {len(package.names)} classes, "
        + (f"{_counted(changes)}, {breaking} breaking" if changes else "unchanged")
    )
    shown = changes if show_all else sorted(changes, key=lambda item: not item.breaking)[:SHOWN]
    for change in shown:
        mark = "!" if change.breaking else " "
        click.echo(clean(f"  {mark} {change.class_type}: {change.message}"))
    if len(shown) < len(changes):
        click.echo(f"    … {len(changes) - len(shown)} more: --all lists them")


def _counted(changes: list[Change]) -> str:
    kinds = Counter(
        {"class-added": "new", "class-removed": "gone"}.get(change.kind, "changed")
        for change in {(item.class_type, item.kind): item for item in changes}.values()
    )
    classes = {change.class_type for change in changes}
    changed = len(classes) - kinds["new"] - kinds["gone"]
    parts = [(kinds["new"], "new"), (kinds["gone"], "gone"), (changed, "changed")]
    return ", ".join(f"{count} {word}" for count, word in parts if count)
