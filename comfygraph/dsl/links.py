"""
Links of one build: which output a source means, and whether it fits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comfygraph.catalog.dynamic import autogrow_members
from comfygraph.catalog.specs import AUTOGROW, MATCH_TYPE
from comfygraph.core.node import Link, make_link
from comfygraph.dsl.expression import Node, Output, class_of, plan_of
from comfygraph.dsl.matching import compatible, fits, fitting_slots
from comfygraph.dsl.plan import ANY, MISSING, ClassPlan, InputPlan

Report = Callable[[Node[Any], str, str | None, str | None], None]
"""Takes a mistake: node, message, input name, help."""


class Linker:
    """
    Makes the links of one build, and knows the types of the outputs placed so far.

    Args:
        report: Takes a mistake.
    """

    def __init__(self, report: Report) -> None:
        self.numbers: dict[int, int] = {}
        """`id` of a placed node → its number in the prompt."""
        self._report = report
        self._types: dict[int, tuple[str, ...]] = {}
        self.made: dict[tuple[int, int], Link] = {}
        """Number of a node and slot → the link to that output, one for all that take it."""
        self.newest: Link | None = None
        """The last link that was made, until somebody asked for it."""

    def types_of(self, node: Node[Any]) -> tuple[str, ...]:
        """
        Give the socket types of a placed node's outputs.
        """
        plan = plan_of(node)
        return self._types.get(id(node), plan.output_types) if plan else ()

    def link(self, node: Node[Any], item: InputPlan, source: Output[Any]) -> Any:
        origin, slot = source.node, source.slot
        plan = type(origin)._cg_plan
        if plan is not None:
            if slot not in plan.slot_types:
                self._report(
                    node, f"`{shown_name(node, item)}` is given output {slot!r} of "
                    f"{class_of(origin)}, which it does not have", item.name,
                    f"it has {', '.join(plan.output_names) or 'none'}",
                )  # fmt: skip
                return MISSING
            kinds = self._types.get(id(origin), plan.output_types)
            if kinds[slot] not in item.accepts and not fits(item, kinds[slot], plan.outputs[slot]):
                self._misfit(node, item, f"{class_of(origin)} gives {_text(plan, kinds, slot)}",
                             origin)  # fmt: skip
                return MISSING
        return self.placed(origin, slot)

    def placed(self, origin: Node[Any], slot: int) -> Link:
        place = (self.numbers[id(origin)], slot)
        link = self.made.get(place)
        if link is None:
            link = self.newest = self.made[place] = make_link(str(place[0]), slot)
        return link

    def node_link(self, node: Node[Any], item: InputPlan, origin: Node[Any]) -> Any:
        plan = type(origin)._cg_plan
        if plan is None:
            self._report(
                node, f"`{shown_name(node, item)}` is given {class_of(origin)}, of which nobody "
                "knows the outputs", item.name, "say which: node[0]",
            )  # fmt: skip
            return MISSING
        kinds = self.types_of(origin)
        slots = fitting_slots(item, kinds, plan.outputs)
        if len(slots) > 1 and item.template is not None:
            wanted = self._wanted_by_others(node, item)
            slots = [slot for slot in slots if not wanted or kinds[slot] in wanted]
        if len(slots) == 1:
            if not plan.matched and item.template is None:
                item.only_slot[type(origin)] = slots[0]
            return self.placed(origin, slots[0])
        if slots:
            choice = " or ".join(f".{plan.output_names[slot]}" for slot in slots)
            message = f"`{shown_name(node, item)}` fits several outputs of {class_of(origin)}"
            self._report(node, message, item.name, f"say which: {choice}")
        else:
            gives = ", ".join(dict.fromkeys(_text(plan, kinds, s) for s in range(len(kinds))))
            self._misfit(node, item, f"{class_of(origin)} gives {gives or 'nothing'}", origin)
        return MISSING

    def _misfit(self, node: Node[Any], item: InputPlan, gives: str, origin: Node[Any]) -> None:
        wanted = item.spec.type
        if item.template is not None:
            wanted = str(item.template.get("allowed_types", "*"))
        if item.spec.options is not None:
            wanted = "one of its list"
        self._report(
            node, f"`{shown_name(node, item)}` wants {' or '.join(wanted.split(','))}, {gives}",
            item.name, self._nearest_fit(item, origin),
        )  # fmt: skip

    def _nearest_fit(self, item: InputPlan, origin: Node[Any]) -> str | None:
        """
        Look upstream of the wrong source, a few steps, for the output that was perhaps meant.
        """
        near, seen = [origin], {id(origin)}
        for candidate in near:
            plan = plan_of(candidate)
            if plan is None:
                continue
            slots = fitting_slots(item, self.types_of(candidate), plan.outputs)
            if slots:
                return f"the nearest is {class_of(candidate)}.{plan.output_names[slots[0]]}"
            if len(near) < 64:
                fresh = [n for n in candidate._cg[2][::-1] if id(n) not in seen]
                seen.update(map(id, fresh))
                near += fresh
        return None

    def match_types(self, node: Node[Any], plan: ClassPlan, written: Mapping[str, Any]) -> None:
        """
        Settle the types of outputs that follow what the inputs are linked to.

        The editor lets all inputs of one template have one type; the server does not look.
        """
        kinds = list(plan.output_types)
        for slot, names in plan.matched.items():
            first: tuple[str, str] | None = None
            for name in names:
                for found in self._types_in(_matching(plan, name), written.get(name)):
                    if first is None:
                        first = (name, found)
                        kinds[slot] = found
                    elif not compatible(first[1], found):
                        there = f"`{first[0]}` {first[1]}" if first[0] != name else first[1]
                        self._report(
                            node, f"`{name}` is given {found} and {there}, "
                            "but all must be of one type", name, None,
                        )  # fmt: skip
                        break
        self._types[id(node)] = tuple(kinds)

    def _wanted_by_others(self, node: Node[Any], item: InputPlan) -> set[str]:
        """
        Give the types that the other inputs of a MatchType template settle on.
        """
        plan = plan_of(node)
        written = node._cg[0]
        names = {name for names in plan.matched.values() for name in names} if plan else set()
        found: set[str] = set()
        for name in names - {item.name}:
            if plan and type(written.get(name)) is Output:
                found.update(self._types_in(_matching(plan, name), written[name]))
        return found

    def _types_in(self, item: InputPlan, value: Any) -> list[str]:
        """
        Give the known types of what an input, or each member of a group, is linked to.
        """
        members = value if isinstance(value, list) else [value]
        if isinstance(value, dict):
            members = list(value.values())
        found: list[str] = []
        for member in members:
            origin = member.node if type(member) is Output else member
            plan = plan_of(origin) if isinstance(origin, Node) else None
            if plan is None:
                continue
            kinds = self.types_of(origin)
            # What does not fit by itself was told already.
            slots = fitting_slots(item, kinds, plan.outputs)
            if type(member) is Output:
                slot = member.slot % len(kinds) if member.slot in plan.slot_types else None
                slots = [slot] if slot in slots else []
            found += [kinds[slot] for slot in slots if len(slots) == 1]
        return [kind for kind in found if kind not in ANY]


def _matching(plan: ClassPlan, name: str) -> InputPlan:
    """
    Give the input that is matched: of an autogrow group, its members.
    """
    item = plan.inputs[name]
    if item.spec.type == AUTOGROW:
        return InputPlan(next(autogrow_members(item.spec), item.spec))
    return item


def shown_name(node: Node[Any], item: InputPlan) -> str:
    plan = plan_of(node)
    return plan.spelled.get(item.name, item.name) if plan else item.name


def _text(plan: ClassPlan, kinds: tuple[str, ...], slot: int) -> str:
    return "anything" if kinds[slot] in ("*", MATCH_TYPE) else kinds[slot]
