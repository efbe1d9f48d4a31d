"""
`/view` and the uploads (`server.py`, `view_image`, `image_upload`, `upload_mask`).
"""

from __future__ import annotations

import hashlib
import json
import mimetypes
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from comfygraph.emulator.comfyui.service import ComfyUI, ServiceHandler, answer, stumble
from comfygraph.emulator.forms import read_form
from comfygraph.emulator.pictures import size_of
from comfygraph.emulator.store import OutsideFolderError, UnknownFolderError, annotated

MAX_PIXELS = 64 * 1024 * 1024
_DANGEROUS = frozenset({"text/html", "text/html-sandboxed", "application/xhtml+xml", "text/css"})


async def view(service: ComfyUI, request: Request) -> Response:
    """
    Give a file of the output, temp or input folder, or a smaller or simpler form of it.
    """
    query = request.query_params
    if "filename" not in query:
        return Response(status_code=404)
    nicknamed = service.engine.store.nicknames.get(query["filename"])
    if nicknamed is not None:
        return FileResponse(nicknamed, media_type="application/octet-stream")
    name, kind = annotated(query["filename"])
    if not name:
        return Response(status_code=400)
    if name[0] == "/" or ".." in name:
        return Response(status_code=400)
    try:
        folder = kind or query.get("type", "output")
        path = service.engine.store.locate(folder, query.get("subfolder", ""), Path(name).name)
        if not path.is_file():
            return Response(status_code=404)
    except UnknownFolderError:
        return Response(status_code=400)
    except OutsideFolderError:
        return Response(status_code=403)
    except (OSError, ValueError):
        return Response(status_code=404)
    if {"preview", "channel"} & query.keys() and not _drawable(path):
        return stumble()
    if "preview" in query:
        return _smaller(path, query["preview"])
    if query.get("channel") in {"rgb", "a"}:
        return _channel(path, query["channel"])
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    if media_type in _DANGEROUS or "javascript" in media_type:
        media_type = "application/octet-stream"
    return FileResponse(path, media_type=media_type, headers=_headers(path))


def _drawable(path: Path) -> bool:
    """Tell whether a file is a picture that may be unpacked: a small file can be a huge one."""
    return _small(path.read_bytes())


def _small(data: bytes) -> bool:
    size = size_of(data)
    return size is not None and size[0] * size[1] <= MAX_PIXELS


def _headers(path: Path) -> dict[str, str]:
    name = path.name.encode("latin-1", "replace").decode("latin-1").replace('"', "")
    return {"Content-Disposition": f'filename="{name}"', "X-Content-Type-Options": "nosniff"}


def _smaller(path: Path, wanted: str) -> Response:
    from PIL import Image, UnidentifiedImageError

    kind, _, quality = wanted.partition(";")
    kind = kind if kind in {"webp", "jpeg"} else "webp"
    out = BytesIO()
    try:
        with Image.open(path) as picture:
            plain = picture.convert("RGB") if kind == "jpeg" else picture
            level = int(quality) if quality.isdigit() else 90
            plain.save(out, kind.upper(), quality=min(level, 100))
    except (UnidentifiedImageError, OSError, ValueError):
        return stumble()
    return Response(out.getvalue(), media_type=f"image/{kind}", headers=_headers(path))


def _channel(path: Path, channel: str) -> Response:
    from PIL import Image, UnidentifiedImageError

    out = BytesIO()
    try:
        with Image.open(path) as picture:
            if channel == "rgb":
                picture.convert("RGB").save(out, "PNG")
            else:
                alpha = picture.convert("RGBA").getchannel("A")
                mask = Image.new("RGBA", picture.size)
                mask.putalpha(alpha)
                mask.save(out, "PNG")
    except (UnidentifiedImageError, OSError, ValueError):
        return stumble()
    return Response(out.getvalue(), media_type="image/png", headers=_headers(path))


async def upload_image(service: ComfyUI, request: Request) -> Response:
    """
    Take a file in: the same content is used again, another one under a new name.
    """
    form = await read_form(request)
    image = form.get("image")
    if not isinstance(image, tuple):
        return Response(status_code=400)
    return _keep(service, form, *image)


def _keep(
    service: ComfyUI, form: Mapping[str, str | tuple[str, bytes]], name: str, data: bytes
) -> Response:
    kind, subfolder = str(form.get("type", "input")), str(form.get("subfolder", ""))
    overwrite = str(form.get("overwrite", "")) in {"true", "1"}
    if not name:
        return Response(status_code=400)
    try:
        path = service.engine.store.locate(kind, os.path.normpath(subfolder or "."), name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path = _free(path, data, overwrite)
        path.write_bytes(data)
    except UnknownFolderError:
        return stumble()
    except (OutsideFolderError, ValueError):
        return Response(status_code=400)
    except OSError:
        return stumble()
    return answer({"name": path.name, "subfolder": subfolder, "type": kind})


def _free(path: Path, data: bytes, overwrite: bool) -> Path:
    if overwrite:
        return path
    digest, place, free = hashlib.sha256(data).digest(), 0, path
    while free.exists():
        if free.is_file() and hashlib.sha256(free.read_bytes()).digest() == digest:
            return free
        place += 1
        free = path.with_name(f"{path.stem} ({place}){path.suffix}")
    return free


async def upload_mask(service: ComfyUI, request: Request) -> Response:
    """
    Take a mask in, for the picture that `original_ref` names; that one must be there. What is
    kept is that picture with the mask's alpha channel.
    """
    form = await read_form(request)
    reference, image = form.get("original_ref"), form.get("image")
    if not isinstance(reference, str) or not isinstance(image, tuple):
        return Response(status_code=400)
    try:
        original = json.loads(reference)
        name, kind = annotated(str(original["filename"]))
        folder = kind or str(original.get("type", "output"))
        subfolder = str(original.get("subfolder", ""))
        path = service.engine.store.locate(folder, subfolder, name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return Response(status_code=400)
    if not path.is_file():
        return Response(status_code=400)
    masked = _masked(path.read_bytes(), image[1])
    return stumble() if masked is None else _keep(service, form, image[0], masked)


def _masked(original: bytes, mask: bytes) -> bytes | None:
    """Put the alpha channel of one picture onto another; `None` where the server would raise."""
    from PIL import Image, UnidentifiedImageError

    if not _small(original) or not _small(mask):
        return None
    out = BytesIO()
    try:
        with Image.open(BytesIO(original)) as picture, Image.open(BytesIO(mask)) as other:
            whole = picture.convert("RGBA")
            whole.putalpha(other.convert("RGBA").getchannel("A"))
            whole.save(out, "PNG", compress_level=4)
    except (UnidentifiedImageError, OSError, ValueError):
        return None
    return out.getvalue()


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {
        ("GET", "/view"): view,
        ("POST", "/upload/image"): upload_image,
        ("POST", "/upload/mask"): upload_mask,
    }
)
