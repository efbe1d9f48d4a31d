"""
Size and count: how node classes change the pictures that pass through them.

Facts of `nodes.py` and `comfy_extras/nodes_*.py`. A verb of the table makes a transfer function
here; a function gives one fact, for every output slot that can carry it, or a tuple of one a
slot. Where something that it needs is not known, it gives `None`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from comfygraph.analysis.facts import Size
from comfygraph.analysis.view import View

Transfer: TypeAlias = Callable[[View], Any]
Maker: TypeAlias = Callable[[Sequence[str]], Transfer]

_LIMIT = 1 << 20
"""Pixels along a side; what is larger is a mistake of another kind."""


def of(inputs: Sequence[str]) -> Transfer:
    """`of image samples`: the size of what comes in at the first of these that is linked."""
    return lambda view: view.size(*inputs)


def new(args: Sequence[str]) -> Transfer:
    """
    `new 8`: new pictures of the node's `width` and `height`, cut down to multiples of 8.
    `new 8 4`: films of `length` frames, the first and then four for each latent frame.
    `new vae 4`: likewise, of the cells of the VAE. `new 8 4 reference_image`: with a latent
    frame more where that input is linked.
    """
    told = int(args[0]) if args[0] != "vae" else None
    time = int(args[1]) if len(args) > 1 else 0
    before = args[2] if len(args) > 2 else ""

    def transfer(view: View) -> Size | None:
        scale = told if told is not None else _cell(view)
        batch: int | None = 1
        if "batch_size" in view.inputs:
            batch = view.integer("batch_size")
            batch = batch if batch is not None and batch >= 1 else None
        frames: int | None = 1
        for name in ("length", "video_frames") if time else ():
            if name in view.inputs:
                length = view.integer(name)
                frames = None if length is None else (max(length, 1) - 1) // time * time + 1
                if frames is not None and before in view.inputs:
                    frames += time
        if scale is None:
            return None
        return sized(view.number("width"), view.number("height"), batch, frames, scale)

    return transfer


def _cell(view: View) -> int | None:
    """Give the pixels along a cell of the node's VAE: `VAE.spacial_compression_encode`."""
    vae = view.model("vae")
    known: int | None = vae.space.scale if vae is not None and vae.space is not None else None
    return known if known is not None else view.guess(8)


def sized(
    width: float | None,
    height: float | None,
    batch: int | None = 1,
    frames: int | None = 1,
    scale: int | None = 1,
) -> Size | None:
    """
    Give a size of whole cells, or `None` where it is not known or makes no sense.
    """
    if width is None or height is None or not (0 < width < _LIMIT and 0 < height < _LIMIT):
        return None
    step = scale or 1
    wide, high = int(width) // step * step, int(height) // step * step
    if not wide or not high:
        return None
    return Size(wide, high, batch, frames, scale)


def resized(old: Size, width: float | None, height: float | None) -> Size | None:
    """
    Give pictures of another size, within their batch; `round` rounds halves to even, as there.
    """
    if width is None or height is None:
        return None
    return sized(width, height, old.batch, old.frames, old.scale)


def _follow(old: Size | None, width: float | None, height: float | None) -> Size | None:
    # A side of 0 follows the other one: `ImageScale.upscale`.
    if width is None or height is None:
        return None
    if old is None:  # Whatever comes in, it leaves in this size, if both sides are said.
        return sized(width, height, None)
    if width == 0 and height == 0:
        return old
    if width == 0:
        width = max(1, round(old.width * height / old.height))
    elif height == 0:
        height = max(1, round(old.height * width / old.width))
    return resized(old, width, height)


def to(args: Sequence[str]) -> Transfer:
    """`to image`: scaled to the node's `width` and `height`, of which one may be 0."""

    def transfer(view: View) -> Size | None:
        return _follow(view.size(*args), view.number("width"), view.number("height"))

    return transfer


