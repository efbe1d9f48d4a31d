"""
What output nodes write and show: one small function a kind of node.

Names, folders and keys are those of ComfyUI's own save nodes (`nodes.py`,
`comfy_extras/nodes_images.py`, `nodes_video.py`, `nodes_audio.py`); the content is a
placeholder of the right kind: a PNG, an animation, a film of still frames, or silence.
Nodes that would save a model, a mesh or a text write a small text file that says so.
"""

from __future__ import annotations

import json
import random
import string
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from comfygraph.core.values import JsonValue
from comfygraph.emulator import films, sounds
from comfygraph.emulator.facts import Frame, NodeView
from comfygraph.emulator.pictures import Metadata, animated, draw_batch, jpeg, png
from comfygraph.emulator.store import FileStore, StoredFile

_PLACEHOLDER = b"placeholder: written by the comfygraph emulator, not by a real node\n"


@dataclass(frozen=True, slots=True)
class Showing:
    """
    What a node shows: its `ui` object, and the files in it.
    """

    ui: Mapping[str, JsonValue]
    files: tuple[StoredFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Sheet:
    """
    What an output node needs to write its files.

    Args:
        view: The node and what its inputs bring.
        title: The title of the node, drawn into pictures.
        key: The key of its result; decides the colours.
        metadata: What goes into the files, `prompt` first.
        store: Where they go.
        extra: So many files more than the graph gives.
        called: What every file is called in place of its name, or `""`.
        temp_name: What the names of this server's temporary files have in common.
    """

    view: NodeView
    title: str
    key: str
    metadata: Metadata
    store: FileStore
    extra: int = 0
    called: str = ""
    temp_name: str = field(
        default_factory=lambda: "".join(random.choices(string.ascii_lowercase, k=5))
    )

    def notes(self) -> dict[str, str]:
        """
        Give the metadata as JSON texts.
        """
        return {name: json.dumps(value) for name, value in self.metadata.items()}

    def batch(self, *names: str) -> Frame:
        """
        Give the pictures at the first of these inputs, with the extra ones.
        """
        frame = self.view.frame(*names)
        return Frame(frame.width, frame.height, frame.count + self.extra)

    def save(
        self,
        data: bytes,
        extension: str,
        *,
        prefix: str | None = None,
        folder: str = "output",
        media_key: str = "images",
        kind: str = "image",
        frame: Frame | None = None,
        seconds: float | None = None,
        underscore: bool = True,
    ) -> StoredFile:
        """
        Write one file under the node's `filename_prefix`, or another.
        """
        if prefix is None:
            prefix = self.view.text("filename_prefix", "ComfyUI")
        name, subfolder, path = self.store.save(
            folder, prefix, extension, data, underscore=underscore
        )
        if self.called:
            self.store.nicknames[self.called] = path
        return StoredFile(
            self.called or name,
            subfolder,
            folder,
            path,
            media=media_key,
            kind=kind,
            format="jpeg" if extension == "jpg" else extension,
            width=frame.width if frame else None,
            height=frame.height if frame else None,
            seconds=seconds,
        )


def _show(files: list[StoredFile], **more: JsonValue) -> Showing:
    ui: dict[str, JsonValue] = {}
    for file in files:
        ui.setdefault(file.media, []).append(file.reference())
    return Showing({**ui, **more}, tuple(files))


def _save_image(sheet: Sheet, *, underscore: bool = True) -> Showing:
    frame = sheet.batch("images", "image")
    # `SaveImage` of Civitai's workers takes an extra input `format`.
    as_jpeg = sheet.view.text("format").lower() in {"jpeg", "jpg"}
    files = []
    for picture in draw_batch(frame, sheet.key, sheet.title):
        data = jpeg(picture) if as_jpeg else png(picture, sheet.metadata)
        extension = "jpeg" if as_jpeg else "png"
        files.append(sheet.save(data, extension, frame=frame, underscore=underscore))
    return _show(files)


def _save_advanced(sheet: Sheet) -> Showing:
    return _save_image(sheet, underscore=False)


def _preview_image(sheet: Sheet) -> Showing:
    frame = sheet.batch("images", "image", "mask")
    prefix = f"ComfyUI_temp_{sheet.temp_name}"
    files = [
        sheet.save(
            png(picture, sheet.metadata, 1), "png", prefix=prefix, folder="temp", frame=frame
        )
        for picture in draw_batch(frame, sheet.key, sheet.title)
    ]
    return _show(files)


def _animation(kind: str) -> Callable[[Sheet], Showing]:
    def save(sheet: Sheet) -> Showing:
        frame = sheet.view.frame("images")
        pictures = draw_batch(frame, sheet.key, sheet.title)
        data = animated(pictures, sheet.metadata, sheet.view.number("fps", 6), kind)
        extension = kind.lower()
        return _show([sheet.save(data, extension, frame=frame)], animated=[True])

    return save


def _film(extension: str, writer: Callable[..., bytes]) -> Callable[[Sheet], Showing]:
    def save(sheet: Sheet) -> Showing:
        frame = sheet.view.frame("video", "images")
        pictures = [jpeg(picture) for picture in draw_batch(frame, sheet.key, sheet.title)]
        fps = max(sheet.view.number("fps", 24), 0.1)
        data = writer(pictures, frame.width, frame.height, fps, sheet.notes())
        file = sheet.save(data, extension, kind="video", frame=frame)
        return _show([file], animated=[True])

    return save


def _sound(
    extension: str, writer: Callable[[float, dict[str, str]], bytes], *, temp: bool = False
) -> Callable[[Sheet], Showing]:
    def save(sheet: Sheet) -> Showing:
        seconds = sheet.view.seconds()
        prefix = f"ComfyUI_temp_{sheet.temp_name}" if temp else None
        file = sheet.save(
            writer(seconds, sheet.notes()),
            extension,
            prefix=prefix,
            folder="temp" if temp else "output",
            media_key="audio",
            kind="audio",
            seconds=seconds,
            underscore=False,
        )
        return _show([file])

    return save


def _other(media_key: str, extension: str, kind: str = "file") -> Callable[[Sheet], Showing]:
    def save(sheet: Sheet) -> Showing:
        return _show([sheet.save(_PLACEHOLDER, extension, media_key=media_key, kind=kind)])

    return save


def _preview_any(sheet: Sheet) -> Showing:
    value = sheet.view.value("source")
    return Showing({"text": ["placeholder" if value is None else str(value)]})


def _nothing(sheet: Sheet) -> Showing:
    return Showing({})


def _by_inputs(sheet: Sheet) -> Showing:
    if sheet.view.frames():
        return _preview_image(sheet)
    if sheet.view.has_sound():
        return _sound("flac", sounds.flac, temp=True)(sheet)
    return _nothing(sheet)


WRITERS: Mapping[str, Callable[[Sheet], Showing]] = MappingProxyType(
    {
        "SaveImage": _save_image,
        "SaveImageAdvanced": _save_advanced,
        "PreviewImage": _preview_image,
        "MaskPreview": _preview_image,
        "SaveAnimatedPNG": _animation("PNG"),
        "SaveAnimatedWEBP": _animation("WEBP"),
        "SaveVideo": _film("mp4", films.mp4),
        "SaveWEBM": _film("webm", films.webm),
        "SaveAudio": _sound("flac", sounds.flac),
        "SaveAudioAdvanced": _sound("flac", sounds.flac),
        "SaveAudioMP3": _sound("mp3", sounds.mp3),
        "SaveAudioOpus": _sound("opus", sounds.opus),
        "PreviewAudio": _sound("flac", sounds.flac, temp=True),
        "SaveLatent": _other("latents", "latent"),
        "SaveText": _other("text", "txt"),
        "SaveSVGNode": _other("images", "svg"),
        "SaveGLB": _other("3d", "glb", "model3d"),
        "Save3DAdvanced": _other("3d", "glb", "model3d"),
        "SavePointCloud": _other("3d", "ply", "model3d"),
        "SaveGaussianSplat": _other("3d", "ply", "model3d"),
        "PreviewAny": _preview_any,
        "SaveImageWebsocket": _nothing,
        "CheckpointSave": _nothing,
        "CLIPSave": _nothing,
        "ImageOnlyCheckpointSave": _nothing,
        "LoraSave": _nothing,
        "ModelSave": _nothing,
        "VAESave": _nothing,
        "SaveLoRA": _nothing,
        "SaveTrainingDataset": _nothing,
        "SaveImageDataSetToFolder": _nothing,
        "SaveImageTextDataSetToFolder": _nothing,
    }
)
"""Class of an output node → what writes its files."""


def show(sheet: Sheet) -> Showing:
    """
    Write the files of an output node, and give what it shows.

    Raises:
        OutsideFolderError: Its prefix leads out of the output folder.
        OSError: A file cannot be written.
    """
    return WRITERS.get(sheet.view.class_type, _by_inputs)(sheet)
