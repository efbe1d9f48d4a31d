"""
A world for conversations without I/O: a service in memory, time that passes when somebody waits.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from comfygraph.core.values import Prompt
from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    RateLimited,
    Rejected,
    ServiceUnavailable,
)
from comfygraph.jobs.conversation import Conversation
from comfygraph.jobs.effects import (
    Answer,
    CancelAsked,
    Drop,
    Effect,
    Frame,
    Hush,
    Listen,
    Mark,
    Outcome,
    Pause,
    Save,
    Saved,
    Send,
    Stage,
    StreamLost,
    StreamOpened,
    Tell,
    Unreached,
)
from comfygraph.jobs.files import Folder
from comfygraph.jobs.limits import RateLimits
from comfygraph.jobs.settings import Settings
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
)
from comfygraph.targets.events import Event, OutputFile
from comfygraph.targets.http import Auth, HttpRequest, HttpResponse, Resend, Secret, bearer
from comfygraph.targets.observations import (
    FileSeen,
    JobEnded,
    JobPhase,
    JobSeen,
    NodeSeen,
    NodeState,
    Observation,
    PollNow,
)
from comfygraph.targets.observations import (
    Outcome as JobOutcome,
)

BASE = "http://service.test"
PROMPT = Prompt.from_json(
    {
        "1": {"class_type": "Load", "inputs": {}},
        "2": {"class_type": "Save", "inputs": {"images": ["1", 0]}},
    }
)
KEY = "0f0e0d0c-0b0a-4000-8000-000000000001"
POLICY = Policy(poll_intervals=(1.0, 2.0, 4.0), stream_poll_interval=10.0, deadline=1000.0)


def submission(key: str = KEY) -> Submission:
    """
    Give a small graph to hand in.
    """
    return Submission(PROMPT, key)


def observations(items: list[Any]) -> tuple[Observation, ...]:
    """
    Read claims as the service in memory writes them: `["node", "1", "finished"]`.
    """
    out: list[Observation] = []
    for item in items:
        match item:
            case ["job", phase]:
                out.append(JobSeen(JobPhase[phase.upper()]))
            case ["node", node_id, state]:
                out.append(NodeSeen(node_id, NodeState[state.upper()]))
            case ["step", node_id, value, maximum]:
                out.append(NodeSeen(node_id, NodeState.STARTED, value, maximum))
            case ["file", name, url]:
                preview = name.startswith("preview")
                out.append(FileSeen(OutputFile(url, name, preview=preview, id=name)))
            case ["end", outcome]:
                out.append(JobEnded(JobOutcome(outcome)))
            case ["now"]:
                out.append(PollNow())
            case _:
                raise AssertionError(item)
    return tuple(out)


class Reader:
    """
    Reads frames that are lists of claims.
    """

    def feed(self, frame: str | bytes) -> tuple[Observation, ...]:
        """
        Read one.
        """
        return observations(json.loads(frame))


class FakeTarget:
    """
    A target of a small JSON dialect: `POST /jobs`, `GET /jobs/1`, `POST /jobs/1/cancel`,
    `GET /find`, `POST /refresh`.
    """

    name = "fake"

    def __init__(
        self,
        *,
        base_url: str = BASE,
        policy: Policy = POLICY,
        resend: Resend = Resend.NEVER,
        findable: bool = True,
        streaming: bool = False,
        renews: bool = False,
        auth: Auth | None = None,
    ) -> None:
        self.base_url = base_url
        self.policy = policy
        self.auth = auth if auth is not None else bearer(Secret("s3cret"))
        self._resend = resend
        self._findable = findable
        self._streaming = streaming
        self._renews = renews

    def reference(self, submission: Submission) -> JobRef:
        return JobRef(self.name, self.base_url, "", submission.key)

    def submit(self, submission: Submission) -> Exchange[Submitted]:
        body = json.dumps({"key": submission.key}).encode()
        response = yield self._request("POST", "/jobs", body, self._resend)
        data = _read(response)
        ref = self.reference(submission).with_job_id(str(data["id"]))
        return Submitted(ref, observations(data.get("claims", [])))

    def poll(self, ref: JobRef) -> Exchange[PollAnswer]:
        data = _read((yield self._request("GET", f"/jobs/{ref.job_id}")))
        return PollAnswer(observations(data["claims"]), data.get("next"))

    def cancel(self, ref: JobRef) -> Exchange[CancelAnswer]:
        data = _read((yield self._request("POST", f"/jobs/{ref.job_id}/cancel")))
        return CancelAnswer(data.get("accepted", True), observations(data.get("claims", [])))

    def find(self, ref: JobRef) -> Exchange[JobRef | None] | None:
        return self._find(ref) if self._findable else None

    def _find(self, ref: JobRef) -> Exchange[JobRef | None]:
        data = _read((yield self._request("GET", f"/find?key={ref.key}")))
        return ref.with_job_id(data["id"]) if data.get("id") else None

    def stream(self, ref: JobRef) -> LiveStream | None:
        if not self._streaming:
            return None
        return LiveStream(StreamRequest("websocket", "ws://service.test/ws"), Reader())

    def download(self, ref: JobRef, file: OutputFile) -> HttpRequest:
        url = file.url if "://" in file.url else f"{self.base_url}{file.url}"
        return HttpRequest("GET", url, auth=self.auth, home=self.base_url, follow=True)

    def refresh(self, ref: JobRef, file: OutputFile) -> Exchange[OutputFile] | None:
        return self._refresh(file) if self._renews else None

    def _refresh(self, file: OutputFile) -> Exchange[OutputFile]:
        data = _read((yield self._request("POST", "/refresh")))
        return OutputFile(data["url"], file.name, id=file.id)

    def check(self, submission: Submission) -> None:
        return

    def upload(self, file: LocalFile) -> Exchange[str] | None:
        return None

    def _request(
        self, method: str, path: str, body: bytes = b"", resend: Resend = Resend.ALWAYS
    ) -> HttpRequest:
        return HttpRequest(
            method,
            f"{self.base_url}{path}",
            {},
            body,
            auth=self.auth,
            home=self.base_url,
            resend=resend,
        )


def _read(response: HttpResponse) -> Any:
    match response.status:
        case 400:
            raise Rejected("refused", status=400)
        case 401:
            raise AuthenticationError("wrong credentials", status=401)
        case 404:
            raise NotFound("no such thing", status=404)
        case 429:
            raise RateLimited("too many requests", status=429)
        case status if status >= 500:
            raise ServiceUnavailable(f"in trouble ({status})", status=status)
        case _:
            return response.json()


def answer(data: Any, status: int = 200, **headers: str) -> HttpResponse:
    """
    Give an answer with a JSON body.
    """
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HttpResponse(status, named, json.dumps(data).encode())


REFUSED = Unreached("connection refused", sent=False)
LOST = Unreached("the connection broke off", sent=True)
Reply = HttpResponse | Unreached | tuple[float, HttpResponse | Unreached]
"""An answer, at once or after so many seconds."""
Service = Callable[[HttpRequest, float], Reply | None]


@dataclass
class World:
    """
    Carries the effects of a conversation out in its own time.

    Args:
        service: Answers requests.
        frames: What comes over a stream, `(seconds after it was opened, claims or "lost")`.
        cancel_at: When somebody asks for a cancel.
        stream_opens: Whether a stream can be opened.
    """

    service: Service
    frames: list[tuple[float, Any]] = field(default_factory=list)
    cancel_at: list[float] = field(default_factory=list)
    stream_opens: bool = True
    chance: float = 1.0
    time: float = 100.0
    limits: RateLimits = field(default_factory=RateLimits)
    events: list[Event] = field(default_factory=list)
    told_at: list[float] = field(default_factory=list)
    marks: list[Stage] = field(default_factory=list)
    intended: list[float] = field(default_factory=list)
    sent: list[tuple[float, str]] = field(default_factory=list)
    requests: list[HttpRequest] = field(default_factory=list)
    opened: list[float] = field(default_factory=list)
    saved: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._start = self.time
        self._agenda: list[tuple[float, int, str, Outcome]] = []
        self._count = 0
        for seconds in self.cancel_at:
            self._plan(self._start + seconds, "us", CancelAsked())

    def settings(self, **others: Any) -> Settings:
        """
        Give the settings of a conversation in this world.
        """
        return Settings(
            clock=lambda: self.time, chance=lambda: self.chance, limits=self.limits, **others
        )

    def run(
        self,
        target: FakeTarget | None = None,
        job: Submission | JobRef | None = None,
        *,
        folder: Folder | None = None,
        deadline: float | None = None,
        **settings: Any,
    ) -> Conversation:
        """
        Have a whole conversation.
        """
        conversation = Conversation(
            target or FakeTarget(),
            job or submission(),
            settings=self.settings(**settings),
            folder=folder,
            deadline=deadline,
        )
        for _ in self.steps(conversation):
            pass
        return conversation

    def steps(self, conversation: Conversation) -> Iterator[Effect]:
        """
        Have a conversation effect by effect.
        """
        talk = conversation.run()
        outcome: Outcome = None
        for _ in range(20_000):
            try:
                effect = talk.send(outcome)
            except StopIteration:
                return
            outcome = self._perform(effect)
            yield effect
        raise AssertionError("the conversation does not end")

    def names(self) -> list[str]:
        """
        Give the names of the events.
        """
        return [type(event).__name__ for event in self.events]

    def paths(self) -> list[str]:
        """
        Give the requests that were sent: `"GET /jobs/1"`.
        """
        return [what for _, what in self.sent]

    def times(self, what: str) -> list[float]:
        """
        Give when such requests were sent, in seconds from the start.
        """
        return [round(when - self._start, 6) for when, sent in self.sent if sent == what]

    def _plan(self, when: float, who: str, outcome: Outcome) -> None:
        self._count += 1
        self._agenda.append((when, self._count, who, outcome))
        self._agenda.sort(key=lambda entry: entry[:2])

    def _perform(self, effect: Effect) -> Outcome:
        match effect:
            case Send(request=request) | Save(request=request):
                self._send(request, effect)
                return self._next(self.time + effect.limit)
            case Pause(seconds=seconds):
                return self._next(None if seconds is None else self.time + seconds)
            case Drop():
                self._forget("request")
            case Listen():
                self._listen()
            case Hush():
                self._forget("stream")
            case Tell(events=events):
                self.events.extend(events)
                self.told_at.extend(self.time - self._start for _ in events)
            case Mark(stage=stage):
                # what is about to be sent once more is marked once more, see `intended`
                if self.marks[-1:] != [stage]:
                    self.marks.append(stage)
                if stage is Stage.INTENDED:
                    self.intended.append(round(self.time - self._start, 6))
        return None

    def _send(self, request: HttpRequest, effect: Send | Save) -> None:
        assert not any(entry[2] == "request" for entry in self._agenda), "two at a time"
        path = request.url.removeprefix(BASE)
        self.sent.append((self.time, f"{request.method} {path}"))
        self.requests.append(request)
        given = self.service(request, self.time - self._start)
        if given is None:  # it drips, and never ends
            return
        delay, reply = given if isinstance(given, tuple) else (0.0, given)
        if delay > effect.timeout:
            delay, reply = effect.timeout, Unreached(f"no answer within {effect.timeout:g} s", True)
        outcome: Answer = reply
        if isinstance(effect, Save) and isinstance(reply, HttpResponse) and reply.ok:
            self.saved.append(path)
            outcome = Saved(f"out/{len(self.saved)}", len(reply.body))
        self._plan(self.time + delay, "request", outcome)

    def _listen(self) -> None:
        self._forget("stream")
        self.opened.append(round(self.time - self._start, 6))
        if not self.stream_opens:
            self._plan(self.time, "stream", StreamLost("refused"))
            return
        self._plan(self.time, "stream", StreamOpened())
        for seconds, claims in self.frames:
            lost = claims == "lost"
            outcome = StreamLost("ended") if lost else Frame(json.dumps(claims))
            self._plan(self.time + seconds, "stream", outcome)

    def _forget(self, who: str) -> None:
        self._agenda = [entry for entry in self._agenda if entry[2] != who]

    def _next(self, until: float | None) -> Outcome:
        if self._agenda and (until is None or self._agenda[0][0] <= until):
            when, _, _, outcome = self._agenda.pop(0)
            self.time = max(self.time, when)
            return outcome
        assert until is not None, "waits for ever"
        self.time = max(self.time, until)
        return None
