"""
Read the error bodies of Civitai's orchestration API in all their forms.

Real ones are: ProblemDetails with `errors` by path, the same with a catch-all `messages`, a bare
JSON string (403), an OAuth object, an empty body (401), and web pages (5xx).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, Rejected, TargetError
from comfygraph.references.air import airs_in
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.civitai.template import Plan
from comfygraph.targets.failures import graph_rejected, refusal
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import items, mapping, one_line, text

SERVICE = "Civitai"
_CREDENTIALS = "CIVITAI_API_TOKEN"
_MONEY = re.compile(r"insufficient[ _]?(?:buzz|funds)|\benough buzz|\bfunds\b", re.I)
_TOP_UP = "top up the account's Buzz, or make the graph cheaper"
# the answer to a submit that cannot be paid is the same in some words or none
_FORBIDDEN = f"check that the account has enough Buzz, and {_CREDENTIALS}"
_LONGEST_PATH, _DAY = 2000, 86_400
_TOKEN = re.compile(r"\[\s*'([^']*)'\s*\]|\[\s*\"([^\"]*)\"\s*\]|\[\s*([^\]]*)\]|([^.\[\]]+)")
_GRAPHS = ("comfyworkflow", "workflow")


def problem(
    response: HttpResponse, what: str = "workflow", plan: Plan | None = None
) -> TargetError:
    """
    Give the exception for an answer that is no success.

    Args:
        response: The answer.
        what: What was asked for, for the message of 404.
        plan: What was submitted, to find the nodes that the answer is about.
    """
    body = problem_body(response)
    said = message_of(body)
    status = response.status
    if status == 402 or (status in (400, 403) and _MONEY.search(said)):
        tail = f": {said}" if said else ""
        return Rejected(
            f"{SERVICE} wants more Buzz than there is (HTTP {status}){tail}",
            hint=_money_hint(plan),
            status=status,
        )
    found = complaints(body, plan)
    if found and status == 400:
        return graph_rejected(SERVICE, found, status=status)
    hint = _hint(body, said)
    if hint is None and plan is not None:
        hint = _hint_for_submit(status, said, plan)
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
    messages = _texts(errors.get("messages")) or _texts(items(data.get("errors")))
    if not messages:
        messages = [f"{path}: {said}" for path, texts in errors.items() for said in _texts(texts)]
    if messages:
        return one_line("; ".join(messages))
    for name in ("detail", "error_description", "message", "error", "title"):
        said = one_line(data.get(name))
        if said:
            return said
    return ""


def complaints(body: JsonValue, plan: Plan | None = None) -> tuple[NodeComplaint, ...]:
    """
    Read which nodes an error is about: from paths such as
    `steps[0].input.comfyWorkflow.3.inputs.steps`, from the place of a resource in the list that
    was sent, and from the AIRs that a text names.
    """
    errors = mapping(mapping(body).get("errors"))
    found = dict.fromkeys(
        complaint
        for path, texts in errors.items()
        for said in _texts(texts)
        for complaint in _complaints(path, said, plan)
    )
    return tuple(found)


def _complaints(path: str, said: str, plan: Plan | None) -> Iterator[NodeComplaint]:
    tokens = tokens_of(path)
    place = _in_graph(tokens, plan.manifest.graph if plan is not None else ())
    if place is not None:
        yield _complaint(*place, said, plan)
    elif plan is not None:
        air = _resource(tokens, plan)
        words = [air] if air is not None else [word for _, _, word in airs_in(said)]
        for word in words:
            where = plan.manifest.places.get(word.casefold())
            if where is not None:
                yield _complaint(*where, said, plan)


def _complaint(node_id: str, name: str | None, said: str, plan: Plan | None) -> NodeComplaint:
    node = plan.manifest.graph.get(node_id) if plan is not None else None
    return NodeComplaint(node_id, said, name, text(mapping(node).get("class_type")) or None)


def tokens_of(path: str) -> list[str]:
    """
    Split a path such as `$.steps[0].input['a.b'].x` into its parts.
    """
    found = (next(filter(None, part), "") for part in _TOKEN.findall(path[:_LONGEST_PATH]))
    return [part for part in found if part and part != "$"]


def _in_graph(tokens: list[str], known: Collection[str]) -> tuple[str, str | None] | None:
    start = next((at for at, part in enumerate(tokens) if part.lower() in _GRAPHS), None)
    rest = tokens[start + 1 :] if start is not None else []
    if not rest:
        return None
    # an id may have dots in it, and paths do not always quote them
    ends = [at for at in range(len(rest), 0, -1) if ".".join(rest[:at]) in known]
    end = ends[0] if ends else 1
    inner = rest[end + 1 :] if rest[end : end + 1] in (["inputs"], ["Inputs"]) else rest[end:]
    return ".".join(rest[:end]), ".".join(inner) or None


def _resource(tokens: list[str], plan: Plan) -> str | None:
    at = next((at for at, part in enumerate(tokens) if part.lower() == "resources"), None)
    if at is None or at + 1 >= len(tokens) or not tokens[at + 1].isascii():
        return None
    place = int(tokens[at + 1]) if tokens[at + 1].isdigit() else -1
    place -= plan.first_resource
    return plan.resources[place] if 0 <= place < len(plan.resources) else None


def _money_hint(plan: Plan | None) -> str:
    if plan is not None and plan.options.minimum_seconds is not None:
        return f"{_TOP_UP}; without the option `minimum_seconds` the job runs as far as it can pay"
    return _TOP_UP


def _hint(body: JsonValue, said: str) -> str | None:
    low = said.lower()
    if "insufficient_scope" in text(mapping(body).get("error")):
        return "the token lacks a scope: AIServicesRead to look, AIServicesWrite to submit"
    if "mature" in low:
        return "set the option `allow_mature`, if that is meant"
    if "not enabled for generation" in low:
        return "choose another version of the model: Civitai does not run this one"
    return None


def _hint_for_submit(status: int, said: str, plan: Plan) -> str | None:
    if status == 403:
        return _FORBIDDEN
    if status == 400 and "timeout" in said.lower() and plan.timeout >= _DAY:
        # nobody outside knows how the service reads more than `23:59:59`
        return "keep the option `timeout` below a day"
    return None


def _texts(value: JsonValue) -> list[str]:
    found = [one_line(item) for item in items(value)] if isinstance(value, list) else []
    return [said for said in found or [one_line(value)] if said]
