"""
Prompts that are odd, broken or hostile: the script is harmless and right, or there is none.
"""

from __future__ import annotations

import ast
import builtins
import keyword
from typing import Any

import pytest
from counting import growth
from decompiled import body, built, prompt_of, titles
from graph_shape import shape
from hypothesis import given
from hypothesis import strategies as st
from strategies import json_values

from comfygraph.core.values import Prompt
from comfygraph.dsl import decompile
from comfygraph.errors import BuildError

EVIL = [
    '"""\nimport os; os.system("x")\n"""',
    "'); raise SystemExit  # \\",
    "\n#\r\u2028\x85\x00\x0c",
    "{__import__('os')}",
    "\\N{BULLET}\\",
    "\u202e\ud800",
    "import",
    "match",
    "print",
    "prompt",
    "__debug__",
    "None",
    "ﬁle",
    "",
]


def calls(code: str) -> set[str]:
    """
    Give the names of all that a script calls.
    """
    found = {node.func for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)}
    return {ast.unparse(func) for func in found}


@given(*[st.one_of(st.sampled_from(EVIL), st.text(max_size=9))] * 4)
def test_texts_never_become_code(kind: str, name: str, title: str, text: str):
    """
    Whatever classes, inputs, titles and texts are called, the script calls nothing but ours.
    """
    prompt = prompt_of(
        (kind, {name: text, "b": 1}, title),
        ("KSampler", {name: ["1", 0]}, title),
        ("CLIPTextEncode", {"text": text, "clip": ["1", 1]}, title),
        (kind, {name: ["3", 0], "list": {"__value__": [text]}, "map": {text: text}}),
    )
    code = decompile(prompt)
    again = built(code)
    assigned = {
        node.id
        for node in ast.walk(ast.parse(code))
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
    }

    assert shape(prompt) == shape(again)
    assert titles(prompt) <= titles(again)
    assert calls(code) <= {
        "CLIPTextEncode", "build", "json.dumps", "named", "print", "prompt.to_json", "raw_node",
    }  # fmt: skip
    assert not assigned & {*dir(builtins), *keyword.kwlist, "build", "json", "named", "raw_node"}


@given(json_values())
def test_any_constant_comes_back(value: Any):
    """
    A constant is written so that it is the same again; a broken link and NaN have no way.
    """
    prompt = Prompt.from_json({"1": {"class_type": "A", "inputs": {"a": value}}})
    try:
        again = built(decompile(prompt))
    except BuildError as exc:
        assert exc.problems  # noqa: PT017
    else:
        assert [repr(dict(node.inputs)) for node in prompt.nodes()] == [
            repr(dict(node.inputs)) for node in again.nodes()
        ]


def test_what_cannot_be_written_is_told():
    """
    All reasons are given at once, with their nodes, on one line each.
    """
    prompt = prompt_of(
        ("A", {"x": ["9", 0], "y": ["2", 0]}, "the\nfirst"),
        ("B", {"x": ["3", 0]}),
        ("C", {"x": ["2", 1]}),
        ("KSampler", {"model": ["4", 0]}),
    )
    with pytest.raises(BuildError) as caught:
        decompile(prompt)
    broken = prompt_of(("A", {"x": [1, 2]}, "list"), ("B", {"x": float("nan")}))
    with pytest.raises(BuildError) as worse:
        decompile(broken)

    assert [
        'A "the\\nfirst" (1): `x` links to node `9`, which is not there',
        "B (2): lies on a cycle of nodes: `2`, `3`",
        "KSampler (4): lies on a cycle of nodes: `4`",
    ] == [item.message for item in caught.value.problems]
    assert [
        'A "list" (1): `x` is a list, which the server takes for a broken link',
        "B (2): `x` is nan, which JSON has no word for",
    ] == [item.message for item in worse.value.problems]
    with pytest.raises(BuildError, match="the prompt has no nodes"):
        decompile(Prompt({}))


def test_twins_stay_two():
    """
    Nodes that differ in nothing but their ids, or a sign of zero, get titles of their own.
    """
    latent = {"width": 512, "height": 512, "batch_size": 1}
    prompt = prompt_of(
        ("EmptyLatentImage", latent),
        ("EmptyLatentImage", latent, "Empty Latent Image (2)"),
        ("EmptyLatentImage", latent),
        ("A", {"x": 0.0}, "a"),
        ("A", {"x": -0.0}, "a"),
        ("A", {"x": 10**5000, "y": ["1", 0], "z": ["2", 0], "w": ["3", 0]}),
        ("A", {"x": 10**5000, "y": ["1", 0], "z": ["2", 0], "w": ["3", 0]}),
    )
    again = built(decompile(prompt))

    assert [
        "A", "A (2)", "Empty Latent Image", "Empty Latent Image (2)", "Empty Latent Image (3)",
        "a", "a (2)",
    ] == sorted(node.title for node in again.nodes())  # fmt: skip
    assert prompt["7"].inputs["x"] in [node.inputs.get("x") for node in again.nodes()]


def test_odd_slots_are_kept():
    """
    Slots that a class does not have, and those counted from the end, stay as they are.
    """
    prompt = prompt_of(
        ("CheckpointLoaderSimple", {"ckpt_name": "x"}),
        ("VAEDecode", {"samples": ["1", 7], "vae": ["1", -1]}),
        ("PreviewImage", {"images": ["2", -1]}),
    )

    assert """\
checkpoint_loader_simple = CheckpointLoaderSimple("x")
# VAEDecode would refuse it: `samples` is linked to an output that CheckpointLoaderSimple does not …
vae_decode = raw_node(
    "VAEDecode",
    samples=Output(checkpoint_loader_simple, 7),
    vae=Output(checkpoint_loader_simple, -1),
)
prompt = build(PreviewImage(Output(vae_decode, -1)))""" == body(decompile(prompt))
    assert shape(prompt) == shape(built(decompile(prompt)))


def test_deep_constants_are_json():
    """
    What Python's parser would find too deep is read as JSON when the script runs.
    """
    deep: Any = "core"
    for _ in range(300):
        deep = {"a": deep}
    prompt = prompt_of(("A", {"deep": deep}))
    code = decompile(prompt)

    assert "json.loads(" in code
    assert dict(prompt["1"].inputs) == dict(built(code)["1"].inputs)


def _chain(length: int) -> Prompt:
    nodes: list[tuple[Any, ...]] = [("EmptyImage", {"width": 64, "height": 64})]
    nodes += [("ImageInvert", {"image": [str(number), 0]}) for number in range(1, length)]
    return prompt_of(*nodes, ("PreviewImage", {"images": [str(length), 0]}))


@pytest.mark.slow
def test_long_chains_take_linear_work():
    """
    A chain of 10,000 nodes is written without recursion, and makes ten times the calls of a tenth.
    """
    short, long = _chain(1_000), _chain(10_000)

    assert shape(long) == shape(built(decompile(long)))
    assert growth(lambda: decompile(long), lambda: decompile(short)) < 15
