"""
Dynamic inputs of one node: groups, choices and slots become their dotted members.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from comfygraph.catalog.dynamic import autogrow_names, combo_options, slot_type, template_member
from comfygraph.catalog.parse import read_input
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT
from comfygraph.dsl.expression import Node, Output
from comfygraph.dsl.links import Report, shown_name
from comfygraph.dsl.literals import nearest, shown
from comfygraph.dsl.params import Param
from comfygraph.dsl.plan import MISSING, ClassPlan, InputPlan, option_members


class Unfolder:
    """
    Unfolds the dynamic inputs of the nodes of one build.

    Args:
        value: Gives the form of an input's value in the prompt, or `MISSING`.
        param: Gives the value of a parameter that stands in an input.
        report: Takes a mistake.
    """

    def __init__(
        self,
        value: Callable[[Node[Any], InputPlan, Any], Any],
        param: Callable[[Node[Any], InputPlan, Param], Any],
        report: Report,
    ) -> None:
        self._value = value
        self._param = param
        self._report = report
        self._members: dict[tuple[str, str, Any], dict[str, InputPlan]] = {}
        self._names: dict[tuple[str, str], list[str]] = {}

    def unfold(
        self, node: Node[Any], plan: ClassPlan, written: Mapping[str, Any]
    ) -> tuple[dict[str, Any], list[str]]:
        """
        Give the inputs of a node as they stand in the prompt, and names that no input has.
        """
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
        return {**widgets, **sockets, **late}, list(flat)

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
        if isinstance(value, list):
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
        elif isinstance(value, Iterable) and not isinstance(value, str | Node):
            self._report(node, f"`{item.name}` is {shown(value)}", item.name,
                         "give its members as a list")  # fmt: skip
            return []
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
            name = shown_name(node, item)
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
