"""
Keys that stand twice in one object.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.documents import DuplicateKey, duplicate_keys


def _count_keys(value: Any) -> int:
    if isinstance(value, dict):
        return len(value) + sum(_count_keys(item) for item in value.values())
    return sum(_count_keys(item) for item in value) if isinstance(value, list) else 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a": 1, "a": 2}', [DuplicateKey("/a", "a")]),
        ('{"a" : 1, "a" : 2}', [DuplicateKey("/a", "a")]),
        ('{"x": [{"k": 1, "k": 2, "k": 3}]}', [DuplicateKey("/x/0/k", "k")]),
        ('{"a": "\\":", "a": 2}', [DuplicateKey("/a", "a")]),
        ('{"a": 1, "b": {"a": 2}}', []),
        ('["a", "a"]', []),
    ],
)
def test_repeated_keys_are_found(text: str, expected: list[DuplicateKey]) -> None:
    """
    A repeated key is found wherever it stands, once.
    """
    assert expected == duplicate_keys(text)
    assert expected == duplicate_keys(text, _count_keys(json.loads(text)))


_keys = st.text(alphabet='ab":\\ ', max_size=3)


@given(
    st.recursive(
        st.text(alphabet='ab":\\ ', max_size=6),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=3),
        max_leaves=10,
    ),
    st.sampled_from([(",", ":"), (", ", ": "), (" , ", " : ")]),
)
def test_a_dumped_document_has_none(value: Any, separators: tuple[str, str]) -> None:
    """
    No value and no spelling makes a document without repeated keys look like one with.
    """
    text = json.dumps(value, separators=separators)

    assert [] == duplicate_keys(text, _count_keys(value))
