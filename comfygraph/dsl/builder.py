"""
From expressions to a `Prompt`: `build(SaveImage(...))`.

Nodes are numbered from 1 in one fixed order: those that feed a node stand before it, in the
order in which its inputs stand in the prompt. The same expression written twice is one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from comfygraph.core.node import Link, Node, make_node
from comfygraph.core.values import Prompt
from comfygraph.dsl.expression import Node as Expression
from comfygraph.dsl.expression import (
    Output,
    RawNode,
    Source,
    class_of,
    title_of,
)
from comfygraph.dsl.finish import Finisher
from comfygraph.dsl.literals import shown
from comfygraph.dsl.places import Places
from comfygraph.errors import BuildError, BuildProblem

Outputs: TypeAlias = Source[Any] | Iterable[Source[Any]]


def build(*outputs: Outputs) -> Prompt:
    """
    Give the prompt that these nodes and all that they are made of amount to.

    The same expressions give the same prompt, byte for byte. Values that were left out are
    those that ComfyUI's editor puts into a new node: the server itself applies no defaults.

    Args:
        outputs: Nodes such as `SaveImage(...)`, or lists of them.

    Raises:
        BuildError: The graph has mistakes; `problems` lists all of them with their lines.
    """
    builder = Builder({})
    for node in roots(outputs):
        builder.add(node)
    return builder.prompt()


def roots(outputs: Iterable[Any]) -> list[Expression[Any]]:
    """
    Give the nodes among outputs, nodes, and lists of them, in order.

    Raises:
        BuildError: Something else is among them, or there is nothing.
    """
    found: list[Expression[Any]] = []
    pending: list[Any] = [*outputs][::-1]
    while pending:
        item = pending.pop()
        if isinstance(item, Expression):
            found.append(item)
        elif isinstance(item, Output):
            found.append(item.node)
        elif isinstance(item, str | bytes | Mapping) or not isinstance(item, Iterable):
            raise BuildError(
                f"a graph is built from nodes, not from {shown(item)}",
                hint="give the nodes at its end: build(SaveImage(...))",
            )
        else:
            pending.extend([*item][::-1])
    if not found:
        raise BuildError(
            "nothing to build", hint="give the nodes at the end: build(SaveImage(...))"
        )
    return found


class Builder:
    """
    One build: the nodes placed so far, and the mistakes found in them.

    Args:
        values: Parameter name → value, for parameters that do not keep their default.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.problems: list[BuildProblem] = []
        self.finisher = Finisher(values, self._problem)
        self._places = Places()
        self._placed: list[Expression[Any]] = []
        self._inputs: list[dict[str, Any]] = []
        self._titles: dict[int, str] = {}
        self._groups: dict[int, str] = {}
        """Number of a node → what one of its twins brought along."""
        self._known: dict[Any, int] = {}
        self._first: dict[int, int] = {}
        """`id` of a link → the node that took it first, whose twins are not known yet."""

    def add(self, root: Expression[Any]) -> None:
        """
        Place a node after all that it is made of. Iterative: chains are as long as they like.
        """
        numbers = self.finisher.links.numbers
        stack = [root]
        while stack:
            node = stack[-1]
            if id(node) not in numbers:
                for source in node._cg[2]:
                    if id(source) not in numbers:
                        stack.append(source)  # noqa: PERF401  # a third of the time
                if stack[-1] is not node:
                    continue
                numbers[id(node)] = self._place(node)
            stack.pop()

    def prompt(self) -> Prompt:
        """
        Give the prompt of all placed nodes.

        Raises:
            BuildError: Mistakes were found.
        """
        if self.problems:
            count = len(self.problems)
            text = "one mistake" if count == 1 else f"{count} mistakes"
            raise BuildError(f"{text} in the graph", problems=self.problems)
        nodes: dict[str, Node] = {}
        where, titles, groups = self._places.where, self._titles, self._groups
        for number, (node, inputs) in enumerate(zip(self._placed, self._inputs, strict=True), 1):
            _, title, _, group, code, offset = node._cg
            if number in titles:
                title = titles[number]
            if number in groups:
                group = groups[number]
            plan = type(node)._cg_plan
            if title is None and plan is not None:
                title = plan.display_name
            meta: dict[str, Any] | None = {"title": title} if title is not None else None
            if group is not None:
                meta = {**(meta or {}), "comfygraph": {"group": group}}
            class_type = plan.class_type if plan is not None else class_of(node)
            node_id = str(number)
            nodes[node_id] = make_node(node_id, class_type, inputs, meta, where(code, offset))
        return Prompt(nodes)

    def _place(self, node: Expression[Any]) -> int:
        inputs = self.finisher.finish(node)
        title = node._cg[1]
        if title is not None and not isinstance(title, str):
            self._problem(node, f"its title is {shown(title)}, not a text")
        fresh = len(self._placed) + 1
        links = self.finisher.links
        if links.newest is None:
            number = self._twin(node, inputs, fresh)
            if number != fresh:
                return number
        else:
            # Twins take the same outputs: the first to take one is nobody's twin so far.
            self._first[id(links.newest)] = fresh
            links.newest = None
        self._placed.append(node)
        self._inputs.append(inputs)
        return fresh

    def _twin(self, node: Expression[Any], inputs: dict[str, Any], fresh: int) -> int:
        """
        Give the number of the node that is the same as this one, or `fresh` if there is none.
        """
        first, known = self._first, self._known
        for value in inputs.values():
            if type(value) is Link and id(value) in first:
                number = first.pop(id(value))
                known.setdefault(_key(self._placed[number - 1], self._inputs[number - 1]), number)
        key = _key(node, inputs)
        number = known.setdefault(key, fresh)
        if number == fresh:
            return fresh
        _, title, _, group, _, _ = node._cg
        there = self._placed[number - 1]._cg
        first_title = self._titles.get(number, there[1])
        if title is not None and first_title not in (None, title):
            # Twins with two titles are meant to be two nodes.
            number = known.setdefault((key, title), fresh)
        elif title is not None:
            self._titles[number] = title
        if number != fresh and group is not None:
            self._groups.setdefault(number, self._placed[number - 1]._cg[3] or group)
        return number

    def _problem(
        self,
        node: Expression[Any],
        message: str,
        input: str | None = None,
        help: str | None = None,
    ) -> None:
        title = title_of(node)
        label = f'{class_of(node)} "{title}"' if isinstance(title, str) else class_of(node)
        file, line = self._places.where(node._cg[4], node._cg[5]) or (None, None)
        self.problems.append(
            BuildProblem(
                one_line(f"{label}: {message}"),
                nearby(file),
                line,
                class_of(node),
                input,
                one_line(help) if help is not None else None,
            )
        )


def _key(node: Expression[Any], inputs: dict[str, Any]) -> Any:
    """
    Give what tells a node from others, titles apart.
    """
    plan = type(node)._cg_plan
    values = tuple(inputs.values())
    key: Any
    if plan is not None and plan.uniform and len(values) == len(plan.steps):
        # Where every input is there, and of one type, the values alone tell nodes apart.
        key = (plan.class_type, values)
    else:
        # The types stand beside the values since Python takes 1, 1.0 and True for the same key.
        key = (class_of(node), tuple(inputs), values, tuple(map(type, values)))
    try:
        hash(key)
    except TypeError:
        # Some value is a list or an object.
        import json

        return (key[0], json.dumps([list(inputs), [_json(value) for value in values]]))
    return key


def _json(value: Any) -> Any:
    return value.to_json() if isinstance(value, Link) else ["", value]


def one_line(text: str) -> str:
    """
    Escape what would break the line, or what a terminal would act on.
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def nearby(file: str | None) -> str | None:
    if file is None:
        return None
    import os

    try:
        near = os.path.relpath(file)
    except (ValueError, OSError):
        return file
    return file if near.startswith("..") else near


__all__ = ["Builder", "RawNode", "build", "roots"]
