"""
TAMS as a target: workflow jobs of `POST /v1/jobs/workflow`, and jobs of templates.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, urljoin

from comfygraph.core.values import JsonValue
from comfygraph.errors import NotFound, ProtocolError, Rejected, UsageError
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
from comfygraph.targets.events import OutputFile
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, Secret, json_body
from comfygraph.targets.reading import identifier, number, one_line, pick, text
from comfygraph.targets.tams.access import AccessKeys
from comfygraph.targets.tams.body import params_of
from comfygraph.targets.tams.job import job_files, read_job
from comfygraph.targets.tams.status import (
    complaints,
    error_body,
    message_of,
    read_answer,
    repeated_key,
    unknown_upload,
)
from comfygraph.targets.tams.template import Template, read_template, template_body
from comfygraph.targets.tams.upload import PATH as UPLOAD_PATH
from comfygraph.targets.tams.upload import put_failure, put_request, upload_body

DEFAULT_BASE_URL = "https://ap-east-1.tensorart.cloud"
CANCEL_STYLES = ("auto", "post", "delete")
OPTIONS = ("notify_url", "template_id")

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_ACCEPT = {"Accept": "application/json"}
_OTHER_CANCEL = (404, 405, 501)
_UPLOAD_SETTLES = 10.0
"""Seconds after which a new image is known everywhere, by the experience of other clients."""
# results are kept for seven days, says the documentation; of the jobs themselves it says nothing
_KEY_MEMORY = 7 * 24 * 3600.0


class TamsTarget:
    """
    The service TAMS.

    Args:
        auth: `bearer(...)` or `RsaAuth`.
        base_url: The endpoint that the TAMS console prints for the app.
        cancel_style: `"delete"` for `DELETE /v1/jobs/{id}`, `"post"` for `POST …/cancel`; `"auto"`
            tries the first, and the second where the first is no route, and stays with what worked.
        keeps_request_id: Whether a submit with a `requestId` that the service has seen gives the
            first job; the documentation says that it must be unique, and not what comes of it.
        name: The target's name.
        account: What tells the accounts of one service apart, for the rate limit; no secret.
        access: Keys of private models.
        notify_url: Where the service reports that something happened, if the submission names no
            other place.
        check_first: Whether drivers have each graph checked and priced before they submit it.

    Options of a submission: `notify_url`; `template_id`, where the graph is a filled template
    (`Template.to_prompt`).
    """

    def __init__(
        self,
        *,
        auth: Auth,
        base_url: str = DEFAULT_BASE_URL,
        cancel_style: str = "auto",
        keeps_request_id: bool = False,
        name: str = "tams",
        account: str = "",
        access: AccessKeys | None = None,
        notify_url: str = "",
        check_first: bool = True,
    ) -> None:
        if cancel_style not in CANCEL_STYLES:
            raise UsageError(
                f"there is no cancel style `{cancel_style}`",
                hint=f"choose one of {', '.join(CANCEL_STYLES)}",
            )
        self.name = name
        self.base_url = plain_base_url(base_url)
        # five requests a second, says the FAQ of TAMS; a little less leaves room for the network,
        # which may bring two requests closer together than they left
        self.policy = Policy(
            poll_intervals=(1.0, 1.0, 2.0, 3.0, 5.0),
            requests_per_second=4.5,
            rate_key=" ".join(filter(None, (name, self.base_url, account))),
            check_first=check_first,
            key_memory=_KEY_MEMORY if keeps_request_id else 0.0,
        )
        self._auth = auth
        self._keeps_request_id = keeps_request_id
        self._cancel_style = cancel_style
        self._access = access or AccessKeys()
        self._notify_url = notify_url

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; the service chooses the job's id.
        """
        return JobRef(self.name, self.base_url, "", submission.key, graph_digest(submission.prompt))

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph; the key goes along as `requestId`.
        """
        graph, hidden = self._graph(submission)
        body: dict[str, JsonValue] = {"requestId": submission.key, **graph}
        notify = text(submission.options.get("notify_url")) or self._notify_url
        if notify:
            body["runningNotifyUrl"] = notify
        path = "/v1/jobs/workflow/template" if "templateId" in graph else "/v1/jobs/workflow"
        # after a 5xx TAMS wants the same `requestId` again; what else a repeated one brings, a
        # second job perhaps, it does not say
        resend = Resend.SAME_KEY if self._keeps_request_id else Resend.AFTER_ERROR
        request = self._post(path, body, resend, hidden)
        return self._submit(self.reference(submission), request, _asked_for(path))

    def _submit(self, ref: JobRef, request: HttpRequest, what: str) -> Exchange[Submitted]:
        response = yield request
        if repeated_key(response):
            # no refusal: a job with this key is there, and its id is not told
            raise ProtocolError(
                f"TAMS says that a job with the requestId {ref.key} was handed in before",
                hint="look for it in the TAMS console before you send it again",
                status=response.status,
            )
        job = _job_of(read_answer(response, what))
        job_id = identifier(job.get("id"))
        if not job_id:
            raise ProtocolError("TAMS took the graph but named no job", status=response.status)
        return Submitted(ref.with_job_id(job_id), read_job(job))

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        """
        Ask for the job object.
        """
        response = yield self._get(f"/v1/jobs/{_quoted(ref)}")
        return PollAnswer(read_job(_job_of(read_answer(response))))

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        """
        Cancel the job by the configured route; documents disagree on which one there is.
        """
        path = f"/v1/jobs/{_quoted(ref)}"
        delete = self._request("DELETE", path)
        post = self._post(f"{path}/cancel", {}, Resend.ALWAYS)
        routes = {"delete": [delete], "post": [post]}.get(self._cancel_style, [delete, post])
        return self._cancel(routes)

    def _cancel(self, routes: list[HttpRequest]) -> Exchange[CancelAnswer]:
        response = yield routes[0]
        if len(routes) > 1 and _is_no_route(response):
            response = yield routes[1]
            if not _is_no_route(response):
                self._cancel_style = "post"
        if not response.body.strip() and response.ok:
            return CancelAnswer(accepted=True)
        try:
            data = read_answer(response)
        except Rejected:
            return CancelAnswer(accepted=False)  # over already
        job = data.get("job")
        return CancelAnswer(True, read_job(job) if isinstance(job, dict) else ())

    def find(self, ref: JobRef) -> None:
        """
        There is no list of jobs: send the submit again, its `requestId` finds the first job.
        """
        return

    def stream(self, ref: JobRef) -> LiveStream | None:
        """
        There is no live stream.
        """
        return None

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        """
        Fetch a result. Its address is signed; our credentials never go along.
        """
        return HttpRequest("GET", urljoin(f"{self.base_url}/", file.url), follow=True, timeout=60.0)

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile]:
        """
        Ask the job again, since its answer carries freshly signed addresses.
        """
        response = yield self._get(f"/v1/jobs/{_quoted(ref)}")
        listed = job_files(_job_of(read_answer(response)))
        path = file.url.partition("?")[0]
        same = [found for found in listed if file.id is not None and found.id == file.id]
        same += [found for found in listed if found.url.partition("?")[0] == path]
        if same:
            return replace(file, url=same[0].url)
        raise NotFound(f"TAMS no longer lists `{one_line(file.name, 100)}`")

    def check(self, submission: Submission) -> Exchange[CheckAnswer]:
        """
        Have the graph checked and priced, in credits, without running it.
        """
        graph, hidden = self._graph(submission)
        template = "templateId" in graph
        path = "/v1/workflows/template/check" if template else "/v1/jobs/workflow/params/check"
        return self._check(self._post(path, graph, Resend.ALWAYS, hidden), _asked_for(path))

    def _check(self, request: HttpRequest, what: str) -> Exchange[CheckAnswer]:
        response = yield request
        found = complaints(error_body(response))
        if found and response.status not in (401, 403, 429):
            retry_in = _UPLOAD_SETTLES if unknown_upload(found) else None
            return CheckAnswer(False, None, "credits", complaints=found, retry_in=retry_in)
        data = read_answer(response, what)
        valid = data.get("valid") is True  # a false is left out
        notes = () if valid else (message_of(data) or "TAMS says no more than that it is invalid",)
        return CheckAnswer(valid, number(data.get("credits")), "credits", notes=notes)

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        """
        Bring a picture to the service, for seven days; gives its resource id. Sounds and films
        are not taken.
        """
        return self.upload_image(file) if file.kind in ("image", "file") else None

    def upload_image(self, file: LocalFile, *, keep: bool = False) -> Exchange[str]:
        """
        Bring a picture to the service; gives its resource id.

        Args:
            file: The picture.
            keep: Whether it is kept for good, and not for seven days.
        """
        response = yield self._post(UPLOAD_PATH, upload_body(keep=keep), Resend.ALWAYS)
        resource, put = put_request(read_answer(response, "upload"), file.data)
        stored = yield put
        if not stored.ok:
            raise put_failure(stored)
        return resource

    def template(self, template_id: str) -> Exchange[Template]:
        """
        Fetch the fields of a template with their preset values.
        """
        response = yield self._get(f"/v1/workflows/{quote(template_id, safe='')}")
        return read_template(read_answer(response, "such template"), template_id)

    def job(self, job_id: str) -> Exchange[dict[str, JsonValue]]:
        """
        Fetch a job object as the service gives it; `read_job` reads it.
        """
        response = yield self._get(f"/v1/jobs/{quote(job_id, safe='')}")
        return _job_of(read_answer(response))

    def stage_credits(self, stages: list[JsonValue]) -> Exchange[float]:
        """
        Have the stages of a diffusion job priced, in credits.

        Raises:
            Rejected: The service does not take the stages.
        """
        response = yield self._post("/v1/jobs/credits", {"stages": stages}, Resend.ALWAYS)
        # a zero is left out
        return number(read_answer(response, "such price").get("credits")) or 0.0

    def _graph(self, submission: Submission) -> tuple[dict[str, JsonValue], tuple[Secret, ...]]:
        _known_options(submission)
        template_id = submission.options.get("template_id")
        if template_id is not None:
            return template_body(identifier(template_id), submission.prompt), ()
        params, hidden = params_of(submission.prompt, self._access)
        return {"params": params}, hidden

    def _get(self, path: str) -> HttpRequest:
        return self._request("GET", path)

    def _post(
        self, path: str, body: JsonValue, resend: Resend, hidden: tuple[Secret, ...] = ()
    ) -> HttpRequest:
        return replace(self._request("POST", path, json_body(body), resend, _JSON), hidden=hidden)

    def _request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        resend: Resend = Resend.ALWAYS,
        headers: Mapping[str, str] = _ACCEPT,
    ) -> HttpRequest:
        return HttpRequest(
            method,
            f"{self.base_url}{path}",
            headers,
            body,
            auth=self._auth,
            home=self.base_url,
            resend=resend,
        )


def _known_options(submission: Submission) -> None:
    unknown = sorted(submission.options.keys() - set(OPTIONS))
    if unknown:
        raise UsageError(
            f"TAMS takes no option `{unknown[0]}`", hint=f"it takes {', '.join(OPTIONS)}"
        )
    if submission.partial_targets:
        raise UsageError("TAMS always runs the whole graph", hint="leave out the output nodes")


def _asked_for(path: str) -> str:
    return "such template" if "template" in path else f"`{path}`"


def _quoted(ref: JobRef) -> str:
    if not ref.job_id:
        raise UsageError("the id of the job is not known", hint="submit it again with the same key")
    return quote(ref.job_id, safe="")


def _job_of(data: dict[str, JsonValue]) -> dict[str, JsonValue]:
    job = pick(data, "job")
    if not isinstance(job, dict) and identifier(data.get("id")):
        job = data
    if not isinstance(job, dict):
        raise ProtocolError("the answer of TAMS holds no job")
    return job


def _is_no_route(response: HttpResponse) -> bool:
    if response.status not in _OTHER_CANCEL:
        return False
    return "job not found" not in message_of(error_body(response)).lower()
