"""
JSON pointers → places in the text.
"""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.core.pointer import escape_pointer
from comfygraph.documents import find_spans, locate, locate_all

TEXT = """{
  "3": {"inputs": {"model": ["4", 0],
    "x": 3}, "class_type": "K"},
  "4": [1, {"a": 2}, 3],
  "e": {},
  "a/b~c": 5
}"""

_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("", (1, 1)),
        ("/3", (2, 8)),
        ("/3/inputs/model", (2, 29)),
        ("/3/inputs/model/0", (2, 30)),
        ("/3/inputs/x", (3, 10)),
        ("/4/1/a", (4, 18)),
        ("/4/2", (4, 22)),
        ("/e", (5, 8)),
        ("/a~1b~0c", (6, 12)),
    ],
)
def test_place_of_a_value(pointer: str, expected: tuple[int, int]) -> None:
    """
    Lines and columns count from 1 and lead to the first character of the value.
    """
    actual = locate(TEXT, pointer)

    assert expected == actual


def test_pointer_to_nothing_gives_the_nearest_parent() -> None:
    """
    An absent input is shown at its node.
    """
    actual = locate(TEXT, "/3/inputs/model/7/deeper")

    assert (2, 29) == actual


def _pointers(value: object, at: str = "") -> list[tuple[str, object]]:
    found = [(at, value)]
    if isinstance(value, dict):
        for key, item in value.items():
            found += _pointers(item, f"{at}/{escape_pointer(key)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _pointers(item, f"{at}/{index}")
    return found


@given(_values, st.sampled_from([None, 2]), st.booleans())
def test_span_of_every_value_parses_to_it(value: object, indent: int | None, ascii: bool) -> None:
    """
    The text at a span is the JSON of the value that the pointer leads to.
    """
    text = json.dumps(value, indent=indent, ensure_ascii=ascii)
    wanted = dict(_pointers(value))
    spans = find_spans(text, wanted)

    actual = {pointer: json.loads(text[span.start : span.end]) for pointer, span in spans.items()}

    assert wanted == actual


def test_repeated_key_leads_to_the_last() -> None:
    """
    As the last of two equal keys counts, it is the one that is shown.
    """
    actual = locate('{"a": 1,\n "a": 2}', "/a")

    assert (2, 7) == actual


def test_many_pointers_take_one_pass() -> None:
    """
    All values of a large document are found together.
    """
    document = {str(index): {"inputs": {"x": index}} for index in range(5_000)}
    text = json.dumps(document, indent=1)

    actual = locate_all(text, [f"/{index}/inputs/x" for index in range(5_000)])

    assert {f"/{index}/inputs/x": (4 + 5 * index, 9) for index in range(5_000)} == actual
