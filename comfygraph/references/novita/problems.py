"""
The errors of Novita: a code in the envelope of v2, a `reason` in v3.
"""

from __future__ import annotations

from comfygraph.core.nearest import shorten
from comfygraph.core.values import JsonValue
from comfygraph.errors import (
    AuthenticationError,
    NotFound,
    ProtocolError,
    RateLimited,
    Rejected,
    ServiceUnavailable,
    TargetError,
)
from comfygraph.targets.failures import refusal, retry_after
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import integer, mapping, one_line, text

SERVICE = "Novita"
_CREDENTIALS = "NOVITA_API_KEY"
_CHECK_KEY = f"check {_CREDENTIALS}"

_NOT_EXISTS = 2
# code → (what it means, kind, hint); from the constants of Novita's SDKs
_V2: dict[int, tuple[str, type[TargetError], str | None]] = {
    -1: ("internal error", ServiceUnavailable, "try again later"),
    1: ("the request is no JSON", Rejected, None),
    2: ("there is no such model", NotFound, None),
    3: ("there is no such task", NotFound, None),
    4: ("the key is not known", AuthenticationError, _CHECK_KEY),
    5: ("no machine is free", ServiceUnavailable, "try again later"),
    6: ("a parameter is out of range", Rejected, None),
    7: ("the balance does not suffice", Rejected, "top up the account"),
    8: ("there is no such sampler", Rejected, None),
    9: ("it took too long", ServiceUnavailable, "try again later"),
    10: ("this is not supported", Rejected, None),
}
# reason → (kind, hint), where the HTTP status alone would mislead
_V3: dict[str, tuple[type[TargetError], str | None]] = {
    "MISSING_API_KEY": (AuthenticationError, _CHECK_KEY),
    "INVALID_API_KEY": (AuthenticationError, _CHECK_KEY),
    "BILLING_AUTH_FAILED": (AuthenticationError, _CHECK_KEY),
    "API_NOT_ALLOWED": (AuthenticationError, "the key may not use this part of the service"),
    "FEATURE_NOT_ALLOWED": (AuthenticationError, "the plan of the account lacks this feature"),
    "NEED_REAL_NAME_VERIFY": (AuthenticationError, "verify the account on novita.ai"),
    "BILLING_BALANCE_NOT_ENOUGH": (Rejected, "top up the account"),
    "ANONYMOUS_ACCESS_QUOTA_EXCEEDS": (RateLimited, "use a key: set NOVITA_API_KEY"),
    "RATE_LIMIT_EXCEEDED": (RateLimited, "try again later"),
    "API_NOT_FOUND": (ProtocolError, "check NOVITA_BASE_URL"),
    "TASK_NOT_FOUND": (NotFound, "tasks are forgotten after a while"),
}


def read_envelope(response: HttpResponse, what: str) -> tuple[int, JsonValue]:
    """
    Open the envelope of a v2 answer.

    Returns:
        The code, 0 or 2 (no such model), and `data`.

    Raises:
        TargetError: The HTTP status or the code tells of an error.
    """
    if not response.ok:
        raise failure(response, what)
    envelope = response.json()
    if not isinstance(envelope, dict):
        raise ProtocolError(f"{SERVICE} answered with no JSON object", status=response.status)
    code = integer(envelope.get("code")) or 0
    if code in (0, _NOT_EXISTS):
        return code, envelope.get("data")
    meaning, kind, hint = _V2.get(code, ("the code is not known", Rejected, None))
    said = one_line(envelope.get("msg"))
    raise kind(
        f"{SERVICE} refused (code {code}): {meaning}{f': {said}' if said else ''}",
        hint=hint,
        status=response.status,
    )


def failure(response: HttpResponse, what: str) -> TargetError:
    """
    Give the exception for an HTTP status that tells of an error.
    """
    try:
        body = mapping(response.json())
    except ProtocolError:
        body = {}
    reason = text(body.get("reason")).strip().upper()
    message = one_line(body.get("message")) or one_line(body.get("msg"))
    said = ": ".join(part for part in (one_line(reason, 80), message) if part)
    known = _V3.get(reason)
    if known is None:
        return refusal(SERVICE, response, said, credentials=_CREDENTIALS, what=shorten(what))
    kind, hint = known
    tail = f"{SERVICE} refused (HTTP {response.status}): {said}"
    if kind is NotFound:
        tail = f"{SERVICE} knows no {shorten(what)} (HTTP {response.status}): {said}"
    return kind(tail, hint=hint, status=response.status, retry_after=retry_after(response))
