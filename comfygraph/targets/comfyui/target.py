"""
A ComfyUI server as a target: `POST /prompt`, the websocket, the queue and the history.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Sequence
from urllib.parse import quote, urlencode, urljoin

from comfygraph.core.values import JsonValue
from comfygraph.errors import NotFound, ProtocolError, UsageError
from comfygraph.targets.base import (
    CancelAnswer,
    Exchange,
    JobRef,
    LiveStream,
    LocalFile,
    Policy,
    PollAnswer,
    StreamRequest,
    Submission,
    Submitted,
    graph_digest,
    plain_base_url,
)
from comfygraph.targets.comfyui.access import DEFAULT_BASE_URL
from comfygraph.targets.comfyui.frames import ComfyFrameReader
from comfygraph.targets.comfyui.history import read_history, read_queue
from comfygraph.targets.comfyui.listing import JobPage, list_query, read_page
from comfygraph.targets.comfyui.refusals import node_complaints, prompt_failure, server_failure
from comfygraph.targets.comfyui.uploads import FileReference, file_reference, upload_parts
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, Secret, json_body
from comfygraph.targets.observations import (
    JobEnded,
    JobPhase,
    JobSeen,
    NoticeSeen,
    Observation,
    Outcome,
)
from comfygraph.targets.reading import identifier, integer, mapping

OPTIONS = ("front", "number", "previews", "workflow")
_KINDS = (("front", bool, "true or false"), ("number", int | float, "a number"))
"""What the server would misread, or stumble over."""

_JSON = {"Content-Type": "application/json"}
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_BASE_URL = "check COMFYUI_URL"
_FEATURES = json.dumps({"type": "feature_flags", "data": {"supports_preview_metadata": True}})


class ComfyUITarget:
    """
    A ComfyUI server.

    Args:
        base_url: Where it is.
        auth: For a server behind a proxy that asks for credentials.
        comfy_api_key: The key of an account at comfy.org, for graphs with API nodes.
        name: The target's name; the embedded emulator is one under another.

    Options of a submission: `previews` (true, or a method such as `"taesd"`) for pictures of
    samplers at work; `front` (true) and `number` for the place in the queue; `workflow`, the
    editor's document, to be written into the files.
    """

    def __init__(
        self,
        *,
        base_url: str = DEFAULT_BASE_URL,
        auth: Auth | None = None,
        comfy_api_key: Secret | None = None,
        name: str = "comfyui",
    ) -> None:
        self.name = name
        self.base_url = plain_base_url(base_url)
        # the server answers 500 to a graph that it cannot read, and again if asked again
        self.policy = Policy(
            own_inputs=True,
            poll_intervals=(0.5, 1.0, 1.0, 2.0),
            stream_first=True,
            final_statuses=frozenset({500}),
            rate_key=f"{name} {self.base_url}",
        )
        self._auth = auth
        self._comfy_api_key = comfy_api_key

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent: we choose the job's id, and a client id that
        belongs to this job alone.
        """
        prompt_id = prompt_id_for(submission.key)
        digest = graph_digest(submission.prompt)
        extra = {"client_id": prompt_id}
        return JobRef(self.name, self.base_url, prompt_id, submission.key, digest, extra)

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph. A server that is handed the same id twice runs it twice, so this is never
        sent again: look for the job with `find`.
        """
        ref = self.reference(submission)
        return self._submit(ref, self._body(submission, ref))

    def _submit(self, ref: JobRef, body: dict[str, JsonValue]) -> Exchange[Submitted]:
        hidden = (self._comfy_api_key,) if self._comfy_api_key else ()
        request = self._request("POST", "/prompt", body, resend=Resend.NEVER, hidden=hidden)
        response = yield request
        if not response.ok:
            raise prompt_failure(response)
        data = _object(response)
        prompt_id = identifier(data.get("prompt_id"))
        if not prompt_id:
            raise ProtocolError("ComfyUI took the graph but named no job", status=response.status)
        out: list[Observation] = [JobSeen(JobPhase.QUEUED)]
        # a graph of which only a part is valid is taken, and that part is run
        for complaint in node_complaints(data.get("node_errors")):
            place = f"`{complaint.input}`: " if complaint.input else ""
            said = f"left out by the server: {place}{complaint.message}"
            out.append(NoticeSeen(said, complaint.node_id))
        return Submitted(ref.with_job_id(prompt_id), tuple(out))

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Look into the history, then into the queue, then, as the job may have ended in between,
        into the history again.

        Raises:
            NotFound: It is in neither: it was deleted, or the server was started anew.
        """
        entry = yield from self._history(ref)
        if entry is None:
            place = yield from self._queue(ref)
            if place is not None:
                return PollAnswer((place,))
            entry = yield from self._history(ref)
        if entry is None:
            raise NotFound(
                f"ComfyUI has no job `{ref.job_id}` in its queue or history",
                hint="it was deleted there, or the server was started anew: submit it again",
            )
        return PollAnswer(read_history(entry, ref.job_id))

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Delete the job from the queue while it waits; interrupt it when it runs.

        A deleted job leaves no trace, so its end is told here; an interrupt takes effect at the
        server's next check, so poll on.
        """
        place = yield from self._queue(ref)
        if place is not None and place.phase is JobPhase.QUEUED:
            yield from self._command("/queue", {"delete": [ref.job_id]})
            place = yield from self._queue(ref)  # it may have begun in between
            if place is None and (yield from self._history(ref)) is None:
                return CancelAnswer(True, (JobEnded(Outcome.CANCELLED),))
        if place is not None:
            yield from self._command("/interrupt", {"prompt_id": ref.job_id})
            return CancelAnswer(accepted=True)
        entry = yield from self._history(ref)
        return CancelAnswer(False, () if entry is None else read_history(entry, ref.job_id))

    def find(self, ref: JobRef) -> Exchange[JobRef | None]:
        """
        Look for the job in queue and history; `None` where the server has not got it.
        """
        place = yield from self._queue(ref)
        if place is not None:
            return ref
        entry = yield from self._history(ref)
        return None if entry is None else ref

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        Give the websocket of the job's client.
        """
        client_id = ref.extra.get("client_id")
        if not client_id:
            return None
        address = "ws" + self.base_url.removeprefix("http")
        request = StreamRequest(
            kind="websocket",
            url=f"{address}/ws?{urlencode({'clientId': client_id})}",
            auth=self._auth,
            home=self.base_url,
            opening=(_FEATURES,),
        )
        return LiveStream(request, ComfyFrameReader(ref.job_id))

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Fetch a file through `/view`.
        """
        url = f"{self.base_url}{file.url}" if file.url.startswith("/") else file.url
        return HttpRequest(
            "GET",
            urljoin(f"{self.base_url}/", url),
            auth=self._auth,
            home=self.base_url,
            follow=True,
            timeout=60.0,
        )

    def refresh(self, ref: JobRef, file: OutputFile) -> None:
        """
        Addresses do not expire.
        """
        return

    def check(self, submission: Submission) -> None:
        """
        The server checks only what it also runs.
        """
        return

    def upload(self, file: LocalFile) -> Exchange[str]:
        """
        Put a file of any kind into the server's input folder; gives its name there. The same
        content is kept once, another one of the same name gets a new name.
        """
        return self._upload(file, "image")

    def upload_mask(self, file: LocalFile, original: FileReference) -> Exchange[str]:
        """
        Put a mask into the server's input folder: a PNG whose alpha channel becomes that of the
        picture `original`, which must be on the server. Gives the name of the masked picture.
        """
        return self._upload(file, "mask", original)

    def _upload(
        self, file: LocalFile, route: str, original: FileReference | None = None
    ) -> Exchange[str]:
        headers, body = upload_parts(file, original)
        response = yield HttpRequest(
            "POST",
            f"{self.base_url}/upload/{route}",
            headers,
            body,
            auth=self._auth,
            home=self.base_url,
            timeout=120.0,
        )
        if not response.ok:
            raise server_failure(response, f"`/upload/{route}`")
        return file_reference(_object(response)).value

    def load(self) -> Exchange[int]:
        """
        Ask how many jobs wait or run on the server.
        """
        response = yield self._request("GET", "/prompt", timeout=10.0)
        if not response.ok:
            raise server_failure(response, "`/prompt`")
        info = mapping(_object(response).get("exec_info"))
        count = integer(info.get("queue_remaining"))
        if count is None:
            raise ProtocolError("this is no ComfyUI server: it tells no queue", hint=_BASE_URL)
        return max(count, 0)

    def catalog(self, class_type: str | None = None) -> Exchange[dict[str, JsonValue]]:
        """
        Fetch `/object_info`, of all classes or of one; an empty object for an unknown one.
        """
        path = "/object_info" + (f"/{quote(class_type, safe='')}" if class_type else "")
        response = yield self._request("GET", path, timeout=120.0)
        if not response.ok:
            raise server_failure(response, "`/object_info`")
        return _object(response)

    def jobs(
        self, statuses: Sequence[str] = (), *, limit: int = 50, offset: int = 0
    ) -> Exchange[JobPage]:
        """
        List the server's jobs, newest first, of these statuses or of all.

        Raises:
            UsageError: There is no such status.
            NotFound: The server is too old to have the list.
        """
        return self._jobs(list_query(statuses, limit, offset))

    def _jobs(self, query: dict[str, str]) -> Exchange[JobPage]:
        response = yield self._request("GET", f"/api/jobs?{urlencode(query)}")
        if not response.ok:
            raise server_failure(response, "`/api/jobs`")
        return read_page(_object(response))

    def _body(self, submission: Submission, ref: JobRef) -> dict[str, JsonValue]:
        options = submission.options
        unknown = sorted(options.keys() - set(OPTIONS))
        if unknown:
            raise UsageError(
                f"ComfyUI takes no option `{unknown[0]}`", hint=f"it takes {', '.join(OPTIONS)}"
            )
        for name, kind, said in _KINDS:
            value = options.get(name)
            if value is not None and not isinstance(value, kind):
                raise UsageError(f"the option `{name}` takes {said}, not `{value}`")
        body: dict[str, JsonValue] = {
            "prompt": submission.prompt.to_json(),
            "client_id": ref.extra["client_id"],
            "prompt_id": ref.job_id,
        }
        extra_data: dict[str, JsonValue] = {}
        previews = options.get("previews")
        if previews:
            extra_data["preview_method"] = previews if isinstance(previews, str) else "auto"
        if options.get("workflow") is not None:
            extra_data["extra_pnginfo"] = {"workflow": options["workflow"]}
        if self._comfy_api_key:
            extra_data["api_key_comfy_org"] = self._comfy_api_key.reveal()
        if extra_data:
            body["extra_data"] = extra_data
        if options.get("front"):
            body["front"] = True
        if options.get("number") is not None:
            body["number"] = options["number"]
        if submission.partial_targets:
            body["partial_execution_targets"] = list(submission.partial_targets)
        return body

    def _history(self, ref: JobRef) -> Exchange[dict[str, JsonValue] | None]:
        if not ref.job_id:
            raise UsageError("the id of the job is not known")
        response = yield self._request("GET", f"/history/{quote(ref.job_id, safe='')}")
        if not response.ok:
            raise server_failure(response)
        entry = _object(response).get(ref.job_id)
        return entry if isinstance(entry, dict) else None

    def _queue(self, ref: JobRef) -> Exchange[JobSeen | None]:
        response = yield self._request("GET", "/queue")
        if not response.ok:
            raise server_failure(response, "`/queue`")
        return read_queue(_object(response), ref.job_id)

    def _command(self, path: str, body: JsonValue) -> Exchange[None]:
        response = yield self._request("POST", path, body)
        if not response.ok:
            raise server_failure(response, f"`{path}`")

    def _request(
        self,
        method: str,
        path: str,
        body: JsonValue = None,
        *,
        resend: Resend = Resend.ALWAYS,
        timeout: float = 30.0,
        hidden: tuple[Secret, ...] = (),
    ) -> HttpRequest:
        return HttpRequest(
            method,
            f"{self.base_url}{path}",
            {} if body is None else _JSON,
            b"" if body is None else json_body(body),
            auth=self._auth,
            home=self.base_url,
            resend=resend,
            timeout=timeout,
            hidden=hidden,
        )


def prompt_id_for(key: str) -> str:
    """
    Give the job id for an idempotency key: the key itself where it is a lower-case hyphenated
    UUID, the only form that the server takes, else a UUID made from it.
    """
    if _UUID.fullmatch(key):
        return key
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"comfygraph:{key}"))


def _object(response: HttpResponse) -> dict[str, JsonValue]:
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("ComfyUI answered with no JSON object", status=response.status)
    return data
