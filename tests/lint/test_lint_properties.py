"""
What holds of lint for every graph.
"""

from __future__ import annotations

import copy
import json
from itertools import islice
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import json_documents, json_values, loose_prompts, mutations, valid_prompts
from test_lint_prediction import recorded

from comfygraph.catalog import load_catalog
from comfygraph.core.values import Prompt
from comfygraph.documents import recognise
from comfygraph.lint import Diagnostic, LintOptions, Severity, lint, predict_response
from comfygraph.lint.context import RuleContext
from comfygraph.lint.engine import lint_file

CATALOG = load_catalog()
TARGETS = [None, "tams", "civitai", "civitai-custom", "civitai-app", "comfyui"]
WHOLE = {"CG101", "CG104", "CG106"}
"""Rules whose server error refuses the prompt, wherever the node stands."""


@given(valid_prompts())
def test_valid_prompts_have_no_errors(prompt: Prompt) -> None:
    """
    Lint has no error for a prompt that fits the catalog.
    """
    found = lint(prompt, CATALOG)

    assert [] == [(d.rule_id, d.pointer, d.message) for d in found if d.severity is Severity.ERROR]


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_one_mutation_is_one_error(data: st.DataObject) -> None:
    """
    One fault gives one error: the expected rule at the expected place.
    """
    prompt = data.draw(valid_prompts(max_nodes=6))
    fault = data.draw(mutations(prompt))
    found = [d for d in lint(fault.document, CATALOG) if d.severity is Severity.ERROR]
    loose = [d for d in lint(fault.document, CATALOG) if d.severity is not Severity.ERROR]
    if not found:  # No output needs the node: the same fault is a warning.
        found = [d for d in loose if d.name == fault.rule]

    assert {(fault.rule, fault.pointer)} == {(d.name, d.pointer) for d in found}


@settings(max_examples=300)
@given(json_values())
def test_any_value_lints(value: Any) -> None:
    """
    No JSON value makes lint raise or a rule crash.
    """
    assert [] == [d.message for d in lint(value, CATALOG) if d.rule_id == "CG000"]


@given(
    json_documents(), st.sampled_from([None, "tams", "civitai", "civitai-custom", "civitai-app"])
)
def test_any_bytes_lint(data: bytes, target: str | None) -> None:
    """
    Nor do any bytes, with any target.
    """
    options = LintOptions(target=target, strict_files=True)
    report = lint_file(data, CATALOG, name="x.json", options=options)

    assert [] == [d.message for d in report if d.rule_id == "CG000"]


@settings(max_examples=200)
@given(
    st.data(),
    st.sampled_from(TARGETS),
    st.booleans(),
)
def test_valid_prompts_with_odd_values_lint(
    data: st.DataObject, target: str | None, strict: bool
) -> None:
    """
    No rule crashes on a good graph some of whose values were replaced by any JSON.
    """
    document = data.draw(valid_prompts(max_nodes=6)).to_json()
    places = [(node["inputs"], name) for node in document.values() for name in node["inputs"]]
    for holder, name in data.draw(st.lists(st.sampled_from(places), max_size=4)) if places else ():
        holder[name] = data.draw(json_values(5))
    for node in document.values():
        if data.draw(st.integers(0, 9)) == 0:
            node["inputs"]["odd"] = data.draw(json_values(3))
    report = lint(document, CATALOG, options=LintOptions(target=target, strict_files=strict))

    assert [] == [d.message for d in report if d.rule_id == "CG000"]
    assert_agrees(document)


def assert_agrees(document: Any) -> None:
    """
    Hold lint against the prediction: the server is content just where lint tells no server error.
    """
    response = predict_response(document, CATALOG)
    if response.status == 500:
        return
    context = RuleContext(recognise(document), CATALOG, LintOptions())
    cone = _cone(context)
    told = [
        d
        for d in lint(document, CATALOG)
        if d.rule_id in ("CG003", "CG005")
        or (d.server_error is not None and (d.rule_id in WHOLE or d.node_id in cone))
    ]
    content = response.valid and not response.dropped
    if recognise(document).targets is not None and response.valid:
        return  # Lint looks at the other outputs too.

    assert content == (not told), (response, [(d.rule_id, d.pointer, d.message) for d in told])


