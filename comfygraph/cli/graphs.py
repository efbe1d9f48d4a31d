"""
Graphs that are named on the command line.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from comfygraph.errors import WorkflowError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt
    from comfygraph.documents import Document


def read_prompts(names: Iterable[str], catalog: NodeCatalog) -> dict[str, Prompt]:
    """
    Read graphs, workflows of the editor converted.

    Args:
        names: Files, or `-` for stdin.
        catalog: What workflows are converted with.

    Returns:
        Name as given → prompt, in that order.

    Raises:
        InputError: A file cannot be read, or holds no graph.
    """
    return {("<stdin>" if name == "-" else name): read_graph(name, catalog)[1] for name in names}


def read_graph(name: str, catalog: NodeCatalog) -> tuple[Document, Prompt]:
    """
    Read a graph, a workflow of the editor converted, together with its document.

    Args:
        name: A file, or `-` for stdin.
        catalog: What a workflow is converted with.

    Raises:
        InputError: The file cannot be read, or holds no graph.
    """
    from comfygraph.core.values import Prompt
    from comfygraph.documents import open_document

    label = "<stdin>" if name == "-" else name
    source = sys.stdin.buffer.read() if name == "-" else Path(name)
    document = open_document(source, name=label)
    if document.kind != "workflow":
        return document, document.to_prompt()
    from comfygraph.workflow import convert

    try:
        return document, Prompt.from_json(convert(document.value, catalog).document)
    except WorkflowError as exc:
        raise WorkflowError(f"{label}: {exc.message}", hint=exc.hint) from exc