def cells(args: Sequence[str]) -> Transfer:
    """`cells samples`: latents scaled to `width // 8` by `height // 8` cells, however large."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        width, height = view.number("width"), view.number("height")
        if old is None or width is None or height is None or old.scale is None:
            return None
        if width == 0 and height == 0:
            return old
        # `LatentUpscale.upscale`: sides of less than 64 count as 64.
        if width == 0:
            high = max(64, int(height))
            wide = max(64, round(old.width / old.scale * 8 * high / (old.height / old.scale * 8)))
        elif height == 0:
            wide = max(64, int(width))
            high = max(64, round(old.height / old.scale * 8 * wide / (old.width / old.scale * 8)))
        else:
            wide, high = max(64, int(width)), max(64, int(height))
        return resized(old, wide // 8 * old.scale, high // 8 * old.scale)

    return transfer


def scale(args: Sequence[str]) -> Transfer:
    """`scale 2`, `scale scale_by`, `scale 2 image`: that many times larger."""
    factor = float(args[0]) if _is_number(args[0]) else None
    names = args[1:] or _PICTURES

    def transfer(view: View) -> Size | None:
        old = view.size(*names)
        by = factor if factor is not None else view.number(args[0])
        return times(old, by) if old is not None and by is not None else None

    return transfer


_PICTURES = ("image", "images", "samples", "pixels", "mask", "input", "latent")


def _is_number(text: str) -> bool:
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None


def times(old: Size, by: float) -> Size | None:
    """
    Scale pictures, or the cells of latents, and round.
    """
    if not 0 < by < 1_000:
        return None
    cell = old.scale
    if cell is None:
        return None
    return resized(old, round(old.width / cell * by) * cell, round(old.height / cell * by) * cell)


def megapixels(args: Sequence[str]) -> Transfer:
    """`megapixels image`: scaled to `megapixels`, in steps of `resolution_steps`."""

    def transfer(view: View) -> Size | None:
        old, wanted = view.size(*args), view.number("megapixels")
        step = view.integer("resolution_steps") if "resolution_steps" in view.inputs else 1
        if old is None or wanted is None or wanted <= 0 or not step or step < 1:
            return None
        by = _for_pixels(old, wanted * 1024 * 1024)
        return resized(old, *(round(side * by / step) * step for side in old[:2]))

    return transfer


def _for_pixels(old: Size, wanted: float) -> float:
    return math.sqrt(wanted / (old.width * old.height))


def longest(args: Sequence[str]) -> Transfer:
    """`longest largest_size image`: the longer side becomes that input."""

    def transfer(view: View) -> Size | None:
        old, side = view.size(*args[1:]), view.number(args[0])
        if old is None or side is None:
            return None
        if args[0] == "longer_edge":  # `nodes_dataset.py` cuts off where others round.
            return resized(old, *(_cut(n, max(old[:2]), side) for n in old[:2]))
        return resized(old, *(_rounded(n, max(old[:2]), side) for n in old[:2]))

    return transfer


def shortest(args: Sequence[str]) -> Transfer:
    """`shortest shorter_edge images`: the shorter side becomes that input."""

    def transfer(view: View) -> Size | None:
        old, side = view.size(*args[1:]), view.number(args[0])
        if old is None or side is None:
            return None
        return resized(old, *(_cut(n, min(old[:2]), side) for n in old[:2]))

    return transfer


# To the last digit, `n / side * number` and `n * (number / side)` are two things.
def _rounded(n: int, side: int, number: float) -> float:
    return number if n == side else round(n / side * number)


def _cut(n: int, side: int, number: float) -> float:
    return number if n == side else int(n * (number / side))


def resize(args: Sequence[str]) -> Transfer:
    """`ResizeImageMaskNode`: by what its `resize_type` says."""

    def transfer(view: View) -> Size | None:
        old, kind = view.size("input"), view.text("resize_type")
        if kind == "scale dimensions":
            sides = (view.number(f"resize_type.{name}") for name in ("width", "height"))
            return _follow(old, *sides)
        if old is None or kind is None:
            return None
        if kind == "match size":
            other = view.size("resize_type.match")
            return resized(old, other.width, other.height) if other else None
        name = _RESIZE.get(kind)
        number = view.number(f"resize_type.{name}") if name is not None else None
        if number is None:
            return None
        match kind:
            case "scale by multiplier":
                return resized(old, round(old.width * number), round(old.height * number))
            case "scale width":
                return resized(old, number, max(1, round(old.height * number / old.width)))
            case "scale height":
                return resized(old, max(1, round(old.width * number / old.height)), number)
            case "scale total pixels":
                name = "resize_type.multiple"
                step = view.integer(name) if name in view.inputs else 1
                if number <= 0 or step is None or step < 1:
                    return None
                by = _for_pixels(old, int(number * 1024 * 1024))
                return resized(old, *(max(1, round(n * by / step)) * step for n in old[:2]))
            case "scale to multiple":
                step = max(int(number), 1)
                if min(old.width, old.height) < step:
                    return old
                return resized(old, old.width // step * step, old.height // step * step)
            case _:
                pick = max if kind == "scale longer dimension" else min
                side = pick(old.width, old.height)
                return resized(old, *(_rounded(n, side, number) for n in old[:2]))

    return transfer


_RESIZE = {
    "scale by multiplier": "multiplier",
    "scale longer dimension": "longer_size",
    "scale shorter dimension": "shorter_size",
    "scale width": "width",
    "scale height": "height",
    "scale total pixels": "megapixels",
    "scale to multiple": "multiple",
}


def upscaled(args: Sequence[str]) -> Transfer:
    """`upscaled image upscale_model`: as much larger as the upscale model makes it."""

    def transfer(view: View) -> Size | None:
        old, model = view.size(args[0]), view.model(args[1])
        # Most upscale models enlarge four times.
        by = (model.factor if model is not None else None) or view.guess(4)
        return times(old, by) if old is not None and by else None

    return transfer


def crop(args: Sequence[str]) -> Transfer:
    """`crop image`: at most `width` by `height` of it, from `x` and `y`."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        width, height = view.number("width"), view.number("height")
        x, y = (view.number(name) if name in view.inputs else 0 for name in "xy")
        if old is None or width is None or height is None or x is None or y is None:
            return None
        left = min(max(x, 0), old.width - 1)
        top = min(max(y, 0), old.height - 1)
        return resized(old, min(width, old.width - left), min(height, old.height - top))

    return transfer


