"""
Civitai's orchestration API as a target.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote, urlencode, urljoin

from comfygraph.core.values import JsonValue
from comfygraph.errors import NotFound, ProtocolError, UsageError
from comfygraph.targets.base import (
    CancelAnswer,
    CheckAnswer,
    Exchange,
    JobRef,
    LiveStream,
    LocalFile,
    Policy,
    PollAnswer,
    Submission,
    Submitted,
    graph_digest,
    plain_base_url,
)
from comfygraph.targets.civitai.problems import complaints, message_of, problem, problem_body
from comfygraph.targets.civitai.template import TAG, external_id_for, template_of
from comfygraph.targets.civitai.workflow import read_workflow
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, json_body
from comfygraph.targets.reading import (
    identifier,
    is_web_url,
    mapping,
    mappings,
    number,
    one_line,
    text,
)

DEFAULT_BASE_URL = "https://orchestration.civitai.com"
WORKFLOWS = "/v2/consumer/workflows"

_ACCEPT = {"Accept": "application/json"}
_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_LONG_POLL = 10
_AFTER_LONG_POLL = 1.0
_WITHOUT_LONG_POLL = 3.0
_PAGE, _MOST_PAGES = 100, 5


class CivitaiTarget:
    """
    Civitai.

    Args:
        auth: `bearer(...)` of an API key.
        base_url: Where the orchestration API is.
        name: The target's name.
        long_poll: Seconds that the service may hold a poll until the job ends; 0 for not at all.

    Options of a submission: `quantity` (1 to 100), `priority`, `timeout` in seconds, `tags`,
    `metadata`, `image_metadata`, `allow_mature`, `currencies`.
    """

    def __init__(
        self,
        *,
        auth: Auth,
        base_url: str = DEFAULT_BASE_URL,
        name: str = "civitai",
        long_poll: int = _LONG_POLL,
    ) -> None:
        self.name = name
        self.base_url = plain_base_url(base_url)
        self.policy = Policy(
            poll_intervals=(2.0, 2.0, 3.0, 5.0, 8.0), rate_key=f"{name} {self.base_url}"
        )
        self._auth = auth
        self._long_poll = long_poll

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; the service chooses the job's id.
        """
        key = external_id_for(submission.key)
        return JobRef(self.name, self.base_url, "", key, graph_digest(submission.prompt))

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph as one `comfy` step; the key goes along as `externalId`, under which the
        service answers a second submit with the first workflow.
        """
        ref = self.reference(submission)
        return self._submit(ref, template_of(submission))

    def _submit(self, ref: JobRef, body: JsonValue) -> Exchange[Submitted]:
        query = {"hideMatureContent": "false"}
        response = yield self._request("POST", WORKFLOWS, query, body, Resend.SAME_KEY)
        workflow = _workflow(response)
        workflow_id = identifier(workflow.get("id"))
        if not workflow_id:
            raise ProtocolError(
                "Civitai took the graph but named no workflow", status=response.status
            )
        return Submitted(ref.with_job_id(workflow_id), read_workflow(workflow))

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Ask for the workflow, held by the service until it ends or some seconds have passed.

        Old servers take `wait` as a boolean and refuse a number; it is then left out for good.
        """
        path = _path(ref)
        query = {"hideMatureContent": "false"}
        waited = self._long_poll > 0
        if waited:
            held = {**query, "wait": str(self._long_poll)}
            response = yield self._request("GET", path, held, timeout=self._long_poll + 30.0)
            if response.status == 400:
                waited = False
                response = yield self._request("GET", path, query)
                if response.ok:
                    self._long_poll = 0
        else:
            response = yield self._request("GET", path, query)
        pause = _AFTER_LONG_POLL if waited else _WITHOUT_LONG_POLL
        return PollAnswer(read_workflow(_workflow(response)), pause)

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Set the status to `canceled`. The service answers with nothing, or with the workflow.
        """
        response = yield self._request("PUT", _path(ref), None, {"status": "canceled"})
        if response.status in (400, 409):
            return CancelAnswer(accepted=False)  # over already
        if not response.ok:
            raise problem(response)
        if not response.body.strip():
            return CancelAnswer(accepted=True)
        return CancelAnswer(True, read_workflow(_workflow(response)))

    def find(self, ref: JobRef) -> Exchange[JobRef | None]:
        """
        Look for the key among the newest workflows with our tag; `None` where it is not there.

        The service keeps `externalId` with the user's id before it.
        """
        cursor = ""
        for _ in range(_MOST_PAGES):
            query = {"take": str(_PAGE), "tags": TAG, "hideMatureContent": "false"}
            if cursor:
                query["cursor"] = cursor
            response = yield self._request("GET", WORKFLOWS, query)
            page = _workflow(response)
            for workflow in mappings(page.get("items")):
                external_id = text(workflow.get("externalId"))
                workflow_id = identifier(workflow.get("id"))
                if workflow_id and f"-{external_id}".endswith(f"-{ref.key}"):
                    return ref.with_job_id(workflow_id)
            cursor = identifier(page.get("next"))
            if not cursor:
                break
        return None

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        A `comfy` step has no live stream.
        """
        return None

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Fetch a blob; the service may redirect to another address of it.
        """
        return HttpRequest(
            "GET",
            urljoin(f"{self.base_url}/", file.url),
            auth=self._auth,
            home=self.base_url,
            follow=True,
            timeout=60.0,
        )

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile] | None:
        """
        Ask for a freshly signed address of a blob.
        """
        return self._refresh(file) if file.id else None

    def _refresh(self, file: OutputFile) -> Exchange[OutputFile]:
        path = f"/v2/consumer/blobs/{quote(file.id or '', safe='')}/refresh"
        response = yield self._request("POST", path)
        if not response.ok:
            raise problem(response, "blob")
        url = text(mapping(response.json()).get("url"))
        if not is_web_url(url):
            raise NotFound(f"Civitai no longer has `{one_line(file.name, 100)}`")
        return replace(file, url=url)

    def check(self, submission: Submission) -> Exchange[CheckAnswer]:
        """
        Have the graph priced, in Buzz, without running it (`whatif`).
        """
        return self._check(template_of(submission, estimate=True))

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        """
        Files are not brought to the service: it takes addresses.
        """
        return None

    def _check(self, body: JsonValue) -> Exchange[CheckAnswer]:
        query = {"whatif": "true", "hideMatureContent": "false"}
        response = yield self._request("POST", WORKFLOWS, query, body)
        if response.status == 400:
            refused = problem_body(response)
            said = message_of(refused) or "Civitai says no more than that it is invalid"
            return CheckAnswer(False, unit="Buzz", complaints=complaints(refused), notes=(said,))
        workflow = _workflow(response)
        lacking = mapping(workflow.get("transactions")).get("insufficientBuzz")
        return CheckAnswer(
            True,
            number(mapping(workflow.get("cost")).get("total")),
            "Buzz",
            affordable=not lacking if isinstance(lacking, bool) else None,
        )

    def _request(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None = None,
        body: JsonValue = None,
        resend: Resend = Resend.ALWAYS,
        timeout: float = 30.0,
    ) -> HttpRequest:
        tail = f"?{urlencode(query)}" if query else ""
        return HttpRequest(
            method,
            f"{self.base_url}{path}{tail}",
            _ACCEPT if body is None else _JSON,
            b"" if body is None else json_body(body),
            auth=self._auth,
            home=self.base_url,
            resend=resend,
            timeout=timeout,
        )


def _path(ref: JobRef) -> str:
    if not ref.job_id:
        raise UsageError("the id of the job is not known", hint="look it up by its key first")
    return f"{WORKFLOWS}/{quote(ref.job_id, safe='')}"


def _workflow(response: HttpResponse) -> dict[str, JsonValue]:
    if not response.ok:
        raise problem(response)
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError("Civitai answered with no JSON object", status=response.status)
    return data
