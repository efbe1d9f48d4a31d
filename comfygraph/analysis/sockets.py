"""
What follows from the sockets of a class: which slots carry what, and what a class that the table
says nothing of does to models and prompts.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from comfygraph.analysis import models, prompts
from comfygraph.analysis.facts import Domain
from comfygraph.analysis.sizes import Transfer

if TYPE_CHECKING:
    from comfygraph.catalog import NodeDef

_UNION = frozenset({"*", "COMFY_MATCHTYPE_V3"})
SOCKETS: Sequence[frozenset[str]] = (
    frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"}),
    frozenset({"IMAGE", "LATENT", "MASK", "VIDEO", "AUDIO"}),
    frozenset(
        {"MODEL", "CLIP", "VAE", "CONTROL_NET", "UPSCALE_MODEL", "MODEL_PATCH", "CLIP_VISION"}
    ),
    frozenset({"CONDITIONING", "GUIDER"}),
    frozenset({"LATENT", "NOISE", "SIGMAS"}),
)
"""Domain → the socket types that carry its facts."""
_MODELS = ("MODEL", "CLIP", "VAE", "CONTROL_NET")


def carriers_of(definition: NodeDef | None, domain: int) -> tuple[bool, ...]:
    """Tell for each output slot whether it carries a domain; a list of values carries nothing."""
    if definition is None:
        return ()
    wanted = SOCKETS[domain] | _UNION
    return tuple(
        not output.is_list and not wanted.isdisjoint(output.type.replace(" ", "").split(","))
        for output in definition.outputs
    )


def by_sockets(name: str, definition: NodeDef) -> Transfer | None:
    """
    Give what follows from the sockets of a class that the table says nothing of.

    A MODEL that goes in and comes out keeps its family, whatever is done to it. Core classes
    do no more to it than their kind says, others may load a LoRA too. A core class that takes
    a CONDITIONING and gives one of the same name hands the texts on; where it takes anything
    but numbers with it, there may be more to it.
    """
    core = definition.python_module.startswith(("nodes", "comfy_extras"))
    if name == "model":
        taken = _single_inputs(definition, _MODELS)
        given = [out.type for out in definition.outputs if out.type in SOCKETS[Domain.MODEL]]
        if not taken or len(given) != len(set(given)):
            return None
        put = models.patch if core and "HOOKS" not in _types(definition) else models.touched
        each = [put([taken[kind]]) if kind in taken else None for kind in given]
        return lambda view: tuple(one(view) if one is not None else None for one in each)
    if name == "prompt" and core and "GUIDER" not in _types(definition):
        names = [spec.name for spec in definition.inputs.values() if spec.type == "CONDITIONING"]
        outputs = [out.name for out in definition.outputs if out.type == "CONDITIONING"]
        plain = _types(definition) <= SOCKETS[Domain.VALUE] | {"CONDITIONING"}
        change = prompts.marked if plain else prompts.touched
        if len(names) == 1 and len(outputs) == 1:
            return change(names)
        if outputs and set(outputs) <= set(names):
            return change(outputs)
    return None


def _types(definition: NodeDef) -> set[str]:
    return {spec.type for spec in definition.inputs.values()} | {
        output.type for output in definition.outputs
    }


def _single_inputs(definition: NodeDef, kinds: Sequence[str]) -> dict[str, str]:
    """Give socket type → the input of that type, where there is exactly one."""
    found: dict[str, list[str]] = {}
    for spec in definition.inputs.values():
        if spec.type in kinds:
            found.setdefault(spec.type, []).append(spec.name)
    return {kind: names[0] for kind, names in found.items() if len(names) == 1}