def _cone(context: RuleContext) -> set[str]:
    """Give the nodes that the server looks at: over declared links that are right themselves."""
    seen = set(context.outputs)
    pending = list(seen)
    while pending:
        checked = context.checked.get(pending.pop())
        for _, source in checked.follows if checked is not None else ():
            if source not in seen:
                seen.add(source)
                pending.append(source)
    return seen


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_lint_and_prediction_agree(data: st.DataObject) -> None:
    """
    The server takes the whole graph just where lint tells no server error in what it looks at.
    """
    prompt = data.draw(valid_prompts(max_nodes=6))
    assert_agrees(prompt.to_json())
    assert_agrees(data.draw(mutations(prompt)).document)


@given(loose_prompts())
def test_lint_and_prediction_agree_on_loose_prompts(prompt: Prompt) -> None:
    """
    They agree on graphs of made-up classes with cycles and dangling links too.
    """
    assert_agrees(prompt.to_json())


def _essence(found: list[Diagnostic], ids: dict[str, str]) -> list[tuple[Any, ...]]:
    return sorted(
        (d.rule_id, ids.get(d.node_id or "", ""), d.input or "", d.severity.value) for d in found
    )


@settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.data())
def test_order_and_ids_do_not_matter(data: st.DataObject) -> None:
    """
    Nodes in another order and under other ids give the same findings.
    """
    prompt = data.draw(valid_prompts(max_nodes=7, ids="counted"))
    document = prompt.to_json()
    if data.draw(st.booleans()):
        document = data.draw(mutations(prompt)).document
    order = data.draw(st.permutations(list(document)))
    fresh = {node_id: f"n{place}x" for place, node_id in enumerate(order)}
    moved = {fresh[node_id]: _renamed(document[node_id], fresh) for node_id in order}
    # Which of two like nodes, and which link of a circle, is told, follows the order.
    free = {"CG103", "CG601", "CG110"}
    before = [d for d in lint(document, CATALOG) if d.rule_id not in free]
    after = [d for d in lint(moved, CATALOG) if d.rule_id not in free]
    same = {node_id: node_id for node_id in document}

    assert _essence(before, same) == _essence(after, {new: old for old, new in fresh.items()})


def _renamed(node: Any, ids: dict[str, str]) -> Any:
    node = copy.deepcopy(node)
    for name, value in node.get("inputs", {}).items():
        if isinstance(value, list) and len(value) == 2 and value[0] in ids:
            node["inputs"][name] = [ids[value[0]], value[1]]
    return node


@given(valid_prompts(max_nodes=5))
def test_lint_changes_nothing(prompt: Prompt) -> None:
    """
    A graph is the same after it was checked.
    """
    document = prompt.to_json()
    before = json.dumps(document)
    lint(document, CATALOG)

    assert before == json.dumps(document)


@pytest.mark.slow
def test_lint_and_prediction_agree_on_recorded_prompts() -> None:
    """
    They agree on prompts whose real answer was recorded, and no rule crashes on one.
    """
    for case in [*recorded("cases"), *islice(recorded("mutated"), 0, None, 4)]:
        assert_agrees(case["prompt"])
        found = lint(case["prompt"], CATALOG)

        assert [] == [d.message for d in found if d.rule_id == "CG000"]


@given(
    st.one_of(json_values(4), st.lists(st.sampled_from(["1", "2", "3"]), max_size=3)),
)
def test_any_targets_have_an_answer(targets: Any) -> None:
    """
    Whatever stands under `partial_execution_targets`, there is an answer and no crash.
    """
    image = {"width": 64, "height": 64, "batch_size": 1, "color": 0}
    document = {
        "prompt": {
            "1": {"class_type": "EmptyImage", "inputs": image},
            "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
            "3": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        },
        "partial_execution_targets": targets,
    }
    response = predict_response(document, CATALOG)
    nothing = [d for d in lint(document, CATALOG) if d.rule_id in ("CG000", "CG104")]

    assert response.status in (200, 400, 500)
    assert (response.status == 400) == (["CG104"] == [d.rule_id for d in nothing])
