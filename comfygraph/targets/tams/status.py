"""
The errors of TAMS: `{"code", "message", "details"}`, a gRPC status behind a JSON gateway.

The message of an invalid graph is "Params Valid", so messages decide nothing: the HTTP status and
the presence of `code` do. The details say which node and input, as lines of text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

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
from comfygraph.targets.base import NodeComplaint
from comfygraph.targets.failures import graph_rejected, refusal
from comfygraph.targets.http import HttpResponse
from comfygraph.targets.reading import integer, mapping, mappings, one_line, pick, text

SERVICE = "TAMS"
_CREDENTIALS = "TAMS_API_KEY, or TAMS_APP_ID and TAMS_PRIVATE_KEY_FILE"
_BAD_AUTH_HEADER = 100002
_MISSING_FIELD = re.compile(r"\[nodeId:fieldName\]\s*([^\s:]+):(\S+)")
_MOST_LINES = 2000
_IMAGE_INPUTS = frozenset({"image", "mask"})
_ALREADY_EXISTS = 6
_KEY_SEEN = re.compile(
    r"request_?id\b.*(?:exist|duplicat|repeat|used|seen|uniq)|duplicat\w* request_?id",
    re.IGNORECASE | re.DOTALL,
)
_UNKNOWN = re.compile(r"not (?:be )?found|not exist|no such|不存在|找不到|未找到", re.IGNORECASE)

_BY_CODE: dict[int, tuple[type[TargetError], str | None]] = {
    # https://grpc.io/docs/guides/status-codes/
    3: (Rejected, None),
    4: (ServiceUnavailable, "try again later"),
    5: (NotFound, None),
    7: (AuthenticationError, f"check {_CREDENTIALS}"),
    8: (RateLimited, "try again later"),
    9: (Rejected, None),
    13: (ServiceUnavailable, "try again later"),
    14: (ServiceUnavailable, "try again later"),
    16: (AuthenticationError, f"check {_CREDENTIALS}"),
    _BAD_AUTH_HEADER: (AuthenticationError, f"check {_CREDENTIALS}"),
}


def read_answer(response: HttpResponse, what: str = "job") -> dict[str, JsonValue]:
    """
    Give the JSON object of a good answer.

    Raises:
        TargetError: The answer is an error, or no JSON object.
    """
    if not response.ok:
        raise failure(response, what)
    data = response.json()
    if not isinstance(data, dict):
        raise ProtocolError(f"{SERVICE} answered with no JSON object", status=response.status)
    if integer(data.get("code")) and not {"job", "jobId", "job_id"} & data.keys():
        raise failure(response, what)
    return data


def repeated_key(response: HttpResponse) -> bool:
    """
    Tell whether an answer says that a submit with this `requestId` was taken before.

    How it would is not documented: 409, the gRPC code for it, or words are taken for that.
    """
    body = error_body(response)
    refused = not response.ok or bool(integer(body.get("code")))
    return refused and (
        response.status == 409
        or integer(body.get("code")) == _ALREADY_EXISTS
        or _KEY_SEEN.search(message_of(body)) is not None
    )


def error_body(response: HttpResponse) -> dict[str, JsonValue]:
    """
    Give the error object of an answer; empty where it holds none.
    """
    try:
        return mapping(response.json())
    except ProtocolError:
        return {}


def failure(response: HttpResponse, what: str = "job") -> TargetError:
    """
    Give the exception for an answer that is an error.
    """
    body = error_body(response)
    message = message_of(body)
    found = complaints(body)
    if found and response.status not in (401, 403, 404, 429):
        return graph_rejected(SERVICE, found, status=response.status)
    hint = None
    if "credit" in f"{message} {text(pick(body, 'message'))}".lower():
        hint = "the account may lack credits: see https://tams.tensor.art"
    code = integer(body.get("code"))
    if response.status in (404, 405) and code is None:
        hint = "check TAMS_BASE_URL"  # what answers is not TAMS
    if response.ok or code == _BAD_AUTH_HEADER:
        kind, own_hint = _BY_CODE.get(code or 0, (Rejected, None))
        return kind(
            f"{SERVICE} refused (code {code}): {message or 'no reason given'}",
            hint=hint or own_hint,
            status=response.status,
        )
    return refusal(SERVICE, response, message, hint=hint, credentials=_CREDENTIALS, what=what)


def message_of(body: dict[str, JsonValue]) -> str:
    """
    Give what an error object says, details included, on one line.
    """
    said = [text(body.get("message")), text(body.get("reason"))]
    said += [text(detail.get("message")) for detail in mappings(body.get("details"))]
    return one_line("; ".join(part for part in said if part))


def complaints(body: dict[str, JsonValue]) -> tuple[NodeComplaint, ...]:
    """
    Read which nodes and inputs an error is about.

    A detail's message reads `node id: 25`, `class type: LoadImage`, then lines
    `<input>: <reason>`; reasons may be Chinese.
    """
    out: list[NodeComplaint] = []
    for detail in mappings(body.get("details")):
        out.extend(_read_lines(text(detail.get("message"))))
    missing = _MISSING_FIELD.search(text(body.get("message")))
    if missing is not None:
        node_id, name = missing.groups()
        out.append(NodeComplaint(node_id, "the field is missing", name))
    return tuple(out)


def unknown_upload(found: Sequence[NodeComplaint]) -> bool:
    """
    Tell whether all that is wrong are images that the service does not know, perhaps not yet.
    """
    return bool(found) and all(
        (item.input or "").lower() in _IMAGE_INPUTS and _UNKNOWN.search(item.message)
        for item in found
    )


def _worded(reason: str) -> str:
    # the service says this in Chinese whatever the language of the account
    return f"{reason} (a value is required)" if reason == "字段必填" else reason


def _read_lines(message: str) -> list[NodeComplaint]:
    out: list[NodeComplaint] = []
    node_id = class_type = ""
    told = True
    for line in message.split("\n", _MOST_LINES)[:_MOST_LINES]:
        name, colon, rest = (part.strip() for part in line.partition(":"))
        match name.lower() if colon else "":
            case "node id":
                if not told:
                    out.append(NodeComplaint(node_id, "not valid", class_type=class_type or None))
                node_id, class_type, told = rest, "", not rest
            case "class type":
                class_type = rest
            case _ if node_id and line.strip():
                reason = _worded(one_line(rest if colon else line))
                told = True
                out.append(
                    NodeComplaint(
                        node_id,
                        reason or "not valid",
                        one_line(name, 100) if colon else None,
                        class_type or None,
                    )
                )
            case _:
                pass
    if not told:
        out.append(NodeComplaint(node_id, "not valid", class_type=class_type or None))
    return out
