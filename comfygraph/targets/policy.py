"""
How a service wants to be treated: pauses, limits, and what a status says about trying again.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Retry(Enum):
    """
    What a status says about sending the same request again.
    """

    NO = "no"
    """Another try gets the same answer."""
    REFUSED = "refused"
    """Surely not executed (429): wait, then send again, whatever the request's `resend` says."""
    UNKNOWN = "unknown"
    """Perhaps executed (500, 502, 503, 504): send again only where the request's `resend` allows."""  # noqa: E501


@dataclass(frozen=True, slots=True)
class Policy:
    """
    How a driver should treat a service. Times are seconds.

    Args:
        poll_intervals: The pauses between polls; the last one repeats.
        stream_poll_interval: The pause between polls while a live stream is open.
        stream_first: Open the stream before submitting (`stream(reference(submission))`), because
            the service does not repeat what was missed. Where the submit answers with another job
            id than the reference had, read on with the reader of `stream(submitted.ref)`.
        requests_per_second: The service's limit, shared by all jobs of the same `rate_key`; or `None`.
        rate_key: Which jobs share the limit. No secret.
        final_statuses: Statuses that another try gets again, though they look transient.
        attempts: How often one request is sent at most.
        backoff_base: The pause before the second attempt; doubles from there, with jitter.
        backoff_cap: The longest such pause.
        connect_timeout: Patience for a connection.
        deadline: How long a job may take where the caller does not say.
        check_first: Ask `check` before each submit: nothing is handed in that it refuses.
        own_inputs: The service has input files of its own, which graphs name plainly: a name
            that is no local file may be one of them.
        key_memory: For so many seconds a submit with a key that the service has seen surely gives
            the job of the first one; 0 where it does not say so.
    """  # noqa: E501

    poll_intervals: tuple[float, ...] = (1.0, 2.0, 3.0, 5.0)
    stream_poll_interval: float = 5.0
    stream_first: bool = False
    requests_per_second: float | None = None
    rate_key: str = ""
    final_statuses: frozenset[int] = frozenset()
    attempts: int = 4
    backoff_base: float = 0.5
    backoff_cap: float = 15.0
    connect_timeout: float = 10.0
    deadline: float = 3600.0
    check_first: bool = False
    own_inputs: bool = False
    key_memory: float = 0.0

    def retry(self, status: int) -> Retry:
        """
        Say whether an answer with this status is worth sending the request again.
        """
        if status == 429:
            return Retry.REFUSED
        if status in self.final_statuses:
            return Retry.NO
        if status == 408 or status in (500, 502, 503, 504) or 520 <= status <= 530:
            return Retry.UNKNOWN
        return Retry.NO
