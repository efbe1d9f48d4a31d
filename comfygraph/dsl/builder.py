"""
From expressions to a `Prompt`: `build(SaveImage(...))`.

Nodes are numbered from 1 in one fixed order: those that feed a node stand before it, in the
order in which its inputs stand in the prompt. The same expression written twice is one node.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from comfygraph.core.values import Link, Node, Prompt
from comfygraph.dsl.expression import Node as Expression
from comfygraph.dsl.expression import (
    Output,
    RawNode,
    Source,
    Where,
    class_of,
    title_of,
    where_of,
)
from comfygraph.dsl.finish import Finisher
from comfygraph.dsl.literals import shown
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
        self._titles: list[str | None] = []
        self._made: list[tuple[str, dict[str, Any], str | None, Where]] = []
        self._known: dict[Any, int] = {}

    def add(self, root: Expression[Any]) -> None:
        """
        Place a node after all that it is made of. Iterative: chains are as long as they like.
        """
        numbers = self.finisher.links.numbers
        entered: set[int] = set()
        stack = [root]
        while stack:
            node = stack[-1]
            mark = id(node)
            if mark in numbers:
                stack.pop()
            elif mark in entered:
                stack.pop()
                numbers[mark] = self._place(node)
            else:
                entered.add(mark)
                stack += [source for source in node._cg[3] if id(source) not in numbers]

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
        for number, (made, title) in enumerate(zip(self._made, self._titles, strict=True), 1):
            class_type, inputs, display_name, where = made
            title = title or display_name
            node_id = str(number)
            meta = {"title": title} if title is not None else None
            nodes[node_id] = Node(node_id, class_type, inputs, meta, where=where)
        return Prompt(nodes)

    def _place(self, node: Expression[Any]) -> int:
        inputs = self.finisher.finish(node)
        title = node._cg[1]
        if title is not None and not isinstance(title, str):
            self._problem(node, f"its title is {shown(title)}, not a text")
            title = None
        plan = type(node)._cg_plan
        class_type = plan.class_type if plan is not None else class_of(node)
        values = tuple(inputs.values())
        # Where every input is there, and of one type, the values alone tell nodes apart.
        plain = plan is not None and plan.uniform and len(values) == len(plan.steps)
        key: Any = (class_type, values) if plain else _key(class_type, inputs, values)
        fresh = len(self._made) + 1
        try:
            number = self._known.setdefault(key, fresh)
        except TypeError:
            key = _key_of_json(class_type, inputs)
            number = self._known.setdefault(key, fresh)
        if number != fresh:
            there = self._titles[number - 1]
            if title is None or there is None or there == title:
                self._titles[number - 1] = there or title
                return number
            # Twins with two titles are meant to be two nodes.
            number = self._known.setdefault((key, title), fresh)
            if number != fresh:
                return number
        display_name = plan.display_name if plan is not None else None
        self._made.append((class_type, inputs, display_name, node._cg[2]))
        self._titles.append(title)
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
        file, line = where_of(node) or (None, None)
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


def _key(class_type: str, inputs: Mapping[str, Any], values: tuple[Any, ...]) -> Any:
    # The types stand beside the values since Python takes 1, 1.0 and True for the same key.
    return (class_type, tuple(inputs), values, tuple(map(type, values)))


def _key_of_json(class_type: str, inputs: Mapping[str, Any]) -> Any:
    # Some value is a list or an object.
    import json

    values = [
        value.to_json() if isinstance(value, Link) else ["", value] for value in inputs.values()
    ]
    return (class_type, json.dumps([list(inputs), values]))


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
