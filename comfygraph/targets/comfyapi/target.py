"""
Comfy API v2 (beta) as a target: `POST /api/v2/jobs`, polls, server-sent events, assets.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from urllib.parse import quote, urljoin, urlsplit

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, UsageError
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
from comfygraph.targets.comfyapi.job import is_over, read_job, status_of
from comfygraph.targets.comfyapi.refusals import KEY_REUSED, error_code, failure
from comfygraph.targets.comfyapi.stream import SseReader
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import (
    Auth,
    HttpRequest,
    HttpResponse,
    Resend,
    Secret,
    json_body,
    same_origin,
)
from comfygraph.targets.multipart import Part, multipart
from comfygraph.targets.observations import FileSeen, JobPhase, JobSeen
from comfygraph.targets.reading import identifier, mapping, mappings, pick, text
from comfygraph.targets.tracker import file_keys

DEFAULT_BASE_URL = "https://cloud.comfy.org"
ASSET = "core/ASSET"
_JOBS = "/api/v2/jobs"
_ASSETS = "/api/v2/assets"
_JSON = {"Content-Type": "application/json"}


class ComfyApiTarget:
    """
    Comfy Cloud, a deployment, or a proxy of one's own.

    Args:
        base_url: Where it is.
        auth: Who we are; a proxy on the own machine may want none.
        comfy_api_key: The key of an account at comfy.org, which goes along for API nodes.
        name: The target's name.

    The service takes no options and runs whole graphs. An idempotency key is good once: a second
    submit with it is refused and not answered with the first job, so none is ever sent again.
    """

    def __init__(
        self,
        *,
        base_url: str = DEFAULT_BASE_URL,
        auth: Auth | None = None,
        comfy_api_key: Secret | None = None,
        name: str = "comfyapi",
    ) -> None:
        self.name = name
        self.base_url = plain_base_url(base_url)
        self.policy = Policy(
            poll_intervals=(1.0, 1.0, 2.0, 3.0),
            own_inputs=True,
            rate_key=f"{name} {self.base_url}",
        )
        self._auth = auth
        self._comfy_api_key = comfy_api_key

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; the service chooses the id.
        """
        digest = graph_digest(submission.prompt)
        return JobRef(self.name, self.base_url, "", submission.key, digest)

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph.

        Raises:
            UsageError: An option, or a part of the outputs, is asked for.
        """
        if submission.options:
            raise UsageError(f"Comfy API takes no option `{min(submission.options)}`")
        if submission.partial_targets:
            raise UsageError("Comfy API runs whole graphs only")
        body: dict[str, JsonValue] = {"workflow": _with_assets(submission.prompt.to_json())}
        if self._comfy_api_key:
            body["extra_data"] = {"api_key_comfy_org": self._comfy_api_key.reveal()}
        return self._submit(self.reference(submission), body)

    def _submit(self, ref: JobRef, body: JsonValue) -> Exchange[Submitted]:
        response = yield HttpRequest(
            "POST",
            f"{self.base_url}{_JOBS}",
            {**_JSON, "Idempotency-Key": ref.key},
            json_body(body),
            auth=self._auth,
            home=self.base_url,
            resend=Resend.NEVER,
            hidden=(self._comfy_api_key,) if self._comfy_api_key else (),
        )
        if not response.ok:
            if error_code(response) == KEY_REUSED:
                with suppress(ProtocolError):
                    found = yield from self._find(ref)
                    if found is not None:
                        return Submitted(found)
                # no refusal: a job with this key may be there
                raise ProtocolError(
                    f"Comfy API says that a job with the key {ref.key} was handed in before",
                    hint=f"look for it at {self.base_url}",
                    status=response.status,
                )
            raise failure(response)
        job = _object(response)
        job_id = identifier(job.get("id"))
        if not job_id:
            raise ProtocolError("Comfy API took the graph but named no job", status=response.status)
        observations = read_job(job) or (JobSeen(JobPhase.QUEUED),)
        return Submitted(self._named(ref, job), observations)

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Ask how the job is.

        Raises:
            NotFound: There is no such job.
        """
        job = yield from self._job(ref)
        return PollAnswer(read_job(job))

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Ask the service to stop the job; on a job that is over this changes nothing.
        """
        url = self._url(ref, "cancel", f"{_JOBS}/{_quoted(ref)}/cancel")
        response = yield self._request("POST", url)
        if not response.ok:
            raise failure(response)
        answer = mapping(response.json()) if response.body.strip() else {}
        job = mapping(answer.get("job")) or answer
        if not status_of(job):
            job = yield from self._job(ref)
        stopped = status_of(job).startswith("cancel")
        return CancelAnswer(stopped or not is_over(job), read_job(job))

    def find(self, ref: JobRef) -> Exchange[JobRef | None]:
        """
        Look for the job among the newest ones by its key.

        Raises:
            ProtocolError: There are jobs, and the service shows no keys: one of them may be it.
        """
        return self._find(ref)

    def _find(self, ref: JobRef) -> Exchange[JobRef | None]:
        response = yield self._request("GET", f"{self.base_url}{_JOBS}")
        if not response.ok:
            raise failure(response, f"`{_JOBS}`")
        listed = response.json()
        entries = listed if isinstance(listed, list) else pick(listed, "jobs", "data", "items")
        jobs = list(mappings(entries))
        keys = [text(pick(job, "idempotency_key", "idempotencyKey")) for job in jobs]
        for key, job in zip(keys, jobs, strict=True):
            if key == ref.key and identifier(job.get("id")):
                return self._named(ref, job)
        if jobs and not any(keys):
            raise ProtocolError(
                "Comfy API does not show the keys of its jobs",
                hint=f"look at {self.base_url} for the job",
            )
        return None

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        Give the server-sent events of a job that has an id.
        """
        if not ref.job_id:
            return None
        request = StreamRequest(
            kind="bytes",
            url=self._url(ref, "events", f"{_JOBS}/{_quoted(ref)}/events"),
            headers={"Accept": "text/event-stream"},
            auth=self._auth,
            home=self.base_url,
        )
        return LiveStream(request, SseReader())

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Fetch a file; an address at another host is signed and gets no key of ours.
        """
        return HttpRequest(
            "GET",
            urljoin(f"{_origin(self.base_url)}/", file.url),
            auth=self._auth,
            home=self.base_url,
            follow=True,
            timeout=60.0,
        )

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile]:
        """
        Ask the job for a fresh address of a file.
        """
        return self._refresh(ref, file)

    def _refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile]:
        job = yield from self._job(ref)
        wanted = set(file_keys(file))
        for seen in read_job(job):
            if isinstance(seen, FileSeen) and wanted.intersection(file_keys(seen.file)):
                return replace(file, url=seen.file.url)
        return file

    def check(self, submission: Submission) -> None:
        """
        The service checks only what it also runs.
        """
        return

    def upload(self, file: LocalFile) -> Exchange[str]:
        """
        Upload a file as an asset; gives `core/ASSET:<id>`, which `submit` writes as the service
        wants it.
        """
        return self._upload(file)

    def _upload(self, file: LocalFile) -> Exchange[str]:
        headers, body = multipart([Part("file", file.data, file.name, file.media_type)])
        response = yield HttpRequest(
            "POST",
            f"{self.base_url}{_ASSETS}",
            headers,
            body,
            auth=self._auth,
            home=self.base_url,
            timeout=120.0,
        )
        if not response.ok:
            raise failure(response, f"`{_ASSETS}`")
        answer = _object(response)
        asset = identifier((mapping(answer.get("asset")) or answer).get("id"))
        if not asset:
            raise ProtocolError("Comfy API took the file but named none", status=response.status)
        return f"{ASSET}:{asset}"

    def _job(self, ref: JobRef) -> Exchange[dict[str, JsonValue]]:
        if not ref.job_id:
            raise UsageError("the id of the job is not known")
        response = yield self._request("GET", self._url(ref, "self", f"{_JOBS}/{_quoted(ref)}"))
        if not response.ok:
            raise failure(response)
        answer = _object(response)
        return mapping(answer.get("job")) or answer

    def _named(self, ref: JobRef, job: Mapping[str, JsonValue]) -> JobRef:
        urls = mapping(job.get("urls"))
        extra = {
            name: url for name in ("self", "events", "cancel") if (url := text(urls.get(name)))
        }
        return replace(ref, job_id=identifier(job.get("id")), extra=extra)

    def _url(self, ref: JobRef, name: str, path: str) -> str:
        """
        Give an address that the service named, where it is one of its own; else the usual one.
        """
        # what the service writes without a host counts from its root, whatever the base URL's path
        named = urljoin(f"{_origin(self.base_url)}/", ref.extra.get(name, ""))
        if ref.extra.get(name) and same_origin(named, self.base_url):
            return named
        return f"{self.base_url}{path}"

    def _request(self, method: str, url: str) -> HttpRequest:
        return HttpRequest(method, url, auth=self._auth, home=self.base_url)


def _with_assets(graph: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """
    Write the inputs that `upload` has named as references to assets.
    """
    out: dict[str, JsonValue] = {}
    for node_id, node in graph.items():
        inputs = {name: _asset(value) for name, value in mapping(node.get("inputs")).items()}
        out[node_id] = {**node, "inputs": inputs}
    return out


def _asset(value: JsonValue) -> JsonValue:
    kind, colon, asset = value.partition(":") if isinstance(value, str) else ("", "", "")
    return {"__type": ASSET, "info": {"id": asset}} if colon and kind == ASSET else value


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _quoted(ref: JobRef) -> str:
    return quote(ref.job_id, safe="")


def _object(response: HttpResponse) -> dict[str, JsonValue]:
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("Comfy API answered with no JSON object", status=response.status)
    return data
