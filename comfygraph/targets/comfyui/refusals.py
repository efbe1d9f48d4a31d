"""
Read how a ComfyUI server refuses a graph: `{"error": {...}, "node_errors": {...}}` of `POST /prompt`.
"""  # noqa: E501

from __future__ import annotations

from collections.abc import Iterator

from comfygraph.core.values import JsonValue
from comfygraph.errors import ProtocolError, Rejected, TargetError
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.failures import graph_rejected, refusal
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import identifier, mapping, mappings, one_line, text

SERVICE = "ComfyUI"
_HINTS = {
    "missing_node_type": "install the node's pack on the server, or lint against its catalog",
    "prompt_no_outputs": "add an output node such as SaveImage",
}


def node_complaints(node_errors: JsonValue) -> tuple[NodeComplaint, ...]:
    """
    Read `node_errors`, node id → `{"errors": [...], "class_type", "dependent_outputs"}`; older
    servers write an empty list for none.
    """
    return tuple(
        complaint
        for node_id, entry in mapping(node_errors).items()
        if isinstance(entry, dict)
        for complaint in _complaints_of(node_id, entry)
    )


def _complaints_of(node_id: str, entry: dict[str, JsonValue]) -> Iterator[NodeComplaint]:
    class_type = one_line(entry.get("class_type"), 100) or None
    for error in mappings(entry.get("errors")):
        name = one_line(mapping(error.get("extra_info")).get("input_name"), 100)
        yield NodeComplaint(
            node_id=node_id,
            message=_said(error, name) or "not valid",
            input=name or None,
            class_type=class_type,
            code=text(error.get("type")) or None,
        )


def prompt_failure(response: HttpResponse) -> TargetError:
    """
    Give the exception for a refused `POST /prompt`.
    """
    status = response.status
    if status == 500:
        if response.is_html():
            # of a proxy, which may have handed the graph on
            return ProtocolError(f"a web page in place of {SERVICE} (HTTP 500)", status=status)
        # the server reports a malformed graph by falling over it, before it queues anything
        return Rejected(
            f"{SERVICE} stumbles over the graph (HTTP 500)",
            hint="lint the graph; the server's own log has the traceback",
            status=status,
        )
    if status != 400:
        return refusal(SERVICE, response, what="`/prompt`", hint=_base_url_hint(status))
    try:
        body = mapping(response.json())
    except ProtocolError:
        return refusal(SERVICE, response)
    error = mapping(body.get("error"))
    code = text(error.get("type"))
    found = list(node_complaints(body.get("node_errors")))
    info = mapping(error.get("extra_info"))
    node_id = identifier(info.get("node_id"))
    if node_id and not found:
        class_type = one_line(info.get("class_type"), 100) or None
        found.append(NodeComplaint(node_id, _said(error) or code, None, class_type, code or None))
    if found:
        return graph_rejected(SERVICE, found, hint=_HINTS.get(code), status=status)
    said = _said(error) or text(body.get("error"))
    return refusal(SERVICE, response, said, hint=_HINTS.get(code))


def server_failure(response: HttpResponse, what: str = "job") -> TargetError:
    """
    Give the exception for any other refused request.
    """
    return refusal(SERVICE, response, what=what, hint=_base_url_hint(response.status))


def _base_url_hint(status: int) -> str | None:
    return "check COMFYUI_URL" if status in (404, 405) else None


def _said(error: dict[str, JsonValue], name: str = "") -> str:
    message, details = one_line(error.get("message")), one_line(error.get("details"))
    if name and details.startswith(name):  # the name stands beside the message already
        rest = details.removeprefix(name)
        details = rest.lstrip(":, ") if not rest or rest[0] in ":," else details
    return f"{message}: {details}" if message and details else message or details
