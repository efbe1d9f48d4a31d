"""
What the emulator knows of the values on the links: how large the pictures are and how many,
how long the sounds, what the constants.

`results_of` gives the facts that a node puts on its output slots, from the facts on its
inputs. A node class without an entry in `comfygraph.emulator.transfer` passes its picture on,
or takes its size from inputs called `width` and `height`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import TypeAlias

from comfygraph.catalog import NodeDef
from comfygraph.core.values import JsonValue
from comfygraph.emulator.schedule import link_of

MAX_SIDE = 4096
MAX_AREA = 4096 * 2304
MAX_COUNT = 64
MAX_SECONDS = 30.0
DEFAULT_SIDE = 512


@dataclass(frozen=True, slots=True)
class Frame:
    """
    A batch of pictures, latents or masks, or the frames of a video.

    Args:
        width: Pixels, 1 to `MAX_SIDE`; for latents, of the picture that they decode to.
        height: Pixels, 1 to `MAX_SIDE`.
        count: Pictures in the batch, 1 to `MAX_COUNT`.
    """

    width: int
    height: int
    count: int = 1


@dataclass(frozen=True, slots=True)
class Sound:
    """
    A sound of `seconds`, 0 to `MAX_SECONDS`.
    """

    seconds: float


@dataclass(frozen=True, slots=True)
class Constant:
    """
    A number, a text or a truth value that is known.
    """

    value: int | float | str | bool


Fact: TypeAlias = Frame | Sound | Constant | None
Slots: TypeAlias = tuple[Fact, ...]

UNKNOWN_FRAME = Frame(DEFAULT_SIDE, DEFAULT_SIDE)


def frame(width: float, height: float, count: float = 1, *, step: int = 1) -> Frame:
    """
    Give a `Frame` within the limits, of the same proportions where it must be made smaller.

    The limits keep a hostile graph from filling memory: a real server would try and fail.

    Args:
        width: Pixels; whatever is not a positive number counts as the default, 512.
        height: Pixels, likewise.
        count: Pictures in the batch.
        step: Sizes are cut down to multiples of it; 8 for latents of most models.
    """
    wide, high = _side(width), _side(height)
    scale = min(1.0, MAX_SIDE / wide, MAX_SIDE / high, (MAX_AREA / (wide * high)) ** 0.5)
    wide, high = (max(step, int(side * scale) // step * step) for side in (wide, high))
    many = int(min(max(count, 1), MAX_COUNT)) if isfinite(count) else 1
    return Frame(wide, high, many)


def _side(value: float) -> float:
    return min(float(value), 1e6) if isfinite(value) and value >= 1 else float(DEFAULT_SIDE)


class NodeView:
    """
    A node with the facts on its inputs, as the transfer functions see it.

    Args:
        class_type: The class.
        inputs: The `inputs` object of the prompt.
        facts: Node id → facts on its output slots, of all nodes upstream.
        file_frame: Gives the size of the picture in an input file, or `None`.
    """

    def __init__(
        self,
        class_type: str,
        inputs: Mapping[str, JsonValue],
        facts: Mapping[str, Slots],
        file_frame: Callable[[str], Frame | None],
    ) -> None:
        self.class_type = class_type
        self.inputs = inputs
        self._facts = facts
        self._file_frame = file_frame

    def fact(self, name: str) -> Fact:
        """
        Give what is known of input `name`: what its link brings, or its constant.
        """
        value = self.inputs.get(name)
        link = link_of(value)
        if link is not None:
            slots = self._facts.get(link[0], ())
            return slots[link[1]] if -len(slots) <= link[1] < len(slots) else None
        return Constant(value) if isinstance(value, int | float | str) else None

    def frames(self) -> list[Frame]:
        """
        Give the pictures that the inputs bring, in order.
        """
        return [fact for name in self.inputs if isinstance(fact := self.fact(name), Frame)]

    def frame(self, *names: str) -> Frame:
        """
        Give the picture of the first of these inputs that has one, else of any input.
        """
        for name in names:
            fact = self.fact(name)
            if isinstance(fact, Frame):
                return fact
        return next(iter(self.frames()), UNKNOWN_FRAME)

    def sound(self) -> Sound | None:
        """
        Give the first sound that the inputs bring.
        """
        facts = (self.fact(name) for name in self.inputs)
        return next((fact for fact in facts if isinstance(fact, Sound)), None)

    def number(self, name: str, default: float) -> float:
        """
        Give the number at input `name`, or `default` where it is not known.
        """
        fact = self.fact(name)
        if not isinstance(fact, Constant):
            return default
        try:
            number = float(fact.value)
        except (ValueError, OverflowError):
            return default
        return number if isfinite(number) else default

    def text(self, name: str, default: str = "") -> str:
        """
        Give the text at input `name`, or `default` where it is not known.
        """
        fact = self.fact(name)
        return str(fact.value) if isinstance(fact, Constant) else default

    def file(self, name: str) -> Frame:
        """
        Give the size of the picture in the file that input `name` names.
        """
        return self._file_frame(self.text(name)) or UNKNOWN_FRAME


def results_of(view: NodeView, definition: NodeDef | None) -> Slots:
    """
    Give the facts on the output slots of a node.

    Args:
        view: The node and what its inputs bring.
        definition: Its class, where the catalog has it; says which slots carry what.
    """
    from comfygraph.emulator.transfer import TRANSFERS, pass_on

    result = TRANSFERS.get(view.class_type, pass_on)(view)
    if isinstance(result, tuple):
        return result
    if definition is None:
        return (result,)
    return tuple(_fitting(result, output.type) for output in definition.outputs)


_PICTURES = frozenset({"IMAGE", "LATENT", "MASK", "VIDEO", "*", "COMFY_MATCHTYPE_V3"})
_SOUNDS = frozenset({"AUDIO", "LATENT", "VIDEO", "*", "COMFY_MATCHTYPE_V3"})
_CONSTANTS = frozenset({"INT", "FLOAT", "STRING", "BOOLEAN", "COMBO", "*", "COMFY_MATCHTYPE_V3"})


def _fitting(fact: Fact, socket: str) -> Fact:
    kinds = {part.strip() for part in socket.split(",")}
    match fact:
        case Frame():
            return fact if kinds & _PICTURES else None
        case Sound():
            return fact if kinds & _SOUNDS else None
        case Constant():
            return fact if kinds & _CONSTANTS else None
        case None:
            return None


def steps_of(view: NodeView, nodes: Mapping[str, Mapping[str, JsonValue]]) -> int:
    """
    Give how many steps a sampler makes, or 0 for a node that makes none.

    A sampler is a node with `Sampler` in its class name that takes a latent. Its steps are in
    its own `steps`, or in those of a node upstream of `sigmas`.
    """
    inputs = view.inputs
    if "Sampler" not in view.class_type or not {"latent_image", "samples"} & inputs.keys():
        return 0
    if "steps" in inputs:
        steps = view.number("steps", 20)
        first = view.number("start_at_step", 0)
        last = min(view.number("end_at_step", steps), steps)
        return int(min(max(last - first, 1), 10_000))
    link = link_of(inputs.get("sigmas"))
    for _ in range(100):
        node = nodes.get(link[0]) if link is not None else None
        above = node.get("inputs") if node is not None else None
        if not isinstance(above, Mapping):
            break
        found = above.get("steps")
        if isinstance(found, int):
            return min(max(found, 1), 10_000)
        link = link_of(above.get("sigmas"))
    return 20
