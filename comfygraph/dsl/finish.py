"""
Finishing one node: what was written down becomes the `inputs` of the prompt.

Links are resolved and compared with socket types, constants checked, left out values filled
in, dynamic inputs unfolded into their dotted members.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from comfygraph.dsl.expression import Node, Output, class_of, nested_sources, plan_of
from comfygraph.dsl.links import Linker, Report, shown_name
from comfygraph.dsl.literals import UnfitError, constant, json_constant, shown
from comfygraph.dsl.params import Param
from comfygraph.dsl.plan import EXTRA_POSITIONAL, MISSING, TWICE, InputPlan
from comfygraph.dsl.unfold import Unfolder


class Finisher:
    """
    Finishes the nodes of one build, each after those that it is made of.

    Args:
        values: Parameter name → value, for parameters that do not keep their default.
        report: Takes a mistake: node, message, input name, help.
    """

    def __init__(self, values: Mapping[str, Any], report: Report) -> None:
        self.links = Linker(report)
        self.params: dict[str, tuple[Param, list[InputPlan]]] = {}
        """Parameters met so far, with the inputs that they stand in."""
        self._unfolder = Unfolder(self._value, self._param, report)
        self._values = values
        self._report = report

    def finish(self, node: Node[Any]) -> dict[str, Any]:
        """
        Give the inputs of a node as they stand in the prompt.
        """
        written = node._cg[0]
        plan = type(node)._cg_plan
        if plan is None:
            out = {name: self._unchecked(node, name, value) for name, value in written.items()}
            return {name: value for name, value in out.items() if value is not MISSING}
        if plan.is_dynamic:
            out, unknown = self._unfolder.unfold(node, plan, written)
            if unknown:
                self._unknown(node, unknown)
        else:
            out = {}
            used = 0
            get, links = written.get, self.links
            placed = links.placed
            for name, item in plan.steps:
                value = get(name, MISSING)
                # The common cases, straight; all that is odd goes through `_value`.
                if value is MISSING:
                    if item.ready is not MISSING:
                        out[name] = item.ready
                        continue
                else:
                    used += 1
                    kind = type(value)
                    if kind is item.exact:
                        if item.passes(value):
                            out[name] = value
                            continue
                    elif kind is Output:
                        origin = value.node
                        other = type(origin)._cg_plan
                        if (
                            other is not None
                            and not other.matched
                            and other.slot_types.get(value.slot) in item.accepts
                        ):
                            out[name] = placed(origin, value.slot)
                            continue
                    elif kind in item.only_slot:
                        out[name] = placed(value, item.only_slot[kind])
                        continue
                value = self._value(node, item, value)
                if value is not MISSING:
                    out[name] = value
            if used < len(written):
                self._unknown(node, [name for name in written if name not in plan.inputs])
        if plan.matched:
            self.links.match_types(node, plan, written)
        return out

    def _value(self, node: Node[Any], item: InputPlan, value: Any) -> Any:
        if value is MISSING or value is None:
            if value is None or item.ready is MISSING:
                if item.required and item.name not in self._meant(node):
                    self._report(
                        node, f"`{shown_name(node, item)}` is missing", item.name, _wish(item)
                    )
                return MISSING
            return item.ready
        if type(value) is Output:
            return self.links.link(node, item, value)
        if isinstance(value, Node):
            return self.links.node_link(node, item, value)
        if type(value) is Param:
            value = self._param(node, item, value)
        try:
            return constant(item, value)
        except UnfitError as exc:
            self._report(node, f"`{shown_name(node, item)}` {exc.message}", item.name, exc.help)
            return MISSING

    def _param(self, node: Node[Any], item: InputPlan | None, param: Param) -> Any:
        known, places = self.params.setdefault(param.name, (param, []))
        if known.default != param.default or type(known.default) is not type(param.default):
            self._report(
                node, f"the parameter `{param.name}` has two defaults: {shown(known.default)} "
                f"and {shown(param.default)}", item.name if item else None, None,
            )  # fmt: skip
        if item is not None:
            places.append(item)
        return self._values.get(param.name, param.default)

    def _unchecked(self, node: Node[Any], name: str, value: Any) -> Any:
        if type(value) is Output:
            return self.links.placed(value.node, value.slot)
        if isinstance(value, Node):
            plan = plan_of(value)
            if plan is not None and len(plan.outputs) == 1:
                return self.links.placed(value, 0)
            self._report(node, f"`{name}` is given {class_of(value)} as a whole", name,
                         "say which output: node[0]")  # fmt: skip
            return MISSING
        if type(value) is Param:
            value = self._param(node, None, value)
        try:
            return json_constant(value)
        except UnfitError as exc:
            help = exc.help
            if nested_sources(value):
                help = 'links stand alone here: raw_node("Class", **{"images.image0": node[0]})'
            self._report(node, f"`{name}` {exc.message}", name, help)
            return MISSING

    def _meant(self, node: Node[Any]) -> set[str]:
        """
        Give the inputs that misspelt ones were meant for: that they are missing too is no news.
        """
        plan = plan_of(node)
        known = list(plan.spelled.values()) if plan else []
        names = [name for name in node._cg[0] if plan and name not in plan.inputs]
        near = [text for name in names for text in _near(name, known)]
        return {plan.python_names.get(text, text) for text in near} if plan else set()

    def _unknown(self, node: Node[Any], names: list[str]) -> None:
        plan = plan_of(node)
        known = list(plan.spelled.values()) if plan else []
        for name in names:
            if name == EXTRA_POSITIONAL:
                count = len(plan.positional) if plan else 0
                given = node._cg[0][name]
                self._report(
                    node, f"{given} input{'s' if given > 1 else ''} by position, of which it "
                    f"takes {count or 'none'}", None, "give the others by name",
                )  # fmt: skip
            elif name.startswith(TWICE):
                self._report(node, f"`{name[len(TWICE) :]}` is given twice", None, None)
            else:
                near = _near(name, known)
                self._report(
                    node, f"it has no input `{name}`", name,
                    f"did you mean `{near[0]}`?" if near
                    else f"its inputs are {', '.join(known[:12]) or 'none'}",
                )  # fmt: skip


def _near(name: str, known: list[str]) -> list[str]:
    from difflib import get_close_matches

    return get_close_matches(name, known, n=1)


def _wish(item: InputPlan) -> str:
    if item.spec.files is not None:
        return f"a file of {item.spec.files}"
    return f"it takes {' or '.join(item.kinds)}"
