"""
Graphs with one fault each, as data: a good graph, one change, and what lint should say.

A change maps JSON pointers to new values; `GONE` removes. Every graph here must give the named
rule at the pointer, a message that says the words, and no other error.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from typing import Any

GONE = object()


def _node(class_type: str, /, **inputs: Any) -> dict[str, Any]:
    return {
        "class_type": class_type,
        "inputs": {k.replace("__", "."): v for k, v in inputs.items()},
    }


PICTURE = {
    "4": _node("CheckpointLoaderSimple", ckpt_name="model.safetensors"),
    "5": _node("EmptyLatentImage", width=512, height=768, batch_size=1),
    "6": _node("CLIPTextEncode", text="a lighthouse at dusk", clip=["4", 1]),
    "7": _node("CLIPTextEncode", text="blurry", clip=["4", 1]),
    "3": _node(
        "KSampler", model=["4", 0], positive=["6", 0], negative=["7", 0], latent_image=["5", 0],
        seed=7, steps=20, cfg=7.0, sampler_name="euler", scheduler="karras", denoise=1.0,
    ),
    "8": _node("VAEDecode", samples=["3", 0], vae=["4", 2]),
    "9": _node("SaveImage", images=["8", 0], filename_prefix="out"),
}  # fmt: skip
"""Text to image: the graph that everybody starts from."""

RESIZE = {
    "1": _node("EmptyImage", width=64, height=64, batch_size=1, color=0),
    "2": _node(
        "ResizeImageMaskNode", input=["1", 0], resize_type="scale by multiplier",
        resize_type__multiplier=2.0, scale_method="area",
    ),
    "3": _node("BatchImagesNode", images__image0=["1", 0], images__image1=["2", 0]),
    "4": _node("SaveImage", images=["3", 0], filename_prefix="out"),
}  # fmt: skip
"""Inputs of the newer kinds: a dynamic combo, a MatchType, a growing group."""

SHOW = {"1": _node("PreviewAny", source="a lighthouse")}
"""The smallest graph that runs."""

LOAD = {
    "1": _node("LoadImage", image="example.png"),
    "2": _node("SaveImage", images=["1", 0], filename_prefix="out"),
}

STYLED = {
    **PICTURE,
    "10": _node(
        "LoraLoader", model=["4", 0], clip=["4", 1], lora_name="dummy.safetensors",
        strength_model=0.8, strength_clip=0.8,
    ),
    "3": {**PICTURE["3"], "inputs": {**PICTURE["3"]["inputs"], "model": ["10", 0]}},
    "6": _node("CLIPTextEncode", text="a lighthouse at dusk", clip=["10", 1]),
    "4": _node("CheckpointLoaderSimple", ckpt_name="random_sd15_fp16.safetensors"),
}  # fmt: skip
"""With a LoRA, and files that the bundled catalog lists."""


def _chain(length: int) -> dict[str, Any]:
    nodes = {str(n): _node("ImageInvert", image=[str(n - 1), 0]) for n in range(2, length)}
    first = _node("EmptyImage", width=64, height=64, batch_size=1, color=0)
    last = _node("SaveImage", images=[str(length - 1), 0], filename_prefix="out")
    return {"1": first, **nodes, str(length): last}


AIR = "urn:air:sd1:checkpoint:civitai:4384@128713"
TOKEN = "hf_" + "aBcD1234" * 4


@dataclass(frozen=True)
class OneFault:
    """
    One case.

    Args:
        name: What is wrong.
        base: The good graph.
        change: JSON pointer → new value.
        rule: The id that should be found.
        pointer: Where.
        says: Words of the message.
        strict: Names of files are checked.
        target: `--target`.
    """

    name: str
    base: dict[str, Any]
    change: dict[str, Any]
    rule: str
    pointer: str
    says: str
    strict: bool = False
    target: str | None = None
    document: Any = field(default=None)

    def build(self) -> Any:
        """
        Give the graph with its fault.
        """
        if self.document is not None:
            return self.document
        graph = copy.deepcopy(self.base)
        for pointer, value in self.change.items():
            *path, last = (token.replace("~1", "/") for token in pointer.split("/")[1:])
            place: Any = graph
            for token in path:
                place = place[token]
            if value is GONE:
                del place[last]
            else:
                place[last] = value
        return graph


def _at(
    name: str, base: dict[str, Any], at: str, value: Any, rule: str, says: str, **more: Any
) -> OneFault:
    """A fault that is told where it is made."""
    return OneFault(name, base, {at: value}, rule, more.pop("pointer", at), says, **more)


K = "/3/inputs/"
ONE_FAULT: list[OneFault] = [
    # Values
    _at("steps-above", PICTURE, K + "steps", 20000, "CG301", "`20000`, above the maximum `10000`"),
    _at("steps-zero", PICTURE, K + "steps", 0, "CG302", "below the minimum `1`"),
    _at("cfg-above", PICTURE, K + "cfg", 101.0, "CG301", "above the maximum `100.0`"),
    _at("denoise-above", PICTURE, K + "denoise", 1.5, "CG301", "`denoise` is `1.5`"),
    _at("denoise-infinite", PICTURE, K + "denoise", float("inf"), "CG301", "`denoise`"),
    _at("seed-negative", PICTURE, K + "seed", -1, "CG302", "`seed` is `-1`"),
    _at("seed-too-large", PICTURE, K + "seed", 2**64, "CG301", "above the maximum"),
    _at("seed-absurd", PICTURE, K + "seed", 10**1000, "CG301", "an integer of 3322 bits"),
    _at("width-tiny", PICTURE, "/5/inputs/width", 8, "CG302", "below the minimum `16`"),
    _at("width-huge", PICTURE, "/5/inputs/width", 99999, "CG301", "above the maximum `16384`"),
    _at("batch-zero", PICTURE, "/5/inputs/batch_size", 0, "CG302", "`batch_size`"),
    _at("sampler-unknown", PICTURE, K + "sampler_name", "eulr", "CG303", "not one of the"),
    _at("sampler-number", PICTURE, K + "sampler_name", 3, "CG303", "`sampler_name` is `3`"),
    _at("sampler-null", PICTURE, K + "sampler_name", None, "CG303", "is `null`"),
    _at("scheduler-case", PICTURE, K + "scheduler", "Karras", "CG305", 'spells `"karras"`'),
    _at("steps-word", PICTURE, K + "steps", "many", "CG304", "is no INT"),
    _at("steps-fraction-text", PICTURE, K + "steps", "20.5", "CG304", "is no INT"),
    _at("steps-null", PICTURE, K + "steps", None, "CG304", "is no INT"),
    _at("steps-infinite", PICTURE, K + "steps", float("inf"), "CG304", "is no INT"),
    _at("cfg-object", PICTURE, K + "cfg", {"a": 1}, "CG304", "is no FLOAT"),
    _at("cfg-null", PICTURE, K + "cfg", None, "CG304", "is no FLOAT"),
    _at("file-number", PICTURE, "/4/inputs/ckpt_name", 7, "CG303", "a file name is wanted"),
    # Files, against the lists of the catalog
    _at(
        "file-unknown",
        STYLED,
        "/4/inputs/ckpt_name",
        "dream.safetensors",
        "CG303",
        "the only value of its list",
        strict=True,
    ),
    _at(
        "file-case",
        STYLED,
        "/10/inputs/lora_name",
        "Dummy.safetensors",
        "CG305",
        'spells `"dummy.safetensors"`',
        strict=True,
    ),
    _at(
        "file-folder",
        STYLED,
        "/10/inputs/lora_name",
        "SDXL\\dummy.safetensors",
        "CG306",
        'has the file as `"dummy.safetensors"`',
        strict=True,
    ),
    _at(
        "image-missing",
        LOAD,
        "/1/inputs/image",
        "holiday.png",
        "CG314",
        "does not have",
        strict=True,
    ),
    _at(
        "image-case",
        LOAD,
        "/1/inputs/image",
        "Example.PNG",
        "CG305",
        "the server spells",
        strict=True,
    ),
    _at("image-number", LOAD, "/1/inputs/image", 5, "CG211", "the name of a file is text"),
    _at("image-null", LOAD, "/1/inputs/image", None, "CG211", "the name of a file is text"),
    # Links
    _at("model-from-clip", PICTURE, K + "model", ["4", 1], "CG203", "wants MODEL"),
    _at("latent-from-model", PICTURE, K + "latent_image", ["4", 0], "CG203", "wants LATENT"),
    _at("positive-from-vae", PICTURE, K + "positive", ["4", 2], "CG203", "gives VAE"),
    _at("text-from-image", PICTURE, "/6/inputs/text", ["5", 0], "CG203", "wants STRING"),
    _at("dangling-model", PICTURE, K + "model", ["44", 0], "CG102", 'node `"44"`'),
    _at("dangling-vae", PICTURE, "/8/inputs/vae", ["vae", 0], "CG102", "does not exist"),
    _at("pair-for-number", PICTURE, "/5/inputs/width", [512, 512], "CG102", "node `512`"),
    _at("slot-beyond", PICTURE, K + "model", ["4", 7], "CG202", "slot `7`"),
    _at("slot-text", PICTURE, K + "model", ["4", "0"], "CG202", 'slot `"0"`'),
    _at("slot-fraction", PICTURE, K + "model", ["4", 0.5], "CG202", "slot `0.5`"),
    _at("slot-null", PICTURE, K + "model", ["4", None], "CG202", "slot `null`"),
    _at("slot-far-below", PICTURE, K + "model", ["4", -4], "CG202", "slot `-4`"),
    _at("id-number", PICTURE, K + "model", [4, 0], "CG204", "names its node by `4`"),
    _at("id-number-of-clip", PICTURE, "/6/inputs/clip", [4, 1], "CG204", "not by text"),
    _at("link-without-slot", PICTURE, K + "model", ["4"], "CG201", "takes a list for a link"),
    _at("link-of-three", PICTURE, K + "model", ["4", 0, 0], "CG201", "takes a list for a link"),
    _at("empty-list", PICTURE, "/6/inputs/text", [], "CG201", "takes a list for a link"),
    _at("list-of-texts", PICTURE, "/6/inputs/text", ["a", "b", "c"], "CG201", "a list"),
    _at("missing-model", PICTURE, K + "model", GONE, "CG107", "`model` (MODEL)", pointer="/3"),
    _at("missing-seed", PICTURE, K + "seed", GONE, "CG107", "`seed` (INT)", pointer="/3"),
    _at(
        "missing-prefix",
        PICTURE,
        "/9/inputs/filename_prefix",
        GONE,
        "CG107",
        "`filename_prefix`",
        pointer="/9",
    ),
    _at("model-by-name", PICTURE, K + "model", "model.safetensors", "CG207", "only a link"),
    _at("model-by-number", PICTURE, K + "model", 4, "CG207", "only a link can give MODEL"),
    _at("images-null", PICTURE, "/9/inputs/images", None, "CG207", "only a link can give IMAGE"),
    _at("link-as-text", PICTURE, "/8/inputs/vae", "4", "CG207", "only a link can give VAE"),
    _at("undeclared-dangling", PICTURE, K + "control", ["77", 0], "CG206", "waits for ever"),
    _at("undeclared-bad-slot", PICTURE, K + "control", ["4", 9], "CG206", "waits for ever"),
    _at("undeclared-to-good", PICTURE, K + "control", ["4", 0], "CG206", "fails when it runs"),
    _at(
        "wrapped-dangling",
        SHOW,
        "/1/inputs/source",
        {"__value__": ["no", 0]},
        "CG208",
        "becomes a link",
    ),
    # Structure
    _at("class-misspelt", PICTURE, "/3/class_type", "KSamplr", "CG101", "not a node class"),
    _at(
        "class-of-a-pack", PICTURE, "/8/class_type", "VHS_VideoCombine", "CG101", "not a node class"
    ),
    _at("class-empty", PICTURE, "/8/class_type", "", "CG101", "not a node class"),
    _at("class-absent", PICTURE, "/8/class_type", GONE, "CG106", "class_type", pointer="/8"),
    _at("class-number", PICTURE, "/8/class_type", 8, "CG003", "`class_type` is a number"),
    _at("node-text", PICTURE, "/note", "to do", "CG003", "is text, not an object"),
    _at("node-null", PICTURE, "/note", None, "CG003", "is null, not an object"),
    _at("inputs-list", PICTURE, "/5/inputs", [512, 512], "CG003", "`inputs` is a list"),
    _at("inputs-absent", PICTURE, "/5/inputs", GONE, "CG109", "no `inputs`", pointer="/5"),
    _at("output-gone", PICTURE, "/9", GONE, "CG104", "no output node", pointer=""),
    _at("loop-of-one", PICTURE, K + "latent_image", ["3", 0], "CG103", "in a circle"),
    OneFault(
        "loop-of-two",
        PICTURE,
        {
            "/16": _node("LatentUpscaleBy", samples=["3", 0], upscale_method="area", scale_by=1.5),
            "/3/inputs/latent_image": ["16", 0],
        },
        "CG103",
        "/3/inputs/latent_image",
        "in a circle",
    ),
    OneFault(
        "loop-through-undeclared",
        PICTURE,
        {"/4/inputs/bogus": ["8", 0]},
        "CG103",
        "/4/inputs/bogus",
        "in a circle",
    ),
    OneFault("chain-too-deep", {}, {}, "CG111", "/1200", "1,200 nodes", document=_chain(1200)),
    OneFault("array", {}, {}, "CG003", "", "not a list", document=[1, 2]),
    OneFault("number", {}, {}, "CG003", "", "not a number", document=5),
    OneFault("package-json", {}, {}, "CG003", "", "looks like a node", document={"name": "x"}),
    OneFault(
        "workflow-inside",
        {},
        {},
        "CG005",
        "/prompt",
        "a workflow",
        document={"prompt": {"nodes": [], "links": [], "version": 0.4}},
    ),
    # Inputs of the newer kinds
    _at(
        "selector-unknown",
        RESIZE,
        "/2/inputs/resize_type",
        "scale by multipler",
        "CG210",
        "choices",
    ),
    _at("selector-linked", RESIZE, "/2/inputs/resize_type", ["1", 0], "CG210", "is linked"),
    _at(
        "selector-missing",
        RESIZE,
        "/2/inputs/resize_type",
        GONE,
        "CG210",
        "is missing",
        pointer="/2",
    ),
    _at(
        "member-missing",
        RESIZE,
        "/2/inputs/resize_type.multiplier",
        GONE,
        "CG107",
        "multiplier",
        pointer="/2",
    ),
    _at("member-above", RESIZE, "/2/inputs/resize_type.multiplier", 99.0, "CG301", "above"),
    _at(
        "group-without-first",
        RESIZE,
        "/3/inputs/images.image0",
        GONE,
        "CG107",
        "images.image0",
        pointer="/3",
    ),
    _at("group-overfull", RESIZE, "/3/inputs/images.image99", ["1", 0], "CG212", "no member of"),
    OneFault(
        "match-type-refused",
        RESIZE,
        {
            "/5": _node("EmptyLatentImage", width=64, height=64, batch_size=1),
            "/2/inputs/input": ["5", 0],
        },
        "CG209",
        "/2/inputs/input",
        "takes IMAGE,MASK, and gets LATENT",
    ),
    OneFault(
        "match-type-passed-on",
        RESIZE,
        {"/5": _node("SolidMask", value=1.0, width=64, height=64), "/2/inputs/input": ["5", 0]},
        "CG209",
        "/3/inputs/images.image1",
        "passes on MASK",
    ),
    # Other services
    _at(
        "civitai-file",
        PICTURE,
        "/4/inputs/ckpt_name",
        "dream.safetensors",
        "CG411",
        "wants the AIR",
        target="civitai",
    ),
    _at(
        "civitai-air-without-version",
        PICTURE,
        "/4/inputs/ckpt_name",
        "urn:air:sd1:checkpoint:civitai:4384",
        "CG412",
        "lacks the version",
        target="civitai",
    ),
    _at(
        "civitai-image",
        LOAD,
        "/1/inputs/image",
        "http://example.com/cat.png",
        "CG413",
        "https",
        target="civitai",
    ),
    _at("comfyui-air", PICTURE, "/4/inputs/ckpt_name", AIR, "CG421", "is an AIR", target="comfyui"),
    _at(
        "comfyui-number",
        PICTURE,
        "/4/inputs/ckpt_name",
        "600423083519508503",
        "CG421",
        "is a number",
        target="comfyui",
    ),
]
"""Faults that are errors."""

ONE_SLIP: list[OneFault] = [
    _at("slot-below", PICTURE, K + "model", ["4", -3], "CG205", "slot `-3`"),
    _at("slot-true", PICTURE, "/6/inputs/clip", ["4", True], "CG205", "slot `true`"),
    _at("undeclared-constant", PICTURE, K + "strength", 1, "CG108", "has no input `strength`"),
    _at(
        "loose-node",
        PICTURE,
        "/20",
        _node("EmptyImage", width=64, height=64, batch_size=1, color=0),
        "CG105",
        "no output needs",
    ),
    OneFault(
        "loose-fault",
        PICTURE,
        {"/20": _node("ImageInvert", image=["77", 0])},
        "CG102",
        "/20/inputs/image",
        "does not exist",
    ),
    _at("cfg-not-a-number", PICTURE, K + "cfg", float("nan"), "CG309", "not a number"),
    _at("steps-text", PICTURE, K + "steps", "20", "CG310", 'the text `"20"`'),
    _at("steps-cut", PICTURE, K + "steps", 20.7, "CG312", "turns into `20`"),
    _at("steps-true", PICTURE, K + "steps", True, "CG312", "turns into `1`"),
    _at("text-null", PICTURE, "/6/inputs/text", None, "CG313", "turns into"),
    _at("token", PICTURE, "/6/inputs/text", TOKEN, "CG606", "a Hugging Face token"),
    _at(
        "path-of-a-user",
        PICTURE,
        "/9/inputs/filename_prefix",
        "C:\\Users\\ann\\out",
        "CG607",
        "an absolute path",
    ),
    _at(
        "path-upwards", PICTURE, "/9/inputs/filename_prefix", "../out", "CG608", "out of its folder"
    ),
    _at(
        "file-as-base64",
        SHOW,
        "/1/inputs/source",
        "data:image/png;base64," + "A1b2" * 4000,
        "CG609",
        "as base64",
    ),
    _at("url-of-a-lan", SHOW, "/1/inputs/source", "http://127.0.0.1:8188/view", "CG610", "private"),
    _at(
        "tams-file",
        PICTURE,
        "/4/inputs/ckpt_name",
        "dream.safetensors",
        "CG401",
        "wants the number",
        target="tams",
    ),
    _at(
        "tams-image",
        LOAD,
        "/1/inputs/image",
        "cat.png",
        "CG402",
        "uploaded resource",
        target="tams",
    ),
]
"""Faults that are warnings: the server takes them."""
