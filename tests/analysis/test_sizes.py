"""
Sizes: what ComfyUI's nodes make of pictures, to the pixel, and what nobody can know.
"""

from __future__ import annotations

import gzip
import json
import re
import struct
from pathlib import Path
from typing import Any

import pytest
from flow_graphs import CATALOG, Graph, flow_of, node

from comfygraph.analysis.facts import Domain, Size, Sound
from comfygraph.analysis.flow import Flow
from comfygraph.catalog import load_catalog
from comfygraph.core.values import Prompt
from comfygraph.documents import open_document

DATA = Path(__file__).parents[1] / "data"
P, L, V = ["p", 0], ["l", 0], ["v", 0]


MSE = "vae-ft-mse-840000-ema-pruned.safetensors"


def size(class_type: str, vae_name: str = MSE, **inputs: Any) -> Any:
    """What a node makes of two pictures of 637 x 320, or of their latents (632 x 320)."""
    graph: Graph = {
        "p": node("EmptyImage", width=637, height=320, batch_size=2, color=0),
        "v": node("VAELoader", vae_name=vae_name),
        "l": node("VAEEncode", pixels=P, vae=V),
        "n": node(class_type, **inputs),
    }
    return flow_of(graph)["n"].at(Domain.SIZE, 0)


@pytest.mark.parametrize(
    ("class_type", "inputs", "expected"),
    [
        ("EmptyImage", {"width": 777, "height": 512, "batch_size": 3}, Size(777, 512, 3)),
        ("EmptyLatentImage", {"width": 777, "height": 512, "batch_size": 3},
         Size(776, 512, 3, 1, 8)),
        ("EmptyFlux2LatentImage", {"width": 1000, "height": 1000, "batch_size": 1},
         Size(992, 992, 1, 1, 16)),
        ("EmptyHunyuanLatentVideo", {"width": 850, "height": 480, "length": 24, "batch_size": 1},
         Size(848, 480, 1, 21, 8)),
        ("EmptyLTXVLatentVideo", {"width": 800, "height": 500, "length": 97, "batch_size": 2},
         Size(800, 480, 2, 97, 32)),
        ("VAEEncode", {"pixels": P, "vae": V}, Size(632, 320, 2, 1, 8)),
        ("VAEDecode", {"samples": L, "vae": V}, Size(632, 320, 2)),
        ("LatentUpscale", {"samples": L, "width": 1280, "height": 0}, Size(1280, 648, 2, 1, 8)),
        ("LatentUpscale", {"samples": L, "width": 20, "height": 700}, Size(64, 696, 2, 1, 8)),
        ("LatentUpscaleBy", {"samples": L, "scale_by": 1.5}, Size(944, 480, 2, 1, 8)),
        ("LatentCrop", {"samples": L, "width": 100, "height": 999, "x": 0, "y": 0},
         Size(96, 320, 2, 1, 8)),
        ("LatentRotate", {"samples": L, "rotation": "90 degrees"}, Size(320, 632, 2, 1, 8)),
        ("ImageScale", {"image": P, "width": 0, "height": 100}, Size(199, 100, 2)),
        ("ImageScale", {"image": P, "width": 50, "height": 60}, Size(50, 60, 2)),
        ("ImageScaleBy", {"image": P, "scale_by": 0.5}, Size(318, 160, 2)),
        ("ImageScaleToTotalPixels", {"image": P, "megapixels": 1.0}, Size(1445, 726, 2)),
        ("ImageScaleToTotalPixels", {"image": P, "megapixels": 1.0, "resolution_steps": 64},
         Size(1472, 704, 2)),
        ("ImageScaleToMaxDimension", {"image": P, "largest_size": 100}, Size(100, 50, 2)),
        ("ResizeImagesByLongerEdge", {"images": P, "longer_edge": 101}, Size(101, 50, 2)),
        ("ResizeImageMaskNode",
         {"input": P, "resize_type": "scale shorter dimension", "resize_type.shorter_size": 64},
         Size(127, 64, 2)),
        ("ResizeImageMaskNode",
         {"input": P, "resize_type": "scale to multiple", "resize_type.multiple": 64},
         Size(576, 320, 2)),
        ("ResizeImageMaskNode",
         {"input": P, "resize_type": "scale to multiple", "resize_type.multiple": 512},
         Size(637, 320, 2)),
        ("ResizeImageMaskNode",
         {"input": P, "resize_type": "scale longer dimension", "resize_type.longer_size": 1001},
         Size(1001, 503, 2)),
        ("ResizeImageMaskNode",
         {"input": P, "resize_type": "scale total pixels", "resize_type.megapixels": 1.0,
          "resize_type.multiple": 16}, Size(1440, 720, 2)),
        ("FluxKontextImageScale", {"image": P}, Size(1456, 720, 2)),
        ("ImageCrop", {"image": P, "width": 100, "height": 999, "x": 600, "y": 20},
         Size(37, 300, 2)),
        ("ImagePadForOutpaint", {"image": P, "left": 3, "right": 8, "top": 8, "bottom": 0},
         Size(648, 328, 2)),
        ("ImageStitch", {"image1": P, "image2": P, "direction": "down", "match_image_size": True,
                         "spacing_width": 3}, Size(637, 644, 2)),
        ("RepeatImageBatch", {"image": P, "amount": 3}, Size(637, 320, 6)),
        ("ImageBatch", {"image1": P, "image2": P}, Size(637, 320, 4)),
        ("ImageFromBatch", {"image": P, "batch_index": -1, "length": 9}, Size(637, 320, 1)),
        ("KSampler", {"latent_image": L, "steps": 5}, Size(632, 320, 2, 1, 8)),
        ("InvertMask", {"mask": P}, Size(637, 320, 2)),
    ],
)  # fmt: skip
def test_sizes(class_type: str, inputs: dict[str, Any], expected: Size) -> None:
    """
    Classes of the table round, cut and count as the code of ComfyUI does.
    """
    assert expected == size(class_type, **inputs)


