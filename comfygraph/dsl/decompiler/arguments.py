"""
The arguments of a node in the DSL's form: defaults left out, dynamic inputs put together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from comfygraph.catalog.dynamic import autogrow_names, chosen_option, template_member
from comfygraph.catalog.specs import AUTOGROW, DYNAMIC_COMBO, DYNAMIC_SLOT, DYNAMIC_TYPES
from comfygraph.dsl.plan import MISSING, ClassPlan, InputPlan, option_members

MOST_GAPS = 2
"""A group with more gaps is written by the names of its members."""
DEEPEST_CHOICE = 8


class Arguments:
    """
    Finds arguments, and remembers what classes look like.
    """

    def __init__(self) -> None:
        self._members: dict[tuple[str, str, Any], dict[str, InputPlan]] = {}
        self._places: dict[tuple[str, str], dict[str, int]] = {}

    def of(self, plan: ClassPlan, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """
        Give the arguments of a node, those left out that the DSL fills in.

        Args:
            plan: Its class.
            inputs: Its inputs, with sources in the place of links.
        """
        pool = dict(inputs)
        out: dict[str, Any] = {}
        for name, item in plan.inputs.items():
            value = self._argument(plan, item, pool, 0)
            if value is not MISSING:
                out[plan.spelled[name]] = value
        # Members that have no place in the arguments go by their full names.
        for name, value in pool.items():
            out.setdefault(name, unwrapped(value))
        return out

    def _argument(self, plan: ClassPlan, item: InputPlan, pool: dict[str, Any], depth: int) -> Any:
        """
        Take the value of an input out of the pool; `MISSING` where nothing is to be written.
        """
        kind = item.spec.type
        if kind == AUTOGROW:
            return self._group(plan, item, pool)
        if item.name not in pool:
            filled = item.ready is not MISSING and kind != DYNAMIC_SLOT
            return None if filled and not item.required else MISSING
        value = pool.pop(item.name)
        if kind == DYNAMIC_COMBO and depth < DEEPEST_CHOICE:
            return self._choice(plan, item, value, pool, depth)
        if kind != DYNAMIC_SLOT and item.ready is not MISSING and same(value, item.ready):
            return MISSING
        return unwrapped(value)

    def _group(self, plan: ClassPlan, item: InputPlan, pool: dict[str, Any]) -> Any:
        if template_member(item.spec)[1][:1] in ([kind] for kind in DYNAMIC_TYPES):
            return MISSING
        key = (plan.class_type, item.name)
        places = self._places.get(key)
        if places is None:
            places = {name: place for place, name in enumerate(autogrow_names(item.spec))}
            self._places[key] = places
        names = sorted((name for name in pool if name in places), key=places.__getitem__)
        if not names:
            return MISSING
        last = places[names[-1]]
        members = {name: unwrapped(pool.pop(name)) for name in names}
        if last + 1 - len(names) > MOST_GAPS:
            start = len(item.name) + 1
            return {name[start:]: value for name, value in members.items()}
        row: list[Any] = [None] * (last + 1)
        for name, value in members.items():
            row[places[name]] = value
        return row

    def _choice(
        self, plan: ClassPlan, item: InputPlan, value: Any, pool: dict[str, Any], depth: int
    ) -> Any:
        option = chosen_option(item.spec, value)
        if option is None:
            return value
        key = (plan.class_type, item.name, value)
        members = self._members.get(key)
        if members is None:
            members = self._members[key] = option_members(item.spec, option)
        given: dict[str, Any] = {}
        for name, member in members.items():
            inner = self._argument(plan, member, pool, depth + 1)
            if inner is not MISSING:
                given[name] = inner
        if given:
            return {item.name.rpartition(".")[2]: value, **given}
        return MISSING if same(value, item.fill) else value


def unwrapped(value: Any) -> Any:
    """
    Give the list in `{"__value__": [...]}`, which the DSL wraps by itself; else the value.
    """
    if isinstance(value, Mapping) and len(value) == 1 and type(value.get("__value__")) is list:
        return value["__value__"]
    return value


def same(one: Any, other: Any) -> bool:
    """
    Tell whether two values are one to the server, for which 8 and 8.0 are the same.
    """
    if isinstance(one, list | dict):
        try:
            return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
        except (TypeError, ValueError, RecursionError):
            return False
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)
