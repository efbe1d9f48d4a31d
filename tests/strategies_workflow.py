"""
Hypothesis strategies for the editor's workflows: `from strategies_workflow import ...`.

| Strategy | Gives |
|---|---|
| `workflows()` | graphs of core nodes with reroutes, muted and bypassed nodes, primitives |
| `odd_classes()` | an `/object_info` of classes with inputs of every shape, odd ones too |
| `broken(document)` | the document with a few places overwritten, removed or doubled |
"""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import strategies as st

# class → (inputs that take a link: name, type), (outputs' types), widget values
NODE_SHAPES: dict[str, tuple[list[tuple[str, str]], list[str], list[Any]]] = {
    "EmptyImage": ([], ["IMAGE"], [64, 64, 1, 0]),
    "LoadImage": ([], ["IMAGE", "MASK"], ["example.png", "image"]),
    "ImageInvert": ([("image", "IMAGE")], ["IMAGE"], []),
    "ImageScale": ([("image", "IMAGE")], ["IMAGE"], ["nearest-exact", 8, 8, "disabled"]),
    "ImageBlend": ([("image1", "IMAGE"), ("image2", "IMAGE")], ["IMAGE"], [0.5, "normal"]),
    "InvertMask": ([("mask", "MASK")], ["MASK"], []),
    "JoinImageWithAlpha": ([("image", "IMAGE"), ("alpha", "MASK")], ["IMAGE"], []),
    "BatchImagesNode": (
        [("images.image0", "IMAGE"), ("images.image1", "IMAGE")], ["IMAGE"], [],
    ),
    "PreviewImage": ([("images", "IMAGE")], [], []),
    "SaveImage": ([("images", "IMAGE")], [], ["%EmptyImage.width%/out"]),
    "Reroute": ([("", "*")], ["*"], []),
    "Note": ([], [], ["a note"]),
}  # fmt: skip

_ODD: list[Any] = [
    None, True, 0, -1, -10, -20, 2**31, 10**400, 0.5, -0.0, float("nan"), float("inf"),
    "", "-10", "1", "Reroute", "PrimitiveNode", "SetNode", "*", "%a.b%", "{a|b", "\ud800",
    [], {}, [[]], [None], {"id": 1}, [1, 2, 3, 4, 5, 6],
]  # fmt: skip


@st.composite
def workflows(draw: st.DrawFn, most: int = 12) -> dict[str, Any]:
    """
    A workflow of format 0.4 without cycles; inputs are left unconnected now and then.
    """
    nodes: list[dict[str, Any]] = []
    links: list[list[Any]] = []
    feeds: list[tuple[int, int, str]] = []
    for node_id in range(1, draw(st.integers(0, most)) + 1):
        kind = draw(st.sampled_from(sorted(NODE_SHAPES)))
        shape_inputs, shape_outputs, values = NODE_SHAPES[kind]
        inputs = []
        for at, (name, wanted) in enumerate(shape_inputs):
            fitting = [f for f in feeds if wanted == "*" or f[2] in (wanted, "*")]
            link_id = None
            if fitting and draw(st.integers(0, 5)):
                origin, slot, given_type = draw(st.sampled_from(fitting))
                link_id = len(links) + 1
                links.append([link_id, origin, slot, node_id, at, given_type])
                nodes[origin - 1]["outputs"][slot]["links"].append(link_id)
            inputs.append({"name": name, "type": wanted, "link": link_id})
        nodes.append(
            {
                "id": node_id,
                "type": kind,
                "mode": draw(st.sampled_from([0, 0, 0, 0, 1, 2, 4])),
                "inputs": inputs,
                "outputs": [{"name": t, "type": t, "links": []} for t in shape_outputs],
                "properties": {"Node name for S&R": kind},
                "widgets_values": list(values),
            }
        )
        feeds += [(node_id, slot, t) for slot, t in enumerate(shape_outputs)]
    return {
        "last_node_id": len(nodes),
        "last_link_id": len(links),
        "nodes": nodes,
        "links": links,
        "groups": [],
        "config": {},
        "extra": {},
        "version": 0.4,
    }


_KINDS = [
    "INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "IMAGE", "*", "", "INT,FLOAT", "CURVE", "COLOR",
    "BOUNDING_BOX", "IMAGECOMPARE", "COMFY_AUTOGROW_V3", "COMFY_DYNAMICCOMBO_V3",
    "COMFY_MATCHTYPE_V3", ["a", "b"], [], None, 7, {},
]  # fmt: skip
_OPTIONS = [
    "default", "min", "max", "step", "round", "forceInput", "widgetType", "options", "template",
    "control_after_generate", "image_upload", "dynamicPrompts", "multiselect", "socketless",
]  # fmt: skip


def odd_classes() -> st.SearchStrategy[dict[str, Any]]:
    """
    Node classes as a server full of strange packs might list them.
    """
    values = st.one_of(
        st.sampled_from(_ODD),
        st.lists(st.sampled_from(["a", "b", 1]), max_size=3),
        st.just([{"key": "a", "inputs": {"required": {"x": ["INT", {}]}}}, {"key": "b"}]),
        st.just({"input": {"required": {"x": ["IMAGE", {}]}}, "prefix": "x", "min": 1, "max": 3}),
    )
    options = st.dictionaries(st.sampled_from(_OPTIONS), values, max_size=4)
    spec = st.one_of(
        st.tuples(st.sampled_from(_KINDS), options).map(list),
        st.sampled_from(_KINDS).map(lambda kind: [kind]),
        st.sampled_from(_ODD),
    )
    names = st.sampled_from(["a", "seed", "noise_seed", "image", "choice", "text", "", "0", "a.b"])
    section = st.one_of(st.dictionaries(names, spec, max_size=5), st.sampled_from(_ODD))
    entry = st.fixed_dictionaries(
        {"input": st.dictionaries(st.sampled_from(["required", "optional"]), section)},
        optional={"output": values, "input_order": values, "display_name": values},
    )
    kinds = st.sampled_from(["A", "B", "KSampler", "CustomCombo", "Load3D", "SaveImage"])
    return st.dictionaries(kinds, entry, min_size=1, max_size=4)


@st.composite
def broken(draw: st.DrawFn, document: Any) -> Any:
    """
    A copy of a document in which one to five places are not what they were.
    """
    out = copy.deepcopy(document)
    for _ in range(draw(st.integers(1, 5))):
        places = _places(out)
        if not places:
            break
        holder, key = draw(st.sampled_from(places))
        match draw(st.sampled_from(["set", "set", "remove", "copy"])):
            case "remove":
                del holder[key]
            case "copy":
                other, other_key = draw(st.sampled_from(places))
                if other_key in other if isinstance(other, dict) else other_key < len(other):
                    holder[key] = copy.deepcopy(other[other_key])
            case _:
                holder[key] = copy.deepcopy(draw(st.sampled_from(_ODD)))
    return out


def _places(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    pending = [document]
    while pending:
        item = pending.pop()
        if isinstance(item, dict):
            found += [(item, key) for key in item]
            pending += item.values()
        elif isinstance(item, list):
            found += [(item, index) for index in range(len(item))]
            pending += item
    return found
