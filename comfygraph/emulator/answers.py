"""
What the knobs do to answers, the same way for every service.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.faults import FaultCounts, Faults

_CREDENTIALS = ("authorization", "x-api-key", "cookie")


def tampered(
    answer: Response, faults: Faults, counts: FaultCounts, headers: Mapping[str, str]
) -> Response:
    """
    Give an answer with the damage that the knobs of the first group ask for; files stay whole.

    Args:
        answer: The answer.
        faults: The knobs, which are about its request.
        counts: How often they have struck.
        headers: The headers of the request, lower case.
    """
    body = bytes(getattr(answer, "body", b""))
    if not body or answer.media_type == "text/html":
        return answer
    if faults.echoes and answer.status_code >= 400:
        said = " ".join(headers[name] for name in _CREDENTIALS if name in headers)
        body = _in_texts(body, lambda text: f"{text} (you sent {said})")
    if answer.status_code < 400:
        if b'"status' in body and counts.strikes(faults, "odd_states"):
            body = _in_states(body)
        if faults.padding and body.startswith(b"{"):
            comma = b"" if body[1:].lstrip().startswith(b"}") else b","
            body = b'{"xEmulatorPadding":"%s"%s%s' % (b"x" * faults.padding, comma, body[1:])
        if counts.strikes(faults, "garbage"):
            body = body[: len(body) // 2]
    if body == answer.body:
        return answer
    answer.body = body
    answer.headers["Content-Length"] = str(len(body))
    return answer


def _in_texts(body: bytes, change: Callable[[str], str]) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return change(body.decode(errors="replace")).encode()
    return json.dumps(_changed(value, lambda _, text: change(text))).encode()


def _in_states(body: bytes) -> bytes:
    try:
        value = json.loads(body)
    except ValueError:
        return body

    def change(key: str, text: str) -> str:
        return "SIMMERING" if key in ("status", "status_str") else text

    return json.dumps(_changed(value, change)).encode()


def _changed(value: JsonValue, change: Callable[[str, str], str], key: str = "") -> JsonValue:
    # Answers are a few levels deep.
    match value:
        case dict():
            return {name: _changed(item, change, name) for name, item in value.items()}
        case list():
            return [_changed(item, change, key) for item in value]
        case str():
            return change(key, value)
        case _:
            return value


def spoiled(value: JsonValue, faults: Faults, optional: frozenset[str]) -> JsonValue:
    """
    Give an answer without the fields that are to be missing, and with some that nobody knows.

    Args:
        value: The answer.
        faults: The knobs.
        optional: The fields that `missing_fields="*"` takes away.
    """
    missing = frozenset(faults.missing_fields.split(",")) - {""}
    if "*" in missing:
        missing |= optional
    if not missing and not faults.extra_fields:
        return value
    return _without(value, missing, faults.extra_fields)


_OPAQUE = frozenset({"input", "metadata", "arguments"})
"""Fields whose content is the client's own."""


def _without(value: JsonValue, missing: frozenset[str], extra: bool) -> JsonValue:
    # Answers are a few levels deep. Objects inside objects may be maps, and get no extra field.
    if isinstance(value, list):
        return [_without(item, missing, extra) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: item if key in _OPAQUE else _without(item, missing, extra and isinstance(item, list))
        for key, item in value.items()
        if key not in missing
    }
    if extra:
        kept["xEmulatorExtra"] = {"unknown": [1, None, "two"]}
    return kept


def worded(status: str, faults: Faults) -> str:
    """
    Give a status word as the knobs want it written.
    """
    return status.capitalize() if faults.capitalised else status


class Echo:
    """
    Shows every second time the answer of three times before again, if the knobs say so: after
    any change the old state comes once more.
    """

    def __init__(self) -> None:
        self._past: list[JsonValue] = []

    def of(self, value: JsonValue, faults: Faults) -> JsonValue:
        """
        Give the answer to send now.
        """
        if not faults.stale_updates:
            return value
        self._past.append(value)
        return self._past[-4] if len(self._past) >= 4 and len(self._past) % 2 else value
