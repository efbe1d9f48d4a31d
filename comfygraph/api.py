"""
What only the top of the house can offer: functions that need several of its rooms.
"""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, assert_never

from comfygraph.catalog import NodeCatalog
from comfygraph.catalog import load_catalog as _load_local

if TYPE_CHECKING:
    from comfygraph.core.values import Prompt


def load_catalog(
    source: NodeCatalog | Mapping[str, Any] | str | PathLike[str] | None = None,
) -> NodeCatalog:
    """
    Load a node catalog.

    Args:
        source: `None` for the bundled core; the path of a saved `/object_info`; the URL of
            a ComfyUI server; an `/object_info` document in memory; or a catalog, which is
            given back.

    Raises:
        CatalogError: The file or the answer holds no catalog.
        TargetError: The server is out of reach or refuses.
    """
    if isinstance(source, str) and source.startswith(("http://", "https://")):
        from comfygraph.jobs.fetch import fetch_catalog

        return fetch_catalog(source)
    return _load_local(source)


def drawing(
    prompt: Prompt,
    format: Literal["svg", "html", "mermaid", "dot"] = "svg",
    *,
    catalog: NodeCatalog | None = None,
) -> str:
    """
    Draw a graph as the editor shows it; values that look like secrets are hidden.

    Args:
        prompt: The graph.
        format: `html` is a page of its own, to pan, zoom and search.
        catalog: The classes; default is the bundled core.
    """
    from comfygraph.draw import make_scene, render_dot, render_mermaid, render_page, render_svg
    from comfygraph.lint.masking import masked

    scene = make_scene(masked(prompt), catalog if catalog is not None else _load_local(), {})
    match format:
        case "svg":
            return render_svg(scene)
        case "html":
            return render_page(scene, name="graph")
        case "mermaid":
            return render_mermaid(scene)
        case "dot":
            return render_dot(scene)
        case _:
            assert_never(format)


def prompt_schema(catalog: NodeCatalog | None = None) -> dict[str, Any]:
    """
    Give a JSON Schema (draft-07) of the prompts that a catalog's nodes can be in.

    Editors complete and check `prompt.json` with it: classes, inputs, closed lists, ranges.
    Whether links fit is beyond a schema, and what `lint` says.

    Args:
        catalog: The classes; default is the bundled core.
    """
    from comfygraph.dsl.prompt_schema import literally, make_schema
    from comfygraph.workflow.class_quirks import COUNTED_WIDGETS, EXTRA_WIDGETS

    extra = {
        class_type: [literally(widget.name) for widget in widgets]
        for class_type, widgets in EXTRA_WIDGETS.items()
    }
    for class_type, prefix in COUNTED_WIDGETS.items():
        extra.setdefault(class_type, []).append(f"{literally(prefix)}[0-9]+")
    return make_schema(catalog if catalog is not None else _load_local(), extra)
