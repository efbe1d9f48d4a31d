"""
Hypothesis strategies that all tests share: `from strategies import ...`.

| Strategy | Gives |
|---|---|
| `json_values()` | any JSON value, odd ones included |
| `json_documents()` | JSON texts and bytes: deep, wide, broken, not UTF-8 |
| `adjacencies()` | plain graphs: cycles, self loops, missing nodes |
| `loose_prompts()` | prompts without regard to any catalog: cycles, dangling links |
| `object_info_entries()`, `object_infos()`, `catalogs()` | node classes in every shape |
| `valid_prompts()` | prompts that the bundled core catalog has nothing against |
| `mutations(prompt)` | one seeded fault in a valid prompt, with what should be found |

To add a shape of spec, add a line to `INPUT_SPECS` here; a class to valid prompts, a name to
`PROMPT_CLASSES` in `prompt_strategies`; a fault, a function with `@fault` there, under the name
of the rule that it should set off.
"""

from __future__ import annotations

import json
from typing import Any

from hypothesis import strategies as st
from prompt_strategies import FAULTS, Mutation, fault, mutations, sites, valid_prompts

from comfygraph.catalog import NodeCatalog, load_catalog
from comfygraph.core.values import Link, Node, Prompt

__all__ = [
    "FAULTS",
    "Mutation",
    "adjacencies",
    "catalogs",
    "fault",
    "json_documents",
    "json_scalars",
    "json_values",
    "loose_prompts",
    "mutations",
    "object_info_entries",
    "object_infos",
    "sites",
    "valid_prompts",
]

# JSON ---------------------------------------------------------------------------------------

ODD_TEXTS = ["", " ", "a\nb", "\x00", "~/", "..", "é\u0301", "\ud800", "😀", "__proto__", "0" * 30]
ODD_NUMBERS: list[Any] = [
    0, -1, 1, 2**31, 2**53 + 1, -(2**63), 10**400, 0.5, -0.0, 1e308,
    float("nan"), float("inf"), float("-inf"), True, False,
]  # fmt: skip


def json_scalars() -> st.SearchStrategy[Any]:
    """
    Null, booleans, numbers with NaN and huge ones, texts with lone surrogates.
    """
    return st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(ODD_TEXTS),
        st.sampled_from(ODD_NUMBERS),
    )


def json_values(max_leaves: int = 20) -> st.SearchStrategy[Any]:
    """
    Any value that `json.loads` can give.
    """
    keys = st.one_of(
        st.text(max_size=6),
        st.sampled_from(ODD_TEXTS),
        st.sampled_from(["inputs", "class_type", "_meta", "prompt", "nodes", "1", "2"]),
    )
    return st.recursive(
        json_scalars(),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4)
        ),
        max_leaves=max_leaves,
    )


def json_documents() -> st.SearchStrategy[bytes]:
    """
    Bytes that somebody may hand in as a JSON document; few of them are one.
    """

    def deep(depth: int, opening: str, closing: str, core: bytes) -> bytes:
        return opening.encode() * depth + core + closing.encode() * depth

    written = json_values().map(lambda value: json.dumps(value).encode())
    depths = st.sampled_from([1, 50, 990, 5_000, 100_000])
    return st.one_of(
        written,
        written.flatmap(lambda text: st.integers(0, len(text)).map(lambda cut: text[:cut])),
        written.map(lambda text: b"\xef\xbb\xbf" + text),
        written.map(lambda text: text.decode().encode("utf-16")),
        st.binary(max_size=40),
        st.builds(deep, depths, st.just("["), st.just("]"), st.just(b"")),
        st.builds(deep, depths, st.just('{"a":'), st.just("}"), st.sampled_from([b"1", b""])),
        st.builds(deep, depths, st.just('{"1":{"inputs":{"a":['), st.just("]}}}"), st.just(b"")),
        st.sampled_from(
            [
                b"", b" ", b"null", b"NaN", b'"\\ud800"', b'{"a":1,"a":2}', b"{'a': 1}", b"[1,]",
                b"9" * 5_000, b'{"1": {"inputs": {"x": ' + b"9" * 5_000 + b'}, "class_type": "A"}}',
                b"<!doctype html><html></html>", b"\x1f\x8b\x08", b"\x89PNG\r\n\x1a\n",
                b"PK\x03\x04",
            ]
        ),
    )  # fmt: skip


