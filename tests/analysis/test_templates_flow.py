"""
The official templates: silence, but for findings that somebody has read.
"""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import pytest
from flow_graphs import CATALOG

from comfygraph.analysis.explain import explain
from comfygraph.core.values import Prompt
from comfygraph.documents import open_document
from comfygraph.lint import lint
from comfygraph.lint.registry import all_rules
from comfygraph.workflow import convert

VERDICTS: dict[tuple[str, str, str], str] = {}
"""
`(template, rule, node)` → the verdict of a reader: true, or why it is wrong and stays.

None is left. Read and mended were: a decoder of pixels whose name says `flux1`, taken for a
FLUX.1 that draws too large (now the latent must be of the family's kind).
"""

RULES = [rule for rule in all_rules() if rule.id.startswith("CG7")]


def templates() -> dict[str, Path]:
    """Name → file of each template that holds a graph."""
    spec = find_spec("comfyui_workflow_templates_json")
    if spec is None or spec.origin is None:
        return {}
    folder = Path(spec.origin).parent / "templates"
    return {path.stem: path for path in sorted(folder.glob("*.json"))}


@pytest.mark.slow
def test_templates_are_silent() -> None:
    """
    The rules about dataflow find nothing in the templates but what the table has a verdict for,
    and the sampled ones among them are followed at all.
    """
    found: set[tuple[str, str, str]] = set()
    graphs = samplers = sized = 0
    for name, path in templates().items():
        document = open_document(path)
        if document.kind != "workflow":
            continue
        graphs += 1
        for one in lint(document, CATALOG, rules=RULES):
            found.add((name, one.rule_id, one.node_id or ""))
        graph = convert(json.loads(path.read_bytes()), CATALOG).document
        if any("class_type" not in node for node in graph.values()):
            continue  # A node without a class in the template itself.
        prompt = Prompt.from_json(graph)
        steps = explain(prompt, CATALOG).steps
        samplers += sum("samples" == step.says.partition(" ")[0] for step in steps)
        sized += sum(step.size is not None for step in steps)

    assert graphs > 100
    assert samplers > 100
    assert sized > 300
    assert set(VERDICTS) == found
