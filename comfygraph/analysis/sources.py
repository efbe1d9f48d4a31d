"""
Size and count, continued: pictures from files and from latents, and sounds.
"""

from __future__ import annotations

from collections.abc import Sequence

from comfygraph.analysis.facts import Size, Sound
from comfygraph.analysis.sizes import Transfer, sized
from comfygraph.analysis.view import View


def encode(args: Sequence[str]) -> Transfer:
    """`encode pixels vae`: latents of whole cells; `vae_encode_crop_pixels` cuts the rest off."""

    def transfer(view: View) -> Size | None:
        old = view.size(args[0])
        if old is None:
            return None
        vae = view.model(args[1])
        space = vae.space if vae is not None else None
        cell = space.scale if space is not None else view.guess(8)
        if space is not None and space.time > 1:
            # A film: the pictures of the batch are its frames.
            count = old.batch
            frames = None if count is None else (count - 1) // space.time * space.time + 1
            return sized(old.width, old.height, 1, frames, cell)
        if cell is None and (old.width % 64 or old.height % 64):
            return None  # What is cut off depends on the VAE.
        if space is None and old.batch != 1 and not view.guessing:
            return sized(old.width, old.height, None, None, cell)  # A film, or several pictures.
        return sized(old.width, old.height, old.batch, 1, cell)

    return transfer


def decode(args: Sequence[str]) -> Transfer:
    """`decode samples`: the pictures of latents; films become pictures one after the other."""

    def transfer(view: View) -> Size | None:
        old = view.size(*args)
        return Size(old.width, old.height, old.pictures, 1, 1) if old is not None else None

    return transfer


def file(args: Sequence[str]) -> Transfer:
    """`file image`: as the input file that `image` names has them."""

    def transfer(view: View) -> Size | None:
        name = view.text(args[0])
        found = view.file_size(name) if name else None
        # An input file that nobody has seen is drawn as a square.
        return found or view.guess(Size(512, 512))

    return transfer


def film(args: Sequence[str]) -> Transfer:
    """`film file`: as the film in the input file; how long it is stays unknown."""
    inner = file(args)

    def transfer(view: View) -> Size | None:
        found: Size | None = inner(view)
        return found._replace(batch=view.guess(8)) if found is not None else None

    return transfer


def silence(args: Sequence[str]) -> Transfer:
    """`silence seconds`: a sound of so many seconds."""
    names = args

    def transfer(view: View) -> Sound | None:
        known = next((view.number(name) for name in names if name in view.inputs), None)
        seconds = known if known is not None else view.guess(5.0)
        return Sound(max(seconds, 0.0)) if seconds is not None else None

    return transfer


def sound(args: Sequence[str]) -> Transfer:
    """`sound`: the first sound that comes in."""
    return lambda view: view.sound()
