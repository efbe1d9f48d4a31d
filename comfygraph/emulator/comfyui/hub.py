"""
The websocket of ComfyUI: one socket a client id, JSON messages and binary frames.

Binary frames (`protocol.py`): a 4-byte event, then 1 `PREVIEW_IMAGE`: 4 bytes image type (1 JPEG,
2 PNG) and the picture; 3 `TEXT`: length and node id, then the text; 4
`PREVIEW_IMAGE_WITH_METADATA`: length and JSON, then the picture. All numbers are big-endian.
"""

from __future__ import annotations

import asyncio
import json
import struct
import uuid
from collections.abc import Iterable

from starlette.websockets import WebSocket, WebSocketDisconnect

from comfygraph.core.values import JsonValue
from comfygraph.emulator.answers import spoiled
from comfygraph.emulator.comfyui.info import FEATURES
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.faults import FAULTS_HEADER, Faults
from comfygraph.emulator.host import Host
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.messages import Message, PreviewDue, Spoken, TextDue, spoken
from comfygraph.emulator.pictures import preview
from comfygraph.emulator.signals import JobEnded, QueueChanged, Signal
from comfygraph.emulator.web import bearer
from comfygraph.errors import UsageError

OPTIONAL = frozenset(
    {
        "number",
        "node_errors",
        "meta",
        "timestamp",
        "display_node",
        "display_node_id",
        "parent_node_id",
        "real_node_id",
        "completed",
        "status_str",
        "traceback",
        "current_inputs",
        "current_outputs",
        "executed",
    }
)
"""What older servers leave out of answers and messages."""

_MAX_WAITING = 100_000
_PREVIEWS = frozenset({"auto", "latent2rgb", "taesd"})


class _Socket:
    """One connected client: what is still to be sent, and what it can take."""

    def __init__(self, sid: str, faults: Faults) -> None:
        self.sid = sid
        self.faults = faults
        self.waiting: asyncio.Queue[str | bytes | None] = asyncio.Queue()
        self.features: dict[str, JsonValue] = {}
        self._held: str | None = None

    def say(self, message: Message) -> None:
        data = spoiled(message.data, self.faults, OPTIONAL)
        self.send(json.dumps({"type": message.type, "data": data}))

    def send(self, payload: str | bytes) -> None:
        if self.waiting.qsize() >= _MAX_WAITING:
            self.waiting.put_nowait(None)
            return
        if isinstance(payload, bytes) or not self.faults.reordered_updates:
            self._put(payload)
        elif self._held is None:
            self._held = payload
        else:
            self._put(payload)
            self._put(self._held)
            self._held = None

    def flush(self) -> None:
        if self._held is not None:
            self._put(self._held)
            self._held = None

    def _put(self, payload: str | bytes) -> None:
        self.waiting.put_nowait(payload)
        if self.faults.duplicate_updates:
            self.waiting.put_nowait(payload)