@pytest.mark.parametrize(
    ("class_type", "inputs"),
    [
        ("LoadImage", {"image": "photo.png"}),
        ("ImageScaleBy", {"image": ["nobody", 0], "scale_by": 2.0}),
        ("ImageScaleBy", {"image": P, "scale_by": ["nobody", 0]}),
        ("ImageCrop", {"image": P, "width": 100, "height": 99, "x": ["nobody", 0], "y": 0}),
        ("LatentCrop", {"samples": L, "width": 99, "height": 99, "x": ["nobody", 0], "y": 0}),
        ("WanFunInpaintToVideo", {"width": 832, "height": 480, "length": 81, "vae": ["p", 0]}),
        ("ImageScaleBy", {"image": P, "scale_by": float("nan")}),
        ("EmptyImage", {"width": -1, "height": 512, "batch_size": 1}),
        ("EmptyImage", {"width": 10**30, "height": 512, "batch_size": 1}),
        ("EmptyImage", {"width": "wide", "height": 512, "batch_size": 1}),
        ("ImageUpscaleWithModel", {"image": P, "upscale_model": ["nobody", 0]}),
        ("SomethingNew", {"image": P}),
        ("VAEDecode", {}),
    ],
)
def test_unknown_sizes(class_type: str, inputs: dict[str, Any]) -> None:
    """
    What hangs on a file, an unknown class or nonsense is unknown, not guessed.
    """
    found = size(class_type, **inputs)

    assert None is found


def test_sizes_whatever_comes_in() -> None:
    """
    Where both sides are said, a picture of unknown size leaves in that size; of how many pictures
    is unknown.
    """
    graph: Graph = {
        "p": node("LoadImage", image="photo.png"),
        "1": node("ImageScale", image=P, width=1152, height=896, crop="center"),
        "2": node("ImageScale", image=P, width=1152, height=0, crop="center"),
        "3": node("ResizeImageMaskNode", **{"input": P, "resize_type": "scale dimensions",
                  "resize_type.width": 64, "resize_type.height": 32}),
    }  # fmt: skip
    flow = flow_of(graph)

    assert [Size(1152, 896, None), None, Size(64, 32, None)] == [flow.size(n) for n in "123"]


