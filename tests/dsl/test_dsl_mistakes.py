"""
Mistakes: all of them at once, each with its line and what to do.
"""
# ruff: noqa: ISC004, PT017

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from strategies import json_values

from comfygraph.dsl import Output, build, param, raw_node
from comfygraph.dsl.expression import where_of
from comfygraph.errors import BuildError, ExitCode
from comfygraph.nodes import (
    BatchImagesNode,
    CheckpointLoaderSimple,
    CLIPTextEncode,
    ComfyMathExpression,
    ComfySwitchNode,
    EmptyImage,
    EmptyLatentImage,
    ImageScale,
    KSampler,
    LoadImage,
    LoraLoader,
    PreviewAny,
    PrimitiveInt,
    ResizeImageMaskNode,
    SaveImage,
    SetLatentNoiseMask,
    VAEDecode,
)

C: Any = CheckpointLoaderSimple("a.safetensors")
IMAGE: Any = LoadImage("a.png")
LATENT: Any = EmptyLatentImage(64, 64)
TEXT: Any = CLIPTextEncode("a", C)

# What a type checker would say is no news here: the classes are used without their types.
BATCH: Any = BatchImagesNode
ENCODE: Any = CLIPTextEncode
EMPTY: Any = EmptyLatentImage
DECODE: Any = VAEDecode
LORA: Any = LoraLoader
MASK: Any = SetLatentNoiseMask
MATH: Any = ComfyMathExpression
PLAIN: Any = EmptyImage
RESIZE: Any = ResizeImageMaskNode
SAMPLE: Any = KSampler
SAVE: Any = SaveImage
SCALE: Any = ImageScale
SWITCH: Any = ComfySwitchNode


def _messages(*nodes: Any) -> list[str]:
    with pytest.raises(BuildError) as caught:
        build(*nodes)
    return [
        problem.message + (f" ({problem.help})" if problem.help else "")
        for problem in caught.value.problems
    ]


