"""
How node classes change the size and the number of pictures: one small function a class.

Facts of `nodes.py` and `comfy_extras/nodes_*.py`. A function gives one fact, for every output
slot that can carry it, or a tuple of one a slot.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from comfygraph.emulator.facts import (
    MAX_SECONDS,
    Constant,
    Fact,
    Frame,
    NodeView,
    Slots,
    Sound,
    frame,
)

Transfer = Callable[[NodeView], Fact | Slots]


def pass_on(node: NodeView) -> Fact:
    """
    The rule for every class that has none of its own: new pictures of `width` and `height`
    where it has such inputs, else the first picture that comes in, else the first sound.
    """
    frames = node.frames()
    if {"width", "height"} <= node.inputs.keys():
        return _empty(node, frames[0].count if frames else 1)
    return frames[0] if frames else node.sound()


def _empty(node: NodeView, count: float = 1) -> Frame:
    many = node.number("batch_size", count) * node.number("length", 1)
    return frame(node.number("width", 0), node.number("height", 0), many, step=8)


def _empty_image(node: NodeView) -> Frame:
    many = node.number("batch_size", 1)
    return frame(node.number("width", 512), node.number("height", 512), many)


def _load_image(node: NodeView) -> Frame:
    return node.file("image")


def _scaled(old: Frame, width: float, height: float, step: int = 1) -> Frame:
    # A side of 0 follows the other one, `common_upscale` in `nodes.py`.
    if width <= 0 and height <= 0:
        return old
    if width <= 0:
        width = max(1, round(old.width * height / old.height))
    elif height <= 0:
        height = max(1, round(old.height * width / old.width))
    return frame(width, height, old.count, step=step)


def _image_scale(node: NodeView) -> Frame:
    return _scaled(node.frame("image"), node.number("width", 0), node.number("height", 0))


def _latent_upscale(node: NodeView) -> Frame:
    return _scaled(node.frame("samples"), node.number("width", 0), node.number("height", 0), 8)


def _times(old: Frame, factor: float, step: int = 1) -> Frame:
    factor = max(factor, 0.001)
    return frame(max(1, old.width * factor), max(1, old.height * factor), old.count, step=step)


def _image_scale_by(node: NodeView) -> Frame:
    return _times(node.frame("image"), node.number("scale_by", 1))


def _latent_upscale_by(node: NodeView) -> Frame:
    return _times(node.frame("samples"), node.number("scale_by", 1), 8)


def _total_pixels(node: NodeView) -> Frame:
    old = node.frame("image")
    wanted = node.number("megapixels", 1) * 1024 * 1024
    return _times(old, (max(wanted, 1) / (old.width * old.height)) ** 0.5)


def _longest_side(node: NodeView) -> Frame:
    old = node.frame("image", "images")
    largest = node.number("largest_size", node.number("longer_edge", 0))
    return _times(old, largest / max(old.width, old.height)) if largest >= 1 else old


def _resize(node: NodeView) -> Frame:
    old = node.frame("input")
    match node.text("resize_type"):
        case "scale by multiplier":
            return _times(old, node.number("resize_type.multiplier", 1))
        case "scale dimensions":
            width = node.number("resize_type.width", 0)
            return _scaled(old, width, node.number("resize_type.height", 0))
        case "scale longer dimension":
            longer = node.number("resize_type.longer_size", max(old.width, old.height))
            return _times(old, longer / max(old.width, old.height))
        case "scale shorter dimension":
            shorter = node.number("resize_type.shorter_size", min(old.width, old.height))
            return _times(old, shorter / min(old.width, old.height))
        case "scale width":
            return _scaled(old, node.number("resize_type.width", old.width), 0)
        case "scale height":
            return _scaled(old, 0, node.number("resize_type.height", old.height))
        case "scale total pixels":
            wanted = node.number("resize_type.megapixels", 1) * 1024 * 1024
            return _times(old, (max(wanted, 1) / (old.width * old.height)) ** 0.5)
        case _:
            return old


def _model_upscale(node: NodeView) -> Frame:
    # Most upscale models enlarge four times; the file's name says so where it is not four.
    return _times(node.frame("image"), 4)


def _crop(node: NodeView) -> Frame:
    old = node.frame("image", "samples", "mask")
    width = min(node.number("width", old.width), old.width)
    return frame(width, min(node.number("height", old.height), old.height), old.count)


def _pad(node: NodeView) -> Frame:
    old = node.frame("image", "mask")
    wide = old.width + node.number("left", 0) + node.number("right", 0)
    return frame(wide, old.height + node.number("top", 0) + node.number("bottom", 0), old.count)


def _rotate(node: NodeView) -> Frame:
    old = node.frame("image", "samples")
    if node.text("rotation").startswith(("90", "270")):
        return Frame(old.height, old.width, old.count)
    return old


def _repeat(node: NodeView) -> Frame:
    old = node.frame("samples", "image")
    return frame(old.width, old.height, old.count * node.number("amount", 1))


def _batch(node: NodeView) -> Frame:
    frames = node.frames() or [node.frame()]
    return frame(frames[0].width, frames[0].height, sum(old.count for old in frames))


def _from_batch(node: NodeView) -> Frame:
    old = node.frame("samples", "image")
    first = min(max(node.number("batch_index", 0), 0), old.count - 1)
    return frame(old.width, old.height, min(node.number("length", 1), old.count - first))


def _stitch(node: NodeView) -> Frame:
    one, two = node.frame("image1"), node.fact("image2")
    if not isinstance(two, Frame):
        return one
    if node.text("direction", "right") in {"right", "left"}:
        factor = one.height / two.height
        return frame(one.width + two.width * factor, one.height, max(one.count, two.count))
    factor = one.width / two.width
    return frame(one.width, one.height + two.height * factor, max(one.count, two.count))


def _onto(name: str) -> Transfer:
    return lambda node: node.frame(name)


_KONTEXT = (
    (672, 1568),
    (688, 1504),
    (720, 1456),
    (752, 1392),
    (800, 1328),
    (832, 1248),
    (880, 1184),
    (944, 1104),
    (1024, 1024),
)


def _kontext(node: NodeView) -> Frame:
    # `PREFERED_KONTEXT_RESOLUTIONS` of `comfy_extras/nodes_flux.py`.
    old = node.frame("image")
    sizes = [*_KONTEXT, *((height, width) for width, height in _KONTEXT)]
    width, height = min(sizes, key=lambda size: abs(size[0] / size[1] - old.width / old.height))
    return Frame(width, height, old.count)


def _encode(node: NodeView) -> Frame:
    old = node.frame("pixels")
    return frame(old.width, old.height, old.count, step=8)


def _image_size(node: NodeView) -> Slots:
    old = node.frame("image")
    return Constant(old.width), Constant(old.height), Constant(old.count)


def _primitive(node: NodeView) -> Fact:
    fact = node.fact("value")
    return fact if isinstance(fact, Constant) else None


def _switch(node: NodeView) -> Fact:
    return node.fact("on_true" if chosen(node) else "on_false")


def chosen(node: NodeView) -> bool:
    """
    Tell which side of a switch node is on.
    """
    fact = node.fact("switch")
    return bool(fact.value) if isinstance(fact, Constant) else False


def _empty_sound(node: NodeView) -> Sound:
    seconds = node.number("seconds", node.number("duration", 5))
    return Sound(min(max(seconds, 0.1), MAX_SECONDS))


def _load_sound(node: NodeView) -> Sound:
    return Sound(5.0)


def _load_video(node: NodeView) -> Frame:
    old = node.file("file")
    return frame(old.width, old.height, max(old.count, 8))


TRANSFERS: Mapping[str, Transfer] = MappingProxyType(
    {
        "EmptyImage": _empty_image,
        "LoadImage": _load_image,
        "LoadImageMask": _load_image,
        "LoadImageOutput": _load_image,
        "LoadVideo": _load_video,
        "ImageScale": _image_scale,
        "ImageScaleBy": _image_scale_by,
        "ImageScaleToTotalPixels": _total_pixels,
        "ImageScaleToMaxDimension": _longest_side,
        "ResizeImagesByLongerEdge": _longest_side,
        "ResizeImageMaskNode": _resize,
        "ImageUpscaleWithModel": _model_upscale,
        "FluxKontextImageScale": _kontext,
        "VAEEncode": _encode,
        "VAEEncodeForInpaint": _encode,
        "InpaintModelConditioning": _encode,
        "LatentUpscale": _latent_upscale,
        "LatentUpscaleBy": _latent_upscale_by,
        "ImageCrop": _crop,
        "LatentCrop": _crop,
        "CropMask": _crop,
        "ImagePadForOutpaint": _pad,
        "ImageRotate": _rotate,
        "LatentRotate": _rotate,
        "RepeatLatentBatch": _repeat,
        "RepeatImageBatch": _repeat,
        "ImageBatch": _batch,
        "BatchImagesNode": _batch,
        "LatentBatch": _batch,
        "LatentFromBatch": _from_batch,
        "ImageFromBatch": _from_batch,
        "ImageStitch": _stitch,
        "ImageCompositeMasked": _onto("destination"),
        "LatentComposite": _onto("samples_to"),
        "LatentCompositeMasked": _onto("destination"),
        "GetImageSize": _image_size,
        "PrimitiveInt": _primitive,
        "PrimitiveFloat": _primitive,
        "PrimitiveString": _primitive,
        "PrimitiveStringMultiline": _primitive,
        "PrimitiveBoolean": _primitive,
        "ComfySwitchNode": _switch,
        "EmptyLatentAudio": _empty_sound,
        "EmptyAceStepLatentAudio": _empty_sound,
        "EmptyAceStep1.5LatentAudio": _empty_sound,
        "EmptyAudio": _empty_sound,
        "LoadAudio": _load_sound,
    }
)
"""Class → its transfer function."""
