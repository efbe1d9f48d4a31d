"""
Build the body of `POST /v2/consumer/workflows`: a `WorkflowTemplate` with one `comfy` step.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from comfygraph.core.values import JsonValue, Node, Prompt
from comfygraph.errors import UsageError
from comfygraph.targets.base import Submission
from comfygraph.targets.http import json_body
from comfygraph.targets.reading import number

STEP_NAME = "run"
TAG = "comfygraph"
OPTIONS = (
    "allow_mature",
    "currencies",
    "image_metadata",
    "metadata",
    "priority",
    "quantity",
    "tags",
    "timeout",
)
PRIORITIES = ("high", "normal", "low")
CURRENCIES = ("yellow", "blue", "green", "fakeRed")

_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMEOUT = 20 * 60.0
_MOST_TAGS, _LONGEST_TAG, _MOST_JOBS = 10, 200, 100


def template_of(submission: Submission, *, estimate: bool = False) -> dict[str, JsonValue]:
    """
    Give the body for a graph.

    Args:
        estimate: Leave out the key: a service that was asked for a price under a key would answer
            a later submit under the same key with that estimate, and run nothing.

    Raises:
        UsageError: An option is unknown or out of range.
    """
    options = submission.options
    unknown = sorted(options.keys() - set(OPTIONS))
    if unknown:
        raise UsageError(
            f"Civitai takes no option `{unknown[0]}`", hint=f"it takes {', '.join(OPTIONS)}"
        )
    if submission.partial_targets:
        raise UsageError("Civitai always runs the whole graph", hint="leave out the output nodes")
    body: dict[str, JsonValue] = {
        "tags": _tags(options.get("tags")),
        "steps": [
            {
                "$type": "comfy",
                "name": STEP_NAME,
                "priority": _one_of("priority", options.get("priority", "normal"), PRIORITIES),
                "timeout": time_span(_seconds(options.get("timeout", _TIMEOUT))),
                "input": _comfy_input(submission.prompt, options),
            }
        ],
    }
    if options.get("metadata") is not None:
        body["metadata"] = options["metadata"]
    if options.get("currencies") is not None:
        named = options["currencies"]
        if not isinstance(named, list):
            raise UsageError("`currencies` is a list", hint=f"of {', '.join(CURRENCIES)}")
        body["currencies"] = [_one_of("currencies", item, CURRENCIES) for item in named]
    if options.get("allow_mature") is not None:
        body["allowMatureContent"] = bool(options["allow_mature"])
    if not estimate:
        body["externalId"] = external_id_for(submission.key)
    return body


def external_id_for(key: str) -> str:
    """
    Give `externalId` for an idempotency key: the key where the service takes it (letters, digits,
    `_` and `-`, at most 128), else a UUID made from it.
    """
    if _EXTERNAL_ID.fullmatch(key):
        return key
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"comfygraph:{key}"))


def time_span(seconds: float) -> str:
    """
    Write a duration as the .NET text `HH:MM:SS`, from a day on `D.HH:MM:SS`.
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    day = f"{days}." if days else ""
    return f"{day}{hours:02}:{minutes:02}:{rest:02}"


def _comfy_input(prompt: Prompt, options: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    quantity = options.get("quantity", 1)
    if type(quantity) is not int or not 1 <= quantity <= _MOST_JOBS:
        raise UsageError(f"`quantity` is a whole number from 1 to {_MOST_JOBS}")
    out: dict[str, JsonValue] = {
        "quantity": quantity,
        "comfyWorkflow": {node.id: _node(node) for node in prompt.nodes()},
    }
    metadata = options.get("image_metadata")
    if metadata is not None:
        # the service keeps a text, by custom one of JSON
        out["imageMetadata"] = (
            metadata if isinstance(metadata, str) else json_body(metadata).decode()
        )
    return out


def _node(node: Node) -> dict[str, JsonValue]:
    # the schema writes `classType` and `meta`, every known caller sends ComfyUI's own names;
    # keys that neither knows would be refused
    plain = node.to_json()
    out: dict[str, JsonValue] = {
        "class_type": node.class_type,
        "inputs": plain.get("inputs", {}),
    }
    if node.meta is not None:
        out["_meta"] = dict(node.meta)
    return out


def _tags(tags: JsonValue) -> list[str]:
    named = tags if isinstance(tags, list) else [] if tags is None else [tags]
    out = list(dict.fromkeys([TAG, *(tag for tag in named if isinstance(tag, str) and tag)]))
    if len(out) > _MOST_TAGS:
        raise UsageError(f"a workflow has at most {_MOST_TAGS} tags, `{TAG}` among them")
    if any(len(tag) > _LONGEST_TAG for tag in out):
        raise UsageError(f"a tag has at most {_LONGEST_TAG} characters")
    return out


def _one_of(name: str, value: JsonValue, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise UsageError(f"`{name}` takes {', '.join(allowed)}")
    return value


def _seconds(value: JsonValue) -> float:
    seconds = number(value)
    if seconds is None or not 1 <= seconds <= 7 * 86400:
        raise UsageError("`timeout` is a number of seconds, from 1 to 604800")
    return seconds
