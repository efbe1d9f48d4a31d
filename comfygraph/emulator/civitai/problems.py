"""
Civitai's error bodies: ProblemDetails (RFC 9457), with `errors` by path or as `messages`.
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.web import json_answer

_SECTIONS = {400: "5.1", 401: "5.2", 403: "5.4", 404: "5.5", 405: "5.6", 409: "5.10", 500: "6.1"}
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    409: "Conflict",
    413: "Payload Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "An error occurred while processing your request.",
    503: "Service Unavailable",
}
_TYPE = "application/problem+json; charset=utf-8"


class InvalidError(Exception):
    """
    A request that does not fit; `errors` is path → messages.
    """

    def __init__(self, errors: Mapping[str, list[str]]) -> None:
        super().__init__("invalid request")
        self.errors = dict(errors)


class Findings:
    """
    Collects what is wrong, by path.
    """

    def __init__(self) -> None:
        self.errors: dict[str, list[str]] = {}

    def add(self, path: str, text: str) -> None:
        """
        Note one fault.
        """
        self.errors.setdefault(path, []).append(text)

    def unknown(self, path: str, value: Mapping[str, JsonValue], known: frozenset[str]) -> None:
        """
        Note every key that nobody knows.
        """
        for name in value:
            if name not in known:
                where = f"{path}.{name}" if path else name
                self.add(where, f"The JSON property '{name}' could not be mapped to any member.")

    def done(self) -> None:
        """
        Raise what was found.

        Raises:
            InvalidError: Something was.
        """
        if self.errors:
            raise InvalidError(self.errors)


def problem(status: int, detail: str | None = None, **more: JsonValue) -> Response:
    """
    Answer with a ProblemDetails.
    """
    section = _SECTIONS.get(status, "5")
    body: dict[str, JsonValue] = {
        "type": f"https://tools.ietf.org/html/rfc9110#section-15.{section}",
        "title": _TITLES.get(status, "Error"),
        "status": status,
        **more,
    }
    if detail:
        body["detail"] = detail
    headers = {}
    if status == 429:
        headers = {"RateLimit-Policy": '"buzz";q=1000;w=60', "RateLimit": '"buzz";r=0;t=1'}
    return json_answer(body, status, media_type=_TYPE, headers=headers)


def invalid(exc: InvalidError, *, as_messages: bool) -> Response:
    """
    Answer 400 with all that is wrong, by path or as a list of messages.
    """
    if as_messages:
        texts = [
            text if path == "messages" else f"{path}: {text}"
            for path, found in exc.errors.items()
            for text in found
        ]
        return json_answer(
            {"title": "Bad Request", "status": 400, "errors": {"messages": texts}},
            400,
            media_type=_TYPE,
        )
    body = {
        "type": "https://tools.ietf.org/html/rfc9110#section-15.5.1",
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": exc.errors,
    }
    return json_answer(body, 400, media_type=_TYPE)
