"""
Strategies for prompts that fit the bundled core catalog, and for single faults in them.

Use them through `strategies`.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from hypothesis import strategies as st

from comfygraph.catalog import InputSpec, NodeCatalog, NodeDef, load_catalog
from comfygraph.catalog.dynamic import combo_options
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, MATCH_TYPE
from comfygraph.core.graph import GraphView
from comfygraph.core.pointer import escape_pointer
from comfygraph.core.values import Link, Node, Prompt

CATALOG = load_catalog()

PROMPT_CLASSES = (
    "CheckpointLoaderSimple", "VAELoader", "CLIPLoader", "EmptyLatentImage", "EmptyImage",
    "LoadImage", "SolidMask", "PrimitiveInt", "PrimitiveFloat", "PrimitiveBoolean",
    "PrimitiveString", "LoraLoader", "CLIPTextEncode", "ConditioningCombine",
    "ConditioningSetTimestepRange", "KSampler", "KSamplerAdvanced", "VAEDecode", "VAEEncode",
    "LatentUpscale", "LatentUpscaleBy", "RepeatLatentBatch", "ImageScale", "ImageInvert",
    "ImageCrop", "ImageToMask", "MaskToImage", "InvertMask", "PreviewImage", "SaveImage",
    # Inputs of the newer kind: dynamic combos, autogrow groups, MatchType, unions, `*`.
    "ResizeImageMaskNode", "BatchImagesNode", "ComfySwitchNode", "ComfyNumberConvert",
    "LTXVEmptyLatentAudio", "StringConcatenate", "PreviewAny",
)  # fmt: skip
"""Classes of valid prompts; add one to have it covered by all properties about them."""

FILES = ("a.safetensors", "sub/b.safetensors", "example.png")
WORDS = ("", "a lake at dusk", "line\nbreak", "é 😀", "x" * 300)
SIMPLE = {
    "MODEL": "CheckpointLoaderSimple",
    "CLIP": "CheckpointLoaderSimple",
    "VAE": "CheckpointLoaderSimple",
    "CONDITIONING": "CLIPTextEncode",
    "LATENT": "EmptyLatentImage",
    "IMAGE": "EmptyImage",
    "MASK": "SolidMask",
    "INT": "PrimitiveInt",
    "FLOAT": "PrimitiveFloat",
    "BOOLEAN": "PrimitiveBoolean",
    "STRING": "PrimitiveString",
}
"""Socket type → the class that gives it with the least ado, for when a prompt is large enough."""
_LARGEST = 2**53 - 1
"""Larger integers do not survive the editor, and lint says so."""


def valid_prompts(
    catalog: NodeCatalog = CATALOG, *, max_nodes: int = 9, ids: str = "any"
) -> st.SearchStrategy[Prompt]:
    """
    Prompts that ComfyUI takes and can run: acyclic, links of fitting types, values in range
    and on the grid, all nodes on the way to an output. Nodes stand in any order.

    Args:
        catalog: The catalog that the prompts are to fit.
        max_nodes: After so many nodes, only simple ones are added.
        ids: `"any"` shapes of ids, or `"numbers"`.
    """
    classes = [catalog[name] for name in PROMPT_CLASSES if name in catalog]

    @st.composite
    def build(draw: st.DrawFn) -> Prompt:
        growing = _Growing(draw, catalog, classes, max_nodes)
        ends = [node for node in classes if node.output_node]
        for node in draw(st.lists(st.sampled_from(ends), min_size=1, max_size=2)):
            growing.add(node)
        order = draw(st.permutations(list(growing.nodes)))
        return _renamed(draw, Prompt(growing.nodes), order, ids)

    return build()


class _Growing:
    """
    A prompt that grows from its outputs towards its sources.
    """

    def __init__(
        self, draw: st.DrawFn, catalog: NodeCatalog, classes: list[NodeDef], max_nodes: int
    ) -> None:
        self.draw = draw
        self.catalog = catalog
        self.left = max_nodes
        self.nodes: dict[str, Node] = {}
        self.ready: list[tuple[str, Link]] = []
        """Outputs of finished nodes, so that a link never closes a cycle."""
        self.givers: dict[str, list[NodeDef]] = {}
        for node in classes:
            for spec in node.outputs:
                for kind in _gives(node, spec.type):
                    self.givers.setdefault(kind, []).append(node)

    def add(self, node: NodeDef, wanted: str | None = None) -> str:
        """
        Add a node with all that it needs, and give its id.
        """
        self.left -= 1
        matched = wanted if any(spec.type == MATCH_TYPE for spec in node.outputs) else None
        inputs = self._inputs(node, matched)
        node_id = str(len(self.nodes) + 1)
        title = self.draw(st.sampled_from([None, None, "mine", 'odd "title"']))
        meta = {"title": title} if title is not None else None
        self.nodes[node_id] = Node(node_id, node.class_type, inputs, meta)
        for spec in node.outputs:
            kind = matched if spec.type == MATCH_TYPE else spec.type
            if kind is not None and not spec.listed:
                self.ready.append((kind, Link(node_id, spec.slot)))
        return node_id

    def link(self, kinds: list[str]) -> Link:
        """
        Give a link of one of these types: to a node that is there, or to a new one.
        """
        fitting = [link for kind, link in self.ready if kind in kinds]
        if fitting and self.draw(st.booleans()):
            return self.draw(st.sampled_from(fitting))
        kind = self.draw(st.sampled_from(kinds))
        givers = self.givers[kind] if self.left > 0 else []
        node = self.draw(st.sampled_from([self.catalog[SIMPLE[kind]], *givers]))
        node_id = self.add(node, kind)
        fresh = [link for got, link in self.ready if got == kind and link.node_id == node_id]
        return self.draw(st.sampled_from(fresh))

    def _inputs(self, node: NodeDef, matched: str | None) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for spec in node.inputs.values():
            if spec.type == DYNAMIC_COMBO:
                keys = [option["key"] for option in combo_options(spec)]
                values[spec.name] = self.draw(st.sampled_from(keys))
        missed: set[str] = set()
        while True:
            specs = node.expand(values)
            left = [name for name in specs if name not in values and name not in missed]
            if not left:
                return values
            spec = specs[left[0]]
            if spec.required or self.draw(st.booleans()):
                values[spec.name] = self._value(spec, matched)
                continue
            missed.add(spec.name)
            if spec.group in node.inputs and node.inputs[spec.group].type == AUTOGROW:
                # Groups are filled from the front.
                missed.update(name for name, other in specs.items() if other.group == spec.group)

    def _value(self, spec: InputSpec, matched: str | None) -> Any:
        if spec.type == MATCH_TYPE:
            return self.link([matched or "IMAGE"])
        kinds = [part.strip() for part in spec.type.split(",")]
        known = [kind for kind in kinds if kind in SIMPLE]
        if "*" in kinds:
            return self.link(list(SIMPLE))
        constant = None if spec.is_link_only or spec.opts.get("forceInput") else constants(spec)
        if constant is None or (known and self.draw(st.integers(0, 5)) == 5):
            return self.link(known)
        return self.draw(constant)


def _gives(node: NodeDef, kind: str) -> list[str]:
    """
    Give the types that an output of this type can have.
    """
    if kind != MATCH_TYPE:
        return [kind] if kind in SIMPLE else []
    for spec in node.inputs.values():
        if spec.type == MATCH_TYPE:
            allowed = (spec.opts.get("template") or {}).get("allowed_types") or "*"
            kinds = [part.strip() for part in allowed.split(",")]
            return list(SIMPLE) if "*" in kinds else [kind for kind in kinds if kind in SIMPLE]
    return []


def _renamed(draw: st.DrawFn, prompt: Prompt, order: list[str], ids: str) -> Prompt:
    spelling: Callable[[str], str] = str
    if ids == "any":
        spelling = draw(
            st.sampled_from([str, lambda i: f"57:{i}", lambda i: f"n/{i}~é", lambda i: f"{i}0000"])
        )
    names = {node_id: spelling(node_id) for node_id in order}
    out: dict[str, Node] = {}
    for node_id in order:
        node = prompt[node_id]
        inputs = {
            name: Link(names[value.node_id], value.slot) if isinstance(value, Link) else value
            for name, value in node.inputs.items()
        }
        out[names[node_id]] = replace(node, id=names[node_id], inputs=inputs)
    return Prompt(out)


def constants(spec: InputSpec) -> st.SearchStrategy[Any] | None:
    """
    Values that an input takes and the editor could have written, or `None` if there are none.
    """
    if spec.files is not None:
        return st.sampled_from(FILES)
    if spec.options is not None:
        options = [option for option in spec.options if isinstance(option, str)]
        return st.sampled_from(options) if options else None
    kinds = [part.strip() for part in spec.type.split(",")]
    if "FLOAT" in kinds or "INT" in kinds:
        return _numbers(spec, whole="INT" in kinds)
    if "STRING" in kinds:
        return st.sampled_from(WORDS)
    if "BOOLEAN" in kinds:
        return st.booleans()
    return None


def _numbers(spec: InputSpec, *, whole: bool) -> st.SearchStrategy[Any]:
    step = spec.step if isinstance(spec.step, int | float) and spec.step else (1 if whole else 0.01)
    low = max(spec.min if spec.min is not None else -1000, -_LARGEST)
    high = min(spec.max if spec.max is not None else 1000, _LARGEST)
    most = math.floor((high - low) / step)
    if whole:
        return st.integers(0, most).map(lambda count: int(low + count * step))
    grid = st.integers(0, min(most, 100_000)).map(lambda count: round(low + count * step, 6))
    return grid.map(lambda value: min(max(value, low), high))


# Faults -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mutation:
    """
    One fault in a prompt that had none.

    Args:
        rule: The name of the lint rule that should find it, and no other error.
        pointer: Where, as a JSON pointer.
        document: The prompt with the fault, as JSON.
        node_id: The node at fault, `None` for the whole prompt.
        input: The input at fault, or `None`.
    """

    rule: str
    pointer: str
    document: dict[str, Any]
    node_id: str | None = None
    input: str | None = None


@dataclass(frozen=True)
class Site:
    """
    An input that a node has: where, its spec, and what it holds in `document`.
    """

    node_id: str
    name: str
    spec: InputSpec
    value: Any


Fault = Callable[[st.DrawFn, Prompt, NodeCatalog], Mutation | None]
FAULTS: dict[str, Fault] = {}
"""Rule name → what makes the fault; `None` where the prompt has no place for it."""


def fault(rule: str) -> Callable[[Fault], Fault]:
    """
    Register a way to break a prompt under the name of the rule that it should set off.
    """

    def register(make: Fault) -> Fault:
        FAULTS[rule] = make
        return make

    return register


def mutations(
    prompt: Prompt, catalog: NodeCatalog = CATALOG, *, rules: tuple[str, ...] = ()
) -> st.SearchStrategy[Mutation]:
    """
    Single faults in a valid prompt.

    Args:
        prompt: A prompt from `valid_prompts`.
        catalog: The catalog that it fits.
        rules: Only faults of these rules; default is all.
    """

    @st.composite
    def build(draw: st.DrawFn) -> Mutation:
        # A prompt has always room for an unknown class, so that nothing is thrown away.
        for rule in draw(st.permutations(list(rules or FAULTS))):
            made = FAULTS[rule](draw, prompt, catalog)
            if made is not None:
                return made
        found = FAULTS["unknown-class"](draw, prompt, catalog)
        assert found is not None
        return found

    return build()


def input_pointer(node_id: str, name: str) -> str:
    """
    Give the JSON pointer of an input in a bare prompt.
    """
    return f"/{escape_pointer(node_id)}/inputs/{escape_pointer(name)}"


def sites(prompt: Prompt, catalog: NodeCatalog) -> Iterator[Site]:
    """
    Yield the inputs of all nodes that their classes declare, dynamic selectors left out.
    """
    for node in prompt.nodes():
        values = node.to_json()["inputs"]
        for name, spec in catalog[node.class_type].expand(values).items():
            if name in values and spec.type != DYNAMIC_COMBO:
                yield Site(node.id, name, spec, node.inputs[name])


def _pick(
    draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog, fits: Callable[[Site], bool]
) -> Site | None:
    found = [site for site in sites(prompt, catalog) if fits(site)]
    return draw(st.sampled_from(found)) if found else None


def _with(prompt: Prompt, site: Site, value: Any, rule: str) -> Mutation:
    document = copy.deepcopy(prompt.to_json())
    document[site.node_id]["inputs"][site.name] = value
    pointer = input_pointer(site.node_id, site.name)
    return Mutation(rule, pointer, document, site.node_id, site.name)


def _is_link(site: Site) -> bool:
    return isinstance(site.value, Link)


def _is_number(site: Site) -> bool:
    return site.spec.type in ("INT", "FLOAT") and not _is_link(site)


@fault("unknown-class")
def _unknown_class(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    node_id = draw(st.sampled_from(list(prompt)))
    document = copy.deepcopy(prompt.to_json())
    document[node_id]["class_type"] += draw(st.sampled_from(["s", " (pack)", "é"]))
    return Mutation("unknown-class", f"/{escape_pointer(node_id)}/class_type", document, node_id)


@fault("missing-class-type")
def _missing_class_type(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    node_id = draw(st.sampled_from(list(prompt)))
    document = copy.deepcopy(prompt.to_json())
    del document[node_id]["class_type"]
    return Mutation("missing-class-type", f"/{escape_pointer(node_id)}", document, node_id)


@fault("missing-inputs")
def _missing_inputs(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    node_id = draw(st.sampled_from(list(prompt)))
    document = copy.deepcopy(prompt.to_json())
    del document[node_id]["inputs"]
    return Mutation("missing-inputs", f"/{escape_pointer(node_id)}", document, node_id)


@fault("missing-input")
def _missing_input(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, lambda site: site.spec.required)
    if site is None:
        return None
    document = copy.deepcopy(prompt.to_json())
    del document[site.node_id]["inputs"][site.name]
    # Nothing stands where the input should be.
    pointer = f"/{escape_pointer(site.node_id)}"
    return Mutation("missing-input", pointer, document, site.node_id, site.name)


@fault("dangling-link")
def _dangling_link(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, _is_link)
    return site and _with(prompt, site, ["no such node", site.value.slot], "dangling-link")


@fault("slot-out-of-range")
def _slot_out_of_range(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, _is_link)
    if site is None:
        return None
    slots = len(catalog[prompt[site.value.node_id].class_type].outputs)
    slot = draw(st.sampled_from([slots, slots + 5, -slots - 1, 2**70]))
    return _with(prompt, site, [site.value.node_id, slot], "slot-out-of-range")


@fault("malformed-link")
def _malformed_link(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, _is_link)
    if site is None:
        return None
    node_id, slot = site.value.node_id, site.value.slot
    value = draw(st.sampled_from([[], [node_id], [node_id, slot, slot]]))
    return _with(prompt, site, value, "malformed-link")


@fault("type-mismatch")
def _type_mismatch(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    view = GraphView(prompt)

    def wrong(site: Site) -> list[Link]:
        if not _is_link(site) or site.spec.type in ("*", MATCH_TYPE):
            return []
        wanted = {part.strip() for part in site.spec.type.split(",")}
        later = view.downstream(site.node_id)
        return [
            Link(node.id, spec.slot)
            for node in prompt.nodes()
            if node.id not in later
            for spec in catalog[node.class_type].outputs
            if not {spec.type, *spec.type.split(",")} & {*wanted, "*", MATCH_TYPE}
        ]

    site = _pick(draw, prompt, catalog, lambda site: bool(wrong(site)))
    if site is None:
        return None
    link = draw(st.sampled_from(wrong(site)))
    return _with(prompt, site, link.to_json(), "type-mismatch")


@fault("dependency-cycle")
def _dependency_cycle(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    def own(site: Site) -> list[int]:
        outputs = catalog[prompt[site.node_id].class_type].outputs
        kinds = {part.strip() for part in site.spec.type.split(",")}
        return [spec.slot for spec in outputs if spec.type in kinds]

    site = _pick(draw, prompt, catalog, lambda site: _is_link(site) and bool(own(site)))
    if site is None:
        return None
    slot = draw(st.sampled_from(own(site)))
    return _with(prompt, site, [site.node_id, slot], "dependency-cycle")


@fault("value-above-max")
def _value_above_max(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, lambda site: _is_number(site) and site.spec.max is not None)
    return site and _with(prompt, site, site.spec.max + 1, "value-above-max")


@fault("value-below-min")
def _value_below_min(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, lambda site: _is_number(site) and site.spec.min is not None)
    return site and _with(prompt, site, site.spec.min - 1, "value-below-min")


@fault("value-not-in-list")
def _value_not_in_list(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(
        draw, prompt, catalog,
        lambda site: site.spec.type == "COMBO" and site.spec.files is None and not _is_link(site),
    )  # fmt: skip
    if site is None:
        return None
    value = draw(st.sampled_from(["no such option", f"{site.value} ", 7, None, True]))
    return _with(prompt, site, value, "value-not-in-list")


@fault("wrong-value-type")
def _wrong_value_type(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(draw, prompt, catalog, _is_number)
    value = draw(st.sampled_from(["many", "", None, {"a": 1}]))
    return site and _with(prompt, site, value, "wrong-value-type")


@fault("constant-for-link")
def _constant_for_link(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    site = _pick(
        draw, prompt, catalog,
        lambda site: site.spec.is_link_only and site.spec.type not in ("*", MATCH_TYPE),
    )  # fmt: skip
    return site and _with(prompt, site, draw(st.sampled_from(["text", 5])), "constant-for-link")


@fault("no-output")
def _no_output(draw: st.DrawFn, prompt: Prompt, catalog: NodeCatalog) -> Mutation | None:
    # Some output nodes give on what they show; their takers go, too.
    ends = [node.id for node in prompt.nodes() if catalog[node.class_type].output_node]
    gone = GraphView(prompt).downstream(ends)
    document = {node.id: node.to_json() for node in prompt.nodes() if node.id not in gone}
    return Mutation("no-output", "", document)
