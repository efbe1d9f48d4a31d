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
    from comfygraph.core.values import Prompt
    from comfygraph.documents import open_document

    out: dict[str, Prompt] = {}
    for name in names:
        label = "<stdin>" if name == "-" else name
        source = sys.stdin.buffer.read() if name == "-" else Path(name)
        document = open_document(source, name=label)
        if document.kind != "workflow":
            out[label] = document.to_prompt()
            continue
        from comfygraph.workflow import convert

        try:
            out[label] = Prompt.from_json(convert(document.value, catalog).document)
        except WorkflowError as exc:
            raise WorkflowError(f"{label}: {exc.message}", hint=exc.hint) from exc
    return out
