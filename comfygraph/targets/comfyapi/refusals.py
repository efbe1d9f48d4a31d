"""
Read how Comfy API v2 refuses: `{"error": {"code", "message", "details": {"node_errors"}}}`.
"""

from __future__ import annotations

from comfygraph.errors import NotFound, ProtocolError, Rejected, ServiceUnavailable, TargetError
from comfygraph.targets.comfyui.refusals import node_complaints
from comfygraph.targets.failures import graph_rejected, refusal, retry_after
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import mapping, one_line, text

SERVICE = "Comfy API"
KEY_REUSED = "idempotency_key_reuse"
CREDENTIALS = "COMFY_API_KEY"

_HINTS = {
    "workflow_format_ui": "it wants the API format, and was sent one of the editor",
    "missing_asset": "a file that the graph names is not there: upload it, or use an own one",
    "insufficient_credits": "add credits at https://platform.comfy.org",
    "queue_full": "wait until a job of yours is done",
    "too_many_streams": "follow fewer jobs at a time",
    "invalid_workflow": "lint the graph",
}
_WAIT = frozenset({"deployment_not_ready"})


def error_code(response: HttpResponse) -> str:
    """
    Give the service's own word for what is wrong, or an empty text.
    """
    return text(_error(response).get("code"))


def failure(response: HttpResponse, what: str = "job") -> TargetError:
    """
    Give the exception for a refused request.
    """
    error = _error(response)
    code, said = text(error.get("code")), one_line(error.get("message"))
    found = node_complaints(mapping(error.get("details")).get("node_errors"))
    status = response.status
    if found and 400 <= status < 500:
        return graph_rejected(SERVICE, found, hint=_HINTS.get(code), status=status)
    if code in _WAIT:
        return ServiceUnavailable(
            f"{SERVICE}: {said or 'the deployment is not ready'}",
            hint="try again in a minute",
            status=status,
            retry_after=retry_after(response),
        )
    hint = _HINTS.get(code)
    if status == 402:
        return Rejected(
            f"{SERVICE} wants more credits (HTTP 402){f': {said}' if said else ''}",
            hint=hint or _HINTS["insufficient_credits"],
            status=status,
        )
    if status == 404 and not error:
        return NotFound(
            f"{SERVICE} knows no {what} (HTTP 404)", hint="check COMFY_API_URL", status=status
        )
    said = f"{code}: {said}" if code and said and code not in said else said or code
    return refusal(SERVICE, response, said, hint=hint, credentials=CREDENTIALS, what=what)


def _error(response: HttpResponse) -> dict[str, object]:
    try:
        body = mapping(response.json())
    except ProtocolError:
        return {}
    return mapping(body.get("error"))
