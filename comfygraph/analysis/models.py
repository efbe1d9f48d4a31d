"""
Family and provenance: which file a MODEL, CLIP, VAE or ControlNet comes from, and what was put
on it on its way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from comfygraph.analysis.facts import Model, Part
from comfygraph.analysis.families import space_of_name
from comfygraph.analysis.sizes import Maker, Transfer
from comfygraph.analysis.view import View

# Compiled when they are needed: most graphs upscale by no model.
_FACTOR = r"(?i)(?<![0-9a-z])(?:x([1-8])(?![0-9])|([1-8])x(?![a-z0-9])|([1-8])x[-_])"
_FACTOR_PLUS = r"(?i)x([1-8])plus"


def of(inputs: Sequence[str]) -> Transfer:
    """`of model`: what comes in there, unchanged."""

    def transfer(view: View) -> Model | None:
        for name in inputs:
            if name in view.inputs:
                return view.model(name)
        return None

    return transfer


def load(args: Sequence[str]) -> Transfer:
    """`load ckpt_name`: the file that this input names."""
    name = args[0]

    def transfer(view: View) -> Model:
        file = view.text(name)
        if not file:
            return Model(view.node_id, name, None, open=True)
        family, sure = view.family_of(file)
        space = family.space if family is not None else None
        return Model(view.node_id, name, file, family, sure, space)

    return transfer


def load_vae(args: Sequence[str]) -> Transfer:
    """`load_vae vae_name`: likewise; the names of VAEs tell the latent space, not the family."""
    name = args[0]

    def transfer(view: View) -> Model:
        file = view.text(name)
        if not file:
            return Model(view.node_id, name, None, open=True)
        family, sure = view.family_of(file)
        if sure and family is not None:
            return Model(view.node_id, name, file, family, sure, family.space)
        return Model(view.node_id, name, file, None, False, space_of_name(file))

    return transfer


def load_upscaler(args: Sequence[str]) -> Transfer:
    """`load_upscaler model_name`: its factor is what its name says, `4x-UltraSharp`."""
    name = args[0]

    def transfer(view: View) -> Model:
        file = view.text(name)
        return Model(view.node_id, name, file, factor=factor_of_name(file) if file else None)

    return transfer


def factor_of_name(name: str) -> float | None:
    """
    Read how much larger an upscale model makes a picture off its file's name, or `None`.
    """
    stem = name[-200:].replace("\\", "/").rpartition("/")[2]
    found = {group for match in re.finditer(_FACTOR, stem) for group in match.groups() if group}
    found |= {match[1] for match in re.finditer(_FACTOR_PLUS, stem)}
    return float(found.pop()) if len(found) == 1 else None


def lora(args: Sequence[str]) -> Transfer:
    """`lora lora_name`: puts a LoRA on `model` and, where it is an output, on `clip`."""
    name = args[0] if args else "lora_name"

    def transfer(view: View) -> Any:
        file = view.text(name)
        if "clip" in view.inputs:
            return (
                _with_lora(view, "model", name, file, view.number("strength_model")),
                _with_lora(view, "clip", name, file, view.number("strength_clip")),
            )
        return _with_lora(view, "model", name, file, view.number("strength_model"))

    return transfer


def _with_lora(
    view: View, side: str, name: str, file: str | None, strength: float | None
) -> Model | None:
    old = view.model(side)
    if old is None:
        return None
    if not file:
        return old._replace(open=True)
    # A third of the time of `_replace`, and chains of LoRAs are long.
    return Model(
        old.node_id, old.input, old.name, old.family, old.sure, old.space,
        _part(view, old.parts, name, file, strength), old.open, old.factor,
    )  # fmt: skip


def _part(view: View, below: Part | None, name: str, file: str, strength: float | None) -> Part:
    family, sure = view.family_of(file)
    depth = below.depth + 1 if below is not None else 1
    return Part("lora", view.node_id, name, file, strength, family, sure, below, depth)


def patch(args: Sequence[str]) -> Transfer:
    """`patch model`: changes how it samples, not what it has learned."""

    def transfer(view: View) -> Model | None:
        old = view.model(args[0])
        if old is None:
            return None
        below = old.parts
        depth = below.depth + 1 if below is not None else 1
        kind = view.class_type
        part = Part("patch", view.node_id, None, kind, None, None, False, below, depth)
        return old._replace(parts=part)

    return transfer


def touched(args: Sequence[str]) -> Transfer:
    """`touched model`: something unknown is done to it."""

    def transfer(view: View) -> Model | None:
        old = view.model(args[0])
        return old._replace(open=True, sure=False) if old is not None else None

    return transfer


def merge(args: Sequence[str]) -> Transfer:
    """`merge model1 model2`: of the family that both have; what was put on them is mixed."""

    def transfer(view: View) -> Model | None:
        found = [view.model(name) for name in args]
        first = found[0]
        if first is None or any(one is None or one.family is not first.family for one in found):
            return None
        return first._replace(name=None, open=True, sure=all(one.sure for one in found if one))

    return transfer


VERBS: Mapping[str, Maker] = {
    "of": of, "load": load, "load_vae": load_vae, "load_upscaler": load_upscaler, "lora": lora,
    "patch": patch, "touched": touched, "merge": merge,
}  # fmt: skip
"""What the table and the configuration may say of `model`."""
