"""
Edits of JSON text: what they change, and what they leave alone.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.core.pointer import escape_pointer
from comfygraph.documents import find_spans
from comfygraph.lint.diagnostic import Edit, Fix
from comfygraph.lint.edits import apply_fixes, edited

SPACE = st.sampled_from(["", "", " ", "\n", "\n  ", "\r\n\t", "  \n"])
NUMBERS = ["0", "-0", "1.0", "1.50", "1e5", "1E+2", "12345678901234567890", "-2.5e-3"]
STRINGS = ['""', '"a"', '"\\u00e9"', '"é"', '"a/b~c"', '"\\"x,}"', '"\\ud83d\\ude00"', '"\\ud800"']
NEW = "/new~1 name"
LEAVES = st.sampled_from([*NUMBERS, *STRINGS, "true", "null", "NaN", "-Infinity"])


@st.composite
def json_texts(draw: st.DrawFn, depth: int = 3) -> str:
    """
    Give JSON text in any manner of writing, with unique keys.
    """
    kind = draw(st.sampled_from(["leaf", "object", "object", "list"])) if depth else "leaf"
    if kind == "leaf":
        return draw(LEAVES)
    space = SPACE.filter(lambda text: True)
    members = draw(st.lists(json_texts(depth=depth - 1), max_size=4))
    if kind == "object":
        names = draw(
            st.lists(
                st.sampled_from(STRINGS),
                min_size=len(members),
                max_size=len(members),
                unique_by=json.loads,
            )
        )
        members = [
            f"{name}{draw(space)}:{draw(space)}{member}"
            for name, member in zip(names, members, strict=True)
        ]
    parts = [f"{draw(space)}{member}{draw(space)}" for member in members]
    first, last = "{}" if kind == "object" else "[]"
    return f"{first}{','.join(parts) or draw(space)}{last}"


def pointers_of(value: Any, pointer: str = "") -> list[str]:
    """
    Give the pointers of a value and of all that is in it.
    """
    out = [pointer]
    if isinstance(value, dict | list):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            out += pointers_of(item, f"{pointer}/{escape_pointer(str(key))}")
    return out


@st.composite
def texts_and_edits(draw: st.DrawFn) -> tuple[str, list[Edit]]:
    """
    Give JSON text with edits of places that it has, or could have.
    """
    text = draw(SPACE) + draw(json_texts()) + draw(SPACE)
    pointers = pointers_of(json.loads(text))
    edits = []
    for pointer in draw(st.lists(st.sampled_from(pointers), min_size=1, max_size=4)):
        action = draw(st.sampled_from(["set", "insert", "remove", "unwrap"]))
        value = draw(st.sampled_from([1, 2.5, "new", "\ud800 é", [1, {"a": None}], True]))
        if action == "insert":
            edits.append(Edit(pointer + NEW, "set", value))
        else:
            edits.append(Edit(pointer, action, value if action == "set" else None))
    return text, edits


def canonical(value: Any) -> str:
    """
    Give a text that equal values share, NaN included.
    """
    return json.dumps(value)


@given(texts_and_edits())
def test_edits_of_the_text_are_edits_of_the_value(case: tuple[str, list[Edit]]) -> None:
    """
    What comes out parses, and holds what the edits that were taken in say.
    """
    text, edits = case
    result = apply_fixes(text, [Fix("", (edit,)) for edit in edits])
    value = json.loads(text)
    taken = [fix.edits[0] for fix in result.fixes]
    # Later places first, as pointers into lists move when a member goes.
    order = {pointer: at for at, pointer in enumerate(pointers_of(value))}
    for edit in sorted(taken, key=lambda edit: order[edit.pointer.removesuffix(NEW)], reverse=True):
        value = edited(value, edit)

    assert canonical(value) == canonical(json.loads(result.text))


@given(texts_and_edits())
def test_one_edit_leaves_the_rest_alone(case: tuple[str, list[Edit]]) -> None:
    """
    One edit changes one stretch: it removes it, inserts it, or puts another in its place.
    """
    text, edits = case
    edit = edits[0]
    result = apply_fixes(text, [Fix("", (edit,))]).text
    start = next(
        (at for at, (a, b) in enumerate(zip(text, result, strict=False)) if a != b),
        min(len(text), len(result)),
    )
    shortest = min(len(text), len(result)) - start
    end = next((at for at in range(shortest) if text[-1 - at] != result[-1 - at]), shortest)
    old, new = text[start : len(text) - end], result[start : len(result) - end]
    inserted = old == "" or text == result
    removed = new == "" or text == result

    if edit.action == "remove":
        assert removed
    elif edit.action == "set" and edit.pointer.endswith(NEW):
        assert inserted or old.isspace()  # Space within empty braces may go.
    elif edit.action == "set":
        span = find_spans(text, [edit.pointer])[edit.pointer]
        assert result.startswith(text[: span.start])
        assert result.endswith(text[span.end :])


STYLES = {
    "indented": '{\n  "a": {\n    "x": 1\n  },\n  "b": 2\n}\n',
    "tabs": '{\n\t"a": {\n\t\t"x": 1\n\t},\n\t"b": 2\n}\n',
    "windows": '{\r\n  "a": {\r\n    "x": 1\r\n  },\r\n  "b": 2\r\n}\r\n',
    "spaced": '{"a": {"x": 1}, "b": 2}',
    "compact": '{"a":{"x":1},"b":2}',
    "empty": '{\n  "a": {},\n  "b": 2\n}',
    "empty line": '{"a": {}, "b": 2}',
    "node a line": '{"a": {"x": 1},\n "b": 2}',
}


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("indented", '{\n  "a": {\n    "x": 1,\n    "y": 5\n  },\n  "b": 2\n}\n'),
        ("tabs", '{\n\t"a": {\n\t\t"x": 1,\n\t\t"y": 5\n\t},\n\t"b": 2\n}\n'),
        ("windows", '{\r\n  "a": {\r\n    "x": 1,\r\n    "y": 5\r\n  },\r\n  "b": 2\r\n}\r\n'),
        ("spaced", '{"a": {"x": 1, "y": 5}, "b": 2}'),
        ("compact", '{"a":{"x":1,"y":5},"b":2}'),
        ("empty", '{\n  "a": {\n    "y": 5\n  },\n  "b": 2\n}'),
        ("empty line", '{"a": {"y": 5}, "b": 2}'),
        ("node a line", '{"a": {"x": 1, "y": 5},\n "b": 2}'),
    ],
)
def test_insert_in_the_style_of_the_file(style: str, expected: str) -> None:
    """
    A member that is set and was absent is written like its neighbours.
    """
    result = apply_fixes(STYLES[style], [Fix("", (Edit("/a/y", "set", 5),))])

    assert expected == result.text


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ("/a", '{\n  "b": 2,\n  "c": 3\n}'),
        ("/b", '{\n  "a": 1.50,\n  "c": 3\n}'),
        ("/c", '{\n  "a": 1.50,\n  "b": 2\n}'),
    ],
)
def test_remove_takes_the_comma_along(pointer: str, expected: str) -> None:
    """
    The first, a middle and the last member go with one comma and their line.
    """
    text = '{\n  "a": 1.50,\n  "b": 2,\n  "c": 3\n}'

    assert expected == apply_fixes(text, [Fix("", (Edit(pointer, "remove"),))]).text


def test_remove_the_only_member() -> None:
    """
    Nothing stays between the brackets.
    """
    fix = Fix("", (Edit("/a/0", "remove"),))

    assert '{"a": []}' == apply_fixes('{"a": [\n 1\n]}', [fix]).text


def test_unwrap_moves_the_inner_lines_out() -> None:
    """
    The value takes its parent's place, and its lines take the parent's indentation.
    """
    text = '{\n    "prompt": {\n        "1": {\n            "a": 1e0\n        }\n    }\n}\n'
    result = apply_fixes(text, [Fix("", (Edit("/prompt", "unwrap"),))])

    assert '{\n    "1": {\n        "a": 1e0\n    }\n}\n' == result.text


def test_neighbours_wait_for_the_next_round() -> None:
    """
    Removals that touch are applied in rounds; the others go at once.
    """
    fixes = [Fix(name, (Edit(f"/{name}", "remove"),)) for name in "abc"]
    first = apply_fixes('{"a": 1, "b": 2, "c": 3, "d": 4}', fixes)

    assert ["a", "c"] == [fix.title for fix in first.fixes]
    assert '{"b": 2, "d": 4}' == first.text


def test_a_repeated_key_is_left_alone() -> None:
    """
    Where a key stands twice, removing the one that counts would bring the other back.
    """
    text = '{"a": 1, "a": 2, "b": 3}'
    fixes = [Fix("a", (Edit("/a", "remove"),)), Fix("b", (Edit("/b", "set", 4),))]
    result = apply_fixes(text, fixes)

    assert ('{"a": 1, "a": 2, "b": 4}', ["b"]) == (result.text, [fix.title for fix in result.fixes])


def test_all_edits_of_a_fix_or_none() -> None:
    """
    A fix of which one edit leads nowhere changes nothing.
    """
    fix = Fix("", (Edit("/a", "set", 2), Edit("/b/c", "remove")))

    assert ('{"a": 1}', ()) == apply_fixes('{"a": 1}', [fix])
