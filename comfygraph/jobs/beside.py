"""
The graph that made a picture, saved beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from comfygraph.core.values import Prompt
from comfygraph.jobs.files import Folder, NotKept, Sink
from comfygraph.jobs.names import split_ending
from comfygraph.targets.events import OutputFile


def save_graph(prompt: Prompt, files: Iterable[OutputFile], folder: Folder) -> Path | None:
    """
    Write the graph of a job into a file named after its first picture, beside it:
    `hires_00001_.json` for `hires_00001_.png`. The file opens everywhere that takes a prompt.
    One that is there already with the same graph stays.

    Args:
        prompt: The graph.
        files: The files of the job.
        folder: Says whether a file of that name is replaced.

    Returns:
        The file; `None` where no file of the job was saved, or the folder refuses.
    """
    first = next((file.path for file in files if file.path is not None), None)
    if first is None:
        return None
    text = json.dumps(prompt.to_json(), indent=2, ensure_ascii=False)
    body = text.encode(errors="replace")
    place = Path(first).with_name(f"{split_ending(Path(first).name)[0]}.json")
    sink = Sink(replace(folder, path=place.parent), place.name)
    try:
        # a graph that cannot be kept is no reason to lose the end of the job
        with suppress(OSError, NotKept):
            if _holds(place, body):
                return place
            sink.begin("application/json")
            sink.write(body)
            return sink.commit()
    finally:
        sink.abandon()
    return None


def _holds(place: Path, body: bytes) -> bool:
    try:
        return place.stat().st_size == len(body) and place.read_bytes() == body
    except FileNotFoundError:
        return False