def test_a_vae_of_unknown_cells() -> None:
    """
    What an unknown VAE cuts off is unknown, but nothing where any VAE has whole cells; it may
    take several pictures for the frames of a film.
    """
    odd = size("VAEEncode", vae="mystery.pt", pixels=P)
    graph: Graph = {
        "p": node("EmptyImage", width=640, height=320, batch_size=1, color=0),
        "l": node("VAEEncode", pixels=P, vae=["nobody", 0]),
    }

    one = flow_of(graph).size("l")
    graph["p"]["inputs"]["batch_size"] = 5

    assert None is odd
    assert Size(640, 320, 1, 1, None) == one
    assert Size(640, 320, None, None, None) == flow_of(graph).size("l")


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("RealESRGAN_x4plus.pth", 4), ("4x-UltraSharp.pth", 4), ("2x_NMKD.pth", 2),
        ("RealESRGAN_x2.pth", 2), ("ESRGAN/8x_NMKD-Superscale.pth", 8), ("remacri.pth", None),
        ("4x_then_2x.pth", None), ("1024x1024.pth", None),
    ],
)  # fmt: skip
def test_upscale_models(name: str, factor: int | None) -> None:
    """
    The names of upscale models tell how much larger they make a picture, or nothing.
    """
    graph: Graph = {
        "p": node("EmptyImage", width=100, height=50, batch_size=1, color=0),
        "m": node("UpscaleModelLoader", model_name=name),
        "n": node("ImageUpscaleWithModel", image=P, upscale_model=["m", 0]),
    }
    found = flow_of(graph).size("n")

    assert (Size(100 * factor, 50 * factor) if factor else None) == found


def test_numbers_come_over_links() -> None:
    """
    Sizes follow numbers through primitives, sizes of other pictures, and switches.
    """
    graph: Graph = {
        "w": node("PrimitiveInt", value=640),
        "p": node("EmptyImage", width=["w", 0], height=320, batch_size=1, color=0),
        "s": node("GetImageSize", image=P),
        "on": node("PrimitiveBoolean", value=False),
        "pick": node("ComfySwitchNode", switch=["on", 0], on_false=["s", 1], on_true=["s", 0]),
        "q": node("EmptyImage", width=["pick", 0], height=["s", 0], batch_size=["s", 2], color=0),
    }

    assert Size(320, 640) == flow_of(graph).size("q")


def test_films_and_sounds() -> None:
    """
    Frames of a film become pictures when it is decoded; sounds keep their length.
    """
    graph: Graph = {
        "l": node("EmptyHunyuanLatentVideo", width=848, height=480, length=25, batch_size=1),
        "d": node("VAEDecode", samples=L, vae=["nobody", 0]),
        "f": node("CreateVideo", images=["d", 0], fps=24.0),
        "a": node("EmptyAudio", duration=2.5, sample_rate=44100, channels=2),
    }
    flow = flow_of(graph)

    assert Size(848, 480, 25) == flow.size("f")
    assert Sound(2.5) == flow["a"].at(Domain.SIZE, 0)


@pytest.mark.parametrize(
    ("class_type", "vae_name", "slot", "expected"),
    [
        ("Wan22FunControlToVideo", "wan_2.1_vae.safetensors", 2, Size(840, 480, 1, 81, 8)),
        ("Wan22FunControlToVideo", "wan2.2_vae.safetensors", 2, Size(832, 480, 1, 81, 16)),
        ("WanFirstLastFrameToVideo", "wan2.2_vae.safetensors", 2, Size(832, 480, 1, 81, 16)),
        ("WanImageToVideo", "wan_2.1_vae.safetensors", 2, Size(840, 480, 1, 81, 8)),
        ("WanVaceToVideo", "wan_2.1_vae.safetensors", 2, Size(840, 480, 1, 85, 8)),
    ],
)
def test_films_of_wan(class_type: str, vae_name: str, slot: int, expected: Size) -> None:
    """
    Some nodes take the cells of their VAE, others cells of 8 whatever the VAE; a reference
    picture for VACE is a latent frame more.
    """
    graph: Graph = {
        "p": node("EmptyImage", width=64, height=64, batch_size=1, color=0),
        "v": node("VAELoader", vae_name=vae_name),
        "n": node(class_type, vae=V, width=844, height=480, length=81, batch_size=1,
                  reference_image=P),
    }  # fmt: skip

    assert expected == flow_of(graph).size("n", slot)


