"""
From a prompt back to Python: the script builds the same prompt again.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from graph_shape import shape
from hypothesis import HealthCheck, given, settings
from strategies import catalogs, json_values, loose_prompts, valid_prompts

from comfygraph.catalog import NodeCatalog, bundled_catalog, load_catalog
from comfygraph.cli.decompile import decompile as command
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.dsl import decompile
from comfygraph.errors import BuildError, UsageError
from comfygraph.workflow import convert

ROOT = Path(__file__).parent.parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
sys.path.insert(0, str(ROOT / "tests" / "workflow"))

from recorded_workflows import expected_templates, template  # noqa: E402

sys.path.pop(0)
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


def titles(prompt: Prompt) -> list[str]:
    """
    Give the titles that say more than the class, sorted.
    """
    catalog = bundled_catalog()
    out = []
    for node in prompt.nodes():
        known = catalog.get(node.class_type)
        if node.title not in (node.class_type, known.display_name if known else ""):
            out.append(node.title)
    return sorted(out)


def prompt_of(**nodes: Any) -> Prompt:
    """
    Give a prompt: id → (class, inputs) or (class, inputs, title).
    """
    return Prompt.from_json({
        node_id[1:]: {
            "class_type": class_type,
            "inputs": inputs,
            **({"_meta": {"title": title[0]}} if title else {}),
        }
        for node_id, (class_type, inputs, *title) in nodes.items()
    })  # fmt: skip


def template_prompt(name: str) -> Prompt:
    """
    Convert a template; nodes of packs that never told their class get one.
    """
    document = convert(template(name), bundled_catalog()).document
    for node in document.values():
        node.setdefault("class_type", "Untold")
    return Prompt.from_json(document)


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_come_back(name: str):
    """
    The prompt of every official template is the same graph again, with its titles.
    """
    prompt = template_prompt(name)
    again = built(decompile(prompt))

    assert shape(prompt) == shape(again)
    assert set(titles(prompt)) <= set(titles(again))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(valid_prompts())
def test_valid_prompts_come_back(prompt: Prompt):
    """
    What the catalog has nothing against is the same graph again, without a raw node.
    """
    code = decompile(prompt)
    again = built(code)

    assert shape(prompt) == shape(again)
    assert set(titles(prompt)) <= set(titles(again))
    assert "raw_node(" not in code
