"""
`comfygraph rule`.
"""

from __future__ import annotations

import json

import pytest

from comfygraph.lint.registry import all_rules

from .conftest import Runner


def test_all_rules_are_listed(run: Runner) -> None:
    """
    A line a rule in the order of the ids; as JSON, with all that is known.
    """
    lines = run("rule").out.splitlines()
    entries = json.loads(run("rule", "--format", "json").out)

    assert [rule.id for rule in all_rules()] == [line.split()[0] for line in lines]
    assert [rule.name for rule in all_rules()] == [entry["name"] for entry in entries]


@pytest.mark.parametrize("name", ["CG303", "cg303", "value-not-in-list"])
def test_a_rule_is_explained(run: Runner, name: str) -> None:
    """
    By id or name, as Markdown with the facts in one line.
    """
    result = run("rule", name)

    assert 0 == result.code
    assert result.out.startswith(
        "# CG303 value-not-in-list\n\n"
        "error · family: values · since 0.1.0 · ComfyUI answers `value_not_in_list`\n\n"
        "## What it does\n"
    )


def test_a_rule_as_json(run: Runner) -> None:
    """
    The same facts for programs.
    """
    entry = json.loads(run("rule", "CG303", "--format", "json").out)

    assert ("CG303", "values", "error", []) == (
        entry["id"], entry["family"], entry["severity"], entry["aliases"]
    )  # fmt: skip
    assert entry["documentation"].startswith("## What it does")


def test_a_rule_that_there_is_not(run: Runner) -> None:
    """
    Exit code 2, with the nearest name.
    """
    result = run("rule", "value-not-in-lst")

    assert (2, "") == (result.code, result.out)
    assert "did you mean `value-not-in-list`?" in result.err


@pytest.mark.parametrize("rule", all_rules(), ids=lambda rule: rule.id)
def test_every_rule_has_its_page(run: Runner, rule: object) -> None:
    """
    It says at least what it does, in more words than its name.
    """
    documentation = rule.documentation  # type: ignore[attr-defined]  # a Rule

    assert documentation.startswith("## What it does\n")
    assert len(documentation) > 60
