"""
Diffusion jobs: `POST /v1/jobs` with stages in place of a graph, and what they cost.

The emulator makes a graph of the stages and runs that; of its nodes nothing is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from starlette.requests import Request
from starlette.responses import Response

from comfygraph.core.values import JsonValue
from comfygraph.emulator.tams.service import ServiceHandler, Tams, problem
from comfygraph.emulator.tams.submit import (
    ArgumentsError,
    checked,
    field_of,
    known_fields,
    price,
    take,
)
from comfygraph.emulator.web import faults_of, json_answer, read_object

Nodes = dict[str, dict[str, JsonValue]]

_PAYLOADS = {
    "INPUT_INITIALIZE": "inputInitialize",
    "DIFFUSION": "diffusion",
    "IMAGE_TO_UPSCALER": "imageToUpscaler",
    "IMAGE_TO_ADETAILER": "imageToAdetailer",
    "IMAGE_TO_INPAINT": "imageToInpaint",
}
SAMPLERS = frozenset(
    {
        "Euler a", "Euler", "LMS", "Heun", "DPM2", "DPM2 a", "DPM++ 2S a", "DPM++ 2M", "DPM++ SDE",
        "DPM++ 2M SDE", "DPM fast", "LMS Karras", "DPM2 Karras", "DPM2 a Karras",
        "DPM++ 2S a Karras", "DPM++ 2M Karras", "DPM++ SDE Karras", "DPM++ 2M SDE Karras",
    }
)  # fmt: skip
_SIDES = range(512, 1537, 64)
_LEAST_AREA, _MOST_AREA = 262_144, 2_073_600


async def submit(service: Tams, request: Request) -> Response:
    """
    Take stages as a job.
    """
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "stages", "notifyUrl")
        return take(service, request, body, graph_of(body.get("stages")), stages=True)
    except ArgumentsError as exc:
        return exc.answer


async def credits(service: Tams, request: Request) -> Response:
    """
    Say what stages would cost.
    """
    try:
        body = await read_object(request)
        known_fields(request, body, "requestId", "stages")
        nodes, _ = checked(service, graph_of(body.get("stages")), faults_of(request))
    except ArgumentsError as exc:
        return exc.answer
    return json_answer({"credits": price(service, nodes)})


def graph_of(stages: JsonValue) -> Nodes:
    """
    Make the graph that stands for stages.

    Raises:
        ArgumentsError: The stages are malformed, or out of the service's ranges.
    """
    if not isinstance(stages, list) or not stages:
        raise _refused("invalid stages")
    found: dict[str, Mapping[str, JsonValue]] = {}
    for stage in stages:
        kind = stage.get("type") if isinstance(stage, dict) else None
        if kind not in _PAYLOADS:
            raise _refused(f"invalid stage type {kind}")
        payload = field_of(stage, _PAYLOADS[kind])
        found[kind] = payload if isinstance(payload, dict) else {}
    upscaler = found.get("IMAGE_TO_UPSCALER", {})
    inner = field_of(upscaler, "diffusion")
    diffusion = found.get("DIFFUSION") or (inner if isinstance(inner, dict) else None)
    if diffusion is None:
        raise _refused("invalid stages: no diffusion")
    nodes = _diffused(diffusion, found.get("INPUT_INITIALIZE", {}))
    if upscaler:
        _upscale(nodes, upscaler)
    return nodes


def _diffused(diffusion: Mapping[str, JsonValue], start: Mapping[str, JsonValue]) -> Nodes:
    width, height = (_whole(diffusion, side, 0) for side in ("width", "height"))
    good = width in _SIDES and height in _SIDES
    if not (good and _LEAST_AREA <= width * height <= _MOST_AREA):
        raise _refused("invalid_height_or_width")
    count, steps = _whole(start, "count", 1), _whole(diffusion, "steps", 20)
    sampler = field_of(diffusion, "sampler")
    if not (1 <= count <= 4 and 1 <= steps <= 60 and sampler in SAMPLERS):
        raise _refused("invalid_samples")
    words = [
        ", ".join(str(item.get("text", "")) for item in prompts if isinstance(item, dict))
        for name in ("prompts", "negativePrompts")
        if isinstance(prompts := field_of(diffusion, name) or [], list)
    ]
    if len(words) < 2 or not words[0]:
        raise _refused("invalid prompts")
    return {
        "1": _node("CheckpointLoaderSimple", ckpt_name=str(field_of(diffusion, "sdModel") or "")),
        "2": _node("CLIPTextEncode", clip=["1", 1], text=words[0]),
        "3": _node("CLIPTextEncode", clip=["1", 1], text=words[1]),
        "4": _node("EmptyLatentImage", width=width, height=height, batch_size=count),
        "5": _node(
            "KSampler", model=["1", 0], positive=["2", 0], negative=["3", 0],
            latent_image=["4", 0], seed=max(_whole(start, "seed", 0), 0), steps=steps, cfg=7,
            sampler_name="euler", scheduler="normal", denoise=1,
        ),
        "6": _node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "7": _node("SaveImage", images=["6", 0], filename_prefix="stage"),
    }  # fmt: skip


def _upscale(nodes: Nodes, upscaler: Mapping[str, JsonValue]) -> None:
    scale = field_of(upscaler, "hrScale")
    if scale is not None:
        if not isinstance(scale, int | float) or not 1 <= scale <= 4:
            raise _refused("invalid hrScale")
        factor = float(scale)
        nodes["8"] = _node(
            "ImageScaleBy", image=["6", 0], upscale_method="bicubic", scale_by=factor
        )
    else:
        width, height = (_whole(upscaler, name, 0) for name in ("hrResizeX", "hrResizeY"))
        if min(width, height) < 128 or width % 64 or height % 64 or max(width, height) > 4096:
            raise _refused("invalid_height_or_width")
        nodes["8"] = _node(
            "ImageScale", image=["6", 0], upscale_method="bicubic", width=width, height=height,
            crop="disabled",
        )  # fmt: skip
    nodes["7"]["inputs"]["images"] = ["8", 0]


def _node(class_type: str, **inputs: JsonValue) -> dict[str, JsonValue]:
    return {"class_type": class_type, "inputs": inputs}


def _whole(place: Mapping[str, JsonValue], name: str, otherwise: int) -> int:
    """Read an integer, also one that is written as a text, as JSON's form of protobuf allows."""
    value = field_of(place, name)
    if value is None:
        return otherwise
    try:
        return int(str(value)[:20])
    except ValueError:
        raise _refused(f"invalid {name}") from None


def _refused(message: str) -> ArgumentsError:
    return ArgumentsError(problem(400, 3, message))


HANDLERS: Mapping[tuple[str, str], ServiceHandler] = MappingProxyType(
    {("POST", "/v1/jobs"): submit, ("POST", "/v1/jobs/credits"): credits}
)
