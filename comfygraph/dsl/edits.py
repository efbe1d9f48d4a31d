"""
Edits of loaded graphs that know the classes: LoRAs, other samplers, inputs by name.

Each gives a new prompt, as those of `comfygraph.core.edit` do, which know nothing of classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from comfygraph.catalog.bundled import bundled_catalog
from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.catalog.specs import NodeDef, OutputSpec
from comfygraph.core.edit import add_node, replace_node
from comfygraph.core.find import NodeRef, node_of, shown
from comfygraph.core.graph import GraphView
from comfygraph.core.nearest import did_you_mean, shorten
from comfygraph.core.rewire import relink
from comfygraph.core.values import InputValue, Link, Node, Prompt
from comfygraph.dsl.matching import fits
from comfygraph.dsl.plan import LARGEST, MISSING, InputPlan
from comfygraph.errors import EditError

Strength: TypeAlias = float | tuple[float, float]
"""For model and CLIP alike, or for each."""

LORA, LORA_MODEL_ONLY = "LoraLoader", "LoraLoaderModelOnly"


def set_inputs(
    prompt: Prompt,
    node: NodeRef,
    inputs: Mapping[str, InputValue | Node],
    *,
    catalog: NodeCatalog | None = None,
) -> Prompt:
    """
    Set inputs of a node, by names that its class has.

    Args:
        prompt: The prompt.
        node: The node, or its id.
        inputs: Input name → constant, link, or a node whose only fitting output is meant.
        catalog: The classes; default is the bundled core. Of a class that it does not have,
            only inputs that the node has already can be set.

    Raises:
        EditError: There is no such node or input, or a link leads nowhere.
    """
    catalog = catalog if catalog is not None else bundled_catalog()
    target = node_of(prompt, node)
    definition = catalog.get(target.class_type)
    values = {name: _value(prompt, target, name, value, catalog) for name, value in inputs.items()}
    merged = {**target.inputs, **values}
    known = definition.expand(_json(merged)) if definition is not None else {}
    for name in values:
        if name not in known and name not in target.inputs:
            names = [*known, *target.inputs]
            raise EditError(
                f"{shown(target)} has no input `{shorten(name)}`",
                hint=did_you_mean(name, names) or f"its inputs are {', '.join(names[:12])}",
            )
    return replace_node(prompt, target.id, target.class_type, inputs=merged)


def insert_loras(
    prompt: Prompt,
    loras: Mapping[str, Strength] | Sequence[str],
    *,
    after: NodeRef | None = None,
    clip: NodeRef | None = None,
    catalog: NodeCatalog | None = None,
) -> Prompt:
    """
    Put LoRAs between a loader and everything that uses its model and its CLIP.

        insert_loras(prompt, {"detail.safetensors": 0.6, "style.safetensors": (0.8, 0.5)})

    Args:
        prompt: The prompt.
        loras: File → strength, in the order in which they are applied; without strengths, a
            list of files or a single one, all are 1.
        after: The node that gives the model, such as a loader or the last LoRA that is there;
            default is the only node that gives one and takes none.
        clip: The node that gives the CLIP; default is `after` if it gives one, else the LoRAs
            are for the model only.
        catalog: The classes; default is the bundled core.

    Raises:
        EditError: There is no such node, it gives no model or no CLIP, or several nodes could
            be meant.
    """
    catalog = catalog if catalog is not None else bundled_catalog()
    source = node_of(prompt, after) if after is not None else _model_loader(prompt, catalog)
    model = _output(source, "MODEL", catalog)
    if model is None:
        raise EditError(f"{shown(source)} gives no MODEL", hint="name the loader with after=")
    text = node_of(prompt, clip) if clip is not None else source
    texts = _output(text, "CLIP", catalog)
    if clip is not None and texts is None:
        raise EditError(f"{shown(text)} gives no CLIP", hint="name another node with clip=")
    if isinstance(loras, str):
        loras = [loras]
    strengths = loras if isinstance(loras, Mapping) else dict.fromkeys(loras, 1.0)
    users = list(prompt)
    ends = (model, texts)
    for file, strength in strengths.items():
        both = (strength, strength) if isinstance(strength, int | float) else strength
        if not isinstance(both, tuple | list) or len(both) != 2 or not all(map(_is_number, both)):
            raise EditError(f"`{shorten(file)}` has the strength {strength!r}, not a number or two")
        inputs: dict[str, InputValue] = {"lora_name": file, "strength_model": float(both[0])}
        if ends[1] is not None:
            inputs |= {"strength_clip": float(both[1]), "model": ends[0], "clip": ends[1]}
        else:
            inputs["model"] = ends[0]
        prompt = add_node(prompt, LORA if ends[1] is not None else LORA_MODEL_ONLY, inputs)
        fresh = prompt.nodes()[-1].id
        ends = (Link(fresh, 0), Link(fresh, 1) if ends[1] is not None else None)
    prompt = relink(prompt, model, ends[0], only=users)
    if texts is not None and ends[1] is not None:
        prompt = relink(prompt, texts, ends[1], only=users)
    return _moved_behind(prompt, source.id, [key for key in prompt if key not in set(users)])


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) <= LARGEST


def swap_class(
    prompt: Prompt,
    node: NodeRef,
    class_type: str,
    inputs: Mapping[str, InputValue | Node] | None = None,
    *,
    catalog: NodeCatalog | None = None,
) -> Prompt:
    """
    Make a node one of another class, such as another sampler.

    Inputs of the same name stay, and so does a `seed` that the new class calls `noise_seed`;
    those that it does not have go, and new ones get what a new node has. Links to its outputs
    follow to the output of the same type.

    Args:
        prompt: The prompt.
        node: The node, or its id.
        class_type: The new class.
        inputs: Inputs to set besides, as for `set_inputs`.
        catalog: The classes; default is the bundled core.

    Raises:
        EditError: A class is unknown, an input is missing, or an output in use has no
            counterpart.
    """
    catalog = catalog if catalog is not None else bundled_catalog()
    target = node_of(prompt, node)
    old, new = _definition(target.class_type, catalog), _definition(class_type, catalog)
    given = {
        name: _value(prompt, target, name, value, catalog, new)
        for name, value in (inputs or {}).items()
    }
    kept = {**_kept(target, old, new), **given}
    declared = new.expand(_json(kept))
    filled: dict[str, InputValue] = {}
    missing: list[str] = []
    for name, spec in declared.items():
        plan = InputPlan(spec)
        if name in kept:
            filled[name] = kept[name]
        elif spec.required and plan.ready is not MISSING:
            filled[name] = plan.ready
        elif spec.required:
            missing.append(name)
    for name in given:
        if name not in declared:
            hint = did_you_mean(name, declared) or f"its inputs are {', '.join(declared)}"
            raise EditError(f"{class_type} has no input `{shorten(name)}`", hint=hint)
    if missing:
        names = ", ".join(f"`{name}`" for name in missing)
        raise EditError(f"{class_type} also needs {names}", hint="give them with inputs=")
    slots = _slots(prompt, target, old, new)
    return replace_node(prompt, target.id, class_type, inputs=filled, slots=slots)


def _kept(target: Node, old: NodeDef, new: NodeDef) -> dict[str, InputValue]:
    kept: dict[str, InputValue] = {}
    for name, value in target.inputs.items():
        if name in new.inputs or "." in name:
            kept[name] = value
            continue
        spec = old.inputs.get(name)
        for other, wanted in new.inputs.items():
            alike = other.endswith(f"_{name}") or name.endswith(f"_{other}")
            if alike and other not in target.inputs and spec and spec.type == wanted.type:
                kept[other] = value
    return kept


def _slots(prompt: Prompt, target: Node, old: NodeDef, new: NodeDef) -> dict[int, int | None]:
    used = {edge.slot for edge in GraphView(prompt).consumers(target.id)}
    out: dict[int, int | None] = {}
    taken: set[int] = set()
    for slot, spec in enumerate(old.outputs):
        if slot not in used:
            continue
        alike = [item for item in new.outputs if item.type == spec.type]
        # By name where several are of the type, else in order.
        same = [item for item in alike if item.name == spec.name] or alike
        free = [item.slot for item in same if item.slot not in taken] or [i.slot for i in same]
        if not free:
            gives = ", ".join(item.type for item in new.outputs) or "nothing"
            raise EditError(
                f"{new.class_type} gives no {spec.type}, which {shown(target)} gives to others",
                hint=f"it gives {gives}",
            )
        out[slot] = free[0]
        taken.add(free[0])
    return out


def _value(
    prompt: Prompt,
    target: Node,
    name: str,
    value: InputValue | Node,
    catalog: NodeCatalog,
    definition: NodeDef | None = None,
) -> InputValue:
    if not isinstance(value, Node):
        return value
    source = node_of(prompt, value)
    outputs = _outputs(source, catalog)
    definition = definition or catalog.get(target.class_type)
    spec = definition.inputs.get(name) if definition is not None else None
    plan = InputPlan(spec) if spec is not None else None
    slots = [item.slot for item in outputs if plan is None or fits(plan, item.type, item)]
    if len(slots) == 1:
        return Link(source.id, slots[0])
    what = "several fitting outputs" if slots else "no fitting output"
    raise EditError(
        f"{shown(source)} has {what} for `{shorten(name)}`",
        hint=f'say which with Link("{shorten(source.id)}", slot): '
        f"{', '.join(f'{item.slot} {item.type}' for item in outputs) or 'it gives nothing'}",
    )


def _outputs(node: Node, catalog: NodeCatalog) -> tuple[OutputSpec, ...]:
    definition = catalog.get(node.class_type)
    return definition.outputs if definition is not None else ()


def _output(node: Node, kind: str, catalog: NodeCatalog) -> Link | None:
    slots = [item.slot for item in _outputs(node, catalog) if item.type == kind]
    return Link(node.id, slots[0]) if slots else None


def _model_loader(prompt: Prompt, catalog: NodeCatalog) -> Node:
    found = []
    for node in prompt.nodes():
        definition = catalog.get(node.class_type)
        takes = definition is not None and any(
            spec.type == "MODEL" for spec in definition.inputs.values()
        )
        if _output(node, "MODEL", catalog) is not None and not takes:
            found.append(node)
    if len(found) == 1:
        return found[0]
    if not found:
        raise EditError("no node of the prompt loads a model", hint="name one with after=")
    names = ", ".join(shown(node) for node in found[:8])
    raise EditError(f"{len(found)} nodes load a model", hint=f"say which with after=: {names}")


def _definition(class_type: str, catalog: NodeCatalog) -> NodeDef:
    definition = catalog.get(class_type)
    if definition is None:
        raise EditError(
            f"`{shorten(class_type)}` is not a class of {catalog.label}",
            hint=did_you_mean(class_type, catalog.names()),
        )
    return definition


def _json(inputs: Mapping[str, InputValue]) -> dict[str, Any]:
    return {
        name: value.to_json() if isinstance(value, Link) else value
        for name, value in inputs.items()
    }


def _moved_behind(prompt: Prompt, node_id: str, fresh: list[str]) -> Prompt:
    """
    Let new nodes stand behind the node that they were made for.
    """
    nodes: dict[str, Node] = {}
    for key, node in prompt.items():
        if key not in fresh:
            nodes[key] = node
        if key == node_id:
            nodes |= {item: prompt[item] for item in fresh}
    return Prompt(nodes)
