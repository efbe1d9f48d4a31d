"""
Civitai's orchestration API as a target.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from threading import Lock
from urllib.parse import urljoin

from comfygraph.core.values import JsonValue
from comfygraph.errors import NotFound, ProtocolError
from comfygraph.targets.base import (
    CancelAnswer,
    CheckAnswer,
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
)
from comfygraph.targets.civitai.api import CivitaiApi, Listing, workflow_path
from comfygraph.targets.civitai.calls import DEFAULT_BASE_URL
from comfygraph.targets.civitai.follow import Followed, without_end
from comfygraph.targets.civitai.manifest import BLOB, blob_id_of
from comfygraph.targets.civitai.money import spent
from comfygraph.targets.civitai.options import TAG
from comfygraph.targets.civitai.pricing import read_price, read_refusal
from comfygraph.targets.civitai.problems import SERVICE, problem
from comfygraph.targets.civitai.template import Plan, external_id_for, plan_of, template_of
from comfygraph.targets.civitai.workflow import has_trace, read_workflow, trace_url
from comfygraph.targets.events import OutputFile
from comfygraph.targets.failures import graph_rejected
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse
from comfygraph.targets.observations import JobEnded, NoticeSeen, Observation, Outcome
from comfygraph.targets.reading import identifier, is_web_url, mapping, mappings, one_line, text

_LONG_POLL = 10
_AFTER_POLL = 1.0
_WITHOUT_LONG_POLL = 3.0
_PAGE, _MOST_PAGES = 100, 5
_MOST_FOLLOWED = 4096
_UPLOADS = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/webp",
        "audio/mpeg",
        "audio/webm",
        "video/mp4",
        "video/webm",
    }
)
"""What the service's own programs upload."""
_HIDE_MATURE = "hide_mature"
# a workflow is kept for 30 days after its end, and so is its `externalId`
_KEY_MEMORY = 25 * 24 * 3600.0


