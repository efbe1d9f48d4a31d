"""
Files in the `ui` output of a node: `{"images": [{"filename", "subfolder", "type"}], ...}`.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

from comfygraph.core.values import JsonValue
from comfygraph.targets.events import OutputFile
from comfygraph.targets.reading import kind_of, mapping, mappings, text

_KIND_OF_LIST = {
    "images": "image",
    "gifs": "video",
    "video": "video",
    "videos": "video",
    "audio": "audio",
    "3d": "model3d",
}


def files_of(node_id: str, output: JsonValue) -> Iterator[OutputFile]:
    """
    Yield the files of one node's output; lists of anything else, such as texts, hold none.

    The URL is relative: `/view?filename=…&subfolder=…&type=…`.
    """
    for name, entries in mapping(output).items():
        for entry in mappings(entries):
            filename = text(entry.get("filename"))
            if not filename:
                continue
            folder = text(entry.get("type")) or "output"
            place = {
                "filename": filename,
                "subfolder": text(entry.get("subfolder")),
                "type": folder,
            }
            query = urlencode(place, errors="replace")
            yield OutputFile(
                url=f"/view?{query}",
                name=filename,
                node_id=node_id,
                kind=kind_of(filename, _KIND_OF_LIST.get(name, "file")),
                preview=folder != "output",
                id=f"{folder}/{place['subfolder']}/{filename}",
            )
