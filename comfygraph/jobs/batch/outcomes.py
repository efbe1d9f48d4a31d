"""
What the end of a job means for its variant: over, another try, or the end of the whole batch.
"""

from __future__ import annotations

from comfygraph.errors import (
    AuthenticationError,
    ComfyGraphError,
    DeadlinePassed,
    RateLimited,
    ServiceUnavailable,
)
from comfygraph.jobs.ledger import JobRecord, State

_OWN_SERVERS = ("comfyui", "emulator")
_NOT_REACHED = (ServiceUnavailable.__name__, RateLimited.__name__)
_MAY_PASS = (*_NOT_REACHED, AuthenticationError.__name__, DeadlinePassed.__name__)


def may_retry(record: JobRecord) -> bool:
    """
    Whether another job may be made for the variant: this one surely is over, or surely never was,
    and what went wrong may pass.

    A job that a service of somebody else has forgotten may have been paid for and is not made
    again; a server of one's own that was started anew has lost it.
    """
    match record.state:
        case State.FAILED:
            return record.transient
        case State.REFUSED:
            return record.transient or record.error in _NOT_REACHED
        case State.ABANDONED:
            return record.target in _OWN_SERVERS and record.error == "NotFound"
        case _:
            return False


def may_go_on(record: JobRecord) -> bool:
    """
    Whether a variant that is over is tried again when a person goes on with the batch.
    """
    if record.state is State.REFUSED:
        return record.transient or record.error in _MAY_PASS
    return may_retry(record)


def stops_all(exc: ComfyGraphError) -> bool:
    """
    Whether what went wrong with one job would go wrong with every other.
    """
    return isinstance(exc, AuthenticationError)
