"""
The placeholder pictures: a gradient whose colours come from the graph, and large text that
says what they are. Nobody can take one for the picture that the graph would really make.

They carry the graph in their metadata where ComfyUI's own save nodes put it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from io import BytesIO
from typing import TYPE_CHECKING, Any

from comfygraph.core.values import JsonValue
from comfygraph.emulator.facts import Frame

if TYPE_CHECKING:
    from PIL.Image import Image

Metadata = Mapping[str, JsonValue]
"""What goes into a file beside the picture: `prompt`, and what `extra_pnginfo` held."""

_PREVIEW_SIDE = 128


def draw(width: int, height: int, key: str, lines: tuple[str, ...]) -> Image:
    """
    Draw one placeholder.

    Args:
        width: Pixels.
        height: Pixels.
        key: The same key gives the same colours.
        lines: Text, the first line large.
    """
    from PIL import Image as ImageModule
    from PIL import ImageDraw, ImageOps

    colours = blake2b(key.encode("utf-8", "replace"), digest_size=6).digest()
    dark = tuple(part // 3 for part in colours[:3])
    light = tuple(110 + part // 3 for part in colours[3:])
    slope = ImageModule.linear_gradient("L").resize((width, height))
    picture = ImageOps.colorize(slope, dark, light)
    pen = ImageDraw.Draw(picture)
    size = max(10, min(width // 12, height // 8))
    top = height * 0.5 - size * (0.6 + 0.55 * (len(lines) - 1) / 2)
    for place, line in enumerate(lines):
        letters = size if not place else max(9, size * 2 // 3)
        # The font that Pillow brings has no more than Latin letters.
        plain = "".join(sign if " " <= sign <= "ÿ" else "?" for sign in line)
        shown = plain[: max(4, int(width / (letters * 0.5)))]
        pen.text(
            (width / 2, top),
            shown,
            font=_font(letters),
            anchor="mm",
            fill="white",
            stroke_width=max(1, letters // 24),
            stroke_fill="black",
        )
        top += letters * 1.4
    if width >= 16 and height >= 16:
        pen.rectangle((4, 4, width - 5, height - 5), outline="white")
    return picture


@lru_cache(maxsize=16)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def draw_batch(frame: Frame, key: str, title: str) -> list[Image]:
    """
    Draw the pictures of a batch: `placeholder`, the size, the title and the number.

    Args:
        frame: Size and count.
        key: The key of the node's result; each picture of the batch gets its own colours.
        title: The title of the node that shows them.
    """
    pictures = []
    for number in range(frame.count):
        of = f", {number + 1} of {frame.count}" if frame.count > 1 else ""
        lines = ("placeholder", f"{frame.width} x {frame.height}{of}", title)
        pictures.append(draw(frame.width, frame.height, f"{key}/{number}", lines))
    return pictures


def png(picture: Image, metadata: Metadata, level: int = 4) -> bytes:
    """
    Write a PNG with its metadata in `tEXt` chunks, as `SaveImage` of `nodes.py` does.

    Args:
        picture: The picture.
        metadata: Keyword → JSON value; `prompt` first.
        level: Compression, 4 for `SaveImage`, 1 for `PreviewImage`.
    """
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    for name, value in metadata.items():
        keyword = name.encode("latin-1", "replace")[:79]
        if keyword:
            info.add_text(keyword, json.dumps(value))
    out = BytesIO()
    picture.save(out, "PNG", pnginfo=info, compress_level=level)
    return out.getvalue()


def jpeg(picture: Image, quality: int = 90) -> bytes:
    """
    Write a JPEG, without metadata.
    """
    out = BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


def webp(picture: Image, quality: int = 90) -> bytes:
    """
    Write a WebP, without metadata.
    """
    out = BytesIO()
    picture.save(out, "WEBP", quality=quality)
    return out.getvalue()


def animated(pictures: list[Image], metadata: Metadata, fps: float, kind: str) -> bytes:
    """
    Write an animation as `SaveAnimatedPNG` or `SaveAnimatedWEBP` do.

    Args:
        pictures: The frames, at least one.
        metadata: As for `png`; a WebP has it in EXIF, `prompt:…` in tag 0x0110 and the others
            in the tags below it (`comfy_extras/nodes_images.py`).
        fps: Frames a second.
        kind: `"PNG"` or `"WEBP"`.
    """
    out = BytesIO()
    duration = max(1, int(1000 / max(fps, 0.01)))
    if kind == "PNG":
        from PIL.PngImagePlugin import PngInfo

        info = PngInfo()
        for name, value in metadata.items():
            text = name.encode("latin-1", "replace")[:70] + b"\0" + json.dumps(value).encode()
            info.add(b"comf", text, after_idat=True)
        pictures[0].save(
            out, "PNG", pnginfo=info, save_all=True, append_images=pictures[1:], duration=duration
        )
    else:
        exif = pictures[0].getexif()
        tag = 0x0110
        for name, value in metadata.items():
            exif[tag] = f"{name}:{json.dumps(value)}"
            tag -= 1
        pictures[0].save(
            out,
            "WEBP",
            exif=exif,
            save_all=True,
            append_images=pictures[1:],
            duration=duration,
            quality=80,
        )
    return out.getvalue()


def preview(frame: Frame, key: str, value: float, limit: float) -> bytes:
    """
    Draw the small JPEG that a sampler shows after a step.

    Args:
        frame: The size of the picture to come.
        key: As for `draw`.
        value: Steps done.
        limit: Steps to do.
    """
    scale = _PREVIEW_SIDE / max(frame.width, frame.height)
    wide, high = (max(8, round(side * scale)) for side in (frame.width, frame.height))
    return jpeg(draw(wide, high, key, ("preview", f"{value:g}/{limit:g}")), 80)


def size_of(data: bytes) -> tuple[int, int, str] | None:
    """
    Read width, height and format (`png`, `jpeg`, ...) of a picture; `None` if it is none.
    """
    from PIL import Image as ImageModule
    from PIL import UnidentifiedImageError

    try:
        with ImageModule.open(BytesIO(data)) as picture:
            return picture.width, picture.height, (picture.format or "").lower()
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    except (ImageModule.DecompressionBombError, ImageModule.DecompressionBombWarning):
        # A small file that would be an enormous picture.
        return None
