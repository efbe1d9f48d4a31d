"""
Texts that the editor changes when it queues: dynamic prompts, file prefixes; and numbers.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from counting import calls
from flow_builder import Flow
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import load_catalog
from comfygraph.errors import UsageError
from comfygraph.workflow import convert
from comfygraph.workflow.dynamic_prompts import HasChoices, TooDeep, picker, resolve_text
from comfygraph.workflow.numbers import as_double, number_text

CATALOG = load_catalog()
FIRST = picker("first", None, "")


def _text(text: str, **options: Any) -> Any:
    """Convert a prompt text and give it back."""
    workflow = Flow().node(1, "CLIPTextEncode", text).json()
    return convert(workflow, CATALOG, **options).document["1"]["inputs"]["text"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("a {red|blue} dog", "a red dog"),
        ("{a|{b|c}} {{d|e}|f}", "a d"),
        ("{only}", "only"),
        (r"\{a|b\}", "{a|b}"),
        ("a /* gone */ b // rest\nnext", "a  b \nnext"),
        ("https://example.org", "https:"),
        ("open {a|b", "open a"),
        ("a } b", "a } b"),
        ("{}", ""),
        ("/* open", "/* open"),
        ("{a // |b\n|c}", "a \n"),
    ],
)
def test_first_choice(text: str, expected: str) -> None:
    """
    Choices, comments and backslashes are read as the editor reads them.
    """
    assert expected == resolve_text(text, FIRST)


def test_choices_are_kept() -> None:
    """
    By default a text with choices stays untouched, comments included; others are cleaned.
    """
    assert "{a|b} // x" == _text("{a|b} // x")
    assert "{a} " == _text(r"\{a\} // x")
    assert "a " == _text("{a} // x")


def test_choices_by_seed() -> None:
    """
    A seed decides; the same seed decides the same way, whatever other nodes there are.
    """
    text = "{a|b|c|d|e|f|g|h}"
    drawn = {_text(text, dynamic_prompts="seed", seed=seed) for seed in range(40)}

    assert set("abcdefgh") == drawn
    more = Flow().node(2, "CLIPTextEncode", text).node(1, "CLIPTextEncode", text).json()
    both = convert(more, CATALOG, dynamic_prompts="seed", seed=5).document
    assert _text(text, dynamic_prompts="seed", seed=5) == both["1"]["inputs"]["text"]


def test_choices_as_errors() -> None:
    """
    With `error`, a choice is an error and the text stays.
    """
    workflow = Flow().node(1, "CLIPTextEncode", "{a|b}").json()
    result = convert(workflow, CATALOG, dynamic_prompts="error")

    assert [("CG515", "error")] == [(i.code, i.severity) for i in result.diagnostics]
    assert not result.ok


@pytest.mark.parametrize(("mode", "seed"), [("seed", None), ("random", 1)])
def test_wrong_mode(mode: Any, seed: int | None) -> None:
    """
    An unknown mode, or a missing seed, is a `UsageError`.
    """
    with pytest.raises(UsageError):
        convert({"nodes": []}, CATALOG, dynamic_prompts=mode, seed=seed)


@given(st.text(alphabet="ab{}|\\/* \n", max_size=30))
def test_any_text_resolves(text: str) -> None:
    """
    Every text resolves; one that needs no choice is the same for every way to choose.
    """
    resolved = resolve_text(text, FIRST)
    try:
        kept = resolve_text(text, picker("keep", None, ""))
    except HasChoices:
        return

    assert resolved == kept


def test_deep_choices() -> None:
    """
    Choices nested beyond all measure are given up, at no cost.
    """
    with pytest.raises(TooDeep):
        resolve_text("{" * 20_000, FIRST)


def _prefix(prefix: str, **options: Any) -> Any:
    flow = (
        Flow()
        .node(1, "KSampler", 7, "fixed", 20, 8, "euler", "normal", 1)
        .node(2, "EmptyImage", 640, 480, 1, 0, title="Canvas")
        .node(3, "PrimitiveNode", "a/b", title="Word")
        .node(4, "SaveImage", prefix)
    )
    return convert(flow.json(), CATALOG, **options).document["4"]["inputs"]["filename_prefix"]


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [
        ("%KSampler.seed%_%KSampler.sampler_name%", "7_euler"),
        ("%Canvas.width%", "640"),
        ("%Word.value%", "a_b"),
        ("%Nobody.seed%", "%Nobody.seed%"),
        ("%KSampler.nothing%", "%KSampler.nothing%"),
        ("%width%x%year%", "%width%x%year%"),
        ("100%", "100%"),
        ("%a.b.c%", "%a.b.c%"),
    ],
)
def test_file_prefix(prefix: str, expected: str) -> None:
    """
    `%Node.widget%` gives the value by node name or title; whatever else is left alone.
    """
    assert expected == _prefix(prefix)


def test_file_prefix_with_a_date() -> None:
    """
    Dates stay, unless a time is given.
    """
    now = datetime(2026, 11, 3, 9, 5, 7)
    prefix = "%date:yyyy-MM-dd hh_mm_ss%_%date:yy-M-d h%"

    assert prefix == _prefix(prefix)
    assert "2026-11-03 09_05_07_26-11-3 9" == _prefix(prefix, now=now)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (18446744073709551615, 18446744073709552000),
        (2**53 + 1, 2**53),
        (2**53, 2**53),
        (8.0, 8),
        (0.1, 0.1),
        (1e21, 1e21),
        (-0.0, 0),
        (10**400, None),
        (float("nan"), None),
        ([1.0, {"a": 2.0}], [1, {"a": 2}]),
        (True, True),
        ("8.0", "8.0"),
    ],
)
def test_numbers_are_doubles(value: Any, expected: Any) -> None:
    """
    Numbers come out as they do of JavaScript.
    """
    assert repr(expected) == repr(as_double(value))


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, "1"), (1.5, "1.5"), (8.0, "8"), (True, "true"), (None, "null"), (1e21, "1e+21"),
     (1e-7, "1e-7"), ("x", "x")],
)  # fmt: skip
def test_numbers_as_text(value: Any, expected: str) -> None:
    """
    `number_text` writes as JavaScript's `String()`.
    """
    assert expected == number_text(value)


def test_nested_numbers_are_read_once() -> None:
    """
    Numbers in lists take one call each, and lists no note for each of their members.
    """
    listed = [[1.0] * 1000, {"a": [2**60, "x", [0.5]]}]

    assert [[1] * 1000, {"a": [1152921504606847000, "x", [0.5]]}] == as_double(listed)
    assert calls(lambda: as_double([[1] * 100_000])) < 250_000
