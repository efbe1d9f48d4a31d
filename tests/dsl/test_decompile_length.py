"""
Graphs whose script nobody could read or run are refused before it is made.
"""

from __future__ import annotations

from typing import Any

import pytest
from counting import calls

from comfygraph.core.values import Prompt
from comfygraph.dsl import decompile
from comfygraph.dsl.decompiler.size import LONGEST_SCRIPT
from comfygraph.errors import InputError

LONG = {
    "text": "word\n" * (LONGEST_SCRIPT // 5 + 1),
    "list": [1] * (LONGEST_SCRIPT // 2),
    "lists": [[1] * 1000] * (LONGEST_SCRIPT // 1000),
    "keys": {"k" * LONGEST_SCRIPT: 1},
}


@pytest.mark.parametrize("value", LONG.values(), ids=LONG)
def test_a_long_value_is_refused_early(value: Any) -> None:
    """
    The error names the node and the limit; no more of the value is looked at than could be written.
    """
    prompt = Prompt.from_json({
        "1": {"class_type": "EmptyImage", "inputs": {}},
        "2": {"class_type": "Odd", "inputs": {"value": value}, "_meta": {"title": "The big one"}},
    })  # fmt: skip

    def refuse() -> None:
        with pytest.raises(InputError, match="5,000,000 characters, most of them in The big one"):
            decompile(prompt)

    assert calls(refuse) < LONGEST_SCRIPT


def test_many_values_are_refused_too() -> None:
    """
    No single node is to blame: none is named.
    """
    node = {"class_type": "Odd", "inputs": {"text": "word " * 20_000}}
    prompt = Prompt.from_json({str(number): node for number in range(60)})

    with pytest.raises(InputError, match=r"5,000,000 characters$") as caught:
        decompile(prompt)

    assert caught.value.hint is not None


def test_what_is_long_and_bearable_is_written() -> None:
    """
    A text of a megabyte becomes a script.
    """
    text = "word\n" * 200_000
    prompt = Prompt.from_json({"2": {"class_type": "Odd", "inputs": {"text": text}}})

    assert len(text) < len(decompile(prompt))
