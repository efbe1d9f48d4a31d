"""
What happens before a graph is handed in: its local files are uploaded, and the service is asked
whether it would take the graph and for how much. No job can come of it.
"""

from __future__ import annotations

from dataclasses import replace

from comfygraph.errors import NotFound, ProtocolError, Rejected, TargetError
from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import Talk, Tell
from comfygraph.jobs.settings import Settings
from comfygraph.jobs.uploads import Uploads, send_uploads
from comfygraph.targets.base import CheckAnswer, Policy, Submission, Target
from comfygraph.targets.events import Notice
from comfygraph.targets.failures import GraphRejected, graph_rejected

_NO_ROUTE = (404, 405, 501)


def prepare(
    target: Target,
    submission: Submission,
    uploads: Uploads,
    *,
    courier: Courier,
    policy: Policy,
    settings: Settings,
) -> Talk[Submission]:
    """
    Give the submission as it is to be handed in.

    Raises:
        TargetError: The service refused a file or the graph, or was out of reach.
        CancelWanted: A cancel was asked for.
    """
    if uploads.notices:
        yield Tell(uploads.notices)
    if uploads.files:
        prompt = yield from send_uploads(
            submission.prompt, uploads, target, courier, settings.uploads, _key(target, policy)
        )
        submission = replace(submission, prompt=prompt)
    if policy.check_first:
        try:
            yield from _check(target, submission, courier, patient=bool(uploads.files))
        except GraphRejected:
            forget_uploads(uploads, target, policy, settings)
            raise
    return submission


def forget_uploads(uploads: Uploads, target: Target, policy: Policy, settings: Settings) -> None:
    """
    Have these files uploaded again the next time: a graph with them was refused, and perhaps the
    service no longer has what was uploaded some time ago.
    """
    for _, file in uploads.files:
        settings.uploads.forget(_key(target, policy), file.digest)


def _key(target: Target, policy: Policy) -> str:
    return policy.rate_key or target.base_url


def _check(
    target: Target, submission: Submission, courier: Courier, *, patient: bool
) -> Talk[None]:
    exchange = target.check(submission)
    if exchange is None:
        return
    try:
        answer = yield from courier.run(exchange)
        if patient and not answer.valid and answer.retry_in is not None:
            # what we have uploaded may not be known everywhere yet
            yield from courier.pause(answer.retry_in)
            again = target.check(submission)
            assert again is not None
            answer = yield from courier.run(again)
    except (NotFound, ProtocolError, Rejected) as exc:
        if isinstance(exc, Rejected) and exc.status not in _NO_ROUTE:
            raise
        yield Tell((Notice(f"the graph could not be checked beforehand: {exc.message}"),))
        return
    yield Tell(tuple(Notice(text) for text in _words(answer)))
    if not answer.valid:
        raise _refused(answer)


def _words(answer: CheckAnswer) -> list[str]:
    words = list(answer.notes) if answer.valid else []
    if answer.valid and answer.cost is not None:
        words.insert(0, f"the job costs {answer.cost:g} {answer.unit}".rstrip())
    if answer.affordable is False:
        words.append("the account cannot pay for it")
    return words


def _refused(answer: CheckAnswer) -> TargetError:
    if answer.complaints:
        return graph_rejected("the service", answer.complaints)
    said = "; ".join(answer.notes) or "it does not say why"
    return Rejected(f"the service would refuse the graph: {said}")