def crop_cells(args: Sequence[str]) -> Transfer:
    """`crop_cells samples`: as `crop`, in eighths of what is asked for: `LatentCrop.crop`."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        if old is None or old.scale is None:
            return None
        cell, sides = old.scale, []
        for side, asked, start in (
            (old.width, view.number("width"), view.number("x")),
            (old.height, view.number("height"), view.number("y")),
        ):
            if asked is None or start is None or side < 8 * cell:
                return None
            first = min(int(start) // 8, side // cell - 8)
            sides.append(min(int(asked) // 8, side // cell - first) * cell)
        return resized(old, *sides)

    return transfer


def pad(args: Sequence[str]) -> Transfer:
    """`pad image`: with `left`, `right`, `top` and `bottom` added."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        sides = [view.number(name) for name in ("left", "right", "top", "bottom")]
        if old is None or None in sides:
            return None
        left, right, top, bottom = (side or 0 for side in sides)
        return resized(old, old.width + left + right, old.height + top + bottom)

    return transfer


def exactly(args: Sequence[str]) -> Transfer:
    """`exactly target_width target_height image`: of that size whatever comes in."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args[2:])
        width, height = view.number(args[0]), view.number(args[1])
        return resized(old, width, height) if old else sized(width, height, None)

    return transfer


def rotate(args: Sequence[str]) -> Transfer:
    """`rotate image`: by `rotation`, which may turn it on its side."""

    def transfer(view: View) -> Size | None:
        old, rotation = view.size(*args), view.text("rotation")
        if old is None or rotation is None:
            return None
        if rotation.startswith(("90", "270")):
            return old._replace(width=old.height, height=old.width)
        return old

    return transfer


_KONTEXT = (
    (672, 1568), (688, 1504), (720, 1456), (752, 1392), (800, 1328), (832, 1248), (880, 1184),
    (944, 1104), (1024, 1024),
)  # fmt: skip
_ALL_KONTEXT = (*_KONTEXT, *((high, wide) for wide, high in reversed(_KONTEXT[:-1])))


def kontext(args: Sequence[str]) -> Transfer:
    """`PREFERED_KONTEXT_RESOLUTIONS` of `comfy_extras/nodes_flux.py`: the nearest ratio."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        if old is None:
            return None
        ratio = old.width / old.height
        best = min(_ALL_KONTEXT, key=lambda size: abs(size[0] / size[1] - ratio))
        return resized(old, *best)

    return transfer