class Hub:
    """
    Args:
        host: The emulator.
        engine: Whose jobs are told about.
        kept: Where the messages go that the history keeps, by job id.
    """

    def __init__(self, host: Host, engine: Engine, kept: dict[str, list[list[JsonValue]]]) -> None:
        self._host = host
        self._engine = engine
        self._kept = kept
        self._sockets: dict[str, _Socket] = {}

    async def endpoint(self, socket: WebSocket) -> None:
        """
        Serve one websocket until either side ends it.
        """
        self._host.account.request("GET /ws")
        try:
            header = socket.headers.get(FAULTS_HEADER)
            faults = self._host.faults.changed(header.split(";")) if header else self._host.faults
        except UsageError:
            faults = self._host.faults
        wanted = self._host.comfyui_token
        stranger = wanted is not None and not self._host.any_token and bearer(socket) != wanted
        if stranger or faults.no_socket:
            await socket.close(1013)
            return
        await socket.accept()
        sid = socket.query_params.get("clientId") or uuid.uuid4().hex
        client = _Socket(sid, faults)
        self._sockets[sid] = client
        client.say(Message("status", {**self._status(), "sid": sid}))
        running = self._engine.running
        if running is not None and running.extra.get("client_id") == sid and running.current:
            client.say(Message("executing", {"node": running.current}))
        client.flush()
        sender = asyncio.create_task(self._send(socket, client))
        try:
            await self._receive(socket, client)
        finally:
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            if self._sockets.get(sid) is client:
                del self._sockets[sid]

    async def close(self) -> None:
        """
        End all websockets.
        """
        for client in self._sockets.values():
            client.waiting.put_nowait(None)

    async def _receive(self, socket: WebSocket, client: _Socket) -> None:
        first = True
        while True:
            try:
                message = await socket.receive()
            except (WebSocketDisconnect, RuntimeError):
                return
            if message["type"] != "websocket.receive":
                return
            if first and (text := message.get("text")):
                self._negotiate(client, text)
            first = False

    def _negotiate(self, client: _Socket, text: str) -> None:
        # Only the first message of a client may name its features (`server.py`).
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict) and message.get("type") == "feature_flags":
            data = message.get("data")
            client.features = data if isinstance(data, dict) else {}
            client.say(Message("feature_flags", dict(FEATURES)))
            client.flush()

    async def _send(self, socket: WebSocket, client: _Socket) -> None:
        sent = 0
        limit = client.faults.socket_drop_after
        while (payload := await client.waiting.get()) is not None:
            if limit and sent >= limit:
                break
            if isinstance(payload, bytes):
                await socket.send_bytes(payload)
            else:
                await socket.send_text(payload)
            sent += 1
        await socket.close(1001)

    def _status(self) -> dict[str, JsonValue]:
        return {"status": {"exec_info": {"queue_remaining": self._engine.remaining()}}}

    def _audience(self, job: Job, public: bool) -> Iterable[_Socket]:
        client_id = job.extra.get("client_id")
        if client_id is None:
            return list(self._sockets.values()) if public else []
        client = self._sockets.get(client_id) if isinstance(client_id, str) else None
        return [client] if client is not None else []

    def watch(self, job: Job | None, signal: Signal) -> None:
        """
        Tell the sockets, and keep for the history, what the engine signals.
        """
        if isinstance(signal, QueueChanged):
            message = Message("status", self._status())
            for client in list(self._sockets.values()):
                client.say(message)
            return
        if job is None:
            return
        readers = bool(self._audience(job, public=True))
        for item in spoken(job, signal, self._engine.clock(), states=readers):
            if isinstance(item, Message) and item.kept:
                self._kept.setdefault(job.id, []).append([item.type, item.data])
            if readers:
                self._speak(job, item)
        if isinstance(signal, JobEnded):
            self._host.account.end(job.state)
            for client in self._audience(job, public=True):
                client.flush()

    def _speak(self, job: Job, item: Spoken) -> None:
        match item:
            case Message(public=public):
                for client in self._audience(job, public):
                    client.say(item)
            case TextDue(node_id=node_id, text=text):
                # Without a prompt id, and to everybody (`server.py`, `send_progress_text`).
                node = node_id.encode("utf-8", "replace")
                frame = struct.pack(">II", 3, len(node)) + node + text.encode()
                for client in list(self._sockets.values()):
                    client.send(frame)
            case PreviewDue():
                self._preview(job, item)

    def _preview(self, job: Job, due: PreviewDue) -> None:
        if job.extra.get("preview_method") not in _PREVIEWS:
            return
        # The features asked for are those of the job's client (`progress.py`): where it has none,
        # everybody gets the frame that names no job.
        nobodys = job.extra.get("client_id") is None
        clients = [
            client
            for client in self._audience(job, public=True)
            if (not nobodys and bool(client.features.get("supports_preview_metadata")))
            == due.with_metadata
        ]
        if not clients:
            return
        run = job.runs[due.node_id]
        picture = preview(run.frame, f"{job.id}/{due.node_id}", run.value, run.max)
        frame = struct.pack(">II", 1, 1) + picture
        if due.with_metadata:
            about = {
                "node_id": due.node_id,
                "prompt_id": job.id,
                "display_node_id": due.node_id,
                "parent_node_id": None,
                "real_node_id": due.node_id,
                "image_type": "image/jpeg",
            }
            head = json.dumps(about).encode()
            frame = struct.pack(">II", 4, len(head)) + head + picture
        for client in clients:
            client.send(frame)
