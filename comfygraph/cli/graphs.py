"""
Graphs that are named on the command line: a file, `-` for stdin, or `script.py:graph`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from comfygraph.errors import InputError, UsageError, WorkflowError

if TYPE_CHECKING:
    from comfygraph.catalog import NodeCatalog
    from comfygraph.core.values import Prompt
    from comfygraph.documents import Document
    from comfygraph.dsl.scripts import ScriptGraph
    from comfygraph.dsl.template import Template


def read_prompts(names: Iterable[str], catalog: NodeCatalog) -> dict[str, Prompt]:
    """
    Read graphs, workflows of the editor converted.

    Args:
        names: Files, `-` for stdin, or `script.py:graph`.
        catalog: What workflows are converted with.

    Returns:
        Name as given → prompt, in that order.

    Raises:
        BuildError: The graph of a script has mistakes.
        InputError: A file cannot be read, or holds no graph.
    """
    return {("<stdin>" if name == "-" else name): read_graph(name, catalog)[1] for name in names}


def read_graph(name: str, catalog: NodeCatalog) -> tuple[Document, Prompt]:
    """
    Read a graph, a workflow of the editor converted, together with its document.

    Args:
        name: A file, `-` for stdin, or `script.py:graph`.
        catalog: What a workflow is converted with.

    Raises:
        BuildError: The graph of a script has mistakes.
        InputError: The file cannot be read, or holds no graph.
    """
    document = open_graph(name)
    return document, prompt_of(document, catalog, to_look_at=True)


def open_graph(name: str, *, graph: Literal["prompt", "workflow"] | None = None) -> Document:
    """
    Open what somebody calls a graph; a script is run for it.

    Args:
        name: A file, `-` for stdin, or `script.py:graph`.
        graph: Which of the two to take out of a picture; default is the prompt.

    Raises:
        BuildError: The graph of a script has mistakes.
        InputError: The file cannot be read, or holds no graph.
    """
    from comfygraph.documents import JsonSyntaxError, open_document

    script = open_script(name)
    if script is not None:
        return script.document()
    label = "<stdin>" if name == "-" else name
    source = sys.stdin.buffer.read() if name == "-" else Path(name)
    try:
        return open_document(source, name=label, graph=graph)
    except JsonSyntaxError as exc:
        if name.endswith(".py"):
            from comfygraph.dsl.scripts import nameless

            raise nameless(name) from exc
        raise InputError(f"{label}:{exc.line}:{exc.column}: {exc.message}", hint=exc.hint) from exc


def prompt_of(document: Document, catalog: NodeCatalog, *, to_look_at: bool = False) -> Prompt:
    """
    Give the graph of a document, a workflow of the editor converted.

    Args:
        document: The document.
        catalog: What a workflow is converted with.
        to_look_at: Keep the editor's groups, and nodes of classes that the catalog does not
            have, which no server would take as they are.

    Raises:
        InputError: The document holds no graph.
    """
    if document.kind != "workflow":
        return document.to_prompt()
    from comfygraph.core.values import Prompt
    from comfygraph.workflow import convert

    try:
        found = convert(document.value, catalog, groups=to_look_at)
        return found.prompt if to_look_at else Prompt.from_json(found.document)
    except WorkflowError as exc:
        raise WorkflowError(f"{document.path}: {exc.message}", hint=exc.hint) from exc


def open_script(name: str) -> ScriptGraph | None:
    """
    Run a script for its graph; `None` where `name` is not of the form `script.py:graph`.

    Raises:
        BuildError: The graph has mistakes.
        InputError: The script cannot be read, ends in an error, or holds no such graph.
    """
    if ".py:" not in name:
        return None
    from comfygraph.dsl.scripts import run_script, script_spec

    spec = script_spec(name)
    return run_script(spec) if spec is not None else None


def open_with_values(name: str, assignments: Sequence[str]) -> tuple[Document, tuple[str, ...]]:
    """
    Open a graph and settle the parameters that assignments name, if it has some.

    Args:
        name: As for `open_graph`.
        assignments: `NAME=VALUE` for a parameter of a script's graph, else `NODE.INPUT=VALUE`.

    Returns:
        The document, and the assignments that name no parameter.

    Raises:
        BuildError: The graph has mistakes with these values.
        InputError: The file cannot be read, or holds no graph.
        UsageError: A value is none for its parameter.
    """
    script = open_script(name)
    if script is None:
        return open_graph(name), tuple(assignments)
    template: Template | None = script.template
    known = template.parameters if template is not None else {}
    texts: dict[str, str] = {}
    rest: list[str] = []
    for item in assignments:
        left, equals, value = item.partition("=")
        if equals and left.strip() in known:
            texts[left.strip()] = value
        else:
            rest.append(item)
    if template is None or not texts:
        return script.document(), tuple(rest)
    try:
        return script.document(template.from_texts(texts)), tuple(rest)
    except UsageError as exc:
        raise UsageError(f"{name}: {exc.message}", hint=exc.hint) from exc
