"""
Cheap looks at what flows along the links: which rules of the family 7 may have something to say.

A sign is shown too often rather than too seldom; the rules themselves look closely.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from comfygraph.analysis.facts import Conditioning, Model, Part, Sampling, Text, parts_of
from comfygraph.analysis.flow import Flow
from comfygraph.lint.context import RuleContext

_CLASSES = {
    "VAEDecode": "decode",
    "VAEDecodeTiled": "decode",
    "VAEEncode": "encode",
    "VAEEncodeTiled": "encode",
    "VAEEncodeForInpaint": "encode",
    "ImageScale": "scale",
    "LatentUpscale": "scale",
    "ImageScaleBy": "idle",
    "LatentUpscaleBy": "idle",
    "LoraLoader": "idle",
    "LoraLoaderModelOnly": "idle",
    "ControlNetApply": "idle",
    "ControlNetApplyAdvanced": "idle",
}


def flow_signs(ctx: RuleContext) -> set[str]:
    """
    Give what the flow of a graph shows.
    """
    flow = ctx.flow
    signs = set(_of_nodes(ctx, flow))
    runs = flow.samplings()
    seeds: set[object] = set()
    for run in runs:
        signs.update(_of_run(ctx, run))
        key = (run.seed, run.size, run.total, run.first, run.denoise, run.cfg)
        if run.seed is not None and key in seeds:
            signs.add("flow:same-seed")
        seeds.add(key)
    if len(runs) > 1 and _may_skip_lora(runs):
        signs.add("flow:skipped-lora")
    return signs


def _of_nodes(ctx: RuleContext, flow: Flow) -> Iterator[str]:
    for node_id, definition in ctx.definitions.items():
        kind = _CLASSES.get(definition.class_type)
        if kind is None or node_id not in ctx.nodes:
            continue
        if kind == "idle":
            if _may_be_idle(ctx.nodes[node_id]["inputs"]):
                yield "flow:idle"
            continue
        view = flow.view(node_id)
        match kind:
            case "decode":
                content = view.content("samples")
                if content is None:
                    continue
                if content.kind == "empty" or (content.run is not None and content.run.leftover):
                    yield "flow:unfinished"
                vae = view.model("vae")
                if vae is not None and content.space is not vae.space:
                    yield "flow:vae"
            case "encode":
                size = view.size("pixels")
                if size is not None and (size.width % 64 or size.height % 64):
                    yield "flow:cut"
                origin = flow.origin(node_id, "pixels")
                if origin is not None and "VAEDecode" in (ctx.class_type(origin[0]) or ""):
                    yield "flow:round-trip"
            case _:
                size = view.size("image", "samples")
                if size is not None:
                    yield "flow:idle" if size == flow.size(node_id) else "flow:scale"


def _may_be_idle(inputs: Mapping[str, object]) -> bool:
    for name, value in inputs.items():
        if name == "scale_by":
            return value == 1 or type(value) is list
        if name.startswith("strength") and value != 0 and type(value) is not list:
            return False
    return True


def _of_run(ctx: RuleContext, run: Sampling) -> Iterator[str]:
    latent, model = run.latent, run.model
    if latent is not None:
        partial = (run.denoise is not None and run.denoise < 1) or bool(run.first)
        if latent.kind == "empty" and partial:
            yield "flow:partial"
        elif latent.kind == "image" and not partial and not latent.masked:
            yield "flow:image"
        elif latent.run is not None and (run.adds_noise is False or latent.run.leftover):
            yield "flow:chain"
        family = model.family if model is not None else None
        if latent.kind != "empty" and family is not None and latent.space is not family.space:
            yield "flow:vae"
    if run.steps == 0 or run.denoise == 0:
        yield "flow:idle"
    if run.positive is not None and run.negative is not None:
        if _alike(run.positive, run.negative):
            yield "flow:same-prompts"
        if any(_looks_negative(ctx, text) for text in run.positive.texts):
            yield "flow:prompts"
    if model is not None and model.family is not None:
        if any(_strange(part, model) for part in parts_of(model.parts)):
            yield "flow:lora"
        for prompt in (run.positive, run.negative):
            if prompt is not None and any(_strange(p, model) for p in parts_of(prompt.controls)):
                yield "flow:control"
        if model.family.side and latent is not None and latent.kind == "empty" and run.size:
            area = run.size.width * run.size.height / model.family.side**2
            if not 0.4 < area < 2.5:
                yield "flow:area"


def _looks_negative(ctx: RuleContext, text: Text) -> bool:
    words = text.text or ""
    if "uality" in words or "anatomy" in words or "watermark" in words or "fingers" in words:
        return True
    if "formed" in words or "ugly" in words or "Ugly" in words:
        return True
    return "egative" in (ctx.title(text.node_id) or "")


def _strange(part: Part, model: Model) -> bool:
    return part.family is not None and part.family is not model.family


def _alike(one: Conditioning, two: Conditioning) -> bool:
    if one is two:
        return True
    return [text.text for text in one.texts] == [text.text for text in two.texts] != []


def _may_skip_lora(runs: Sequence[Sampling]) -> bool:
    for run in runs:
        if run.model is None or run.positive is None:
            continue
        last = run.model.parts.node_id if run.model.parts is not None else None
        for text in run.positive.texts:
            clip = text.clip
            if clip is not None and clip.parts is not None and clip.parts.node_id != last:
                return True
    return False
