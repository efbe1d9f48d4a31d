"""
From a refusing answer to one of our exceptions, with one line of what happened and one of what to do.
"""  # noqa: E501

from __future__ import annotations

import re
from collections.abc import Sequence

from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    ServiceUnavailable,
    TargetError,
)
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import number, one_line

_LONGEST_WAIT = 3600.0
_RESET = re.compile(r";\s*t=(\d{1,9})\b", re.ASCII)


class GraphRejected(Rejected):
    """
    The service refused the graph and said where; `complaints` has it node by node.
    """

    def __init__(
        self,
        message: str,
        *,
        complaints: Sequence[NodeComplaint] = (),
        hint: str | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint, status=status)
        self.complaints = tuple(complaints)


def graph_rejected(
    service: str,
    complaints: Sequence[NodeComplaint],
    *,
    hint: str | None = None,
    status: int | None = None,
    verdict: str = "",
) -> GraphRejected:
    """
    Give the exception for a refused graph, with its first complaint in the message.

    Args:
        service: The name that a person knows it by.
        complaints: At least one.
        hint: One next action.
        status: The status of the answer, where there was one.
        verdict: What is said first; default is that the service refused the graph.
    """
    first = complaints[0]
    where = f"node `{one_line(first.node_id, 60)}`"
    if first.class_type:
        where += f" ({one_line(first.class_type, 80)})"
    if first.input:
        where += f", `{one_line(first.input, 80)}`"
    more = f", and {len(complaints) - 1} more" if len(complaints) > 1 else ""
    return GraphRejected(
        f"{verdict or f'{service} refused the graph'}: {where}: {first.message}{more}",
        complaints=complaints,
        hint=hint,
        status=status,
    )


def retry_after(response: HttpResponse) -> float | None:
    """
    Give the seconds that the header `Retry-After` asks to wait (0 to 3600), else, with a 429, those
    until the quota is whole again (`RateLimit: "buzz";r=0;t=12`), or `None`.

    A date is measured against the answer's own `Date`, not against our clock.
    """
    value = response.header("Retry-After")
    if value is None:
        reset = _RESET.search(response.header("RateLimit") or "")
        limited = response.status == 429 and reset is not None
        return min(float(reset[1]), _LONGEST_WAIT) if limited and reset is not None else None
    seconds = number(value.strip())
    if seconds is None:
        from email.utils import parsedate_to_datetime  # slow to import, rarely needed

        try:
            until = parsedate_to_datetime(value)
            seconds = (until - parsedate_to_datetime(response.header("Date") or "")).total_seconds()
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return min(max(seconds, 0.0), _LONGEST_WAIT)


def refusal(
    service: str,
    response: HttpResponse,
    message: str = "",
    *,
    hint: str | None = None,
    credentials: str = "",
    what: str = "",
) -> TargetError:
    """
    Give the exception for an answer that is no success.

    Args:
        service: The name that a person knows it by.
        message: The service's own words, already read; else the body is asked.
        hint: One next action, where the caller knows better than the status.
        credentials: Which setting holds the credentials, for the hint of 401 and 403.
        what: What was asked for, for the message of 404.
    """
    status = response.status
    said = one_line(message) or ("" if response.is_html() else one_line(response.text()))
    tail = f": {said}" if said else ""
    if status in (401, 403):
        named = f"check {credentials}" if credentials else "check the credentials"
        verb = "does not know these credentials" if status == 401 else "does not permit this"
        return AuthenticationError(
            f"{service} {verb} (HTTP {status}){tail}", hint=hint or named, status=status
        )
    if status == 404:
        return NotFound(
            f"{service} knows no {what or 'such thing'} (HTTP 404){tail}", hint=hint, status=status
        )
    if status == 429:
        wait = retry_after(response)
        again = f"try again in {wait:.0f} s" if wait else "try again later, or send less at a time"
        return RateLimited(
            f"{service} asks for fewer requests (HTTP 429){tail}",
            hint=hint or again,
            status=status,
            retry_after=wait,
        )
    if status >= 500 or status == 408:
        page = " with a web page" if response.is_html() else ""
        return ServiceUnavailable(
            f"{service} is in trouble (HTTP {status}){page}{tail}",
            hint=hint or "try again later",
            status=status,
            retry_after=retry_after(response),
        )
    if 400 <= status < 500:
        return Rejected(f"{service} refused (HTTP {status}){tail}", hint=hint, status=status)
    return ProtocolError(
        f"{service} answered with an unexpected status (HTTP {status})",
        hint=hint or "check the base URL of the target",
        status=status,
    )
