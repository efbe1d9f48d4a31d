"""
Names of megabytes in the difference of two graphs.
"""

from __future__ import annotations

import pytest

from comfygraph.compare import compare
from comfygraph.compare.render import render_markdown, render_text
from comfygraph.core.values import Prompt


@pytest.mark.parametrize("render", [render_text, render_markdown])
def test_names_are_shortened(render: object) -> None:
    """
    Ids, classes, titles and inputs of any length are told in a few words each.
    """
    long = "n" * 10_000
    node = {"class_type": long, "inputs": {long: [long, 0]}, "_meta": {"title": long + "t"}}
    old = Prompt.from_json({"1": {"class_type": "A", "inputs": {}}})
    new = Prompt.from_json({"1": {"class_type": "A", "inputs": {long: 1}}, long: node})
    assert callable(render)
    text = render(compare(old, new))

    assert "nnnn" in text
    assert len(text) < 2_000
