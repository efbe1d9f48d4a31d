"""
Rewriting a graph for a service.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from comfygraph.catalog import bundled_catalog
from comfygraph.documents import open_document
from comfygraph.errors import PromptError
from comfygraph.references.resolution import Availability, Resolution
from comfygraph.references.resolve import TargetName
from comfygraph.references.retarget import Retargeted, read_graph, retarget
from comfygraph.references.uses import ModelUse

CATALOG = bundled_catalog()
GRAPH = """{
  "4": {"class_type": "CheckpointLoaderSimple",
        "inputs": {"ckpt_name": "a.ckpt"}, "_meta": {"title": "base"}},
  "5": {"inputs": {"lora_name" :"b.safetensors", "strength_model": 1.0, "strength_clip": 1e0,
                   "model": ["4", 0], "clip": ["4", 1]}, "class_type": "LoraLoader"},
  "6": {"class_type": "CLIPTextEncode",
        "inputs": {"text": "\\u00e4 embedding:one, (embedding:two:1.2)", "clip": ["5", 1]}}
}
"""
WORKFLOW = {
    "last_node_id": 2, "last_link_id": 1, "version": 0.4, "groups": [], "config": {}, "extra": {},
    "nodes": [
        {"id": 1, "type": "CheckpointLoaderSimple", "pos": [0, 0], "size": [200, 100], "flags": {},
         "order": 0, "mode": 0, "inputs": [], "properties": {}, "widgets_values": ["a.ckpt"],
         "outputs": [{"name": "MODEL", "type": "MODEL", "links": [1], "slot_index": 0},
                     {"name": "CLIP", "type": "CLIP", "links": None},
                     {"name": "VAE", "type": "VAE", "links": None}]},
        {"id": 2, "type": "LoraLoaderModelOnly", "pos": [300, 0], "size": [200, 100], "flags": {},
         "order": 1, "mode": 0, "properties": {}, "widgets_values": ["b.safetensors", 0.5],
         "inputs": [{"name": "model", "type": "MODEL", "link": 1}],
         "outputs": [{"name": "MODEL", "type": "MODEL", "links": None}]},
    ],
    "links": [[1, 1, 0, 2, 0, "MODEL"]],
}  # fmt: skip


def prefixed(use: ModelUse, target: TargetName) -> Resolution:
    """
    Find the name of every model but `none`.
    """
    name = None if "none" in use.value else f"new_{use.value}"
    return Resolution(target, name, Availability.UNKNOWN, "by hand", None if name else "look")


def rewritten(text: str, target: TargetName = "comfyui") -> Retargeted:
    """
    Retarget a document with `prefixed`.
    """
    graph = read_graph(open_document(text.encode(), name="g.json"), CATALOG)
    return retarget(graph, target, prefixed)


def test_names_change_and_all_else_stays() -> None:
    """
    Each name changes where it stands, in texts too; every other byte stays.
    """
    result = rewritten(GRAPH)
    expected = GRAPH
    for name in ("a.ckpt", "b.safetensors", "one,", "two:"):
        expected = expected.replace(name, f"new_{name}")

    assert expected == result.text
    assert result.complete
    assert ["/4/inputs/ckpt_name", "/5/inputs/lora_name", *["/6/inputs/text"] * 2] == [
        change.pointer for change in result.changes
    ]


def test_names_deep_in_a_value_change() -> None:
    """
    A name within an object changes there; the finding about one points there.
    """
    text = """{"1": {"class_type": "Power Lora Loader (rgthree)", "inputs": {
  "lora_1": {"on":true, "a/b": "a.safetensors"}, "lora_2": {"lora": ["none.safetensors"]}}}}"""
    result = rewritten(text)

    assert text.replace("a.safetensors", "new_a.safetensors") == result.text
    assert ["/1/inputs/lora_1/a~1b"] == [change.pointer for change in result.changes]
    assert ["/1/inputs/lora_2/lora/0"] == [item.pointer for item in result.report]


@pytest.mark.parametrize(
    ("target", "rule"), [("comfyui", "CG314"), ("civitai", "CG411"), ("tams", "CG401")]
)
def test_what_has_no_name_is_a_finding(target: TargetName, rule: str) -> None:
    """
    The finding is that of lint's rule for the service, at the input, in the order of the graph.
    """
    text = GRAPH.replace("a.ckpt", "none_a.ckpt").replace("two", "none")
    result = rewritten(text, target)
    first, second = result.report.diagnostics

    assert not result.complete
    assert (rule, "/4/inputs/ckpt_name", "4", "ckpt_name", "base", "look") == (
        first.rule_id, first.pointer, first.node_id, first.input, first.title, first.help,
    )  # fmt: skip
    assert "`ckpt_name` is `none_a.ckpt`: by hand" == first.message
    assert ("/6/inputs/text", "CLIPTextEncode") == (second.pointer, second.class_type)
    assert "embedding:new_one, (embedding:none:1.2)" in result.text


def test_a_number_without_a_file() -> None:
    """
    For a ComfyUI server, a number is no missing file: it is another service's reference.
    """
    graph = read_graph(
        open_document(GRAPH.replace("a.ckpt", "1" * 18).encode(), name="g.json"), CATALOG
    )
    result = retarget(
        graph, "comfyui", lambda use, _: Resolution("", None, Availability.UNKNOWN, "x")
    )

    assert ["CG421", "CG314"] == [found.rule_id for found in result.report.diagnostics[:2]]


def test_a_name_that_is_right_is_kept() -> None:
    """
    A model whose name is as it should be is no change.
    """
    graph = read_graph(open_document(GRAPH.encode(), name="g.json"), CATALOG)
    result = retarget(
        graph, "comfyui", lambda use, _: Resolution("", use.value, Availability.UNKNOWN, "")
    )

    assert (GRAPH, (), 4) == (result.text, result.changes, len(result.kept))


def test_workflows_of_the_editor() -> None:
    """
    In a workflow the values of widgets change, and what the editor makes of it has the names.
    """
    text = json.dumps(WORKFLOW, indent=1)
    result = rewritten(text)
    again = read_graph(open_document(result.text.encode(), name="g.json"), CATALOG)

    assert text.replace('"a.', '"new_a.').replace('"b.', '"new_b.') == result.text
    assert ["new_a.ckpt", "new_b.safetensors"] == [use.value for use in again.uses]


@pytest.mark.parametrize(
    ("wrap", "pointer"),
    [
        (lambda graph: {"prompt": graph, "client_id": "x"}, "/prompt/4/inputs/ckpt_name"),
        (
            lambda graph: {"steps": [{"$type": "comfy", "input": {"comfyWorkflow": graph}}]},
            "/steps/0/input/comfyWorkflow/4/inputs/ckpt_name",
        ),
    ],
    ids=["request", "civitai"],
)
def test_bodies_of_services(wrap: Any, pointer: str) -> None:
    """
    A graph within the body of a service is found and edited there.
    """
    text = json.dumps(wrap(json.loads(GRAPH)))
    result = rewritten(text)

    assert pointer == result.changes[0].pointer
    assert (
        text.replace('"a.ckpt', '"new_a.ckpt')
        .replace('"b.saf', '"new_b.saf')
        .replace("one,", "new_one,")
        .replace("two:", "new_two:")
        .replace("embedding:one", "embedding:new_one")
        == result.text
    )


def test_a_key_that_stands_twice() -> None:
    """
    Where a key stands twice, the one that counts is changed: the last.
    """
    text = GRAPH.replace('"ckpt_name": "a.ckpt"', '"ckpt_name": "z.ckpt", "ckpt_name": "a.ckpt"')
    result = rewritten(text)

    assert '"ckpt_name": "z.ckpt", "ckpt_name": "new_a.ckpt"' in result.text


def test_no_graph() -> None:
    """
    A document without a graph is an error.
    """
    with pytest.raises(PromptError):
        read_graph(open_document(b'{"hello": 1}', name="g.json"), CATALOG)


NAMES = st.from_regex(r"[a-z0-9_/]{1,12}\.safetensors", fullmatch=True)


@given(st.lists(NAMES, min_size=1, max_size=6), st.integers(0, 4) | st.none(), st.booleans())
def test_there_and_back_again(names: list[str], indent: int | None, ascii_only: bool) -> None:
    """
    Names that change and change back leave the very text, however it is written.
    """
    graph = {
        f"n{place}/~": {"class_type": "VAELoader", "inputs": {"vae_name": name},
                        "_meta": {"title": "ü"}}
        for place, name in enumerate(names)
    }  # fmt: skip
    text = json.dumps(graph, indent=indent, ensure_ascii=ascii_only)
    there = read_graph(open_document(rewritten(text).text.encode(), name="g"), CATALOG)
    back = retarget(
        there, "comfyui",
        lambda use, _: Resolution("", use.value.removeprefix("new_"), Availability.UNKNOWN, ""),
    )  # fmt: skip

    assert [f"new_{name}" for name in names] == [use.value for use in there.uses]
    assert text == back.text
