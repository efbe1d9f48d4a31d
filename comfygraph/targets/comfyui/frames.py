"""
Read the websocket of a ComfyUI server (`/ws?clientId=…`), text and binary frames.

The server marks nodes of a subgraph that a node expands into by ids like `3.0.0.1` and names the
node of the graph as `display_node`; claims are made about nodes of the graph only.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.comfyui.outputs import files_of
from comfygraph.targets.http import read_json_text
from comfygraph.targets.observations import (
    FileSeen,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    NoticeSeen,
    Observation,
    PollNow,
    PreviewSeen,
)
from comfygraph.targets.reading import identifier, items, mapping, number, one_line, text

BLOCKED = "ExecutionBlocked"
"""The type of an `execution_error` that does not end the job."""

_PREVIEW, _TEXT, _PREVIEW_WITH_METADATA = 1, 3, 4
_MEDIA_TYPES = {1: "image/jpeg", 2: "image/png"}
_TRACE = re.compile(
    r'\s*File "(?P<file>[^"\n]{1,1000})", line (?P<line>\d{1,9}), in (?P<function>\S+)'
)
_RUNNING = {"running": NodeState.STARTED, "finished": NodeState.FINISHED}


class ComfyFrameReader:
    """
    Read the frames of one job.

    Args:
        prompt_id: The job; frames of other jobs claim nothing.
    """

    def __init__(self, prompt_id: str) -> None:
        self._prompt_id = prompt_id
        self._current: str | None = None
        self._has_states = False
        self._told: dict[str, tuple[str, float | None, float | None]] = {}

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Read one frame. Never raises: what cannot be read claims nothing.
        """
        if isinstance(frame, bytes):
            return tuple(self._binary(frame))
        message = mapping(read_json_text(frame))
        return self.feed_message(text(message.get("type")), message.get("data"))

    def feed_message(self, kind: str, content: JsonValue) -> tuple[Observation, ...]:
        """
        Read one message, already parsed; also what a history's `status.messages` holds.
        """
        data = mapping(content)
        named = data.get("prompt_id")
        if named is not None and named != self._prompt_id:
            return ()
        match kind:
            case "execution_start":
                return (JobSeen(JobPhase.STARTED),)
            case "execution_cached":
                nodes = (identifier(node) for node in items(data.get("nodes")))
                return tuple(NodeSeen(node, NodeState.CACHED) for node in nodes if node)
            case "executing":
                return tuple(self._executing(data))
            case "progress_state" if named is not None:
                return tuple(self._progress_state(data))
            case "progress":
                return tuple(self._progress(data))
            case "executed":
                return tuple(self._executed(data))
            case "execution_error":
                return (*failed_node(data), *_raised_at(data))
            case _:
                # `status` counts everybody's jobs; `execution_success` comes before the history
                # is written, the last `executing` after it
                return ()

    def _executing(self, data: dict[str, JsonValue]) -> Iterator[Observation]:
        if "node" in data and data["node"] is None:
            self._current = None
            yield PollNow()
            return
        node = _graph_node(data, "node", "display_node")
        if not node:
            return
        if self._current not in (None, node) and not self._has_states:
            # servers without `progress_state` tell the end of a node by the start of the next
            yield NodeSeen(self._current or "", NodeState.FINISHED)
        self._current = node
        yield NodeSeen(node, NodeState.STARTED)

    def _progress_state(self, data: dict[str, JsonValue]) -> Iterator[Observation]:
        self._has_states = True
        for node_id, entry in mapping(data.get("nodes")).items():
            if not isinstance(entry, dict):
                continue
            state = text(entry.get("state"))
            value, maximum = number(entry.get("value")), number(entry.get("max"))
            # every message repeats every node so far
            if self._told.get(node_id) == (state, value, maximum) or state not in _RUNNING:
                continue
            self._told[node_id] = (state, value, maximum)
            shown = identifier(entry.get("display_node_id")) or _outer(node_id)
            if shown != node_id:
                yield NodeSeen(shown, NodeState.STARTED)
            elif state == "finished":
                yield NodeSeen(node_id, NodeState.FINISHED)
            else:
                self._current = node_id
                yield NodeSeen(node_id, NodeState.STARTED, value, maximum)

    def _progress(self, data: dict[str, JsonValue]) -> Iterator[Observation]:
        node = identifier(data.get("node")) or self._current
        value, maximum = number(data.get("value")), number(data.get("max"))
        if node and not _is_inner(node):
            yield NodeSeen(node, NodeState.STARTED, value, maximum)

    def _executed(self, data: dict[str, JsonValue]) -> Iterator[Observation]:
        node = _graph_node(data, "node", "display_node")
        if node:
            for file in files_of(node, data.get("output")):
                yield FileSeen(file)
            inner = identifier(data.get("node")) != node
            yield NodeSeen(node, NodeState.STARTED if inner else NodeState.FINISHED)

    def _binary(self, frame: bytes) -> Iterator[Observation]:
        event, body = int.from_bytes(frame[:4], "big"), frame[4:]
        if event == _PREVIEW and len(body) > 4:
            media_type = _MEDIA_TYPES.get(int.from_bytes(body[:4], "big"))
            # names no job, and those of a job without client go to everybody: ours only while a
            # node of ours runs
            if media_type is not None and self._current is not None:
                yield PreviewSeen(self._current, body[4:], media_type)
        elif event == _PREVIEW_WITH_METADATA and len(body) > 4:
            size = int.from_bytes(body[:4], "big")
            data = mapping(read_json_text(body[4 : 4 + size]))
            image = body[4 + size :]
            if data.get("prompt_id") == self._prompt_id and image:
                node = _graph_node(data, "node_id", "display_node_id") or None
                yield PreviewSeen(node, image, text(data.get("image_type")) or "image/jpeg")
        elif event == _TEXT and len(body) > 4:
            size = int.from_bytes(body[:4], "big")
            node = _outer(body[4 : 4 + size].decode(errors="replace"))
            said = one_line(body[4 + size :].decode(errors="replace"))
            # sent to everybody and without a job: ours only while it comes from our running node
            if said and node == self._current:
                yield NoticeSeen(said, node)


