"""
The graph that made a picture, saved beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from comfygraph.core.values import Prompt
from comfygraph.jobs.files import Folder, NotKept, Sink
from comfygraph.jobs.names import split_ending
from comfygraph.targets.events import OutputFile


def save_graph(prompt: Prompt, files: Iterable[OutputFile], folder: Folder) -> Path | None:
    """
    Write the graph of a job into a file named after its first picture: `hires_00001_.json` for
    `hires_00001_.png`. The file opens everywhere that takes a prompt.

    Args:
        prompt: The graph.
        files: The files of the job.
        folder: Where they are; says too whether a file of that name is replaced.

    Returns:
        The file; `None` where no file of the job was saved, or the folder refuses.
    """
    first = next((file.path for file in files if file.path is not None), None)
    if first is None:
        return None
    sink = Sink(folder, f"{split_ending(Path(first).name)[0]}.json")
    try:
        # a graph that cannot be kept is no reason to lose the end of the job
        with suppress(OSError, NotKept):
            sink.begin("application/json")
            sink.write(
                json.dumps(prompt.to_json(), indent=2, ensure_ascii=False).encode(errors="replace")
            )
            return sink.commit()
    finally:
        sink.abandon()
    return None