class CivitaiTarget:
    """
    Civitai.

    Args:
        auth: `bearer(...)` of an API key.
        base_url: Where the orchestration API is.
        name: The target's name.
        long_poll: Seconds that the service may hold a poll at most; 0 for not at all.
        account: What tells accounts apart that must not share uploads and limits; no secret.

    Options of a submission: the fields of `comfygraph.targets.civitai.options.Options`.
    """

    def __init__(
        self,
        *,
        auth: Auth,
        base_url: str = DEFAULT_BASE_URL,
        name: str = "civitai",
        long_poll: int = _LONG_POLL,
        account: str = "",
    ) -> None:
        self.name = name
        self.api = CivitaiApi(auth=auth, base_url=base_url)
        self.base_url = self.api.base_url
        self.policy = Policy(
            poll_intervals=(1.0, 2.0, 3.0, 5.0, 8.0),
            rate_key=" ".join(filter(None, (name, self.base_url, account))),
            key_memory=_KEY_MEMORY,
        )
        self._long_poll = long_poll
        self._followed: dict[str, Followed] = {}
        self._lock = Lock()

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; the service chooses the job's id.
        """
        key = external_id_for(submission.key)
        extra = {_HIDE_MATURE: "true"} if submission.options.get(_HIDE_MATURE) is True else {}
        digest = graph_digest(submission.prompt)
        return JobRef(self.name, self.base_url, "", key, digest, extra)

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph as one `comfy` or `customComfy` step, with a step before it where node
        packs are to be installed. The key goes along as `externalId`, under which the service
        answers a second submit with the first workflow.

        Raises:
            UsageError: An option is unknown or out of range.
            GraphRejected: The graph names what no worker would find (`strict`).
        """
        plan = plan_of(submission)
        if plan.complaints and plan.options.is_strict:
            raise graph_rejected(
                SERVICE,
                plan.complaints,
                verdict=f"the graph would not run on {SERVICE}",
                hint="nothing was sent; with the option `strict` set to false it is sent as it is",
            )
        return self._submit(self.reference(submission), plan)

    def _submit(self, ref: JobRef, plan: Plan) -> Exchange[Submitted]:
        body = template_of((yield from self._addressed(plan)))
        response = yield self.api.submit(body, hide_mature=plan.options.hide_mature)
        workflow = _workflow(response, plan)
        workflow_id = identifier(workflow.get("id"))
        if not workflow_id:
            raise ProtocolError(
                "Civitai took the graph but named no workflow", status=response.status
            )
        seen, _ = self._read(self._follow(workflow_id), workflow)
        return Submitted(ref.with_job_id(workflow_id), seen)

    def _addressed(self, plan: Plan) -> Exchange[Plan]:
        """
        Give uploaded files their addresses, where the step takes no AIRs of them.
        """
        if plan.options.custom:
            return plan
        addresses: dict[str, str] = {}
        graph: dict[str, Mapping[str, JsonValue]] = {}
        for node_id, node in plan.manifest.graph.items():
            inputs = dict(mapping(node.get("inputs")))
            for name, value in inputs.items():
                blob_id = blob_id_of(value)
                if blob_id is None:
                    continue
                if blob_id not in addresses:
                    blob = yield from self.api.refresh_blob(blob_id)
                    addresses[blob_id] = _address(blob, blob_id)
                inputs[name] = addresses[blob_id]
            graph[node_id] = {**node, "inputs": inputs}
        return replace(plan, manifest=replace(plan.manifest, graph=graph)) if addresses else plan

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Ask for the workflow; the service holds the answer until there is news, for longer and
        longer while there is none. The end waits for the rest of the trace, where one is read.
        """
        followed = self._follow(ref.job_id)
        wait = min(followed.wait(), self._long_poll)
        workflow, _ = yield from self.api.workflow(
            ref.job_id, wait=wait, hide_mature=_HIDE_MATURE in ref.extra
        )
        seen, ended = self._read(followed, workflow)
        followed.note(seen)
        if ended:
            pause = followed.pause_before_end(traced=has_trace(workflow))
            if pause is not None:
                return PollAnswer(without_end(seen), pause)
            self._forget(ref.job_id)
        return PollAnswer(seen, _AFTER_POLL if self.api.holds else _WITHOUT_LONG_POLL)

    def _read(
        self, followed: Followed, workflow: dict[str, JsonValue]
    ) -> tuple[tuple[Observation, ...], bool]:
        url = _joined(self.base_url, trace_url(workflow))
        if url and has_trace(workflow):
            followed.turn_to(url)
        seen = followed.told(read_workflow(workflow, self.base_url))
        end = next((it for it in seen if isinstance(it, JobEnded)), None)
        if end is None:
            return seen, False
        if end.outcome is Outcome.FAILED and followed.trace.failed_node is not None:
            seen = (*without_end(seen), replace(end, node_id=followed.trace.failed_node))
        elif end.outcome is Outcome.CANCELLED and not followed.cancelled:
            used = spent(list(mappings(workflow.get("steps"))))
            if used:
                seen = (NoticeSeen(_OUT_OF_BUZZ.format(used)), *seen)
        return seen, True

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Set the status to `canceled`. The service answers with nothing, or with the workflow.
        """
        path = workflow_path(ref.job_id)
        followed = self._follow(ref.job_id)
        response = yield self.api.request("PUT", path, (), {"status": "canceled"})
        if response.status in (400, 409):
            return CancelAnswer(accepted=False)  # over already
        if not response.ok:
            raise problem(response)
        followed.cancelled = True
        if not response.body.strip():
            return CancelAnswer(accepted=True)
        return CancelAnswer(True, self._read(followed, _workflow(response))[0])

    def find(self, ref: JobRef) -> Exchange[JobRef | None]:
        """
        Look for the key among the newest workflows with our tag; `None` where it is not there.

        The service keeps `externalId` with the user's id before it.
        """
        listing = Listing(take=_PAGE, tags=(TAG,))
        for _ in range(_MOST_PAGES):
            page = yield from self.api.workflows(listing)
            for workflow in page.items:
                workflow_id = identifier(workflow.get("id"))
                if workflow_id and _is_key(text(workflow.get("externalId")), ref.key):
                    return ref.with_job_id(workflow_id)
            if not page.next:
                break
            listing = replace(listing, cursor=page.next)
        return None

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        Give the trace of the run, once a poll has said where it is. It is signed, and read
        without our credentials. Only a `customComfy` step has one.
        """
        if not ref.job_id:
            return None
        followed = self._follow(ref.job_id)
        followed.wanted = True
        if not followed.url or followed.trace.finished:
            return None
        return LiveStream(StreamRequest("bytes", followed.url), followed.trace.reader())

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Fetch a blob; the service may redirect to another address of it.
        """
        return HttpRequest(
            "GET",
            urljoin(f"{self.base_url}/", file.url),
            auth=self.api.auth,
            home=self.base_url,
            follow=True,
            timeout=60.0,
        )

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile] | None:
        """
        Ask for a freshly signed address of a blob.
        """
        return self._refresh(file, file.id) if file.id else None

    def _refresh(self, file: OutputFile, blob_id: str) -> Exchange[OutputFile]:
        blob = yield from self.api.refresh_blob(blob_id)
        return replace(file, url=_address(blob, file.name))

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        """
        Bring a picture, a film or a sound to the service; gives the AIR of its blob.
        """
        return self._upload(file) if file.media_type in _UPLOADS else None

    def _upload(self, file: LocalFile) -> Exchange[str]:
        blob = yield from self.api.upload_blob(file.data, file.media_type)
        return f"{BLOB}{identifier(blob.get('id'))}"

    def check(self, submission: Submission) -> Exchange[CheckAnswer]:
        """
        Have the graph priced, in Buzz, without running it (`whatif`). A `customComfy` step has no
        price beforehand. What no worker would find is told without asking.
        """
        return self._check(plan_of(submission))

    def _check(self, plan: Plan) -> Exchange[CheckAnswer]:
        if plan.complaints and plan.options.is_strict:
            return CheckAnswer(False, unit="Buzz", complaints=plan.complaints)
        addressed = yield from self._addressed(plan)
        response = yield self.api.submit(template_of(addressed, estimate=True), whatif=True)
        if response.status == 400:
            return read_refusal(response, plan)
        return read_price(_workflow(response, plan), response, plan)

    def _follow(self, job_id: str) -> Followed:
        with self._lock:
            while len(self._followed) >= _MOST_FOLLOWED and job_id not in self._followed:
                del self._followed[next(iter(self._followed))]
            return self._followed.setdefault(job_id, Followed())

    def _forget(self, job_id: str) -> None:
        with self._lock:
            self._followed.pop(job_id, None)


_OUT_OF_BUZZ = (
    "the service cancelled the run after {:g} Buzz; where nobody else did, the account has run out"
)


def _joined(base_url: str, url: str) -> str:
    """An address that the service gives, made whole; empty where there is none."""
    try:
        whole = urljoin(f"{base_url}/", url) if url else ""
    except ValueError:
        return ""
    return whole if is_web_url(whole) else ""


def _is_key(external_id: str, key: str) -> bool:
    """Whether `{userId}-{key}` or the key itself; a longer key may end like a shorter one."""
    user, _, rest = external_id.partition("-")
    return external_id == key or (rest == key and user.isdigit())


def _address(blob: dict[str, JsonValue], name: str) -> str:
    url = text(blob.get("url"))
    if not is_web_url(url):
        raise NotFound(f"Civitai no longer has `{one_line(name, 100)}`")
    return url


def _workflow(response: HttpResponse, plan: Plan | None = None) -> dict[str, JsonValue]:
    if not response.ok:
        raise problem(response, plan=plan)
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("Civitai answered with no JSON object", status=response.status)
    return data