def failed_node(data: dict[str, JsonValue]) -> Iterator[NodeSeen]:
    """
    Yield what an `execution_error` claims about its node. A blocked node fails, the job goes on.
    """
    node = identifier(data.get("node_id"))
    if node:
        yield NodeSeen(
            _outer(node),
            NodeState.FAILED,
            message=one_line(data.get("exception_message")) or None,
            exception_type=one_line(data.get("exception_type"), 100) or None,
        )


def _raised_at(data: dict[str, JsonValue]) -> Iterator[NoticeSeen]:
    """
    Yield where the exception came from: of some twenty frames of the traceback, the last one and,
    where that is another file, the node's own, the first below the server's `execution.py`.
    """
    node = _outer(identifier(data.get("node_id")))
    frames = [
        (found["file"], found["line"], found["function"])
        for entry in items(data.get("traceback"))
        if (found := _TRACE.match(text(entry)))
    ]
    if not node or not frames:
        return
    own = next((it for it in frames if not it[0].endswith("execution.py")), frames[-1])
    last = frames[-1]
    places = [last, own] if own[0] != last[0] else [last]
    said = ", called from ".join(
        f"{one_line(_short(file), 120)}:{line} in {one_line(function, 80)}"
        for file, line, function in places
    )
    yield NoticeSeen(f"raised at {said}", node)


def _short(file: str) -> str:
    parts = file.replace("\\", "/").split("/")
    for root in ("custom_nodes", "site-packages", "ComfyUI"):
        if root in parts:
            start = parts.index(root) + (root != "custom_nodes")
            return "/".join(parts[start:])
    return "/".join(parts[-2:])


def _graph_node(data: dict[str, JsonValue], own: str, shown: str) -> str:
    # on reconnect the server sends the running node without saying which node it belongs to
    return _outer(identifier(data.get(shown)) or identifier(data.get(own)))


def _outer(node_id: str) -> str:
    return node_id.partition(".")[0] if _is_inner(node_id) else node_id


def _is_inner(node_id: str) -> bool:
    # ids that a node expands into are `<node>.<call>.<graph>.<name>` (GraphBuilder)
    return node_id.count(".") >= 3
