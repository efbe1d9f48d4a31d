"""
Read the options of a submission out of a body of `POST /v2/consumer/workflows`, so that a file
which holds one can be submitted again with all that it says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from comfygraph.core.values import JsonValue
from comfygraph.references.air import is_air
from comfygraph.targets.civitai.options import CUSTOM
from comfygraph.targets.reading import items, mapping, mappings, text

_TEMPLATE = MappingProxyType(
    {
        "tags": "tags",
        "metadata": "metadata",
        "currencies": "currencies",
        "tips": "tips",
        "callbacks": "callbacks",
        "nsfwLevel": "nsfw_level",
        "experimental": "experimental",
        "allowMatureContent": "allow_mature",
        "upgradeMode": "upgrade_mode",
        "tier": "tier",
        "downloadPriority": "download_priority",
    }
)
_STEP = MappingProxyType(
    {
        "priority": "priority",
        "timeout": "timeout",
        "retries": "retries",
        "metadata": "step_metadata",
    }
)
# `sessionOwnerApiToken` would hand the token to a container: it is never passed on
_INPUT = MappingProxyType(
    {
        "comfy": {
            "quantity": "quantity",
            "imageMetadata": "image_metadata",
            "useSpineComfy": "use_spine",
        },
        CUSTOM: {
            "trace": "trace",
            "comfyImage": "comfy_image",
            "sessionId": "session",
            "minVramGb": "min_vram_gb",
            "useSageAttention": "sage_attention",
            "minimumDurationSeconds": "minimum_seconds",
        },
    }
)


def options_of_body(body: JsonValue) -> dict[str, JsonValue]:
    """
    Give the options that the first step with a graph, and what stands beside the steps, come to.

    The key (`externalId`) is none of them: a submit of its own has its own.
    """
    template = mapping(body)
    steps = list(mappings(template.get("steps")))
    step = next((one for one in steps if text(one.get("$type")) in _INPUT), {})
    kind = text(step.get("$type"))
    given = mapping(step.get("input"))
    out = {**_named(template, _TEMPLATE), **_named(step, _STEP)}
    out |= _named(given, _INPUT.get(kind, {}))
    if kind == CUSTOM:
        out["step"] = CUSTOM
        named = [item for item in items(given.get("resources")) if isinstance(item, str)]
        airs = [item for item in named if is_air(item)]
        layers = [air for air in airs if ":nodepacklayer:" in air.lower()]
        lists = {
            "layers": layers,
            "resources": [air for air in airs if air not in layers],
            "node_packs": list(dict.fromkeys(_packs(steps))),
        }
        out |= {name: value for name, value in lists.items() if value}
    return out


def _packs(steps: list[dict[str, JsonValue]]) -> Iterator[str]:
    for step in steps:
        if text(step.get("$type")) == "comfyNodepackSnapshot":
            for pack in items(mapping(step.get("input")).get("nodepacks")):
                if isinstance(pack, str):
                    yield pack


def _named(values: Mapping[str, JsonValue], names: Mapping[str, str]) -> dict[str, JsonValue]:
    found = {option: values.get(name) for name, option in names.items()}
    return {option: value for option, value in found.items() if value is not None}
