"""
What one node class takes and gives: `NodeDef`, `InputSpec`, `OutputSpec`.

They model one entry of ComfyUI's `GET /object_info` (`server.py`, `node_info`).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, cast

from comfygraph.core.records import NamedTuple

if TYPE_CHECKING:
    from comfygraph.catalog.dynamic import Expansion

AUTOGROW = "COMFY_AUTOGROW_V3"
DYNAMIC_COMBO = "COMFY_DYNAMICCOMBO_V3"
DYNAMIC_SLOT = "COMFY_DYNAMICSLOT_V3"
MATCH_TYPE = "COMFY_MATCHTYPE_V3"
DYNAMIC_TYPES = frozenset({AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT})
"""Kinds of input that stand for several inputs, decided by the values of the prompt."""

WIDGET_TYPES = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO"})
"""Socket types whose value can be written into the prompt."""

_KEPT = 16
"""Choices of dynamic inputs that a class remembers; more are worked out anew."""

_EMPTY: Mapping[str, Any] = MappingProxyType({})


class InputSpec(NamedTuple):
    """
    One input of a node class.

    Args:
        name: The key under `inputs`; dotted for members of dynamic inputs (`images.image0`).
        type: Socket type; `"COMBO"` for both forms of a closed vocabulary, `"INT,FLOAT"`
            for a union, `"*"` for anything. An unknown kind of input is a socket of that type.
        required: Whether the server wants the key to be present.
        opts: The options of the input as `/object_info` gives them (`default`, `min`, `max`,
            `step`, `control_after_generate`, `lazy`, `forceInput`, ...).
        options: The closed vocabulary, or `None` where there is none.
        files: The folder whose files the vocabulary lists (`"checkpoints"`, `"input:image"`),
            or `None`.
        listed: The type was given as a JSON list, the older form of a combo. ComfyUI tells
            the two forms apart when it compares socket types.
        group: The dynamic input that this one belongs to, or `None`.
    """

    name: str
    type: str
    required: bool
    opts: Mapping[str, Any] = _EMPTY
    options: tuple[Any, ...] | None = None
    files: str | None = None
    listed: bool = False
    group: str | None = None

    @property
    def default(self) -> Any:
        """The value of a new node's widget, or `None`; the server itself never applies it."""
        return self.opts.get("default")

    @property
    def min(self) -> Any:
        """The least value, inclusive, or `None`."""
        return self.opts.get("min")

    @property
    def max(self) -> Any:
        """The greatest value, inclusive, or `None`."""
        return self.opts.get("max")

    @property
    def step(self) -> Any:
        """The grid of the editor's widget, or `None`; the server does not enforce it."""
        return self.opts.get("step")

    @property
    def is_dynamic(self) -> bool:
        """Whether the input stands for several inputs (autogrow, dynamic combo or slot)."""
        return self.type in DYNAMIC_TYPES

    @property
    def is_link_only(self) -> bool:
        """
        Whether a value can only come over a link: no widget exists for the socket type.
        """
        if self.options is not None or self.type in WIDGET_TYPES:
            return False
        if self.is_dynamic or "widgetType" in self.opts or "default" in self.opts:
            return False
        return not any(part.strip() in WIDGET_TYPES for part in self.type.split(","))

    @property
    def config(self) -> list[Any]:
        """The spec as the server quotes it in errors: `[type, options]`."""
        return [list(self.options or ()) if self.listed else self.type, dict(self.opts)]


class OutputSpec(NamedTuple):
    """
    One output slot of a node class.

    Args:
        slot: Counted from 0.
        name: The name that the editor shows.
        type: Socket type, as in `InputSpec.type`.
        is_list: The node gives a list, and its consumers run once for each member.
        listed: The type was given as a list of values, the older form of a combo.
        options: Those values, or `None`.
    """

    slot: int
    name: str
    type: str
    is_list: bool = False
    listed: bool = False
    options: tuple[Any, ...] | None = None


