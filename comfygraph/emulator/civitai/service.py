"""
The state of the emulated orchestration service.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.callbacks import call_back, call_back_job
from comfygraph.emulator.civitai.model import TERMINAL, Blob, Step, StepJob, Workflow, iso
from comfygraph.emulator.civitai.problems import InvalidError, invalid, problem
from comfygraph.emulator.civitai.trace import Trace
from comfygraph.emulator.engine import Engine
from comfygraph.emulator.host import Host
from comfygraph.emulator.jobs import Job
from comfygraph.emulator.signals import JobEnded, QueueChanged, RunStarted, Signal
from comfygraph.emulator.web import Handler, bearer, faults_of, json_answer
from comfygraph.emulator.webhooks import Webhooks

ServiceHandler: TypeAlias = Callable[["Civitai", Request], Awaitable[Response]]
USER = 1234567


class Civitai:
    """
    Args:
        host: The emulator.
        engine: Its own engine; started and stopped by the caller.
    """

    def __init__(self, host: Host, engine: Engine) -> None:
        self.host = host
        self.engine = engine
        self.workflows: dict[str, Workflow] = {}
        self.external: dict[str, Workflow] = {}
        self.owners: dict[str, tuple[Workflow, Step]] = {}
        self.traces: dict[str, tuple[Trace, Workflow]] = {}
        self.blobs: dict[str, Blob] = {}
        self.blob_faults: dict[str, Workflow] = {}
        self.tokens: dict[str, tuple[Blob, float]] = {}
        self.warm: set[str] = set()
        self.webhooks = Webhooks()
        self.closing = False
        self._broken: set[str] = set()
        self._secret = secrets.token_bytes(16)
        self._tasks: set[asyncio.Task[None]] = set()
        self._last_id = 0
        engine.watchers.append(self._watch)
        engine.read_input = self._read_input

    def refuse(self, request: Request, status: int, message: str) -> Response:
        """
        Answer with an error.
        """
        return problem(status, message)

    def bound(self, handler: ServiceHandler) -> Handler:
        """
        Give a handler that needs no credential.
        """

        async def call(request: Request) -> Response:
            return await self._answer(handler, request)

        return call

    def guarded(self, handler: ServiceHandler) -> Handler:
        """
        Put the check of credentials before a handler.
        """

        async def guard(request: Request) -> Response:
            if not self.is_known(request):
                if faults_of(request).bare_unauthorized:
                    return Response(status_code=401)
                return problem(401)
            if faults_of(request).no_scope:
                said = {"error": "insufficient_scope", "error_description": "AIServicesWrite"}
                return json_answer(said, 403)
            return await self._answer(handler, request)

        return guard

    async def _answer(self, handler: ServiceHandler, request: Request) -> Response:
        try:
            return await handler(self, request)
        except InvalidError as exc:
            return invalid(exc, as_messages=faults_of(request).messages_form)

    def is_known(self, request: Request) -> bool:
        """
        Tell whether a request brings the right token.
        """
        token = bearer(request)
        return token is not None and (token == self.host.token or self.host.any_token)

    def new_id(self, *, opaque: bool = False) -> str:
        """
        Give the next workflow id: the user, and the moment to the millisecond; or, as the
        service's guide has it, `wf_` and something.
        """
        self._last_id = max(self._last_id + 1, int(self.host.clock() * 1000))
        if opaque:
            return f"wf_{self._last_id:026X}"
        at = datetime.fromtimestamp(self._last_id / 1000, UTC)
        return f"{USER}-{at:%Y%m%d%H%M%S}{self._last_id % 1000:03}"

    def begin(self, workflow: Workflow) -> None:
        """
        Start to carry out a workflow.
        """
        from comfygraph.emulator.civitai.runner import carry_out

        task = asyncio.get_running_loop().create_task(carry_out(self, workflow))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def cancel(self, workflow: Workflow) -> None:
        """
        Cancel a workflow that is not over.
        """
        workflow.canceling = True
        for step in workflow.steps:
            for one in step.jobs:
                self.engine.stop_job(one.job)

    async def stop(self) -> None:
        """
        Let go whoever waits, and stop all work.
        """
        self.closing = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for workflow in self.workflows.values():
            workflow.touch()
        for trace, _ in self.traces.values():
            trace.end()
        await self.webhooks.stop()

    async def wait_for(self, workflow: Workflow, seconds: float, *, any_change: bool) -> None:
        """
        Wait until a workflow is over, or has changed, or time is up.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, 100.0)):
                while workflow.status not in TERMINAL and not self.closing:
                    await workflow.changed.wait()
                    if any_change:
                        return

    def sign(self, blob: Blob, ttl: float) -> tuple[str, str]:
        """
        Give a signed address of a blob, and until when it is good.
        """
        until = iso(self.host.clock() + ttl) or ""
        sig = quote(self.signature(blob.id, until), safe="")
        address = f"{self.host.base_url}/v2/consumer/blobs/{quote(blob.id)}"
        return f"{address}?sig={sig}&exp={quote(until, safe='')}", until

    def signature(self, name: str, until: str) -> str:
        """
        Give the signature of a name that is good until a moment.
        """
        digest = hmac.digest(self._secret, f"{name}\n{until}".encode(), hashlib.sha256)
        return base64.urlsafe_b64encode(digest[:24]).decode()

    def is_signed(self, request: Request, name: str) -> bool:
        """
        Tell whether the address of a request is signed for `name` and still good.
        """
        until = request.query_params.get("exp", "")
        given = request.query_params.get("sig", "")
        right = self.signature(name, until)
        fresh = not until or until > (iso(self.host.clock()) or "")
        return hmac.compare_digest(right.encode(), given.encode("utf-8", "replace")) and fresh

    def new_blob(self, extension: str, job_id: str | None = None) -> Blob:
        """
        Make a blob that has no content yet.
        """
        name = base64.b32encode(secrets.token_bytes(17)).decode()[:26]
        blob = Blob(f"{name}.{extension}", job_id=job_id)
        self.blobs[blob.id] = blob
        return blob

    def level_of(self, blob_id: str) -> int:
        """
        Give how mature a blob is: 0 for everybody, 3 for what is withheld.
        """
        owner = self.blob_faults.get(blob_id)
        return 3 if owner is not None and owner.faults.withheld else 0

    def register_blobs(self, one: StepJob) -> None:
        """
        Give the files of a job their blobs; those announced before keep their ids.
        """
        owner = self.owners[one.job.id][0]
        for place, file in enumerate(one.job.all_files()):
            if place >= len(one.blobs):
                one.blobs.append(self.new_blob(file.format, one.id))
            one.blobs[place].file = file
        for blob in one.blobs:
            self.blob_faults[blob.id] = owner

    def resolved(self, workflow: Workflow, value: JsonValue) -> JsonValue:
        """
        Give a value with its references replaced by what they point at.
        """
        if isinstance(value, list):
            return [self.resolved(workflow, item) for item in value]
        if not isinstance(value, dict):
            return value
        if "$ref" not in value:
            return {name: self.resolved(workflow, item) for name, item in value.items()}
        target, path = value["$ref"], str(value.get("path", ""))
        if target == "$arguments":
            found: JsonValue = workflow.template.get("arguments") or {}
        else:
            places = {f"${place}": step for place, step in enumerate(workflow.steps)}
            steps = {**places, **{step.name: step for step in workflow.steps}}
            found = {"output": steps[target].output or {}}
        for part in path.replace("[", ".").replace("]", "").split("."):
            if part:
                found = found[int(part)] if isinstance(found, list) else found[part]
        return found

    def breaks(self, trace: Trace) -> bool:
        """
        Tell whether the stream of a trace is to break off: the first one does.
        """
        first = trace.key not in self._broken
        self._broken.add(trace.key)
        return first

    def _read_input(self, name: str) -> bytes | None:
        blob_id = name.partition("?")[0].rpartition("/")[2].rpartition("@")[2]
        blob = self.blobs.get(blob_id)
        return blob.file.path.read_bytes() if blob is not None and blob.file is not None else None

    def _watch(self, job: Job | None, signal: Signal) -> None:
        if job is None or isinstance(signal, QueueChanged) or job.id not in self.owners:
            return
        workflow, step = self.owners[job.id]
        call_back_job(self, workflow, step, job, signal)
        if isinstance(signal, RunStarted) and step.status == "scheduled":
            step.status = "processing"
            step.started = self.host.clock()
            workflow.roll_up(step.started)
            call_back(self, workflow, step)
        if step.trace is not None:
            step.trace.watch(job, signal, self.host.clock(), workflow.faults.trace_garbage)
        if isinstance(signal, JobEnded):
            self.host.account.end(job.state)
