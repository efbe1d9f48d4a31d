"""
Read the live trace of a `customComfy` step: what the worker's ComfyUI says, as a stream of frames.

A frame is 14 bytes of head (moment in milliseconds, 8 bytes; direction, 1; opcode, 1; length, 4;
numbers are big-endian) and its payload: JSON of ComfyUI's websocket (opcode 1) or a preview
picture without ComfyUI's own head (2). Other opcodes are skipped by their length. Frames come in
bursts and are cut anywhere. The stream is the same from its first byte on for everybody who asks
for it, so a broken one is read again, and what was read before is passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.targets.comfyui.frames import ComfyFrameReader
from comfygraph.targets.http import read_json_text
from comfygraph.targets.observations import FileSeen, NodeSeen, NodeState, Observation, PollNow
from comfygraph.targets.reading import identifier, mapping, text

HEAD = struct.Struct(">qBBI")
JSON_FRAME, PICTURE_FRAME = 1, 2
LONGEST_FRAME = 16 * 1024 * 1024
"""Bytes of a payload; a longer one is passed over, whatever it is."""

_LAST = ("execution_success", "execution_error", "execution_interrupted")
_JPEG, _PNG = 1, 2


class Frames:
    """
    Cuts a stream of bytes into frames; keeps at most one unfinished frame.
    """

    def __init__(self) -> None:
        self._pending = bytearray()
        self._pass_over = 0

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        """
        Take in the next bytes; yield opcode and payload of the frames that are complete now.
        """
        at = min(self._pass_over, len(piece))
        self._pass_over -= at
        self._pending += memoryview(piece)[at:]
        start = 0
        while len(self._pending) - start >= HEAD.size:
            _, _, opcode, length = HEAD.unpack_from(self._pending, start)
            body = start + HEAD.size
            wanted = opcode in (JSON_FRAME, PICTURE_FRAME) and length <= LONGEST_FRAME
            end = body + length
            if not wanted:
                start = min(end, len(self._pending))
                self._pass_over = end - start
                continue
            if end > len(self._pending):
                break
            yield opcode, bytes(memoryview(self._pending)[body:end])
            start = end
        del self._pending[:start]


class Trace:
    """
    The trace of one run, over all connections that it takes to read it.
    """

    def __init__(self) -> None:
        self._frames = Frames()
        self._worker: ComfyFrameReader | None = None
        self.received = 0
        """Bytes that were read so far."""
        self.finished = False
        """Whether the worker has said how the run ended."""
        self.tells_nodes = False
        """Whether it has said anything about a node."""
        self.failed_node: str | None = None

    def reader(self) -> TraceReader:
        """
        Give a reader for a new connection, which starts at the first byte again.
        """
        return TraceReader(self)

    def read(self, piece: bytes) -> tuple[Observation, ...]:
        """
        Take in bytes that were not read before.
        """
        self.received += len(piece)
        out: list[Observation] = []
        for opcode, payload in self._frames.feed(piece):
            # files of the worker cannot be fetched; the workflow lists those that can
            claims = self._frame(opcode, payload)
            out.extend(seen for seen in claims if not isinstance(seen, FileSeen))
        return tuple(out)

    def _frame(self, opcode: int, payload: bytes) -> Iterator[Observation]:
        if opcode == PICTURE_FRAME:
            kind = _JPEG if payload.startswith(b"\xff\xd8") else _PNG
            if self._worker is not None and payload:
                yield from self._worker.feed(struct.pack(">II", 1, kind) + payload)
            return
        message = mapping(read_json_text(payload))
        kind_name, data = text(message.get("type")), message.get("data")
        for seen in self._message(kind_name, data):
            if isinstance(seen, NodeSeen):
                self.tells_nodes = True
                if seen.state is NodeState.FAILED:
                    self.failed_node = seen.node_id
            yield seen
        if kind_name in _LAST:
            self.finished = True
            yield PollNow()

    def _message(self, kind: str, data: JsonValue) -> tuple[Observation, ...]:
        # the worker gives the run an id of its own, which nobody else knows
        if self._worker is None:
            prompt_id = identifier(mapping(data).get("prompt_id"))
            if not prompt_id:
                return ()
            self._worker = ComfyFrameReader(prompt_id)
        return self._worker.feed_message(kind, data)


class TraceReader:
    """
    Reads one connection of a trace; passes over what earlier ones have read.
    """

    def __init__(self, trace: Trace) -> None:
        self._trace = trace
        self._known = trace.received

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Read the next piece of the stream. Never raises.
        """
        if isinstance(frame, str):
            return ()
        known = min(self._known, len(frame))
        self._known -= known
        return self._trace.read(frame[known:]) if known < len(frame) else ()
