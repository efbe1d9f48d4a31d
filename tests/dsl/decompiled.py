"""
What the tests of the decompiler share: running scripts, prompts in short, the templates.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from comfygraph.catalog import bundled_catalog
from comfygraph.core.values import Prompt
from comfygraph.workflow import convert

_FOLDER = str(Path(__file__).parent.parent / "workflow")
sys.path.insert(0, _FOLDER)

from recorded_workflows import expected_templates, template  # noqa: E402

sys.path.remove(_FOLDER)

TEMPLATES = sorted(expected_templates())


def built(code: str) -> Prompt:
    """
    Run a script and give its prompt.
    """
    names: dict[str, Any] = {"__name__": "decompiled"}
    exec(compile(code, "decompiled.py", "exec"), names)
    prompt = names["prompt"]
    assert isinstance(prompt, Prompt)
    return prompt


def titles(prompt: Prompt) -> set[str]:
    """
    Give the titles that say more than the class.
    """
    catalog = bundled_catalog()
    out = set()
    for node in prompt.nodes():
        known = catalog.get(node.class_type)
        if node.title not in (node.class_type, known.display_name if known else ""):
            out.add(node.title)
    return out


def prompt_of(*nodes: tuple[Any, ...]) -> Prompt:
    """
    Give a prompt of nodes 1, 2, ...: (class, inputs) or (class, inputs, title).
    """
    document = {}
    for number, (class_type, inputs, *title) in enumerate(nodes, 1):
        document[str(number)] = {"class_type": class_type, "inputs": inputs}
        if title:
            document[str(number)]["_meta"] = {"title": title[0]}
    return Prompt.from_json(document)


def template_prompt(name: str) -> Prompt:
    """
    Convert a template; nodes of packs that never told their class get one.
    """
    document = convert(template(name), bundled_catalog()).document
    for node in document.values():
        node.setdefault("class_type", "Untold")
    return Prompt.from_json(document)


def body(code: str) -> str:
    """
    Give the statements of a script, without its imports and its end.
    """
    start = max(
        item.end_lineno or 0
        for item in ast.parse(code).body
        if isinstance(item, ast.Import | ast.ImportFrom)
    )
    lines = code.partition('\nif __name__ == "__main__":')[0].split("\n")
    return "\n".join(lines[start:]).strip("\n")
