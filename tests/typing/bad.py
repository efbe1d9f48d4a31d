"""
Mistakes that both type checkers find: one in each line that ends with `# error`, no other.
"""
# ruff: noqa: B018

from __future__ import annotations

import comfygraph as cg
from comfygraph.dsl import build, param, raw_node
from comfygraph.dsl import sockets as s
from comfygraph.nodes import (
    BatchImagesNode,
    CheckpointLoaderSimple,
    CLIPTextEncode,
    ComfySwitchNode,
    EmptyLatentImage,
    KSampler,
    LoadImage,
    LoraLoader,
    PrimitiveInt,
    ResizeImageMaskNode,
    SaveImage,
    SaveVideo,
    VAEDecode,
)

checkpoint = CheckpointLoaderSimple("a.safetensors")
model, clip, vae = checkpoint
model, clip = checkpoint  # error
text = CLIPTextEncode("a harbour", clip)
latent = EmptyLatentImage(832, 1216)
image = LoadImage("a.png")
raw = raw_node("Some")

# Wrong sockets, as outputs and as nodes.
CLIPTextEncode("a harbour", model)  # error
CLIPTextEncode("a harbour", latent)  # error
VAEDecode(vae, latent)  # error
VAEDecode(text.CONDITIONING, vae)  # error
SaveImage(checkpoint.VAE)  # error
SaveImage(image.MASK)  # error

# Outputs that do not exist, or cannot be set.
checkpoint.LATENT  # error
checkpoint[3]  # error
latent.LATENT = latent.LATENT  # error

# Misspelt, missing, and superfluous inputs.
CLIPTextEncode(txt="a harbour", clip=clip)  # error
VAEDecode(latent)  # error
EmptyLatentImage(832, 1216, 1, 4)  # error

# Values.
KSampler(
    model,
    seed=1,
    sampler_name="eulr",  # error
    positive=text,
    negative=text,
    latent_image=latent,
)
EmptyLatentImage("832", 1216)  # error
EmptyLatentImage(832.5, 1216)  # error
EmptyLatentImage(param("width", "832"), 1216)  # error
LoraLoader(model, clip, 7)  # error
LoraLoader(model, clip, "b.safetensors", strength_model=PrimitiveInt(value=1))  # error
SaveImage("a.png")  # error

# Dynamic inputs.
BatchImagesNode([image.IMAGE, image.MASK])  # error
ResizeImageMaskNode(image.IMAGE, "scale by multiplicator")  # error
ResizeImageMaskNode(image.IMAGE, {"resize_type": "scale width", "multiplier": 2.0})  # error
ResizeImageMaskNode(image.IMAGE, {"resize_type": "scale by multiplier", "multiplier": "2"})  # error
ResizeImageMaskNode(image.IMAGE, "match size")  # error
ResizeImageMaskNode(model, "scale width")  # error
SaveVideo(raw[0], format={"format": "webm", "codec": "h264"})  # error
switch = ComfySwitchNode(switch=True, on_false=image.IMAGE, on_true=image.IMAGE)
VAEDecode(switch, vae)  # error
SaveImage(ComfySwitchNode(switch=True, on_false=image.IMAGE, on_true=model))  # error


def block(picture: s.Source[s.IMAGE]) -> s.Output[s.MASK]:
    """
    A block keeps its promise about its output.
    """
    return LoadImage("b.png").IMAGE  # error


block(model)  # error
build("a.png")  # error

# Editing and running.
prompt = build(SaveImage(image))
prompt.submit(outs="out")  # error
prompt.run(deadline="soon")  # error
prompt.find(titel="base pass")  # error
cg.insert_loras(prompt, {"x.safetensors": "0.5"})  # error
cg.swap_class(prompt, 7, "KSampler")  # error
cg.set_inputs(prompt, "7", steps=20)  # error