# Graphs -------------------------------------------------------------------------------------

_IDS = [str(number) for number in range(8)]


def adjacencies(max_size: int = 7) -> st.SearchStrategy[dict[str, list[str]]]:
    """
    Plain graphs of up to `max_size` nodes, with cycles, self loops and missing nodes.
    """
    return st.dictionaries(
        st.sampled_from(_IDS[:max_size]),
        st.lists(st.sampled_from(_IDS), max_size=4),
        max_size=max_size,
    )


def loose_prompts(max_size: int = 7) -> st.SearchStrategy[Prompt]:
    """
    Prompts of made-up classes: links go anywhere, constants are any JSON.
    """
    ids = st.sampled_from([*_IDS, "7:1", "é", "a/b~c"])
    names = st.sampled_from(["a", "b", "c", "model", "x.y"])
    links = st.builds(Link, ids, st.integers(-1, 3))
    inputs = st.dictionaries(names, st.one_of(links, links, json_values(4)), max_size=4)
    metas = st.one_of(st.none(), st.fixed_dictionaries({"title": st.text(max_size=5)}))
    classes = st.sampled_from(["A", "B", "KSampler"])

    @st.composite
    def build(draw: st.DrawFn) -> Prompt:
        nodes = {}
        for node_id in draw(st.lists(ids, unique=True, max_size=max_size)):
            node = Node(node_id, draw(classes), draw(inputs), draw(metas))
            nodes[node_id] = node
        # Read it once, so that lists which look like links are links.
        return Prompt.from_json(Prompt(nodes).to_json())

    return build()


# Catalogs -----------------------------------------------------------------------------------

_MEMBERS = {"required": {"w": ["INT", {"min": 0}]}, "optional": {"m": ["MASK", {}]}}
INPUT_SPECS: list[Any] = [
    # As ComfyUI 0.33.0 writes them.
    ["MODEL"],
    ["MODEL", {}],
    ["MODEL", {"tooltip": "prose", "lazy": True}],
    ["INT", {"default": 20, "min": 1, "max": 10000, "step": 8}],
    ["INT", {"default": 0, "min": 0, "max": 2**64 - 1, "control_after_generate": True}],
    ["FLOAT", {"default": 1.0, "min": 0.0, "max": 1.0, "step": 0.01, "round": 0.001}],
    ["STRING", {"multiline": True, "dynamicPrompts": True}],
    ["STRING", {"forceInput": True}],
    ["BOOLEAN", {"default": False, "label_on": "yes"}],
    [["euler", "heun"], {}],
    [["euler", "heun"]],
    [[], {}],
    [[True, 1, "1", None, 1.5], {}],
    [["a.png"], {"image_upload": True}],
    ["COMBO", {"options": ["a", "b"], "default": "a", "multiselect": False}],
    ["COMBO", {"options": ["a", "b"], "multiselect": True}],
    ["COMBO", {"remote": {"route": "/internal/files/output"}}],
    ["COMBO", {}],
    ["INT,FLOAT", {"default": 1, "widgetType": "INT"}],
    ["IMAGE,MASK", {}],
    ["*", {}],
    ["COMFY_MATCHTYPE_V3", {"template": {"template_id": "t", "allowed_types": "IMAGE,MASK"}}],
    ["COMFY_AUTOGROW_V3", {"template": {
        "input": {"required": {"image": ["IMAGE", {}]}}, "prefix": "image", "min": 1, "max": 5}}],
    ["COMFY_AUTOGROW_V3", {"template": {
        "input": {"optional": {"v": ["FLOAT", {"min": 0}]}}, "names": ["a", "b"], "min": 0}}],
    ["COMFY_DYNAMICCOMBO_V3", {"options": [
        {"key": "x", "inputs": _MEMBERS},
        {"key": "y", "inputs": {"required": {"inner": ["COMFY_DYNAMICCOMBO_V3", {"options": [
            {"key": "deep", "inputs": _MEMBERS}]}]}}},
        {"key": "none", "inputs": {}}]}],
    ["COMFY_DYNAMICSLOT_V3", {"slotType": "IMAGE", "inputs": _MEMBERS}],
    ["COMFY_DYNAMICSLOT_V3", {"slot": ["MASK", {}], "inputs": _MEMBERS}],
    # Of newer servers and careless packs.
    ["COMFY_SOMETHING_V9", {"template": [1, {"x": []}]}],
    ["MODEL", None],
    ["MODEL", {"min": "low", "max": [], "default": {"a": 1}}],
    ["INT", {"min": float("nan"), "max": float("inf")}],
    "STRING",
    [],
    [None],
    [5, {}],
    None,
]  # fmt: skip
"""Every shape in which an input stands in `/object_info`."""


