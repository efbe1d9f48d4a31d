"""
Conversions against what the editor made of the same workflows.
"""

from __future__ import annotations

import json

import pytest
from recorded_workflows import (
    LEFT_OUT,
    edge_cases,
    expected_templates,
    node_digest,
    template,
)

from comfygraph.catalog import load_catalog
from comfygraph.workflow import convert

CATALOG = load_catalog()
EDGE_CASES = edge_cases()
TEMPLATES = expected_templates()


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_gives_the_editors_prompt(name: str) -> None:
    """
    Every official template converts to the editor's prompt: ids, order, values, links, titles.
    """
    document = convert(template(name), CATALOG, dynamic_prompts="first").document
    digests = {node_id: node_digest(name, node_id, node) for node_id, node in document.items()}

    expected = TEMPLATES[name]
    assert expected == digests
    assert list(expected) == list(digests)


def test_listed_differences_exist() -> None:
    """
    Each listed difference names a template and a node that the recordings have.
    """
    assert {} == {key: why for key, why in LEFT_OUT.items() if key[1] not in TEMPLATES[key[0]]}


@pytest.mark.parametrize("name", [name for name, case in EDGE_CASES.items() if "prompt" in case])
def test_edge_case_gives_the_editors_prompt(name: str) -> None:
    """
    Every hand-made case converts to the editor's prompt, byte for byte.
    """
    case = EDGE_CASES[name]
    result = convert(case["workflow"], CATALOG, dynamic_prompts="first")

    # The editor fills in the date; the recording was made in 2026.
    expected = json.dumps(case["prompt"]).replace("%NoSuch.seed%_2026", "%NoSuch.seed%_%date:yyyy%")
    assert expected == json.dumps(result.document)
    assert result.refusal is None


@pytest.mark.parametrize("name", [name for name, case in EDGE_CASES.items() if "error" in case])
def test_edge_case_that_the_editor_refuses(name: str) -> None:
    """
    Where the editor throws, the result says so, and why.
    """
    case = EDGE_CASES[name]
    result = convert(case["workflow"], CATALOG)

    kind = case["error"].partition(":")[0]
    assert kind == (result.refusal or "").partition(":")[0]
    assert not result.ok


def test_converting_twice_gives_the_same_bytes() -> None:
    """
    Nothing of one conversion is left over in the next.
    """
    texts = [
        json.dumps(convert(case["workflow"], CATALOG).document)
        for _ in range(2)
        for case in EDGE_CASES.values()
    ]

    half = len(texts) // 2
    assert texts[:half] == texts[half:]


def test_workflow_is_not_changed() -> None:
    """
    The caller's document stays as it was.
    """
    before = [json.dumps(case["workflow"]) for case in EDGE_CASES.values()]
    for case in EDGE_CASES.values():
        convert(case["workflow"], CATALOG)

    assert before == [json.dumps(case["workflow"]) for case in EDGE_CASES.values()]
