"""
The trace of a `customComfy` step: what the worker's ComfyUI said, as a stream that grows.

A frame is 14 bytes of head and a payload: the moment in milliseconds (8 bytes), the direction
(1), the opcode (1: UTF-8 JSON, 2: a preview picture), the length (4); numbers are big-endian.
With `trace: "logs"` the stream is plain text.
"""

from __future__ import annotations

import asyncio
import json
import struct
from collections.abc import AsyncIterator

from comfygraph.core.values import JsonValue
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.messages import Message, PreviewDue, spoken
from comfygraph.emulator.pictures import preview
from comfygraph.emulator.signals import JobEnded, Signal

JSON_FRAME, PICTURE_FRAME = 1, 2
_CHUNKS = (5, 14, 37, 400, 3, 4096)
_GARBAGE = (
    (7, b"of a kind that nobody knows"),
    (JSON_FRAME, b'{"type": "progress", "data": {'),
    (JSON_FRAME, b"[1, 2]"),
    (JSON_FRAME, b'{"type": "logs", "data": {"entries": [{"t": "x", "m": "\\u001b[31mred"}]}}'),
    (JSON_FRAME, b'{"type": "status", "data": {"status": {}}}'),
    (PICTURE_FRAME, b""),
)


def frame(moment: float, opcode: int, payload: bytes) -> bytes:
    """
    Give one frame.
    """
    return struct.pack(">qBBI", int(moment * 1000), 0, opcode, len(payload)) + payload


class Trace:
    """
    Args:
        key: Its name in addresses.
        binary: Frames, else text.
        bursts: Seconds between two bursts; 0 to give everything as it comes.
    """

    def __init__(self, key: str, binary: bool, bursts: float = 0.0) -> None:
        self.key = key
        self.binary = binary
        self.bursts = bursts
        self.data = bytearray()
        self.over = False
        self._grown = asyncio.Event()

    def watch(self, job: Job, signal: Signal, now: float, garbage: bool = False) -> None:
        """
        Write down what a signal of the engine says.

        Args:
            job: The run.
            signal: What happened.
            now: Seconds since 1970.
            garbage: Whether frames that mean nothing come with it.
        """
        if garbage and self.binary:
            for opcode, payload in _GARBAGE:
                self._append(frame(now, opcode, payload))
        for item in spoken(job, signal, now):
            if isinstance(item, Message):
                self.write(item.to_json(), now)
            elif isinstance(item, PreviewDue) and not item.with_metadata and self.binary:
                run = job.runs[item.node_id]
                picture = preview(run.frame, f"{job.id}/{item.node_id}", run.value, run.max)
                self._append(frame(now, PICTURE_FRAME, picture))
        if isinstance(signal, JobEnded):
            self.end()

    def write(self, message: dict[str, JsonValue], now: float) -> None:
        """
        Write down one message.
        """
        text = json.dumps(message)
        if self.binary:
            self._append(frame(now, JSON_FRAME, text.encode()))
        elif message["type"] != "progress_state":
            self._append(f"{message['type']} {json.dumps(message['data'])}\n".encode())

    def _append(self, data: bytes) -> None:
        self.data += data
        self._wake()

    def end(self) -> None:
        """
        Note that nothing more comes.
        """
        self.over = True
        self._wake()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()

    async def stream(self, limit: int = 0) -> AsyncIterator[bytes]:
        """
        Give the bytes from the start until the end, as they come, cut at odd places.

        Args:
            limit: Stop after so many bytes; 0 for never.
        """
        sent, turn = 0, 0
        while True:
            grown = self._grown
            while sent < len(self.data):
                size = _CHUNKS[turn % len(_CHUNKS)]
                turn += 1
                size = min(size, limit - sent) if limit else size
                if size <= 0:
                    return
                yield bytes(self.data[sent : sent + size])
                sent = min(sent + size, len(self.data))
                # A reader that has left is noticed between two pieces.
                await asyncio.sleep(0)
            if self.over:
                return
            await grown.wait()
            if self.bursts and not self.over:
                await asyncio.sleep(self.bursts)
