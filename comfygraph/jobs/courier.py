"""
Carrying requests: rate limits, waiting, sending again where that is safe, redirects.

Not a library's retry loop: whether a request may be sent again depends on whether it may already
have bought a job, waits must take in the news of a stream, and all of it runs in two drivers.
"""

from __future__ import annotations

from collections.abc import Callable

from comfygraph.errors import DeadlinePassed, ProtocolError, ServiceUnavailable
from comfygraph.jobs.effects import (
    Answer,
    CancelAsked,
    Drop,
    Mark,
    News,
    NotSaved,
    Pause,
    Save,
    Saved,
    Send,
    T,
    Talk,
    Tell,
    Unreached,
)
from comfygraph.jobs.files import Sink
from comfygraph.jobs.settings import Settings
from comfygraph.targets.base import Exchange, Policy, Retry
from comfygraph.targets.events import Notice
from comfygraph.targets.failures import retry_after
from comfygraph.targets.http import HttpRequest, HttpResponse, Resend, origin

_REDIRECTS = (301, 302, 303, 307, 308)
_MOST_HOPS = 10
_WORTH_A_WORD = 1.0
_NO_WORD = (502, 504, 520, 524)
"""What a gateway answers that gave the request on and heard nothing back, or nothing readable."""
_LONGEST_ANSWER = 120.0
"""Seconds that an answer may take once it has begun."""
_GRACE = 2.0
"""Seconds for httpx to say in its own words that nothing comes."""
_LATE = 0.1
"""Seconds after its turn for which a request still may leave."""
_TURNS = 4
"""How many turns a request waits for: a machine that is always late gets on all the same."""
_ASLEEP = 60.0
"""A wait that takes so many seconds longer than it was to: the machine was asleep."""


class CancelWanted(Exception):
    """
    Somebody asked for a cancel, and what was going on can be left for it.
    """


class AnswerLost(ServiceUnavailable):
    """
    The request left and no answer came.
    """