ONE_MISTAKE = [
    (
        lambda: DECODE(TEXT, C),
        "VAEDecode: `samples` wants LATENT, CLIPTextEncode gives CONDITIONING",
    ),
    (
        lambda: DECODE(SAVE(IMAGE.IMAGE), C),
        "VAEDecode: `samples` wants LATENT, SaveImage gives IMAGE",
    ),
    (
        lambda: DECODE(C.CLIP, C, title="last"),
        'VAEDecode "last": `samples` wants LATENT, CheckpointLoaderSimple gives CLIP',
    ),
    (lambda: DECODE(LATENT), "VAEDecode: `vae` is missing (it takes VAE)"),
    (lambda: DECODE(LATENT, None), "VAEDecode: `vae` is missing (it takes VAE)"),
    (lambda: LORA(C, C), "LoraLoader: `lora_name` is missing (a file of loras)"),
    (
        lambda: EMPTY(64, 64, batch=1),
        "EmptyLatentImage: it has no input `batch` (did you mean `batch_size`?)",
    ),
    (
        lambda: ENCODE("a", C, zzz=1),
        "CLIPTextEncode: it has no input `zzz` (its inputs are text, clip)",
    ),
    (
        lambda: ENCODE(txet="a", clip=C),
        "CLIPTextEncode: it has no input `txet` (did you mean `text`?)",
    ),
    (
        lambda: EMPTY(64, 64, 1, 1),
        "EmptyLatentImage: 4 inputs by position, of which it takes 3 (give the others by name)",
    ),
    (
        lambda: PLAIN(64),
        "EmptyImage: 1 input by position, of which it takes none (give the others by name)",
    ),
    (
        lambda: SAVE(Output(IMAGE, 7)),
        "SaveImage: `images` is given output 7 of LoadImage, which it does not have "
        "(it has IMAGE, MASK)",
    ),
    (
        lambda: SWITCH(switch=True, on_false=IMAGE.IMAGE, on_true=Output(IMAGE, -3)),
        "ComfySwitchNode: `on_true` is given output -3 of LoadImage, which it does not have "
        "(it has IMAGE, MASK)",
    ),
    (
        lambda: BATCH(image for image in [IMAGE.IMAGE]),
        "BatchImagesNode: `images` is a generator (give its members as a list)",
    ),
    (
        lambda: raw_node("Any", images=[IMAGE.IMAGE]),
        "Any: `images` is a list, which is not JSON "
        '(links stand alone here: raw_node("Class", **{"images.image0": node[0]}))',
    ),
    (lambda: EMPTY(64, 64, width=64), "EmptyLatentImage: `width` is given twice"),
    (lambda: EMPTY(8, 64), "EmptyLatentImage: `width` is 8, below the minimum 16"),
    (lambda: EMPTY(64, 99999), "EmptyLatentImage: `height` is 99999, above the maximum 16384"),
    (lambda: EMPTY("64", 64), "EmptyLatentImage: `width` is '64', not a whole number"),
    (lambda: EMPTY(64.5, 64), "EmptyLatentImage: `width` is 64.5, not a whole number"),
    (lambda: EMPTY(True, 64), "EmptyLatentImage: `width` is True, not a whole number"),
    (
        lambda: EMPTY(LATENT, 64),
        "EmptyLatentImage: `width` wants INT, EmptyLatentImage gives LATENT",
    ),
    (lambda: ENCODE(7, C), "CLIPTextEncode: `text` is 7, not a text"),
    (lambda: LORA(C, C, 7), "LoraLoader: `lora_name` is 7, not a file name"),
    (
        lambda: LORA(C, C, "b", strength_model=math.nan),
        "LoraLoader: `strength_model` is nan, which JSON has no word for",
    ),
    (
        lambda: LORA(C, C, "b", strength_model=PrimitiveInt(value=1)),
        "LoraLoader: `strength_model` wants FLOAT, PrimitiveInt gives INT",
    ),
    (
        lambda: SCALE(IMAGE.IMAGE, upscale_method="lancsoz", width=64, height=64, crop="disabled"),
        "ImageScale: `upscale_method` is 'lancsoz', not in its list (did you mean `lanczos`?)",
    ),
    (
        lambda: SCALE(IMAGE.IMAGE, upscale_method="area", width=64, height=64, crop="x"),
        "ImageScale: `crop` is 'x', not in its list (one of `disabled`, `center`)",
    ),
    (
        lambda: SAVE(LoadImage),
        "SaveImage: `images` is the class LoadImage, but only a link can give it IMAGE",
    ),
    (lambda: SAVE("a.png"), "SaveImage: `images` is 'a.png', but only a link can give it IMAGE"),
    (
        lambda: SAVE(raw_node("Pack")),
        "SaveImage: `images` is given Pack, of which nobody knows the outputs (say which: node[0])",
    ),
    (
        lambda: raw_node("Pack", x=C),
        "Pack: `x` is given CheckpointLoaderSimple as a whole (say which output: node[0])",
    ),
    (lambda: raw_node("Pack", x={1, 2}), "Pack: `x` is a set, which is not JSON"),
    (
        lambda: PreviewAny(C),
        "PreviewAny: `source` fits several outputs of CheckpointLoaderSimple "
        "(say which: .MODEL or .CLIP or .VAE)",
    ),
    (
        lambda: BATCH([IMAGE.IMAGE, IMAGE.MASK]),
        "BatchImagesNode: `images.image1` wants IMAGE, LoadImage gives MASK "
        "(the nearest is LoadImage.IMAGE)",
    ),
    (
        lambda: BATCH([]),
        "BatchImagesNode: `images` needs at least 1 member (missing: image0)",
    ),
    (
        lambda: BATCH([IMAGE.IMAGE] * 51),
        "BatchImagesNode: `images` has 51 members, above the maximum 50",
    ),
    (
        lambda: BATCH({"image0": IMAGE.IMAGE, "picture": IMAGE.IMAGE}),
        "BatchImagesNode: `images` has no member 'picture' "
        "(its members are `image0`, `image1`, `image2`, `image3`, …)",
    ),
    (
        lambda: MATH(expression="a", values=["a"]),
        "ComfyMathExpression: `values.a` is 'a', not one of FLOAT, INT, BOOLEAN",
    ),
    (
        lambda: RESIZE(IMAGE.IMAGE, "scale by multiplicator"),
        "ResizeImageMaskNode: `resize_type` is 'scale by multiplicator', not in its list "
        "(did you mean `scale by multiplier` or `scale to multiple`?)",
    ),
    (
        lambda: RESIZE(IMAGE.IMAGE, {"resize_type": "scale width", "multiplier": 2}),
        "ResizeImageMaskNode: `resize_type` = 'scale width' has no `multiplier` "
        "(it goes with `width`)",
    ),
    (
        lambda: RESIZE(IMAGE.IMAGE, "match size"),
        "ResizeImageMaskNode: `resize_type.match` is missing (it takes IMAGE or MASK)",
    ),
    (
        lambda: RESIZE(IMAGE.IMAGE, TEXT),
        "ResizeImageMaskNode: `resize_type` is chosen in the script, no link can choose it",
    ),
    (
        lambda: RESIZE(C.MODEL, "scale width"),
        "ResizeImageMaskNode: `input` wants IMAGE or MASK, CheckpointLoaderSimple gives MODEL",
    ),
    (
        lambda: DECODE(SWITCH(switch=True, on_false=IMAGE.MASK, on_true=IMAGE.MASK), C),
        "VAEDecode: `samples` wants LATENT, ComfySwitchNode gives MASK",
    ),
    (
        lambda: SWITCH(switch=True, on_false=IMAGE.MASK, on_true=IMAGE.IMAGE),
        "ComfySwitchNode: `on_true` is given IMAGE and `on_false` MASK, "
        "but all must be of one type",
    ),
    (
        lambda: EMPTY(param("w", 64), param("w", 128)),
        "EmptyLatentImage: the parameter `w` has two defaults: 64 and 128",
    ),
    (lambda: EMPTY(64, 64, title=7), "EmptyLatentImage: its title is 7, not a text"),
]


