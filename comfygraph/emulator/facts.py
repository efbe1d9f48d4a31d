"""
What the emulator knows of the pictures on the links: the facts of `comfygraph.analysis`, within
limits that can be drawn, and with a likely size where nobody knows one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite

from comfygraph.analysis.facts import Domain, Size
from comfygraph.analysis.flow import Flow
from comfygraph.catalog import NodeCatalog
from comfygraph.core.values import JsonValue
from comfygraph.emulator.schedule import Nodes

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


UNKNOWN_FRAME = Frame(DEFAULT_SIDE, DEFAULT_SIDE)


def frame(width: float, height: float, count: float = 1) -> Frame:
    """
    Give a `Frame` within the limits, of the same proportions where it must be made smaller.

    The limits keep a hostile graph from filling memory: a real server would try and fail.

    Args:
        width: Pixels; whatever is not a positive number counts as the default, 512.
        height: Pixels, likewise.
        count: Pictures in the batch.
    """
    wide, high = _side(width), _side(height)
    scale = min(1.0, MAX_SIDE / wide, MAX_SIDE / high, (MAX_AREA / (wide * high)) ** 0.5)
    many = int(min(max(count, 1), MAX_COUNT)) if isfinite(count) else 1
    return Frame(max(1, int(wide * scale)), max(1, int(high * scale)), many)


def _side(value: float) -> float:
    return min(float(value), 1e6) if isfinite(value) and value >= 1 else float(DEFAULT_SIDE)


def _drawable(size: Size) -> Frame:
    return frame(size.width, size.height, size.pictures or 1)


def facts_of(nodes: Nodes, catalog: NodeCatalog, file_frame: Callable[[str], Frame | None]) -> Flow:
    """
    Give what is known of all nodes, and what is likely where that is not known.

    Args:
        nodes: The prompt.
        catalog: Its classes.
        file_frame: Gives the size of the picture in an input file.
    """

    def file_size(name: str) -> Size | None:
        found = file_frame(name)
        return Size(found.width, found.height, found.count) if found is not None else None

    return Flow(nodes, catalog, file_size=file_size, guessing=True)


def steps_of(facts: Flow, node_id: str) -> int:
    """
    Give how many steps a sampler makes (20 where nobody knows), or 0 for a node that makes none.
    """
    run = facts[node_id].sampling
    if run is None:
        return 0
    return 20 if run.steps is None else max(run.steps, 1)


class NodeView:
    """
    A node with what its inputs bring.

    Args:
        facts: What is known of the graph.
        node_id: The node.
    """

    def __init__(self, facts: Flow, node_id: str) -> None:
        view = facts.view(node_id)
        self.class_type = view.class_type
        self.inputs = view.inputs
        self._facts = facts
        self._node_id = node_id

    def frames(self) -> list[Frame]:
        """
        Give the pictures that the inputs bring, in order.
        """
        return [_drawable(size) for size in self._facts.view(self._node_id).sizes()]

    def frame(self, *names: str) -> Frame:
        """
        Give the picture of the first of these inputs that has one, else of any input.
        """
        view = self._facts.view(self._node_id)
        for name in names:
            size = view.size(name)
            if size is not None:
                return _drawable(size)
        return next(iter(self.frames()), UNKNOWN_FRAME)

    def has_sound(self) -> bool:
        """
        Tell whether an input brings a sound.
        """
        return self._facts.view(self._node_id).sound() is not None

    def seconds(self) -> float:
        """
        Give how long the first sound is that the inputs bring, 0.1 to `MAX_SECONDS`; 1 for none.
        """
        sound = self._facts.view(self._node_id).sound()
        return min(max(sound.seconds, 0.1), MAX_SECONDS) if sound is not None else 1.0

    def value(self, name: str) -> JsonValue:
        """
        Give the constant at input `name`, or what its link brings; `None` where nobody knows.
        """
        value = self.inputs.get(name)
        if not isinstance(value, list):
            return value if isinstance(value, int | float | str) else None
        return self._facts.view(self._node_id).fact(Domain.VALUE, name)

    def number(self, name: str, default: float) -> float:
        """
        Give the number at input `name`, or `default` where it is not known.
        """
        found = self._facts.view(self._node_id).number(name)
        return default if found is None else found

    def text(self, name: str, default: str = "") -> str:
        """
        Give the text at input `name`, or `default` where it is not known.
        """
        value = self.value(name)
        return default if value is None else str(value)

    def truth(self, name: str) -> bool:
        """
        Tell whether input `name` is on.
        """
        return bool(self.value(name))
