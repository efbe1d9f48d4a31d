"""
Read the error bodies of Civitai's orchestration API in all their forms.

Real ones are: ProblemDetails with `errors` by path, the same with a catch-all `messages`, a bare
JSON string (403), an OAuth object, an empty body (401), and web pages (5xx).
"""

from __future__ import annotations

import re

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, Rejected, TargetError
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.failures import graph_rejected, refusal
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import items, mapping, one_line, text

SERVICE = "Civitai"
_CREDENTIALS = "CIVITAI_API_TOKEN"
_GRAPH_PATH = re.compile(r"comfyWorkflow[.\[]+['\"]?([^.\[\]'\"]+)['\"]?\]?(?:[.\[]+(.*))?$", re.I)
_MONEY = re.compile(r"insufficient[ _]?(?:buzz|funds)|not enough buzz|\bfunds\b", re.I)
_TOP_UP = "top up the account's Buzz, or make the graph cheaper"


def problem(response: HttpResponse, what: str = "workflow") -> TargetError:
    """
    Give the exception for an answer that is no success.
    """
    body = problem_body(response)
    said = message_of(body)
    status = response.status
    if status == 402 or (status in (400, 403) and _MONEY.search(said)):
        tail = f": {said}" if said else ""
        return Rejected(
            f"{SERVICE} wants more Buzz than there is (HTTP {status}){tail}",
            hint=_TOP_UP,
            status=status,
        )
    found = complaints(body)
    if found and status == 400:
        return graph_rejected(SERVICE, found, status=status)
    hint = None
    if "insufficient_scope" in text(mapping(body).get("error")):
        hint = "the token lacks a scope: AIServicesRead to look, AIServicesWrite to submit"
    elif "mature" in said.lower():
        hint = "set the option `allow_mature`, if that is meant"
    return refusal(SERVICE, response, said, hint=hint, credentials=_CREDENTIALS, what=what)


def problem_body(response: HttpResponse) -> JsonValue:
    """
    Give the JSON of an error answer, `None` where it is none.
    """
    try:
        return response.json()
    except ProtocolError:
        return None


def message_of(body: JsonValue) -> str:
    """
    Give what an error body says, on one line; empty where it says nothing.
    """
    if isinstance(body, str):
        return one_line(body)
    data = mapping(body)
    errors = mapping(data.get("errors"))
    messages = _texts(errors.get("messages"))
    if not messages:
        messages = [f"{path}: {said}" for path, texts in errors.items() for said in _texts(texts)]
    if messages:
        return one_line("; ".join(messages))
    for name in ("detail", "error_description", "message", "error", "title"):
        said = one_line(data.get(name))
        if said:
            return said
    return ""


def complaints(body: JsonValue) -> tuple[NodeComplaint, ...]:
    """
    Read which nodes an error is about, from paths such as
    `steps[0].input.comfyWorkflow.3.inputs.steps`.
    """
    out: list[NodeComplaint] = []
    for path, texts in mapping(mapping(body).get("errors")).items():
        place = _GRAPH_PATH.search(path)
        if place is not None:
            node_id, rest = place.groups()
            name = (
                (rest or "").replace("]", "").removeprefix("inputs").lstrip(".['\"").rstrip("'\"")
            )
            out.extend(NodeComplaint(node_id, said, name or None) for said in _texts(texts))
    return tuple(out)


def _texts(value: JsonValue) -> list[str]:
    found = [one_line(item) for item in items(value)] if isinstance(value, list) else []
    return [said for said in found or [one_line(value)] if said]
