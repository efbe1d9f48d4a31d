"""
Build the body of `POST /v2/consumer/workflows`: a `WorkflowTemplate` that runs one graph.

A graph that needs node packs becomes two steps: the first installs them and gives their layers,
to which the second refers.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from comfygraph.core.values import JsonValue
from comfygraph.errors import UsageError
from comfygraph.targets.base import NodeComplaint, Submission
from comfygraph.targets.civitai.manifest import Manifest, manifest_of, pack_complaints
from comfygraph.targets.civitai.options import Options, read_options
from comfygraph.targets.civitai.times import time_span

STEP_NAME, PACKS_NAME = "run", "packs"

_EXTERNAL_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_TIMEOUT, _PER_RESOURCE = 20 * 60, 60


@dataclass(frozen=True, slots=True)
class Plan:
    """
    A submission, read: its options, what its graph needs, and what is wrong with it.

    Args:
        options: The options, checked.
        manifest: What the graph needs.
        resources: AIRs of the `customComfy` step that are known beforehand, in order.
        complaints: What the workers would not find.
        key: The idempotency key.
    """

    options: Options
    manifest: Manifest
    resources: tuple[str, ...]
    complaints: tuple[NodeComplaint, ...]
    key: str

    @property
    def timeout(self) -> int:
        """Seconds that the step may take; a minute more for each model that may be fetched."""
        if self.options.timeout is not None:
            return self.options.timeout
        named = self.resources if self.options.custom else self.manifest.resources
        return _TIMEOUT + _PER_RESOURCE * max(len(named) - 1, 0)

    @property
    def first_resource(self) -> int:
        """The place of the first of `resources` in the list that is sent."""
        return len(self.options.node_packs)


def plan_of(submission: Submission) -> Plan:
    """
    Read a submission.

    Raises:
        UsageError: An option is unknown or out of range, or a part of the graph is asked for.
    """
    options = read_options(submission.options)
    if submission.partial_targets:
        raise UsageError("Civitai always runs the whole graph", hint="leave out the output nodes")
    manifest = manifest_of(submission.prompt, urls=not options.custom)
    complaints = list(manifest.complaints)
    resources: tuple[str, ...] = ()
    if options.custom:
        resources = _resources(options, manifest)
        # where models are named in another way, that is the complaint
        told = bool(complaints) and options.is_strict
        if not resources and not options.node_packs and not told:
            raise UsageError(
                "a `customComfy` step needs at least one resource, and the graph names none",
                hint="name one with the option `resources`, or use a `comfy` step",
            )
        if options.comfy_image is None:
            packs = (*options.node_packs, *options.layers)
            complaints += pack_complaints(manifest, packs)
    return Plan(options, manifest, resources, tuple(complaints), submission.key)


def template_of(plan: Plan, *, estimate: bool = False) -> dict[str, JsonValue]:
    """
    Give the body for a submission.

    Args:
        plan: What `plan_of` read.
        estimate: For `whatif`. Leaves out the key: a service that was asked for a price under a
            key would answer a later submit under the same key with that estimate, and run
            nothing. Leaves out references between steps, at which `whatif` stumbles.
    """
    options = plan.options
    body: dict[str, JsonValue] = {"tags": list(options.tags), "steps": _steps(plan, estimate)}
    given = {
        "metadata": options.metadata,
        "currencies": options.currencies,
        "tips": options.tips,
        "callbacks": None if estimate else options.callbacks,
        "nsfwLevel": options.nsfw_level,
        "experimental": options.experimental,
        "allowMatureContent": options.allow_mature,
        "upgradeMode": options.upgrade_mode,
        "tier": options.tier,
        "downloadPriority": options.download_priority,
    }
    body |= _plain(given)
    if not estimate:
        body["externalId"] = external_id_for(plan.key)
    return body


def external_id_for(key: str) -> str:
    """
    Give `externalId` for an idempotency key: the key where the service takes it (letters, digits,
    `_` and `-`, at most 128), else a UUID made from it.
    """
    if _EXTERNAL_ID.fullmatch(key):
        return key
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"comfygraph:{key}"))


def _steps(plan: Plan, estimate: bool) -> list[JsonValue]:
    options = plan.options
    steps: list[JsonValue] = []
    if options.node_packs:
        steps.append(
            {
                "$type": "comfyNodepackSnapshot",
                "name": PACKS_NAME,
                "priority": options.priority,
                "timeout": time_span(max(plan.timeout, _TIMEOUT)),
                "input": {"nodepacks": list(options.node_packs), **_worker(options)},
            }
        )
    if options.custom and estimate and not plan.resources:
        return steps
    step: dict[str, JsonValue] = {
        "$type": options.step,
        "name": STEP_NAME,
        "priority": options.priority,
        "timeout": time_span(plan.timeout),
        "input": _custom_input(plan, estimate) if options.custom else _comfy_input(plan),
    }
    step |= _plain({"retries": options.retries, "metadata": options.step_metadata})
    return [*steps, step]


def _comfy_input(plan: Plan) -> dict[str, JsonValue]:
    options = plan.options
    given = {"imageMetadata": options.image_metadata, "useSpineComfy": options.use_spine}
    graph = dict(plan.manifest.graph)
    return {"quantity": options.quantity, "comfyWorkflow": graph, **_plain(given)}


def _custom_input(plan: Plan, estimate: bool) -> dict[str, JsonValue]:
    options = plan.options
    layers: list[JsonValue] = [
        {"$ref": PACKS_NAME, "path": f"output.results[{place}].layerAir"}
        for place in range(len(options.node_packs))
        if not estimate
    ]
    return {
        "trace": options.trace,
        "resources": [*layers, *plan.resources],
        "workflow": dict(plan.manifest.graph),
        **_worker(options),
        **_plain(
            {
                "sessionId": options.session,
                "minimumDurationSeconds": options.minimum_seconds,
            }
        ),
    }


def _worker(options: Options) -> dict[str, JsonValue]:
    # packs are installed into an image: both steps must run in the same one
    return _plain(
        {
            "comfyImage": options.comfy_image,
            "minVramGb": options.min_vram_gb,
            "useSageAttention": options.sage_attention,
        }
    )


def _resources(options: Options, manifest: Manifest) -> tuple[str, ...]:
    out: dict[str, str] = {}
    for air in (*options.layers, *options.resources, *manifest.resources):
        out.setdefault(air.casefold(), air)  # the service compares them without case
    return tuple(out.values())


def _plain(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    out: dict[str, JsonValue] = {}
    for name, value in values.items():
        if value is not None:
            out[name] = list(value) if isinstance(value, tuple) else value
    return out
