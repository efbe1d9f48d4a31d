"""
Finishing one node: what was written down becomes the `inputs` of the prompt.

Links are resolved and compared with socket types, constants checked, left out values filled
in, dynamic inputs unfolded into their dotted members.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from comfygraph.catalog.dynamic import autogrow_names, combo_options, slot_type, template_member
from comfygraph.catalog.parse import read_input
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT, MATCH_TYPE, OutputSpec
from comfygraph.core.values import Link
from comfygraph.dsl.expression import Node, Output, class_of, plan_of
from comfygraph.dsl.literals import UnfitError, constant, json_constant, nearest, shown
from comfygraph.dsl.matching import ANY, compatible, fits, fitting_slots
from comfygraph.dsl.params import Param
from comfygraph.dsl.plan import (
    EXTRA_POSITIONAL,
    MISSING,
    TWICE,
    ClassPlan,
    InputPlan,
    option_members,
)

_CONSTANTS = frozenset({str, int, float, bool})
Report = Callable[[Node[Any], str, str | None, str | None], None]


class Finisher:
    """
    Finishes the nodes of one build, each after those that it is made of.

    Args:
        values: Parameter name → value, for parameters that do not keep their default.
        report: Takes a mistake: node, message, input name, help.
    """

    def __init__(self, values: Mapping[str, Any], report: Report) -> None:
        self.numbers: dict[int, int] = {}
        """`id` of a placed node → its number in the prompt."""
        self.params: dict[str, tuple[Param, list[InputPlan]]] = {}
        """Parameters met so far, with the inputs that they stand in."""
        self._values = values
        self._report = report
        self._types: dict[int, tuple[str, ...]] = {}
        self._members: dict[tuple[str, str, Any], dict[str, InputPlan]] = {}
        self._names: dict[tuple[str, str], list[str]] = {}
        self._links: dict[tuple[int, int], Link] = {}
        self._meant: set[tuple[int, str]] = set()

    def sources_of(self, node: Node[Any]) -> list[Node[Any]]:
        """
        Give the nodes that a node is made of, the first last: ready to be put on a stack.
        """
        written = node._cg[0]
        found: list[tuple[str, Node[Any]]] = []
        for name, value in written.items():
            kind = type(value)
            if kind is Output:
                found.append((name, value.node))
            elif kind in _CONSTANTS:
                continue
            elif isinstance(value, Node):
                found.append((name, value))
            elif kind is list or kind is dict or kind is tuple:
                found += [(name, source) for source in _nested_sources(value)]
        plan = type(node)._cg_plan
        if len(found) > 1 and plan is not None:
            rank, last = plan.rank, len(plan.rank)
            found.sort(key=lambda item: rank.get(item[0], last))
        return [source for _, source in reversed(found)]

    def finish(self, node: Node[Any]) -> dict[str, Any]:
        """
        Give the inputs of a node as they stand in the prompt.
        """
        written = node._cg[0]
        plan = type(node)._cg_plan
        if plan is None:
            out = {name: self._unchecked(node, name, value) for name, value in written.items()}
            return {name: value for name, value in out.items() if value is not MISSING}
        if not written.keys() <= plan.inputs.keys() and not plan.is_dynamic:
            self._unknown(node, [name for name in written if name not in plan.inputs])
        if plan.is_dynamic:
            out = self._unfold(node, plan, written)
        else:
            out = {}
            for name, item in plan.steps:
                value = written.get(name, MISSING)
                # The two common cases, straight; all that is odd goes through `_value`.
                if value is MISSING:
                    if item.ready is not MISSING:
                        out[name] = item.ready
                        continue
                elif type(value) is item.exact and item.passes(value):
                    out[name] = value
                    continue
                value = self._value(node, item, value)
                if value is not MISSING:
                    out[name] = value
        if plan.matched:
            self._types[id(node)] = self._matched_types(node, plan, written)
        return out

    def types_of(self, node: Node[Any]) -> tuple[str, ...]:
        """
        Give the socket types of a placed node's outputs.
        """
        plan = plan_of(node)
        return self._types.get(id(node), plan.output_types) if plan else ()

    def _value(self, node: Node[Any], item: InputPlan, value: Any) -> Any:
        if value is MISSING or value is None:
            if value is None or item.ready is MISSING:
                if item.required and (id(node), item.name) not in self._meant:
                    self._report(node, f"`{_short(node, item)}` is missing", item.name, _wish(item))
                return MISSING
            return item.ready
        if type(value) is Output:
            return self._link(node, item, value)
        if isinstance(value, Node):
            return self._node(node, item, value)
        if type(value) is Param:
            value = self._param(node, item, value)
        try:
            return constant(item, value)
        except UnfitError as exc:
            self._report(node, f"`{_short(node, item)}` {exc.message}", item.name, exc.help)
            return MISSING

    def _link(self, node: Node[Any], item: InputPlan, source: Output[Any]) -> Any:
        origin, slot = source.node, source.slot
        plan = plan_of(origin)
        if plan is not None:
            kinds = self._types.get(id(origin), plan.output_types)
            if kinds[slot] not in item.accepts and not fits(item, kinds[slot], plan.outputs[slot]):
                self._misfit(node, item, f"{class_of(origin)} gives {_text(plan, kinds, slot)}",
                             origin)  # fmt: skip
                return MISSING
        return self._placed(origin, slot)

    def _placed(self, origin: Node[Any], slot: int) -> Link:
        number = self.numbers[id(origin)]
        link = self._links.get((number, slot))
        if link is None:
            link = self._links[number, slot] = Link(str(number), slot)
        return link

    def _node(self, node: Node[Any], item: InputPlan, origin: Node[Any]) -> Any:
        plan = type(origin)._cg_plan
        if plan is None:
            self._report(
                node, f"`{_short(node, item)}` is given {class_of(origin)}, of which nobody "
                "knows the outputs", item.name, "say which: node[0]",
            )  # fmt: skip
            return MISSING
        slot = item.only_slot.get(plan)
        if slot is not None:
            return self._placed(origin, slot)
        kinds = self.types_of(origin)
        slots = fitting_slots(item, kinds, plan.outputs)
        if len(slots) > 1 and item.template is not None:
            wanted = self._wanted_by_others(node, item)
            slots = [slot for slot in slots if not wanted or kinds[slot] in wanted]
        if len(slots) == 1:
            if not plan.matched and item.template is None:
                item.only_slot[plan] = slots[0]
            return self._placed(origin, slots[0])
        if slots:
            choice = " or ".join(f".{plan.output_names[slot]}" for slot in slots)
            self._report(node, f"`{_short(node, item)}` fits several outputs of {class_of(origin)}",
                         item.name, f"say which: {choice}")  # fmt: skip
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
            node, f"`{_short(node, item)}` wants {' or '.join(wanted.split(','))}, {gives}",
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
                fresh = [n for n in self.sources_of(candidate)[::-1] if id(n) not in seen]
                seen.update(map(id, fresh))
                near += fresh
        return None

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
            return self._placed(value.node, value.slot)
        if isinstance(value, Node):
            plan = plan_of(value)
            if plan is not None and len(plan.outputs) == 1:
                return self._placed(value, 0)
            self._report(node, f"`{name}` is given {class_of(value)} as a whole", name,
                         "say which output: node[0]")  # fmt: skip
            return MISSING
        if type(value) is Param:
            value = self._param(node, None, value)
        try:
            return json_constant(value)
        except UnfitError as exc:
            self._report(node, f"`{name}` {exc.message}", name, exc.help)
            return MISSING

    def _matched_types(
        self, node: Node[Any], plan: ClassPlan, written: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """
        Give the types of outputs that follow what the inputs are linked to.

        The editor lets all inputs of one template have one type; the server does not look.
        """
        kinds = list(plan.output_types)
        for slot, names in plan.matched.items():
            first: tuple[str, str] | None = None
            for name in names:
                for found in self._types_in(plan.inputs[name], written.get(name)):
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
        return tuple(kinds)

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
                found.update(self._types_in(plan.inputs[name], written[name]))
        return found

    def _types_in(self, item: InputPlan, value: Any) -> list[str]:
        """
        Give the known types of what an input, or each member of a group, is linked to.
        """
        members = value if isinstance(value, list | tuple) else [value]
        if isinstance(value, dict):
            members = list(value.values())
        found: list[str] = []
        for member in members:
            if type(member) is Output and plan_of(member.node):
                found.append(self.types_of(member.node)[member.slot])
            elif isinstance(member, Node) and plan_of(member):
                slots = fitting_slots(item, self.types_of(member), _outputs(member))
                found += [self.types_of(member)[slot] for slot in slots if len(slots) == 1]
        return [kind for kind in found if kind not in ANY]

    def _unfold(
        self, node: Node[Any], plan: ClassPlan, written: Mapping[str, Any]
    ) -> dict[str, Any]:
        widgets: dict[str, Any] = {}
        sockets: dict[str, Any] = {}
        late: dict[str, Any] = {}
        # Members may also be given by their full names, as they stand in a prompt.
        flat = {name: value for name, value in written.items() if name not in plan.inputs}
        # (input, its value, whether an option of a dynamic combo brought it along)
        work = [(item, written.get(name, MISSING), False) for name, item in plan.inputs.items()]
        work.reverse()
        while work:
            item, value, inner = work.pop()
            if value is MISSING and item.name in flat:
                value = flat.pop(item.name)
            if item.spec.type == AUTOGROW:
                members = self._autogrow(node, plan, item, value, flat)
                work.extend((member, given, inner) for member, given in reversed(members))
            elif item.spec.type == DYNAMIC_COMBO:
                chosen = self._choice(node, plan, item, value)
                if chosen is not None:
                    key, dependents = chosen
                    widgets[item.name] = key
                    work.extend((member, given, True) for member, given in reversed(dependents))
            elif item.spec.type == DYNAMIC_SLOT:
                if value is not MISSING and value is not None:
                    spec = read_input(item.name, [slot_type(item.spec), {}], required=True)
                    work.append((InputPlan(spec), value, inner))
                    extra = option_members(item.spec, item.spec.opts)
                    work.extend((member, MISSING, inner) for member in extra.values())
            else:
                found = self._value(node, item, value)
                if found is not MISSING:
                    # The editor puts sockets that came with a choice behind all others.
                    (widgets if item.widget else late if inner else sockets)[item.name] = found
        if flat:
            self._unknown(node, list(flat))
        return {**widgets, **sockets, **late}

    def _autogrow(
        self,
        node: Node[Any],
        plan: ClassPlan,
        item: InputPlan,
        value: Any,
        flat: dict[str, Any],
    ) -> list[tuple[InputPlan, Any]]:
        key = (plan.class_type, item.name)
        names = self._names.get(key)
        if names is None:
            names = self._names[key] = autogrow_names(item.spec)
        prefix = len(item.name) + 1
        given: dict[str, Any] = {}
        if isinstance(value, list | tuple):
            if len(value) > len(names):
                self._report(node, f"`{item.name}` has {len(value)} members, above the maximum "
                             f"{len(names)}", item.name, None)  # fmt: skip
            given = dict(zip(names, value, strict=False))
        elif isinstance(value, dict):
            for short, member in value.items():
                if f"{item.name}.{short}" in names:
                    given[f"{item.name}.{short}"] = member
                else:
                    some = ", ".join(f"`{name[prefix:]}`" for name in names[:4])
                    self._report(node, f"`{item.name}` has no member {shown(short)}", item.name,
                                 f"its members are {some}, …")  # fmt: skip
        elif value is not MISSING and value is not None:
            given = {names[0]: value} if names else {}
        if flat:
            given |= {name: flat.pop(name) for name in names if name in flat}
        required, member_json = template_member(item.spec)
        template = item.spec.opts.get("template")
        least = template.get("min", 0) if isinstance(template, Mapping) else 0
        least = least if required and item.required and isinstance(least, int) else 0
        present = {name: member for name, member in given.items() if member is not None}
        missing = [name[prefix:] for name in names[:least] if name not in present]
        if missing:
            self._report(node, f"`{item.name}` needs at least {least} member"
                         f"{'s' if least > 1 else ''}", item.name,
                         f"missing: {', '.join(missing)}")  # fmt: skip
        out = []
        for name in names:
            if name in present:
                spec = read_input(name, member_json, required=True, group=item.name)
                out.append((InputPlan(spec), present[name]))
        return out

    def _choice(
        self, node: Node[Any], plan: ClassPlan, item: InputPlan, value: Any
    ) -> tuple[Any, list[tuple[InputPlan, Any]]] | None:
        short = item.name.rpartition(".")[2]
        dependents: dict[str, Any] = {}
        if value is None and not item.required:
            return None
        if isinstance(value, dict):
            dependents = {key: member for key, member in value.items() if key != short}
            value = value.get(short, MISSING)
        if type(value) is Param:
            value = self._param(node, item, value)
        if value is MISSING:
            value = item.fill
        options = {
            option.get("key"): option
            for option in combo_options(item.spec)
            if isinstance(option.get("key"), str | int | float)
        }
        option = options.get(value) if isinstance(value, str | int | float) else None
        if option is None:
            name = _short(node, item)
            if isinstance(value, Output | Node):
                message = f"`{name}` is chosen in the script, no link can choose it"
                self._report(node, message, item.name, None)
            else:
                message = f"`{name}` is {shown(value)}, not in its list"
                self._report(node, message, item.name, nearest(value, tuple(options)))
            return None
        key = (plan.class_type, item.name, value)
        members = self._members.get(key)
        if members is None:
            members = self._members[key] = option_members(item.spec, option)
        for name in dependents:
            if name not in members:
                some = ", ".join(f"`{member}`" for member in members) or "nothing"
                self._report(node, f"`{item.name}` = {shown(value)} has no `{name}`",
                             f"{item.name}.{name}", f"it goes with {some}")  # fmt: skip
        return value, [(member, dependents.get(name, MISSING)) for name, member in members.items()]

    def _unknown(self, node: Node[Any], names: list[str]) -> None:
        plan = plan_of(node)
        known = list(plan.spelled.values()) if plan else []
        for name in names:
            if name == EXTRA_POSITIONAL:
                count = len(plan.positional) if plan else 0
                self._report(node, f"{node._cg[0][name]} inputs by position, of which it takes "
                             f"{count}", None, "give the others by name")  # fmt: skip
            elif name.startswith(TWICE):
                self._report(node, f"`{name[len(TWICE) :]}` is given twice", None, None)
            else:
                from difflib import get_close_matches

                near = get_close_matches(name, known, n=1)
                if plan and near:
                    # A misspelt input is one mistake: that it is missing too says nothing new.
                    self._meant.add((id(node), plan.python_names.get(near[0], near[0])))
                self._report(
                    node, f"it has no input `{name}`", name,
                    f"did you mean `{near[0]}`?" if near
                    else f"its inputs are {', '.join(known[:12]) or 'none'}",
                )  # fmt: skip


def _outputs(node: Node[Any]) -> tuple[OutputSpec, ...]:
    plan = plan_of(node)
    return plan.outputs if plan else ()


def _short(node: Node[Any], item: InputPlan) -> str:
    plan = plan_of(node)
    return plan.spelled.get(item.name, item.name) if plan else item.name


def _text(plan: ClassPlan, kinds: tuple[str, ...], slot: int) -> str:
    return "anything" if kinds[slot] in ("*", MATCH_TYPE) else kinds[slot]


def _wish(item: InputPlan) -> str:
    if item.spec.files is not None:
        return f"a file of {item.spec.files}"
    return f"it takes {' or '.join(item.kinds)}"


def _nested_sources(value: Any) -> list[Node[Any]]:
    found: list[Node[Any]] = []
    pending: list[Any] = [value]
    seen: set[int] = set()
    while pending:
        item = pending.pop()
        if type(item) is Output:
            found.append(item.node)
        elif isinstance(item, Node):
            found.append(item)
        elif isinstance(item, list | tuple | dict) and id(item) not in seen:
            seen.add(id(item))
            members = list(item.values()) if isinstance(item, dict) else list(item)
            pending.extend(members[::-1])
    return found
