"""
What the service says about the fields of a workflow beside its steps.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Set
from urllib.parse import urlsplit

from comfygraph.core.values import JsonValue
from comfygraph.emulator.civitai.problems import Findings, InvalidError
from comfygraph.emulator.faults import Faults
from comfygraph.emulator.webhooks import is_allowed

EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
FIELDS = frozenset(
    {
        "steps",
        "currencies",
        "tags",
        "metadata",
        "callbacks",
        "arguments",
        "tips",
        "nsfwLevel",
        "experimental",
        "allowMatureContent",
        "upgradeMode",
        "ephemeral",
        "externalId",
        "tier",
        "downloadPriority",
    }
)
_WORDS: Mapping[str, frozenset[str]] = {
    "nsfwLevel": frozenset({"pg", "pg13", "r", "x", "xxx", "na"}),
    "upgradeMode": frozenset({"manual", "automatic"}),
    "tier": frozenset({"paid", "free"}),
    "downloadPriority": frozenset({"high"}),
}
_FLAGS = ("experimental", "allowMatureContent", "ephemeral")
_CURRENCIES = frozenset({"yellow", "blue", "green", "fakeRed"})
_EVENT = re.compile(
    r"(?:workflow|step|job):"
    r"(?:\*|unassigned|preparing|scheduled|processing|succeeded|failed|expired|canceled)"
)


def read_template(
    body: JsonValue, wait: float, faults: Faults
) -> tuple[dict[str, JsonValue], Findings]:
    """
    Check what stands beside the steps.

    Args:
        body: The JSON value.
        wait: How long the client waits for the end; an ephemeral workflow needs that.
        faults: Knobs of the request.

    Returns:
        The body, and what is wrong with it so far.

    Raises:
        InvalidError: The body is no object.
    """
    if not isinstance(body, dict):
        raise InvalidError({"$": ["The JSON value could not be converted to WorkflowTemplate."]})
    found = Findings()
    found.unknown("", body, FIELDS)
    check_tags(found, body.get("tags"))
    external = body.get("externalId")
    if external is not None and not (isinstance(external, str) and EXTERNAL_ID.fullmatch(external)):
        found.add("externalId", "The field externalId must match '^[A-Za-z0-9_-]+$', 1 to 128.")
    if body.get("ephemeral") and not body.get("callbacks") and wait <= 0:
        found.add("ephemeral", "An ephemeral workflow needs a callback or a wait.")
    for name in ("metadata", "arguments"):
        if not isinstance(body.get(name), dict | None):
            found.add(name, "The value must be an object.")
    for name, words in _WORDS.items():
        if body.get(name) is not None and not is_word(body[name], words):
            found.add(name, f"The value must be one of {', '.join(sorted(words))}.")
    for name in _FLAGS:
        if not isinstance(body.get(name), bool | None):
            found.add(name, "The value must be a boolean.")
    _currencies(found, body.get("currencies"), faults.require_currencies)
    _tips(found, body.get("tips"))
    _callbacks(found, body.get("callbacks"))
    return body, found


def is_word(value: JsonValue, words: Set[str]) -> bool:
    """
    Tell whether a value, which may be a list or an object as well, is one of some words.
    """
    return isinstance(value, str) and value in words


def check_tags(found: Findings, tags: JsonValue) -> None:
    """
    Check a list of tags.
    """
    if tags is None:
        return
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        found.add("tags", "The value must be a list of texts.")
    elif len(tags) > 10 or len(set(tags)) < len(tags) or any(len(tag) > 200 for tag in tags):
        found.add("tags", "At most 10 unique tags of at most 200 characters are allowed.")


def _currencies(found: Findings, value: JsonValue, required: bool) -> None:
    if value is None:
        if required:
            found.add("currencies", "The currencies field is required.")
    elif not isinstance(value, list) or not all(is_word(item, _CURRENCIES) for item in value):
        found.add("currencies", f"The value must be a list of {', '.join(sorted(_CURRENCIES))}.")


def _tips(found: Findings, value: JsonValue) -> None:
    if value is None:
        return
    rates: dict[str, JsonValue] = value if isinstance(value, dict) else {"": None}
    for name, rate in rates.items():
        plain = isinstance(rate, int | float) and not isinstance(rate, bool)
        if name not in ("civitai", "creators") or not plain or not 0 <= rate <= 2:
            found.add("tips", "The field tips holds civitai and creators, from 0 to 2.")
            return


def _callbacks(found: Findings, value: JsonValue) -> None:
    for place, item in enumerate(value if isinstance(value, list) else []):
        where = f"callbacks[{place}]"
        entry = item if isinstance(item, dict) else {}
        url, types = entry.get("url"), entry.get("type")
        # the service calls https only; this stand-in calls loopback only
        if not isinstance(url, str) or not (_is_https(url) or is_allowed(url)):
            found.add(f"{where}.url", "The value must be an https address.")
        named = types if isinstance(types, list) and types else [None]
        if not all(isinstance(kind, str) and _EVENT.fullmatch(kind) for kind in named):
            found.add(f"{where}.type", "The value must be a list of events.")
    if not isinstance(value, list | None):
        found.add("callbacks", "The value must be a list.")


def _is_https(url: str) -> bool:
    try:
        return urlsplit(url).scheme == "https"
    except ValueError:
        return False
