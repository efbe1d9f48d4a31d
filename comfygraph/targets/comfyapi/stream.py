"""
Read the server-sent events of a job of Comfy API v2: `status`, `progress`, `preview`, `output`,
`log` (format: https://html.spec.whatwg.org/multipage/server-sent-events.html).

The documents name the events and not their data: a part of a job may stand at the top or under
the name that it has in the job.
"""

from __future__ import annotations

import base64
import binascii
import codecs
from collections.abc import Iterable, Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.comfyapi.job import is_over, read_job, read_output, read_progress
from comfygraph.targets.http import read_json_text
from comfygraph.targets.observations import (
    JobEnded,
    NodeSeen,
    NodeState,
    Observation,
    PollNow,
    PreviewSeen,
)
from comfygraph.targets.reading import identifier, mapping, pick, text

MAX_EVENT = 32 * 1024 * 1024
"""The most characters of one event; a longer one is dropped."""


class SseReader:
    """
    Read the stream of one job, in pieces that may end anywhere.
    """

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest: list[str] = []
        self._rest_size = 0
        self._event = ""
        self._data: list[str] = []
        self._size = 0
        self._after_return = False
        self._current: str | None = None

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Read the next piece. Never raises: what cannot be read claims nothing.
        """
        piece = self._decoder.decode(frame) if isinstance(frame, bytes) else frame
        return tuple(self._read(piece))

    def _read(self, piece: str) -> Iterator[Observation]:
        if self._after_return and piece:
            # the second half of a line end that was cut in two
            self._after_return = False
            piece = piece.removeprefix("\n")
        if piece.endswith("\r"):
            self._after_return = True
        lines = piece.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        for line in lines[:-1]:
            yield from self._line("".join([*self._rest, line]))
            self._rest.clear()
            self._rest_size = 0
        if self._rest_size <= MAX_EVENT:
            self._rest.append(lines[-1])
            self._rest_size += len(lines[-1])

    def _line(self, line: str) -> Iterator[Observation]:
        if not line:
            if self._size <= MAX_EVENT:
                seen = read_event(self._event, read_json_text("\n".join(self._data)))
                yield from self._with_ends(seen)
            self._event, self._size = "", 0
            self._data.clear()
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._event = value
        elif name == "data":
            self._size += len(value)
            if self._size <= MAX_EVENT:
                self._data.append(value)

    def _with_ends(self, observations: Iterable[Observation]) -> Iterator[Observation]:
        # one node is current at a time, and the next one tells the end of the last
        for seen in observations:
            if isinstance(seen, NodeSeen) and seen.state is NodeState.STARTED:
                if self._current not in (None, seen.node_id):
                    yield NodeSeen(self._current or "", NodeState.FINISHED)
                self._current = seen.node_id
            yield seen


def read_event(kind: str, content: JsonValue) -> Iterator[Observation]:
    """
    Yield what one event claims; the end of a job is only a reason to ask.
    """
    data = mapping(content)
    match kind:
        case "status":
            job = mapping(data.get("job")) or data
            yield from (seen for seen in read_job(job) if not isinstance(seen, JobEnded))
            if is_over(job):
                yield PollNow()
        case "progress":
            yield from read_progress(data.get("progress") or data)
        case "output":
            yield from read_output(data.get("output") or data)
        case "preview":
            yield from _preview(mapping(data.get("preview")) or data)
        case _:
            return


def _preview(data: dict[str, JsonValue]) -> Iterator[Observation]:
    image = text(pick(data, "image", "data", "b64"))
    media_type = text(pick(data, "content_type", "media_type")) or "image/jpeg"
    if image.startswith("data:"):
        head, _, image = image.partition(",")
        media_type = head[5:].partition(";")[0] or media_type
    try:
        picture = base64.b64decode(image, validate=True)
    except (binascii.Error, ValueError):
        return
    if picture:
        yield PreviewSeen(identifier(data.get("node_id")) or None, picture, media_type)
