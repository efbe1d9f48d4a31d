"""
Uploads to a ComfyUI server (`server.py`, `image_upload` and `upload_mask`), and names of its files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError
from comfygraph.targets.local_file import LocalFile
from comfygraph.targets.multipart import Part, multipart
from comfygraph.targets.reading import text

_FOLDERS = ("input", "output", "temp")


@dataclass(frozen=True, slots=True)
class FileReference:
    """
    A file of the server.

    Args:
        name: Its name without folders.
        subfolder: The folder below `folder`, with `/`; empty for none.
        folder: `"input"`, `"output"` or `"temp"`.
    """

    name: str
    subfolder: str = ""
    folder: str = "input"

    @property
    def value(self) -> str:
        """
        What an input of a graph says for it: `sub/name.png`, or `name.png [temp]` outside `input`
        (`folder_paths.annotated_filepath`).
        """
        place = f"{self.subfolder.strip('/')}/{self.name}" if self.subfolder else self.name
        return place if self.folder == "input" else f"{place} [{self.folder}]"

    def to_json(self) -> dict[str, JsonValue]:
        """
        Give it as `original_ref` of a mask names it.
        """
        return {"filename": self.name, "subfolder": self.subfolder, "type": self.folder}


def upload_parts(
    file: LocalFile, original: FileReference | None = None
) -> tuple[Mapping[str, str], bytes]:
    """
    Give headers and body of an upload into the input folder.

    Args:
        file: What is uploaded; the field is called `image` whatever it holds.
        original: The picture that a mask is for.
    """
    parts = [
        Part("type", b"input"),
        Part("image", file.data, filename=file.name, media_type=file.media_type),
    ]
    if original is not None:
        parts.insert(0, Part("original_ref", json.dumps(original.to_json()).encode()))
    return multipart(parts)


def file_reference(answer: Mapping[str, JsonValue]) -> FileReference:
    """
    Read what an upload answers: `{"name", "subfolder", "type"}`.

    Raises:
        ProtocolError: It names no file.
    """
    name, folder = text(answer.get("name")), text(answer.get("type")) or "input"
    if not name or folder not in _FOLDERS:
        raise ProtocolError("ComfyUI took the file but named none")
    return FileReference(name, text(answer.get("subfolder")), folder)