@pytest.mark.parametrize(("make", "message"), ONE_MISTAKE, ids=[text for _, text in ONE_MISTAKE])
def test_one_mistake_one_message(make: Any, message: str):
    """
    Each mistake is said once, in one line, the most specific fact first.
    """
    assert [message] == _messages(make())


def test_the_nearest_output_upstream_is_named():
    """
    A wrong socket comes with the nearest output that would fit.
    """
    assert [
        "KSampler: `model` wants MODEL, CLIPTextEncode gives CONDITIONING "
        "(the nearest is CheckpointLoaderSimple.MODEL)"
    ] == _messages(SAMPLE(TEXT, positive=TEXT, negative=TEXT, latent_image=LATENT))


def test_all_mistakes_at_once_with_their_lines():
    """
    One exception lists the mistakes of all nodes, with file and line of the call.
    """
    first = EMPTY(0, 0)
    second = DECODE(first, TEXT)
    with pytest.raises(BuildError) as caught:
        build(SAVE(second, filename="x"))

    start = where_of(second)[1]
    assert "4 mistakes in the graph" == caught.value.message
    assert ExitCode.FINDINGS == caught.value.exit_code
    assert [
        (start - 1, "EmptyLatentImage", "width"),
        (start - 1, "EmptyLatentImage", "height"),
        (start, "VAEDecode", "vae"),
        (start + 2, "SaveImage", "filename"),
    ] == [(item.line, item.class_type, item.input) for item in caught.value.problems]
    assert {__file__.rsplit("/", 1)[-1]} == {
        str(item.file).rsplit("/", 1)[-1] for item in caught.value.problems
    }
    assert 5 == len(str(caught.value).splitlines())


@given(json_values())
def test_no_constant_breaks_anything(value: Any):
    """
    Any value in any kind of input is taken or is a mistake, never a crash.
    """
    nodes = [
        EMPTY(value, 64), ENCODE(value, C), LORA(C, C, value, strength_model=value), SAVE(value),
        SAMPLE(C, sampler_name=value, positive=value, negative=TEXT, latent_image=LATENT),
        PreviewAny(value), raw_node("Pack", x=value), MATH(expression="a", values=value),
        RESIZE(IMAGE.IMAGE, value), RESIZE(IMAGE.IMAGE, {"resize_type": value}), BATCH(value),
        RESIZE(IMAGE.IMAGE, {"resize_type": "scale width", "width": value}),
    ]  # fmt: skip
    for node in nodes:
        try:
            prompt = build(node)
        except BuildError as exc:
            assert exc.problems
            assert all("\n" not in str(problem) for problem in exc.problems)
        else:
            assert prompt.to_json()


def test_a_list_that_holds_itself():
    """
    Such a list is no JSON, and that is all that happens.
    """
    loop: list[Any] = []
    loop.append(loop)

    assert ["Pack: `x` is a list, which is not JSON"] == _messages(raw_node("Pack", x=loop))


def test_each_statement_of_a_script_keeps_its_line() -> None:
    """
    Lines are worked out late, from how far the code was: also in a call over many lines.
    """
    source = "".join(f"made.append(raw(\n    'A', n={index},\n))\n" for index in range(500))
    made: list[Any] = []
    exec(compile(source, "long.py", "exec"), {"made": made, "raw": raw_node})
    prompt = build(made)

    assert [("long.py", 1 + 3 * index) for index in range(500)] == [
        node.where for node in prompt.nodes()
    ]
    assert [node.where for node in prompt.nodes()] == [where_of(node) for node in made]
