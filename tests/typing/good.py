"""
Graphs that both type checkers take without a word.
"""

from __future__ import annotations

from typing import assert_type

import comfygraph as cg
from comfygraph.core.values import Node, Prompt
from comfygraph.dsl import build, group, named, output, param, raw_node
from comfygraph.dsl import sockets as s
from comfygraph.nodes import (
    BatchImagesNode,
    CheckpointLoaderSimple,
    CLIPTextEncode,
    ComfyMathExpression,
    ComfySwitchNode,
    CreateList,
    EmptyLatentImage,
    Epsilon_Scaling,
    GetSplatCount,
    ImageScale,
    KSampler,
    LoadImage,
    LoraLoader,
    LTXVAudioVAELoader,
    ModelMergeSDXL,
    PreviewAny,
    PrimitiveInt,
    ResizeImageMaskNode,
    SaveImage,
    SaveVideo,
    VAEDecode,
    VAEEncode,
)


def hires(image: s.Source[s.IMAGE], vae: s.Source[s.VAE]) -> s.Output[s.LATENT]:
    """
    A function that gives an output is a reusable block.
    """
    return VAEEncode(image, vae).LATENT


@group("thumbnail")
def thumbnail(image: s.Source[s.IMAGE], width: int = 64) -> s.Output[s.IMAGE]:
    """
    A function whose nodes are a group keeps its signature.
    """
    with group("scale"):
        small = ImageScale(image, upscale_method="area", width=width, height=width, crop="disabled")
    return small.IMAGE


checkpoint = CheckpointLoaderSimple("a.safetensors")
model, clip, vae = checkpoint
assert_type(model, s.Output[s.MODEL])
assert_type(vae, s.Output[s.VAE])
assert_type(checkpoint[1], s.Output[s.CLIP])
assert_type(checkpoint.CLIP, s.Output[s.CLIP])

# A node where its only fitting output is meant, positions, names, and optional inputs.
lora = LoraLoader(checkpoint, checkpoint, "b.safetensors", strength_model=0.8)
positive = CLIPTextEncode("a harbour", lora)
negative = CLIPTextEncode(text="", clip=lora.CLIP, title="negative")
seed = PrimitiveInt(value=7)
latent = KSampler(
    lora,
    seed=seed,
    steps=20,
    cfg=7,
    sampler_name="dpmpp_2m",
    scheduler="karras",
    positive=positive,
    negative=negative.CONDITIONING,
    latent_image=EmptyLatentImage(832, 1216),
)
assert_type(latent, KSampler)
assert_type(named("base pass", latent), KSampler)
picture = VAEDecode(latent, vae)
assert_type(picture.IMAGE, s.Output[s.IMAGE])

# Lists for autogrow inputs, one argument with its dependents for dynamic combos.
both = BatchImagesNode([picture, picture.IMAGE, None])
small = ResizeImageMaskNode(
    picture, {"resize_type": "scale by multiplier", "multiplier": 0.5}, "area"
)
assert_type(small.resized, s.Output[s.IMAGE])
plain = ResizeImageMaskNode(picture, "scale width")
matched = ResizeImageMaskNode(
    picture, {"resize_type": "match size", "match": LoadImage("m.png").MASK}
)
total = ComfyMathExpression(expression="a + b", values={"a": seed, "b": 2.5})
video = SaveVideo(
    raw_node("MakeVideo", frames=picture)[0],
    format={"format": "mp4", "codec": {"codec": "h264", "encoding": "auto"}},
)

# MatchType carries the type through, a wildcard takes anything.
chosen = ComfySwitchNode(switch=True, on_false=checkpoint.MODEL, on_true=lora.MODEL)
assert_type(chosen.output, s.Output[s.MODEL])
again = LoraLoader(chosen, clip, "c.safetensors")
listed = CreateList([picture.IMAGE, small.resized])
assert_type(listed.list, s.Output[s.IMAGE])
shown = PreviewAny(picture.IMAGE)
shown_text = PreviewAny("text")

# Names that are no identifiers.
scaled = Epsilon_Scaling(model)
merged = ModelMergeSDXL(model, scaled, input_blocks_0=0.5)
audio = LTXVAudioVAELoader("d.safetensors")
assert_type(audio.Audio_VAE, s.Output[s.VAE])
counted = GetSplatCount.count

# Parameters fit where their defaults do.
sized = ImageScale(
    picture, upscale_method="lanczos", width=param("width", 1024), height=1536, crop="disabled"
)
prompt = build(
    [SaveImage(sized), SaveImage(both, filename_prefix=param("prefix", "both"))],
    SaveImage(VAEDecode(hires(small, vae), vae)),
    raw_node("SomePackNode", image=picture, strength=1),
)
assert_type(prompt, Prompt)
by_name = output(checkpoint, "CLIP")
assert_type(thumbnail(picture, width=32), s.Output[s.IMAGE])
assert_type(prompt["1"].group, str | None)


# Editing and running what was loaded.
sampler = prompt.find("KSampler", title="base pass")
assert_type(sampler, Node)
assert_type(prompt.find_all(upstream_of=sampler), list[Node])
edited = cg.insert_loras(prompt, {"x.safetensors": 0.5, "y.safetensors": (0.8, 0.4)}, after="1")
edited = cg.insert_loras(edited, ["z.safetensors"], after=edited.find("LoraLoader"))
edited = cg.swap_class(edited, sampler, "KSamplerAdvanced", {"steps": 9})
edited = cg.set_inputs(edited, prompt.follow(sampler, "positive"), {"text": "rain"})
assert_type(cg.set_title(edited, sampler, "again"), Prompt)


def run_it() -> None:
    """
    Events come out of a job, typed.
    """
    for event in edited.run(target="emulator", out="out", deadline=60):
        print(event)
    assert_type(edited.submit(out="out"), cg.Job)
    print([image.size for image in edited.submit(out="out").images()])


async def run_it_too() -> None:
    """
    The same for asyncio.
    """
    job = await edited.asubmit(out="out")
    assert_type(job, cg.AsyncJob)
    print([image.size for image in await job.images()])
