"""
Size and count, continued: verbs that make more or fewer pictures, or one of several.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from comfygraph.analysis import sizes, sources
from comfygraph.analysis.facts import Size, Sound
from comfygraph.analysis.sizes import Maker, Transfer, sized
from comfygraph.analysis.view import View


def repeat(args: Sequence[str]) -> Transfer:
    """`repeat image`: `amount` times as many."""

    def transfer(view: View) -> Size | None:
        old, amount = view.size(*args), view.integer("amount")
        if old is None:
            return None
        many = None if amount is None or old.batch is None else old.batch * max(amount, 1)
        return old._replace(batch=many)

    return transfer


def batch(args: Sequence[str]) -> Transfer:
    """`batch image1 image2`: all of them, in the size of the first; `batch *`: of all inputs."""

    def transfer(view: View) -> Size | None:
        names = [name for name, value in view.inputs.items() if isinstance(value, list)]
        found = [view.size(name) for name in (names if args == ["*"] else args)]
        first = found[0] if found else None
        if first is None:
            return None
        counts = [one.batch for one in found if one is not None and one.batch is not None]
        return first._replace(batch=sum(counts) if len(counts) == len(found) else None)

    return transfer


def pick(args: Sequence[str]) -> Transfer:
    """`pick image`: `length` of them from `batch_index`, which may count from the end."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        index, length = view.integer("batch_index"), view.integer("length")
        if old is None:
            return None
        if index is None or length is None or old.batch is None:
            return old._replace(batch=None)
        if index < 0:
            index += old.batch
        first = min(max(index, 0), old.batch - 1)
        return old._replace(batch=max(min(length, old.batch - first), 1))

    return transfer


def stitch(args: Sequence[str]) -> Transfer:
    """`ImageStitch`: the second beside or below the first, scaled to its side where asked."""

    def transfer(view: View) -> Size | None:
        one = view.size("image1")
        if one is None or "image2" not in view.inputs:
            return one
        two = view.size("image2")
        direction = view.text("direction") or "right"
        matched = view.value("match_image_size")
        gap = view.integer("spacing_width") if "spacing_width" in view.inputs else 0
        if two is None or gap is None or one.batch is None or two.batch is None:
            return None
        gap += gap % 2
        many = max(one.batch, two.batch)
        if direction in ("right", "left"):
            if matched is False:
                return Size(one.width + two.width + gap, max(one.height, two.height), many)
            wide = int(one.height * (two.width / two.height))
            return Size(one.width + wide + gap, one.height, many)
        if matched is False:
            return Size(max(one.width, two.width), one.height + two.height + gap, many)
        high = int(one.width / (two.width / two.height))
        return Size(one.width, one.height + high + gap, many)

    return transfer


def first(args: Sequence[str]) -> Transfer:
    """`first av_latent`: what comes in there, for the first output alone."""
    return lambda view: (view.size(*args),)


def trim(args: Sequence[str]) -> Transfer:
    """`trim samples`: fewer or more frames, how many is not followed."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        return old._replace(frames=view.guess(old.frames)) if old is not None else None

    return transfer


def likely(args: Sequence[str]) -> Transfer:
    """
    `likely`: new pictures of `width` and `height` where a class has such inputs, else those
    that come in first, else the first sound; a guess.
    """

    def transfer(view: View) -> Size | Sound | None:
        if not view.guessing:
            return None
        first = next(view.sizes(), None)
        if {"width", "height"} <= view.inputs.keys():
            many = view.integer("batch_size") if "batch_size" in view.inputs else None
            frames = view.integer("length") if "length" in view.inputs else 1
            count = many or (first.batch if first is not None else 1)
            return sized(view.number("width"), view.number("height"), count, frames, 8)
        return first or view.sound()

    return transfer


VERBS: Mapping[str, Maker] = {
    name: getattr(sizes, name)
    for name in (
        "of", "new", "to", "cells", "scale", "megapixels", "longest", "shortest", "resize",
        "upscaled", "crop", "crop_cells", "pad", "exactly", "rotate", "kontext",
    )
} | {
    "encode": sources.encode, "decode": sources.decode, "file": sources.file,
    "film": sources.film, "silence": sources.silence, "sound": sources.sound,
"repeat": repeat, "batch": batch, "pick": pick, "stitch": stitch, "trim": trim, "first": first,
     "likely": likely}  # fmt: skip
"""What the table and the configuration may say of `size`."""
