"""
Taking up a submit that was broken off: does the job exist?

A process that dies between the note that it is about to send and the answer leaves a job that may
exist. The service is asked by the key that would have gone along. Found, the job is adopted. Not
found, it is sent again only where that surely makes no second job:

- the service answers a submit with the same key with the same job (Civitai's `externalId`), or
- the service still knows a job that it was given before this one, so it would know this one too
  (ComfyUI keeps queue and history in memory, and forgets both when it is started anew), or
- a person says so.

Else it stays uncertain.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from comfygraph.errors import ProtocolError, SubmissionUncertain
from comfygraph.jobs.courier import Courier
from comfygraph.jobs.effects import Talk
from comfygraph.targets.base import JobRef, Policy, Submission, Target

_PAUSES = (0.0, 2.0)
"""The pauses before each look, in first pauses of the policy: a list may lag behind."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """
    A submission that may have been sent before.

    Args:
        submission: The graph, with the key of that time.
        ref: The reference of that time.
        witnesses: Jobs that the service took before this one was about to be sent.
        age: Seconds since then.
        force: Send it again wherever it is not found.
        send: Whether it is sent at all where it is not found.
    """

    submission: Submission
    ref: JobRef
    witnesses: tuple[JobRef, ...] = ()
    age: float = math.inf
    force: bool = False
    send: bool = True

    def lingers(self, policy: Policy) -> bool:
        """
        Whether it is sent again on trust: nobody knows that there is no job from before.
        """
        return self.send and (self.force or self.age < policy.key_memory)


def submission_of(job: Submission | Doubt) -> Submission:
    """
    Give the graph that is to be handed in.
    """
    return job.submission if isinstance(job, Doubt) else job


def look_up(target: Target, policy: Policy, courier: Courier, doubt: Doubt) -> Talk[JobRef | None]:
    """
    Look for the job; `None` says that it may be sent again.

    Raises:
        SubmissionUncertain: The job may exist, and the service cannot say.
        TargetError: The service is out of reach, or refuses to be asked.
    """
    ref = doubt.ref
    looked = False
    for pause in _PAUSES:
        exchange = target.find(ref)
        if exchange is None:
            break
        yield from courier.pause(pause * policy.backoff_base, firm=True)
        try:
            found = yield from courier.run(exchange, firm=True)
        except ProtocolError:  # it shows no keys, or nothing that can be read
            break
        if found is not None:
            return found
        looked = True
    if doubt.lingers(policy):
        return None
    if not looked:
        raise SubmissionUncertain(
            f"`{ref.target}` cannot be asked for a job by its key, so nobody knows whether it "
            "has this one",
            hint=f"look for it at {ref.base_url} (key {ref.key}); --force sends it again",
        )
    for witness in doubt.witnesses:
        exchange = target.find(witness)
        if exchange is not None and (yield from courier.run(exchange, firm=True)) is not None:
            return None
    raise SubmissionUncertain(
        f"{ref.base_url} has no such job, but no older one of ours either: it may have been "
        "started anew since, or its history cleared",
        hint="if it has made no pictures for this job, --force sends it again",
    )
