"""
`_meta.comfygraph.ignore` on a node.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from comfygraph.lint import lint
from comfygraph.lint.builtin import BUILTIN_RULES
from comfygraph.lint.registry import rules_by_name

from .conftest import Runner, graph, write


def ignoring(value: Any, **inputs: Any) -> dict[str, Any]:
    """
    Give the graph with an ignore on its first node.
    """
    out = graph(**inputs)
    out["1"]["_meta"] = {"comfygraph": {"ignore": value}}
    return out


@pytest.mark.parametrize(
    "value", [["CG108"], ["unknown-input"], ["CG1"], ["ALL"], "CG108", ["CG108", "ALL"]]
)
def test_a_node_silences_its_findings(value: Any) -> None:
    """
    By id, beginning of ids, name or ALL; what is silenced is counted.
    """
    report = lint(ignoring(value, colour=3))

    assert ([], 1) == ([found.rule_id for found in report], report.suppressed)


def test_a_node_silences_only_itself() -> None:
    """
    The same finding at another node stays.
    """
    document = ignoring(["CG108"], colour=3)
    document["2"]["inputs"]["colour"] = 3
    report = lint(document)

    assert [("CG108", "/2/inputs/colour")] == [(found.rule_id, found.pointer) for found in report]


def test_an_ignore_that_silences_nothing() -> None:
    """
    Each unused entry is a finding at the entry, with its removal as a repair.
    """
    report = lint(ignoring(["CG108", "CG301"], colour=3))

    assert [
        ("CG611", "/1/_meta/comfygraph/ignore/1", "the ignore of `CG301` silences nothing", True)
    ] == [(found.rule_id, found.pointer, found.message, found.fixable) for found in report]


def test_an_ignore_that_names_no_rule() -> None:
    """
    The nearest name is offered.
    """
    report = lint(ignoring(["unknown-imput"]))

    assert [("the ignored `unknown-imput` names no rule", "did you mean `unknown-input`?")] == [
        (found.message, found.help) for found in report
    ]


def test_an_ignore_of_a_rule_that_does_not_run() -> None:
    """
    Nothing can be said about it, so nothing is.
    """
    rules = [rules_by_name()["CG301"], rules_by_name()["CG611"]]

    assert [] == list(lint(ignoring(["CG108"]), rules=rules))
    assert ["CG611"] == [found.rule_id for found in lint(ignoring(["CG301"]), rules=rules)]


@pytest.mark.parametrize("value", [3, None, {"CG108": True}, [1], [["CG108"]]])
def test_an_ignore_that_is_no_list(value: Any) -> None:
    """
    It is a finding, and silences nothing.
    """
    report = lint(ignoring(value, colour=3))

    assert {"CG611", "CG108"} == {found.rule_id for found in report}


@pytest.mark.parametrize("meta", [None, 3, [], {"comfygraph": []}, {"comfygraph": {"ignored": 1}}])
def test_other_metadata_is_nobodys_business(meta: Any) -> None:
    """
    Whatever else stands in `_meta` is left alone.
    """
    document = graph()
    document["1"]["_meta"] = meta

    assert [] == [found for found in lint(document) if found.rule_id == "CG611"]


def test_unused_ignores_can_be_ignored() -> None:
    """
    A node that ignores CG611 hears nothing of its ignores.
    """
    assert [] == list(lint(ignoring(["CG301", "unused-ignore"])))


def test_the_examples_of_the_rule() -> None:
    """
    The example of CG611 fires it and nothing else; the other one is clean.
    """
    parts = BUILTIN_RULES[2].documentation.split("```")
    example, instead = (json.loads(parts[at].removeprefix("json")) for at in (1, 3))

    assert ["CG611"] == [found.rule_id for found in lint(example)]
    assert [] == list(lint(instead))


def test_fix_removes_unused_ignores(run: Runner, tmp_path: Any) -> None:
    """
    `--fix` takes all of them out.
    """
    file = write(tmp_path / "a.json", ignoring(["CG301", "CG302", "CG108"], colour=3))
    result = run("lint", "--fix", "--ignore", "CG304", file)

    assert 0 == result.code
    assert {"ignore": ["CG108"]} == json.loads(file.read_text())["1"]["_meta"]["comfygraph"]