def test_sound_and_film_in_one_latent() -> None:
    """
    A film keeps its size when it goes with a sound, and where they part; the sound has none.
    """
    graph: Graph = {
        "l": node("EmptyLTXVLatentVideo", width=768, height=512, length=97, batch_size=1),
        "a": node("LTXVEmptyLatentAudio", frames_number=97, frame_rate=25, batch_size=1),
        "b": node("LTXVConcatAVLatent", video_latent=L, audio_latent=["a", 0]),
        "c": node("LTXVSeparateAVLatent", av_latent=["b", 0]),
        "g": node("LTXVAddGuide", latent=["c", 0]),
    }
    flow = flow_of(graph)

    assert [Size(768, 512, 1, 97, 32), None] == [flow.size("c", slot) for slot in (0, 1)]
    assert Size(768, 512, 1, None, 32) == flow.size("g", 2)


def recorded_sizes() -> list[tuple[Graph, str, str]]:
    """Prompts that ran on a real server, with what GetImageSize said there."""
    out = []
    for path in sorted((DATA / "comfyui_ws").glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        bodies = [line["body"] for line in lines if line.get("kind") == "http" and "body" in line]
        prompts = [body["prompt"] for body in bodies if isinstance(body, dict) and "prompt" in body]
        for line in lines:
            text = line.get("text")
            if line.get("kind") == "ws_binary" and isinstance(text, str) and "width:" in text:
                out += [(prompt, line["node_id"], text) for prompt in prompts if "node_id" in line]
                out += [
                    (prompt, node_id, text)
                    for prompt in prompts
                    if "node_id" not in line
                    for node_id, one in prompt.items()
                    if one["class_type"] == "GetImageSize"
                ]
    return out


def test_a_real_server_says_the_same() -> None:
    """
    Where a recorded server told the size of a picture, it is the one that the flow gives.
    """
    cases = recorded_sizes()

    assert cases
    for graph, node_id, text in cases:
        numbers = [int(number) for number in re.findall(r"\d+", text)]
        value = flow_of(graph)[node_id].value
        assert numbers == list(value)


@pytest.mark.parametrize("name", ["still_00001_.png", "adv_00001.png"])
def test_recorded_pictures(name: str) -> None:
    """
    Files that ComfyUI wrote are as large as their own graph says.
    """
    path = DATA / "media" / name
    prompt = open_document(path).to_prompt()
    kind = "SaveImage" if name.startswith("still") else "SaveImageAdvanced"
    flow = Flow(prompt.to_json(), CATALOG)
    (saver,) = [one.id for one in prompt.nodes() if one.class_type == kind]
    found = flow.view(saver).size("images")

    assert found is not None
    assert struct.unpack(">II", path.read_bytes()[16:24]) == found[:2]


def test_the_table_speaks_of_real_classes() -> None:
    """
    Every class of the table is one of the core, and every input that it names is one of its own.
    """
    from comfygraph.analysis.flow import VERBS
    from comfygraph.analysis.table import CLASSES

    catalog = load_catalog()
    numbers = re.compile(r"[\d.]+")
    words = {"*", "-", "cut", "masked", "only", "switch"}
    wrong = []
    for class_type, text in CLASSES.items():
        definition = catalog.find(class_type)
        if definition is None:
            wrong += [class_type] if class_type != "Reroute" else []
            continue
        for part in text.split(";"):
            domain, verb, *args = part.split()
            if domain == "all":
                continue
            names = {name for name in args if name not in words and not numbers.fullmatch(name)}
            unknown = names - set(definition.inputs)
            if verb not in VERBS[domain] or unknown:
                wrong.append(f"{class_type}: {part.strip()} {sorted(unknown)}")

    assert [] == wrong


def test_prompts_and_plain_json_alike() -> None:
    """
    A loaded prompt gives the same sizes as the JSON that it was loaded from.
    """
    graph: Graph = {"p": node("EmptyImage", width=64, height=32, batch_size=1, color=0)}
    loaded = Prompt.from_json(graph).to_json()

    assert flow_of(graph).size("p") == Flow(loaded, CATALOG).size("p")
