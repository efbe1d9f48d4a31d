"""
TAMS as a target: workflow jobs of `POST /v1/jobs/workflow`.
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
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, json_body
from comfygraph.targets.reading import identifier, number, one_line, pick, text
from comfygraph.targets.tams.body import params_of
from comfygraph.targets.tams.job import job_files, read_job
from comfygraph.targets.tams.status import complaints, error_body, message_of, read_answer
from comfygraph.targets.tams.upload import PATH as UPLOAD_PATH
from comfygraph.targets.tams.upload import put_failure, put_request, upload_body

DEFAULT_BASE_URL = "https://ap-east-1.tensorart.cloud"
CANCEL_STYLES = ("auto", "post", "delete")
OPTIONS = ("notify_url",)

_JSON = {"Accept": "application/json", "Content-Type": "application/json"}
_ACCEPT = {"Accept": "application/json"}
_OTHER_CANCEL = (404, 405, 501)


class TamsTarget:
    """
    The service TAMS.

    Args:
        auth: `bearer(...)` or `RsaAuth`.
        base_url: The endpoint that the TAMS console prints for the app.
        cancel_style: `"delete"` for `DELETE /v1/jobs/{id}`, `"post"` for `POST …/cancel`; `"auto"`
            tries the first, and the second where the first is no route.
        name: The target's name.

    Options of a submission: `notify_url`, where the service reports that something happened.
    """

    def __init__(
        self,
        *,
        auth: Auth,
        base_url: str = DEFAULT_BASE_URL,
        cancel_style: str = "auto",
        name: str = "tams",
    ) -> None:
        if cancel_style not in CANCEL_STYLES:
            raise UsageError(
                f"there is no cancel style `{cancel_style}`",
                hint=f"choose one of {', '.join(CANCEL_STYLES)}",
            )
        self.name = name
        self.base_url = plain_base_url(base_url)
        # five requests a second for each account, says the FAQ of TAMS
        self.policy = Policy(
            poll_intervals=(1.0, 1.0, 2.0, 3.0, 5.0),
            requests_per_second=5.0,
            rate_key=f"{name} {self.base_url}",
        )
        self._auth = auth
        self._cancel_style = cancel_style

    def reference(self, submission: Submission) -> JobRef:
        """
        Give the reference before anything is sent; the service chooses the job's id.
        """
        return JobRef(self.name, self.base_url, "", submission.key, graph_digest(submission.prompt))

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        """
        Hand in the graph; the key goes along as `requestId`.
        """
        body = self._body(submission)
        ref = self.reference(submission)
        return self._submit(ref, body)

    def _submit(self, ref: JobRef, body: dict[str, JsonValue]) -> Exchange[Submitted]:
        response = yield self._post("/v1/jobs/workflow", body, Resend.SAME_KEY)
        job = _job_of(read_answer(response))
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
        path = file.url.partition("?")[0]
        for found in job_files(_job_of(read_answer(response))):
            same_id = file.id is not None and found.id == file.id
            if same_id or found.url.partition("?")[0] == path:
                return replace(file, url=found.url)
        raise NotFound(f"TAMS no longer lists `{one_line(file.name, 100)}`")

    def check(self, submission: Submission) -> Exchange[CheckAnswer]:
        """
        Have the graph checked and priced, in credits, without running it.
        """
        body = {"params": self._body(submission)["params"]}
        return self._check(body)

    def _check(self, body: dict[str, JsonValue]) -> Exchange[CheckAnswer]:
        response = yield self._post("/v1/jobs/workflow/params/check", body, Resend.ALWAYS)
        found = complaints(error_body(response))
        if found and response.status not in (401, 403, 429):
            return CheckAnswer(valid=False, unit="credits", complaints=found)
        data = read_answer(response)
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

    def _body(self, submission: Submission) -> dict[str, JsonValue]:
        _known_options(submission)
        body: dict[str, JsonValue] = {
            "requestId": submission.key,
            "params": params_of(submission.prompt),
        }
        notify = submission.options.get("notify_url")
        if notify is not None:
            body["runningNotifyUrl"] = text(notify)
        return body

    def _get(self, path: str) -> HttpRequest:
        return self._request("GET", path)

    def _post(self, path: str, body: JsonValue, resend: Resend) -> HttpRequest:
        return self._request("POST", path, json_body(body), resend, _JSON)

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
