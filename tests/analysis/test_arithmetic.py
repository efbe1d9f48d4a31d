"""
Arithmetic between constants: what the server would work out, or nothing.
"""

from __future__ import annotations

from typing import Any

import pytest
from flow_graphs import Graph, flow_of, node
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.analysis.arithmetic import evaluate
from comfygraph.analysis.facts import Size


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("a + b", 1003), ("a/2", 500.0), ("max(16, floor(a / 16) * 16)", 992),
        ("((a + 15) // 16) * 16", 1008), ("a & ~1", 1000), ("a & -8", 1000), ("a > 2048", False),
        ("min(a,b)", 3), ("max(4, (int(a) // 16) * 16)", 992), ("floor (a * b + 1)", 3001),
        ("ceil(a / (81 - 5))", 14), ("round(2.5)", 2), ("-b ** 2", -9), ("pow(b, 2)", 9),
        ("512 if a > b else 768", 512), ("not a", False), ("sqrt(a * a)", 1000.0),
        (" float(b) ", 3.0), ("a % 7 == 6", True), ("abs(0 - b)", 3),
        ("max(5, round(a * 24)) + (5 - (max(5, round(a * 24)) % 17)) % 17", 24009),
    ],
)  # fmt: skip
def test_expressions(expression: str, result: float) -> None:
    """
    What people write between sizes is worked out as Python does it, types included.
    """
    found = evaluate(expression, {"a": 1000, "b": 3})

    assert (type(result), result) == (type(found), found)


@pytest.mark.parametrize(
    "expression",
    [
        "", "a +", "c", "a + c", "a / 0", "9 ** 99", "pow(9, 99)", "10 ** 15", "2 ** 0.5 ** -999",
        "'a'", "a.b", "a[0]", "f(a)", "sum(values)", "min(a)", "lambda: 1", "(a)(b)", "text",
        "0x10", "1e5", "1if a else 2", "a is b", "a and b", "1 < a < 2", "round(a, 2)", "\x00",
        "(-8) ** 0.5", "int(a=1)", "*a", "a, b", "(" * 100 + "a" + ")" * 100, "~" * 300 + "a",
        "(a := 5)", "True + text", "sqrt(-1)", "3 // 0", "a & 1.5",
    ],
)  # fmt: skip
def test_what_is_unknown(expression: str) -> None:
    """
    What cannot be worked out, is not known, or is not arithmetic, gives nothing.
    """
    found = evaluate(expression, {"a": 1000, "b": 3, "text": "5"})

    assert None is found


@given(st.text("ab0123456789 ().,+-*/%&|^~<>=!infloatmxrudcesqpwg", max_size=60))
def test_any_text(expression: str) -> None:
    """
    Whatever is written, there is a number that is no absurd one, or nothing; never an exception.
    """
    found = evaluate(expression, {"a": 1000, "b": 0.5})

    assert found is None or abs(found) < 1e15


def test_sizes_behind_arithmetic() -> None:
    """
    Sizes follow numbers through expressions, selectors of resolutions and nodes that hand
    them on; what hangs on something unknown stays unknown.
    """
    graph: Graph = {
        "w": node("PrimitiveInt", value=1000),
        "half": node(
            "ComfyMathExpression", **{"expression": "floor(a/2/b)*b", "values.a": ["w", 0],
                                      "values.b": 16},
        ),
        "r": node(
            "ResolutionSelector", aspect_ratio="16:9 (Widescreen)", megapixels=0.9, multiple=32
        ),
        "c": node("WanCameraEmbedding", camera_pose="Pan Up", width=832, height=480, length=81),
        "o": node("ComfyMathExpression", **{"expression": "a * 2", "values.a": ["nobody", 0]}),
        "1": node("EmptyImage", width=["half", 1], height=64, batch_size=1, color=0),
        "2": node("EmptyImage", width=["r", 0], height=["r", 1], batch_size=1, color=0),
        "3": node("EmptyImage", width=["c", 1], height=["c", 2], batch_size=["c", 3], color=0),
        "4": node("EmptyImage", width=["o", 1], height=64, batch_size=1, color=0),
    }  # fmt: skip
    flow = flow_of(graph)

    assert [Size(496, 64), Size(1280, 736), Size(832, 480, 81), None] == [
        flow.size(node_id) for node_id in "1234"
    ]
    assert (496.0, 496, True) == flow["half"].value


@pytest.mark.parametrize(
    "inputs",
    [
        {"aspect_ratio": "wide", "megapixels": 1.0, "multiple": 8},
        {"aspect_ratio": "1:1 (Square)", "megapixels": 0.0, "multiple": 8},
        {"aspect_ratio": "1:1 (Square)", "megapixels": 1.0, "multiple": 0},
        {"aspect_ratio": "1:1 (Square)", "megapixels": ["nobody", 0], "multiple": 8},
        {"aspect_ratio": "1:1 (Square)", "megapixels": 0.01, "multiple": 8, "minimum": 256},
    ],
)
def test_no_resolution(inputs: dict[str, Any]) -> None:
    """
    A selector that cannot be followed gives no numbers.
    """
    found = flow_of({"r": node("ResolutionSelector", **inputs)})["r"].value

    assert not any(found)
