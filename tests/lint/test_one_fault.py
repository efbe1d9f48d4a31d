"""
Graphs with one fault each: found, located, explained, and nothing else is called an error.
"""

from __future__ import annotations

import pytest
from one_fault import LOAD, ONE_FAULT, ONE_SLIP, PICTURE, RESIZE, SHOW, STYLED, OneFault

from comfygraph.catalog import load_catalog
from comfygraph.core.pointer import parse_pointer
from comfygraph.lint import LintOptions, Severity, lint

CATALOG = load_catalog()


def _diagnostics(case: OneFault) -> list[tuple[str, str, Severity, str, str | None, str | None]]:
    options = LintOptions(strict_files=case.strict, target=case.target)
    report = lint(case.build(), CATALOG, options=options)
    return [(d.rule_id, d.pointer, d.severity, d.message, d.node_id, d.input) for d in report]


@pytest.mark.parametrize("case", ONE_FAULT, ids=lambda case: case.name)
def test_one_error(case: OneFault) -> None:
    """
    The one fault is the one error: its rule, its place, and words that tell what is wrong.
    """
    found = [d for d in _diagnostics(case) if d[2] is Severity.ERROR]

    assert [(case.rule, case.pointer)] == [d[:2] for d in found]
    assert case.says in found[0][3]


@pytest.mark.parametrize("case", ONE_SLIP, ids=lambda case: case.name)
def test_one_warning(case: OneFault) -> None:
    """
    What the server takes is a warning, and no error comes with it.
    """
    found = _diagnostics(case)
    warnings = [d for d in found if d[2] is Severity.WARNING and d[0] == case.rule]

    assert [] == [d for d in found if d[2] is Severity.ERROR]
    assert [(case.rule, case.pointer)] == [d[:2] for d in warnings]
    assert case.says in warnings[0][3]


@pytest.mark.parametrize("case", [*ONE_FAULT, *ONE_SLIP], ids=lambda case: case.name)
def test_node_and_input_fit_the_pointer(case: OneFault) -> None:
    """
    A finding about an input names the node and the input that its pointer leads to.
    """
    graph = case.build()
    for _, pointer, _, _, node_id, name in _diagnostics(case):
        tokens = parse_pointer(pointer)
        if isinstance(graph, dict) and tokens and tokens[0] in graph and "class_type" in str(graph):
            assert tokens[0] == node_id
        if len(tokens) == 3 and tokens[1] == "inputs":
            assert tokens[2] == name


@pytest.mark.parametrize("graph", [PICTURE, RESIZE, SHOW, LOAD, STYLED])
def test_good_graphs_are_clean(graph: dict[str, object]) -> None:
    """
    The graphs that the faults are made in have none.
    """
    assert [] == [d for d in lint(graph, CATALOG) if d.severity is not Severity.INFO]


def test_enough_cases() -> None:
    """
    At least sixty different faults, under different names.
    """
    names = [case.name for case in (*ONE_FAULT, *ONE_SLIP)]

    assert len(names) == len(set(names))
    assert len(names) >= 60