class Courier:
    """
    Carries the requests of one job.

    Args:
        policy: How the service wants to be treated.
        settings: Clock, chance, limits, patience.
        key: Which rate limit the requests share.
        deadline: When the job must be over, on the clock of `settings`.
        on_news: Takes what a stream brings while something else is waited for; sends nothing.
    """

    def __init__(
        self,
        policy: Policy,
        settings: Settings,
        *,
        key: str,
        deadline: float,
        on_news: Callable[[News], Talk[None]],
    ) -> None:
        self._policy = policy
        self._settings = settings
        self._key = key
        self._on_news = on_news
        self._cancel_taken = False
        self._slept = 0.0
        self.deadline = deadline
        self.cancel_pending = False
        self.doubt = False
        """Whether a request of the last exchange may have been carried out without our knowing."""
        self.lost = False
        """Whether one of them left, and no word came from the service itself."""

    def now(self) -> float:
        """
        Read the clock, in seconds; hours for which the machine was asleep while we waited do not
        count.
        """
        return self._settings.clock() - self._slept

    def take_cancel(self) -> None:
        """
        Say that the cancel is being dealt with; later ones are ignored.
        """
        self._cancel_taken = True
        self.cancel_pending = False

    def run(self, exchange: Exchange[T], *, firm: bool = False, vow: Mark | None = None) -> Talk[T]:
        """
        Carry an exchange through and give its result.

        Args:
            exchange: A conversation of a target.
            firm: Whether it goes on when somebody asks for a cancel.
            vow: What is written down right before each request leaves, after all waiting.

        Raises:
            TargetError: What the target made of the answer, or no answer came.
            CancelWanted: A cancel was asked for, and `firm` does not hold.
        """
        self.doubt = self.lost = False
        try:
            request = next(exchange)
            while True:
                request = exchange.send((yield from self._deliver(request, firm, vow)))
        except StopIteration as stop:
            result: T = stop.value
            return result
        finally:
            exchange.close()

    def save(
        self, request: HttpRequest, sink: Sink, *, firm: bool = False
    ) -> Talk[Saved | NotSaved | HttpResponse]:
        """
        Fetch a file into a sink; an `HttpResponse` is an answer that holds no file.

        Raises:
            ServiceUnavailable: No answer came, or it broke off each time.
            CancelWanted: A cancel was asked for, and `firm` does not hold.
        """
        return (yield from self._carry(request, firm, sink))

    def pause(self, seconds: float, *, firm: bool = False) -> Talk[None]:
        """
        Wait, taking in news.

        Raises:
            CancelWanted: A cancel was asked for, and `firm` does not hold.
        """
        until = self.now() + seconds
        while (left := until - self.now()) > 0:
            yield from self.wait_for_news(left)
            if self.cancel_pending and not firm:
                raise CancelWanted

    def wait_for_news(self, seconds: float) -> Talk[News | None]:
        """
        Wait until something happens, at most `seconds`; take it in and give it.
        """
        seconds = max(seconds, 0.0)
        since = self._settings.clock()
        outcome = yield Pause(seconds)
        self._awake(since, seconds)
        if outcome is None:
            return None
        assert not isinstance(outcome, Answer)
        yield from self._take(outcome)
        return outcome

    def heed(self) -> Talk[None]:
        """
        Take in all news that is there, before a step that cannot be taken back.

        Raises:
            CancelWanted: A cancel was asked for.
        """
        while not self.cancel_pending and (yield from self.wait_for_news(0.0)) is not None:
            pass
        if self.cancel_pending:
            raise CancelWanted

    def _awake(self, since: float, longest: float) -> None:
        """
        After a wait that began at a moment of the clock: one that took far too long is left out.
        """
        took = self._settings.clock() - since
        if took > longest + _ASLEEP:
            self._slept += took

    def _take(self, news: News) -> Talk[None]:
        if isinstance(news, CancelAsked):
            self.cancel_pending = not self._cancel_taken
        else:
            yield from self._on_news(news)

    def _deliver(self, request: HttpRequest, firm: bool, vow: Mark | None) -> Talk[HttpResponse]:
        answer = yield from self._carry(request, firm, None, vow)
        assert isinstance(answer, HttpResponse)
        return answer

    def _carry(
        self, request: HttpRequest, firm: bool, sink: Sink | None, vow: Mark | None = None
    ) -> Talk[HttpResponse | Saved | NotSaved]:
        attempt = hops = 0
        while True:
            yield from self._depart(firm or self.doubt)
            if vow is not None:
                yield vow
                if not (firm or self.doubt):
                    yield from self.heed()
            answer = yield from self._exchange(request, firm or self.doubt, sink)
            if isinstance(answer, Saved | NotSaved):
                return answer
            if isinstance(answer, HttpResponse) and answer.status in _REDIRECTS:
                hops += 1
                if hops > _MOST_HOPS:
                    raise ProtocolError(f"{_place(request)} redirects without end")
                request = request.redirected(answer.header("Location") or "")
                continue
            attempt += 1
            wait = self._wait_before_next(request, answer, attempt)
            if wait is not None:
                if wait >= _WORTH_A_WORD:
                    yield Tell((Notice(f"{_what(answer)}, trying again in {wait:.0f} s"),))
                yield from self.pause(wait, firm=firm or self.doubt)
            elif isinstance(answer, HttpResponse):
                return request.scrubbed(answer)
            else:
                raise self._no_answer(request, answer)

    def _wait_before_next(
        self, request: HttpRequest, answer: HttpResponse | Unreached, attempt: int
    ) -> float | None:
        """
        Give the seconds to wait before the same request is sent again; `None` for not at all.
        """
        asked: float | None = None
        if isinstance(answer, Unreached):
            safe = not answer.sent or request.resend.unanswered
            self.doubt = self.doubt or answer.sent
            self.lost = self.lost or answer.sent
        else:
            verdict = self._policy.retry(answer.status)
            if verdict is Retry.NO:
                self.doubt = self.doubt and not answer.ok
                return None
            asked = retry_after(answer)
            safe = verdict is Retry.REFUSED or request.resend is not Resend.NEVER
            self.doubt = self.doubt or verdict is Retry.UNKNOWN
            self.lost = self.lost or answer.status in _NO_WORD
        wait = self.backoff(attempt) if asked is None else asked
        if asked is not None:
            # limits are shared with jobs that count time otherwise
            self._settings.limits.hold(
                self._key, self._settings.clock() + min(asked, self._settings.longest_wait)
            )
        if not safe or attempt >= self._policy.attempts or wait > self._settings.longest_wait:
            return None
        return wait if self.now() + wait < self.deadline else None

    def backoff(self, attempt: int) -> float:
        """
        Give the pause after the failure number `attempt` (from 1): doubling, capped, with jitter.
        """
        full = min(
            self._policy.backoff_base * 2.0 ** min(attempt - 1, 30), self._policy.backoff_cap
        )
        return full * (0.5 + 0.5 * self._settings.chance())

    def _depart(self, firm: bool) -> Talk[None]:
        rate = self._policy.requests_per_second
        for _ in range(_TURNS):
            wait = self._settings.limits.reserve(self._key, rate, self._settings.clock())
            if self.now() + wait > self.deadline:
                raise DeadlinePassed("the deadline passed before the service could be asked")
            if wait <= 0:
                return
            due = self._settings.clock() + wait
            yield from self.pause(wait, firm=firm)
            if rate is None or self._settings.clock() - due <= _LATE:
                return
            # a process that was held up wakes all at once: they take their turns anew, or they
            # would leave all at once as well

    def _exchange(self, request: HttpRequest, firm: bool, sink: Sink | None) -> Talk[Answer]:
        scheme = origin(request.url)[0]
        if scheme not in ("http", "https"):
            raise ProtocolError("the service names an address that is none of http: and https:")
        timeout = max(min(request.timeout, self.deadline - self.now()), 1.0)
        connect = min(self._policy.connect_timeout, timeout)
        # once bytes of a submit are on their way it is too late to leave for a cancel
        stays = firm or request.resend is not Resend.ALWAYS
        # httpx limits the silence between two bytes, this the whole: an answer must end, and of a
        # file something must come
        limit = timeout + _LONGEST_ANSWER
        if sink is None:
            limit = min(limit, max(self.deadline - self.now(), connect + timeout + _GRACE))
        since = self._settings.clock()
        until = since + limit
        size = 0
        outcome = yield (
            Send(request, connect, timeout, limit)
            if sink is None
            else Save(request, sink, connect, timeout, limit)
        )
        while not isinstance(outcome, Answer):
            if outcome is not None:
                yield from self._take(outcome)
                if self.cancel_pending and not stays:
                    yield Drop()
                    raise CancelWanted
            now = self._settings.clock()
            asleep = now > until + _ASLEEP
            come = 0 if sink is None else sink.size
            if asleep or come != size:
                until, size = now + limit, come
            if now >= until:
                yield Drop()
                if sink is None:
                    return Unreached("the answer does not end", sent=True)
                sink.abandon()  # a thread may hold it still
                return NotSaved("the answer does not end")
            outcome = yield Pause(until - now)
        if sink is None:  # a file takes as long as it takes
            self._awake(since, timeout + _LONGEST_ANSWER)
        return outcome

    def _no_answer(self, request: HttpRequest, answer: Unreached) -> ServiceUnavailable:
        kind = AnswerLost if answer.sent else ServiceUnavailable
        return kind(
            f"no answer from {_place(request)}: {answer.reason}",
            hint="is the address right, and does the service run there?",
        )


def _place(request: HttpRequest) -> str:
    scheme, host, port = origin(request.url)
    shown = f"[{host}]" if ":" in host else host
    usual = {"http": 80, "https": 443}.get(scheme) == port
    return f"{scheme}://{shown}" if usual else f"{scheme}://{shown}:{port}"


def _what(answer: HttpResponse | Unreached) -> str:
    if isinstance(answer, Unreached):
        return answer.reason
    words = {429: "the service asks for fewer requests", 503: "the service is busy"}
    return f"{words.get(answer.status, 'the service is in trouble')} (HTTP {answer.status})"
