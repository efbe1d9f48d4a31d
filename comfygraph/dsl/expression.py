"""
Nodes as immutable expressions, and their outputs.

`KSampler(model=m, ...)` gives a `Node`; `.LATENT`, `[0]` or unpacking give its `Output`s,
which other nodes take as inputs. As an expression holds the expressions that it was made
of and never changes, a graph written this way has no cycle and no dangling link.

Names of ComfyUI become attributes of these classes, so what else there is to know about a
node is asked with functions (`title_of(node)`), never with methods.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from operator import itemgetter
from types import CodeType, MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar, cast

from comfygraph.dsl.containers import plain
from comfygraph.dsl.groups import current_group
from comfygraph.dsl.params import Param

if TYPE_CHECKING:
    from inspect import Signature

    from comfygraph.dsl.places import Where
    from comfygraph.dsl.plan import ClassPlan

SocketT = TypeVar("SocketT", contravariant=True)
SourceT = TypeVar("SourceT", bound="Source[Any]")

Facts = tuple[
    dict[str, Any], str | None, "tuple[Node[Any], ...]", str | None, CodeType, int
]  # fmt: skip
"""
What is kept of a node: inputs as written, title, the nodes among the inputs (the first last),
group, the code that wrote it, and the offset of the call in that code.
"""


class Source(Generic[SocketT]):
    """
    What an input can be linked to: an output, or a node whose only fitting output is meant.

    The parameter is the socket type that it can serve, a `Literal` of its name. It is
    contravariant: a node that gives MODEL, CLIP and VAE serves wherever one of them does.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"`{name}` cannot be set: nodes and outputs never change")

    def __copy__(self: SourceT) -> SourceT:
        return self

    def __deepcopy__(self: SourceT, memo: object) -> SourceT:
        return self


class Output(Source[SocketT]):
    """
    Output `slot` of a node, counted from 0.
    """

    __slots__ = ("node", "slot")

    node: Node[Any]
    slot: int

    def __init__(self, node: Node[Any], slot: int) -> None:
        _set(self, "node", node)
        _set(self, "slot", slot)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Output):
            return NotImplemented
        return self.node is other.node and self.slot == other.slot

    def __hash__(self) -> int:
        return hash((id(self.node), self.slot))

    def __repr__(self) -> str:
        plan = plan_of(self.node)
        specs = plan.outputs if plan else ()
        name = specs[self.slot].name if self.slot < len(specs) else self.slot
        return f"<output {name} of {self.node!r}>"


_set = object.__setattr__


class NodeClass(type):
    """
    The class of node classes. What is known of a class is worked out when it is asked for.
    """

    _cg_plan: ClassPlan | None

    @property
    def __doc__(cls) -> str | None:  # type: ignore[override]  # lazy where `type` has a text
        if cls._cg_plan is None:
            return cast("str | None", cls.__dict__.get("__doc__"))
        from comfygraph.dsl.facts import class_text

        return class_text(cls._cg_plan)

    @property
    def __signature__(cls) -> Signature:
        from comfygraph.dsl.facts import class_signature

        return class_signature(cls._cg_plan)


# Not written out in the class: the stubs call nodes tuples, so that unpacking is typed, and
# type checkers know that no class with slots of its own can be one.
_NODE_SLOTS = ("_cg",)


class Node(Source[SocketT], metaclass=NodeClass):
    """
    A node as an expression. Its classes come from catalogs: see `comfygraph.nodes`.

    Inputs are given by name, in the original spelling or as a Python identifier; the first
    ones by position where the class has an obvious order. Nothing is checked here:
    `build` collects all mistakes of a graph. `title` names the node in the prompt, unless
    the class has an input of that name (see `named`).
    """

    __slots__ = _NODE_SLOTS

    _cg_plan: ClassPlan | None = None
    _cg: Facts

    def __init__(self, /, *values: Any, **inputs: Any) -> None:
        frame = sys._getframe(1)
        plan = type(self)._cg_plan
        if plan is None:
            raise TypeError("use a node class of comfygraph.nodes, or raw_node(...)")
        title = inputs.pop("title", None) if plan.takes_title else None
        if values or plan.python_names:
            inputs = plan.bind(values, inputs)
        inputs, sources = _frozen(inputs, plan.rank)
        facts = (inputs, title, sources, current_group(), frame.f_code, frame.f_lasti)
        _set(self, "_cg", facts)

    def __repr__(self) -> str:
        title = title_of(self)
        return f"<{class_of(self)}{f' {title!r}' if title else ''}>"

    def __len__(self) -> int:
        plan = plan_of(self)
        return len(plan.outputs) if plan else 0

    def __bool__(self) -> bool:
        return True

    def __iter__(self) -> Iterator[Output[Any]]:
        return iter([Output(self, slot) for slot in range(len(self))])

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return tuple(self)[key]
        return output(self, key)

    if not TYPE_CHECKING:
        # A type checker that saw this would take any attribute for an output.

        def __getattr__(self, name: str) -> NoReturn:
            plan = plan_of(self)
            names = plan.output_names if plan else ()
            raise AttributeError(
                f"{class_of(self)} has no output `{name}`"
                + (f": it has {', '.join(names)}" if names else "")
            )


class OutputAttribute:
    """
    A descriptor: the attribute of a node class that gives one of its outputs.
    """

    __slots__ = ("slot",)

    def __init__(self, slot: int) -> None:
        self.slot = slot

    def __get__(self, node: Node[Any] | None, owner: object = None) -> Any:
        return self if node is None else Output(node, self.slot)


