"""
The nodes of a prompt as expressions, each of them tried: it is finished as `build` would
finish it, and kept only if that gives the node's inputs again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from comfygraph.catalog.node_catalog import NodeCatalog
from comfygraph.core.adjacency import order_and_knots, reverse, topological_order
from comfygraph.core.values import Link, Node, Prompt
from comfygraph.dsl.builder import one_line
from comfygraph.dsl.decompiler.arguments import Arguments, same, unwrapped
from comfygraph.dsl.decompiler.layout import HUGE
from comfygraph.dsl.expression import Node as Expression
from comfygraph.dsl.expression import Output, plan_of, raw_node
from comfygraph.dsl.finish import Finisher
from comfygraph.dsl.plan import ClassPlan
from comfygraph.dsl.space import NodeSpace
from comfygraph.errors import BuildError, BuildProblem


@dataclass(frozen=True, slots=True)
class Expressed:
    """
    A node and the expression that it is.

    Args:
        node: The node in the prompt.
        made: The expression.
        inputs: Its arguments by name as they are to be written: constants, expressions,
            outputs of expressions, and lists and objects of these.
        title: The title to be written, or `None`.
        plan: What is known of the class; `None` for raw nodes.
        module: The module that the class is imported from; `None` for raw nodes.
        why_raw: What keeps a class that is known from being used, or `None`.
    """

    node: Node
    made: Expression[Any]
    inputs: Mapping[str, Any]
    title: str | None
    plan: ClassPlan | None
    module: str | None
    why_raw: str | None


@dataclass
class Expresser:
    """
    Finds the expressions of one prompt.

    Args:
        prompt: The prompt.
        catalogs: Module → the classes that it has; the first that has a class gives it.
    """

    prompt: Prompt
    catalogs: Mapping[str, NodeCatalog]
    done: dict[str, Expressed] = field(default_factory=dict)
    _problems: list[BuildProblem] = field(default_factory=list)
    _reports: list[str] = field(default_factory=list)
    _tries: list[Expression[Any]] = field(default_factory=list)
    _titles: dict[str, str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._spaces = {name: NodeSpace(catalog) for name, catalog in self.catalogs.items()}
        self._arguments = Arguments()
        self._finisher = Finisher({}, self._take_report)

    def express(self) -> dict[str, Expressed]:
        """
        Give node id → expression, those that feed a node before it.

        Raises:
            BuildError: No Python can give this prompt; `problems` lists the reasons.
        """
        order = self._order()
        finished = {node_id: self._try(self.prompt[node_id]) for node_id in order}
        if self._problems:
            count = len(self._problems)
            what = "one thing" if count == 1 else f"{count} things"
            raise BuildError(
                f"the prompt has {what} that no expression can be", problems=self._problems
            )
        self._tell_twins_apart(finished)
        return {
            node_id: replace(item, title=self._titles[node_id])
            for node_id, item in self.done.items()
        }

    def _order(self) -> list[str]:
        sources = {
            node.id: [link.node_id for _, link in node.links()] for node in self.prompt.nodes()
        }
        for node in self.prompt.nodes():
            for name, link in node.links():
                if link.node_id not in self.prompt:
                    self._problem(node, f"links to node `{link.node_id}`, which is not there", name)
        ends = [node_id for node_id, users in reverse(sources).items() if not users]
        order = topological_order({**{node_id: sources[node_id] for node_id in ends}, **sources})
        if len(order) < len(sources):
            for knot in order_and_knots(sources)[1]:
                names = ", ".join(f"`{node_id}`" for node_id in knot[:6])
                more = ", …" if len(knot) > 6 else ""
                self._problem(self.prompt[knot[0]], f"lies on a cycle of nodes: {names}{more}")
        if self._problems:
            order = []
        elif not order:
            raise BuildError("the prompt has no nodes", hint="an empty graph needs no script")
        return order

    def _problem(self, node: Node, message: str, name: str | None = None) -> None:
        about = f"`{name}` " if name is not None else ""
        text = f"{_label(node)}: {about}{message}"
        self._problems.append(BuildProblem(one_line(text), class_type=node.class_type, input=name))

    def _take_report(self, node: Any, message: str, name: str | None, help: str | None) -> None:
        self._reports.append(message)

    def _try(self, node: Node) -> Mapping[str, Any]:
        """
        Express a node, and give its finished inputs.
        """
        wanted = {
            name: Link(str(self._number(value)), value.slot) if isinstance(value, Link) else value
            for name, value in node.inputs.items()
        }
        sources = {name: self._source(value) for name, value in node.inputs.items()}
        why: str | None = None
        module = self._home(node.class_type)
        if module is not None:
            kind = self._spaces[module][node.class_type]
            plan = kind._cg_plan
            assert plan is not None
            why = self._bad_slot(node)
            if why is None:
                inputs = self._arguments.of(plan, sources)
                found, why = self._finished(kind, inputs, wanted)
                if found is not None:
                    made, got = found
                    self._keep(Expressed(node, made, inputs, None, plan, module, None))
                    return got
        inputs = {name: unwrapped(value) for name, value in sources.items()}
        self._reports.clear()
        made = raw_node(node.class_type, **inputs)
        got = self._finisher.finish(made)
        if self._reports or not _same_inputs(got, wanted):
            self._hopeless(node)
        self._keep(Expressed(node, made, inputs, None, None, None, why))
        return got

    def _home(self, class_type: str) -> str | None:
        return next((name for name, known in self.catalogs.items() if class_type in known), None)

    def _shown_name(self, class_type: str) -> str:
        """
        Give the title that `build` gives a node of a class that has none.
        """
        module = self._home(class_type)
        return self.catalogs[module][class_type].display_name if module is not None else class_type

    def _number(self, link: Link) -> int:
        return self._finisher.links.numbers[id(self.done[link.node_id].made)]

    def _keep(self, item: Expressed) -> None:
        node = item.node
        self._finisher.links.numbers[id(item.made)] = len(self.done) + 1
        plain = ("", node.class_type, self._shown_name(node.class_type))
        self._titles[node.id] = None if node.title in plain else node.title
        self.done[node.id] = item

    def _finished(
        self, kind: type[Expression[Any]], inputs: Mapping[str, Any], wanted: Mapping[str, Any]
    ) -> tuple[tuple[Expression[Any], Mapping[str, Any]] | None, str | None]:
        self._reports.clear()
        made = kind(**inputs)
        # What the finisher remembers goes by `id`: no failed try may make way for another node.
        self._tries.append(made)
        got = self._finisher.finish(made)
        if self._reports:
            return None, self._reports[0]
        if _same_inputs(got, wanted):
            return (made, got), None
        odd = next(name for name in [*wanted, *got] if not _same_input(name, got, wanted))
        if odd not in wanted:
            return None, f"`{odd}` is missing"
        return None, f"its `{odd}` cannot be given this way"

    def _hopeless(self, node: Node) -> None:
        found = len(self._problems)
        for message in self._reports:
            self._problem(node, message)
        for name, value in node.inputs.items():
            if isinstance(value, list):
                self._problem(node, "is a list, which the server takes for a broken link", name)
        if len(self._problems) == found:
            self._problem(node, "it holds something that is not JSON")

    def _bad_slot(self, node: Node) -> str | None:
        for name, link in node.links():
            plan = plan_of(self.done[link.node_id].made)
            if plan is not None:
                count = len(plan.outputs)
                if not -count <= link.slot < count:
                    return f"`{name}` is linked to an output that {plan.class_type} does not have"
        return None

    def _source(self, value: Any) -> Any:
        """
        Give what is written for an input: for a link, the expression or its output.
        """
        if not isinstance(value, Link):
            return value
        made = self.done[value.node_id].made
        plan = plan_of(made)
        if plan is not None and len(plan.outputs) == 1 and value.slot == 0:
            return made
        return Output(made, value.slot)

    # Twins ----------------------------------------------------------------------------------

    def _tell_twins_apart(self, finished: Mapping[str, Mapping[str, Any]]) -> None:
        """
        Give nodes that are the same in all but their id titles of their own.

        `build` takes an expression that is written twice for one node, unless the two have
        different titles.
        """
        twins: dict[str, list[str]] = {}
        for node_id, inputs in finished.items():
            values = {
                name: value.to_json() if isinstance(value, Link) else ["", _plain(value)]
                for name, value in inputs.items()
            }
            class_type = self.prompt[node_id].class_type
            key = json.dumps([class_type, values], sort_keys=True)
            twins.setdefault(key, []).append(node_id)
        for members in twins.values():
            if len(members) > 1:
                self._retitle(members)

    def _retitle(self, members: Iterable[str]) -> None:
        members = list(members)
        taken = {title for node_id in members if (title := self._titles[node_id])}
        used: set[str] = set()
        counts: dict[str, int] = {}
        for node_id in members:
            wanted = self._titles[node_id] or self._shown_name(self.prompt[node_id].class_type)
            title = wanted
            while title in used or (title in taken and self._titles[node_id] != title):
                counts[wanted] = counts.get(wanted, 1) + 1
                title = f"{wanted} ({counts[wanted]})"
            used.add(title)
            self._titles[node_id] = title


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        # To Python -0.0 is 0.0: nodes that differ in no more are one to `build`.
        return value or 0.0
    if isinstance(value, int) and abs(value) >= HUGE:
        return [hex(value)]
    return value


def _same_inputs(got: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return got.keys() == wanted.keys() and all(same(got[name], wanted[name]) for name in got)


def _same_input(name: str, got: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return name in got and name in wanted and same(got[name], wanted[name])


def _label(node: Node) -> str:
    title = node.title if len(node.title) <= 60 else f"{node.title[:59]}…"
    named = f' "{title}"' if node.title != node.class_type else ""
    return f"{node.class_type}{named} ({node.id})"