def input_specs() -> st.SearchStrategy[Any]:
    """
    Specs of inputs in every known shape, and some in none.
    """
    return st.one_of(st.sampled_from(INPUT_SPECS), json_values(6))


def object_info_entries() -> st.SearchStrategy[dict[str, Any]]:
    """
    Entries of `/object_info` that hold together.
    """
    names = st.sampled_from(["model", "seed", "image", "x.y", "größe", "", "a b", "class"])
    sections = st.dictionaries(names, st.sampled_from(INPUT_SPECS), max_size=5)
    kinds = st.sampled_from(["MODEL", "IMAGE", "IMAGE,MASK", "*", "COMFY_MATCHTYPE_V3", ["a", "b"]])

    @st.composite
    def build(draw: st.DrawFn) -> dict[str, Any]:
        inputs = {
            "required": draw(sections),
            "optional": draw(sections),
            "hidden": {"prompt": "PROMPT", "unique_id": ["UNIQUE_ID", {}]},
        }
        for section in ("optional", "hidden"):
            if draw(st.booleans()):
                del inputs[section]
        outputs = draw(st.lists(kinds, max_size=4))
        return {
            "input": inputs,
            "input_order": {
                key: draw(st.permutations(list(value))) for key, value in inputs.items()
            },
            "output": outputs,
            "output_is_list": [draw(st.booleans()) for _ in outputs],
            "output_name": [draw(st.sampled_from(["out", "IMAGE", "é"])) for _ in outputs],
            "name": "any",
            "display_name": draw(st.sampled_from(["A Node", "", "é\x1b[31m"])),
            "description": "prose",
            "python_module": "custom_nodes.pack",
            "category": "a/b",
            "output_node": draw(st.booleans()),
            "deprecated": draw(st.booleans()),
            "api_node": draw(st.booleans()),
        }

    return build()


def class_names() -> st.SearchStrategy[str]:
    """
    Names under which packs register classes.
    """
    odd = [
        "A",
        "KSampler",
        "Größe 😀",
        "a|b (pack)",
        'quo"te',
        "back\\slash",
        "tab\t",
        "\ud800",
        " ",
    ]
    return st.one_of(st.sampled_from(odd), st.text(min_size=1, max_size=6))


def object_infos(max_size: int = 4) -> st.SearchStrategy[dict[str, Any]]:
    """
    Documents of `/object_info` that hold together.
    """
    return st.dictionaries(class_names(), object_info_entries(), min_size=1, max_size=max_size)


def catalogs() -> st.SearchStrategy[NodeCatalog]:
    """
    Catalogs with classes in every shape.
    """
    return object_infos().map(load_catalog)