class RawNode(Node[Any]):
    """
    A node of a class that no catalog describes; nothing about it is checked.

    Its outputs are had by index: `node[0]`.
    """

    __slots__ = ("_cg_class_type",)

    _cg_class_type: str

    def __init__(self, class_type: str, inputs: dict[str, Any], code: CodeType, at: int) -> None:
        _set(self, "_cg_class_type", class_type)
        inputs, sources = _frozen(inputs, {})
        _set(self, "_cg", (inputs, None, sources, current_group(), code, at))

    def __iter__(self) -> Iterator[Output[Any]]:
        raise TypeError(
            f"nobody knows how many outputs {class_of(self)} has: take them by index, node[0]"
        )


def raw_node(class_type: str, /, **inputs: Any) -> RawNode:
    """
    Give a node of any class, unchecked: the way out where no catalog knows the class.

    Args:
        class_type: The name under which the server registers the class.
        inputs: Its inputs in the order of the prompt: outputs of other nodes, or constants.
    """
    frame = sys._getframe(1)
    return RawNode(class_type, inputs, frame.f_code, frame.f_lasti)


def named(title: str, source: SourceT) -> SourceT:
    """
    Give the same node under a title, which the prompt keeps in `_meta.title`.

    Args:
        title: The title that the editor and all messages show.
        source: A node, or one of its outputs.
    """
    if isinstance(source, Output):
        return cast("SourceT", Output(named(title, source.node), source.slot))
    if not isinstance(source, Node):
        raise TypeError('give the title, then the node: named("hires", node)')
    node = cast("Node[Any]", source)
    twin = object.__new__(type(node))
    facts = node._cg
    _set(twin, "_cg", (facts[0], title, *facts[2:]))
    if isinstance(node, RawNode):
        _set(twin, "_cg_class_type", node._cg_class_type)
    return cast("SourceT", twin)


def output(node: Node[Any], key: int | str) -> Output[Any]:
    """
    Give an output of a node by its slot or by its name, original or as an identifier.

    Raises:
        IndexError: The class has no such slot.
        KeyError: The class has no output of that name.
    """
    plan = plan_of(node)
    names = plan.output_names if plan else []
    has = f"it has {', '.join(names) or 'none'}" if plan else "nobody knows which it has"
    if isinstance(key, str):
        for slot, spec in enumerate(plan.outputs if plan else ()):
            if key in (spec.name, names[slot]):
                return Output(node, slot)
        raise KeyError(f"{class_of(node)} has no output `{key}`: {has}")
    if not isinstance(key, int):
        raise TypeError(f"an output has a number or a name, not {key!r}")
    if not -len(names) <= key < (len(names) if plan else key + 1):
        raise IndexError(f"{class_of(node)} has no output {key}: {has}")
    return Output(node, key if key >= 0 else key + len(names))


def plan_of(node: Node[Any]) -> ClassPlan | None:
    """Give what the catalog says of a node's class; `None` for a raw node."""
    return type(node)._cg_plan


def class_of(node: Node[Any]) -> str:
    """Give the name under which the server registers the node's class."""
    if isinstance(node, RawNode):
        return node._cg_class_type
    plan = plan_of(node)
    return plan.class_type if plan else type(node).__name__


def title_of(node: Node[Any]) -> str | None:
    """Give the title that the node was given, or `None`."""
    return node._cg[1]


def inputs_of(node: Node[Any]) -> Mapping[str, Any]:
    """Give the inputs that were written down, by their original names, before defaults."""
    return MappingProxyType(dict(node._cg[0]))


def where_of(node: Node[Any]) -> Where:
    """Give the file and line of the call that made the node."""
    from comfygraph.dsl.places import Places

    return Places().where(node._cg[4], node._cg[5])


_CONSTANTS = frozenset({str, int, float, bool})


def _frozen(
    inputs: dict[str, Any], rank: Mapping[str, int]
) -> tuple[dict[str, Any], tuple[Node[Any], ...]]:
    """
    Give the inputs out of reach of their caller, and the nodes among them, the first last.

    Args:
        inputs: The inputs; the object itself is ours already.
        rank: Input name → its place in the prompt.
    """
    found: list[tuple[int, Node[Any]]] = []
    opened: dict[str, Any] = {}
    last = len(rank)
    for name, value in inputs.items():
        kind = type(value)
        if kind in _CONSTANTS:
            continue
        if kind is Output:
            found.append((rank.get(name, last), value.node))
        elif type(kind) is NodeClass:
            found.append((rank.get(name, last), value))
        elif kind is not Param and value is not None:
            opened[name] = plain(value)
            found += [(rank.get(name, last), source) for source in nested_sources(opened[name])]
    if opened:
        inputs |= opened
    if len(found) < 2:
        return inputs, (found[0][1],) if found else ()
    found.sort(key=itemgetter(0))
    found.reverse()
    return inputs, tuple([source for _, source in found])


def nested_sources(value: Any) -> list[Node[Any]]:
    """
    Give the nodes in lists and dicts, in their order.
    """
    found: list[Node[Any]] = []
    pending: list[Any] = [value]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if type(item) is Output:
            found.append(item.node)
        elif isinstance(item, Node):
            found.append(item)
        elif isinstance(item, list | dict) and id(item) not in seen:
            seen.add(id(item))
            members = list(item.values()) if isinstance(item, dict) else item
            pending.extend(members[::-1])
    return found