class NodeDef:
    """
    One node class. Parsed from its `/object_info` entry when first asked for.

    Args:
        class_type: The name under which the server registers the class.
        entry: The entry of `/object_info`; missing keys are tolerated.
        files: Input name → folder, for inputs that list files.
    """

    def __init__(
        self, class_type: str, entry: Mapping[str, Any], files: Mapping[str, str] = _EMPTY
    ) -> None:
        self.class_type = class_type
        self.raw = entry
        self.files = files
        self._expansions: list[Expansion] = []

    def __repr__(self) -> str:
        return f"<NodeDef {self.class_type}>"

    @property
    def display_name(self) -> str:
        """The name that the editor shows."""
        return _text(self.raw.get("display_name")) or self.class_type

    @property
    def category(self) -> str:
        """The editor's menu path, `sampling` or `image/batch`."""
        return _text(self.raw.get("category"))

    @property
    def python_module(self) -> str:
        """Where the class comes from: `nodes`, `comfy_extras.…`, `custom_nodes.PACK`."""
        return _text(self.raw.get("python_module"))

    @property
    def output_node(self) -> bool:
        """Whether the server starts from this node; it compares with `is True`."""
        return self.raw.get("output_node") is True

    @property
    def api_node(self) -> bool:
        """Whether the node calls a paid service."""
        return self.raw.get("api_node") is True

    @property
    def deprecated(self) -> bool:
        """Whether its authors want it to be used no more."""
        return self.raw.get("deprecated") is True

    @property
    def experimental(self) -> bool:
        """Whether its authors may still change it."""
        return self.raw.get("experimental") is True

    @property
    def is_input_list(self) -> bool:
        """Whether the node takes whole lists where others run once for each member."""
        return self.raw.get("is_input_list") is True

    @cached_property
    def inputs(self) -> Mapping[str, InputSpec]:
        """Input name → spec as declared: required first, each in the order of the editor."""
        from comfygraph.catalog.parse import read_inputs

        return MappingProxyType(read_inputs(self.raw, self.files))

    @cached_property
    def hidden(self) -> tuple[str, ...]:
        """The inputs that the server fills in itself (`prompt`, `unique_id`, ...)."""
        section = _mapping(self.raw.get("input")).get("hidden")
        return tuple(_mapping(section))

    @cached_property
    def outputs(self) -> tuple[OutputSpec, ...]:
        """The output slots in order."""
        from comfygraph.catalog.parse import read_outputs

        return read_outputs(self.raw)

    @cached_property
    def is_dynamic(self) -> bool:
        """Whether some input's members depend on the values of the prompt."""
        return any(spec.is_dynamic for spec in self.inputs.values())

    @cached_property
    def traits(self) -> frozenset[str]:
        """What is special about the class: `deprecated`, `experimental`, `paid`, ... as words."""
        found = {
            "deprecated": self.deprecated,
            "experimental": self.experimental,
            "paid": self.api_node,
            "match-type": bool(self.raw.get("output_matchtypes")),
            "loader": bool(self.files) and len(self.outputs) > 1,
            "latent": any(output.type == "LATENT" for output in self.outputs),
        }
        return frozenset(name for name, is_so in found.items() if is_so)

    def expand(self, inputs: Mapping[str, Any]) -> Mapping[str, InputSpec]:
        """
        Give the inputs that the server looks at for a node with these `inputs`.

        Models `get_finalized_class_inputs` of `comfy_api/latest/_io.py`: autogrow groups
        become their members, a dynamic combo adds the inputs of the option that is chosen
        (and vanishes while none is).

        Args:
            inputs: The node's `inputs` object, as JSON values.
        """
        return self.inputs if not self.is_dynamic else self.expansion(inputs).specs

    def expansion(self, inputs: Mapping[str, Any]) -> Expansion:
        """
        Give what the dynamic inputs stand for; nodes that choose alike share the answer.

        Args:
            inputs: The node's `inputs` object, as JSON values.
        """
        for known in self._expansions:
            if known.fits(inputs):
                return known
        from comfygraph.catalog.dynamic import expand_inputs

        found = expand_inputs(self.inputs, inputs)
        if len(self._expansions) < _KEPT:
            self._expansions.append(found)
        return found


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else _EMPTY
